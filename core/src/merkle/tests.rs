use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::digest::sha256_from_hex;

/// Leaves, roots and proofs of the test suite of Certificate Transparency (Google, Apache-2.0): the roots of the first 1 to 8
/// leaves, and proofs between them.
const LEAVES: [&[u8]; 8] = [
    b"",
    &[0x00],
    &[0x10],
    &[0x20, 0x21],
    &[0x30, 0x31],
    &[0x40, 0x41, 0x42, 0x43],
    &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
    &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// Index from 0, size, proof.
const INCLUSION: [(u64, u64, &[&str]); 4] = [
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];
/// Old size, new size, proof.
const CONSISTENCY: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

/// What a store keeps: the complete nodes.
#[derive(Default)]
struct Kept {
    nodes: BTreeMap<Node, TreeHash>,
    roots: Vec<TreeHash>,
    leaves: Vec<TreeHash>,
}

impl Kept {
    fn new(leaves: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut kept = Self::default();
        let mut frontier = Frontier::new();
        kept.roots.push(frontier.root());
        for leaf in leaves {
            let leaf = TreeHash::of_leaf(&leaf);
            frontier.append(leaf, |node, hash| {
                assert!(kept.nodes.insert(node, hash).is_none(), "a complete node is given once");
            });
            kept.leaves.push(leaf);
            kept.roots.push(frontier.root());
        }
        kept
    }

    fn numbered(size: u64) -> Self {
        Self::new((0..size).map(|number| number.to_be_bytes().to_vec()))
    }

    fn root(&self, size: u64) -> TreeHash {
        self.roots[usize::try_from(size).unwrap()]
    }

    fn leaf(&self, index: u64) -> TreeHash {
        self.leaves[usize::try_from(index).unwrap()]
    }

    fn read(&self) -> impl Fn(Node) -> Option<TreeHash> + '_ {
        |node| self.nodes.get(&node).copied()
    }
}

fn hash(hex: &str) -> TreeHash {
    TreeHash::from_bytes(sha256_from_hex(hex).unwrap())
}

fn hashes(hex: &[&str]) -> Vec<TreeHash> {
    hex.iter().copied().map(hash).collect()
}

/// RFC 6962 §2.1 word for word, over all leaves.
fn mth(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => TreeHash::empty(),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            TreeHash::of_node(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

#[test]
fn roots_and_proofs_are_those_of_certificate_transparency() {
    assert_eq!(TreeHash::empty(), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    let kept = Kept::new(LEAVES.map(<[u8]>::to_vec));
    assert_eq!(kept.roots[1..], hashes(&ROOTS));
    for (index, size, expected) in INCLUSION {
        assert_eq!(inclusion_proof(index, size, kept.read()).unwrap(), hashes(expected), "{index} in {size}");
    }
    for (old, new, expected) in CONSISTENCY {
        assert_eq!(consistency_proof(old, new, kept.read()).unwrap(), hashes(expected), "{old} to {new}");
    }
}

#[test]
fn every_root_is_the_definition_and_loads_from_the_nodes_kept() {
    let kept = Kept::numbered(70);
    for size in 0..=70 {
        let expected = mth(&kept.leaves[..size]);
        assert_eq!(kept.roots[size], expected, "{size}");
        assert_eq!(root(size as u64, kept.read()), Ok(expected));
        let loaded = Frontier::load(size as u64, kept.read()).unwrap();
        assert_eq!((loaded.size(), loaded.root()), (size as u64, expected));
    }
    // Whoever loads a frontier goes on as if the tree had never been put away.
    let mut loaded = Frontier::load(69, kept.read()).unwrap();
    let mut nodes = BTreeMap::new();
    loaded.append(kept.leaves[69], |node, hash| {
        nodes.insert(node, hash);
    });
    assert_eq!(loaded.root(), kept.roots[70]);
    assert!(nodes.iter().all(|(node, hash)| kept.nodes[node] == *hash) && nodes.len() == 2);
}

#[test]
fn every_leaf_of_every_small_tree_is_proved() {
    let kept = Kept::numbered(33);
    for size in 1..=33 {
        for index in 0..size {
            let proof = inclusion_proof(index, size, kept.read()).unwrap();
            let (leaf, root) = (kept.leaf(index), kept.root(size));
            assert!(verify_inclusion(index, size, leaf, &proof, root), "{index} in {size}");
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(!verify_inclusion(other, size, leaf, &proof, root), "{index} as {other} in {size}");
            }
        }
    }
}

#[test]
fn every_small_tree_is_proved_to_grow_out_of_the_earlier_ones() {
    let kept = Kept::numbered(33);
    for new in 0..=33 {
        for old in 0..=new {
            let proof = consistency_proof(old, new, kept.read()).unwrap();
            let (before, after) = (kept.root(old), kept.root(new));
            assert!(verify_consistency(old, new, before, after, &proof), "{old} to {new}");
            if old != 0 && old != new {
                assert!(!verify_consistency(old, new, after, before, &proof), "swapped, {old} to {new}");
                assert!(!verify_consistency(old, new, before, after, &[]) || proof.is_empty());
                assert!(!verify_consistency(new, old, after, before, &proof));
                assert!(!verify_consistency(old - 1, new, before, after, &proof), "{old}-1 to {new}");
            }
        }
    }
}

#[test]
fn a_tree_that_changed_an_earlier_leaf_has_no_proof() {
    let kept = Kept::numbered(20);
    let forged = Kept::new((0..20_u64).map(|number| {
        let number = if number == 3 { 99 } else { number };
        number.to_be_bytes().to_vec()
    }));
    for old in 4..20 {
        for proof in [consistency_proof(old, 20, kept.read()), consistency_proof(old, 20, forged.read())] {
            let (before, after) = (kept.root(old), forged.roots[20]);
            assert!(!verify_consistency(old, 20, before, after, &proof.unwrap()), "{old}");
        }
    }
}

#[test]
fn what_cannot_be_proved_is_refused() {
    let kept = Kept::numbered(5);
    assert_eq!(inclusion_proof(5, 5, kept.read()), Err(ProofError::OutOfRange));
    assert_eq!(inclusion_proof(0, 0, kept.read()), Err(ProofError::OutOfRange));
    assert_eq!(consistency_proof(5, 4, kept.read()), Err(ProofError::OutOfRange));
    let missing = Node { level: 0, index: 5 };
    assert_eq!(inclusion_proof(4, 6, kept.read()), Err(ProofError::Missing(missing)));
    assert_eq!(ProofError::Missing(missing).to_string(), "node 5 of level 0 is missing");
    assert!(!verify_inclusion(0, 0, TreeHash::empty(), &[], TreeHash::empty()));
    assert!(!verify_consistency(0, 3, kept.roots[1], kept.roots[3], &[]));
}

#[test]
fn the_nodes_to_fetch_are_those_that_are_read() {
    let kept = Kept::numbered(100);
    for (index, size) in [(0, 1), (7, 100), (99, 100), (64, 65)] {
        let nodes = inclusion_nodes(index, size).unwrap();
        let only: BTreeMap<_, _> = nodes.iter().map(|node| (*node, kept.nodes[node])).collect();
        let proof = inclusion_proof(index, size, |node| only.get(&node).copied()).unwrap();
        assert_eq!(proof, inclusion_proof(index, size, kept.read()).unwrap());
    }
    for (old, new) in [(1, 100), (63, 100), (64, 100), (99, 100)] {
        let nodes = consistency_nodes(old, new).unwrap();
        let only: BTreeMap<_, _> = nodes.iter().map(|node| (*node, kept.nodes[node])).collect();
        let proof = consistency_proof(old, new, |node| only.get(&node).copied()).unwrap();
        assert_eq!(proof, consistency_proof(old, new, kept.read()).unwrap());
    }
}

#[test]
fn the_largest_trees_do_not_overflow() {
    let nodes = inclusion_nodes(u64::MAX - 1, u64::MAX).unwrap();
    assert!(!nodes.is_empty());
    assert_eq!(Frontier::nodes(u64::MAX).len(), 64);
    let proof = vec![TreeHash::empty(); 200];
    assert!(!verify_inclusion(u64::MAX - 1, u64::MAX, TreeHash::empty(), &proof, TreeHash::empty()));
    assert!(!verify_consistency(
        u64::MAX - 1,
        u64::MAX,
        TreeHash::empty(),
        TreeHash::from_bytes([1; 32]),
        &proof
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_proof_that_was_touched_does_not_hold(
        size in 2_u64..300,
        at in any::<prop::sample::Index>(),
        element in any::<prop::sample::Index>(),
        byte in 0_usize..32,
        bit in 0_u8..8,
        other_size in 1_u64..600,
    ) {
        let kept = Kept::numbered(size);
        let index = at.index(usize::try_from(size).unwrap()) as u64;
        let proof = inclusion_proof(index, size, kept.read()).unwrap();
        let (leaf, root) = (kept.leaf(index), kept.root(size));
        prop_assert!(verify_inclusion(index, size, leaf, &proof, root));

        let flipped = |hash: &TreeHash| {
            let mut bytes = *hash.as_bytes();
            bytes[byte] ^= 1 << bit;
            TreeHash::from_bytes(bytes)
        };
        let mut touched = proof.clone();
        let element = element.index(proof.len());
        touched[element] = flipped(&touched[element]);
        prop_assert!(!verify_inclusion(index, size, leaf, &touched, root));
        prop_assert!(!verify_inclusion(index, size, flipped(&leaf), &proof, root));
        prop_assert!(!verify_inclusion(index, size, leaf, &proof, flipped(&root)));

        let mut shorter = proof.clone();
        shorter.remove(element);
        prop_assert!(!verify_inclusion(index, size, leaf, &shorter, root));
        let mut longer = proof.clone();
        longer.insert(element, root);
        prop_assert!(!verify_inclusion(index, size, leaf, &longer, root));

        // A tree of another size has another root.
        if other_size != size {
            let other = Kept::numbered(other_size).root(other_size);
            prop_assert!(!verify_inclusion(index, other_size, leaf, &proof, other));
        }
    }

    #[test]
    fn a_consistency_proof_that_was_touched_does_not_hold(
        new in 3_u64..300,
        at in any::<prop::sample::Index>(),
        element in any::<prop::sample::Index>(),
        byte in 0_usize..32,
    ) {
        let kept = Kept::numbered(new);
        let old = 1 + at.index(usize::try_from(new).unwrap() - 1) as u64;
        let mut proof = consistency_proof(old, new, kept.read()).unwrap();
        let (before, after) = (kept.root(old), kept.root(new));
        prop_assert!(verify_consistency(old, new, before, after, &proof));
        let element = element.index(proof.len());
        let mut bytes = *proof[element].as_bytes();
        bytes[byte] ^= 1;
        proof[element] = TreeHash::from_bytes(bytes);
        prop_assert!(!verify_consistency(old, new, before, after, &proof));
    }
}
