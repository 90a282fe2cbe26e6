//! Resident memory while a file of 1 GiB is signed.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::pdf::make_key;
use crate::table::{Bar, Row, Table};
use crate::{Outcome, samples};

const DOCUMENT_BYTES: u64 = 1 << 30;
const LIMIT_MIB: f64 = 256.0;

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let what = "sign a PDF of 1 GiB, command line";
    let rubrica = std::env::var("RUBRICA").map_err(|_| "RUBRICA must name the rubrica binary")?;
    let folder = tempfile::tempdir()?;
    let free = rustix::fs::statvfs(folder.path())?;
    if free.f_bavail * free.f_frsize < 3 * DOCUMENT_BYTES {
        table.skip(format!("{what}: {} has less than 3 GiB free", folder.path().display()));
        return Ok(());
    }
    make_key(folder.path())?;
    let (document, p12) = (folder.path().join("large.pdf"), folder.path().join("key.p12"));
    write_document(&document)?;
    let made = Command::new("openssl")
        .args(["pkcs12", "-export", "-inkey", "key.pem", "-in", "certificate.pem", "-out", "key.p12"])
        .args(["-passout", "pass:teste"])
        .current_dir(folder.path())
        .output()?;
    if !made.status.success() {
        return Err("openssl could not make a PKCS#12 file".into());
    }
    let mut child = Command::new(rubrica)
        .arg("sign")
        .arg(&document)
        .arg("-o")
        .arg(folder.path().join("signed.pdf"))
        .arg("--p12")
        .arg(&p12)
        .env("RUBRICA_P12_PASSWORD", "teste")
        .spawn()?;
    let mut peak_kib = 0;
    let status = loop {
        // The kernel keeps the highest value itself; it only has to be read before the process is gone.
        peak_kib = resident_peak_kib(child.id()).unwrap_or(peak_kib);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    if !status.success() {
        return Err("rubrica could not sign the large file".into());
    }
    table.push(Row {
        what: what.to_owned(),
        unit: "MiB resident at most",
        ours: f64::from(peak_kib) / 1024.0,
        peer: "limit",
        theirs: LIMIT_MIB,
        bar: Bar::AtMost(1.0),
    });
    Ok(())
}

/// One page whose content is long.
fn write_document(path: &Path) -> Outcome<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    let rest = usize::try_from(DOCUMENT_BYTES)?;
    file.write_all(&samples::pdf(rest))?;
    Ok(file.flush()?)
}

fn resident_peak_kib(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
