use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rubrica_core::event::Event;
use rubrica_core::merkle::{self, Frontier, TreeHash};

use super::*;
use crate::store::contract::{TestStore, both};
use crate::store::log::{self, nodes};
use crate::store::outbox::emit;
use crate::store::outbox::tests::{now, released, started};
use crate::store::{Store, checkpoints};

async fn tell(store: &Store, events: Vec<Event>) -> i64 {
    store.write(move |connection| emit(connection, &events)).await.unwrap()
}

async fn relay_all(store: &Store) -> u64 {
    loop {
        let moved = store.write(|connection| relay(connection, now())).await.unwrap();
        if !moved.more {
            return moved.events;
        }
    }
}

async fn read(store: &Store, tenant: &'static str, after: u64) -> Vec<(u64, String)> {
    let segments = store.read(move |connection| segments(connection, tenant, after, 1000)).await.unwrap();
    let events = segments.iter().flat_map(Segment::events);
    events
        .filter(|(sequence, _)| *sequence > after)
        .map(|(sequence, kept)| (sequence, kept.unwrap().subject.to_owned()))
        .collect()
}

#[tokio::test]
async fn the_log_has_no_gap_and_a_tenant_sees_its_own_and_what_concerns_all() {
    for test in both() {
        let store = &test.store;
        tell(store, vec![started(Some("a"), "1"), started(Some("a"), "2")]).await;
        tell(store, vec![started(Some("b"), "3")]).await;
        tell(store, vec![started(None, "4")]).await;
        tell(store, vec![started(Some("a"), "5"), started(Some("a"), "6")]).await;
        assert_eq!(relay_all(store).await, 6);
        let told = |pairs: &[(u64, &str)]| -> Vec<(u64, String)> {
            pairs.iter().map(|(sequence, subject)| (*sequence, (*subject).to_owned())).collect()
        };
        let all = [(1, "1"), (2, "2"), (4, "4"), (5, "5"), (6, "6")];
        for after in 0..7 {
            let expected: Vec<_> = all.iter().copied().filter(|(sequence, _)| *sequence > after).collect();
            assert_eq!(read(store, "a", after).await, told(&expected), "{} after {after}", test.name);
        }
        assert_eq!(read(store, "b", 0).await, told(&[(3, "3"), (4, "4")]));
        assert_eq!(read(store, "c", 0).await, told(&[(4, "4")]));
        assert_eq!(read(store, "a", u64::MAX).await, []);
        let standing = store.read(log::standing).await.unwrap();
        assert_eq!((standing.events, standing.leaves, standing.waiting), (6, 0, false));
    }
}

#[tokio::test]
async fn the_tree_holds_every_release_in_the_order_of_the_log_and_proves_it() {
    for test in both() {
        let store = &test.store;
        let mut leaves = Vec::new();
        let (mut number, mut sizes) = (0, vec![0]);
        // Groups that cross the ends of tiles, in rounds of several rows.
        for round in [vec![1], vec![64, 3, 64], vec![200, 60], vec![300]] {
            for group in round {
                let events: Vec<_> = (number..number + group).map(|number| released("a", number)).collect();
                let hash = |event| ReleaseRecord::leaf_hash(&ReleaseRecord::of(event).unwrap().to_json());
                leaves.extend(events.iter().map(hash));
                number += group;
                tell(store, events).await;
            }
            relay_all(store).await;
            sizes.push(u64::from(number));
        }
        let mut frontier = Frontier::new();
        let mut roots = BTreeMap::from([(0, TreeHash::empty())]);
        for leaf in &leaves {
            frontier.append(*leaf, |_, _| {});
            roots.insert(frontier.size(), frontier.root());
        }
        assert_eq!(store.read(log::root).await.unwrap(), (u64::from(number), frontier.root()));
        for size in sizes {
            let wanted = merkle::consistency_nodes(size, frontier.size()).unwrap();
            let found = store.read(move |connection| nodes(connection, &wanted)).await.unwrap();
            let read = |node| found.get(&node).copied();
            let proof = merkle::consistency_proof(size, frontier.size(), read).unwrap();
            assert!(merkle::verify_consistency(size, frontier.size(), roots[&size], frontier.root(), &proof));
            for (index, leaf) in (0..size).zip(&leaves).step_by(41) {
                let wanted = merkle::inclusion_nodes(index, size).unwrap();
                let found: HashMap<_, _> =
                    store.read(move |connection| nodes(connection, &wanted)).await.unwrap();
                let proof = merkle::inclusion_proof(index, size, |node| found.get(&node).copied()).unwrap();
                assert!(merkle::verify_inclusion(index, size, *leaf, &proof, roots[&size]), "{}", test.name);
            }
        }
    }
}

#[tokio::test]
async fn a_round_that_fails_leaves_outbox_log_and_tree_as_they_were() {
    for test in both() {
        let store = &test.store;
        tell(store, vec![released("a", 1)]).await;
        let before = store.read(log::standing).await.unwrap();
        let broken = store
            .write(|connection| {
                relay(connection, now())?;
                Err::<(), _>(StoreError::Stopped)
            })
            .await;
        assert!(broken.is_err());
        assert_eq!(store.read(log::standing).await.unwrap(), before, "{}", test.name);
        assert!(before.waiting);
        assert_eq!(relay_all(store).await, 1);
        assert_eq!(store.read(log::standing).await.unwrap().leaves, 1);
    }
}

#[tokio::test]
async fn the_first_key_of_a_log_stays() {
    for test in both() {
        let claim = |key: &'static str| test.store.write(move |connection| log::claim_key(connection, key));
        assert_eq!(claim("one").await.unwrap(), "one");
        assert_eq!(claim("two").await.unwrap(), "one", "{}", test.name);
    }
}

#[tokio::test]
async fn the_first_note_about_a_tree_stays() {
    for test in both() {
        for (size, note) in [(2, "b"), (2, "c"), (1, "a")] {
            let row = checkpoints::CheckpointRow { size, note: note.to_owned() };
            test.store.write(move |connection| checkpoints::insert(connection, &row, now())).await.unwrap();
        }
        let latest = test.store.read(checkpoints::latest).await.unwrap().unwrap();
        assert_eq!((latest.size, latest.note.as_str()), (2, "b"), "{}", test.name);
        let after = test.store.read(|connection| checkpoints::after(connection, None, 10)).await.unwrap();
        assert_eq!(after.iter().map(|row| row.size).collect::<Vec<_>>(), [1, 2]);
    }
}

/// Writers whose transactions take random times and end in an order of their own, two relays that fight for the log, and
/// a reader that starts over again and again from where it stood.
#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_skipped_or_doubled_and_each_subject_keeps_its_order() {
    const WRITERS: u32 = 16;
    const TRANSACTIONS: u32 = 250;
    const EVENTS: u32 = 5;
    for TestStore { name, store, folder } in both() {
        let done = Arc::new(AtomicBool::new(false));
        let relays: Vec<_> = (0..2)
            .map(|_| {
                let (store, done) = (store.clone(), Arc::clone(&done));
                tokio::spawn(async move {
                    loop {
                        let last = done.load(Ordering::SeqCst);
                        let moved = store.write(|connection| relay(connection, now())).await.unwrap();
                        if last && moved.rows == 0 {
                            return;
                        }
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for transaction in 0..TRANSACTIONS {
                        let pause = Duration::from_micros(u64::from(crate::random::bytes::<1>()[0]) * 8);
                        let events: Vec<_> = (0..EVENTS)
                            .map(|event| {
                                let number = transaction * EVENTS + event;
                                started(Some("a"), &format!("{writer} {number}"))
                            })
                            .collect();
                        let write = move |connection: &Connection| {
                            let position = emit(connection, &events)?;
                            // The row has its position and is not committed yet.
                            if let Connection::Postgres(_) = connection {
                                std::thread::sleep(pause);
                            }
                            Ok(position)
                        };
                        store.write(write).await.unwrap();
                    }
                })
            })
            .collect();
        let reader = {
            let store = store.clone();
            tokio::spawn(async move {
                let (mut after, mut next) = (0, vec![0_u32; WRITERS as usize]);
                while after < u64::from(WRITERS * TRANSACTIONS * EVENTS) {
                    // Every round is a new reader; it stops anywhere, also in the middle of a transaction.
                    let take = usize::from(crate::random::bytes::<1>()[0]);
                    for (sequence, subject) in read(&store, "a", after).await.into_iter().take(take) {
                        assert_eq!(sequence, after + 1, "{name}: a gap, or an event told twice");
                        after = sequence;
                        let (writer, number) = subject.split_once(' ').unwrap();
                        let expected = &mut next[writer.parse::<usize>().unwrap()];
                        assert_eq!(number.parse(), Ok(*expected), "{name}: writer {writer}");
                        *expected += 1;
                    }
                    tokio::task::yield_now().await;
                }
                assert_eq!(next, vec![TRANSACTIONS * EVENTS; WRITERS as usize]);
            })
        };
        for writer in writers {
            writer.await.unwrap();
        }
        done.store(true, Ordering::SeqCst);
        for task in relays.into_iter().chain([reader]) {
            task.await.unwrap();
        }
        let standing = store.read(log::standing).await.unwrap();
        assert_eq!(standing.events, u64::from(WRITERS * TRANSACTIONS * EVENTS));
        drop(folder);
    }
}
