//! The wall clock of a real process, moved by `libfaketime`, which leaves the monotonic one alone.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::memory_folder;

/// A wall clock that a test moves.
#[derive(Debug)]
pub(crate) struct MovedClock {
    folder: TempDir,
}

impl MovedClock {
    pub(crate) fn new() -> Self {
        let clock = Self { folder: memory_folder() };
        clock.off_by(0);
        clock
    }

    /// Moves the clock to so many seconds beside the right time, at once.
    pub(crate) fn off_by(&self, seconds: i64) {
        let new = self.folder.path().join("new");
        fs::write(&new, format!("{seconds:+}\n")).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    /// What a process needs to see it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

fn library() -> &'static Path {
    let places = ["x86_64-linux-gnu/faketime", "aarch64-linux-gnu/faketime", "faketime", "../lib64/faketime"]
        .map(|folder| Path::new("/usr/lib").join(folder).join("libfaketime.so.1"));
    let found = places.into_iter().find(|place| place.exists());
    let found = found.expect("libfaketime is there; it comes with `apt-get install faketime`");
    Box::leak(found.into_boxed_path())
}
