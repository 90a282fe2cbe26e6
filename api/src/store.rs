//! The operational database: SQLite in the data folder, or PostgreSQL shared by several instances. SQL as plain functions,
//! one set for both.
//!
//! Every write is durable when its future resolves. In SQLite, writes that arrive together share one commit, so the disk is
//! waited for once per group and a lone write is never delayed; PostgreSQL groups the commits of its connections by itself.

mod connection;
#[cfg(test)]
pub(crate) mod contract;
pub(crate) mod documents;
mod error;
pub(crate) mod keys;
pub(crate) mod objects;
mod postgres;
mod row;
mod schema;
pub(crate) mod sessions;
pub(crate) mod signatures;
mod sqlite;
mod value;

use std::path::Path;

use tokio::sync::oneshot;

use crate::config;
use crate::failure::Failure;

pub(crate) use connection::{Connection, Row};
pub(crate) use error::StoreError;
pub(crate) use postgres::PostgresSettings;
pub(crate) use value::{ColumnValue, FromColumn, ToValue, Value, params};

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
pub(crate) struct Store(Database);

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
            None => Self::open_sqlite(file),
            Some(postgres) => Self::open_postgres(&postgres),
        }
    }

    /// Opens or creates a file.
    pub(crate) fn open_sqlite(file: &Path) -> Result<Self, Failure> {
        let place = file.display().to_string();
        let opened = sqlite::Sqlite::open(file, |connection| schema::migrate(connection, &place));
        opened.map(Database::Sqlite).map(Self).map_err(|error| error.on_open(&place))
    }

    /// Connects to a server.
    pub(crate) fn open_postgres(settings: &PostgresSettings) -> Result<Self, Failure> {
        let place = "the PostgreSQL database";
        let opened = postgres::Postgres::open(settings, |connection| schema::migrate(connection, place));
        opened.map(Database::Postgres).map(Self).map_err(|error| error.on_open(place))
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
        match &self.0 {
            Database::Sqlite(sqlite) => run(|job| sqlite.submit(job), job).await,
            Database::Postgres(postgres) => run(|job| postgres.submit(job), job).await,
        }
    }

    /// Runs `job`, which only reads.
    ///
    /// On SQLite it runs here and now: use it for point reads and short pages where an async thread is the caller.
    pub(crate) async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.read(job),
            Database::Postgres(postgres) => run(|job| postgres.submit_read(job), job).await,
        }
    }
}

async fn run<T, F>(submit: impl FnOnce(Job) -> Result<(), StoreError>, job: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        let result = connection.and_then(job);
        Done {
            succeeded: result.is_ok(),
            answer: Box::new(move |commit| {
                // The caller may have gone; its work stays done.
                let _ = reply.send(commit.and(result));
            }),
        }
    });
    submit(job)?;
    answer.await.map_err(|_| StoreError::Stopped)?
}
