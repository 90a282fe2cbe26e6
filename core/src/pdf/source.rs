//! Where the bytes of a PDF come from: memory, or anything that can be read at a position.
//!
//! A [`File`] is what the reader, the writer of updates, signing and validation take. It is a view and is
//! copied freely:
//!
//! ```
//! use rubrica_core::digest::DigestAlgorithm;
//! use rubrica_core::pdf::{File, Source, SourceError};
//!
//! // In memory: no copy is made. Slices, arrays and `Vec<u8>` convert.
//! let bytes = b"%PDF-1.7 ...".to_vec();
//! let file = File::from(&bytes);
//!
//! // On disk, or in an object store: implement `Source`. Nothing reads it whole.
//! struct OnDisk(std::fs::File, u64);
//! impl Source for OnDisk {
//!     fn len(&self) -> u64 {
//!         self.1
//!     }
//!     fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
//!         # #[cfg(unix)]
//!         std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, offset).map_err(SourceError::new)?;
//!         Ok(())
//!     }
//! }
//!
//! // An encrypted file carries its password along, to wherever it is read.
//! let _encrypted = file.with_password("segredo");
//!
//! // An earlier revision is a view of the first bytes.
//! assert_eq!(file.prefix(8).len(), 8);
//! // A digest over parts of the file, in one pass.
//! file.digest(DigestAlgorithm::Sha256, &[0..4, 8..12])?;
//! # Ok::<(), rubrica_core::pdf::PdfError>(())
//! ```
//!
//! Memory stays small whatever the length of the file: objects are read through a window that grows from
//! 1 KiB to 16 MiB at most, bodies of streams only when asked for, digests in blocks of 64 KiB. A `File` in
//! memory is never copied.
//!
//! A source must not change while it is read: check the digest of the file before what was read is used.

use core::fmt;
use core::ops::Range;
use std::borrow::Cow;

use super::{Parser, PdfError};
use crate::digest::{Digest, DigestAlgorithm, DigestStream};

/// First window on an object, in bytes: most objects are smaller.
const FIRST_WINDOW_BYTES: usize = 1 << 10;
/// A window that was too small is this many times larger the next time.
const WINDOW_GROWTH: usize = 8;
/// One object, without the body of a stream, may have this many bytes.
const MAX_OBJECT_BYTES: usize = 16 << 20;
/// One piece that is held in memory, such as the body of a stream, may have this many bytes.
pub(super) const MAX_PIECE_BYTES: u64 = 32 << 20;
/// What passes through a digest at a time, in bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// Bytes that can be read at any position, such as a file on disk.
///
/// The bytes must stay the same while they are read.
pub trait Source {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the whole of `buffer` with the bytes from `offset` on. Never asked for bytes beyond
    /// [`Source::len`].
    ///
    /// # Errors
    /// The bytes cannot be had. Fewer bytes than asked for are an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError>;

    /// All bytes, when they are in memory anyway: they are then used in place.
    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}

/// The bytes of a source cannot be had. Holds the reason as text, for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(String);

impl SourceError {
    /// Takes the text of the cause.
    #[must_use]
    pub fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

fn copy(bytes: &[u8], offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
    let from = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)?.get(..buffer.len()));
    buffer.copy_from_slice(from.ok_or_else(|| SourceError::new("the bytes end before"))?);
    Ok(())
}

macro_rules! in_memory {
    ($($(#[$generics:ident])? $type:ty),+) => {$(
        impl $(<const $generics: usize>)? Source for $type {
            fn len(&self) -> u64 {
                self[..].len() as u64
            }

            fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
                copy(&self[..], offset, buffer)
            }

            fn in_memory(&self) -> Option<&[u8]> {
                Some(&self[..])
            }
        }
    )+};
}

in_memory!(
    &[u8],
    Vec<u8>,
    #[N]
    [u8; N],
    #[N]
    &[u8; N]
);

/// The bytes of a PDF, or the first of them: a view that is copied freely.
#[derive(Clone, Copy)]
pub struct File<'a> {
    bytes: Bytes<'a>,
    len: u64,
    password: Option<&'a str>,
}

#[derive(Clone, Copy)]
enum Bytes<'a> {
    Memory(&'a [u8]),
    Source(&'a dyn Source),
}

impl<'a> From<&'a [u8]> for File<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes: Bytes::Memory(bytes), len: bytes.len() as u64, password: None }
    }
}

impl<'a> From<&'a dyn Source> for File<'a> {
    fn from(source: &'a dyn Source) -> Self {
        source.in_memory().map_or_else(
            || Self { bytes: Bytes::Source(source), len: source.len(), password: None },
            Self::from,
        )
    }
}

impl<'a, S: Source> From<&'a S> for File<'a> {
    fn from(source: &'a S) -> Self {
        Self::from(source as &dyn Source)
    }
}

impl fmt::Debug for File<'_> {
    /// The length only: documents and passwords belong into no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<'a> File<'a> {
    /// The same file with the password of its owner or user, in case it is encrypted. Without one the empty
    /// password is tried, with which most encrypted files can be read. Any Unicode text; what an older file
    /// cannot express does not open it.
    #[must_use]
    pub const fn with_password(self, password: &'a str) -> Self {
        Self { password: Some(password), ..self }
    }

    pub(super) const fn password(&self) -> Option<&'a str> {
        self.password
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first `end` bytes, all of them when there are fewer: an earlier revision is such a prefix.
    #[must_use]
    pub fn prefix(self, end: u64) -> Self {
        let len = end.min(self.len);
        let bytes = match self.bytes {
            Bytes::Memory(bytes) => Bytes::Memory(memory(bytes, &(0..len))),
            source @ Bytes::Source(_) => source,
        };
        Self { bytes, len, password: self.password }
    }

    /// Some of the bytes: borrowed from memory or read into it.
    ///
    /// # Errors
    /// [`PdfError::Damaged`] when the file ends before, [`PdfError::Limit`] above 32 MiB,
    /// [`PdfError::Source`].
    pub fn read(&self, range: Range<u64>) -> Result<Cow<'a, [u8]>, PdfError> {
        self.check(&range)?;
        match self.bytes {
            Bytes::Memory(bytes) => Ok(Cow::Borrowed(memory(bytes, &range))),
            Bytes::Source(source) => {
                let length = range.end - range.start;
                if length > MAX_PIECE_BYTES {
                    return Err(PdfError::limit("bytes in one piece", MAX_PIECE_BYTES));
                }
                let mut buffer = vec![0; as_usize(length)];
                source.read_at(range.start, &mut buffer)?;
                Ok(Cow::Owned(buffer))
            }
        }
    }

    /// Gives some of the bytes to `sink`, block after block, in order. In memory there is one block.
    ///
    /// # Errors
    /// [`PdfError::Damaged`] when the file ends before, [`PdfError::Source`].
    pub fn feed(&self, range: Range<u64>, mut sink: impl FnMut(&[u8])) -> Result<(), PdfError> {
        self.check(&range)?;
        match self.bytes {
            Bytes::Memory(bytes) => sink(memory(bytes, &range)),
            Bytes::Source(source) => {
                let mut buffer = vec![0; BLOCK_BYTES.min(as_usize(range.end - range.start))];
                let mut at = range.start;
                while at < range.end {
                    let length = BLOCK_BYTES.min(as_usize(range.end - at));
                    let block = &mut buffer[..length];
                    source.read_at(at, block)?;
                    sink(block);
                    at += length as u64;
                }
            }
        }
        Ok(())
    }

    /// The digest of several parts, one after the other, in one pass.
    ///
    /// # Errors
    /// As for [`File::feed`].
    pub fn digest(&self, algorithm: DigestAlgorithm, ranges: &[Range<u64>]) -> Result<Digest, PdfError> {
        let mut stream = DigestStream::new(algorithm);
        for range in ranges {
            self.feed(range.clone(), |block| stream.update(block))?;
        }
        Ok(stream.finish())
    }

    /// Lets `read` read at byte `at`, which may lie behind the end: the first read then fails.
    ///
    /// `read` is called again on a larger window when it came to the end of its window, so it must not keep
    /// what it found.
    pub(crate) fn parse<T>(
        &self,
        at: u64,
        mut read: impl FnMut(&mut Parser<'_>) -> Result<T, PdfError>,
    ) -> Result<T, PdfError> {
        let at = at.min(self.len);
        let window = |size: usize| at..self.len.min(at.saturating_add(size as u64));
        let mut size =
            if matches!(self.bytes, Bytes::Memory(_)) { MAX_OBJECT_BYTES } else { FIRST_WINDOW_BYTES };
        loop {
            let range = window(size);
            let is_whole = range.end == self.len;
            let bytes = self.read(range)?;
            let mut parser = Parser::window(&bytes, at);
            let result = read(&mut parser);
            if is_whole || !parser.is_starved() {
                return result;
            }
            if size >= MAX_OBJECT_BYTES {
                return Err(PdfError::limit("bytes in one object", MAX_OBJECT_BYTES as u64));
            }
            size = size.saturating_mul(WINDOW_GROWTH).min(MAX_OBJECT_BYTES);
        }
    }

    fn check(&self, range: &Range<u64>) -> Result<(), PdfError> {
        if range.start <= range.end && range.end <= self.len {
            Ok(())
        } else {
            Err(PdfError::damaged(self.len, "the file ends before what it refers to"))
        }
    }
}

/// The bytes of a range that was checked: in memory, so that its ends fit.
fn memory<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &bytes[as_usize(range.start)..as_usize(range.end)]
}

/// A length that was checked against something in memory; capped where that is not so.
fn as_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
