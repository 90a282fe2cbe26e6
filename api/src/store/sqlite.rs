//! SQLite: one writing thread with group commit, readers without waiting.

mod writer;

use std::borrow::Cow;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::connection::{Connection, Row};
use super::value::Value;
use super::{Job, StoreError};
use writer::Writer;

/// Readers kept open; more are opened while all are busy.
const IDLE_READERS: usize = 8;

/// The database of one instance, a file of its data folder.
#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Opens the file; its schema is brought up to date before the writer starts.
    pub(super) fn open(
        path: &Path,
        migrate: impl FnOnce(&Connection) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let connection = Connection::Sqlite(SqliteConnection::open(path)?);
        migrate(&connection)?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                writer: Writer::start(connection),
                readers: Mutex::default(),
            }),
        })
    }

    /// Queues a job for the next commit.
    pub(super) fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.inner.writer.submit(job)
    }

    /// Runs `job` on a reading connection, here and now: readers never wait for the writer, and a point read through an
    /// index takes some microseconds, less than handing it to another thread.
    pub(super) fn read<T>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
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
        let connection = rusqlite::Connection::open_with_flags(&self.inner.path, flags)?;
        configure(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Connection::Sqlite(SqliteConnection::new(connection)))
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.inner.readers.lock().expect("no code panics while it holds the list of readers")
    }
}

fn configure(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    // Another process (the command line) may write for a moment.
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY",
    )
}

/// A connection to a file or, in tests, to memory.
#[derive(Debug)]
pub(crate) struct SqliteConnection {
    inner: rusqlite::Connection,
    /// See [`Connection::take_emitted`].
    pub(super) emitted: Cell<bool>,
}

impl SqliteConnection {
    /// Opens or creates a file, to write.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = rusqlite::Connection::open(path)?;
        configure(&connection)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000")?;
        Ok(Self::new(connection))
    }

    pub(super) fn new(inner: rusqlite::Connection) -> Self {
        Self { inner, emitted: Cell::default() }
    }

    pub(super) fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<u64, StoreError> {
        let changed =
            self.inner.prepare_cached(&dialect(sql))?.execute(rusqlite::params_from_iter(parameters))?;
        Ok(changed as u64)
    }

    pub(super) fn execute_many<const N: usize>(
        &self,
        sql: &str,
        rows: &[[Value<'_>; N]],
    ) -> Result<Vec<u64>, StoreError> {
        let mut statement = self.inner.prepare_cached(&dialect(sql))?;
        rows.iter().map(|row| Ok(statement.execute(rusqlite::params_from_iter(row))? as u64)).collect()
    }

    pub(super) fn query<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.inner.prepare_cached(&dialect(sql))?;
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&Row::Sqlite(row))?);
        }
        Ok(found)
    }

    pub(super) fn execute_batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.inner.execute_batch(sql)?)
    }
}

/// Our SQL as SQLite wants it.
fn dialect(sql: &str) -> Cow<'_, str> {
    if !["FOR UPDATE", "FOR SHARE", "EACH_"].iter().any(|word| sql.contains(word)) {
        return Cow::Borrowed(sql);
    }
    let mut text =
        sql.replace(" FOR UPDATE SKIP LOCKED", "").replace(" FOR UPDATE", "").replace(" FOR SHARE", "");
    for name in ["EACH_TEXT(", "EACH_INTEGER("] {
        text = text.replace(name, "SELECT value FROM json_each(");
    }
    Cow::Owned(text)
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Integer(integer) => ToSqlOutput::Borrowed(ValueRef::Integer(*integer)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Value::Texts(texts) => ToSqlOutput::from(json(texts)),
            Value::Integers(integers) => ToSqlOutput::from(json(integers)),
        })
    }
}

fn json(set: &impl serde::Serialize) -> String {
    serde_json::to_string(set).expect("a list of texts or integers is JSON")
}
