use rubrica_core::event::{BatchMoved, SignatureReleased};
use rubrica_core::wire::{Custody, SignatureFormat, SignatureLevel, SignaturePolicy};

use super::*;
use crate::store::contract::both;

const NOW: u64 = 1_795_435_200_000;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_ms(NOW).unwrap()
}

pub(crate) fn started(tenant: Option<&str>, batch: &str) -> Event {
    event(tenant, now(), EventData::BatchStarted(BatchMoved { batch_id: batch.to_owned(), reference: None }))
}

/// A release of a signature with this number.
pub(crate) fn released(tenant: &str, number: u32) -> Event {
    let data = SignatureReleased {
        signature_id: format!("sig_{number:032x}"),
        order_id: None,
        participant_id: None,
        batch_id: Some("bat_1".into()),
        document_id: None,
        custody: Custody::Hsm,
        format: SignatureFormat::Cades,
        level: SignatureLevel::B,
        policy: SignaturePolicy::None,
        key_id: Some("key_1".into()),
        signer: Some("9f".repeat(32)),
        certificate_sha256: "ef".repeat(32),
        document_sha256: format!("{number:064x}"),
        artefact_sha256: format!("{:064x}", u64::from(number) << 8),
        artefact_size_bytes: 2000 + u64::from(number),
        signed_at: now(),
    };
    event(Some(tenant), now(), EventData::SignatureReleased(data))
}

#[tokio::test]
async fn events_of_a_transaction_are_one_row_with_the_records_of_its_releases() {
    for test in both() {
        let events = vec![released("a", 1), started(Some("a"), "bat_1"), released("a", 2)];
        let ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
        let position = test.store.write(move |connection| emit(connection, &events)).await.unwrap();
        let row = test
            .store
            .read(move |connection| {
                connection.query_one(
                    "SELECT tenant, count, releases, events, records FROM outbox WHERE position = ?1",
                    params![position],
                    |row| {
                        let (tenant, count, releases) = (row.get(0)?, row.get(1)?, row.get(2)?);
                        Ok((tenant, count, releases, row.get::<String>(3)?, row.get::<String>(4)?))
                    },
                )
            })
            .await
            .unwrap()
            .unwrap();
        let (tenant, count, releases, lines, records): (String, i64, i64, String, String) = row;
        assert_eq!((tenant.as_str(), count, releases), ("a", 3, 2), "{}", test.name);
        for (line, id) in lines.split('\n').zip(&ids) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["id"], *id);
            assert_eq!(line["subject"], "bat_1");
        }
        let records: Vec<_> = records.split('\n').map(|text| ReleaseRecord::parse(text).unwrap()).collect();
        assert_eq!(records.iter().map(|record| &record.event_id).collect::<Vec<_>>(), [&ids[0], &ids[2]]);
    }
}

#[tokio::test]
async fn what_concerns_everybody_has_no_tenant_and_no_record() {
    for test in both() {
        let mut everybody = released("a", 1);
        everybody.tenant = None;
        test.store.write(move |connection| emit(connection, &[everybody])).await.unwrap();
        let row = test
            .store
            .read(|connection| {
                connection.query_one("SELECT tenant, records FROM outbox WHERE releases = 0", &[], |row| {
                    Ok((row.get::<Option<String>>(0)?, row.get::<Option<String>>(1)?))
                })
            })
            .await
            .unwrap();
        assert_eq!(row, Some((None, None)), "{}", test.name);
    }
}

#[tokio::test]
async fn events_of_two_tenants_are_refused_and_so_are_none() {
    for test in both() {
        for events in [
            vec![],
            vec![started(Some("a"), "x"), started(Some("b"), "x")],
            vec![started(Some("a"), "x"), started(None, "x")],
        ] {
            let refused = test.store.write(move |connection| emit(connection, &events)).await;
            assert!(matches!(refused, Err(StoreError::Statement(_))), "{}", test.name);
        }
    }
}

#[tokio::test]
async fn the_relay_is_woken_by_commits_of_events_and_by_nothing_else() {
    for test in both() {
        let woken = || async {
            let woken = test.store.emitted();
            tokio::time::timeout(std::time::Duration::from_millis(20), woken).await.is_ok()
        };
        test.store.write(|_| Ok(())).await.unwrap();
        let undone = test
            .store
            .write(|connection| {
                emit(connection, &[started(None, "x")])?;
                Err::<(), _>(StoreError::Stopped)
            })
            .await;
        assert!(undone.is_err());
        assert!(!woken().await, "{}", test.name);
        test.store.write(|connection| emit(connection, &[started(None, "x")])).await.unwrap();
        assert!(woken().await, "{}", test.name);
        assert!(!woken().await, "{}", test.name);
    }
}
