use super::*;
use crate::relay::LogSigner;
use crate::relay::sealer::seal;
use crate::store::contract::{TestStore, both};
use crate::store::outbox::tests::{now, released, started};
use crate::store::{Store, events, outbox, params};

const LEAVES: u32 = 2000;

fn signer() -> LogSigner {
    LogSigner::from_seed(&[1; 32])
}

/// A log with releases in transactions of every length, sealed now and then.
async fn fill(store: &Store) {
    let mut number = 0;
    for group in (1..=64).cycle() {
        let group = group.min(LEAVES - number);
        let events: Vec<_> = std::iter::once(started(Some("a"), "bat_1"))
            .chain((number..number + group).map(|number| released("a", number)))
            .collect();
        number += group;
        store
            .write(move |connection| {
                outbox::emit(connection, &events)?;
                events::relay(connection, now())
            })
            .await
            .unwrap();
        if group % 7 == 0 || number == LEAVES {
            seal(store, &signer(), now()).await.unwrap();
        }
        if number == LEAVES {
            return;
        }
    }
}

/// Audits after a change that is undone.
async fn after(store: &Store, sql: Vec<(String, Vec<i64>)>) -> AuditReport {
    let (told, report) = tokio::sync::oneshot::channel();
    let undone = store
        .write(move |connection| {
            for (sql, numbers) in &sql {
                let parameters: Vec<_> =
                    numbers.iter().map(|number| crate::store::Value::Integer(*number)).collect();
                let changed = connection.execute(sql, &parameters)?;
                assert!(changed > 0, "nothing changed: {sql}");
            }
            let _ = told.send(audit(connection, signer().public(), &[])?);
            Err::<(), _>(StoreError::Stopped)
        })
        .await;
    assert!(matches!(undone, Err(StoreError::Stopped)), "{undone:?}");
    report.await.unwrap()
}

async fn rows(store: &Store) -> Vec<(i64, i64)> {
    store
        .read(|connection| {
            connection.query(
                "SELECT sequence, length(records) FROM event ORDER BY sequence",
                params![],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn every_edit_deletion_and_reordering_is_found() {
    for TestStore { name, store, folder } in both() {
        fill(&store).await;
        let clean = after(&store, vec![]).await;
        assert_eq!((clean.problems, clean.leaves), (0, u64::from(LEAVES)), "{name}: {:?}", clean.findings);
        assert!(clean.checkpoints > 5);
        let rows = rows(&store).await;
        let mut seed = 1_u64;
        // xorshift: the same changes in every run.
        let mut random = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % u64::try_from(below).unwrap()).unwrap()
        };
        // Both databases hold the same; one of them is tried thoroughly.
        let rounds = if name == "sqlite" { 200 } else { 20 };
        for round in 0..rounds {
            let ((row, length), (other, _)) = (rows[random(rows.len())], rows[random(rows.len())]);
            let place = 1 + i64::try_from(random(usize::try_from(length).unwrap())).unwrap();
            let cut = |column: &str, instead: &str| {
                format!(
                    "UPDATE event SET {column} = substr({column}, 1, CAST(?2 AS INTEGER) - 1) || '{instead}' ||
                            substr({column}, CAST(?2 AS INTEGER) + 1) WHERE sequence = ?1"
                )
            };
            let sql = match round % 8 {
                // A character of a record becomes another, or none.
                0 => vec![(cut("records", "~"), vec![row, place])],
                1 => vec![(cut("records", ""), vec![row, place])],
                // Something else is said in events than was recorded.
                2 => {
                    let other = "UPDATE event SET events = replace(events, '\"custody\":\"hsm\"', '\"custody\":\"local\"') WHERE sequence = ?1";
                    vec![(other.to_owned(), vec![row])]
                }
                // A transaction is gone.
                3 => vec![("DELETE FROM event WHERE sequence = ?1".to_owned(), vec![row])],
                // Two transactions change places.
                4 if row != other => {
                    let swap = "UPDATE event SET records = (SELECT records FROM event one WHERE one.sequence = ?2),
                                events = (SELECT events FROM event one WHERE one.sequence = ?2) WHERE sequence = ?1";
                    vec![(swap.to_owned(), vec![row, other])]
                }
                // The end is cut off, and the log says so itself.
                5 => vec![
                    ("DELETE FROM event WHERE sequence >= ?1".to_owned(), vec![row]),
                    ("UPDATE log SET events = CAST(?1 AS BIGINT) - 1".to_owned(), vec![row]),
                ],
                // Less than what was signed; leaves that are counted wrongly.
                6 => vec![("UPDATE log SET leaves = leaves - 1".to_owned(), vec![])],
                _ => vec![(
                    "UPDATE event SET first_leaf = first_leaf + 1 WHERE sequence = ?1".to_owned(),
                    vec![row],
                )],
            };
            let report = after(&store, sql.clone()).await;
            assert!(report.problems > 0, "{name}: not found: {sql:?}");
        }
        drop(folder);
    }
}

#[tokio::test]
async fn a_log_that_was_shortened_with_all_that_was_signed_is_found_by_a_checkpoint_kept_elsewhere() {
    for TestStore { name, store, folder } in both() {
        let release = async |numbers: std::ops::Range<u32>| {
            let events: Vec<_> = numbers.map(|number| released("a", number)).collect();
            store
                .write(move |connection| {
                    outbox::emit(connection, &events)?;
                    events::relay(connection, now())
                })
                .await
                .unwrap();
            seal(&store, &signer(), now()).await.unwrap();
        };
        release(0..10).await;
        let before = store
            .read(|connection| {
                connection.query_one(
                    "SELECT peaks, (SELECT hashes FROM log_tile) FROM log",
                    params![],
                    |row| Ok((row.get::<Vec<u8>>(0)?, row.get::<Vec<u8>>(1)?)),
                )
            })
            .await
            .unwrap()
            .unwrap();
        release(10..20).await;
        let latest = store.read(checkpoints::latest).await.unwrap().unwrap();
        let kept = Checkpoint::open(&latest.note, signer().public()).unwrap();
        let told = store
            .write(move |connection| {
                connection.execute("DELETE FROM event WHERE sequence > 10", &[])?;
                connection.execute("DELETE FROM checkpoint WHERE size > 10", &[])?;
                connection.execute("UPDATE log_tile SET hashes = ?1", params![before.1])?;
                connection
                    .execute("UPDATE log SET events = 10, leaves = 10, peaks = ?1", params![before.0])?;
                let key = signer();
                let alone = audit(connection, key.public(), &[])?.problems;
                Ok((alone, audit(connection, key.public(), &[kept])?.problems))
            })
            .await
            .unwrap();
        assert_eq!(told, (0, 1), "{name}");
        drop(folder);
    }
}
