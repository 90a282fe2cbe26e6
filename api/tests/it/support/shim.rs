//! The PKCS#11 module that fails on demand (`tests/pkcs11-shim`).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::{NamedTempFile, TempDir};

use super::memory_folder;

/// A plan and a log of their own.
#[derive(Debug)]
pub(crate) struct Shim {
    folder: TempDir,
}

impl Shim {
    pub(crate) fn new(plan: &str) -> Self {
        let shim = Self { folder: memory_folder() };
        shim.plan(plan);
        shim
    }

    /// Replaces the plan, also for processes that run.
    pub(crate) fn plan(&self, plan: &str) {
        let mut file = NamedTempFile::new_in(self.folder.path()).unwrap();
        file.write_all(plan.as_bytes()).unwrap();
        file.persist(self.plan_file()).unwrap();
    }

    /// What a server, or an agent, needs to use the shim in front of the usual module.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("RUBRICA_PKCS11_MODULE", module().display().to_string()),
            ("SHIM_PLAN", self.plan_file().display().to_string()),
            ("SHIM_LOG", self.log_file().display().to_string()),
        ];
        if let Ok(real) = std::env::var("RUBRICA_PKCS11_MODULE") {
            variables.push(("SHIM_MODULE", real));
        }
        variables
    }

    /// Calls of a function so far, by all processes.
    pub(crate) fn calls(&self, function: &str) -> usize {
        self.log().lines().filter(|line| line.split(' ').next() == Some(function)).count()
    }

    /// Calls of a function so far, by one process.
    pub(crate) fn calls_of(&self, function: &str, pid: u32) -> usize {
        let wanted = format!("{function} {pid}");
        self.log().lines().filter(|line| *line == wanted).count()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn plan_file(&self) -> PathBuf {
        self.folder.path().join("plan")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// The shim, built beside the binary under test.
pub(crate) fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        // The folder of the profile lies in the target folder.
        let binary = Path::new(env!("CARGO_BIN_EXE_rubrica"));
        let target = binary.ancestors().nth(2).unwrap();
        let output = Command::new(env!("CARGO"))
            .args(["build", "--package", "rubrica-pkcs11-shim", "--message-format", "json", "--offline"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "the shim cannot be built");
        let messages = String::from_utf8(output.stdout).unwrap();
        let files = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == "rubrica_pkcs11_shim")
            .filter_map(|message| message["filenames"].as_array().cloned())
            .flatten()
            .find_map(|file| file.as_str().map(PathBuf::from));
        files.expect("cargo tells what it built")
    })
}
