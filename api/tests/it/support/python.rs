//! Python for stand-ins that come from its registry.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A Python that can run `tests/lib/bucket.py`: the one that `cargo xtask test` made, or one beside the build.
pub(crate) fn for_buckets() -> PathBuf {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    OWN.get_or_init(|| environment("RUBRICA_BUCKET_PYTHON", "bucket")).clone()
}

/// The same for `tests/lib/mail.py`.
pub(crate) fn for_mail() -> PathBuf {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    OWN.get_or_init(|| environment("RUBRICA_MAIL_PYTHON", "mail")).clone()
}

fn environment(variable: &str, name: &str) -> PathBuf {
    if let Some(python) = std::env::var_os(variable) {
        return python.into();
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{name}"));
    let requirements = format!("{}/../tests/requirements-{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed-requirements"));
    let wanted = std::fs::read(&requirements).unwrap();
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &requirements];
    run(Command::new(&python).args(pip));
    std::fs::write(&stamp, wanted).unwrap();
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed; Python comes with `apt-get install python3-venv`: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
