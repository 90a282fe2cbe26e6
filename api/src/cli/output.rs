//! What a command writes: results on standard output, failures on standard error, files in one step.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rubrica_core::ErrorCode;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::input::Input;

/// How results are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes a result: one JSON document, or the text.
    pub(super) fn result(self, json: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            self.json_line(json);
        } else {
            write_out(&text());
        }
    }

    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    /// Writes one JSON document on a line of its own.
    #[expect(clippy::unused_self, reason = "all output goes through an Output")]
    pub(super) fn json_line(self, json: &impl Serialize) {
        let mut line = serde_json::to_string(json).expect("results have only strings and numbers as keys");
        line.push('\n');
        write_out(&line);
    }

    /// Writes a failure: `error[code]: what. what to do.`, or the same as JSON.
    pub(super) fn failure(self, failure: &Failure) {
        let line = if self.json {
            serde_json::json!({
                "error": { "code": failure.code(), "what": failure.what(), "remedy": failure.remedy() }
            })
            .to_string()
        } else {
            failure.to_string()
        };
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// A reader that goes away, as `head` does, is no failure.
fn write_out(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Reads an input file.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

/// Writes an output file beside its place and renames it: there is never half a file under the name.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut draft = Draft::beside(path)?;
    draft.file.write_all(bytes).map_err(|error| unwritable(path, &error))?;
    draft.finish()
}

/// An output file on its way; removed unless it is finished.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    file: NamedTempFile,
    path: &'a Path,
}

impl<'a> Draft<'a> {
    /// Begins an empty file beside its place.
    pub(super) fn beside(path: &'a Path) -> Result<Self, Failure> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new().prefix(".rubrica-").tempfile_in(folder);
        Ok(Self { file: file.map_err(|error| unwritable(path, &error))?, path })
    }

    /// Begins with the bytes of another file, which are copied by the system. Gives them to read and to append to.
    pub(super) fn copy_of(source: &Path, path: &'a Path) -> Result<(Self, Input), Failure> {
        let mut draft = Self::beside(path)?;
        let mut original = File::open(source).map_err(|error| unreadable(source, &error))?;
        if original.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(unreadable(source, &io::ErrorKind::IsADirectory.into()));
        }
        io::copy(&mut original, draft.file.as_file_mut()).map_err(|error| unwritable(path, &error))?;
        let input = draft.file.as_file().try_clone().and_then(Input::from_file);
        let input = input.map_err(|error| unreadable(source, &error))?;
        Ok((draft, input))
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| unwritable(self.path, &error))
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self { file, path } = self;
        let finish = || {
            file.as_file().sync_all()?;
            set_usual_mode(file.as_file())?;
            file.persist(path).map_err(|error| error.error)?;
            Ok::<_, io::Error>(())
        };
        finish().map_err(|error| unwritable(path, &error))
    }
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::of(ErrorCode::FileUnreadable, format!("cannot read {}: {error}", path.display()))
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::of(ErrorCode::FileUnwritable, format!("cannot write {}: {error}", path.display()))
}

/// Temporary files are private; a result is readable like any file its user makes.
fn set_usual_mode(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
