//! Encrypted PDFs: at the command line with their password, in the API when they open without one.

use std::path::{Path, PathBuf};

use rubrica_core::pdf::File;
use rubrica_core::validation::{Indication, validate_pdf};
use serde_json::json;

use crate::hsm_signatures::context;
use crate::support::{ANA, BRUNO, Instance, LocalKey, Ran, memory_folder, rubrica, testdata};

const P12_PASSWORD: (&str, &str) = ("RUBRICA_P12_PASSWORD", "senha-de-teste");

/// A file of core's test data: `Senha` opens it for the user, `dono` for its owner.
fn encrypted(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/testdata/pdf").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn sign(file: &Path, out: &Path, more: &[&str], pdf_password: Option<&str>) -> Ran {
    let p12 = testdata("signer.p12");
    let fixed = ["sign", text(file), "-o", text(out), "--p12", text(&p12)];
    let mut variables = vec![P12_PASSWORD];
    variables.extend(pdf_password.map(|password| ("RUBRICA_PDF_PASSWORD", password)));
    rubrica(&[&fixed[..], more].concat(), &variables)
}

fn verify(file: &Path, more: &[&str], pdf_password: Option<&str>) -> Ran {
    let trust = testdata("untrusted.crt");
    let fixed = ["verify", text(file), "--trust", text(&trust), "--offline"];
    let variables: Vec<_> =
        pdf_password.map(|password| ("RUBRICA_PDF_PASSWORD", password)).into_iter().collect();
    rubrica(&[&fixed[..], more].concat(), &variables)
}

#[test]
fn with_its_password_an_encrypted_pdf_is_signed_and_verified() {
    let folder = memory_folder();
    for (name, password) in [
        ("encrypted/rc4-40.pdf", "Senha"),
        ("encrypted/rc4-128.pdf", "dono"),
        ("encrypted/aes-128.pdf", "Senha"),
        ("encrypted/aes-256.pdf", "dono"),
        ("encrypted/aes-256-accents.pdf", "dono"),
    ] {
        let out = folder.path().join("out.pdf");
        let ran = sign(&encrypted(name), &out, &[], Some(password));
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        assert!(!format!("{ran:?}").contains(password), "{ran:?}");
        assert_eq!(verify(&out, &[], Some(password)).code, 0, "{name}");
        // The result is as closed as the document was.
        verify(&out, &[], None).assert_error(3, "pdf_encrypted");
    }
}

#[test]
fn the_password_of_a_pdf_may_come_from_a_file() {
    let folder = memory_folder();
    let (password, out) = (folder.path().join("password"), folder.path().join("out.pdf"));
    std::fs::write(&password, "Senha\n").unwrap();
    let option = ["--pdf-password-file", text(&password)];
    // The file comes before the variable.
    assert_eq!(sign(&encrypted("encrypted/aes-256.pdf"), &out, &option, Some("x")).code, 0);
    assert_eq!(verify(&out, &option, Some("x")).code, 0);
    let absent = ["--pdf-password-file", "/nonexistent"];
    sign(&encrypted("encrypted/aes-256.pdf"), &out, &absent, None).assert_error(3, "file_unreadable");
    verify(&out, &absent, None).assert_error(3, "file_unreadable");
}

#[test]
fn a_pdf_that_opens_without_a_password_needs_none() {
    let folder = memory_folder();
    let files =
        [testdata("open-rc4-128.pdf"), testdata("open-aes-128.pdf"), encrypted("encrypted-aes256.pdf")];
    for file in files {
        let out = folder.path().join("out.pdf");
        // An empty variable is one that is not set.
        for password in [None, Some("")] {
            assert_eq!(sign(&file, &out, &[], password).code, 0, "{file:?}");
            assert_eq!(verify(&out, &[], password).code, 0, "{file:?}");
        }
    }
    // A plain file does not mind the password of another.
    let out = folder.path().join("plain.pdf");
    assert_eq!(sign(&testdata("contract.pdf"), &out, &[], Some("Senha")).code, 0);
    assert_eq!(verify(&out, &[], Some("Senha")).code, 0);
}

#[test]
fn a_missing_and_a_wrong_password_have_codes_of_their_own_and_say_what_to_do() {
    let folder = memory_folder();
    let out = folder.path().join("out.pdf");
    for name in
        ["rc4-40.pdf", "rc4-128.pdf", "rc4-128-v4.pdf", "aes-128.pdf", "aes-256-r5.pdf", "aes-256.pdf"]
    {
        let file = encrypted("encrypted").join(name);
        for (password, code) in [
            (None, "pdf_encrypted"),
            (Some(""), "pdf_encrypted"),
            (Some("senha"), "pdf_password_wrong"),
            (Some("Senha "), "pdf_password_wrong"),
            (Some("\u{1f511}"), "pdf_password_wrong"),
        ] {
            for ran in [sign(&file, &out, &[], password), verify(&file, &[], password)] {
                ran.assert_error(3, code);
                assert!(ran.stderr.contains("RUBRICA_PDF_PASSWORD or --pdf-password-file"), "{ran:?}");
            }
        }
    }
    sign(&encrypted("encrypted-aes256.pdf"), &out, &[], Some("x")).assert_error(3, "pdf_password_wrong");
    // The owner may still sign what forbids changes; the user may not.
    let closed = encrypted("encrypted/aes-256-no-changes.pdf");
    sign(&closed, &out, &[], None).assert_error(1, "pdf_signing_forbidden");
    assert!(!out.exists());
    assert_eq!(sign(&closed, &out, &[], Some("dono")).code, 0);
    // As any file it is signed beside, whatever is in it.
    let beside = folder.path().join("out.p7s");
    assert_eq!(sign(&encrypted("encrypted/aes-256.pdf"), &beside, &["--format", "cades"], None).code, 0);
}

#[test]
fn a_key_of_an_instance_signs_an_encrypted_pdf_and_keeps_no_password() {
    let instance = Instance::start();
    let data = instance.data();
    let keys = rubrica(&["keys", "list", "--json", "--data", text(&data)], &[]).json();
    let key = keys[0]["id"].as_str().unwrap();
    let folder = memory_folder();
    let (file, out) = (encrypted("encrypted/aes-128.pdf"), folder.path().join("out.pdf"));
    let arguments = ["sign", text(&file), "-o", text(&out), "--key", key, "--data", text(&data)];
    rubrica(&arguments, &[]).assert_error(3, "pdf_encrypted");
    rubrica(&arguments, &[("RUBRICA_PDF_PASSWORD", "x")]).assert_error(3, "pdf_password_wrong");
    let ran = rubrica(&arguments, &[("RUBRICA_PDF_PASSWORD", "dono")]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let signed = std::fs::read(&out).unwrap();
    let report = validate_pdf(File::from(&signed[..]).with_password("Senha"), &context()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    let options: Option<String> = instance
        .database()
        .query_row("SELECT options FROM signature WHERE state = 'released'", [], |row| row.get(0))
        .unwrap();
    assert!(!options.unwrap_or_default().contains("dono"));
}

#[test]
fn every_revision_of_a_long_term_signature_is_written_with_the_password() {
    let demo = Instance::start_demo(0);
    let tsa = format!("{}/act", demo.url().replace("localhost", "127.0.0.1"));
    let port = demo.url().rsplit_once(':').unwrap().1.to_owned();
    let mirror = format!("pki-test.rubrica.invalid=127.0.0.1:{port}");
    let variables =
        [P12_PASSWORD, ("RUBRICA_PDF_PASSWORD", "Senha"), ("RUBRICA_FETCH_MIRRORS", mirror.as_str())];
    let (root, signer, p12) =
        (demo.data().join("pki/root.pem"), testdata("untrusted.crt"), testdata("signer.p12"));
    let trust = ["--trust", text(&root), text(&signer)];
    let folder = memory_folder();
    for (name, level) in
        [("../plain.pdf", "lt"), ("rc4-128.pdf", "lt"), ("aes-128.pdf", "lta"), ("aes-256.pdf", "lta")]
    {
        let (file, out) = (encrypted("encrypted").join(name), folder.path().join("out.pdf"));
        let sign =
            ["sign", text(&file), "-o", text(&out), "--p12", text(&p12), "--level", level, "--tsa", &tsa];
        let ran = rubrica(&[&sign[..], &trust].concat(), &variables);
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        let verify = ["verify", "--json", text(&out), "--offline"];
        let ran = rubrica(&[&verify[..], &trust].concat(), &variables);
        let report = &ran.json()[0]["report"]["signatures"][0];
        assert_eq!((ran.code, report["level"].as_str()), (0, Some(level)), "{name}: {report:#}");
    }
}

#[test]
fn the_api_takes_encrypted_pdfs_that_open_without_a_password() {
    let instance = Instance::start();
    let (session, backend) = (instance.session(ANA), instance.backend());
    let validate = |body: &[u8]| {
        backend.send("POST", "/v1/validations", &[("content-type", "application/pdf")], Some(body))
    };
    let open = std::fs::read(encrypted("encrypted-aes256.pdf")).unwrap();
    let id = session.sign_by_token(&session.upload(&open), "pades");
    assert_eq!(session.wait(&id)["state"], "released");
    let answer = validate(&session.content(&id));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(answer.json()["report"]["signatures"][0]["indication"], "failed");

    let closed = std::fs::read(encrypted("encrypted/aes-256.pdf")).unwrap();
    validate(&closed).assert_problem(422, "pdf_encrypted");
    let id = session.sign_by_token(&session.upload(&closed), "pades");
    assert_eq!(session.wait(&id)["problem"]["code"], "pdf_encrypted");
    let bruno = instance.session(BRUNO);
    let body = json!({
        "document_id": bruno.upload(&closed), "custody": "local", "format": "pades",
        "certificate": LocalKey::all()[0].certificate,
    });
    bruno.post("/v1/signatures", &body).assert_problem(422, "pdf_encrypted");
}
