use std::path::Path;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::support::{Instance, LocalKey, memory_folder, rubrica, template, testdata};

const PASSWORD: (&str, &str) = ("RUBRICA_P12_PASSWORD", "senha-de-teste");

/// Signs `file` with a PKCS#12 file of the test data into `out`.
fn sign(file: &Path, p12: &str, out: &Path, more: &[&str]) -> crate::support::Ran {
    let p12 = testdata(p12);
    let mut arguments =
        vec!["sign", file.to_str().unwrap(), "-o", out.to_str().unwrap(), "--p12", p12.to_str().unwrap()];
    arguments.extend(more);
    rubrica(&arguments, &[PASSWORD])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_kind_of_pkcs12_file_signs() {
    let folder = memory_folder();
    let trust = testdata("untrusted.crt");
    for p12 in ["signer.p12", "signer-legacy.p12", "signer-3des.p12"] {
        let out = folder.path().join(format!("{p12}.pdf"));
        assert_eq!(sign(&testdata("contract.pdf"), p12, &out, &[]).code, 0);
        let verified = rubrica(&["verify", text(&out), "--trust", text(&trust)], &[]);
        assert_eq!(verified.code, 0, "{verified:?}");
        assert!(verified.stdout.contains("COMMAND LINE SIGNER TEST"));
    }
    let out = folder.path().join("ec.pdf");
    assert_eq!(sign(&testdata("contract.pdf"), "ec.p12", &out, &[]).code, 0);
    let verified = rubrica(&["verify", "--json", text(&out)], &[]);
    assert_eq!(verified.json()[0]["report"]["signatures"][0]["signature_algorithm"], "ecdsa_sha256");
}

#[test]
fn the_exit_code_of_verify_is_the_verdict() {
    let folder = memory_folder();
    let signed = folder.path().join("signed.pdf");
    assert_eq!(sign(&testdata("contract.pdf"), "signer.p12", &signed, &[]).code, 0);
    let trust = testdata("untrusted.crt");
    let verify = |file: &Path| rubrica(&["verify", text(file), "--trust", text(&trust)], &[]);
    assert_eq!(verify(&signed).code, 0);
    // Not a root of ICP-Brasil.
    assert_eq!(rubrica(&["verify", text(&signed)], &[]).code, 2);
    assert_eq!(
        rubrica(&["verify", text(&signed), "--trust", text(&trust), "--at", "2020-01-01T00:00:00Z"], &[])
            .code,
        2
    );
    let mut bytes = std::fs::read(&signed).unwrap();
    bytes[20] ^= 1;
    let flipped = folder.path().join("flipped.pdf");
    std::fs::write(&flipped, bytes).unwrap();
    assert_eq!(verify(&flipped).code, 1);
    verify(&testdata("contract.pdf")).assert_error(3, "not_signed");
    verify(&testdata("truncated.pdf")).assert_error(3, "pdf_damaged");
    verify(&testdata("signer.p12")).assert_error(3, "cms_malformed");
    verify(&folder.path().join("absent.pdf")).assert_error(3, "file_unreadable");
    // Of several files, the worst counts; each has its report.
    let report = folder.path().join("report.json");
    let absent = folder.path().join("absent.pdf");
    let several = rubrica(
        &[
            "verify",
            "--json",
            text(&signed),
            text(&flipped),
            text(&absent),
            "--trust",
            text(&trust),
            "--report",
            text(&report),
        ],
        &[],
    );
    assert_eq!(several.code, 1);
    let results = several.json();
    assert_eq!(results[0]["indication"], "passed");
    assert_eq!(results[1]["indication"], "failed");
    assert_eq!(results[2]["error"]["code"], "file_unreadable");
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(report).unwrap()).unwrap(), results);
}

#[test]
fn a_detached_signature_needs_its_content() {
    let folder = memory_folder();
    let out = folder.path().join("contract.p7s");
    let contract = testdata("contract.pdf");
    assert_eq!(sign(&contract, "signer.p12", &out, &["--format", "cades"]).code, 0);
    let trust = testdata("untrusted.crt");
    rubrica(&["verify", text(&out)], &[]).assert_error(3, "content_required");
    let with = |content: &Path| {
        rubrica(&["verify", text(&out), "--trust", text(&trust), "--content", text(content)], &[]).code
    };
    assert_eq!(with(&contract), 0);
    assert_eq!(with(&testdata("truncated.pdf")), 1);
    rubrica(&["verify", text(&out), text(&out), "--content", text(&contract)], &[]).assert_error(3, "usage");
}

#[test]
fn what_cannot_be_signed_says_why_and_writes_nothing() {
    let folder = memory_folder();
    let out = folder.path().join("out.pdf");
    let contract = testdata("contract.pdf");
    sign(&testdata("README.md"), "signer.p12", &out, &[]).assert_error(3, "not_a_pdf");
    sign(&testdata("encrypted.pdf"), "signer.p12", &out, &[]).assert_error(3, "pdf_encrypted");
    sign(&testdata("truncated.pdf"), "signer.p12", &out, &[]).assert_error(3, "pdf_damaged");
    sign(&testdata("xfa.pdf"), "signer.p12", &out, &[]).assert_error(3, "pdf_unsupported");
    sign(&testdata("certified.pdf"), "signer.p12", &out, &[]).assert_error(1, "pdf_signing_forbidden");
    sign(&contract, "expired.p12", &out, &[]).assert_error(1, "certificate_expired");
    sign(&contract, "no-key.p12", &out, &[]).assert_error(3, "p12_malformed");
    sign(&contract, "contract.pdf", &out, &[]).assert_error(3, "p12_malformed");
    sign(&contract, "absent.p12", &out, &[]).assert_error(3, "file_unreadable");
    sign(Path::new("absent.pdf"), "signer.p12", &out, &[]).assert_error(3, "file_unreadable");
    sign(&contract, "signer.p12", &folder.path().join("absent/out.pdf"), &[])
        .assert_error(3, "file_unwritable");
    for p12 in ["signer.p12", "signer-legacy.p12", "signer-3des.p12"] {
        let p12 = testdata(p12);
        let arguments = ["sign", text(&contract), "-o", text(&out), "--p12", text(&p12)];
        rubrica(&arguments, &[("RUBRICA_P12_PASSWORD", "wrong")]).assert_error(3, "wrong_password");
        rubrica(&arguments, &[]).assert_error(3, "usage");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_password_may_come_from_a_file() {
    let folder = memory_folder();
    let password = folder.path().join("password");
    std::fs::write(&password, "senha-de-teste\n").unwrap();
    let (contract, p12, out) =
        (testdata("contract.pdf"), testdata("signer.p12"), folder.path().join("out.pdf"));
    let arguments =
        ["sign", text(&contract), "-o", text(&out), "--p12", text(&p12), "--password-file", text(&password)];
    assert_eq!(rubrica(&arguments, &[]).code, 0);
    assert!(out.exists());
}

#[test]
fn an_input_is_never_written_over() {
    let folder = memory_folder();
    let file = folder.path().join("contract.pdf");
    std::fs::copy(testdata("contract.pdf"), &file).unwrap();
    sign(&file, "signer.p12", &file, &[]).assert_error(3, "usage");
    let detour = folder.path().join("../").join(folder.path().file_name().unwrap()).join("contract.pdf");
    sign(&file, "signer.p12", &detour, &[]).assert_error(3, "usage");
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(testdata("contract.pdf")).unwrap());
}

#[test]
fn a_key_of_an_instance_signs_several_files_beside_its_server() {
    let instance = Instance::start();
    let data = instance.data();
    let listed = rubrica(&["keys", "list", "--json", "--data", text(&data)], &[]).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let folder = memory_folder();
    let out = folder.path().join("signed");
    let contract = testdata("contract.pdf");
    let copy = folder.path().join("copy.pdf");
    std::fs::copy(&contract, &copy).unwrap();
    let trust = data.join("pki/root.pem");
    for key in listed.as_array().unwrap() {
        let ran = rubrica(
            &[
                "sign",
                "--json",
                text(&contract),
                text(&copy),
                "-o",
                text(&out),
                "--key",
                key["id"].as_str().unwrap(),
                "--data",
                text(&data),
            ],
            &[],
        );
        assert_eq!(ran.code, 0, "{ran:?}");
        for signed in ran.json().as_array().unwrap() {
            let verified = rubrica(
                &[
                    "verify",
                    signed["output"].as_str().unwrap(),
                    "--without-revocation",
                    "--trust",
                    text(&trust),
                ],
                &[],
            );
            assert_eq!(verified.code, 0, "{verified:?}");
        }
    }
    // The use of the key is on record.
    let used: i64 = instance
        .database()
        .query_row("SELECT count(*) FROM signature JOIN session ON session.id = session_id WHERE session.expires_at = session.created_at AND state = 'released'", [], |row| row.get(0))
        .unwrap();
    // Sessions without a page: four, and the sample of the template.
    assert_eq!(used, 5);

    let sign = |key: &str| {
        rubrica(&["sign", text(&contract), "-o", text(&out), "--key", key, "--data", text(&data)], &[])
    };
    sign("key_nonsense").assert_error(3, "key_not_found");
    sign("key_00112233445566778899aabbccddeeff").assert_error(3, "key_not_found");
}

#[test]
fn misuse_is_exit_code_3_and_one_line() {
    for arguments in [
        &["frobnicate"][..],
        &["sign", "a.pdf"],
        &["sign", "a.pdf", "-o", "b.pdf"],
        &["sign", "a.pdf", "-o", "b.pdf", "--p12", "x", "--key", "y"],
        &["sign", "a.pdf", "-o", "b.pdf", "--p12", "x", "--level", "lta"],
        &["verify"],
        &["verify", "a.pdf", "--at", "yesterday"],
        &["demo", "--port", "70000"],
    ] {
        rubrica(arguments, &[]).assert_error(3, "usage");
    }
    assert_eq!(rubrica(&[], &[]).code, 3);
    for arguments in [&["--help"][..], &["--version"], &["sign", "--help"]] {
        let ran = rubrica(arguments, &[]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    }
    let ran = rubrica(&["sign", "--json"], &[]);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.code, &error["error"]["code"]), (3, &json!("usage")));
}

#[test]
fn certificates_are_shown_without_their_numbers() {
    let root = template().join("data/pki/intermediates.pem");
    let shown = rubrica(&["certificate", "show", "--json", text(&root)], &[]).json();
    assert_eq!(shown.as_array().unwrap().len(), 2);
    assert_eq!(shown[0]["holder"]["name"], "AC Demo Multipla TEST v1");
    let text_form = rubrica(&["certificate", "show", text(&testdata("untrusted.crt"))], &[]);
    assert!(text_form.stdout.contains("COMMAND LINE SIGNER TEST"), "{text_form:?}");
    rubrica(&["certificate", "show", text(&testdata("contract.pdf"))], &[])
        .assert_error(3, "certificate_malformed");
}

#[test]
fn a_certificate_is_shown_with_its_key_its_policy_and_the_way_to_its_root() {
    let folder = memory_folder();
    let file = folder.path().join("signer.der");
    std::fs::write(&file, Base64::decode_vec(&LocalKey::all()[0].certificate).unwrap()).unwrap();
    let data = template().join("data");
    let (root, intermediates) = (data.join("pki/root.pem"), data.join("pki/intermediates.pem"));
    let show = |file: &Path, more: &[&str]| {
        rubrica(&[&["certificate", "show", "--json", text(file)], more].concat(), &[]).json()
    };
    // The instance completes the chain.
    let shown = show(&file, &["--data", text(&data)]);
    let signer = &shown[0];
    assert_eq!(
        (&signer["trusted"], signer["chain"].as_array().unwrap().len()),
        (&json!(true), 3),
        "{signer}"
    );
    assert_eq!(signer["chain"][0]["holder"]["name"], signer["issuer"]);
    assert_eq!(signer["chain"][2]["issuer"], signer["chain"][2]["holder"]["name"]);
    assert_eq!((&signer["key"], &signer["holder_kind"]), (&json!("RSA-2048"), &json!("person")));
    assert!(signer["policy"].as_str().unwrap().starts_with("2.16.76.1.2."), "{signer}");
    // So do certificates in the file, as far as they go; the roots of ICP-Brasil are not above these.
    let both = folder.path().join("both.pem");
    let pem = pem_of(&file);
    std::fs::write(&both, [pem.as_bytes(), &std::fs::read(&intermediates).unwrap()].concat()).unwrap();
    let shown = show(&both, &["--trust", text(&root)]);
    assert_eq!((&shown[0]["trusted"], shown[0]["chain"].as_array().unwrap().len()), (&json!(true), 3));
    let shown = show(&both, &[]);
    assert_eq!((&shown[0]["trusted"], shown[0]["chain"].as_array().unwrap().len()), (&json!(false), 2));
    assert!(shown[0]["path_problem"].is_string());
    let shown = show(&root, &["--trust", text(&root)]);
    assert_eq!((&shown[0]["trusted"], &shown[0]["chain"]), (&json!(true), &json!([])));

    let told = rubrica(&["certificate", "show", text(&file), "--data", text(&data)], &[]).stdout;
    for line in
        ["kind         person", "policy       2.16.76.1.2.", "key          RSA-2048", "trusted      yes"]
    {
        assert!(told.contains(line), "{told}");
    }
    assert_eq!(told.matches("\nchain ").count(), 3, "{told}");
    let weak = show(&testdata("weak-key.crt"), &[]);
    assert!(weak[0]["key_problem"].is_string() && weak[0]["key"].is_null(), "{weak}");
}

/// PEM of a file in DER.
fn pem_of(der: &Path) -> String {
    let base64 = Base64::encode_string(&std::fs::read(der).unwrap());
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[test]
fn the_configuration_is_checked_and_printed() {
    let folder = memory_folder();
    let file = folder.path().join("rubrica.toml");
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:9\"\n").unwrap();
    assert_eq!(rubrica(&["config", "check", "--config", text(&file)], &[]).code, 0);
    let printed = rubrica(&["config", "print", "--config", text(&file)], &[("RUBRICA_TOKEN_PIN", "123456")]);
    assert!(printed.stdout.contains("listen = \"127.0.0.1:9\""));
    assert!(printed.stdout.contains("***") && !printed.stdout.contains("123456"));

    std::fs::write(&file, "[server]\nlisten_on = \"x\"\n").unwrap();
    rubrica(&["config", "check", "--config", text(&file)], &[]).assert_error(3, "config_invalid");
    std::fs::write(&file, "[trust]\nanchors = [\"absent.pem\"]\n").unwrap();
    rubrica(&["config", "check", "--config", text(&file)], &[]).assert_error(3, "file_unreadable");
    rubrica(&["config", "check", "--config", "/nonexistent"], &[]).assert_error(3, "config_invalid");
    rubrica(&["serve", "--config", text(&file)], &[]).assert_error(3, "file_unreadable");
}

#[test]
fn the_doctor_names_what_is_wrong() {
    let findings = |arguments: &[&str], variables: &[(&str, &str)]| {
        let ran = rubrica(&[&["doctor", "--json"], arguments].concat(), variables);
        (ran.code, ran.json())
    };
    let finding = |findings: &Value, check: &str| {
        findings.as_array().unwrap().iter().find(|finding| finding["check"] == check).unwrap().clone()
    };
    let mut instance = Instance::start();
    let data = instance.data();
    instance.terminate();
    let here = ["--data", text(&data)];
    let free = ("RUBRICA_SERVER_LISTEN", "127.0.0.1:0");
    let (code, healthy) = findings(&here, &[free]);
    assert_eq!(code, 0, "{healthy}");

    let (code, sick) = findings(&here, &[free, ("RUBRICA_PKCS11_MODULE", "/nonexistent")]);
    assert_eq!(code, 1);
    assert_eq!(finding(&sick, "pkcs11_module")["code"], "pkcs11_module_missing");
    let (_, sick) = findings(&here, &[free, ("RUBRICA_TOKEN_PIN", "wrong")]);
    assert_eq!(finding(&sick, "token")["code"], "token_pin_rejected");
    let (_, sick) = findings(&here, &[free, ("RUBRICA_TOKEN_LABEL", "elsewhere")]);
    assert_eq!(finding(&sick, "token")["code"], "token_unavailable");
    let (_, sick) = findings(&here, &[free, ("RUBRICA_TRUST_ANCHORS", "")]);
    assert_eq!(finding(&sick, "trust")["code"], "config_invalid");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (_, sick) = findings(&here, &[("RUBRICA_SERVER_LISTEN", &taken.local_addr().unwrap().to_string())]);
    assert_eq!(finding(&sick, "port")["code"], "port_in_use");
    let (_, sick) = findings(&[], &[("RUBRICA_DATA_FOLDER", "/proc/rubrica")]);
    assert_eq!(finding(&sick, "data_folder")["code"], "data_folder_unwritable");

    // A token without a key for health checks gets one.
    let missing = ("RUBRICA_TOKEN_CANARY_LABEL", "another-canary");
    let (code, sick) = findings(&here, &[free, missing]);
    assert_eq!((code, &finding(&sick, "token")["code"]), (1, &json!("key_not_found")));
    let fix = ["--fix", "--data", text(&data)];
    assert_eq!(findings(&fix, &[free, missing]).0, 0);
    assert_eq!(findings(&here, &[free, missing]).0, 0);
}

#[test]
fn a_data_folder_is_made_by_the_first_server_and_understood_by_the_next() {
    let folder = memory_folder();
    let data = folder.path().join("data");
    let variables = [
        ("RUBRICA_DATA_FOLDER", text(&data)),
        ("RUBRICA_LOG_LEVEL", "error"),
        ("RUBRICA_SERVER_LISTEN", "192.0.2.1:1"),
    ];
    // The port comes first: nothing is made for a server that cannot listen.
    rubrica(&["serve"], &variables).assert_error(3, "config_invalid");
    assert!(!data.exists());
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("FORMAT"), "rubrica data folder, format 99\n").unwrap();
    let variables = [
        ("RUBRICA_DATA_FOLDER", text(&data)),
        ("RUBRICA_LOG_LEVEL", "error"),
        ("RUBRICA_SERVER_LISTEN", "127.0.0.1:0"),
    ];
    rubrica(&["serve"], &variables).assert_error(3, "data_folder_unknown");
    rubrica(&["keys", "list", "--data", text(&data)], &[]).assert_error(3, "data_folder_unknown");
    rubrica(&["serve"], &[("RUBRICA_DATA_FOLDER", "/proc/rubrica"), variables[1], variables[2]])
        .assert_error(3, "data_folder_unwritable");
}
