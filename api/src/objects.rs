//! Documents and artefacts by their SHA-256.
//!
//! Small ones are rows of the database and share its group commits; large ones are files, written beside their place,
//! synced and renamed. Whoever reads an object gets the bytes that the digest names, or an error.

mod incoming;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::data_folder::{create_private_dir, sync_folder, unwritable};
use crate::failure::Failure;
use crate::hex;
use crate::store::{self, Connection, Store, StoreError};

pub(crate) use incoming::{Incoming, Unkept, UnkeptBytes};

/// Up to this size an object is a row: SQLite reads and writes such rows faster than a file system its files.
const LARGEST_ROW: usize = 64 * 1024;
/// Read or written at a time.
const CHUNK: usize = 256 * 1024;

/// The object store of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    folder: PathBuf,
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
    /// The disk.
    #[error("object store: {0}")]
    Io(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Objects {
    /// Opens the folder and removes what an interrupted upload left.
    pub(crate) fn open(folder: PathBuf, store: Store) -> Result<Self, Failure> {
        let incoming = folder.join("incoming");
        let clean = || {
            match fs::remove_dir_all(&incoming) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            create_private_dir(&incoming)
        };
        clean().map_err(|error| unwritable(&folder, &error))?;
        Ok(Self { folder, store })
    }

    /// Opens the folder of an instance that may be running, for a command beside it.
    pub(crate) const fn open_beside(folder: PathBuf, store: Store) -> Self {
        Self { folder, store }
    }

    /// Whether a file can be written.
    pub(crate) async fn check(&self) -> Result<(), ObjectError> {
        let folder = self.folder.clone();
        let write = move || incoming::Spill::create(&folder)?.write(b"ok");
        Ok(tokio::task::spawn_blocking(write).await.map_err(|_| StoreError::Stopped)??)
    }

    /// Begins an object whose bytes come in pieces.
    pub(crate) fn receive(&self, limit_bytes: u64) -> Incoming {
        Incoming::new(self.folder.clone(), limit_bytes)
    }

    /// Stores bytes that are in memory. Blocks on the disk when they are many.
    pub(crate) fn put(&self, bytes: Vec<u8>) -> Result<Stored, ObjectError> {
        let sha256 = sha256(&bytes);
        let size_bytes = bytes.len() as u64;
        if bytes.len() <= LARGEST_ROW {
            return Ok(Stored { sha256, size_bytes, row: Some(bytes) });
        }
        let mut file = incoming::Spill::create(&self.folder)?;
        file.write(&bytes)?;
        file.place(&self.folder, &sha256)?;
        Ok(Stored { sha256, size_bytes, row: None })
    }

    /// Reads a whole object and checks its digest.
    pub(crate) async fn read(&self, sha256: [u8; 32]) -> Result<Vec<u8>, ObjectError> {
        let check = move |bytes: Vec<u8>| {
            if self::sha256(&bytes) == sha256 {
                Ok(bytes)
            } else {
                Err(ObjectError::Damaged(hex::encode(sha256)))
            }
        };
        if let Some(row) =
            self.store.read(move |connection| store::objects::find(connection, &sha256)).await?
        {
            return check(row);
        }
        let file = place(&self.folder, &sha256);
        let read = move || fs::read(file).map_err(|error| missing_or(error, &sha256)).and_then(check);
        tokio::task::spawn_blocking(read).await.map_err(|_| StoreError::Stopped)?
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

    /// Reads an object in pieces, for a download: nothing is held in memory.
    pub(crate) async fn stream(
        &self,
        sha256: [u8; 32],
        pieces: mpsc::Sender<Result<Bytes, io::Error>>,
    ) -> Result<(), ObjectError> {
        if let Some(bytes) =
            self.store.read(move |connection| store::objects::find(connection, &sha256)).await?
        {
            // The receiver may have gone: then nobody needs the rest.
            let _ = pieces.send(Ok(bytes.into())).await;
            return Ok(());
        }
        let mut file =
            File::open(place(&self.folder, &sha256)).map_err(|error| missing_or(error, &sha256))?;
        let copy = move || {
            loop {
                let mut piece = Vec::with_capacity(CHUNK);
                let sent = match (&mut file).take(CHUNK as u64).read_to_end(&mut piece) {
                    Ok(0) => return,
                    Ok(_) => pieces.blocking_send(Ok(piece.into())),
                    Err(error) => pieces.blocking_send(Err(error)),
                };
                if sent.is_err() {
                    return;
                }
            }
        };
        tokio::task::spawn_blocking(copy).await.map_err(|_| StoreError::Stopped)?;
        Ok(())
    }
}

/// SHA-256 of bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// `ab/cdef…` below the folder.
fn place(folder: &Path, sha256: &[u8; 32]) -> PathBuf {
    let name = hex::encode(sha256);
    folder.join(&name[..2]).join(&name[2..])
}

fn missing_or(error: io::Error, sha256: &[u8; 32]) -> ObjectError {
    if error.kind() == io::ErrorKind::NotFound {
        ObjectError::Missing(hex::encode(sha256))
    } else {
        ObjectError::Io(error)
    }
}

#[cfg(test)]
mod tests;
