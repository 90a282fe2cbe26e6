//! Judged by openssl, which knows nothing of this program.

use std::path::Path as FilePath;
use std::process::Command;

use super::*;
use crate::adapters::clock::SystemClock;
use crate::demo::pki::Pki;

/// Runs openssl and gives what it says.
fn openssl(folder: &FilePath, arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[test]
fn lists_bundles_and_time_stamps_are_what_openssl_expects() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let pki = Pki::create(SystemClock.now()).unwrap();
    let stored = pki.stored();
    let all = stored.iter().map(|one| Authority::read(one).unwrap()).collect();
    let authorities = Authorities { all, revoked: place.join("revoked"), clock: Arc::new(SystemClock) };
    let pem = |name: &str, kind: &str, der: &[u8]| {
        let text = format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", wrapped(der));
        fs::write(place.join(name), text).unwrap();
    };
    for authority in &authorities.all {
        pem(&format!("{}.pem", authority.name), "CERTIFICATE", &authority.certificate);
    }

    fs::write(place.join("revoked"), "0badc0de\n").unwrap();
    pem("list.pem", "X509 CRL", &authorities.list("ac-demo.crl").unwrap());
    let text =
        openssl(place, &["crl", "-in", "list.pem", "-noout", "-text", "-CAfile", "ac-demo.pem", "-verify"]);
    assert!(text.contains("verify OK") && text.contains("Serial Number: 0BADC0DE"), "{text}");
    assert!(authorities.list("other.crl").is_none() && authorities.list("ac-demo.pem").is_none());

    fs::write(place.join("bundle.p7b"), authorities.issuers("ac-demo.p7b").unwrap()).unwrap();
    let text = openssl(place, &["pkcs7", "-inform", "DER", "-in", "bundle.p7b", "-print_certs", "-noout"]);
    assert!(text.contains("AC Demo TEST v1"), "{text}");

    fs::write(place.join("document"), "contract").unwrap();
    openssl(place, &["ts", "-query", "-data", "document", "-sha256", "-cert", "-out", "query"]);
    let reply = authorities.stamp(&fs::read(place.join("query")).unwrap()).unwrap();
    fs::write(place.join("reply"), reply).unwrap();
    let untrusted =
        ["ac-multipla.pem", "ac-demo.pem"].map(|file| fs::read_to_string(place.join(file)).unwrap());
    fs::write(place.join("chain.pem"), untrusted.concat()).unwrap();
    let verify = [
        "ts",
        "-verify",
        "-queryfile",
        "query",
        "-in",
        "reply",
        "-CAfile",
        "raiz.pem",
        "-untrusted",
        "chain.pem",
    ];
    assert!(openssl(place, &verify).contains("Verification: OK"));
    assert!(authorities.stamp(b"nonsense").is_none());
}

fn wrapped(der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
}
