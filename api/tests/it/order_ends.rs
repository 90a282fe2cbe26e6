//! Orders that end before everybody signed.

use rubrica_core::Timestamp;
use serde_json::{Value, json};

use crate::hsm_signatures::contract;
use crate::support::{ANA, BRUNO, Instance, LocalKey, Options, PADARIA, Signing};

/// A time so many seconds ahead.
pub(crate) fn ahead(seconds: u64) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ahead = u64::try_from(now.as_millis()).unwrap() + seconds * 1000;
    serde_json::to_value(Timestamp::from_unix_ms(ahead).unwrap()).unwrap()
}

#[test]
fn a_cancelled_order_takes_its_open_signatures_back() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let signing = Signing::open(&instance, &[&document], &[BRUNO, ANA], &json!({}));
    let bruno = signing.session(0);
    let open = signing.begin(&bruno, &document, "pades", &LocalKey::all()[0]);
    let cancel = format!("{}/cancel", signing.path());
    let problem =
        backend.post(&cancel, &json!({ "reason": "x".repeat(501) })).assert_problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/reason");
    bruno.post(&cancel, &json!({})).assert_problem(403, "forbidden");

    let first = backend.post(&cancel, &json!({ "reason": "TEST reason" }));
    assert_eq!(first.status, 200, "{first:?}");
    let order = first.json();
    assert_eq!(order["state"], "cancelled");
    let expected = json!({ "cause": "requested", "participant_id": null, "reason": "TEST reason" });
    assert_eq!(order["cancellation"], expected);
    assert_eq!(signing.states().1, ["skipped", "skipped"]);
    let again = backend.post(&cancel, &json!({}));
    assert_eq!((again.status, again.json()), (200, order));

    let path = format!("/v1/signatures/{}", open["id"].as_str().unwrap());
    let signature = bruno.get(&path).json();
    assert_eq!(
        (&signature["state"], &signature["problem"]["code"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    bruno
        .post(&format!("{path}/complete"), &json!({ "signature_value": "AA==" }))
        .assert_problem(409, "signature_state_conflict");
    let body = json!({ "document_id": document, "custody": "hsm", "format": "pades" });
    bruno.post("/v1/signatures", &body).assert_problem(409, "order_state_conflict");
    let decline = format!("{}/participants/{}/decline", signing.path(), signing.participant(0));
    bruno.post(&decline, &json!({})).assert_problem(409, "order_state_conflict");
    assert_eq!(signing.events(), ["order.created", "participant.ready", "order.cancelled"]);
    assert!(!json!(signing.events_whole()).to_string().contains("TEST reason"));
    // The participant reads that it was cancelled, not why.
    assert_eq!(bruno.get(&signing.path()).json()["cancellation"]["reason"], Value::Null);
    let unknown = format!("/v1/orders/ord_{}/cancel", "0".repeat(32));
    backend.post(&unknown, &json!({})).assert_problem(404, "not_found");
}

#[test]
fn a_participant_who_declines_ends_the_order() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let signing = Signing::open(&instance, &[&document], &[BRUNO, ANA], &json!({}));
    let decline = |who| format!("{}/participants/{who}/decline", signing.path());
    backend.post(&decline(signing.participant(1)), &json!({})).assert_problem(409, "order_state_conflict");
    backend.post(&decline("par_x".to_owned()), &json!({})).assert_problem(404, "not_found");
    let bruno = signing.session(0);
    let first = bruno.post(&decline(signing.participant(0)), &json!({ "reason": "not mine" }));
    assert_eq!((first.status, &first.json()["participants"][0]["state"]), (200, &json!("declined")));
    let again = bruno.post(&decline(signing.participant(0)), &json!({}));
    assert_eq!((again.status, again.json()), (200, first.json()));
    let order = signing.now();
    assert_eq!(
        order["cancellation"],
        json!({ "cause": "declined", "participant_id": signing.participant(0), "reason": "not mine" })
    );
    assert_eq!(signing.states(), ("cancelled".to_owned(), vec!["declined".to_owned(), "skipped".to_owned()]));
    assert_eq!(
        signing.events(),
        ["order.created", "participant.ready", "participant.declined", "order.cancelled"]
    );
    backend
        .post(&format!("{}/cancel", signing.path()), &json!({}))
        .assert_problem(409, "order_state_conflict");
}

#[test]
fn an_order_goes_on_without_somebody_who_need_not_sign() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let change = json!({ "participants": [
        { "signer": { "identifier": BRUNO.0, "name": BRUNO.1 }, "must_sign": false, "role": "witness" },
        { "signer": { "identifier": ANA.0, "name": ANA.1 } },
    ] });
    let signing = Signing::open(&instance, &[&document], &[BRUNO, ANA], &change);
    let decline = format!("{}/participants/{}/decline", signing.path(), signing.participant(0));
    let declined = backend.post(&decline, &json!({ "reason": "on holiday" })).json();
    assert_eq!(declined["state"], "open");
    assert_eq!(declined["participants"][0]["decline_reason"], "on holiday");
    signing.sign_by_token(&signing.session(1), &document, "pades");
    assert_eq!(signing.states(), ("completed".to_owned(), vec!["declined".to_owned(), "signed".to_owned()]));
}

#[test]
fn a_deadline_reminds_and_ends_once_also_across_a_crash() {
    let mut instance = Instance::start();
    let document = instance.backend().upload(&contract());
    let change = json!({ "deadline": ahead(7200), "reminders_hours": [1] });
    let (order, bruno_signature) = {
        let signing = Signing::open(&instance, &[&document], &[BRUNO, ANA], &change);
        let bruno = signing.session(0);
        let open = signing.begin(&bruno, &document, "pades", &LocalKey::all()[0]);
        (signing.order.clone(), open["id"].as_str().unwrap().to_owned())
    };
    let id = order["id"].as_str().unwrap().to_owned();
    // An hour and more passes while nobody runs.
    instance.kill();
    let passed = "UPDATE signing_order SET deadline = deadline - 3700000; UPDATE order_reminder SET due_at = due_at - 3700000";
    instance.database().execute_batch(passed).unwrap();
    instance.run(&Options::default());
    let told = |name: &str| Signing::of(&instance, order.clone()).wait_for_event(name);
    let reminder = told("order.reminder_due");
    assert_eq!(reminder["data"]["hours_before"], 1);
    assert_eq!(reminder["data"]["participants"], json!([order["participants"][0]["id"]]));

    instance
        .database()
        .execute("UPDATE signing_order SET deadline = created_at + 1 WHERE id = ?1", [&id])
        .unwrap();
    let expired = told("order.expired");
    assert_eq!(expired["data"]["missing"].as_array().unwrap().len(), 2);
    let signing = Signing::of(&instance, order.clone());
    assert_eq!(signing.states(), ("expired".to_owned(), vec!["skipped".to_owned(); 2]));
    let signature = instance.backend().get(&format!("/v1/signatures/{bruno_signature}")).json();
    assert_eq!(
        (&signature["state"], &signature["problem"]["code"]),
        (&json!("expired"), &json!("signature_expired"))
    );
    assert_eq!(
        signing.events(),
        ["order.created", "participant.ready", "order.reminder_due", "order.expired"]
    );
    let cancel = format!("/v1/orders/{id}/cancel");
    instance.backend().post(&cancel, &json!({})).assert_problem(409, "order_state_conflict");
}

#[test]
fn a_cancellation_waits_for_a_key_in_use() {
    // The value of the key is there, and the authority that stamps the time is not.
    let variables = [
        ("RUBRICA_TSA_URL", "http://127.0.0.1:1/"),
        ("RUBRICA_TSA_RETRY_MS", "200"),
        ("RUBRICA_TSA_PATIENCE_SECONDS", "6"),
    ];
    let instance = Instance::start_with(&Options { variables: &variables });
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let rules = json!({ "flow": "parallel", "rules": { "format": "cades", "level": "t" } });
    let signing = Signing::open(&instance, &[&document], &[ANA, PADARIA], &rules);
    let ana = signing.session(0);
    let id = ana.sign_by_token(&document, "cades");
    let path = format!("/v1/signatures/{id}");
    while ana.get(&path).json()["state"] != "signing" {
        std::thread::yield_now();
    }
    let answer = backend.post(&format!("{}/cancel", signing.path()), &json!({ "reason": "TEST" }));
    let order = answer.json();
    assert_eq!((answer.status, &order["state"]), (202, &json!("open")), "{order}");
    assert_eq!(order["cancellation"]["cause"], "requested");
    let body = json!({ "document_id": document, "custody": "hsm", "format": "cades" });
    signing.session(1).post("/v1/signatures", &body).assert_problem(409, "order_state_conflict");

    assert_eq!(ana.wait(&id)["state"], "failed");
    assert_eq!(signing.states(), ("cancelled".to_owned(), vec!["skipped".to_owned(); 2]));
    assert_eq!(signing.events().last().map(String::as_str), Some("order.cancelled"));
}
