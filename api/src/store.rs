//! The operational database: SQLite in the data folder, or PostgreSQL shared by several instances. SQL as plain functions,
//! one set for both.
//!
//! Every write is durable when its future resolves. In SQLite, writes that arrive together share one commit, so the disk is
//! waited for once per group and a lone write is never delayed; PostgreSQL groups the commits of its connections by itself.

pub(crate) mod api_keys;
pub(crate) mod authorizations;
pub(crate) mod batches;
pub(crate) mod checkpoints;
pub(crate) mod cloud_services;
mod connection;
pub(crate) mod consents;
#[cfg(test)]
pub(crate) mod contract;
pub(crate) mod deliveries;
pub(crate) mod documents;
pub(crate) mod enrolments;
mod error;
pub(crate) mod events;
pub(crate) mod idempotency;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod notices;
pub(crate) mod objects;
pub(crate) mod orders;
#[allow(dead_code, reason = "the engine and the resources that emit come next")]
pub(crate) mod outbox;
mod postgres;
pub(crate) mod receipts;
pub(crate) mod revocations;
mod row;
mod schema;
pub(crate) mod sessions;
pub(crate) mod signatures;
mod sqlite;
pub(crate) mod tasks;
pub(crate) mod tokens;
mod transfer;
pub(crate) mod validity;
mod value;
pub(crate) mod webhooks;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rubrica_core::ErrorCode;
use tokio::sync::{Notify, oneshot};

use crate::config;
use crate::failure::Failure;
use crate::shed::{Line, Load};

pub(crate) use connection::{Connection, Row};
pub(crate) use error::StoreError;
pub(crate) use postgres::{DatabaseTls, PostgresSettings};
pub(crate) use transfer::{Moved, move_to_postgres};
pub(crate) use value::{ColumnValue, FromColumn, ToValue, Value, params};

/// How long a write may wait for its turn, unless [`Store::with_queue_time`] says otherwise.
const WRITE_WAIT: Duration = Duration::from_millis(200);

/// Runs a job, unless there is no connection to run it on.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Done + Send>;
/// Told once the commit is known.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A job that ran and keeps its answer back.
struct Done {
    /// Whether its changes are to be kept.
    succeeded: bool,
    answer: Answer,
}

/// The database of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    database: Database,
    /// Told after every commit of events by this process.
    emitted: Arc<Notify>,
    /// Writes that wait for a connection.
    for_writer: Arc<Line>,
}

#[derive(Debug, Clone)]
enum Database {
    /// The instance's own.
    Sqlite(sqlite::Sqlite),
    /// Shared with others.
    Postgres(postgres::Postgres),
}

impl Store {
    /// Opens the database of a configuration, and brings its schema up to this version.
    pub(crate) fn open(settings: &config::Store, file: &Path) -> Result<Self, Failure> {
        match settings.postgres()? {
            None if !file.exists() && transfer::moved_name(file).exists() => Err(Failure::new(
                ErrorCode::DataFolderUnknown,
                format!("the database {} was moved to PostgreSQL", file.display()),
                "Name the PostgreSQL database in store.url",
            )),
            None => Self::open_sqlite(file),
            Some(postgres) => Self::open_postgres(&postgres),
        }
    }

    /// Opens or creates a file.
    pub(crate) fn open_sqlite(file: &Path) -> Result<Self, Failure> {
        let place = file.display().to_string();
        let opened = sqlite::Sqlite::open(file, |connection| schema::migrate(connection, &place));
        opened.map(Database::Sqlite).map(Self::new).map_err(|error| error.on_open(&place))
    }

    /// Connects to a server.
    pub(crate) fn open_postgres(settings: &PostgresSettings) -> Result<Self, Failure> {
        let place = "the PostgreSQL database";
        let opened = postgres::Postgres::open(settings, |connection| schema::migrate(connection, place));
        opened.map(Database::Postgres).map(Self::new).map_err(|error| error.on_open(place))
    }

    fn new(database: Database) -> Self {
        Self { database, emitted: Arc::default(), for_writer: Line::new(WRITE_WAIT) }
    }

    /// The same store, whose writes should wait no longer than this for their turn.
    pub(crate) fn with_queue_time(self, target: Duration) -> Self {
        Self { for_writer: Line::new(target), ..self }
    }

    /// How many writes wait for their turn.
    pub(crate) fn load(&self) -> Load {
        self.for_writer.load()
    }

    /// Resolves once this process has committed events, at once when it did so since the last call.
    pub(crate) async fn emitted(&self) {
        self.emitted.notified().await;
    }

    /// Runs `job` in a transaction; resolves when it is on the disk. An `Err` undoes the job alone.
    ///
    /// # Errors
    /// Those of the job, and [`StoreError::Unavailable`]: then nothing was kept, unless the connection broke during the
    /// commit itself. Whoever repeats a job must therefore recognise what it did before, by the state of the row.
    pub(crate) async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let waiting = self.for_writer.wait();
        let job = move |connection: &Connection| {
            drop(waiting);
            job(connection)
        };
        match &self.database {
            Database::Sqlite(sqlite) => run(|job| sqlite.submit(job), job, &self.emitted).await,
            Database::Postgres(postgres) => run(|job| postgres.submit(job), job, &self.emitted).await,
        }
    }

    /// Whether other instances may use the database at the same time.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// Runs `job`, which only reads.
    ///
    /// On SQLite it runs here and now: use it for point reads and short pages where an async thread is the caller.
    pub(crate) async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.read(job),
            Database::Postgres(postgres) => run(|job| postgres.submit_read(job), job, &self.emitted).await,
        }
    }
}

async fn run<T, F>(
    submit: impl FnOnce(Job) -> Result<(), StoreError>,
    job: F,
    emitted: &Arc<Notify>,
) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let relay = Arc::clone(emitted);
    let job: Job = Box::new(move |connection| {
        let mut emitted = false;
        let result = connection.and_then(|connection| {
            let result = job(connection);
            emitted = connection.take_emitted();
            result
        });
        Done {
            succeeded: result.is_ok(),
            answer: Box::new(move |commit| {
                let result = commit.and(result);
                if emitted && result.is_ok() {
                    relay.notify_one();
                }
                // The caller may have gone; its work stays done.
                let _ = reply.send(result);
            }),
        }
    });
    submit(job)?;
    answer.await.map_err(|_| StoreError::Stopped)?
}
