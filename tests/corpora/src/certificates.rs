//! Certificates that others made: every byte kept, and the same reading as the `x509-cert` crate.

use std::path::Path;

use rubrica_core::x509::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::Outcome;
use crate::expected::Expected;
use crate::sources::{File, Sources, files_below};
use crate::tally::Tally;

/// Where distributions put the roots of the world.
const SYSTEM_ROOTS: &[&str] = &["/usr/share/ca-certificates", "/etc/ssl/certs"];

pub(crate) fn run(sources: &Sources, tally: &mut Tally) -> Outcome<()> {
    let expected = Expected::parse(include_str!("../expected/certificates.txt"));
    let mut files = sources.files("crates/vendor", &["der", "crt", "pem"], 60)?;
    let roots = SYSTEM_ROOTS.iter().map(Path::new).find(|folder| folder.is_dir());
    files.extend(files_below(
        roots.ok_or("the system's ca-certificates are missing")?,
        &["crt", "pem"],
        100,
    )?);
    for file in &files {
        let bytes = file.read()?;
        tally.case(&file.name, || check(file, &bytes, &expected));
    }
    for stale in expected.stale(|case| files.iter().any(|file| file.name == case)) {
        tally.case(stale, || Err("explained, but there is no such file".to_owned()));
    }
    Ok(())
}

/// Reads one file with both. The corpora also hold keys, requests and broken certificates: both refuse those.
fn check(file: &File, bytes: &[u8], expected: &Expected) -> Result<(), String> {
    let ours = Certificate::bundle_from_bytes(bytes);
    let theirs = read_by_x509_cert(bytes);
    let verdict = |count: Option<usize>| count.map_or("refused".to_owned(), |count| format!("{count} read"));
    let (our_count, their_count) = (ours.as_ref().ok().map(Vec::len), theirs.as_ref().map(Vec::len));
    expected.check(&file.name, &verdict(our_count), &verdict(their_count))?;
    for certificate in ours.iter().flatten() {
        check_views(certificate)?;
    }
    for (certificate, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
        check_agreement(certificate, theirs)?;
    }
    Ok(())
}

fn read_by_x509_cert(bytes: &[u8]) -> Option<Vec<x509_cert::Certificate>> {
    let read = if bytes.first() == Some(&0x30) {
        x509_cert::Certificate::from_der(bytes).map(|only| vec![only])
    } else {
        x509_cert::Certificate::load_pem_chain(bytes)
    };
    read.ok().filter(|certificates| !certificates.is_empty())
}

/// Everything that can be asked of a certificate has an answer or an error with words.
fn check_views(certificate: &Certificate) -> Result<(), String> {
    let again = Certificate::from_der(certificate.der()).map_err(|error| format!("read again: {error}"))?;
    if again.der() != certificate.der() || again.sha256() != certificate.sha256() {
        return Err("read again, it is another one".to_owned());
    }
    let view = certificate.view();
    if view.serial.is_empty() || view.sha256.len() != 64 {
        return Err(format!("serial `{}`, SHA-256 `{}`", view.serial, view.sha256));
    }
    match certificate.public_key() {
        Ok(key) if key.describe().is_empty() => Err("a key without a description".to_owned()),
        Err(error) if error.to_string().is_empty() => Err("a key is refused without a reason".to_owned()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn check_agreement(ours: &Certificate, theirs: &x509_cert::Certificate) -> Result<(), String> {
    let tbs = &theirs.tbs_certificate;
    let validity =
        [tbs.validity.not_before, tbs.validity.not_after].map(|t| t.to_unix_duration().as_millis());
    if [ours.not_before(), ours.not_after()].map(|t| u128::from(t.unix_ms())) != validity {
        return Err(format!(
            "valid {} to {}, they say {:?}",
            ours.not_before(),
            ours.not_after(),
            tbs.validity
        ));
    }
    let serial: String = tbs.serial_number.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    if ours.serial_hex().trim_start_matches('0') != serial.trim_start_matches('0') {
        return Err(format!("serial {}, they say {serial}", ours.serial_hex()));
    }
    let key = tbs.subject_public_key_info.to_der().map_err(|error| error.to_string())?;
    if ours.public_key_der() != key {
        return Err("the public keys differ".to_owned());
    }
    Ok(())
}
