//! Large objects as files of a folder: written beside their place, synced and renamed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::data_folder::{create_private_dir, sync_folder};
use crate::hex;
use crate::ports::{LargeObjectError, LargeObjects, ObjectPieces, PortFuture};

/// Read at a time.
const CHUNK: u64 = 256 * 1024;

/// A folder with `ab/cdef…` for each object.
#[derive(Debug)]
pub(crate) struct ObjectFolder {
    folder: PathBuf,
}

impl ObjectFolder {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn place(&self, sha256: &[u8; 32]) -> PathBuf {
        let name = hex::encode(sha256);
        self.folder.join(&name[..2]).join(&name[2..])
    }
}

impl LargeObjects for ObjectFolder {
    fn keep(&self, file: NamedTempFile, sha256: [u8; 32]) -> PortFuture<'_, Result<(), LargeObjectError>> {
        let (folder, target) = (self.folder.clone(), self.place(&sha256));
        Box::pin(async move { Ok(blocking(move || keep(file, &folder, &target)).await?) })
    }

    fn open(&self, sha256: [u8; 32]) -> PortFuture<'_, Result<Box<dyn ObjectPieces>, LargeObjectError>> {
        let place = self.place(&sha256);
        Box::pin(async move {
            let file = blocking(move || File::open(place)).await?;
            Ok(Box::new(FilePieces(Some(file))) as Box<dyn ObjectPieces>)
        })
    }

    fn check(&self) -> PortFuture<'_, Result<(), LargeObjectError>> {
        // The folder of what comes in lies on the same file system and is checked by whoever writes it.
        Box::pin(async { Ok(()) })
    }
}

fn keep(file: NamedTempFile, folder: &Path, target: &Path) -> io::Result<()> {
    if target.exists() {
        return Ok(());
    }
    file.as_file().sync_all()?;
    let parent = target.parent().expect("an object lies in a folder of two digits");
    match create_private_dir(parent) {
        Ok(()) => sync_folder(folder)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let file: File = file.persist(target).map_err(|error| error.error)?;
    drop(file);
    sync_folder(parent)
}

/// An open file; `None` while a thread reads it.
struct FilePieces(Option<File>);

impl ObjectPieces for FilePieces {
    fn next(&mut self) -> PortFuture<'_, Result<Option<Bytes>, LargeObjectError>> {
        Box::pin(async {
            let Some(mut file) = self.0.take() else { return Ok(None) };
            let read = move || {
                let mut piece = Vec::new();
                (&mut file).take(CHUNK).read_to_end(&mut piece)?;
                Ok((file, piece))
            };
            let (file, piece) = blocking(read).await?;
            if piece.is_empty() {
                return Ok(None);
            }
            self.0 = Some(file);
            Ok(Some(piece.into()))
        })
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

impl From<io::Error> for LargeObjectError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}

/// Makes the folder of what comes in anew: what an interrupted upload left is removed.
pub(crate) fn clean(incoming: &Path) -> io::Result<()> {
    match fs::remove_dir_all(incoming) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_private_dir(incoming)
}
