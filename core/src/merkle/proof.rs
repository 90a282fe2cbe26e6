//! Roots and proofs out of nodes that were kept (RFC 6962 §2.1, §2.1.1 and §2.1.2).

use super::{Frontier, Node, TreeHash};

/// No proof can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The tree has no such leaf, or the earlier tree is the larger one.
    #[error("there is no such leaf or earlier tree")]
    OutOfRange,
    /// A node that has to be there was not kept.
    #[error("node {} of level {} is missing", .0.index, .0.level)]
    Missing(Node),
}

/// The root of the tree with the first `size` leaves.
///
/// # Errors
/// [`ProofError::Missing`]
pub fn root(size: u64, read: impl FnMut(Node) -> Option<TreeHash>) -> Result<TreeHash, ProofError> {
    Ok(Frontier::load(size, read)?.root())
}

/// The proof that leaf `index` is in the tree with the first `size` leaves: at most 64 hashes, from the leaf upwards.
///
/// # Errors
/// [`ProofError`]
pub fn inclusion_proof(
    index: u64,
    size: u64,
    mut read: impl FnMut(Node) -> Option<TreeHash>,
) -> Result<Vec<TreeHash>, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        let sibling = if index < middle { (middle, end) } else { (start, middle) };
        proof.push(subtree(sibling.0, sibling.1, &mut read)?);
        (start, end) = if index < middle { (start, middle) } else { (middle, end) };
    }
    proof.reverse();
    Ok(proof)
}

/// The nodes that [`inclusion_proof`] reads, to fetch them at once.
///
/// # Errors
/// [`ProofError::OutOfRange`]
pub fn inclusion_nodes(index: u64, size: u64) -> Result<Vec<Node>, ProofError> {
    let mut nodes = Vec::new();
    inclusion_proof(index, size, record(&mut nodes))?;
    Ok(nodes)
}

/// The proof that the first `old` leaves of the tree of size `new` are those of the tree of size `old`.
///
/// # Errors
/// [`ProofError`]
pub fn consistency_proof(
    old: u64,
    new: u64,
    mut read: impl FnMut(Node) -> Option<TreeHash>,
) -> Result<Vec<TreeHash>, ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange);
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split(end - start);
        let sibling = if old <= middle { (middle, end) } else { (start, middle) };
        proof.push(subtree(sibling.0, sibling.1, &mut read)?);
        (start, end) = if old <= middle { (start, middle) } else { (middle, end) };
    }
    // A subtree that begins with the first leaf is the old tree itself, whose root the verifier has.
    if start != 0 {
        proof.push(subtree(start, end, &mut read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The nodes that [`consistency_proof`] reads, to fetch them at once.
///
/// # Errors
/// [`ProofError::OutOfRange`]
pub fn consistency_nodes(old: u64, new: u64) -> Result<Vec<Node>, ProofError> {
    let mut nodes = Vec::new();
    consistency_proof(old, new, record(&mut nodes))?;
    Ok(nodes)
}

fn record(nodes: &mut Vec<Node>) -> impl FnMut(Node) -> Option<TreeHash> {
    |node| {
        nodes.push(node);
        Some(TreeHash::from_bytes([0; 32]))
    }
}

/// The hash over the leaves `start` up to `end`. `start` is a multiple of a power of two that is not less than the length, as
/// every split gives it.
fn subtree(
    start: u64,
    end: u64,
    read: &mut impl FnMut(Node) -> Option<TreeHash>,
) -> Result<TreeHash, ProofError> {
    let size = end - start;
    let peaks = Frontier::nodes(size).into_iter().map(|node| {
        let node = Node { level: node.level, index: node.index + (start >> node.level) };
        read(node).ok_or(ProofError::Missing(node))
    });
    Ok(fold(&peaks.collect::<Result<Vec<_>, _>>()?))
}

/// The root over complete subtrees, largest first.
pub(super) fn fold(peaks: &[TreeHash]) -> TreeHash {
    let Some((smallest, larger)) = peaks.split_last() else { return TreeHash::empty() };
    larger.iter().rev().fold(*smallest, |right, left| TreeHash::of_node(left, &right))
}

/// The largest power of two below `size`, which is at least 2.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
