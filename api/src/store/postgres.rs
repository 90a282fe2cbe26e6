//! PostgreSQL: a pool of threads, each with a connection of its own. Commits that happen together are grouped by the
//! server, so sixteen connections commit about as often as the disk allows for one, times sixteen.

mod connection;
mod pool;
mod settings;

use super::connection::Connection;
use super::{Job, StoreError};
pub(super) use connection::{PostgresConnection, column};
use pool::Pool;
pub(crate) use settings::{DatabaseTls, PostgresSettings};

/// A server, shared by several instances.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    writers: Pool,
    readers: Pool,
}

impl Postgres {
    /// Connects; the schema is brought up to date first.
    pub(super) fn open(
        settings: &PostgresSettings,
        migrate: impl FnOnce(&Connection) -> Result<(), StoreError> + Send,
    ) -> Result<Self, StoreError> {
        // A connection waits in a runtime of its own, which the thread of another runtime could not enter.
        std::thread::scope(|scope| {
            let first = || migrate(&Connection::Postgres(Box::new(PostgresConnection::open(settings)?)));
            scope.spawn(first).join().map_err(|_| StoreError::Stopped)?
        })?;
        Ok(Self {
            writers: Pool::start("store-writer", settings, pool::Kind::Write),
            readers: Pool::start("store-reader", settings, pool::Kind::Read),
        })
    }

    /// Queues a job for a transaction of its own.
    pub(super) fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.writers.submit(job)
    }

    /// Queues a job that only reads.
    pub(super) fn submit_read(&self, job: Job) -> Result<(), StoreError> {
        self.readers.submit(job)
    }
}
