use rubrica_core::wire::{BatchState, SignatureFormat, SignatureLevel, SignaturePolicy};

use super::*;
use crate::ids::{KeyId, SignatureId};
use crate::lookup::SignerHash;
use crate::store::batches::items::{self, NewItem};
use crate::store::batches::{find, list, load};
use crate::store::contract::{TestStore, both};

fn row() -> BatchRow {
    BatchRow {
        id: BatchId::generate(),
        tenant: "TEST".to_owned(),
        name: None,
        reference: None,
        key_id: KeyId::generate(),
        certificate: vec![0x30],
        chain: "[]".to_owned(),
        format: SignatureFormat::Cades,
        level: SignatureLevel::B,
        policy: SignaturePolicy::None,
        state: BatchState::Queued,
        total: 3,
        released: 0,
        failed: 0,
        cancelled: 0,
        created_at: "2026-11-23T12:00:00Z".parse().unwrap(),
        started_at: None,
        ended_at: None,
    }
}

/// Begins an intake with its three items and gives the first of them.
async fn begun(test: &TestStore, row: &BatchRow) -> SignatureId {
    let ids: Vec<_> = (0..3).map(|_| SignatureId::generate()).collect();
    let item = |(number, id): (usize, &SignatureId)| NewItem {
        id: id.clone(),
        reference: number.to_string(),
        document_id: None,
        name: None,
        document_sha256: [7; 32],
    };
    let items: Vec<_> = ids.iter().enumerate().map(item).collect();
    let row = row.clone();
    test.store
        .write(move |connection| {
            connection.execute(
                "INSERT INTO signing_key (id, tenant, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at)
                 VALUES (?1, ?2, ?3, ?4, 'rsa', ?3, 'active', 1, 1)",
                params![row.key_id, row.tenant, vec![0_u8], row.key_id.as_ref().as_bytes()],
            )?;
            begin(connection, &row)?;
            items::insert(connection, &row, &SignerHash([9; 32]), 1, &items)
        })
        .await
        .unwrap();
    ids[0].clone()
}

/// How many ways lead to the batch, of four.
async fn ways(test: &TestStore, row: &BatchRow, item: &SignatureId) -> usize {
    let (row, item) = (row.clone(), item.clone());
    let look = move |connection: &Connection| {
        let listed = list(connection, &row.tenant, None, 10)?.iter().any(|one| one.id == row.id);
        let found = find(connection, &row.id, &row.tenant)?.is_some();
        let loaded = load(connection, &row.id)?.is_some();
        let shown = items::find(connection, &item, &row.tenant)?.is_some();
        Ok([listed, found, loaded, shown].into_iter().filter(|way| *way).count())
    };
    test.store.read(look).await.unwrap()
}

async fn count(test: &TestStore, table: &'static str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let count = move |connection: &Connection| connection.query_one(&sql, &[], |row| row.get(0));
    test.store.read(count).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_intake_is_a_batch_for_nobody_before_its_end_and_tells_its_creation_then() {
    for test in both() {
        let row = row();
        let item = begun(&test, &row).await;
        assert_eq!((ways(&test, &row, &item).await, count(&test, "outbox").await), (0, 0), "{}", test.name);
        let ended = row.clone();
        test.store.write(move |connection| end(connection, &ended)).await.unwrap();
        assert_eq!((ways(&test, &row, &item).await, count(&test, "outbox").await), (4, 1), "{}", test.name);
        assert_eq!(test.store.read(unfinished).await.unwrap(), [], "{}", test.name);
    }
}

#[tokio::test]
async fn an_intake_that_goes_on_is_not_given_up_and_one_that_was_cannot_go_on() {
    for test in both() {
        let row = row();
        begun(&test, &row).await;
        let give_up = async |count| {
            let id = row.id.clone();
            test.store.write(move |connection| give_up(connection, &id, count)).await.unwrap()
        };
        let id = row.id.clone();
        test.store.write(move |connection| go_on(connection, &id)).await.unwrap();
        assert!(!give_up(1).await, "{}", test.name);
        assert_eq!(test.store.read(unfinished).await.unwrap(), [(row.id.clone(), 2)], "{}", test.name);
        assert!(give_up(2).await, "{}", test.name);
        let (id, ended) = (row.id.clone(), row.clone());
        let late = test.store.write(move |connection| go_on(connection, &id)).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{}: {late:?}", test.name);
        let late = test.store.write(move |connection| end(connection, &ended)).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{}: {late:?}", test.name);
    }
}

#[tokio::test]
async fn what_was_given_up_is_removed_in_portions_and_what_was_not_stays() {
    for test in both() {
        let rows = [row(), row()];
        for row in &rows {
            begun(&test, row).await;
        }
        let remove = async |row: &BatchRow| {
            let id = row.id.clone();
            test.store.write(move |connection| remove(connection, &id, 2)).await.unwrap()
        };
        let id = rows[0].id.clone();
        assert!(test.store.write(move |connection| give_up(connection, &id, 1)).await.unwrap());
        assert!(!remove(&rows[0]).await, "{}", test.name);
        assert_eq!(count(&test, "signature").await, 4, "{}", test.name);
        assert!(remove(&rows[0]).await, "{}", test.name);
        assert!(remove(&rows[1]).await, "nothing of it was given up");
        assert_eq!((count(&test, "signature").await, count(&test, "batch").await), (3, 1), "{}", test.name);
    }
}
