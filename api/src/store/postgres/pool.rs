//! Threads with a connection each, fed by one queue.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::{PostgresConnection, PostgresSettings};
use crate::store::connection::Connection;
use crate::store::{Done, Job, StoreError};

/// A reading connection that was used this lately is taken to be alive.
const TRUSTED: Duration = Duration::from_secs(1);

/// What the connections of a pool are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Every job is a transaction.
    Write,
    /// Every statement stands alone.
    Read,
}

/// Handle of the threads, which end when the last handle is dropped and the queue is empty.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    jobs: mpsc::Sender<Job>,
}

impl Pool {
    pub(super) fn start(name: &str, settings: &PostgresSettings, kind: Kind) -> Self {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for index in 0..settings.connections.max(1) {
            let (queue, settings) = (Arc::clone(&queue), settings.clone());
            thread::Builder::new()
                .name(format!("{name}-{index}"))
                .spawn(move || work(&queue, &settings, kind))
                .expect("the system can start as many threads as connections are configured");
        }
        Self { jobs }
    }

    pub(super) fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).map_err(|_| StoreError::Stopped)
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>, settings: &PostgresSettings, kind: Kind) {
    let mut kept: Option<(Connection, Instant)> = None;
    loop {
        let next = queue.lock().expect("no thread panics while it waits for a job").recv();
        let Ok(job) = next else { return };
        let connection = match begin(kept.take(), settings, kind) {
            Ok(connection) => connection,
            Err(error) => {
                (job(Err(error)).answer)(Ok(()));
                continue;
            }
        };
        let Done { succeeded, answer } = job(Ok(&connection));
        let ended = match (kind, succeeded) {
            (Kind::Read, _) => Ok(()),
            (Kind::Write, true) => connection.execute_batch("COMMIT"),
            // A connection that cannot even undo is dropped below; the server undoes it then.
            (Kind::Write, false) => match connection.execute_batch("ROLLBACK") {
                Ok(()) => Ok(()),
                Err(_) => {
                    answer(Ok(()));
                    continue;
                }
            },
        };
        if ended.is_ok() && !is_closed(&connection) {
            kept = Some((connection, Instant::now()));
        }
        answer(ended);
    }
}

/// A connection inside a transaction. One that died while it was idle is replaced: nothing has run on it.
fn begin(
    kept: Option<(Connection, Instant)>,
    settings: &PostgresSettings,
    kind: Kind,
) -> Result<Connection, StoreError> {
    let start = |connection: Connection, idle: Duration| {
        match kind {
            Kind::Write => connection.execute_batch("BEGIN")?,
            // What the server did meanwhile is not seen before it is asked.
            Kind::Read if idle > TRUSTED => connection.execute_batch("")?,
            Kind::Read => {}
        }
        Ok(connection)
    };
    if let Some((connection, used)) = kept
        && let Ok(connection) = start(connection, used.elapsed())
    {
        return Ok(connection);
    }
    start(Connection::Postgres(Box::new(PostgresConnection::open(settings)?)), Duration::ZERO)
}

fn is_closed(connection: &Connection) -> bool {
    matches!(connection, Connection::Postgres(connection) if connection.is_closed())
}
