//! A Merkle tree over a growing list ([RFC 6962 §2.1](https://www.rfc-editor.org/rfc/rfc6962#section-2.1)).
//!
//! A signed root commits to every leaf and to their order. A short proof shows that a leaf is in the tree, another that a
//! later tree only added leaves to an earlier one. Nothing here holds the tree: the caller keeps one hash per complete
//! subtree, as [`Frontier::append`] gives them, and hands them back through a reader.

mod frontier;
mod proof;
mod verify;

use core::fmt;

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

pub use frontier::Frontier;
pub use proof::{ProofError, consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof, root};
pub use verify::{verify_consistency, verify_inclusion};

/// The hash of a leaf or of an inner node: SHA-256.
///
/// **Shape**: 32 bytes; in JSON standard base64, as in checkpoints.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHash([u8; 32]);

impl TreeHash {
    /// The root of the tree without leaves: SHA-256 of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// The hash of a leaf: SHA-256 of `0x00` and its bytes.
    #[must_use]
    pub fn of_leaf(bytes: &[u8]) -> Self {
        Self(Sha256::new_with_prefix([0x00]).chain_update(bytes).finalize().into())
    }

    /// The hash of an inner node: SHA-256 of `0x01`, the left and the right hash.
    #[must_use]
    pub fn of_node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new_with_prefix([0x01]).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// A hash that was kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Standard base64, 44 characters.
    #[must_use]
    pub fn to_base64(&self) -> String {
        Base64::encode_string(&self.0)
    }

    /// Reads what [`TreeHash::to_base64`] writes.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        Base64::decode_vec(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TreeHash({})", self.to_base64())
    }
}

impl Serialize for TreeHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for TreeHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_base64(&text).ok_or_else(|| de::Error::custom("not 32 bytes in standard base64"))
    }
}

/// The place of a complete subtree: its leaves are `index << level` up to, without, `(index + 1) << level`.
///
/// A node that is complete never changes, whatever is appended: it can be kept for good. Level 0 are the leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Height over the leaves.
    pub level: u8,
    /// Place within the level, from 0.
    pub index: u64,
}

#[cfg(test)]
mod tests;
