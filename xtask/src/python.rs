//! pyHanko and certomancer in a virtual environment outside the checkout.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Outcome, execute, root};
use crate::tools;

/// Makes the environment when `tests/requirements.txt` changed; answers its Python.
pub(crate) fn ensure() -> Outcome<PathBuf> {
    let requirements = root().join("tests/requirements.txt");
    let wanted =
        std::fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let folder = tools::cache().join("python");
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
