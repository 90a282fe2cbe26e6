//! Runs the binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts a failure with this code: one line, nothing else.
    #[track_caller]
    pub(crate) fn assert_error(&self, exit_code: i32, code: &str) {
        assert_eq!(self.code, exit_code, "{self:?}");
        let line = self.stderr.trim_end();
        assert!(line.starts_with(&format!("error[{code}]: ")), "{self:?}");
        assert_eq!(line.lines().count(), 1, "{self:?}");
        assert!(line.ends_with('.') && !line.contains("panicked"), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
    }

    /// The same of a command that was called with `--json`.
    #[track_caller]
    pub(crate) fn assert_json_error(&self, exit_code: i32, code: &str) {
        assert_eq!(self.code, exit_code, "{self:?}");
        // What was logged before it stands on lines of its own.
        let line = self.stderr.lines().last().unwrap_or_default();
        let told: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(told["error"]["code"], code, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
    }
}

/// Runs `rubrica` with a clean environment of its own variables and without input. It never prints a password it got.
#[track_caller]
pub(crate) fn rubrica(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let output = command().args(arguments).envs(variables.iter().copied()).output().unwrap();
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    // A shorter one, as `wrong`, stands in messages by chance.
    let secret = |(name, value): &&(&str, &str)| {
        ["PASSWORD", "PIN", "SECRET"].iter().any(|word| name.ends_with(word)) && value.len() >= 6
    };
    for (name, value) in variables.iter().filter(secret) {
        assert!(
            !ran.stdout.contains(value) && !ran.stderr.contains(value),
            "the value of {name} was printed"
        );
    }
    ran
}

/// The binary, with nothing of the caller's environment that concerns it but the module.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rubrica"));
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        let concerns_us = name_text.starts_with("RUBRICA_") && name_text != "RUBRICA_PKCS11_MODULE";
        if concerns_us || name_text == "SOFTHSM2_CONF" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// A file of `api/testdata`.
pub(crate) fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}
