//! The npm packages of the checkout.

use std::process::Command;

use crate::process::{Outcome, command, execute, output, root};
use crate::tools;

/// Node 20 is the oldest release that runs our tests and builds.
const NODE_MAJOR: u32 = 20;

/// Checks the version of Node.
pub(crate) fn ensure() -> Outcome<()> {
    let version = output(Command::new("node").arg("--version"))
        .map_err(|_| format!("Node is missing: install Node {NODE_MAJOR} or later"))?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR => Ok(()),
        _ => Err(format!("Node {} is too old: install Node {NODE_MAJOR} or later", version.trim()).into()),
    }
}

/// Installs the dependencies of one package when its lock file changed since the last time.
pub(crate) fn install(folder: &str) -> Outcome<()> {
    let lock = root().join(folder).join("package-lock.json");
    let stamp = root().join(folder).join("node_modules/.installed-lock");
    let wanted = std::fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    execute(&mut npm(folder, &["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()).into())
}

/// Runs a script of a package.
pub(crate) fn script(folder: &str, name: &str) -> Outcome<Command> {
    let mut command = npm(folder, &["run", "--silent", name]);
    command.env("WASM_BINDGEN", tools::ensure_wasm_bindgen()?.join("wasm-bindgen"));
    Ok(command)
}

fn npm(folder: &str, arguments: &[&str]) -> Command {
    command(folder, "npm", arguments)
}
