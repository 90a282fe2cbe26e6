//! Tokens that give wrong values in the middle of a batch: none is released, and what is right is not held up by what is not.

use rubrica_core::validation::{Content, Indication, validate_cms};
use serde_json::Value;

use crate::batch_faults::verify;
use crate::batches::{items, manifest, rsa_key, submit, text, wait};
use crate::hsm_signatures::context;
use crate::support::{Client, Instance, Options, Shim};

/// Items of each batch.
const TOTAL: usize = 1000;
const ALARM: &str = "values of the token do not verify; none was released";

/// An instance whose token does as planned once it has started.
fn start(shim: &Shim, plan: &str) -> Instance {
    let variables = shim.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let instance = Instance::start_with(&Options { variables: &variables });
    shim.plan(plan);
    instance
}

fn state_of_the_key(instance: &Instance) -> String {
    let state = "SELECT state FROM signing_key WHERE id = ?1";
    instance.database().query_row(state, [rsa_key(instance)], |row| row.get(0)).unwrap()
}

/// Every released item has a value that verifies: by our validation all of them, by openssl some. Gives their number.
#[track_caller]
fn all_released_verify(backend: &Client, items: &[Value]) -> usize {
    let context = context();
    let mut released = 0;
    for item in items.iter().filter(|item| item["state"] == "released") {
        let text = text(usize::try_from(item["position"].as_u64().unwrap()).unwrap());
        let artefact = backend.content(item["signature_id"].as_str().unwrap());
        let report = validate_cms(&artefact, Content::Bytes(&text), &context).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{item} {report}");
        if released % 50 == 0 {
            verify(&artefact, &text);
        }
        released += 1;
    }
    released
}

/// Items that the log of the server counts in its alarms.
fn alarmed(instance: &Instance) -> u64 {
    let log = instance.log();
    let alarms = log.lines().filter(|line| line.contains(ALARM));
    alarms.map(|line| serde_json::from_str::<Value>(line).unwrap()["count"].as_u64().unwrap()).sum()
}

#[test]
fn values_that_are_corrupted_now_and_then_are_made_again_and_stop_no_batch() {
    let shim = Shim::new("");
    let instance = start(&shim, "C_Sign corrupt every=40");
    let backend = instance.backend();
    let before = shim.calls("C_Sign");
    let id = submit(&backend, &manifest(&rsa_key(&instance), TOTAL));
    let batch = wait(&backend, &id);
    assert_eq!(batch["state"], "completed", "{batch} {}", instance.log());
    assert_eq!(all_released_verify(&backend, &items(&backend, &id)), TOTAL);
    // Two agents count for themselves, so that at least every fortieth of a bit less than a thousand calls was corrupted.
    let wrong = alarmed(&instance);
    assert!((20..=40).contains(&wrong), "{wrong} wrong values were seen");
    assert!(shim.calls("C_Sign") - before >= TOTAL + usize::try_from(wrong).unwrap());
    assert_eq!(state_of_the_key(&instance), "active");
}

#[test]
fn digests_for_which_the_token_is_always_wrong_fail_alone() {
    let shim = Shim::new("");
    let instance = start(&shim, "C_Sign corrupt digests=64");
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), TOTAL));
    let batch = wait(&backend, &id);
    assert_eq!(batch["state"], "completed_with_errors", "{batch}");
    let items = items(&backend, &id);
    let released = all_released_verify(&backend, &items);
    let failed: Vec<_> = items.iter().filter(|item| item["state"] == "failed").collect();
    assert_eq!(released + failed.len(), TOTAL);
    // One in 64 by chance; none at all, or four times as many, is not seen in a lifetime.
    assert!((1..=64).contains(&failed.len()), "{} items failed", failed.len());
    for item in &failed {
        assert_eq!(item["problem"]["code"], "signature_value_invalid", "{item}");
        assert!(item["artefact"].is_null(), "{item}");
    }
    assert_eq!(alarmed(&instance), 3 * failed.len() as u64, "each was tried three times");
    assert_eq!(state_of_the_key(&instance), "active");
}

#[test]
fn a_key_that_gets_nothing_right_is_suspended_before_it_is_used_for_a_whole_batch() {
    let shim = Shim::new("");
    let instance = start(&shim, "C_Sign corrupt");
    let backend = instance.backend();
    let before = shim.calls("C_Sign");
    let id = submit(&backend, &manifest(&rsa_key(&instance), TOTAL));
    let batch = wait(&backend, &id);
    assert_eq!(batch["state"], "completed_with_errors", "{batch}");
    assert_eq!(batch["counts"]["released"], 0, "{batch}");
    let items = items(&backend, &id);
    for item in &items {
        let code = item["problem"]["code"].as_str().unwrap();
        assert!(["signature_value_invalid", "key_not_found"].contains(&code), "{item}");
    }
    assert_eq!(items.last().unwrap()["problem"]["code"], "key_not_found", "the end was not begun");
    assert_eq!(state_of_the_key(&instance), "suspended");
    // Four runs are under way at a time; whoever was among them uses the key three times.
    let used = shim.calls("C_Sign") - before;
    assert!((3 * 64..=8 * 3 * 64 + 50).contains(&used), "the key was used {used} times");
    let told = "SELECT count(*) FROM event WHERE events LIKE '%\"key.suspended\"%'";
    instance.log_with("the key is suspended");
    let begun = std::time::Instant::now();
    while instance.database().query_row(told, [], |row| row.get::<_, i64>(0)).unwrap() != 1 {
        assert!(begun.elapsed().as_secs() < 30, "the event is not told once");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
