//! The peers: other programs that do the same work, in a process of their own.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// Documents that a peer works on, after one that is not counted.
const DOCUMENTS: &str = "40";

/// Documents that pyHanko signs per CPU-second: `tuned` or `shipped`.
pub(crate) fn pyhanko_signs(folder: &Path, document: &Path, mode: &str) -> Outcome<f64> {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let script = Path::new("tests/bench/peers/pyhanko_pades.py");
    let arguments: [&OsStr; 6] = [
        script.as_ref(),
        key.as_ref(),
        certificate.as_ref(),
        document.as_ref(),
        DOCUMENTS.as_ref(),
        mode.as_ref(),
    ];
    rate(&variable("RUBRICA_PYTHON", "a Python with pyHanko")?, &arguments)
}

/// Documents that pyHanko validates per CPU-second.
pub(crate) fn pyhanko_validates(root: &Path, document: &Path) -> Outcome<f64> {
    let script = Path::new("tests/bench/peers/pyhanko_validate.py");
    let arguments: [&OsStr; 4] = [script.as_ref(), root.as_ref(), document.as_ref(), DOCUMENTS.as_ref()];
    rate(&variable("RUBRICA_PYTHON", "a Python with pyHanko")?, &arguments)
}

/// Documents that @signpdf signs per CPU-second.
pub(crate) fn signpdf_signs(folder: &Path, document: &Path) -> Outcome<f64> {
    let packages = variable("RUBRICA_BENCH_NODE", "a folder with the npm packages of the peers")?;
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let script = Path::new("tests/bench/peers/signpdf_pades.mjs");
    // It is slow on large files: a few are enough.
    let documents = if fs::metadata(document)?.len() > 1_000_000 { "5" } else { DOCUMENTS };
    let arguments: [&OsStr; 6] = [
        script.as_ref(),
        packages.as_ref(),
        key.as_ref(),
        certificate.as_ref(),
        document.as_ref(),
        documents.as_ref(),
    ];
    rate("node", &arguments)
}

fn variable(name: &str, what: &str) -> Outcome<String> {
    std::env::var(name).map_err(|_| format!("{name} must name {what}").into())
}

/// Runs a peer, which prints how many documents it did in how many CPU-seconds.
fn rate(program: &str, arguments: &[&OsStr]) -> Outcome<f64> {
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let result: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let figure = |name: &str| result[name].as_f64().ok_or_else(|| format!("{program} printed no {name}"));
    Ok(figure("documents")? / figure("cpu_seconds")?)
}

/// CPU-seconds of all children that have ended: fields 16 and 17 of `/proc/self/stat`, in ticks of 10 ms.
pub(crate) fn children_cpu() -> Outcome<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(')').ok_or("/proc/self/stat has another shape")?;
    let ticks = fields.split_ascii_whitespace().skip(13).take(2).map(str::parse::<u32>);
    let ticks = ticks.sum::<Result<u32, _>>()?;
    Ok(f64::from(ticks) / TICKS_PER_SECOND)
}
