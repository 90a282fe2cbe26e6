//! Foreign programs in Python, in virtual environments outside the checkout.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Outcome, execute, root};
use crate::tools;

/// pyHanko and certomancer; answers the Python that has them.
pub(crate) fn ensure() -> Outcome<PathBuf> {
    environment("python", "tests/requirements.txt")
}

/// The stand-in for a bucket; answers the Python that has it.
pub(crate) fn ensure_for_buckets() -> Outcome<PathBuf> {
    environment("python-bucket", "tests/requirements-bucket.txt")
}

/// The mail server of the tests; answers the Python that has it.
pub(crate) fn ensure_for_mail() -> Outcome<PathBuf> {
    environment("python-mail", "tests/requirements-mail.txt")
}

/// Makes the environment anew when its requirements changed.
fn environment(name: &str, requirements: &str) -> Outcome<PathBuf> {
    let requirements = root().join(requirements);
    let wanted =
        std::fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let folder = tools::cache().join(name);
    let python = folder.join("bin/python");
    let stamp = folder.join("installed-requirements");
    if python.is_file() && std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    execute(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    execute(Command::new(&python).args(pip).arg(&requirements))?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(python)
}
