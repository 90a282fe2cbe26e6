//! Random histories of a batch, its workers and their deaths, held against the invariants of the engine.

use std::collections::{HashMap, HashSet};

use rubrica_core::ErrorCode;
use rubrica_core::wire::{Custody, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureProblem};

use super::items::{self, ItemArtefact, ItemRow, NewItem, Outcome};
use super::*;
use crate::ids::{SignatureId, WorkerId};
use crate::lookup::SignerHash;
use crate::store::schema;
use crate::store::sqlite::SqliteConnection;
use crate::store::tasks::{self, Claimed, Lease, Queue, Work};

/// Histories of one run.
const HISTORIES: u64 = 5_000;
/// Commands of one history.
const COMMANDS: usize = 18;
/// Items of the batch, three to a task.
const ITEMS: i64 = 7;

/// A generator whose numbers follow from its seed alone.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A batch with two workers, what they hold and what they held.
struct History<'a> {
    connection: &'a Connection,
    chance: Chance,
    batch: BatchId,
    workers: [WorkerId; 2],
    held: Vec<Claimed>,
    lost: Vec<Lease>,
    /// State and plan of every item after the last command.
    seen: HashMap<SignatureId, (SignatureState, Option<Vec<u8>>)>,
}

const SIGNER: SignerHash = SignerHash([9; 32]);

impl<'a> History<'a> {
    fn begin(connection: &'a Connection, seed: u64) -> Self {
        let row = BatchRow {
            id: BatchId::generate(),
            tenant: "TEST".to_owned(),
            name: None,
            reference: None,
            key_id: "key_00000000000000000000000000000000".parse().unwrap(),
            certificate: vec![0x30],
            chain: "[]".to_owned(),
            format: SignatureFormat::Cades,
            level: SignatureLevel::B,
            policy: SignaturePolicy::None,
            state: BatchState::Queued,
            total: ITEMS.unsigned_abs(),
            released: 0,
            failed: 0,
            cancelled: 0,
            created_at: now(),
            started_at: None,
            ended_at: None,
        };
        let list: Vec<_> = (0..ITEMS)
            .map(|number| NewItem {
                id: SignatureId::generate(),
                reference: number.to_string(),
                document_id: None,
                name: None,
                document_sha256: [7; 32],
            })
            .collect();
        intake::begin(connection, &row).unwrap();
        items::insert(connection, &row, &SIGNER, 1, &list).unwrap();
        tasks::add_batch(connection, &row.tenant, &row.id, ITEMS, 3).unwrap();
        intake::end(connection, &row).unwrap();
        connection.execute("DELETE FROM outbox", &[]).unwrap();
        let workers = [WorkerId::generate(), WorkerId::generate()];
        for worker in &workers {
            tasks::register(connection, worker, "TEST", now()).unwrap();
        }
        let seen = list.into_iter().map(|item| (item.id, (SignatureState::Accepted, None))).collect();
        Self {
            connection,
            chance: Chance(seed),
            batch: row.id,
            workers,
            held: Vec::new(),
            lost: Vec::new(),
            seen,
        }
    }

    fn row(&self) -> BatchRow {
        load(self.connection, &self.batch).unwrap().unwrap()
    }

    fn items(&self) -> Vec<ItemRow> {
        items::page(self.connection, &self.batch, 0, ITEMS).unwrap()
    }

    /// Runs a job as the store does: whole or not at all.
    fn write<T>(&self, job: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.connection.execute("SAVEPOINT command", &[]).unwrap();
        let result = job(self.connection);
        if result.is_err() {
            self.connection.execute("ROLLBACK TO command", &[]).unwrap();
        }
        self.connection.execute("RELEASE command", &[]).unwrap();
        result
    }

    fn step(&mut self) {
        match self.chance.below(12) {
            0 | 1 => self.claim(),
            2..=4 => self.intend(),
            5..=7 => self.end(),
            8 => self.die(),
            9 => self.give_back(),
            10 => self.write_late(),
            _ => self.operate(),
        }
        self.check();
    }

    fn claim(&mut self) {
        let worker = self.workers[self.chance.below(2)].clone();
        let queue = Queue { tenant: "TEST".to_owned(), batch_id: Some(self.batch.clone()) };
        let claimed = self.write(|connection| tasks::claim(connection, &queue, &worker, 1, now())).unwrap();
        for claimed in &claimed {
            let other = self.held.iter().any(|held| held.lease.task == claimed.lease.task);
            assert!(!other, "a task is held twice");
        }
        self.held.extend(claimed);
    }

    fn open(&self, claimed: &Claimed) -> Vec<ItemRow> {
        let Work::Items { batch_id, first, last } = &claimed.work else {
            panic!("a task of a batch has items")
        };
        items::open(self.connection, batch_id, *first, *last).unwrap()
    }

    fn intend(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let claimed = self.held[self.chance.below(self.held.len())].clone();
        let plans: Vec<_> = self
            .open(&claimed)
            .into_iter()
            .filter(|item| item.state == SignatureState::Accepted)
            .map(|item| {
                let plan = vec![u8::try_from(self.chance.below(256)).unwrap()];
                (item, plan, now())
            })
            .collect();
        let row = self.row();
        self.write(|connection| items::intend(connection, &claimed.lease, (&row, &SIGNER), &plans, now()))
            .unwrap();
    }

    fn outcome(&mut self, item: &ItemRow) -> Option<Outcome> {
        let problem = || SignatureProblem { code: ErrorCode::Cancelled, detail: String::new() };
        match (item.state, self.chance.below(4)) {
            (SignatureState::Signing, 0..=2) => Some(Outcome::Released {
                artefact: ItemArtefact {
                    name: "a".to_owned(),
                    media_type: "application/pkcs7-signature".to_owned(),
                    size_bytes: 1,
                    sha256: [1; 32],
                    tail: None,
                    released_at: now(),
                },
                signed_at: now(),
                value: Some(vec![1]),
            }),
            (SignatureState::Accepted, 0..=2) if self.row().state == BatchState::Cancelled => {
                Some(Outcome::Cancelled(problem()))
            }
            (_, 3) => Some(Outcome::Failed(problem())),
            _ => None,
        }
    }

    /// Ends some of the items of a task, and the task when none is left.
    fn end(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let index = self.chance.below(self.held.len());
        let claimed = self.held[index].clone();
        let open = self.open(&claimed);
        let count = open.len();
        let pairs: Vec<_> =
            open.into_iter().filter_map(|item| self.outcome(&item).map(|outcome| (item, outcome))).collect();
        let (row, all) = (self.row(), pairs.len() == count);
        self.write(|connection| {
            items::end(connection, &claimed.lease, (&row, &SIGNER, "00"), &pairs, now())?;
            if all { tasks::finish(connection, &claimed.lease) } else { Ok(()) }
        })
        .unwrap();
        if all {
            self.lost.push(self.held.remove(index).lease);
        }
    }

    /// A worker is taken for dead; what it held is free, and it comes back under another name.
    fn die(&mut self) {
        let index = self.chance.below(2);
        let dead = std::mem::replace(&mut self.workers[index], WorkerId::generate());
        let new = self.workers[index].clone();
        self.write(|connection| {
            tasks::bury(connection, &dead, 0)?;
            tasks::register(connection, &new, "TEST", now())
        })
        .unwrap();
        let (lost, held) = self.held.drain(..).partition(|claimed| claimed.lease.worker == dead);
        self.held = held;
        let lost: Vec<Claimed> = lost;
        self.lost.extend(lost.into_iter().map(|claimed| claimed.lease));
    }

    fn give_back(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let lease = self.held.remove(self.chance.below(self.held.len())).lease;
        self.write(|connection| tasks::give_back(connection, &lease, now())).unwrap();
        self.lost.push(lease);
    }

    /// A worker that was taken for dead, or gave its task back, still tries everything.
    fn write_late(&mut self) {
        if self.lost.is_empty() {
            return;
        }
        let lease = self.lost[self.chance.below(self.lost.len())].clone();
        let row = self.row();
        let items = self.items();
        let plans: Vec<_> = items.iter().map(|item| (item.clone(), vec![0xff], now())).collect();
        let problem = SignatureProblem { code: ErrorCode::Internal, detail: String::new() };
        let ends: Vec<_> = items.into_iter().map(|item| (item, Outcome::Failed(problem.clone()))).collect();
        let results = [
            self.write(|connection| {
                items::intend(connection, &lease, (&row, &SIGNER), &plans, now()).map(drop)
            }),
            self.write(|connection| items::end(connection, &lease, (&row, &SIGNER, "00"), &ends, now())),
            self.write(|connection| tasks::finish(connection, &lease)),
            self.write(|connection| tasks::give_back(connection, &lease, now())),
        ];
        for result in results {
            assert!(matches!(result, Err(StoreError::LeaseLost)), "{result:?}");
        }
    }

    fn operate(&mut self) {
        let act = [pause, resume, resume, cancel][self.chance.below(4)];
        // Cancelling is rare, or there would be little else.
        if std::ptr::fn_addr_eq(
            act,
            cancel as fn(&Connection, &BatchRow, Timestamp) -> Result<(), StoreError>,
        ) && self.chance.below(3) > 0
        {
            return;
        }
        let row = self.row();
        match self.write(|connection| act(connection, &row, now())) {
            Ok(()) => assert!(row.state.may_become(self.row().state), "{:?}", row.state),
            Err(StoreError::BatchState { state }) => assert_eq!(state, row.state),
            Err(error) => panic!("{error}"),
        }
    }

    /// The invariants.
    fn check(&mut self) {
        let lines: Vec<String> = self
            .connection
            .query("SELECT events FROM outbox ORDER BY position", &[], |row| row.get(0))
            .unwrap();
        self.connection.execute("DELETE FROM outbox", &[]).unwrap();
        let mut told: HashMap<String, Vec<String>> = HashMap::new();
        for line in lines.iter().flat_map(|lines| lines.lines()) {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(id) = event["data"]["signature_id"].as_str() {
                told.entry(id.to_owned()).or_default().push(event["type"].as_str().unwrap().to_owned());
            }
        }
        let row = self.row();
        let mut counts = BatchCounts::default();
        for item in self.items() {
            counts.add(item.state, 1);
            let (before, plan) = self.seen.insert(item.id.clone(), (item.state, item.plan.clone())).unwrap();
            // What was pinned never changes.
            assert!(plan.is_none() || plan == item.plan);
            // One event for each edge, and only listed edges.
            let events = told.remove(&item.id.to_string()).unwrap_or_default();
            let path: &[SignatureState] = match (before, item.state) {
                (same, now) if same == now => &[],
                (SignatureState::Accepted, SignatureState::Signing) => {
                    &[SignatureState::Prepared, SignatureState::Signing]
                }
                (_, SignatureState::Released) => &[SignatureState::Released],
                (_, SignatureState::Failed) => &[SignatureState::Failed],
                (_, SignatureState::Cancelled) => &[SignatureState::Cancelled],
                (before, now) => panic!("{before:?} became {now:?}"),
            };
            let mut from = before;
            for next in path {
                assert!(from.may_become(*next, Custody::Hsm, SignatureLevel::B), "{from:?} {next:?}");
                from = *next;
            }
            let expected: Vec<_> = path.iter().map(|state| format!("signature.{}", state.as_str())).collect();
            assert_eq!(events, expected);
        }
        assert!(told.is_empty(), "events of nothing: {told:?}");
        // The counters are those of the rows, and the batch has ended exactly when everything has.
        assert_eq!(
            (row.released, row.failed, row.cancelled),
            (counts.released, counts.failed, counts.cancelled)
        );
        assert_eq!(counts.total(), row.total);
        let all_ended = counts.accepted + counts.prepared + counts.signing == 0;
        assert_eq!(row.ended_at.is_some(), all_ended);
        if row.state != BatchState::Cancelled {
            assert_eq!(row.state.is_final(), all_ended);
        }
        // Every item that is open has a task, and each task one holder at most.
        let held: HashSet<i64> = self.held.iter().map(|claimed| claimed.lease.task).collect();
        assert_eq!(held.len(), self.held.len());
        let uncovered = self
            .connection
            .exists(
                "SELECT 1 FROM signature s WHERE s.batch_id = ?1 AND s.state IN ('accepted', 'signing') AND NOT EXISTS
                 (SELECT 1 FROM task t WHERE t.batch_id = s.batch_id AND s.position BETWEEN t.first AND t.last)",
                params![self.batch],
            )
            .unwrap();
        assert!(!uncovered, "an open item has no task");
    }
}

#[test]
fn no_history_breaks_an_invariant() {
    let memory = rusqlite::Connection::open_in_memory().unwrap();
    memory.set_prepared_statement_cache_capacity(128);
    let connection = Connection::Sqlite(SqliteConnection::new(memory));
    schema::migrate(&connection, "memory").unwrap();
    connection
        .execute(
            "INSERT INTO signing_key (id, tenant, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at)
             VALUES ('key_00000000000000000000000000000000', 'TEST', x'00', x'01', 'rsa', x'30', 'active', 1, 1)",
            &[],
        )
        .unwrap();
    let mut ends: HashMap<&str, u64> = HashMap::new();
    for number in 1..=HISTORIES {
        let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut history = History::begin(&connection, seed);
            for _ in 0..COMMANDS {
                history.step();
            }
            history.row().state.as_str()
        }));
        match told {
            Ok(state) => *ends.entry(state).or_default() += 1,
            Err(panic) => {
                let what = panic.downcast_ref::<String>().map_or("a panic without text", String::as_str);
                panic!("history {number} (seed {seed:#x}): {what}");
            }
        }
        connection
            .execute_batch("DELETE FROM task; DELETE FROM worker; DELETE FROM signature; DELETE FROM batch")
            .unwrap();
    }
    // The histories go everywhere.
    for state in BatchState::ALL {
        assert!(ends.get(state.as_str()).is_some_and(|count| *count >= 5), "{state:?}: {ends:?}");
    }
}
