//! Verification of proofs ([RFC 9162 §2.1.3.2 and §2.1.4.2](https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2)).

use super::TreeHash;

/// Whether `leaf` is leaf `index` of the tree with `size` leaves and this root.
#[must_use]
pub fn verify_inclusion(index: u64, size: u64, leaf: TreeHash, proof: &[TreeHash], root: TreeHash) -> bool {
    if index >= size {
        return false;
    }
    let mut walk = Walk { node: index, last: size - 1 };
    let mut hash = leaf;
    for sibling in proof {
        hash = match walk.up() {
            Some(Side::Left) => TreeHash::of_node(sibling, &hash),
            Some(Side::Right) => TreeHash::of_node(&hash, sibling),
            None => return false,
        };
    }
    walk.last == 0 && hash == root
}

/// Whether the tree with `new` leaves only added leaves to the one with `old` leaves.
#[must_use]
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: TreeHash,
    new_root: TreeHash,
    proof: &[TreeHash],
) -> bool {
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && old_root == TreeHash::empty();
    }
    if old > new {
        return false;
    }
    // An old tree that is one complete subtree is not repeated in the proof.
    let (first, rest) = if old.is_power_of_two() {
        (&old_root, proof)
    } else {
        let Some(split) = proof.split_first() else { return false };
        split
    };
    let complete = (old - 1).trailing_ones();
    let mut walk = Walk { node: (old - 1) >> complete, last: (new - 1) >> complete };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        match walk.up() {
            Some(Side::Left) => {
                old_hash = TreeHash::of_node(sibling, &old_hash);
                new_hash = TreeHash::of_node(sibling, &new_hash);
            }
            Some(Side::Right) => new_hash = TreeHash::of_node(&new_hash, sibling),
            None => return false,
        }
    }
    walk.last == 0 && old_hash == old_root && new_hash == new_root
}

/// On which side the sibling stands.
enum Side {
    Left,
    Right,
}

/// The way from a node to the root: its number, and the number of the last node, within a level.
struct Walk {
    node: u64,
    last: u64,
}

impl Walk {
    /// Goes up to the next node that has a sibling, past the levels where the last node has none. `None` at the root.
    fn up(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            while self.node & 1 == 0 && self.node != 0 {
                self.shift();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.shift();
        Some(side)
    }

    const fn shift(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}
