//! One connection to a server, used by one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;

use bytes::BytesMut;
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use super::PostgresSettings;
use crate::store::StoreError;
use crate::store::connection::Row;
use crate::store::value::{ColumnValue, Value};

/// A connection with its prepared statements. Its runtime runs only while a statement is awaited.
pub(crate) struct PostgresConnection {
    runtime: Runtime,
    client: Client,
    statements: RefCell<HashMap<String, Statement>>,
    timeout: std::time::Duration,
    /// See [`crate::store::Connection::take_emitted`].
    pub(in crate::store) emitted: Cell<bool>,
}

impl fmt::Debug for PostgresConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConnection").finish_non_exhaustive()
    }
}

impl PostgresConnection {
    pub(in crate::store) fn open(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let client = runtime.block_on(async {
            let (client, connection) = settings.address.connect(settings.tls.clone()).await?;
            // Its failure is told to whoever waits for a statement.
            tokio::spawn(async move { drop(connection.await) });
            // A session of ours never waits for a lock for ever, and every commit is on the disk.
            let limits = format!(
                "SET statement_timeout = {0}; SET lock_timeout = {0}; SET idle_in_transaction_session_timeout = {0}; \
                 SET synchronous_commit = on; SET client_min_messages = warning",
                settings.timeout.as_millis()
            );
            client.batch_execute(&limits).await?;
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self {
            runtime,
            client,
            statements: RefCell::default(),
            timeout: settings.timeout,
            emitted: Cell::default(),
        })
    }

    /// Whether the server has closed it. Only seen while statements run.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(in crate::store) fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<u64, StoreError> {
        self.wait(async {
            let statement = self.statement(sql).await?;
            self.client.execute_raw(&statement, parameters).await
        })
    }

    pub(in crate::store) fn execute_many<const N: usize>(
        &self,
        sql: &str,
        rows: &[[Value<'_>; N]],
    ) -> Result<Vec<u64>, StoreError> {
        self.wait(async {
            let statement = self.statement(sql).await?;
            // Each future sends when it is first polled: all of them travel before the first answer comes.
            try_join_all(rows.iter().map(|row| self.client.execute_raw(&statement, row))).await
        })
    }

    pub(in crate::store) fn query<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.wait(async {
            let statement = self.statement(sql).await?;
            let parameters: Vec<&(dyn ToSql + Sync)> =
                parameters.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            self.client.query(&statement, &parameters).await
        })?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    pub(in crate::store) fn execute_batch(&self, sql: &str) -> Result<(), StoreError> {
        self.wait(self.client.batch_execute(sql))
    }

    /// Begins to write rows of some columns of a table, inside a transaction. Names come quoted.
    pub(in crate::store) fn copy_in(&self, table: &str, columns: &str) -> Result<CopyIn<'_>, StoreError> {
        let writer = self.wait(async {
            let like = self.client.prepare(&format!("SELECT {columns} FROM {table}")).await?;
            let types: Vec<Type> = like.columns().iter().map(|column| column.type_().clone()).collect();
            let sink = self.client.copy_in(&format!("COPY {table} ({columns}) FROM STDIN BINARY")).await?;
            Ok(BinaryCopyInWriter::new(sink, &types))
        })?;
        Ok(CopyIn { connection: self, writer: Box::pin(writer) })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, StoreError> {
        // The server ends a statement by itself; this is for a server that is frozen or a network that is cut.
        let deadline = self.timeout * 2;
        match self.runtime.block_on(async { tokio::time::timeout(deadline, work).await }) {
            Ok(result) => Ok(result?),
            Err(_) => Err(StoreError::Unavailable("the database does not answer".to_owned())),
        }
    }

    async fn statement(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&dialect(sql)).await?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Rows on their way into a table. Nothing is kept when it is dropped.
pub(in crate::store) struct CopyIn<'a> {
    connection: &'a PostgresConnection,
    writer: Pin<Box<BinaryCopyInWriter>>,
}

impl CopyIn<'_> {
    /// Sends a row: one value for each column.
    pub(in crate::store) fn write(&mut self, row: &[Value<'_>]) -> Result<(), StoreError> {
        self.connection.wait(self.writer.as_mut().write_raw(row))
    }

    /// Waits until the server has checked every row, however long it takes.
    pub(in crate::store) fn finish(mut self) -> Result<(), StoreError> {
        self.connection.runtime.block_on(self.writer.as_mut().finish())?;
        Ok(())
    }
}

/// Our SQL as PostgreSQL wants it. No text of ours has a question mark in a literal.
fn dialect(sql: &str) -> String {
    let mut text = sql.replace('?', "$");
    for (name, element) in [("EACH_TEXT(", "text"), ("EACH_INTEGER(", "bigint")] {
        while let Some(start) = text.find(name) {
            let end = text[start..].find(')').map_or(text.len(), |end| start + end);
            let parameter = text[start + name.len()..end].to_owned();
            text.replace_range(start..end, &format!("SELECT unnest({parameter}::{element}[]"));
        }
    }
    text
}

/// Reads a column of any type that our schema has.
pub(in crate::store) fn column(
    row: &tokio_postgres::Row,
    index: usize,
) -> Result<ColumnValue<'_>, StoreError> {
    Ok(row.try_get::<_, Column<'_>>(index)?.0)
}

struct Column<'a>(ColumnValue<'a>);

impl<'a> FromSql<'a> for Column<'a> {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *of {
            Type::INT8 => ColumnValue::Integer(i64::from_sql(of, raw)?),
            Type::INT4 => ColumnValue::Integer(i32::from_sql(of, raw)?.into()),
            Type::BYTEA => ColumnValue::Blob(raw),
            _ => ColumnValue::Text(<&str>::from_sql(of, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(ColumnValue::Null))
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::INT8 | Type::INT4 | Type::BYTEA | Type::TEXT | Type::VARCHAR | Type::NAME)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) if *of == Type::INT4 => i32::try_from(*integer)?.to_sql(of, out),
            Self::Integer(integer) => integer.to_sql(of, out),
            Self::Text(text) => text.to_sql(of, out),
            Self::Blob(bytes) => bytes.to_sql(of, out),
            Self::Texts(texts) => texts.to_sql(of, out),
            Self::Integers(integers) => integers.to_sql(of, out),
        }
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::INT8 | Type::INT4 | Type::BYTEA | Type::TEXT | Type::VARCHAR)
            || matches!(of.kind(), Kind::Array(element) if matches!(*element, Type::TEXT | Type::INT8))
    }

    to_sql_checked!();
}
