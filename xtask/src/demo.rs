//! `cargo xtask demo`: from a bare checkout to a running portal.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Failure, Outcome, cargo, execute, output, root, stale};
use crate::{node, system, tools};

/// Everything that ends up in the browser module.
const WASM_INPUTS: &[&str] = &["Cargo.toml", "Cargo.lock", "core/src", "sdk-wasm"];
const PACKAGE_INPUTS: &[&str] = &["npm"];
const SITE_INPUTS: &[&str] = &["demo-site", "tests/web-pki-simulator", PACKAGE_STAMP];

/// Touched after each build; beside the dependencies, so that no stamp is ever packed or served.
const PACKAGE_STAMP: &str = "npm/node_modules/.rubrica-built";
const SITE_STAMP: &str = "demo-site/node_modules/.rubrica-built";

/// Installs, builds and becomes the server: the process is replaced, so Ctrl-C ends all there is.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let binary = build()?;
    let mut command = Command::new(&binary);
    command.arg("demo").arg("--site").arg(root().join("demo-site/dist")).args(arguments).current_dir(root());
    if !arguments.iter().any(|argument| argument == "--data" || argument.starts_with("--data=")) {
        command.args(["--data", "demo-data"]);
    }
    become_program(&mut command)
}

/// Installs what is missing and builds binary, package and portal; answers the binary.
pub(crate) fn build() -> Outcome<PathBuf> {
    system::ensure(system::FOR_DEMO)?;
    node::ensure()?;
    let binary = binary("dev")?;
    web()?;
    Ok(binary)
}

/// Builds the `rubrica` binary in a cargo profile; answers its path.
pub(crate) fn binary(profile: &str) -> Outcome<PathBuf> {
    execute(&mut cargo(&["build", "--quiet", "--profile", profile, "--package", "rubrica"]))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target()?.join(folder).join("rubrica"))
}

/// Builds the npm package and the portal that uses it, when their inputs changed.
pub(crate) fn web() -> Outcome<()> {
    let package_inputs: Vec<&str> = WASM_INPUTS.iter().chain(PACKAGE_INPUTS).copied().collect();
    if stale(PACKAGE_STAMP, &package_inputs) || !root().join("npm/dist/index.js").is_file() {
        tools::ensure_wasm_target()?;
        build_package("npm", PACKAGE_STAMP)?;
    }
    if stale(SITE_STAMP, SITE_INPUTS) || !root().join("demo-site/dist/index.html").is_file() {
        build_package("demo-site", SITE_STAMP)?;
    }
    Ok(())
}

fn build_package(folder: &str, stamp: &str) -> Outcome<()> {
    node::install(folder)?;
    execute(&mut node::script(folder, "build")?)?;
    std::fs::write(root().join(stamp), "").map_err(|error| format!("{stamp}: {error}").into())
}

/// Cargo's target folder, wherever the environment or the configuration puts it.
pub(crate) fn target() -> Outcome<PathBuf> {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    let (_, rest) =
        metadata.split_once("\"target_directory\":\"").ok_or("cargo metadata names no target folder")?;
    let folder = rest.split('"').next().ok_or("cargo metadata names no target folder")?;
    Ok(PathBuf::from(folder))
}

#[cfg(unix)]
fn become_program(command: &mut Command) -> Outcome<()> {
    use std::os::unix::process::CommandExt as _;
    Err(Failure::from(format!("cannot start the demo: {}", command.exec())))
}

#[cfg(not(unix))]
fn become_program(_command: &mut Command) -> Outcome<()> {
    Err(Failure::from("the demo needs Linux or macOS"))
}
