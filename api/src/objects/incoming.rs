//! An object that arrives in pieces: in memory while it is small, in a file from then on.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{LARGEST_ROW, ObjectError, Stored, create_private_dir, place, sha256, sync_folder};
use crate::store::StoreError;

/// Pieces between the network and the disk.
const QUEUE: usize = 8;

/// Takes the pieces of one object. Dropping it forgets them.
#[derive(Debug)]
pub(crate) struct Incoming {
    folder: PathBuf,
    limit_bytes: u64,
    size_bytes: u64,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Memory(Vec<u8>),
    File { pieces: mpsc::Sender<Bytes>, writer: JoinHandle<Result<(Spill, [u8; 32]), ObjectError>> },
}

impl Incoming {
    pub(super) const fn new(folder: PathBuf, limit_bytes: u64) -> Self {
        Self { folder, limit_bytes, size_bytes: 0, target: Target::Memory(Vec::new()) }
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`], or the disk's.
    pub(crate) async fn push(&mut self, piece: Bytes) -> Result<(), ObjectError> {
        self.size_bytes += piece.len() as u64;
        if self.size_bytes > self.limit_bytes {
            return Err(ObjectError::TooLarge { limit_bytes: self.limit_bytes });
        }
        if let Target::Memory(bytes) = &mut self.target {
            bytes.extend_from_slice(&piece);
            if bytes.len() > LARGEST_ROW {
                let first = Bytes::from(std::mem::take(bytes));
                self.target = start_writer(self.folder.clone());
                return self.send(first).await;
            }
            return Ok(());
        }
        self.send(piece).await
    }

    /// Ends the object. A large one is on the disk when this resolves.
    pub(crate) async fn finish(self) -> Result<Stored, ObjectError> {
        match self.target {
            Target::Memory(bytes) => {
                Ok(Stored { sha256: sha256(&bytes), size_bytes: self.size_bytes, row: Some(bytes) })
            }
            Target::File { pieces, writer } => {
                drop(pieces);
                let (spill, sha256) = writer.await.map_err(|_| StoreError::Stopped)??;
                let folder = self.folder;
                tokio::task::spawn_blocking(move || spill.place(&folder, &sha256))
                    .await
                    .map_err(|_| StoreError::Stopped)??;
                Ok(Stored { sha256, size_bytes: self.size_bytes, row: None })
            }
        }
    }

    /// Ends an object that nobody keeps: a large one lies in a file without a place, which goes with the value.
    pub(crate) async fn finish_unkept(self) -> Result<Unkept, ObjectError> {
        match self.target {
            Target::Memory(bytes) => Ok(Unkept {
                sha256: sha256(&bytes),
                size_bytes: self.size_bytes,
                bytes: UnkeptBytes::Memory(bytes),
            }),
            Target::File { pieces, writer } => {
                drop(pieces);
                let (spill, sha256) = writer.await.map_err(|_| StoreError::Stopped)??;
                Ok(Unkept { sha256, size_bytes: self.size_bytes, bytes: UnkeptBytes::File(spill.0) })
            }
        }
    }

    async fn send(&mut self, piece: Bytes) -> Result<(), ObjectError> {
        let Target::File { pieces, writer } = &mut self.target else {
            unreachable!("pieces are sent only after the writer was started")
        };
        if pieces.send(piece).await.is_ok() {
            return Ok(());
        }
        // The writer ended early: it has the reason.
        let result = writer.await.map_err(|_| StoreError::Stopped)?;
        Err(result.err().unwrap_or_else(|| io::Error::other("the writer ended early").into()))
    }
}

/// An object that nobody keeps.
#[derive(Debug)]
pub(crate) struct Unkept {
    pub(crate) sha256: [u8; 32],
    pub(crate) size_bytes: u64,
    pub(crate) bytes: UnkeptBytes,
}

/// Where it is.
#[derive(Debug)]
pub(crate) enum UnkeptBytes {
    /// Small.
    Memory(Vec<u8>),
    /// Large; removed when dropped.
    File(NamedTempFile),
}

fn start_writer(folder: PathBuf) -> Target {
    let (pieces, mut queue) = mpsc::channel::<Bytes>(QUEUE);
    let writer = tokio::task::spawn_blocking(move || {
        let mut spill = Spill::create(&folder)?;
        let mut hash = Context::new(&SHA256);
        while let Some(piece) = queue.blocking_recv() {
            hash.update(&piece);
            spill.write(&piece)?;
        }
        let sha256 = hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes");
        Ok((spill, sha256))
    });
    Target::File { pieces, writer }
}

/// A file on its way; removed unless it is placed.
#[derive(Debug)]
pub(super) struct Spill(NamedTempFile);

impl Spill {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let incoming = folder.join("incoming");
        NamedTempFile::new_in(incoming).map(Self)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Syncs the file and gives it the name of its digest.
    pub(super) fn place(self, folder: &Path, sha256: &[u8; 32]) -> io::Result<()> {
        let target = place(folder, sha256);
        if target.exists() {
            return Ok(());
        }
        self.0.as_file().sync_all()?;
        let parent = target.parent().expect("an object lies in a folder of two digits");
        match create_private_dir(parent) {
            Ok(()) => sync_folder(folder)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let file: File = self.0.persist(&target).map_err(|error| error.error)?;
        drop(file);
        sync_folder(parent)
    }
}
