//! PAdES-B with a software key, beside pyHanko and @signpdf.

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

use crate::table::{Bar, Row, Table};
use crate::{Outcome, peer, samples};

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    make_key(folder.path())?;
    for (label, size_bytes, bar) in [("100 KB", 100_000, 30.0), ("10 MB", 10_000_000, 3.0)] {
        let document = samples::pdf(size_bytes);
        let path = folder.path().join("sample.pdf");
        fs::write(&path, &document)?;
        let ours = sign_with_rubrica(folder.path(), &document)?;
        let mut row = |peer, theirs| {
            let what = format!("PAdES-B {label}, RSA-2048 software key");
            table.push(Row {
                what,
                unit: "documents per CPU-second",
                ours,
                peer,
                theirs,
                bar: Bar::AtLeast(bar),
            });
        };
        row("pyHanko tuned", peer::pyhanko_signs(folder.path(), &path, "tuned")?);
        row("pyHanko as shipped", peer::pyhanko_signs(folder.path(), &path, "shipped")?);
        row("@signpdf tuned", peer::signpdf_signs(folder.path(), &path)?);
        if size_bytes > 1_000_000 {
            table.push(Row {
                what: format!("PAdES-B {label}, all of it"),
                unit: "CPU-ms per document",
                ours: 1_000.0 / ours,
                peer: "openssl dgst + one key use",
                theirs: 1_000.0 * (hash_seconds(&path)? + key_seconds(folder.path())?),
                bar: Bar::AtMost(1.2),
            });
        }
    }
    Ok(())
}

/// CPU time of `openssl dgst -sha256` for one document, without the start of the program.
fn hash_seconds(document: &Path) -> Outcome<f64> {
    let run = |times: usize| -> Outcome<f64> {
        let before = peer::children_cpu()?;
        let files = std::iter::repeat_n(document, times);
        let hashed = Command::new("openssl").args(["dgst", "-sha256"]).args(files).output()?;
        if !hashed.status.success() {
            return Err("openssl could not hash".into());
        }
        Ok(peer::children_cpu()? - before)
    };
    Ok((run(101)? - run(1)?) / 100.0)
}

/// CPU time of one RSA-2048 signature.
fn key_seconds(folder: &Path) -> Outcome<f64> {
    let key = RsaKeyPair::from_pkcs8(&fs::read(folder.join("key.der"))?)?;
    let (random, mut value) = (SystemRandom::new(), vec![0; key.public_modulus_len()]);
    let start = cpu_time();
    for _ in 0..500 {
        key.sign(&RSA_PKCS1_SHA256, &random, b"TEST", &mut value)?;
    }
    Ok((cpu_time() - start).as_secs_f64() / 500.0)
}

/// A key and a certificate for it: `key.pem`, `key.der`, `certificate.pem`.
pub(crate) fn make_key(folder: &Path) -> Outcome<()> {
    let openssl = |arguments: &[&str]| -> Outcome<()> {
        let done = Command::new("openssl").args(arguments).current_dir(folder).output()?;
        if done.status.success() { Ok(()) } else { Err("openssl could not make a key".into()) }
    };
    let subject = ["-subj", "/CN=BENCH TEST", "-days", "2", "-addext", "keyUsage=critical,digitalSignature"];
    let holder = ["-addext", "basicConstraints=critical,CA:FALSE"];
    let request =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem"];
    openssl(&[&request[..], &subject, &holder].concat())?;
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out", "key.der"])
}

/// Two CPU-seconds of prepare, sign, embed; the complete file is assembled each time.
fn sign_with_rubrica(folder: &Path, document: &[u8]) -> Outcome<f64> {
    let signer = Signer::open(folder)?;
    let start = cpu_time();
    let mut signed = 0_u32;
    while cpu_time() - start < Duration::from_secs(2) {
        std::hint::black_box(&signer.sign(document)?);
        signed += 1;
    }
    Ok(f64::from(signed) / (cpu_time() - start).as_secs_f64())
}

/// The key of [`make_key`], opened.
pub(crate) struct Signer {
    pub(crate) certificate: Certificate,
    key: RsaKeyPair,
    random: SystemRandom,
    pub(crate) now: Timestamp,
}

impl Signer {
    pub(crate) fn open(folder: &Path) -> Outcome<Self> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        Ok(Self {
            certificate: Certificate::from_pem_or_der(&fs::read(folder.join("certificate.pem"))?)?,
            key: RsaKeyPair::from_pkcs8(&fs::read(folder.join("key.der"))?)?,
            random: SystemRandom::new(),
            now: Timestamp::from_unix_ms(u64::try_from(now.as_millis())?)?,
        })
    }

    pub(crate) fn sign(&self, document: &[u8]) -> Outcome<Vec<u8>> {
        let plan = pades::prepare(document, &self.certificate, &[], &Options::new(self.now))?;
        let mut value = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &self.random, plan.signed_attributes(), &mut value)?;
        Ok([document, &plan.embed(&value)?].concat())
    }
}

/// CPU time of this process.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
