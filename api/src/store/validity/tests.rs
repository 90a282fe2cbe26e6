use std::time::Duration;

use rubrica_core::event::KeyExpiring;

use super::*;
use crate::ports::{KeyAlgorithm, KeyReference};
use crate::store::contract::{TestStore, both};
use crate::store::keys::{self, KeyRow, KeyState};

const DAY: Duration = Duration::from_hours(24);

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn ending() -> Ending {
    let not_after = now().plus(DAY * 30);
    Ending { kind: WatchedKind::Key, tenant: Some("bank".to_owned()), subject: "key_1".to_owned(), not_after }
}

async fn try_step(test: &TestStore, ending: &Ending, days: u32) -> bool {
    let ending = ending.clone();
    let step = Step::from_days(days).unwrap();
    let data = EventData::KeyExpiring(KeyExpiring {
        key_id: ending.subject.clone(),
        days_before: days,
        not_after: ending.not_after,
        signer: "9f".to_owned(),
        renewed: false,
    });
    let announced = test.store.write(move |connection| announce(connection, &ending, step, data, now()));
    announced.await.unwrap()
}

async fn events(test: &TestStore) -> i64 {
    let sql = "SELECT count(*) FROM outbox WHERE events LIKE '%expiring%'";
    let read = |connection: &Connection| connection.query_one(sql, &[], |row| row.get(0));
    test.store.read(read).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_announced_once_however_many_try_and_never_after_a_later_one() {
    for test in both() {
        let tries: Vec<bool> =
            futures_util::future::join_all((0..12).map(|_| async { try_step(&test, &ending(), 30).await }))
                .await;
        assert_eq!(tries.iter().filter(|news| **news).count(), 1, "{}", test.name);
        assert!(try_step(&test, &ending(), 14).await);
        assert!(!try_step(&test, &ending(), 30).await, "{}: an earlier step is past", test.name);
        let asked = ending();
        let last = test.store.read(move |connection| announced(connection, &asked)).await.unwrap();
        assert_eq!(last, Step::from_days(14));
        // What was renewed, and the same of another tenant, start anew.
        let renewed = Ending { not_after: now().plus(DAY * 90), ..ending() };
        let other = Ending { tenant: None, ..ending() };
        assert!(try_step(&test, &renewed, 90).await && try_step(&test, &other, 30).await);
        assert_eq!(
            events(&test).await,
            4,
            "{}: what is announced is told, in the same transaction",
            test.name
        );
        let long_after = now().plus(DAY * 100);
        assert_eq!(test.store.write(move |c| forget(c, long_after)).await.unwrap(), 2, "{}", test.name);
    }
}

fn key(signer: u8, state: KeyState, days: u32) -> KeyRow {
    KeyRow {
        id: KeyId::generate(),
        tenant: "bank".to_owned(),
        signer_hash: SignerHash([signer; 32]),
        reference: KeyReference { id: crate::random::bytes::<8>().to_vec(), algorithm: KeyAlgorithm::Ec },
        certificate: b"certificate".to_vec(),
        state,
        not_after: now().plus(DAY * days),
        created_at: now(),
        changed_at: None,
        changed_code: None,
    }
}

#[tokio::test]
async fn keys_that_end_are_found_by_pages_and_a_renewed_one_is_known_as_such() {
    for test in both() {
        let rows = [
            key(1, KeyState::Active, 20),
            key(1, KeyState::Active, 300),
            key(2, KeyState::Suspended, 10),
            key(3, KeyState::Retired, 10),
            key(4, KeyState::Active, 91),
        ];
        let (renewed, suspended) = (rows[0].id.clone(), rows[2].id.clone());
        let kept = rows.clone();
        let insert = move |connection: &Connection| -> Result<(), StoreError> {
            kept.iter().try_for_each(|row| keys::insert(connection, row))
        };
        test.store.write(insert).await.unwrap();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (behind, to) = (after.clone(), now().plus(DAY * 90));
            let page = test.store.read(move |c| keys(c, now(), to, behind.as_ref(), 1)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            found.extend(page);
        }
        found.sort_by_key(|key| key.not_after);
        let found: Vec<_> = found.into_iter().map(|key| (key.id, key.is_active, key.renewed)).collect();
        assert_eq!(
            found,
            [(suspended.clone(), false, false), (renewed.clone(), true, true)],
            "{}",
            test.name
        );

        // The list for people goes by the end, and includes what has ended.
        let until = now().plus(DAY * 30);
        let first = test.store.read(move |c| keys::expiring(c, Some("bank"), until, None, 1)).await.unwrap();
        assert_eq!((&first[0].0.id, first[0].1), (&suspended, false), "{}", test.name);
        let behind = move |c: &Connection| keys::expiring(c, Some("bank"), until, Some(&suspended), 5);
        let rest = test.store.read(behind).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!((&rest[0].0.id, rest[0].1), (&renewed, true));
        let others =
            test.store.read(move |c| keys::expiring(c, Some("other"), until, None, 5)).await.unwrap();
        assert!(others.is_empty());
    }
}

#[tokio::test]
async fn the_last_certificate_that_was_seen_counts_and_a_tenant_sees_its_own_and_the_instances() {
    for test in both() {
        let row = |kind, tenant: Option<&str>, subject: &str, days| SeenCertificate {
            kind,
            tenant: tenant.map(ToOwned::to_owned),
            subject: subject.to_owned(),
            custody: (kind == WatchedKind::Signer).then_some(Custody::Local),
            certificate: vec![0x30],
            not_after: now().plus(DAY * days),
        };
        let rows = [
            row(WatchedKind::Signer, Some("bank"), "9f", 5),
            row(WatchedKind::Signer, Some("bank"), "9f", 25),
            row(WatchedKind::Signer, Some("other"), "9f", 6),
            row(WatchedKind::Tls, None, "tsa.test.invalid:443", 7),
        ];
        // Of the same person, at a cloud service: both are in use.
        let mut cloud = row(WatchedKind::Signer, Some("bank"), "9f", 40);
        cloud.custody = Some(Custody::Lacuna);
        let rows = [&rows[..], &[cloud]].concat();
        test.store.write(move |c| rows.iter().try_for_each(|row| saw(c, row, now()))).await.unwrap();
        let to = now().plus(DAY * 90);
        let found = test.store.read(move |c| seen(c, now(), to, Some("bank"), None, 9)).await.unwrap();
        let found: Vec<_> = found.iter().map(|row| (row.kind, row.tenant.as_deref(), row.custody)).collect();
        let expected = [
            (WatchedKind::Tls, None, None),
            (WatchedKind::Signer, Some("bank"), Some(Custody::Local)),
            (WatchedKind::Signer, Some("bank"), Some(Custody::Lacuna)),
        ];
        assert_eq!(found, expected, "{}", test.name);
        let all = test.store.read(move |c| seen(c, now(), to, None, None, 9)).await.unwrap();
        assert_eq!(all.len(), 4, "{}", test.name);
        let first = all[0].clone();
        let rest = test.store.read(move |c| seen(c, now(), to, None, Some(&first), 9)).await.unwrap();
        let ends = |rows: &[SeenCertificate]| rows.iter().map(|row| row.not_after).collect::<Vec<_>>();
        assert_eq!(ends(&rest), ends(&all[1..]), "{}", test.name);
        test.store.write(|c| keep_endpoints(c, &["other.test.invalid:443".to_owned()])).await.unwrap();
        let left = test.store.read(move |c| seen(c, now(), to, None, None, 9)).await.unwrap();
        assert!(left.iter().all(|row| row.kind == WatchedKind::Signer) && left.len() == 3, "{}", test.name);
    }
}
