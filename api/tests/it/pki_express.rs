//! Signatures that PKI Express makes around the values of our token, against the stand-in for it.

use std::process::Command;
use std::time::{Duration, Instant};

use rubrica_core::validation::{Content, Indication, validate_cms, validate_pdf};
use serde_json::{Value, json};

use crate::batches;
use crate::hsm_signatures::{context, contract};
use crate::support::pkie::{Pkie, files_below, is_running};
use crate::support::{ANA, Client, Instance, Options, PADARIA, template, testdata};

/// Longest time for something to happen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Enough for the stand-in on a busy machine, and soon over.
const SOON: &str = "timeout_ms = 8000";

/// Begins a signature with Ana's key and gives its end.
fn sign(session: &Client, bytes: &[u8], format: &str) -> (String, Value) {
    let id = session.sign_by_token(&session.upload(bytes), format);
    let signature = session.wait(&id);
    (id, signature)
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// openssl verifies a detached CMS with the demo's root.
#[track_caller]
pub(crate) fn openssl_accepts(cms: &[u8], content: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let (signature, file) = (folder.path().join("a.p7s"), folder.path().join("a"));
    std::fs::write(&signature, cms).unwrap();
    std::fs::write(&file, content).unwrap();
    let pki = template().join("data/pki");
    let output = Command::new("openssl")
        .args(["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-out", "/dev/null", "-in"])
        .args([&signature, std::path::Path::new("-content"), &file])
        .arg("-CAfile")
        .arg(pki.join("root.pem"))
        .arg("-certfile")
        .arg(pki.join("intermediates.pem"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// poppler finds one good signature.
#[track_caller]
pub(crate) fn pdfsig_accepts(pdf: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.pdf");
    std::fs::write(&file, pdf).unwrap();
    let output = Command::new("pdfsig").arg("-nocert").arg(&file).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(told.matches("Signature Validation: Signature is Valid.").count(), 1, "{told}");
    assert!(told.contains("Total document signed"), "{told}");
}

#[test]
fn a_pdf_and_a_file_are_made_by_it_and_judged_by_others() {
    let pkie = Pkie::install();
    let secret = "TEST-proxy-password";
    let mut instance = pkie.configure("", "proxy_password_file = \"secrets/pkie-proxy\"");
    std::fs::write(instance.data().join("secrets/pkie-proxy"), secret).unwrap();
    instance.run(&Options::default());
    let session = instance.session(ANA);

    let (pdf, signature) = sign(&session, &contract(), "pades");
    assert_eq!(signature["state"], "released", "{signature}");
    let signed = session.content(&pdf);
    assert!(signed.starts_with(&contract()));
    assert!(signed.windows(12).any(|part| part.starts_with(b"/T (TEST")), "the stand-in named the field");
    let report = validate_pdf(&signed, &context()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    pdfsig_accepts(&signed);

    let (file, signature) = sign(&session, b"TEST: any file", "cades");
    assert_eq!(signature["state"], "released", "{signature}");
    let cms = session.content(&file);
    let report = validate_cms(&cms, Content::Bytes(b"TEST: any file"), &context()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    openssl_accepts(&cms, b"TEST: any file");

    assert_eq!(pkie.commands(), ["start-pades", "complete-sig", "start-cades", "complete-sig"]);
    for call in pkie.calls() {
        let names: Vec<_> =
            call["environment"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let ours = ["HOME", "LANG", "PATH", "TMPDIR", "pkie__proxyPassword"];
        // The last three are of the shell and of Python, which the stand-in is made of.
        let known = |name: &&str| {
            ours.contains(name)
                || ["PWD", "OLDPWD", "_", "SHLVL", "LC_CTYPE", "RUBRICA_PKIE_STAND_IN"].contains(name)
        };
        assert!(names.iter().all(known), "{names:?}");
        assert!(ours.iter().all(|name| names.contains(name)), "{names:?}");
        assert!(!call["arguments"].to_string().contains(secret), "{call}");
    }
    assert!(!instance.log().contains(secret));
    let left = files_below(&instance.data().join("work"));
    assert!(left.iter().all(|path| path.ends_with("lock") || path.is_dir()), "{left:?}");
    assert!(!left.iter().any(|path| path.to_str().unwrap().contains("job-")), "{left:?}");
}

#[test]
fn the_policy_that_was_asked_for_is_declared_and_no_other_is_taken() {
    let pkie = Pkie::install();
    let instance = pkie.instance("", "");
    let session = instance.session(ANA);
    for format in ["cades", "pades"] {
        let body = json!({
            "document_id": session.upload(&contract()), "custody": "hsm", "format": format, "policy": "ad_rb",
        });
        let id = session.post("/v1/signatures", &body).json()["id"].as_str().unwrap().to_owned();
        let signature = session.wait(&id);
        assert_eq!(signature["state"], "released", "{signature}");
        let content = session.content(&id);
        let report = match format {
            "cades" => validate_cms(&content, Content::Bytes(&contract()), &context()),
            _ => validate_pdf(&content, &context()),
        };
        let policy = report.unwrap().signatures[0].policy.clone().unwrap();
        assert!(policy.name.unwrap().contains("AD-RB"), "{format}");
    }
    for call in pkie.calls().iter().filter(|call| call["arguments"][0] != "complete-sig") {
        assert!(call["arguments"].to_string().contains("\"--policy\",\"adrb\""), "{call}");
    }
}

#[test]
fn what_it_does_not_make_our_own_code_makes_and_judges() {
    let pkie = Pkie::install();
    let instance = pkie.instance("", "");
    // An elliptic key, and wishes about the PDF.
    let company = instance.session(PADARIA);
    assert_eq!(sign(&company, &contract(), "pades").1["state"], "released");
    let ana = instance.session(ANA);
    let body = json!({
        "document_id": ana.upload(&contract()), "custody": "hsm", "format": "pades", "pdf": { "reason": "TEST" },
    });
    let id = ana.post("/v1/signatures", &body).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(ana.wait(&id)["state"], "released");
    for (bytes, code) in [
        (b"not a PDF at all".to_vec(), "not_a_pdf"),
        (std::fs::read(testdata("certified.pdf")).unwrap(), "pdf_signing_forbidden"),
    ] {
        assert_eq!(sign(&ana, &bytes, "pades").1["problem"]["code"], code);
    }
    assert_eq!(pkie.commands(), [] as [&str; 0]);
}

#[test]
fn each_tenant_has_its_own() {
    let pkie = Pkie::install();
    let tenants = "[composer.tenants]\ndemo-portal = \"own\"";
    let instance = pkie.instance(tenants, "");
    assert_eq!(sign(&instance.session(ANA), &contract(), "pades").1["state"], "released");
    assert_eq!(pkie.commands(), [] as [&str; 0]);
}

#[test]
fn nothing_is_released_but_the_signature_that_was_asked_for() {
    let pkie = Pkie::install();
    let instance = pkie.instance("", "");
    let session = instance.session(ANA);
    for (faults, format, code) in [
        (&["wrong-document"][..], "cades", "composer_answer_invalid"),
        (&["wrong-document"], "pades", "composer_answer_invalid"),
        (&["-", "other-value"], "cades", "composer_answer_invalid"),
        (&["-", "other-value"], "pades", "composer_answer_invalid"),
        (&["-", "half"], "cades", "composer_answer_invalid"),
        (&["-", "half"], "pades", "composer_answer_invalid"),
        (&["-", "garbage"], "cades", "composer_answer_invalid"),
        (&["garbage"], "cades", "composer_answer_invalid"),
        (&["sha1"], "cades", "composer_answer_invalid"),
        (&["no-transfer"], "cades", "composer_answer_invalid"),
        (&["chatty"], "cades", "composer_answer_invalid"),
        (&["flood"], "cades", "composer_answer_invalid"),
        (&["exit-1"], "cades", "composer_answer_invalid"),
        (&["exit-14"], "cades", "composer_refused"),
        (&["-", "exit-8"], "cades", "composer_refused"),
    ] {
        pkie.next(faults);
        let (id, signature) = sign(&session, &contract(), format);
        assert_eq!(signature["state"], "failed", "{faults:?} {signature}");
        assert_eq!(signature["problem"]["code"], code, "{faults:?} {signature}");
        session.get(&format!("/v1/signatures/{id}/content")).assert_problem(409, "signature_state_conflict");
    }
    // What it wrote, names among it, is nowhere.
    let log = instance.log();
    assert!(!log.contains("52998224725") && !log.contains("ANA BEATRIZ"));
    let left = files_below(&instance.data().join("work"));
    assert!(!left.iter().any(|path| path.to_str().unwrap().contains("job-")), "{left:?}");
    assert_eq!(sign(&session, &contract(), "pades").1["state"], "released", "the next one is made");
}

#[test]
fn one_that_hangs_or_crashes_is_ended_and_asked_again_without_another_use_of_the_key() {
    let pkie = Pkie::install();
    let instance = pkie.instance("", SOON);
    let session = instance.session(ANA);
    pkie.next(&["hang", "crash", "exit-17", "-", "hang", "crash"]);
    let id = session.sign_by_token(&session.upload(&contract()), "cades");
    until("it is released", || session.wait(&id)["state"] == "released");
    let hung = std::fs::read_to_string(pkie.path("hanging")).unwrap();
    assert!(hung.split_whitespace().all(|pid| !is_running(pid)), "{hung}");
    let commands = pkie.commands();
    assert_eq!(commands.iter().filter(|command| *command == "start-cades").count(), 4);
    let values: std::collections::HashSet<_> = pkie
        .calls()
        .iter()
        .filter(|call| call["arguments"][0] == "complete-sig")
        .map(|call| call["arguments"][3].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((commands.len(), values.len()), (7, 1), "three completions of one value");
}

#[test]
fn one_that_is_not_activated_or_not_there_is_waited_for_and_then_given_up() {
    let pkie = Pkie::install();
    let instance = pkie.instance("patience_seconds = 1", "");
    let session = instance.session(ANA);
    std::fs::write(pkie.path("not-activated"), "").unwrap();
    let problem = sign(&session, &contract(), "pades").1["problem"].clone();
    assert_eq!(problem["code"], "composer_unavailable", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("17 (NotActivated)"), "{problem}");
    std::fs::remove_file(pkie.path("not-activated")).unwrap();
    assert!(pkie.commands().len() > 1, "it was asked more than once");

    std::fs::rename(pkie.path("pkie"), pkie.path("elsewhere")).unwrap();
    let id = session.sign_by_token(&session.upload(&contract()), "pades");
    instance.log_with("cannot be started");
    std::fs::rename(pkie.path("elsewhere"), pkie.path("pkie")).unwrap();
    assert_eq!(session.wait(&id)["state"], "released");
}

#[test]
fn what_a_killed_server_leaves_is_ended_and_removed_by_the_next() {
    let pkie = Pkie::install();
    let mut instance = pkie.instance("", "");
    let session = instance.session(ANA);
    pkie.next(&["hang"]);
    let id = session.sign_by_token(&session.upload(&contract()), "pades");
    until("it hangs", || {
        std::fs::read_to_string(pkie.path("hanging")).is_ok_and(|text| text.ends_with('\n'))
    });
    instance.kill();
    let hung = std::fs::read_to_string(pkie.path("hanging")).unwrap();
    assert!(hung.split_whitespace().all(is_running), "they outlive a server that is killed");
    let work = instance.data().join("work/pki-express");
    let documents = || files_below(&work).into_iter().filter(|path| path.ends_with("document")).count();
    assert_eq!(documents(), 1);

    instance.run(&Options::default());
    until("the leftovers are ended", || !hung.split_whitespace().any(is_running));
    let session = instance.caller(session.token.as_deref());
    assert_eq!(session.wait(&id)["state"], "released");
    until("the folders are empty", || documents() == 0);
}

#[test]
fn a_batch_is_made_by_it_and_its_digests_by_our_own_code() {
    let pkie = Pkie::install();
    let instance = pkie.instance("", "processes = 3");
    let backend = instance.backend();
    let mut manifest = vec![
        json!({ "key_id": batches::rsa_key(&instance), "format": "cades", "reference": "TEST" }).to_string(),
    ];
    for number in 1..=50 {
        let id = backend.upload(&batches::text(number));
        manifest.push(json!({ "reference": format!("item-{number}"), "document_id": id }).to_string());
    }
    let sha256 = rubrica_core::digest::Digest::sha256(&batches::text(51)).to_hex();
    manifest.push(json!({ "reference": "item-51", "sha256": sha256 }).to_string());
    let id = batches::submit(&backend, &manifest.join("\n"));
    let batch = batches::wait(&backend, &id);
    assert_eq!((&batch["state"], &batch["counts"]["released"]), (&json!("completed"), &json!(51)), "{batch}");
    for (item, number) in batches::items(&backend, &id).iter().zip(1..) {
        let cms = backend.content(item["signature_id"].as_str().unwrap());
        let report = validate_cms(&cms, Content::Bytes(&batches::text(number)), &context()).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{report}");
    }
    let commands = pkie.commands();
    let count = |name: &str| commands.iter().filter(|command| *command == name).count();
    assert_eq!((count("start-cades"), count("complete-sig")), (50, 50));
}

#[test]
fn an_item_of_a_batch_fails_alone_and_one_that_waits_is_made_later() {
    let pkie = Pkie::install();
    let instance = pkie.instance("", "processes = 1");
    let backend = instance.backend();
    pkie.next(&["exit-14", "crash"]);
    let mut manifest = vec![json!({ "key_id": batches::rsa_key(&instance), "format": "pades" }).to_string()];
    for number in 1..=3 {
        let id = backend.upload(&contract());
        manifest.push(json!({ "reference": format!("item-{number}"), "document_id": id }).to_string());
    }
    let id = batches::submit(&backend, &manifest.join("\n"));
    let batch = batches::wait(&backend, &id);
    assert_eq!(batch["state"], "completed_with_errors", "{batch}");
    let items = batches::items(&backend, &id);
    let failed: Vec<_> = items.iter().filter(|item| item["state"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{items:?}");
    assert_eq!(failed[0]["problem"]["code"], "composer_refused");
    for item in items.iter().filter(|item| item["state"] == "released") {
        pdfsig_accepts(&backend.content(item["signature_id"].as_str().unwrap()));
    }
}

#[test]
fn a_batch_goes_on_with_what_was_pinned_when_the_configuration_changes() {
    let pkie = Pkie::install();
    let mut instance = pkie.instance("", "");
    let backend = instance.backend();
    pkie.next(&["-", "hang"]);
    let document = backend.upload(&batches::text(1));
    let manifest = format!(
        "{}\n{}",
        json!({ "key_id": batches::rsa_key(&instance), "format": "cades" }),
        json!({ "reference": "item-1", "document_id": document })
    );
    let id = batches::submit(&backend, &manifest);
    until("it hangs", || pkie.path("hanging").exists());
    instance.kill();
    // The tenant signs with our own code from now on.
    let file = instance.data().join("rubrica.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[composer.tenants]\ndemo-portal = \"own\"\n")).unwrap();
    instance.run(&Options::default());
    let backend = instance.backend();
    assert_eq!(batches::wait(&backend, &id)["state"], "completed");
    assert_eq!(pkie.commands(), ["start-cades", "complete-sig", "complete-sig"]);
}

#[test]
fn settings_that_cannot_be_are_refused_at_the_start() {
    let instance: Instance = Pkie::install().configure("", "processes = 0");
    let data = instance.data().join("rubrica.toml");
    let checked = crate::support::rubrica(&["config", "check", "--config", data.to_str().unwrap()], &[]);
    assert_ne!(checked.code, 0);
    assert!(
        checked.stderr.contains("config_invalid") && checked.stderr.contains("pki_express.processes"),
        "{checked:?}"
    );
}
