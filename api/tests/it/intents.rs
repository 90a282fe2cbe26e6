//! A key is used only for what is on the disk already: the pinned data and the intent.

use std::time::{Duration, Instant};

use crate::batches::{manifest, rsa_key, submit, wait};
use crate::hsm_signatures::contract;
use crate::support::{ANA, Instance, Options, Shim};

/// An instance whose token takes a while for each value, and makes none for its own health meanwhile.
fn start(shim: &Shim) -> Instance {
    let variables = shim.variables();
    let mut all: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.push(("RUBRICA_TOKEN_CANARY_SECONDS", "3600"));
    let instance = Instance::start_with(&Options { variables: &all });
    // The health of both agents was looked at when they started.
    let begun = Instant::now();
    while shim.calls("C_Sign") < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", instance.log());
        std::thread::sleep(Duration::from_millis(5));
    }
    shim.plan("C_Sign delay_ms=700");
    instance
}

/// Signatures whose intent was committed when the module was called next.
fn intended_at_the_next_call(instance: &Instance, shim: &Shim, begin: impl FnOnce()) -> i64 {
    let database = instance.database();
    let before = shim.calls("C_Sign");
    begin();
    let begun = Instant::now();
    while shim.calls("C_Sign") == before {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", instance.log());
        std::thread::sleep(Duration::from_millis(1));
    }
    let intended = "SELECT count(*) FROM signature WHERE state = 'signing' AND plan IS NOT NULL";
    database.query_row(intended, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_intent_of_a_signature_is_committed_before_the_module_is_called() {
    let shim = Shim::new("");
    let instance = start(&shim);
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let mut id = String::new();
    let begin = || id = session.sign_by_token(&document, "pades");
    assert_eq!(intended_at_the_next_call(&instance, &shim, begin), 1);
    assert_eq!(session.wait(&id)["state"], "released");
}

#[test]
fn the_intents_of_a_run_are_committed_together_before_the_module_is_called() {
    let shim = Shim::new("");
    let instance = start(&shim);
    let backend = instance.backend();
    let manifest = manifest(&rsa_key(&instance), 6);
    let mut id = String::new();
    let begin = || id = submit(&backend, &manifest);
    assert_eq!(intended_at_the_next_call(&instance, &shim, begin), 6);
    assert_eq!(wait(&backend, &id)["state"], "completed");
}
