//! Files to sign and to validate: small ones in memory, large ones read where they lie.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use rubrica_core::ErrorCode;
use rubrica_core::pdf::{File, Source, SourceError};

use crate::failure::Failure;
use crate::objects::{UnkeptBytes, sha256};
use crate::secret::Secret;

/// Up to this size a file is read into memory.
const LARGEST_IN_MEMORY: u64 = 16 * 1024 * 1024;
/// How far into a file the header of a PDF may begin (ISO 32000-1 annex H.3, implementation note 13).
const PDF_HEADER_WITHIN: u64 = 1024;
/// First octet of every CMS (X.690 §8.9).
const DER_SEQUENCE: u8 = 0x30;

/// The bytes of one file, and the password of an encrypted PDF.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: Bytes,
    password: Option<Secret>,
}

#[derive(Debug)]
enum Bytes {
    /// All of them.
    Memory(Vec<u8>),
    /// Read by position; the file must not change meanwhile.
    Disk(DiskFile),
}

/// An open file of known length.
#[derive(Debug)]
struct DiskFile {
    file: fs::File,
    length: u64,
}

impl Input {
    /// Opens a file by its path.
    ///
    /// # Errors
    /// `file_unreadable`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        fs::File::open(path).and_then(Self::from_file).map_err(|error| {
            Failure::of(ErrorCode::FileUnreadable, format!("cannot read {}: {error}", path.display()))
        })
    }

    /// Takes an open file. What has no length, such as a pipe, is read to its end.
    pub(crate) fn from_file(mut file: fs::File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.len() > LARGEST_IN_MEMORY {
            let bytes = Bytes::Disk(DiskFile { length: metadata.len(), file });
            return Ok(Self { bytes, password: None });
        }
        if metadata.is_file() {
            file.seek(SeekFrom::Start(0))?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    /// With the password of an encrypted PDF. Other files do not mind one.
    #[must_use]
    pub(crate) fn with_password(self, password: Option<Secret>) -> Self {
        Self { password, ..self }
    }

    /// Takes what was uploaded. The file's name may go while it is read.
    pub(crate) fn from_upload(bytes: &UnkeptBytes) -> io::Result<Self> {
        match bytes {
            UnkeptBytes::Memory(bytes) => Ok(bytes.clone().into()),
            UnkeptBytes::File(file) => Self::from_file(file.as_file().try_clone()?),
        }
    }

    /// Whether it is opened with a password.
    pub(crate) const fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// A view for core.
    pub(crate) fn file(&self) -> File<'_> {
        let file = match &self.bytes {
            Bytes::Memory(bytes) => File::from(&bytes[..]),
            Bytes::Disk(file) => File::from(file),
        };
        match &self.password {
            Some(password) => file.with_password(password.expose()),
            None => file,
        }
    }

    /// The bytes, when all of them are in memory.
    pub(crate) fn in_memory(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Memory(bytes) => Some(bytes),
            Bytes::Disk(_) => None,
        }
    }

    /// Whether it begins like a PDF. A CMS around a PDF does not: it begins with a SEQUENCE.
    pub(crate) fn is_pdf(&self) -> bool {
        let file = self.file();
        let head = file.read(0..file.len().min(PDF_HEADER_WITHIN));
        head.is_ok_and(|head| {
            head.first() != Some(&DER_SEQUENCE) && head.windows(5).any(|window| window == b"%PDF-")
        })
    }

    /// Length in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.file().len()
    }

    /// SHA-256 of all bytes.
    pub(crate) fn sha256(&self) -> io::Result<[u8; 32]> {
        match &self.bytes {
            Bytes::Memory(bytes) => Ok(sha256(bytes)),
            Bytes::Disk(_) => {
                let mut hash = Context::new(&SHA256);
                let file = self.file();
                file.feed(0..file.len(), |block| hash.update(block)).map_err(io::Error::other)?;
                Ok(hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
            }
        }
    }

    /// Adds bytes at the end: a file on the disk must be open for writing.
    pub(crate) fn append(&mut self, more: &[u8]) -> io::Result<()> {
        match &mut self.bytes {
            Bytes::Memory(bytes) => bytes.extend_from_slice(more),
            Bytes::Disk(DiskFile { file, length }) => {
                file.write_all_at(more, *length)?;
                *length += more.len() as u64;
            }
        }
        Ok(())
    }

    /// All bytes, for what is read as a whole.
    pub(crate) fn read_all(&self) -> io::Result<std::borrow::Cow<'_, [u8]>> {
        match &self.bytes {
            Bytes::Memory(bytes) => Ok(bytes.into()),
            Bytes::Disk(DiskFile { file, length }) => {
                let length = usize::try_from(*length).map_err(io::Error::other)?;
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, 0)?;
                Ok(bytes.into())
            }
        }
    }
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: Bytes::Memory(bytes), password: None }
    }
}

impl Source for DiskFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        self.file.read_exact_at(buffer, offset).map_err(SourceError::new)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_large_file_is_read_where_it_lies_and_a_small_one_at_once() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"junk %PDF-1.7").unwrap();
        let small = Input::from_file(file.try_clone().unwrap()).unwrap();
        assert!(small.in_memory().is_some_and(|bytes| bytes.len() == 13) && small.is_pdf());
        assert!(!Input::from(b"\x30\x80 %PDF-1.7".to_vec()).is_pdf());
        file.set_len(LARGEST_IN_MEMORY + 1).unwrap();
        let large = Input::from_file(file).unwrap();
        assert!(large.in_memory().is_none() && large.is_pdf());
        assert_eq!(large.file().len(), LARGEST_IN_MEMORY + 1);
        assert_eq!(large.read_all().unwrap().len() as u64, LARGEST_IN_MEMORY + 1);
    }

    #[test]
    fn appending_and_hashing_are_the_same_in_memory_and_on_the_disk() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(LARGEST_IN_MEMORY + 1).unwrap();
        let mut disk = Input::from_file(file).unwrap();
        let mut memory = Input::from(disk.read_all().unwrap().into_owned());
        for input in [&mut disk, &mut memory] {
            input.append(b"more").unwrap();
            assert_eq!(input.size_bytes(), LARGEST_IN_MEMORY + 5);
        }
        assert_eq!(disk.sha256().unwrap(), memory.sha256().unwrap());
    }
}
