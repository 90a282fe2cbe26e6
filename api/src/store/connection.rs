//! One connection to either database: the only thing that store functions know.
//!
//! **SQL** is one text for both. Parameters are `?1`, `?2`, …; a set is `EACH_TEXT(?1)` or `EACH_INTEGER(?1)` behind `IN`;
//! `FOR UPDATE`, `FOR SHARE` and `FOR UPDATE SKIP LOCKED` stand at the end of a (sub)query and mean nothing to SQLite, which has one writer.

use std::cell::Cell;

use super::StoreError;
use super::postgres::PostgresConnection;
use super::sqlite::SqliteConnection;
use super::value::{ColumnValue, FromColumn, Value};

/// A connection, inside a transaction when it comes from [`super::Store::write`].
#[derive(Debug)]
pub(crate) enum Connection {
    /// A file of ours.
    Sqlite(SqliteConnection),
    /// A server shared with other instances.
    Postgres(Box<PostgresConnection>),
}

impl Connection {
    /// Runs a statement and gives the number of rows that it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute(sql, parameters),
            Self::Postgres(connection) => connection.execute(sql, parameters),
        }
    }

    /// Runs one statement for every row of parameters, in order, and gives the number of rows that each changed. On a
    /// server all of them take one round trip.
    pub(crate) fn execute_many<const N: usize>(
        &self,
        sql: &str,
        rows: &[[Value<'_>; N]],
    ) -> Result<Vec<u64>, StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute_many(sql, rows),
            Self::Postgres(connection) => connection.execute_many(sql, rows),
        }
    }

    /// Runs a query and reads its rows.
    pub(crate) fn query<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(connection) => connection.query(sql, parameters, read),
            Self::Postgres(connection) => connection.query(sql, parameters, read),
        }
    }

    /// Runs a query and reads its first row.
    pub(crate) fn query_one<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.query(sql, parameters, read)?.into_iter().next())
    }

    /// Whether a query gives any row.
    pub(crate) fn exists(&self, sql: &str, parameters: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.query_one(sql, parameters, |_| Ok(()))?.is_some())
    }

    /// Remembers that events were written, so that the relay is woken once they are committed.
    pub(super) fn mark_emitted(&self) {
        self.emitted().set(true);
    }

    /// Whether events were written since the last call.
    pub(super) fn take_emitted(&self) -> bool {
        self.emitted().take()
    }

    fn emitted(&self) -> &Cell<bool> {
        match self {
            Self::Sqlite(connection) => &connection.emitted,
            Self::Postgres(connection) => &connection.emitted,
        }
    }

    /// Runs statements without parameters, such as a migration.
    pub(super) fn execute_batch(&self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql),
            Self::Postgres(connection) => connection.execute_batch(sql),
        }
    }
}

/// A row of a result.
#[derive(Debug)]
pub(crate) enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// Reads a column by its position in the query.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it holds something else.
    pub(crate) fn get<T: FromColumn>(&self, index: usize) -> Result<T, StoreError> {
        T::from_column(self.column(index)?).ok_or_else(damaged)
    }

    /// Reads a column as a parameter for another statement.
    pub(super) fn value(&self, index: usize) -> Result<Value<'_>, StoreError> {
        Ok(match self.column(index)? {
            ColumnValue::Null => Value::Null,
            ColumnValue::Integer(integer) => Value::Integer(integer),
            ColumnValue::Text(text) => Value::Text(text),
            ColumnValue::Blob(bytes) => Value::Blob(bytes),
        })
    }

    fn column(&self, index: usize) -> Result<ColumnValue<'_>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => match row.get_ref(index)? {
                rusqlite::types::ValueRef::Null => ColumnValue::Null,
                rusqlite::types::ValueRef::Integer(integer) => ColumnValue::Integer(integer),
                rusqlite::types::ValueRef::Text(text) => {
                    ColumnValue::Text(std::str::from_utf8(text).map_err(|_| damaged())?)
                }
                rusqlite::types::ValueRef::Blob(bytes) => ColumnValue::Blob(bytes),
                rusqlite::types::ValueRef::Real(_) => return Err(damaged()),
            },
            Self::Postgres(row) => super::postgres::column(row, index)?,
        })
    }
}

const fn damaged() -> StoreError {
    StoreError::Damaged { column: "of a query" }
}
