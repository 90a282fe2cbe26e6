//! `cargo xtask verify`: everything that can be checked without running the product.

use crate::process::{Outcome, cargo, command, execute, output};
use crate::{demo, node, system, tools};

/// Format, lints, documentation, licences, types, size budgets.
pub(crate) fn run() -> Outcome<()> {
    system::ensure(&[system::C_COMPILER])?;
    node::ensure()?;
    tools::ensure_wasm_target()?;
    execute(&mut cargo(&["fmt", "--all", "--check"]))?;
    // Not a member of the workspace, see its manifest.
    execute(&mut cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))?;
    execute(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    execute(&mut cargo(&[
        "clippy",
        "--package=rubrica-core",
        "--package=rubrica-sdk",
        "--target=wasm32-unknown-unknown",
        "--",
        "-D",
        "warnings",
    ]))?;
    execute(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    licences()?;
    no_randomness_in_the_browser()?;
    demo::web()?;
    for package in ["npm", "demo-site", "tests"] {
        node::install(package)?;
        execute(&mut node::script(package, "check")?)?;
    }
    execute(&mut node::script("npm", "size")?)?;
    println!("verify: all checks passed");
    Ok(())
}

/// Licences, sources and banned crates. Advisories need the advisory database, a git repository on the
/// internet: run `cargo deny check advisories` where it can be reached.
fn licences() -> Outcome<()> {
    let deny = tools::ensure_cargo_deny()?.join("cargo-deny");
    execute(&mut command("", deny, &["check", "bans", "licenses", "sources"]))
}

/// The browser module draws no random bytes from Rust: a dependency that brings `getrandom` in
/// would either fail to build or seed itself from somewhere unchecked.
fn no_randomness_in_the_browser() -> Outcome<()> {
    let tree = output(&mut cargo(&[
        "tree",
        "--package=rubrica-sdk",
        "--target=wasm32-unknown-unknown",
        "--edges=normal",
        "--prefix=none",
    ]))?;
    match tree.lines().find(|line| line.starts_with("getrandom ")) {
        None => Ok(()),
        Some(line) => {
            Err(format!("{line} came into the browser module; see `cargo tree -i getrandom`").into())
        }
    }
}
