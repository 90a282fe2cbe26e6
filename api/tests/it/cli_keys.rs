//! Keys in PKCS#12 files, made and judged by openssl.

use std::path::Path;
use std::process::Command;

use crate::support::{Ran, memory_folder, rubrica, testdata};

const PASSWORD: &str = "senha-de-teste";

/// Runs openssl in a folder.
fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    output.status.success()
}

/// Makes `key.p12` with a self-signed certificate `certificate.pem` for signing.
fn make_key(folder: &Path, kind: &[&str]) {
    let request =
        ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=KEY TEST", "-keyout", "key.pem", "-out"];
    let extensions =
        ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature"];
    let arguments: Vec<&str> =
        request.iter().chain(&["certificate.pem"]).chain(&extensions).chain(kind).copied().collect();
    assert!(openssl(folder, &arguments), "{kind:?}");
    let password = format!("pass:{PASSWORD}");
    let export =
        ["pkcs12", "-export", "-inkey", "key.pem", "-in", "certificate.pem", "-out", "key.p12", "-passout"];
    assert!(openssl(folder, &[&export[..], &[&password]].concat()));
}

fn sign(folder: &Path, output: &str, format: &str) -> Ran {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (document, p12, output) = (testdata("contract.pdf"), path("key.p12"), path(output));
    rubrica(
        &["sign", document.to_str().unwrap(), "--p12", &p12, "--format", format, "-o", &output],
        &[("RUBRICA_P12_PASSWORD", PASSWORD)],
    )
}

#[test]
fn every_kind_of_key_signs_and_openssl_agrees() {
    for (name, kind) in [
        ("rsa_pkcs1_sha256", &["-newkey", "rsa:3072"][..]),
        ("ecdsa_sha256", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("ecdsa_sha256", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("ed25519", &["-newkey", "ed25519"]),
    ] {
        let folder = memory_folder();
        make_key(folder.path(), kind);
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let trust = file("certificate.pem");
        for (format, output) in [("pades", "signed.pdf"), ("cades", "signed.p7s")] {
            let ran = sign(folder.path(), output, format);
            assert_eq!(ran.code, 0, "{kind:?} {format}: {ran:?}");
            let (signed, document) = (file(output), testdata("contract.pdf"));
            let content =
                if format == "cades" { &["--content", document.to_str().unwrap()][..] } else { &[] };
            let arguments = [&["verify", "--json", &signed, "--trust", &trust][..], content].concat();
            let verified = rubrica(&arguments, &[]);
            assert_eq!(verified.code, 0, "{kind:?} {format}: {verified:?}");
            assert_eq!(verified.json()[0]["report"]["signatures"][0]["signature_algorithm"], name);
        }
        let document = testdata("contract.pdf");
        let verify = [
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "DER",
            "-in",
            "signed.p7s",
            "-content",
            document.to_str().unwrap(),
            "-CAfile",
            "certificate.pem",
            "-purpose",
            "any",
            "-out",
            "content",
        ];
        // OpenSSL reads Ed25519 in CMS from version 3.2 on, which Debian 12 does not have.
        assert!(name == "ed25519" || openssl(folder.path(), &verify), "{kind:?}");
    }
}

#[test]
fn other_kinds_of_keys_are_refused_with_their_code() {
    for kind in [
        &["-newkey", "rsa:1024"][..],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
        &["-newkey", "ed448"],
    ] {
        let folder = memory_folder();
        make_key(folder.path(), kind);
        sign(folder.path(), "signed.pdf", "pades").assert_error(3, "key_unsupported");
        assert!(!folder.path().join("signed.pdf").exists());
    }
}
