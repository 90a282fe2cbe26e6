//! The operational database: SQLite, one writing thread, SQL as plain functions.
//!
//! Every write is durable when its future resolves (`synchronous = FULL`). Writes that arrive together share one
//! commit, so the disk is waited for once per group and a lone write is never delayed.

pub(crate) mod documents;
mod error;
pub(crate) mod keys;
pub(crate) mod objects;
mod row;
mod schema;
pub(crate) mod sessions;
pub(crate) mod signatures;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::data_folder::unwritable;
use crate::failure::Failure;

pub(crate) use error::StoreError;
use writer::Writer;

/// Readers kept open; more are opened while all are busy.
const IDLE_READERS: usize = 8;

/// The database of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the database, and brings its schema up to this version.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let mut connection = Connection::open(path).map_err(|error| open_failure(path, &error))?;
        configure(&connection).map_err(|error| open_failure(path, &error))?;
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000")
            .map_err(|error| open_failure(path, &error))?;
        schema::migrate(&mut connection, path)?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                writer: Writer::start(connection),
                readers: Mutex::default(),
            }),
        })
    }

    /// Runs `job` in the next commit; resolves when it is on the disk. An `Err` undoes the job alone.
    pub(crate) async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.writer.run(job).await
    }

    /// Runs `job` on a reading connection, here and now.
    ///
    /// Readers never wait for the writer, and a point read through an index takes some microseconds: less than handing
    /// it to another thread. Use it for such reads only where an async thread is the caller.
    pub(crate) fn read<T>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.inner.read(job)
    }
}

impl Inner {
    fn read<T>(&self, job: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open_reader()?,
        };
        let result = job(&connection);
        let mut readers = self.readers();
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    fn open_reader(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        configure(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().expect("no code panics while it holds the list of readers")
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Another process (the command line) may write for a moment.
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY",
    )
}

fn open_failure(path: &Path, error: &rusqlite::Error) -> Failure {
    unwritable(path, &std::io::Error::other(error.to_string()))
}
