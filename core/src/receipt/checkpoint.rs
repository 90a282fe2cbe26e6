//! Checkpoints ([C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint)): size and root of a log, as a signed note.

use serde::Serialize;

use super::note::{LogKey, NoteError, text_of};
use crate::merkle::TreeHash;

/// What a log says of itself at one moment.
///
/// **Shape**: three lines of text, each with its newline: the origin, which is the name of the log's key; the number of leaves
/// in decimal; the root in standard base64. Further lines are allowed and ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree over them.
    pub root: TreeHash,
}

impl Checkpoint {
    /// The text that the key of the log signs; [`LogKey::note`] adds the signature.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Reads a checkpoint that the key of its log signed.
    ///
    /// # Errors
    /// [`NoteError`]; also when the origin is not the name of the key.
    pub fn open(note: &str, key: &LogKey) -> Result<Self, NoteError> {
        let checkpoint = Self::parse(key.open(note)?)?;
        if checkpoint.origin == key.name() { Ok(checkpoint) } else { Err(NoteError::OtherKey) }
    }

    /// Reads a checkpoint without asking who signed it.
    ///
    /// # Errors
    /// [`NoteError::Malformed`]
    pub fn read_unverified(note: &str) -> Result<Self, NoteError> {
        Self::parse(text_of(note)?)
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.strip_suffix('\n').ok_or(NoteError::Malformed)?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoteError::Malformed);
        };
        let is_decimal = size.bytes().all(|byte| byte.is_ascii_digit());
        if origin.is_empty()
            || !is_decimal
            || (size.starts_with('0') && size != "0")
            || lines.any(str::is_empty)
        {
            return Err(NoteError::Malformed);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| NoteError::Malformed)?,
            root: TreeHash::from_base64(root).ok_or(NoteError::Malformed)?,
        })
    }
}
