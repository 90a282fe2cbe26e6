use std::time::Duration;

use super::*;
use crate::lookup::SignerHash;
use crate::ports::{KeyAlgorithm, KeyReference};
use crate::store::contract::{TestStore, both};
use crate::store::keys::{KeyMove, KeyRow, KeyState};

const HOUR: u64 = 3600;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000 + seconds * 1000).unwrap()
}

async fn key(test: &TestStore) -> KeyId {
    let id = KeyId::generate();
    let row = KeyRow {
        id: id.clone(),
        tenant: "bank".to_owned(),
        signer_hash: SignerHash([1; 32]),
        reference: KeyReference { id: crate::random::bytes::<8>().to_vec(), algorithm: KeyAlgorithm::Ec },
        certificate: b"certificate".to_vec(),
        state: KeyState::Active,
        not_after: at(100 * HOUR),
        created_at: at(0),
        changed_at: None,
        changed_code: None,
    };
    test.store.write(move |connection| keys::insert(connection, &row)).await.unwrap();
    id
}

/// How many keys are claimed; the cheap question before says the same.
async fn claim_at(test: &TestStore, seconds: u64) -> usize {
    let now = at(seconds);
    let due = test.store.read(move |c| any_due(c, now)).await.unwrap();
    let until = now.plus(Duration::from_secs(600));
    let claimed = test.store.write(move |c| claim(c, now, until, 9)).await.unwrap().len();
    assert_eq!(due, claimed > 0, "{}", test.name);
    claimed
}

async fn end(test: &TestStore, id: &KeyId, answer: Answer, again: u64, seconds: u64) -> bool {
    let id = id.clone();
    test.store.write(move |c| finish(c, &id, answer, at(again), at(seconds))).await.unwrap()
}

async fn state(test: &TestStore, id: &KeyId) -> (KeyState, Option<ErrorCode>) {
    let id = id.clone();
    let row = test.store.read(move |c| keys::load(c, &id)).await.unwrap().unwrap();
    (row.state, row.changed_code)
}

#[tokio::test]
async fn a_key_is_asked_about_daily_and_only_a_revoked_one_is_suspended() {
    for test in both() {
        let id = key(&test).await;
        assert_eq!(claim_at(&test, 1).await, 1);
        assert_eq!(claim_at(&test, 2).await, 0, "{}: somebody is asking", test.name);
        // Whoever asked has died.
        assert_eq!(claim_at(&test, 602).await, 1);
        assert!(!end(&test, &id, Answer::Unknown, 603 + HOUR, 603).await);
        assert_eq!(state(&test, &id).await, (KeyState::Active, None), "unknown is not revoked");
        assert_eq!(claim_at(&test, 602 + HOUR).await, 0);
        assert_eq!(claim_at(&test, 603 + HOUR).await, 1);
        assert!(!end(&test, &id, Answer::Good, 30 * HOUR, 2 * HOUR).await);
        assert_eq!(claim_at(&test, 29 * HOUR).await, 0);
        assert_eq!(claim_at(&test, 30 * HOUR).await, 1);
        assert!(end(&test, &id, Answer::Revoked, 54 * HOUR, 30 * HOUR + 1).await);
        let suspended = (KeyState::Suspended, Some(ErrorCode::CertificateRevoked));
        assert_eq!(state(&test, &id).await, suspended, "{}", test.name);
        assert_eq!(claim_at(&test, 60 * HOUR).await, 0, "{}: it is suspended", test.name);
        // Who lets it be used again has it asked about at once.
        let resumed = id.clone();
        let resume = move |c: &Connection| {
            keys::change(c, &resumed, None, KeyMove::Resume, "TEST", at(31 * HOUR)).map(drop)
        };
        test.store.write(resume).await.unwrap();
        assert_eq!(claim_at(&test, 31 * HOUR + 1).await, 1, "{}", test.name);
        assert!(end(&test, &id, Answer::Revoked, 60 * HOUR, 31 * HOUR + 2).await);
        assert!(!end(&test, &id, Answer::Revoked, 60 * HOUR, 31 * HOUR + 3).await, "told once");
        // Of a certificate that has ended nobody asks.
        let resumed = id.clone();
        let resume = move |c: &Connection| {
            keys::change(c, &resumed, None, KeyMove::Resume, "TEST", at(40 * HOUR)).map(drop)
        };
        test.store.write(resume).await.unwrap();
        assert_eq!(claim_at(&test, 101 * HOUR).await, 0, "{}", test.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_ask_at_the_same_time_ask_about_different_keys() {
    for test in both() {
        for _ in 0..20 {
            key(&test).await;
        }
        let ask = || test.store.write(|c| claim(c, at(1), at(601), 20));
        let (first, second) = tokio::join!(ask(), ask());
        let mut ids: Vec<_> =
            first.unwrap().into_iter().chain(second.unwrap()).map(|key| key.id.to_string()).collect();
        ids.sort();
        let claimed = ids.len();
        ids.dedup();
        assert_eq!((claimed, ids.len()), (20, 20), "{}", test.name);
    }
}
