//! The data folder of an instance: what lies where, made in one step, used by one server at a time.
//!
//! ```text
//! FORMAT               which format this is; written last, so a folder with it is complete
//! lock                 held by the running server
//! rubrica.sqlite       sessions, documents, keys, signatures
//! objects/ab/cdef…     large documents by SHA-256
//! cache/…              what was fetched for validations; may be removed at any time
//! work/…              what programs that are run have at hand; nothing of it outlives them
//! secrets/lookup-key   key of the hashes of CPF and CNPJ
//! secrets/log-key      seed of the key that signs the tree of receipts
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rubrica_core::ErrorCode;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::lookup::LookupKey;
use crate::secret::Secret;
use crate::{hex, random};

const FORMAT: &str = "rubrica data folder, format 1\n";

/// A complete data folder.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    root: PathBuf,
}

/// Held as long as a server uses the folder.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl DataFolder {
    /// Opens a folder that is there and complete.
    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        match fs::read_to_string(root.join("FORMAT")) {
            Ok(format) if format == FORMAT => {
                let root = fs::canonicalize(root).map_err(|error| unwritable(root, &error))?;
                Ok(Self { root })
            }
            Ok(_) => Err(unknown(root, "was made by another version")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(unknown(root, "is missing, incomplete or not a data folder of rubrica"))
            }
            Err(error) => Err(unwritable(root, &error)),
        }
    }

    /// Opens the folder, or makes it when it is missing or empty.
    ///
    /// It is filled beside its place and renamed at the end: there is never half a folder under its name.
    pub(crate) fn open_or_create(
        root: &Path,
        fill: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        if !is_missing_or_empty(root)? {
            return Self::open(root);
        }
        let parent = match root.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|error| unwritable(parent, &error))?;
        let draft = tempfile::Builder::new()
            .prefix(".rubrica-new-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(|error| unwritable(parent, &error))?;
        fill_common(draft.path()).map_err(|error| unwritable(root, &error))?;
        fill(draft.path())?;
        seal(draft.path()).map_err(|error| unwritable(root, &error))?;
        fs::rename(draft.keep(), root).map_err(|error| unwritable(root, &error))?;
        sync_folder(parent).map_err(|error| unwritable(parent, &error))?;
        Self::open(root)
    }

    /// Takes the folder for this process.
    pub(crate) fn lock(&self) -> Result<FolderLock, Failure> {
        let path = self.root.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| unwritable(&self.root, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                ErrorCode::DataFolderUnwritable,
                format!("{} is in use by another rubrica server", self.root.display()),
                "Stop that server or choose another folder",
            )),
            Err(TryLockError::Error(error)) => Err(unwritable(&self.root, &error)),
        }
    }

    /// Whether a server runs on the folder at this moment.
    pub(crate) fn is_served(&self) -> bool {
        // When it cannot be found out, somebody else may know better than to work against a server.
        let probe = File::open(self.root.join("lock")).map(|file| file.try_lock_shared());
        match probe {
            Ok(Ok(())) => false,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Ok(Err(_)) | Err(_) => true,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("rubrica.sqlite")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Where a program that is run works. It may be removed whenever no server runs.
    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.root.join("work").join(name)
    }

    /// A key of 32 random bytes, made when it is missing.
    ///
    /// # Errors
    /// `data_folder_unknown` when the file holds something else, `data_folder_unwritable`.
    pub(crate) fn key(&self, name: &str) -> Result<Zeroizing<[u8; 32]>, Failure> {
        let folder = self.root.join("secrets");
        let path = folder.join(name);
        if !path.exists() {
            // Complete or not there, also after a crash; whoever is first wins.
            let text = Zeroizing::new(format!("{}\n", hex::encode(random::bytes::<32>())));
            let made = tempfile::Builder::new()
                .permissions(fs::Permissions::from_mode(0o600))
                .tempfile_in(&folder)
                .and_then(|mut file| {
                    file.write_all(text.as_bytes())?;
                    file.as_file().sync_all()?;
                    match file.persist_noclobber(&path) {
                        Ok(_) => sync_folder(&folder),
                        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                        Err(error) => Err(error.error),
                    }
                });
            made.map_err(|error| unwritable(&self.root, &error))?;
        }
        let secret = Secret::from_file(&path)?;
        let bytes = hex::decode(secret.expose()).map(Zeroizing::new);
        let key = bytes.and_then(|bytes| Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?)));
        key.ok_or_else(|| {
            Failure::new(
                ErrorCode::DataFolderUnknown,
                format!("the key {} of the data folder is damaged", path.display()),
                "Restore the data folder from a backup",
            )
        })
    }

    pub(crate) fn lookup_key(&self) -> Result<LookupKey, Failure> {
        LookupKey::from_secret(&Secret::from_file(&self.root.join("secrets/lookup-key"))?)
    }
}

/// Makes a folder that only its owner can read.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Writes a new file that only its owner can read, and waits for the disk.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Waits until names in the folder are on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The failure for a folder that cannot be written.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        ErrorCode::DataFolderUnwritable,
        format!("cannot write the data folder {}: {error}", path.display()),
        "Choose a folder that this user may write, with --data or data.folder",
    )
}

fn unknown(root: &Path, what: &str) -> Failure {
    Failure::new(
        ErrorCode::DataFolderUnknown,
        format!("the folder {} {what}", root.display()),
        "Choose an empty folder, or restore this one from a backup",
    )
}

fn is_missing_or_empty(root: &Path) -> Result<bool, Failure> {
    match fs::read_dir(root) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(unwritable(root, &error)),
    }
}

fn fill_common(draft: &Path) -> io::Result<()> {
    create_private_dir(&draft.join("objects"))?;
    create_private_dir(&draft.join("secrets"))?;
    write_private(
        &draft.join("secrets/lookup-key"),
        format!("{}\n", hex::encode(random::bytes::<32>())).as_bytes(),
    )
}

fn seal(draft: &Path) -> io::Result<()> {
    write_private(&draft.join("FORMAT"), FORMAT.as_bytes())?;
    sync_folder(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_locked_by_one() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("data");
        let folder = DataFolder::open_or_create(&root, |_| Ok(())).unwrap();
        let key = fs::read(root.join("secrets/lookup-key")).unwrap();
        DataFolder::open_or_create(&root, |_| panic!("made twice")).unwrap();
        assert_eq!(fs::read(root.join("secrets/lookup-key")).unwrap(), key);

        let lock = folder.lock().unwrap();
        assert_eq!(folder.lock().unwrap_err().code(), ErrorCode::DataFolderUnwritable);
        assert!(folder.is_served());
        drop(lock);
        assert!(!folder.is_served());
        folder.lock().unwrap();
    }

    #[test]
    fn a_key_is_made_once_readable_by_its_owner_only_and_a_damaged_one_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open_or_create(&parent.path().join("data"), |_| Ok(())).unwrap();
        let key = folder.key("log-key").unwrap();
        assert_eq!(*folder.key("log-key").unwrap(), *key);
        assert_ne!(*folder.key("another").unwrap(), *key);
        let path = folder.root().join("secrets/log-key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "abc").unwrap();
        assert_eq!(folder.key("log-key").unwrap_err().code(), ErrorCode::DataFolderUnknown);
    }

    #[test]
    fn a_failed_start_leaves_nothing_behind() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("data");
        let failure = Failure::new(ErrorCode::Internal, "no", "none");
        assert_eq!(DataFolder::open_or_create(&root, |_| Err(failure.clone())).unwrap_err(), failure);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn foreign_and_newer_folders_are_refused() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("holiday.jpg"), "x").unwrap();
        let open = || DataFolder::open_or_create(parent.path(), |_| Ok(())).unwrap_err().code();
        assert_eq!(open(), ErrorCode::DataFolderUnknown);
        fs::write(parent.path().join("FORMAT"), "rubrica data folder, format 2\n").unwrap();
        assert_eq!(open(), ErrorCode::DataFolderUnknown);
    }
}
