//! `cargo xtask bench`: figures beside their peers and limits, in one run.

use crate::process::{Outcome, cargo, execute};
use crate::{demo, python, system};

/// Builds optimised and runs the rows named, or all.
pub(crate) fn run(rows: &[String]) -> Outcome<()> {
    system::ensure(system::FOR_TESTS)?;
    let rubrica = demo::binary("release")?;
    execute(&mut cargo(&["build", "--quiet", "--release", "--package", "rubrica-bench"]))?;
    let bench = demo::target()?.join("release/rubrica-bench");
    let mut command = std::process::Command::new(bench);
    execute(command.args(rows).env("RUBRICA", rubrica).env("RUBRICA_PYTHON", python::ensure()?))
}
