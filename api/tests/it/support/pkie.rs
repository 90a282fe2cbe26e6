//! The stand-in for PKI Express (TEST).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::{Instance, Options, memory_folder, python};

/// An installed stand-in, with the folder where it writes down what it is asked.
#[derive(Debug)]
pub(crate) struct Pkie {
    folder: TempDir,
}

impl Pkie {
    pub(crate) fn install() -> Self {
        let folder = memory_folder();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/pkie-stand-in/pkie.py");
        let python = python::for_signatures();
        let text = format!(
            "#!/bin/sh\nRUBRICA_PKIE_STAND_IN='{}' exec '{}' '{script}' \"$@\"\n",
            folder.path().display(),
            python.display()
        );
        let program = folder.path().join("pkie");
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder }
    }

    /// An instance whose signatures it makes. `more` is added to `[composer]`, then to `[pki_express]`.
    pub(crate) fn instance(&self, composer: &str, express: &str) -> Instance {
        let mut instance = self.configure(composer, express);
        instance.run(&Options::default());
        instance
    }

    /// The same, not started yet.
    pub(crate) fn configure(&self, composer: &str, express: &str) -> Instance {
        let instance = Instance::prepare();
        let file = instance.data().join("rubrica.toml");
        let text = fs::read_to_string(&file).unwrap();
        let express = format!(
            "[composer]\ndefault = \"pki_express\"\nretry_ms = 100\n{composer}\n\n[pki_express]\nprogram = \"{}\"\n\
             trust_roots = [\"pki/intermediates.pem\"]\n{express}\n",
            self.folder.path().join("pkie").display()
        );
        fs::write(&file, format!("{text}\n{express}")).unwrap();
        instance
    }

    /// What happens to the next runs.
    pub(crate) fn next(&self, faults: &[&str]) {
        fs::write(self.path("faults"), faults.join("\n")).unwrap();
    }

    /// A file of its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it was asked so far, the first first.
    pub(crate) fn calls(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The commands among them.
    pub(crate) fn commands(&self) -> Vec<String> {
        let command = |call: &Value| call["arguments"][0].as_str().unwrap().to_owned();
        self.calls().iter().map(command).collect()
    }
}

/// Whether a process runs, and is not one that has ended and waits to be looked at.
pub(crate) fn is_running(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Everything below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        }
        found.push(path);
    }
    found
}
