//! A file that is made of several objects, or of bytes that were made for whoever reads it.

use std::fmt;

use bytes::Bytes;

use super::{ObjectError, Objects, Pieces};

/// A piece of a file.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// An object, by its digest.
    Object([u8; 32]),
    /// Bytes that are stored nowhere.
    Bytes(Vec<u8>),
}

/// Parts one after the other, as pieces: one of them is in memory at a time.
pub(crate) struct Parts {
    objects: Objects,
    rest: std::vec::IntoIter<Part>,
    open: Option<Open>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("rest", &self.rest).finish_non_exhaustive()
    }
}

/// A part that is being read.
enum Open {
    Object(Pieces),
    Bytes(Option<Bytes>),
}

impl Parts {
    /// Opens the first part, so that what is missing is told before anything is sent.
    pub(crate) async fn open(objects: &Objects, parts: Vec<Part>) -> Result<Self, ObjectError> {
        let mut parts = Self { objects: objects.clone(), rest: parts.into_iter(), open: None };
        parts.advance().await?;
        Ok(parts)
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        while let Some(open) = &mut self.open {
            let piece = match open {
                Open::Object(object) => object.next().await?,
                Open::Bytes(bytes) => bytes.take(),
            };
            if piece.is_some() {
                return Ok(piece);
            }
            self.advance().await?;
        }
        Ok(None)
    }

    async fn advance(&mut self) -> Result<(), ObjectError> {
        self.open = match self.rest.next() {
            None => None,
            Some(Part::Object(sha256)) => Some(Open::Object(self.objects.pieces(sha256).await?)),
            Some(Part::Bytes(bytes)) => Some(Open::Bytes(Some(bytes.into()))),
        };
        Ok(())
    }
}
