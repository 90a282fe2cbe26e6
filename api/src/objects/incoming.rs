//! An object that arrives in pieces: in memory while it is small, in a file from then on.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{LARGEST_ROW, ObjectError, Stored, sha256};
use crate::ports::LargeObjects;
use crate::store::StoreError;

/// Pieces between the network and the disk.
const QUEUE: usize = 8;

/// Takes the pieces of one object. Dropping it forgets them.
#[derive(Debug)]
pub(crate) struct Incoming {
    incoming: PathBuf,
    large: Arc<dyn LargeObjects>,
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
    pub(super) const fn new(incoming: PathBuf, large: Arc<dyn LargeObjects>, limit_bytes: u64) -> Self {
        Self { incoming, large, limit_bytes, size_bytes: 0, target: Target::Memory(Vec::new()) }
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
                self.target = start_writer(self.incoming.clone());
                return self.send(first).await;
            }
            return Ok(());
        }
        self.send(piece).await
    }

    /// Ends the object. A large one has its place when this resolves.
    ///
    /// # Errors
    /// [`ObjectError::OtherDigest`] when it does not have the digest that was announced; then nothing is kept.
    pub(crate) async fn finish(self, announced: Option<[u8; 32]>) -> Result<Stored, ObjectError> {
        let (large, size_bytes) = (Arc::clone(&self.large), self.size_bytes);
        let ended = self.finish_unkept().await?;
        let sha256 = ended.sha256;
        if announced.is_some_and(|announced| announced != sha256) {
            return Err(ObjectError::OtherDigest);
        }
        let row = match ended.bytes {
            UnkeptBytes::Memory(bytes) => Some(bytes),
            UnkeptBytes::File(file) => {
                large.keep(file, sha256).await.map_err(|error| ObjectError::of(error, Some(&sha256)))?;
                None
            }
        };
        Ok(Stored { sha256, size_bytes, row })
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
                Ok(Unkept {
                    sha256,
                    size_bytes: self.size_bytes,
                    bytes: UnkeptBytes::File(spill.into_file()),
                })
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

fn start_writer(incoming: PathBuf) -> Target {
    let (pieces, mut queue) = mpsc::channel::<Bytes>(QUEUE);
    let writer = tokio::task::spawn_blocking(move || {
        let mut spill = Spill::create(&incoming)?;
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

/// A file on its way; removed unless it is kept.
#[derive(Debug)]
pub(super) struct Spill(NamedTempFile);

impl Spill {
    pub(super) fn create(incoming: &Path) -> io::Result<Self> {
        NamedTempFile::new_in(incoming).map(Self)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub(super) fn into_file(self) -> NamedTempFile {
        self.0
    }
}

impl From<io::Error> for ObjectError {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
