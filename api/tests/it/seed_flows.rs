//! The ways in which a person signs, each from the bank's order to the signed file: with the key of their device for the first
//! time and later, with a key in our module for the first time and later.

use serde_json::{Value, json};

use crate::enrolments::enrol;
use crate::hsm_signatures::contract;
use crate::orders_signed::assert_signed;
use crate::receipts::receipt;
use crate::support::{BRUNO, Client, Instance, LocalKey, Signing};

/// An order of one contract for Bruno, and his session of it: a visit to the bank's portal.
fn visit(instance: &Instance) -> (Signing<'_>, Client, String) {
    let document = instance.backend().upload(&contract());
    let order = Signing::open(instance, &[&document], &[BRUNO], &json!({}));
    let session = order.session(0);
    (order, session, document)
}

/// Where the check finds the key, and what it offers when it finds none.
#[track_caller]
fn check(session: &Client) -> (Value, Value) {
    let answer = session.get("/v1/custody");
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    assert_eq!(answer["certain"], true, "{answer}");
    (answer["custody"].clone(), answer["offers"].clone())
}

/// The order is complete, and its document carries this person's signature: poppler says so too.
#[track_caller]
fn assert_complete(order: &Signing<'_>, session: &Client, document: &str) {
    assert_eq!(order.wait_for_event("order.completed")["subject"], order.id().as_str());
    assert_eq!(order.states(), ("completed".to_owned(), vec!["signed".to_owned()]));
    assert_signed(&order.content(session, document), 1);
}

#[test]
fn the_device_the_first_time_and_later_and_a_key_of_ours_the_first_time_and_later() {
    let instance = Instance::start_demo(0);
    let key = &LocalKey::all()[0];

    // On the device: nothing is kept of it, so the second time is as the first, less the choice that the page remembers.
    for _ in ["first", "later"] {
        let (order, session, document) = visit(&instance);
        let (custody, offers) = check(&session);
        assert_eq!(custody, json!(null));
        assert!(offers.as_array().unwrap().contains(&json!("local")), "{offers}");
        order.sign_by_person(&session, &document, "pades", key);
        assert_complete(&order, &session, &document);
    }

    // A key of ours, offered and taken: consent, key, certificate, proof; then it signs.
    let (order, session, document) = visit(&instance);
    let (custody, offers) = check(&session);
    assert_eq!(custody, json!(null));
    assert!(offers.as_array().unwrap().contains(&json!("hsm_generate")), "{offers}");
    let enrolment = enrol(&instance, &session, "bruno");
    assert_eq!(enrolment["state"], "completed", "{enrolment}");
    assert_eq!(check(&session).0, "hsm");
    order.sign_by_token(&session, &document, "pades");
    assert_complete(&order, &session, &document);

    // Later nobody is asked anything but to sign.
    let (order, session, document) = visit(&instance);
    assert_eq!(check(&session), (json!("hsm"), json!([])));
    let signature = order.sign_by_token(&session, &document, "pades");
    assert_complete(&order, &session, &document);
    assert!(
        receipt(&session, &signature)["record"].to_string().contains(&signature),
        "the receipt is of another signature"
    );
}
