//! The right edge of a tree: all that appending needs.

use super::{Node, ProofError, TreeHash, proof};

/// The complete subtrees that a tree consists of, largest first: one per binary one of its size.
///
/// At most 64 hashes, whatever the size: whoever appends keeps this and not the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<TreeHash>,
}

impl Frontier {
    /// A tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The nodes that [`Frontier::load`] reads, largest first.
    #[must_use]
    pub fn nodes(size: u64) -> Vec<Node> {
        let mut start = 0;
        let ones = (0..64_u8).rev().filter(|level| size >> level & 1 == 1);
        ones.map(|level| {
            let node = Node { level, index: start >> level };
            start += 1 << level;
            node
        })
        .collect()
    }

    /// The frontier of a tree whose nodes were kept.
    ///
    /// # Errors
    /// [`ProofError::Missing`]: the reader does not have one of [`Frontier::nodes`].
    pub fn load(size: u64, mut read: impl FnMut(Node) -> Option<TreeHash>) -> Result<Self, ProofError> {
        let peaks = Self::nodes(size).into_iter().map(|node| read(node).ok_or(ProofError::Missing(node)));
        Ok(Self { size, peaks: peaks.collect::<Result<_, _>>()? })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf; `keep` is given every node that is complete now, from the leaf upwards.
    ///
    /// # Panics
    /// Never: there is a peak per binary one of the size.
    pub fn append(&mut self, leaf: TreeHash, mut keep: impl FnMut(Node, TreeHash)) {
        let (mut node, mut hash) = (Node { level: 0, index: self.size }, leaf);
        keep(node, hash);
        // As in adding one to a binary number: each trailing one is a peak of the same height, to the left.
        while node.index & 1 == 1 {
            let left = self.peaks.pop().expect("there is a peak per binary one of the size");
            hash = TreeHash::of_node(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            keep(node, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> TreeHash {
        proof::fold(&self.peaks)
    }
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}
