//! Documents and artefacts by their SHA-256.
//!
//! Small ones are rows of the database and share its group commits; large ones lie in a folder or in a bucket. What comes in
//! from the network is a file of ours first, so that it gets its place only when all of it is here and its digest is known.
//! Whoever reads an object gets the bytes that the digest names, or an error.

mod incoming;
mod parts;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::Bytes;
use tokio::runtime::Handle;

use crate::adapters::object_folder;
use crate::data_folder::unwritable;
use crate::failure::Failure;
use crate::hex;
use crate::ports::{LargeObjectError, LargeObjects, ObjectPieces};
use crate::store::{self, Connection, Store, StoreError};

use incoming::Spill;
pub(crate) use incoming::{Incoming, Unkept, UnkeptBytes};
pub(crate) use parts::{Part, Parts};

/// Up to this size an object is a row: SQLite reads and writes such rows faster than a file system its files.
const LARGEST_ROW: usize = 64 * 1024;
/// Below the folder of objects: what is on its way.
const INCOMING: &str = "incoming";

/// The object store of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    incoming: PathBuf,
    large: Arc<dyn LargeObjects>,
    store: Store,
}

/// An object that is safe once [`Stored::keep`] ran in a transaction that was committed.
#[derive(Debug)]
pub(crate) struct Stored {
    sha256: [u8; 32],
    size_bytes: u64,
    /// The bytes, unless a file holds them already.
    row: Option<Vec<u8>>,
}

impl Stored {
    pub(crate) const fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    pub(crate) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Writes what is not on the disk yet, in the caller's transaction.
    pub(crate) fn keep(&self, connection: &Connection) -> Result<(), StoreError> {
        match &self.row {
            Some(bytes) => store::objects::insert(connection, &self.sha256, bytes),
            None => Ok(()),
        }
    }
}

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ObjectError {
    /// No such object, though a row refers to it.
    #[error("object {0} is missing")]
    Missing(String),
    /// The bytes are not those that the digest names.
    #[error("object {0} is damaged")]
    Damaged(String),
    /// The object grew over its limit.
    #[error("the object is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The bytes do not have the digest that was announced.
    #[error("the bytes have another digest than announced")]
    OtherDigest,
    /// The disk or the bucket. It may work later; nothing was kept.
    #[error("object store: {0}")]
    Unavailable(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Objects {
    /// Opens the store of a server and removes what an interrupted upload left.
    pub(crate) fn open(folder: &Path, large: Arc<dyn LargeObjects>, store: Store) -> Result<Self, Failure> {
        let incoming = folder.join(INCOMING);
        object_folder::clean(&incoming).map_err(|error| unwritable(folder, &error))?;
        Ok(Self { incoming, large, store })
    }

    /// Opens the store of an instance that may be running, for a command beside it.
    pub(crate) fn open_beside(folder: &Path, large: Arc<dyn LargeObjects>, store: Store) -> Self {
        Self { incoming: folder.join(INCOMING), large, store }
    }

    /// Whether an object can be kept.
    pub(crate) async fn check(&self) -> Result<(), ObjectError> {
        let incoming = self.incoming.clone();
        let write = move || Spill::create(&incoming)?.write(b"ok");
        tokio::task::spawn_blocking(write).await.map_err(|_| StoreError::Stopped)??;
        self.large.check().await.map_err(|error| ObjectError::of(error, None))
    }

    /// Begins an object whose bytes come in pieces.
    pub(crate) fn receive(&self, limit_bytes: u64) -> Incoming {
        Incoming::new(self.incoming.clone(), Arc::clone(&self.large), limit_bytes)
    }

    /// Stores bytes that are in memory. Blocks when they are many.
    pub(crate) fn put(&self, bytes: Vec<u8>) -> Result<Stored, ObjectError> {
        let sha256 = sha256(&bytes);
        let size_bytes = bytes.len() as u64;
        if bytes.len() <= LARGEST_ROW {
            return Ok(Stored { sha256, size_bytes, row: Some(bytes) });
        }
        let mut file = Spill::create(&self.incoming)?;
        file.write(&bytes)?;
        drop(bytes);
        let keep = self.large.keep(file.into_file(), sha256);
        tokio::task::block_in_place(|| Handle::current().block_on(keep))
            .map_err(|error| ObjectError::of(error, Some(&sha256)))?;
        Ok(Stored { sha256, size_bytes, row: None })
    }

    /// Reads a whole object and checks its digest.
    pub(crate) async fn read(&self, sha256: [u8; 32]) -> Result<Vec<u8>, ObjectError> {
        let mut pieces = self.pieces(sha256).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Reads objects whose bytes make one document, and checks the digest of each.
    pub(crate) async fn read_parts(&self, parts: &[[u8; 32]]) -> Result<Vec<u8>, ObjectError> {
        let mut bytes = Vec::new();
        for (position, part) in parts.iter().enumerate() {
            let part = self.read(*part).await?;
            // Nearly always there is one, and nothing is copied.
            if position == 0 { bytes = part } else { bytes.extend(part) }
        }
        Ok(bytes)
    }

    /// Opens an object for reading in pieces: nothing is held in memory. The last piece comes only when the digest of all of
    /// them is right.
    pub(crate) async fn pieces(&self, sha256: [u8; 32]) -> Result<Pieces, ObjectError> {
        let find = move |connection: &Connection| store::objects::find(connection, &sha256);
        let source = match self.store.read(find).await? {
            Some(row) => Source::Row(Some(row.into())),
            None => {
                let opened = self.large.open(sha256).await;
                Source::Large(opened.map_err(|error| ObjectError::of(error, Some(&sha256)))?)
            }
        };
        Ok(Pieces { source, sha256, hash: Context::new(&SHA256), held: None, ended: false })
    }
}

impl ObjectError {
    fn of(error: LargeObjectError, sha256: Option<&[u8; 32]>) -> Self {
        match error {
            LargeObjectError::Missing => Self::Missing(sha256.map(hex::encode).unwrap_or_default()),
            LargeObjectError::Unavailable(cause) => Self::Unavailable(cause),
        }
    }
}

/// The bytes of an object, held back by one piece until all are known to be right.
pub(crate) struct Pieces {
    source: Source,
    sha256: [u8; 32],
    hash: Context,
    held: Option<Bytes>,
    ended: bool,
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces").field("sha256", &hex::encode(self.sha256)).finish_non_exhaustive()
    }
}

enum Source {
    Row(Option<Bytes>),
    Large(Box<dyn ObjectPieces>),
}

impl Pieces {
    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        while !self.ended {
            let piece = match &mut self.source {
                Source::Row(bytes) => bytes.take(),
                Source::Large(pieces) => {
                    pieces.next().await.map_err(|error| ObjectError::of(error, Some(&self.sha256)))?
                }
            };
            let Some(piece) = piece else {
                self.ended = true;
                if self.hash.clone().finish().as_ref() != self.sha256 {
                    return Err(ObjectError::Damaged(hex::encode(self.sha256)));
                }
                break;
            };
            self.hash.update(&piece);
            if let Some(before) = self.held.replace(piece) {
                return Ok(Some(before));
            }
        }
        Ok(self.held.take())
    }
}

/// SHA-256 of bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
