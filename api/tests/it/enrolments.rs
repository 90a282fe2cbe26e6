//! How a key comes into the token. The demo's authority issues from the requests.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::enrolment_imports::{File, PASSWORD, import};
use crate::hsm_signatures::contract;
use crate::support::{ANA, BRUNO, Client, Instance, Options, postgres, rubrica};

/// Longest time for something to happen by itself on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_first_key_is_made_certified_and_signs() {
    let instance = Instance::start_demo(0);
    let before = token_objects(&instance);
    for (algorithm, key) in [("rsa", "RSA-2048"), ("ec", "P-256")] {
        let bruno = instance.session(BRUNO);
        let enrolment = begin(&bruno, algorithm);
        assert_eq!(enrolment["state"], "awaiting_certificate");
        let csr = enrolment["csr"].as_str().unwrap();
        assert!(openssl_verifies(csr), "{csr}");
        let path = path(&enrolment);

        // A reload: another session of the same person goes on.
        let bruno = instance.session(BRUNO);
        assert_eq!(bruno.get("/v1/enrolments").json()["items"][0]["id"], enrolment["id"]);
        let certificate = issue(&instance, "bruno", csr);
        let answer = bruno.post(&format!("{path}/certificate"), &json!({ "certificate": certificate }));
        assert_eq!(answer.status, 200, "{answer:?}");
        let done = answer.json();
        assert_eq!(done["state"], "completed");
        assert_eq!(done["certificate"]["key"], key);
        assert_eq!(done["certificate"]["holder"]["name"], BRUNO.1);
        assert_eq!(bruno.get(&path).json(), done);

        let again = bruno.post(&format!("{path}/certificate"), &json!({ "certificate": certificate }));
        again.assert_problem(409, "enrolment_state_conflict");
        bruno.post(&format!("{path}/cancel"), &json!({})).assert_problem(409, "enrolment_state_conflict");
    }
    // Each has a private key, a public key and a certificate there.
    assert_eq!(token_objects(&instance), before + 6);
    let bruno = instance.session(BRUNO);
    assert_eq!(bruno.get("/v1/custody").json()["custody"], "hsm");
    let signature = bruno.wait(&bruno.sign_by_token(&bruno.upload(&contract()), "pades"));
    assert_eq!(signature["state"], "released", "{signature}");

    let told = told(&instance, 8);
    let of_one = ["consent.given", "enrolment.created", "key.stored", "enrolment.completed"];
    assert_eq!(told, [of_one, of_one].concat());
    assert!(!instance.log().contains(BRUNO.0));
}

#[test]
fn the_old_key_stays_until_it_is_retired() {
    let instance = Instance::start_demo(0);
    let ana = instance.session(ANA);
    let old = ana.get("/v1/custody").json()["key"]["id"].clone();
    let new = enrol(&instance, &ana, "ana");
    assert_ne!(old, new["key_id"]);
    let states: Vec<String> = {
        let database = instance.database();
        let mut found = database.prepare("SELECT state FROM signing_key WHERE id IN (?1, ?2)").unwrap();
        let ids = [old.as_str().unwrap(), new["key_id"].as_str().unwrap()];
        found.query_map(ids, |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(states, ["active", "active"]);
}

#[test]
fn nothing_is_left_of_an_enrolment_that_is_taken_back() {
    let instance = Instance::start();
    let before = token_objects(&instance);
    let bruno = instance.session(BRUNO);
    let enrolment = begin(&bruno, "ec");
    assert_eq!(token_objects(&instance), before + 2);
    instance.session(ANA).get(&path(&enrolment)).assert_problem(404, "not_found");
    for _ in 0..2 {
        let answer = bruno.post(&format!("{}/cancel", path(&enrolment)), &json!({}));
        assert_eq!((answer.status, answer.json()["state"].as_str()), (200, Some("cancelled")), "{answer:?}");
        assert_eq!(token_objects(&instance), before);
    }
    let certificate =
        json!({ "certificate": std::fs::read_to_string(instance.data().join("pki/root.pem")).unwrap() });
    bruno
        .post(&format!("{}/certificate", path(&enrolment)), &certificate)
        .assert_problem(409, "enrolment_state_conflict");
    assert_eq!(told(&instance, 3), ["consent.given", "enrolment.created", "enrolment.cancelled"]);
}

#[test]
fn a_crash_while_a_key_is_made_leaves_none() {
    let mut instance = Instance::start();
    let before = token_objects(&instance);
    let enrolment = begin(&instance.session(BRUNO), "ec");
    instance.kill();
    // As it is when the key is on the token and nobody has written so.
    let database = instance.database();
    let changed = database
        .execute("UPDATE enrolment SET state = 'creating', public_key = NULL, csr = NULL", [])
        .unwrap();
    assert_eq!((changed, token_objects(&instance)), (1, before + 2));
    instance.run(&Options::default());
    wait_until(|| token_objects(&instance) == before);
    wait_until(|| {
        let row = database.query_row("SELECT state, code, is_clean FROM enrolment", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        });
        row.unwrap() == ("failed".to_owned(), "internal".to_owned(), 1)
    });
    assert_eq!(instance.session(BRUNO).get(&path(&enrolment)).json()["state"], "failed");
    assert_eq!(told(&instance, 3)[2], "enrolment.failed");
}

#[test]
fn an_enrolment_ends_when_its_certificate_does_not_come() {
    let instance = Instance::start();
    let before = token_objects(&instance);
    let bruno = instance.session(BRUNO);
    let enrolment = begin(&bruno, "ec");
    instance.database().execute("UPDATE enrolment SET expires_at = 1", []).unwrap();
    let root = std::fs::read_to_string(instance.data().join("pki/root.pem")).unwrap();
    let late = bruno.post(&format!("{}/certificate", path(&enrolment)), &json!({ "certificate": root }));
    assert!(
        [(410, "enrolment_expired"), (409, "enrolment_state_conflict")]
            .contains(&(late.status, late.json()["code"].as_str().unwrap())),
        "{late:?}"
    );
    wait_until(|| bruno.get(&path(&enrolment)).json()["code"] == "enrolment_expired");
    wait_until(|| token_objects(&instance) == before);
}

#[test]
fn only_a_certificate_of_this_person_for_this_key_that_may_be_kept_is_taken() {
    let mut instance = Instance::start_demo(0);
    let bruno = instance.session(BRUNO);
    let (enrolment, other) = (begin(&bruno, "ec"), begin(&bruno, "ec"));
    let csr = |enrolment: &Value| enrolment["csr"].as_str().unwrap().to_owned();
    let bring = |client: &Client, certificate: &str| {
        client.post(&format!("{}/certificate", path(&enrolment)), &json!({ "certificate": certificate }))
    };
    bring(&bruno, "TEST").assert_problem(422, "certificate_malformed");
    bring(&bruno, &issue(&instance, "bruno", &csr(&other))).assert_problem(422, "certificate_key_mismatch");
    bring(&bruno, &issue(&instance, "ana", &csr(&enrolment))).assert_problem(422, "certificate_wrong_person");
    let right = issue(&instance, "bruno", &csr(&enrolment));

    instance.kill();
    instance.run(&Options { variables: &[("RUBRICA_CUSTODY_BASIS", "private_ca")] });
    bring(&instance.session(BRUNO), &right).assert_problem(403, "accreditation_required");
    instance.kill();
    instance.run(&Options { variables: &[("RUBRICA_CUSTODY_BASIS", "employees")] });
    assert_eq!(bring(&instance.session(BRUNO), &right).json()["state"], "completed");
}

#[test]
fn a_consent_that_is_withdrawn_stops_key_and_enrolment_at_once() {
    let instance = Instance::start_demo(0);
    let bruno = instance.session(BRUNO);
    let before = token_objects(&instance);
    let consent = consent(&bruno);
    let kept = json!({ "method": "generate", "consent_id": consent, "algorithm": "ec" });
    let first = bruno.post("/v1/enrolments", &kept).json();
    let certificate = issue(&instance, "bruno", first["csr"].as_str().unwrap());
    bruno.post(&format!("{}/certificate", path(&first)), &json!({ "certificate": certificate }));
    let waiting = bruno.post("/v1/enrolments", &kept).json();
    let document = bruno.upload(&contract());
    assert_eq!(bruno.get("/v1/custody").json()["custody"], "hsm");

    let withdraw = format!("/v1/consents/{consent}/withdraw");
    instance.session(ANA).post(&withdraw, &json!({})).assert_problem(404, "not_found");
    let withdrawn = bruno.post(&withdraw, &json!({})).json();
    assert!(withdrawn["withdrawn_at"].is_string(), "{withdrawn}");
    assert_eq!(bruno.post(&withdraw, &json!({})).json(), withdrawn, "once more changes nothing");

    assert_eq!(bruno.get("/v1/custody").json()["custody"], Value::Null);
    let sign = json!({ "document_id": document, "custody": "hsm", "format": "pades" });
    bruno.post("/v1/signatures", &sign).assert_problem(422, "key_not_found");
    assert_eq!(bruno.get(&path(&waiting)).json()["state"], "cancelled");
    bruno.post("/v1/enrolments", &kept).assert_problem(409, "consent_required");
    // The key of the cancelled one goes; that of the completed one stays, suspended.
    wait_until(|| token_objects(&instance) == before + 3);
    let told = told(&instance, 8);
    let key = bruno.get(&path(&first)).json()["key_id"].as_str().unwrap().to_owned();
    instance
        .backend()
        .post(&format!("/v1/keys/{key}/resume"), &json!({}))
        .assert_problem(409, "consent_required");
    let cli = rubrica(&["keys", "resume", &key, "--json", "--data", instance.data().to_str().unwrap()], &[]);
    cli.assert_json_error(cli.code, "consent_required");
    let suspended = instance.backend().get(&format!("/v1/keys/{key}")).json();
    assert_eq!(
        (&suspended["state"], &suspended["changed_code"]),
        (&json!("suspended"), &json!("consent_required"))
    );
    assert_eq!(told[5..], ["consent.withdrawn", "enrolment.cancelled", "key.suspended"]);
}

#[test]
fn what_the_tenant_does_not_offer_or_may_not_keep_is_not_begun() {
    let rules = "[custody.tenants.demo-portal]\noffers = [\"local\"]\n";
    let instance = Instance::start_with_config(rules);
    let refused = |instance: &Instance, code| {
        let bruno = instance.session(BRUNO);
        let body = json!({ "method": "generate", "consent_id": consent(&bruno) });
        bruno.post("/v1/enrolments", &body).assert_problem(403, code);
    };
    refused(&instance, "forbidden");
    let rules = "[custody.tenants.demo-portal]\nbasis = \"company\"\n";
    refused(&Instance::start_with_config(rules), "accreditation_required");
}

#[test]
fn many_keys_are_made_at_once_by_one_agent_and_prove_themselves_at_another() {
    let instance = Instance::start();
    let bruno = instance.session(BRUNO);
    let consent = consent(&bruno);
    let begun = std::thread::scope(|scope| {
        let make = || begin_under(&bruno, &consent, "ec")["state"].as_str().unwrap().to_owned();
        let making: Vec<_> = (0..12).map(|_| scope.spawn(make)).collect();
        making.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(begun, ["awaiting_certificate"; 12]);
}

#[test]
fn a_consent_is_to_a_text_of_ours() {
    let instance = Instance::start();
    let bruno = instance.session(BRUNO);
    let text = bruno.get("/v1/consents/texts").json()["items"][0].clone();
    let mut body =
        json!({ "text_version": text["text_version"], "language": "en", "text_sha256": text["text_sha256"] });
    bruno.post("/v1/consents", &body).assert_problem(409, "consent_required");
    body["language"] = text["language"].clone();
    let given = bruno.post("/v1/consents", &body);
    assert_eq!(given.status, 201, "{given:?}");
    let shown = bruno.get(given.header("location")).json();
    assert_eq!((&shown, &shown["text_sha256"]), (&given.json(), &text["text_sha256"]));
    let digest = rubrica_core::digest::Digest::sha256(text["text"].as_str().unwrap().as_bytes());
    assert_eq!(shown["text_sha256"], digest.to_hex());
}

/// Consent and enrolment up to the request for a certificate.
#[track_caller]
fn begin(client: &Client, algorithm: &str) -> Value {
    begin_under(client, &consent(client), algorithm)
}

#[track_caller]
pub(crate) fn begin_under(client: &Client, consent: &str, algorithm: &str) -> Value {
    let body = json!({ "method": "generate", "consent_id": consent, "algorithm": algorithm });
    let answer = client.post("/v1/enrolments", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

#[track_caller]
pub(crate) fn consent(client: &Client) -> String {
    let text = client.get("/v1/consents/texts").json()["items"][0].clone();
    let body = json!({ "text_version": text["text_version"], "language": text["language"], "text_sha256": text["text_sha256"] });
    let answer = client.post("/v1/consents", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// A certificate of the demo's authority, in PEM.
#[track_caller]
pub(crate) fn issue(instance: &Instance, person: &str, csr: &str) -> String {
    let port = instance.url().rsplit(':').next().unwrap();
    let demo = Client::new(&format!("http://localhost:{port}"), None);
    let answer = demo.post("/demo/certificates", &json!({ "person_id": person, "csr": csr }));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["certificate"].as_str().unwrap().to_owned()
}

/// A whole enrolment.
#[track_caller]
pub(crate) fn enrol(instance: &Instance, client: &Client, person: &str) -> Value {
    let enrolment = begin(client, "ec");
    let certificate = issue(instance, person, enrolment["csr"].as_str().unwrap());
    let answer =
        client.post(&format!("{}/certificate", path(&enrolment)), &json!({ "certificate": certificate }));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub(crate) fn path(enrolment: &Value) -> String {
    format!("/v1/enrolments/{}", enrolment["id"].as_str().unwrap())
}

/// Types of the events about consents, enrolments and keys, once there are this many.
#[track_caller]
pub(crate) fn told(instance: &Instance, count: usize) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let body = instance.backend().get("/v1/events?wait_ms=1000").body;
        let types: Vec<String> = std::str::from_utf8(&body)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
            .filter(|name| ["consent.", "enrolment.", "key."].iter().any(|kind| name.starts_with(kind)))
            .collect();
        if types.len() >= count {
            return types;
        }
        assert!(begun.elapsed() < PATIENCE, "{types:?}");
    }
}

/// Objects on the token: SoftHSM keeps each in a file.
pub(crate) fn token_objects(instance: &Instance) -> usize {
    fn count(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| {
                if path.is_dir() {
                    count(&path)
                } else {
                    let name = path.file_name().unwrap().to_str().unwrap();
                    usize::from(name.ends_with(".object") && name != "token.object")
                }
            })
            .sum()
    }
    count(&instance.data().join("softhsm/tokens"))
}

#[track_caller]
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it did not happen");
        std::thread::yield_now();
    }
}

fn openssl_verifies(csr: &str) -> bool {
    let mut child = Command::new("openssl")
        .args(["req", "-verify", "-noout"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(csr.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    // Older versions end with 0 whatever they find.
    output.status.success() && String::from_utf8_lossy(&output.stderr).contains("OK")
}

#[test]
fn postgresql_keeps_consents_and_enrolments_the_same_way() {
    let authority = Instance::start_demo(0);
    let address = postgres::shared().database();
    let variables = [("RUBRICA_STORE_URL", address.as_str())];
    let instance = Instance::start_moved_to(&address, &Options { variables: &variables });
    let bruno = instance.session(BRUNO);
    let (consent, before) = (consent(&bruno), token_objects(&instance));
    let kept = begin_under(&bruno, &consent, "ec");
    let taken_back = begin_under(&bruno, &consent, "ec");
    let answer = bruno.post(&format!("{}/cancel", path(&taken_back)), &json!({}));
    assert_eq!(answer.json()["state"], "cancelled", "{answer:?}");
    assert_eq!(token_objects(&instance), before + 2);
    let certificate = issue(&authority, "bruno", kept["csr"].as_str().unwrap());
    let answer = bruno.post(&format!("{}/certificate", path(&kept)), &json!({ "certificate": certificate }));
    let done = answer.json();
    assert_eq!(done["state"], "completed", "{done}");
    assert_eq!(bruno.get("/v1/custody").json()["key"]["id"], done["key_id"]);
    let listed = bruno.get("/v1/enrolments").json();
    let mut states: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|one| one["state"].as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, [Some("cancelled"), Some("completed")]);

    bruno.post(&format!("/v1/consents/{consent}/withdraw"), &json!({}));
    let key = format!("/v1/keys/{}", done["key_id"].as_str().unwrap());
    assert_eq!(instance.backend().get(&key).json()["state"], "suspended");
    instance.backend().post(&format!("{key}/resume"), &json!({})).assert_problem(409, "consent_required");
    let refused = json!({ "method": "generate", "consent_id": consent });
    bruno.post("/v1/enrolments", &refused).assert_problem(409, "consent_required");

    let folder = tempfile::TempDir::new().unwrap();
    let file = File::make(&folder, &authority, "bruno", "EC -pkeyopt ec_paramgen_curve:P-256").export(&[]);
    let imported = import(&bruno, &file, PASSWORD).json();
    assert_eq!(imported["state"], "completed", "{imported}");
    assert_eq!(bruno.get("/v1/custody").json()["key"]["id"], imported["key_id"]);
}
