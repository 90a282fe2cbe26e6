use rubrica_core::wire::{BatchState, SignatureFormat, SignatureLevel, SignaturePolicy};

use super::*;
use crate::ids::KeyId;
use crate::store::batches::{self, BatchRow};
use crate::store::contract::{TestStore, both};

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A batch of `total` items in tasks of ten, and its queue.
async fn batch(test: &TestStore, tenant: &'static str, total: i64) -> Queue {
    let id = BatchId::generate();
    let row = BatchRow {
        id: id.clone(),
        tenant: tenant.to_owned(),
        name: None,
        reference: None,
        key_id: KeyId::generate(),
        certificate: vec![0x30],
        chain: "[]".to_owned(),
        format: SignatureFormat::Cades,
        level: SignatureLevel::B,
        policy: SignaturePolicy::None,
        state: BatchState::Queued,
        total: total.unsigned_abs(),
        released: 0,
        failed: 0,
        cancelled: 0,
        created_at: now(),
        started_at: None,
        ended_at: None,
    };
    test.store
        .write(move |connection| {
            connection.execute(
                "INSERT INTO signing_key (id, tenant, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at)
                 VALUES (?1, ?2, ?3, ?4, 'rsa', ?3, 'active', 1, 1)",
                params![row.key_id, row.tenant, vec![0_u8], row.key_id.as_ref().as_bytes()],
            )?;
            batches::intake::begin(connection, &row)?;
            batches::intake::end(connection, &row)?;
            add_batch(connection, &row.tenant, &row.id, total, 10)
        })
        .await
        .unwrap();
    Queue { tenant: tenant.to_owned(), batch_id: Some(id) }
}

async fn worker(test: &TestStore) -> WorkerId {
    let id = WorkerId::generate();
    let registered = id.clone();
    test.store.write(move |connection| register(connection, &registered, "test", now())).await.unwrap();
    id
}

async fn claim_as(test: &TestStore, queue: &Queue, worker: &WorkerId, most: i64) -> Vec<Claimed> {
    let (queue, worker) = (queue.clone(), worker.clone());
    test.store.write(move |connection| claim(connection, &queue, &worker, most, now())).await.unwrap()
}

async fn write<T: Send + 'static>(
    test: &TestStore,
    job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    test.store.write(job).await
}

#[tokio::test]
async fn every_task_is_claimed_by_one_worker_in_order() {
    for test in both() {
        let queue = batch(&test, "a", 95).await;
        let workers = [worker(&test).await, worker(&test).await];
        let mut runs = Vec::new();
        for turn in 0..6 {
            let claims = [
                claim_as(&test, &queue, &workers[turn % 2], 1),
                claim_as(&test, &queue, &workers[(turn + 1) % 2], 1),
            ];
            let [first, second] = claims;
            let (first, second) = tokio::join!(first, second);
            runs.extend([first, second].into_iter().flatten().map(|claimed| claimed.work));
        }
        runs.sort_by_key(|work| match work {
            Work::Items { first, .. } => *first,
            Work::Signature(_) => 0,
        });
        let expected: Vec<_> = (0..10_i64)
            .map(|run| Work::Items {
                batch_id: queue.batch_id.clone().unwrap(),
                first: run * 10 + 1,
                last: (run * 10 + 10).min(95),
            })
            .collect();
        assert_eq!(runs, expected, "{}", test.name);
        assert_eq!(write(&test, |connection| queues(connection, now())).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_worker_that_was_taken_for_dead_cannot_write_any_more() {
    for test in both() {
        let queue = batch(&test, "a", 10).await;
        let (dead, other) = (worker(&test).await, worker(&test).await);
        let lease = claim_as(&test, &queue, &dead, 1).await.remove(0).lease;
        let held = lease.clone();
        write(&test, move |connection| hold(connection, &held)).await.unwrap();
        // It beats once more after its beat was read: it lives.
        let beating = dead.clone();
        write(&test, move |connection| beat(connection, &beating)).await.unwrap();
        let buried = dead.clone();
        assert_eq!(write(&test, move |connection| bury(connection, &buried, 0)).await.unwrap(), 0);
        let buried = dead.clone();
        assert_eq!(write(&test, move |connection| bury(connection, &buried, 1)).await.unwrap(), 1);
        let taken = claim_as(&test, &queue, &other, 5).await;
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].lease.epoch, lease.epoch + 1);
        for step in [hold, finish] {
            let old = lease.clone();
            let refused = write(&test, move |connection| step(connection, &old)).await;
            assert!(matches!(refused, Err(StoreError::LeaseLost)), "{}: {refused:?}", test.name);
        }
        let old = lease.clone();
        let refused = write(&test, move |connection| give_back(connection, &old, now())).await;
        assert!(matches!(refused, Err(StoreError::LeaseLost)));
        let beating = write(&test, move |connection| beat(connection, &dead)).await;
        assert!(matches!(beating, Err(StoreError::LeaseLost)));
        let new = taken[0].lease.clone();
        write(&test, move |connection| finish(connection, &new)).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_given_back_waits_for_its_time_and_strays_are_freed() {
    for test in both() {
        let queue = batch(&test, "a", 10).await;
        let first = worker(&test).await;
        let lease = claim_as(&test, &queue, &first, 1).await.remove(0).lease;
        let later = now().plus(std::time::Duration::from_secs(1));
        write(&test, move |connection| give_back(connection, &lease, later)).await.unwrap();
        assert!(claim_as(&test, &queue, &first, 1).await.is_empty());
        assert_eq!(
            write(&test, move |connection| queues(connection, later)).await.unwrap(),
            std::slice::from_ref(&queue)
        );
        let (line, by) = (queue.clone(), first.clone());
        let again = write(&test, move |connection| claim(connection, &line, &by, 1, later)).await.unwrap();
        assert_eq!(again[0].attempts, 1);
        // A worker that leaves frees what it holds; one that vanished otherwise leaves strays.
        let leaving = first.clone();
        write(&test, move |connection| leave(connection, &leaving)).await.unwrap();
        let stray = WorkerId::generate();
        let (line, by) = (queue.clone(), stray.clone());
        write(&test, move |connection| claim(connection, &line, &by, 1, later)).await.unwrap();
        assert_eq!(write(&test, free_strays).await.unwrap(), 1, "{}", test.name);
    }
}

#[tokio::test]
async fn a_paused_batch_is_passed_over_and_a_resumed_one_goes_on() {
    for test in both() {
        let queue = batch(&test, "a", 20).await;
        let me = worker(&test).await;
        let id = queue.batch_id.clone().unwrap();
        let row = move |connection: &Connection| -> Result<BatchRow, StoreError> {
            Ok(batches::find(connection, &id, "a")?.expect("the batch is there"))
        };
        let find = row.clone();
        write(&test, move |connection| batches::pause(connection, &find(connection)?, now())).await.unwrap();
        assert!(claim_as(&test, &queue, &me, 5).await.is_empty());
        let find = row.clone();
        let twice =
            write(&test, move |connection| batches::pause(connection, &find(connection)?, now())).await;
        assert!(matches!(twice, Err(StoreError::BatchState { state: BatchState::Paused })));
        let find = row.clone();
        write(&test, move |connection| batches::resume(connection, &find(connection)?, now())).await.unwrap();
        assert_eq!(claim_as(&test, &queue, &me, 5).await.len(), 2);
        let find = row.clone();
        write(&test, move |connection| batches::cancel(connection, &find(connection)?, now())).await.unwrap();
        let state = test.store.read(move |connection| Ok(row(connection)?.state)).await.unwrap();
        assert_eq!(state, BatchState::Cancelled, "{}", test.name);
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_by_a_day_keeps_no_task_waiting() {
    for test in both() {
        let queue = batch(&test, "a", 10).await;
        let worker = worker(&test).await;
        let lease = claim_as(&test, &queue, &worker, 1).await.remove(0).lease;
        let tomorrow = now().plus(std::time::Duration::from_hours(24));
        write(&test, move |connection| give_back(connection, &lease, tomorrow)).await.unwrap();
        assert_eq!(claim_as(&test, &queue, &worker, 1).await.len(), 1, "{}", test.name);
    }
}

#[tokio::test]
async fn a_task_has_open_items_until_the_last_of_them_has_ended() {
    use crate::store::batches::items;
    for test in both() {
        let queue = batch(&test, "a", 20).await;
        let me = worker(&test).await;
        let id = queue.batch_id.clone().unwrap();
        let insert = move |connection: &Connection| -> Result<(), StoreError> {
            for position in 1..=20_i64 {
                connection.execute(
                    "INSERT INTO signature (id, tenant, document_name, document_sha256, batch_id, position, reference, custody,
                                            format, level, policy, state, key_id, created_at, expires_at)
                     SELECT ?2, 'a', 'n', ?4, id, ?3, 'r', 'hsm', 'cades', 'b', 'none', 'accepted', key_id, 1, 1
                     FROM batch WHERE id = ?1",
                    params![id, format!("sig_{position}"), position, [0_u8; 32]],
                )?;
            }
            Ok(())
        };
        write(&test, insert).await.unwrap();
        let lease = claim_as(&test, &queue, &me, 1).await.remove(0).lease;
        let any_open = async || {
            let lease = lease.clone();
            write(&test, move |connection| items::any_open(connection, &lease)).await.unwrap()
        };
        let end = async |first: i64, last: i64| {
            let sql = "UPDATE signature SET state = 'failed', problem_code = 'internal' WHERE position BETWEEN ?1 AND ?2";
            write(&test, move |connection| connection.execute(sql, params![first, last])).await.unwrap()
        };
        assert!(any_open().await, "{}", test.name);
        end(1, 9).await;
        assert!(any_open().await, "{}: the tenth is open", test.name);
        end(10, 10).await;
        assert!(!any_open().await, "{}: what is open is of another task", test.name);
    }
}
