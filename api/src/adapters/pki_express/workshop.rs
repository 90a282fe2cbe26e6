//! The folder in which the program works: for each process of ours one, in it one for each run, readable by us alone.
//!
//! A crash leaves folders, and perhaps programs that still run in them. Whoever starts next ends those and removes these: a
//! folder whose lock is free has no owner.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::{Pid, Signal, getpgid, kill_process_group};
use tempfile::TempDir;

use crate::data_folder::unwritable;
use crate::failure::Failure;

/// Held by the process that works in a folder, and, in the folder above, by whoever comes and looks around.
const LOCK: &str = "lock";

/// Where this process has its runs.
#[derive(Debug)]
pub(super) struct Workshop {
    folder: TempDir,
    _lock: File,
}

/// One run's folder; it goes with the value.
#[derive(Debug)]
pub(super) struct Job(TempDir);

impl Job {
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Workshop {
    /// Makes a folder below `root`, and clears what nobody owns any more.
    ///
    /// # Errors
    /// `data_folder_unwritable`.
    pub(super) fn open(root: &Path) -> Result<Self, Failure> {
        Self::make(root).map_err(|error| unwritable(root, &error))
    }

    fn make(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
        let root = fs::canonicalize(root)?;
        let entrance = File::create(root.join(LOCK))?;
        // Nobody clears a folder between its making and its lock.
        entrance.lock()?;
        sweep(&root)?;
        let folder = private(&root, "run-")?;
        let lock = File::create(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    /// A new folder for one run.
    pub(super) fn job(&self) -> io::Result<Job> {
        private(self.folder.path(), "job-").map(Job)
    }
}

fn private(parent: &Path, prefix: &str) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let is_free = match File::open(path.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_free {
            end_who_works_in(&path);
            fs::remove_dir_all(&path)?;
            tracing::info!("a folder of PKI Express that a crash left is removed");
        }
    }
    Ok(())
}

/// Kills the process groups whose leader has a file of the folder on its command line.
fn end_who_works_in(folder: &Path) {
    let needle = folder.as_os_str().as_bytes();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let number = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let Some(number) = number else { continue };
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        if !line.windows(needle.len()).any(|part| part == needle) {
            continue;
        }
        if getpgid(Some(number)).is_ok_and(|group| group == number) {
            tracing::warn!("a run of PKI Express that a crash left is ended");
            // Whoever is gone meanwhile needs no signal.
            let _ = kill_process_group(number, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_private_and_what_nobody_owns_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("work");
        let first = Workshop::open(&root).unwrap();
        let job = first.job().unwrap();
        for folder in [&root, first.folder.path(), job.path()] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
        // One that was left, and one whose making a crash interrupted.
        fs::create_dir_all(root.join("run-left/job-1")).unwrap();
        fs::write(root.join("run-left").join(LOCK), "").unwrap();
        fs::write(root.join("run-left/job-1/document"), "TEST").unwrap();
        fs::create_dir(root.join("run-new")).unwrap();
        let second = Workshop::open(&root).unwrap();
        assert!(!root.join("run-left").exists() && !root.join("run-new").exists());
        assert!(job.path().exists(), "its owner lives");
        let path = job.path().to_owned();
        drop(job);
        assert!(!path.exists());
        drop((first, second));
        let left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [LOCK]);
    }
}
