//! Pinned programs that cargo builds, kept outside the checkout.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Outcome, answers, cargo, execute, output, root};

/// Must equal the `wasm-bindgen` crate of the workspace.
const WASM_BINDGEN: &str = "0.2.129";
const CARGO_DENY: &str = "0.20.2";

/// Where built tools stay between checkouts.
pub(crate) fn cache() -> PathBuf {
    if let Some(folder) = std::env::var_os("RUBRICA_CACHE") {
        return folder.into();
    }
    let home = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    home.map_or_else(|| root().join(".tools"), |folder| folder.join("rubrica"))
}

/// The WebAssembly target of the pinned toolchain. `rust-toolchain.toml` names it, but an offline
/// or hand-made toolchain may lack it.
pub(crate) fn ensure_wasm_target() -> Outcome<()> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()))?;
    let target = PathBuf::from(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib");
    if target.is_dir() {
        return Ok(());
    }
    execute(Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]).current_dir(root()))
}

/// Folder with `wasm-bindgen` and `wasm-bindgen-test-runner`.
pub(crate) fn ensure_wasm_bindgen() -> Outcome<PathBuf> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
    if !lock.contains(&format!("name = \"wasm-bindgen\"\nversion = \"{WASM_BINDGEN}\"")) {
        return Err("xtask/src/tools.rs and Cargo.lock name different versions of wasm-bindgen".into());
    }
    ensure_installed("wasm-bindgen-cli", WASM_BINDGEN, "wasm-bindgen")
}

/// Folder with `cargo-deny`.
pub(crate) fn ensure_cargo_deny() -> Outcome<PathBuf> {
    ensure_installed("cargo-deny", CARGO_DENY, "cargo-deny")
}

fn ensure_installed(package: &str, version: &str, program: &str) -> Outcome<PathBuf> {
    let folder = cache().join("tools").join(format!("{package}-{version}"));
    let bin = folder.join("bin");
    if answers(bin.join(program), &["--version"]) {
        return Ok(bin);
    }
    // Unoptimised: these run for seconds, building them optimised takes minutes.
    let place = folder.to_string_lossy();
    let mut install = cargo(&[
        "install",
        package,
        "--version",
        version,
        "--locked",
        "--debug",
        "--force",
        "--root",
        &place,
    ]);
    // A target folder of its own, or the tool's build would fight with ours over features.
    install.env("CARGO_TARGET_DIR", cache().join("tools/target")).env_remove("RUSTFLAGS");
    execute(&mut install)?;
    Ok(bin)
}
