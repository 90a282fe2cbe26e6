//! Levels, shapes and options of `rubrica sign`, and what `rubrica verify` makes of them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use crate::support::{Instance, Options, Ran, memory_folder, rubrica, testdata};

/// Signs with the self-signed test key.
fn sign(file: &Path, output: &Path, arguments: &[&str]) -> Ran {
    let p12 = testdata("signer.p12");
    let fixed = ["sign", text(file), "-o", text(output), "--p12", text(&p12)];
    rubrica(&[&fixed[..], arguments].concat(), &[("RUBRICA_P12_PASSWORD", "senha-de-teste")])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The first signature as `verify` reports it, with the signer's certificate as anchor.
fn report(signed: &Path, content: Option<&Path>) -> (i32, serde_json::Value) {
    let trust = testdata("untrusted.crt");
    let content = content.map(text);
    let content: Vec<&str> = content.iter().flat_map(|content| ["--content", content]).collect();
    first(&rubrica(
        &[&["verify", "--json", text(signed), "--trust", text(&trust)], &content[..]].concat(),
        &[],
    ))
}

fn first(ran: &Ran) -> (i32, serde_json::Value) {
    (ran.code, ran.json()[0]["report"]["signatures"][0].clone())
}

#[test]
fn a_file_is_signed_with_a_time_stamp_of_the_named_authority() {
    let demo = Instance::start_demo(0);
    let tsa = format!("{}/act", demo.url().replace("localhost", "127.0.0.1"));
    let root = demo.data().join("pki/root.pem");
    let folder = memory_folder();
    let contract = testdata("contract.pdf");
    for format in ["pades", "cades"] {
        let signed = folder.path().join(format);
        let options = ["--format", format, "--level", "t", "--tsa", &tsa, "--trust", text(&root)];
        let ran = sign(&contract, &signed, &options);
        assert_eq!(ran.code, 0, "{ran:?}");
        // The chain of the authority and its lists are fetched, from where the demo publishes them.
        let (signer, port) = (testdata("untrusted.crt"), demo.url().rsplit_once(':').unwrap().1.to_owned());
        let mirror = format!("pki-test.rubrica.invalid=127.0.0.1:{port}");
        let mut verify = vec!["verify", "--json", text(&signed), "--trust", text(&root), text(&signer)];
        if format == "cades" {
            verify.extend(["--content", text(&contract)]);
        }
        let ran = rubrica(&verify, &[("RUBRICA_FETCH_MIRRORS", &mirror)]);
        let (code, report) = first(&ran);
        assert_eq!((code, report["level"].as_str()), (0, Some("t")), "{report:#}");
        assert_eq!(report["proven_time"]["authority"], "Autoridade de Carimbo do Tempo TEST v1");
    }
}

#[test]
fn an_authority_that_is_silent_or_wrong_has_codes_of_their_own() {
    let folder = memory_folder();
    let (contract, out) = (testdata("contract.pdf"), folder.path().join("out.pdf"));
    sign(&contract, &out, &["--level", "t"]).assert_error(1, "time_stamp_unavailable");
    sign(&contract, &out, &["--level", "t", "--tsa", "http://127.0.0.1:1/"])
        .assert_error(1, "time_stamp_unavailable");
    sign(&contract, &out, &["--level", "t", "--tsa", "ftp://127.0.0.1/"]).assert_error(3, "config_invalid");
    // PKIStatus rejection; and something that is no answer at all.
    for (answer, code) in [
        (&b"\x30\x05\x30\x03\x02\x01\x02"[..], "time_stamp_unavailable"),
        (b"nonsense", "time_stamp_invalid"),
    ] {
        let tsa = authority(answer);
        sign(&contract, &out, &["--level", "t", "--tsa", &tsa]).assert_error(1, code);
    }
    assert!(!out.exists());
}

/// An authority on loopback that always gives this answer.
fn authority(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
            let _ = stream.write_all(&[head.as_bytes(), answer].concat());
        }
    });
    url
}

#[test]
fn a_cms_envelops_its_file_and_takes_further_signatures() {
    let folder = memory_folder();
    let contract = testdata("contract.pdf");
    let file = |name: &str| folder.path().join(name);
    let cades = |input: &Path, output: &str, more: &[&str]| {
        let ran = sign(input, &file(output), &[&["--format", "cades"][..], more].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        file(output)
    };
    let enveloping = cades(&contract, "enveloping.p7m", &["--enveloping"]);
    assert_eq!(report(&enveloping, None).0, 0);
    let both = cades(&enveloping, "both.p7m", &["--co-sign"]);
    let trust = testdata("untrusted.crt");
    let ran = rubrica(&["verify", "--json", text(&both), "--trust", text(&trust)], &[]);
    assert_eq!(
        (ran.code, ran.json()[0]["report"]["signatures"].as_array().unwrap().len()),
        (0, 2),
        "{ran:?}"
    );

    let detached = cades(&contract, "detached.p7s", &["--detached"]);
    sign(&detached, &file("x"), &["--format", "cades", "--co-sign"]).assert_error(3, "content_required");
    let content = ["--co-sign", "--content", text(&contract)];
    let co_signed = cades(&detached, "co-signed.p7s", &content);
    assert_eq!(report(&co_signed, Some(&contract)).0, 0);
    let countersigned =
        cades(&detached, "countersigned.p7s", &["--counter-sign", "--content", text(&contract)]);
    let (code, first) = report(&countersigned, Some(&contract));
    assert_eq!((code, first["counter_signatures"].as_array().unwrap().len()), (0, 1), "{first:#}");
    sign(&contract, &file("x"), &["--co-sign"]).assert_error(3, "usage");
    sign(&contract, &file("x"), &["--format", "cades", "--field", "A"]).assert_error(3, "usage");
}

#[test]
fn a_pdf_is_signed_in_a_field_with_a_policy_and_where_everybody_sees_it() {
    let folder = memory_folder();
    let contract = testdata("contract.pdf");
    let out = folder.path().join("out.pdf");
    let options =
        ["--new-field", "Aprovador", "--visible", "1:10,10,150,40", "--policy", "ad-rb", "--certify", "2"];
    let ran = sign(&contract, &out, &options);
    assert_eq!(ran.code, 0, "{ran:?}");
    let (_, report) = report(&out, None);
    assert_eq!(report["field"], "Aprovador");
    assert!(report["policy"].is_object(), "{report:#}");
    let signed = std::fs::read(&out).unwrap();
    assert!(String::from_utf8_lossy(&signed).contains("/DocMDP"));
    let again = folder.path().join("again.pdf");
    sign(&contract, &again, &["--field", "Nobody"]).assert_error(3, "signature_field_not_found");
    sign(&out, &again, &["--field", "Aprovador"]).assert_error(3, "signature_field_unusable");
    sign(&contract, &again, &["--visible", "1:0,0,9000,10"]).assert_error(3, "appearance_invalid");
    sign(&contract, &again, &["--policy", "ad-rv"]).assert_error(3, "policy_not_applicable");
    sign(&contract, &again, &["--policy", "ad-rt", "--level", "b"]).assert_error(3, "policy_not_applicable");
}

#[test]
fn without_revocation_data_a_long_term_signature_waits_and_then_fails_with_its_code() {
    let demo = Instance::start_demo(0);
    let tsa = format!("{}/act", demo.url().replace("localhost", "127.0.0.1"));
    let variables = [
        ("RUBRICA_TSA_URL", tsa.as_str()),
        ("RUBRICA_TSA_PATIENCE_SECONDS", "0"),
        ("RUBRICA_FETCH_MIRRORS", "pki-test.rubrica.invalid=127.0.0.1:1"),
    ];
    let instance = Instance::start_with(&Options { variables: &variables });
    let session = instance.session(crate::support::ANA);
    let document = session.upload(&crate::hsm_signatures::contract());
    let request =
        serde_json::json!({ "document_id": document, "custody": "hsm", "format": "cades", "level": "lt" });
    let answer = session.post("/v1/signatures", &request);
    let signature = session.wait(answer.json()["id"].as_str().unwrap());
    assert_eq!(signature["problem"]["code"], "revocation_unknown", "{signature:#}");
}

#[test]
fn the_report_speaks_portuguese_and_verify_can_stay_offline() {
    let folder = memory_folder();
    let out = folder.path().join("out.pdf");
    assert_eq!(sign(&testdata("contract.pdf"), &out, &[]).code, 0);
    let trust = testdata("untrusted.crt");
    let ran =
        rubrica(&["verify", text(&out), "--trust", text(&trust), "--offline", "--language", "pt-BR"], &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("válida"), "{}", ran.stdout);
}
