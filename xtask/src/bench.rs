//! `cargo xtask bench`: figures beside their peers and limits, in one run.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Outcome, cargo, execute, root};
use crate::{demo, node, python, system, tools};

/// The peer from npm. Installed when it is measured, never a dependency.
const NODE_PEER: &[&str] = &[
    "@signpdf/signpdf@3.3.0",
    "@signpdf/placeholder-plain@3.3.0",
    "@signpdf/utils@3.3.0",
    "node-forge@1.4.3",
];

/// Builds optimised and runs the rows named, or all.
pub(crate) fn run(rows: &[String]) -> Outcome<()> {
    system::ensure(system::FOR_TESTS)?;
    let rubrica = demo::binary("release")?;
    execute(&mut cargo(&["build", "--quiet", "--release", "--package", "rubrica-bench"]))?;
    let bench = demo::target()?.join("release/rubrica-bench");
    let mut command = Command::new(bench);
    command.args(rows).env("RUBRICA", rubrica).env("RUBRICA_PYTHON", python::ensure()?);
    execute(command.env("RUBRICA_BENCH_NODE", node_peer()?).current_dir(root()))
}

/// Installs the peer from npm; answers the folder with its `node_modules`.
fn node_peer() -> Outcome<PathBuf> {
    node::ensure()?;
    let folder = tools::cache().join("bench-node");
    let stamp = folder.join("installed-packages");
    let wanted = NODE_PEER.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let options = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"];
    execute(Command::new("npm").args(options).arg(&folder).args(NODE_PEER))?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(folder)
}
