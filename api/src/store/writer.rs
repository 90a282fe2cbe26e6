//! The one thread that writes, and its group commits.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

/// Jobs in one commit at most.
const GROUP_SIZE: usize = 64;
/// Time that a group may grow. It only grows by what is already waiting: nobody waits for company.
const GROUP_TIME: Duration = Duration::from_millis(25);

/// Runs a job, unless there is no transaction to run it in, and keeps its answer back until the commit is known.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

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

    pub(super) async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(|connection| in_savepoint(connection, job));
            Box::new(move |commit: Result<(), StoreError>| {
                // The caller may have gone; its work stays done.
                let _ = reply.send(commit.and(result));
            })
        });
        self.jobs.send(job).map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }
}

fn commit_group(connection: &Connection, first: Job, queue: &mpsc::Receiver<Job>) {
    let begun = Instant::now();
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        tracing::error!(%error, "no transaction could begin; the job was not run");
        return first(Err(StoreError::Commit(error.to_string())))(Ok(()));
    }
    let mut answers = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next {
        answers.push(job(Ok(connection)));
        let full = answers.len() == GROUP_SIZE || begun.elapsed() >= GROUP_TIME;
        next = if full { None } else { queue.try_recv().ok() };
    }
    let commit = connection.execute_batch("COMMIT").map_err(|error| error.to_string());
    if let Err(error) = &commit {
        tracing::error!(%error, group.size = answers.len(), "commit failed; the group was undone");
        // Fails when SQLite has already rolled back, which is what is wanted.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(commit.clone().map_err(StoreError::Commit));
    }
}

/// An `Err` undoes the job and leaves the rest of the group alone.
fn in_savepoint<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = job(connection);
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job" };
    connection.prepare_cached(end)?.execute([])?;
    result
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE number (n INTEGER UNIQUE)").unwrap();
        Writer::start(connection)
    }

    fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static {
        move |connection| Ok(connection.execute("INSERT INTO number VALUES (?1)", [n]).map(drop)?)
    }

    #[tokio::test]
    async fn a_refused_job_undoes_itself_and_not_its_neighbours() {
        let writer = writer();
        let (a, twice, b) = tokio::join!(
            writer.run(insert(1)),
            writer.run(|connection| {
                insert(2)(connection)?;
                insert(1)(connection)
            }),
            writer.run(insert(3)),
        );
        a.unwrap();
        b.unwrap();
        assert!(matches!(twice, Err(StoreError::Sqlite(_))));
        let sum = writer
            .run(|connection| {
                Ok(connection.query_row("SELECT sum(n) FROM number", [], |row| row.get::<_, i64>(0))?)
            })
            .await
            .unwrap();
        assert_eq!(sum, 4);
    }
    #[tokio::test]
    async fn without_a_transaction_no_job_runs() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("BEGIN").unwrap();
        let ran = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&ran);
        let answer = Writer::start(connection)
            .run(move |_| {
                mark.store(true, Ordering::Relaxed);
                Ok(())
            })
            .await;
        assert!(matches!(answer, Err(StoreError::Commit(_))));
        assert!(!ran.load(Ordering::Relaxed));
    }
}
