//! Whole orders: everybody signs, and the files hold.

use std::process::Command;

use rubrica_core::validation::{Content, Indication, validate_cms, validate_pdf};
use serde_json::{Value, json};

use crate::hsm_signatures::{context, contract};
use crate::support::{ANA, BRUNO, Instance, LocalKey, SELO, Signing, value};

/// Judges a PDF by our validation and by poppler's `pdfsig`: so many signatures, every one of them good.
#[track_caller]
pub(crate) fn assert_signed(bytes: &[u8], signatures: usize) {
    let report = validate_pdf(bytes, &context()).unwrap();
    assert_eq!(report.signatures.len(), signatures);
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("signed.pdf");
    std::fs::write(&file, bytes).unwrap();
    let output = Command::new("pdfsig")
        .arg("-nocert")
        .arg(&file)
        .output()
        .expect("pdfsig comes with `apt-get install poppler-utils`");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.matches("Signature is Valid").count(), signatures, "{text}");
    assert_eq!(text.matches("Signature #").count(), signatures, "{text}");
}

#[test]
fn three_people_sign_two_pdfs_one_after_the_other() {
    let instance = Instance::start();
    let backend = instance.backend();
    let documents = [backend.upload(&contract()), backend.upload(&contract())];
    let ids: Vec<&str> = documents.iter().map(String::as_str).collect();
    let signing = Signing::open(&instance, &ids, &[BRUNO, ANA, SELO], &json!({}));
    let keys = LocalKey::all();
    let (bruno, ana, selo) = (signing.session(0), signing.session(1), signing.session(2));

    signing.sign_by_person(&bruno, ids[0], "pades", &keys[0]);
    assert_eq!(signing.states().1, ["ready", "waiting", "waiting"], "the second document is missing");
    signing.sign_by_person(&bruno, ids[1], "pades", &keys[0]);
    assert_eq!(signing.states().1, ["signed", "ready", "waiting"]);
    signing.sign_by_token(&ana, ids[1], "pades");
    let second = signing.sign_by_token(&ana, ids[0], "pades");
    signing.sign_by_person(&selo, ids[0], "pades", &keys[1]);
    let last = signing.sign_by_person(&selo, ids[1], "pades", &keys[1]);

    assert_eq!(signing.states(), ("completed".to_owned(), vec!["signed".to_owned(); 3]));
    assert_eq!(
        signing.events(),
        [
            "order.created",
            "participant.ready",
            "participant.signed",
            "participant.ready",
            "participant.signed",
            "participant.ready",
            "participant.signed",
            "order.completed",
        ]
    );
    for id in &ids {
        let whole = signing.content(&backend, id);
        assert!(whole.starts_with(&contract()));
        assert_signed(&whole, 3);
    }
    assert_eq!(selo.content(&last), signing.content(&backend, ids[1]), "the last artefact is the whole file");
    assert_signed(&ana.content(&second), 2);
    let shown = backend.get(&format!("/v1/signatures/{last}")).json();
    assert_eq!(
        (&shown["order_id"], &shown["participant_id"]),
        (&json!(signing.id()), &json!(signing.participant(2)))
    );
    // What was uploaded is what it was.
    assert_eq!(backend.get(&format!("/v1/documents/{}/content", ids[0])).body, contract());
    // Everybody may look at the end, and nobody sign again.
    assert_eq!(signing.session(0).get(&signing.path()).json()["state"], "completed");
    let body = json!({ "document_id": ids[0], "custody": "hsm", "format": "pades" });
    signing.session(1).post("/v1/signatures", &body).assert_problem(409, "order_state_conflict");
}

#[test]
fn people_sign_one_pdf_at_the_same_time_and_the_slower_begins_again() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let signing = Signing::open(&instance, &[&document], &[BRUNO, SELO], &json!({ "flow": "parallel" }));
    let keys = LocalKey::all();
    let (bruno, selo) = (signing.session(0), signing.session(1));
    let slower = signing.begin(&bruno, &document, "pades", &keys[0]);
    let signed_in_vain = value(&slower, &contract(), "pades", &keys[0]);
    signing.sign_by_person(&selo, &document, "pades", &keys[1]);

    let path = format!("/v1/signatures/{}", slower["id"].as_str().unwrap());
    for _ in 0..2 {
        bruno
            .post(&format!("{path}/complete"), &json!({ "signature_value": signed_in_vain }))
            .assert_problem(409, "order_state_conflict");
    }
    assert_eq!(bruno.get(&path).json()["problem"]["code"], "order_state_conflict");
    assert_eq!(signing.states().0, "open");
    signing.sign_by_person(&bruno, &document, "pades", &keys[0]);
    assert_eq!(signing.states().0, "completed");
    assert_signed(&signing.content(&backend, &document), 2);
}

#[test]
fn of_many_tries_at_once_every_one_that_counts_is_in_the_file() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let people = [BRUNO, ANA, SELO];
    let signing = Signing::open(&instance, &[&document], &people, &json!({ "flow": "parallel" }));
    let keys = LocalKey::all();
    std::thread::scope(|scope| {
        for (index, key) in [(0, Some(&keys[0])), (1, None), (2, Some(&keys[1]))] {
            let (signing, document, session) = (&signing, &document, signing.session(index));
            scope.spawn(move || while !try_to_sign(signing, &session, document, key) {});
        }
    });
    assert_eq!(signing.states().0, "completed");
    assert_signed(&signing.content(&backend, &document), 3);
    let completed = signing.events().into_iter().filter(|name| name == "order.completed");
    assert_eq!(completed.count(), 1);
}

/// Whether this try was the one; any refusal must be the one that says to try again.
fn try_to_sign(
    signing: &Signing<'_>,
    session: &crate::support::Client,
    document: &str,
    key: Option<&LocalKey>,
) -> bool {
    let bytes = signing.content(session, document);
    let mut body = json!({ "document_id": document, "custody": "hsm", "format": "pades" });
    if let Some(key) = key {
        body["custody"] = json!("local");
        body["certificate"] = json!(key.certificate);
    }
    let answer = session.post("/v1/signatures", &body);
    if answer.status == 409 {
        answer.assert_problem(409, "order_state_conflict");
        return false;
    }
    let signature = answer.json();
    let id = signature["id"].as_str().unwrap();
    let Some(key) = key else {
        assert_eq!(session.wait(id)["state"], "released", "a key of the token is not used in vain");
        return true;
    };
    // The document may have moved on between the look and the begin: the SDK would refuse, as this does.
    let range = &signature["to_sign"]["revision"]["byte_range"];
    let appended = signature["to_sign"]["revision"]["appended"].as_str().unwrap().len() as u64 / 4 * 3;
    let total = range[2].as_u64().unwrap() + range[3].as_u64().unwrap();
    if total.abs_diff(bytes.len() as u64 + appended) > 2 {
        return false;
    }
    let value = value(&signature, &bytes, "pades", key);
    let answer = session.post(&format!("/v1/signatures/{id}/complete"), &json!({ "signature_value": value }));
    if answer.status == 409 {
        answer.assert_problem(409, "order_state_conflict");
    }
    answer.status == 200
}

#[test]
fn people_sign_beside_a_document_without_waiting() {
    let instance = Instance::start();
    let backend = instance.backend();
    let bytes = vec![9; 70_000];
    let document =
        backend.send("POST", "/v1/documents", &[], Some(&bytes)).json()["id"].as_str().unwrap().to_owned();
    let rules = json!({ "flow": "parallel", "rules": { "format": "cades", "policy": "ad_rb" } });
    let signing = Signing::open(&instance, &[&document], &[BRUNO, ANA], &rules);
    let key = &LocalKey::all()[0];
    let (bruno, ana) = (signing.session(0), signing.session(1));
    let prepared = signing.begin(&bruno, &document, "cades", key);
    let by_token = signing.sign_by_token(&ana, &document, "cades");
    let by_person = prepared["id"].as_str().unwrap().to_owned();
    assert_eq!(prepared["policy"], "ad_rb", "the order's, though nothing was said");
    let value = policy_value(&prepared, key);
    let answer =
        bruno.post(&format!("/v1/signatures/{by_person}/complete"), &json!({ "signature_value": value }));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(signing.states().0, "completed");
    for id in [by_token, by_person] {
        let cms = backend.get(&format!("/v1/signatures/{id}/content")).body;
        let report = validate_cms(&cms, Content::Bytes(&bytes), &context()).unwrap();
        assert_eq!((report.signatures.len(), report.overall()), (1, Indication::Passed), "{report}");
    }
    assert_eq!(signing.content(&backend, &document), bytes);
}

/// Signs the digest as it is given: the check of the SDK takes no policy yet.
fn policy_value(signature: &Value, key: &LocalKey) -> String {
    key.sign_digest(signature["to_sign"]["digest"].as_str().unwrap())
}
