//! PAdES-B with a software key, beside pyHanko.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rubrica_core::Timestamp;
use rubrica_core::pades::{self, Options};
use rubrica_core::x509::Certificate;
use rustix::time::{ClockId, clock_gettime};

use crate::table::{Row, Table};
use crate::{Outcome, samples};

const PEER: &str = "tests/bench/peers/pyhanko_pades.py";

/// Documents signed by the peer, after one that is not counted.
const PEER_DOCUMENTS: &str = "40";

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let python =
        std::env::var("RUBRICA_PYTHON").map_err(|_| "RUBRICA_PYTHON must name a Python with pyHanko")?;
    let folder = tempfile::tempdir()?;
    make_key(folder.path())?;
    for (label, size_bytes, bar) in [("100 KB", 100_000, 30.0), ("10 MB", 10_000_000, 3.0)] {
        let document = samples::pdf(size_bytes);
        let path = folder.path().join("sample.pdf");
        fs::write(&path, &document)?;
        let ours = sign_with_rubrica(folder.path(), &document)?;
        for mode in ["tuned", "shipped"] {
            table.push(Row {
                what: format!("PAdES-B {label}, RSA-2048 software key"),
                unit: "documents per CPU-second",
                ours,
                peer: if mode == "tuned" { "pyHanko tuned" } else { "pyHanko as shipped" },
                theirs: sign_with_pyhanko(&python, folder.path(), &path, mode)?,
                bar,
            });
        }
    }
    Ok(())
}

fn make_key(folder: &Path) -> Outcome<()> {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "certificate.pem",
        ])
        .args(["-subj", "/CN=BENCH TEST", "-days", "2", "-addext", "keyUsage=critical,digitalSignature"])
        .current_dir(folder)
        .output()?;
    let converted = Command::new("openssl")
        .args(["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out", "key.der"])
        .current_dir(folder)
        .output()?;
    if made.status.success() && converted.status.success() {
        Ok(())
    } else {
        Err("openssl could not make a key".into())
    }
}

/// Two CPU-seconds of prepare, sign, embed; the complete file is assembled each time.
fn sign_with_rubrica(folder: &Path, document: &[u8]) -> Outcome<f64> {
    let certificate = Certificate::from_pem_or_der(&fs::read(folder.join("certificate.pem"))?)?;
    let key = RsaKeyPair::from_pkcs8(&fs::read(folder.join("key.der"))?)?;
    let random = SystemRandom::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let signing_time = Timestamp::from_unix_ms(u64::try_from(now.as_millis())?)?;
    let options = Options::new(signing_time);
    let start = cpu_time();
    let mut signed = 0_u32;
    while cpu_time() - start < Duration::from_secs(2) {
        let plan = pades::prepare(document, &certificate, &[], &options)?;
        let mut value = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &random, plan.signed_attributes(), &mut value)?;
        let file = [document, &plan.embed(&value)?].concat();
        std::hint::black_box(&file);
        signed += 1;
    }
    Ok(f64::from(signed) / (cpu_time() - start).as_secs_f64())
}

fn sign_with_pyhanko(python: &str, folder: &Path, document: &Path, mode: &str) -> Outcome<f64> {
    let output = Command::new(python)
        .arg(PEER)
        .arg(folder.join("key.pem"))
        .arg(folder.join("certificate.pem"))
        .arg(document)
        .args([PEER_DOCUMENTS, mode])
        .output()?;
    if !output.status.success() {
        return Err(format!("pyHanko: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let result: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let figure = |name: &str| result[name].as_f64().ok_or_else(|| format!("pyHanko printed no {name}"));
    Ok(figure("documents")? / figure("cpu_seconds")?)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
