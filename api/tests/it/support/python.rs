//! Python for stand-ins that need more than comes with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A Python that can run `tests/lib/bucket.py`: the one that `cargo xtask test` made, or one beside the build.
pub(crate) fn for_buckets() -> PathBuf {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    OWN.get_or_init(|| environment("RUBRICA_BUCKET_PYTHON", "python-bucket", "requirements-bucket.txt"))
        .clone()
}

/// The same for `tests/lib/mail.py`.
pub(crate) fn for_mail() -> PathBuf {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    OWN.get_or_init(|| environment("RUBRICA_MAIL_PYTHON", "python-mail", "requirements-mail.txt")).clone()
}

/// The same for `tests/lib/composing.py`.
pub(crate) fn for_signatures() -> PathBuf {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    OWN.get_or_init(|| environment("RUBRICA_PYTHON", "python", "requirements.txt")).clone()
}

/// What the variable names; else an environment that is made anew when its requirements changed.
fn environment(variable: &str, name: &str, requirements: &str) -> PathBuf {
    if let Some(python) = std::env::var_os(variable) {
        return python.into();
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(requirements);
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed-requirements"));
    let wanted = std::fs::read(&requirements).unwrap();
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(pip).arg(requirements));
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
