use std::collections::HashSet;

use crate::hsm_signatures::{context, contract};
use crate::support::{ANA, Instance, Options, PADARIA};
use rubrica_core::validation::{Indication, validate_pdf};

/// Takes a released signature back to an earlier state, as a crash would have left it.
fn set_back(instance: &Instance, id: &str, state: &str) {
    let (plan, signed_at) = if state == "accepted" { ("NULL", "NULL") } else { ("plan", "signed_at") };
    let changed = instance
        .database()
        .execute(
            &format!(
                "UPDATE signature SET state = ?2, plan = {plan}, signed_at = {signed_at}, artefact_name = NULL, artefact_media_type = NULL, \
                 artefact_size_bytes = NULL, artefact_sha256 = NULL, artefact_tail = NULL, released_at = NULL \
                 WHERE id = ?1"
            ),
            [id, state],
        )
        .unwrap();
    assert_eq!(changed, 1);
    // With the state the task comes back, held by a worker that is no more.
    let lease = "INSERT INTO task (tenant, signature_id, lease_worker, lease_epoch) SELECT tenant, id, 'wrk_gone', 7 FROM signature WHERE id = ?1";
    assert_eq!(instance.database().execute(lease, [id]).unwrap(), 1);
}

#[test]
fn what_a_crash_left_is_taken_up_at_the_next_start() {
    let mut instance = Instance::start();
    for person in [ANA, PADARIA] {
        for state in ["accepted", "prepared", "signing"] {
            let session = instance.session(person);
            let id = session.sign_by_token(&session.upload(&contract()), "pades");
            session.wait(&id);
            let before = session.content(&id);
            instance.kill();
            set_back(&instance, &id, state);
            instance.run(&Options::default());

            let backend = instance.backend();
            assert_eq!(backend.wait(&id)["state"], "released");
            let after = backend.content(&id);
            let report = validate_pdf(&after, &context()).unwrap();
            assert_eq!(report.overall(), Indication::Passed, "{}", report);
            assert_eq!(report.signatures.len(), 1);
            if state != "accepted" {
                // What was pinned is not built again: only the value of an elliptic-curve key may differ.
                let differing = before.iter().zip(&after).filter(|(a, b)| a != b).count();
                assert_eq!(before.len(), after.len());
                assert!(if person == ANA { differing == 0 } else { differing <= 160 }, "{differing}");
            }
        }
    }
}

#[test]
fn killed_in_the_middle_of_many_nothing_is_lost_or_doubled() {
    let mut instance = Instance::start();
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let ids: Vec<_> = (0..60).map(|_| session.sign_by_token(&document, "pades")).collect();
    instance.kill();
    instance.run(&Options::default());
    let backend = instance.backend();
    let artefacts: HashSet<_> = ids
        .iter()
        .map(|id| {
            let signature = backend.wait(id);
            assert_eq!(signature["state"], "released", "{signature}");
            signature["artefact"]["sha256"].as_str().unwrap().to_owned()
        })
        .collect();
    let rows: i64 = instance
        .database()
        .query_row("SELECT count(*) FROM signature WHERE session_id != (SELECT id FROM session ORDER BY created_at LIMIT 1)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 60);
    assert!(!artefacts.is_empty());
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let instance = Instance::start();
    let config = instance.data().join("rubrica.toml");
    let variables = [("RUBRICA_SERVER_LISTEN", "127.0.0.1:0"), ("RUBRICA_LOG_LEVEL", "error")];
    crate::support::rubrica(&["serve", "--config", config.to_str().unwrap()], &variables)
        .assert_error(3, "data_folder_unwritable");
    assert_eq!(instance.anonymous().get("/health/ready").status, 200);
}
