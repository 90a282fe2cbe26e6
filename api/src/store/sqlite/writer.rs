//! The one thread that writes.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::store::connection::Connection;
use crate::store::{Done, Job, StoreError};

/// Jobs in one commit at most.
const GROUP_SIZE: usize = 64;
/// Time that a group may grow. It only grows by what is already waiting: nobody waits for company.
const GROUP_TIME: Duration = Duration::from_millis(25);

/// Handle of the writing thread, which ends when the last handle is dropped and the queue is empty.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Self {
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                while let Ok(first) = queue.recv() {
                    commit_group(&connection, first, &queue);
                }
                // Leaves a database without a log behind, so that a copy of one file is a copy of all.
                let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
            })
            .expect("the system can start one thread");
        Self { jobs }
    }

    pub(super) fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).map_err(|_| StoreError::Stopped)
    }
}

fn commit_group(connection: &Connection, first: Job, queue: &mpsc::Receiver<Job>) {
    let begun = Instant::now();
    if let Err(error) = connection.execute("BEGIN IMMEDIATE", &[]) {
        tracing::error!(%error, "no transaction could begin; the job was not run");
        let error = StoreError::Unavailable(error.to_string());
        return (first(Err(error)).answer)(Ok(()));
    }
    let mut answers = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next {
        answers.push(in_savepoint(connection, job));
        let full = answers.len() == GROUP_SIZE || begun.elapsed() >= GROUP_TIME;
        next = if full { None } else { queue.try_recv().ok() };
    }
    let commit = connection.execute("COMMIT", &[]).map_err(|error| error.to_string());
    if let Err(error) = &commit {
        tracing::error!(%error, group.size = answers.len(), "commit failed; the group was undone");
        // Fails when SQLite has already rolled back, which is what is wanted.
        let _ = connection.execute("ROLLBACK", &[]);
    }
    for answer in answers {
        answer(commit.clone().map(drop).map_err(StoreError::Unavailable));
    }
}

/// A job that fails undoes itself and leaves the rest of the group alone.
fn in_savepoint(connection: &Connection, job: Job) -> crate::store::Answer {
    if let Err(error) = connection.execute("SAVEPOINT job", &[]) {
        return job(Err(error)).answer;
    }
    let Done { succeeded, answer } = job(Ok(connection));
    let ended = if succeeded {
        connection.execute("RELEASE job", &[])
    } else {
        connection.execute("ROLLBACK TO job", &[]).and_then(|_| connection.execute("RELEASE job", &[]))
    };
    match ended {
        Ok(_) => answer,
        // SQLite has undone the whole group, as when the disk is full; the commit will say so too.
        Err(error) => {
            let error = error.to_string();
            Box::new(move |commit| answer(commit.and(Err(StoreError::Unavailable(error)))))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::Notify;

    use super::*;
    use crate::store::sqlite::SqliteConnection;
    use crate::store::{params, run};

    fn connection() -> Connection {
        Connection::Sqlite(SqliteConnection::new(rusqlite::Connection::open_in_memory().unwrap()))
    }

    fn writer() -> Writer {
        let connection = connection();
        connection.execute_batch("CREATE TABLE number (n INTEGER UNIQUE)").unwrap();
        Writer::start(connection)
    }

    fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static {
        move |connection| connection.execute("INSERT INTO number VALUES (?1)", params![n]).map(drop)
    }

    #[tokio::test]
    async fn a_refused_job_undoes_itself_and_not_its_neighbours() {
        let writer = writer();
        let submit = |job| writer.submit(job);
        let relay = Arc::<Notify>::default();
        let (a, twice, b) = tokio::join!(
            run(submit, insert(1), &relay),
            run(
                submit,
                |connection: &Connection| {
                    insert(2)(connection)?;
                    insert(1)(connection)
                },
                &relay
            ),
            run(submit, insert(3), &relay),
        );
        a.unwrap();
        b.unwrap();
        assert!(matches!(twice, Err(StoreError::Constraint(_))), "{twice:?}");
        let sum = run(
            submit,
            |connection: &Connection| {
                connection.query_one("SELECT sum(n) FROM number", &[], |row| row.get::<i64>(0))
            },
            &relay,
        )
        .await
        .unwrap();
        assert_eq!(sum, Some(4));
    }

    #[tokio::test]
    async fn without_a_transaction_no_job_runs() {
        let connection = connection();
        connection.execute_batch("BEGIN").unwrap();
        let ran = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&ran);
        let writer = Writer::start(connection);
        let answer = run(
            |job| writer.submit(job),
            move |_: &Connection| {
                mark.store(true, Ordering::Relaxed);
                Ok(())
            },
            &Arc::default(),
        )
        .await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))));
        assert!(!ran.load(Ordering::Relaxed));
    }
}
