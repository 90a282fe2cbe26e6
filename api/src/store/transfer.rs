//! Moves everything from SQLite into an empty PostgreSQL database: all rows of all tables in one transaction, or nothing.
//!
//! Tables and columns are those that the schema has, in an order in which no row comes before one that it refers to. Rows go
//! through one at a time, so that memory does not grow with the instance.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rubrica_core::ErrorCode;
use serde::Serialize;

use super::connection::Connection;
use super::postgres::{PostgresConnection, PostgresSettings};
use super::sqlite::SqliteConnection;
use super::value::params;
use super::{StoreError, schema};
use crate::data_folder::sync_folder;
use crate::failure::Failure;

/// One table that was copied.
#[derive(Debug, Serialize)]
pub(crate) struct CopiedTable {
    pub(crate) table: String,
    pub(crate) rows: u64,
}

/// What was moved.
#[derive(Debug, Serialize)]
pub(crate) struct Moved {
    pub(crate) tables: Vec<CopiedTable>,
    pub(crate) rows: u64,
    /// Where the database lies that was read. Nothing uses it any more.
    pub(crate) kept: PathBuf,
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
enum TransferError {
    #[error("{0}")]
    Source(StoreError),
    #[error("{0}")]
    Target(StoreError),
    /// Somebody uses the database that was named.
    #[error("the PostgreSQL database is not empty: table {table} has rows")]
    NotEmpty { table: String },
    /// What arrived is not what was sent.
    #[error("of {read} rows of table {table}, {kept} arrived")]
    Incomplete { table: String, read: u64, kept: u64 },
}

impl TransferError {
    fn into_failure(self, file: &Path) -> Failure {
        match self {
            Self::Source(error) => error.on_open(&file.display().to_string()),
            Self::Target(
                error @ (StoreError::Unavailable(_) | StoreError::Unprotected(_) | StoreError::Newer),
            ) => error.on_open("the PostgreSQL database"),
            Self::Target(_) | Self::Incomplete { .. } => Failure::new(
                ErrorCode::DatabaseUnavailable,
                format!("nothing was moved: {self}"),
                "Check the PostgreSQL database and try again: the SQLite database is unchanged",
            ),
            Self::NotEmpty { .. } => Failure::new(
                ErrorCode::ConfigInvalid,
                self.to_string(),
                "Name an empty database in store.url: no server may have used it",
            ),
        }
    }
}

/// Where a database lies after it was moved to PostgreSQL.
pub(super) fn moved_name(file: &Path) -> PathBuf {
    file.with_extension("sqlite.moved")
}

/// Copies the rows of `file`, which no server may use, and gives the file another name: a server that went on with it would
/// sign a second history with the same key.
///
/// # Errors
/// `config_invalid` when the database has rows, `database_unavailable`, `data_folder_unknown`, `data_folder_unwritable`.
pub(crate) fn move_to_postgres(file: &Path, settings: &PostgresSettings) -> Result<Moved, Failure> {
    if !file.exists() {
        return Err(Failure::new(
            ErrorCode::DataFolderUnknown,
            format!("there is no SQLite database {}", file.display()),
            "Name the data folder of an instance whose database was SQLite so far",
        ));
    }
    let tables = copy(file, settings).map_err(|error| error.into_failure(file))?;
    let kept = moved_name(file);
    let rename = || {
        fs::rename(file, &kept)?;
        file.parent().map_or(Ok(()), sync_folder)
    };
    rename().map_err(|error: io::Error| {
        Failure::new(
            ErrorCode::DataFolderUnwritable,
            format!("everything was moved, but {} cannot be renamed: {error}", file.display()),
            "Take the file away: nothing may use it any more",
        )
    })?;
    Ok(Moved { rows: tables.iter().map(|table| table.rows).sum(), tables, kept })
}

fn copy(file: &Path, settings: &PostgresSettings) -> Result<Vec<CopiedTable>, TransferError> {
    use TransferError::{Source, Target};
    let source = Connection::Sqlite(SqliteConnection::open(file).map_err(Source)?);
    schema::migrate(&source, "the SQLite database").map_err(Source)?;
    let server = PostgresConnection::open(settings).map_err(Target)?;
    let target = Connection::Postgres(Box::new(server));
    schema::migrate(&target, "the PostgreSQL database").map_err(Target)?;

    // A command beside the server could still write.
    source.execute_batch("BEGIN IMMEDIATE").map_err(Source)?;
    let tables = tables(&source).map_err(Source)?;
    // One COPY takes as long as its table is large. Nobody who starts a server meanwhile sees half of it.
    let begin = format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
         LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        tables.iter().map(|table| quoted(table)).collect::<Vec<_>>().join(", ")
    );
    target.execute_batch(&begin).map_err(Target)?;
    // The one row that the schema brings along.
    target.execute("DELETE FROM log WHERE events = 0 AND leaves = 0 AND key IS NULL", &[]).map_err(Target)?;
    for table in &tables {
        let some = format!("SELECT 1::bigint FROM {} LIMIT 1", quoted(table));
        if target.exists(&some, &[]).map_err(Target)? {
            return Err(TransferError::NotEmpty { table: table.clone() });
        }
    }
    let copied =
        tables.into_iter().map(|table| copy_table(&source, &target, table)).collect::<Result<Vec<_>, _>>()?;
    continue_identities(&source, &target)?;
    target.execute_batch("ANALYZE; COMMIT").map_err(Target)?;
    source.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").map_err(Source)?;
    Ok(copied)
}

fn copy_table(source: &Connection, target: &Connection, table: String) -> Result<CopiedTable, TransferError> {
    use TransferError::{Source, Target};
    let Connection::Postgres(server) = target else { unreachable!("the target was opened as PostgreSQL") };
    let columns = source
        .query("SELECT name FROM pragma_table_info(?1) ORDER BY cid", params![table], |row| {
            row.get::<String>(0)
        })
        .map_err(Source)?;
    let list = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    let mut writer = server.copy_in(&quoted(&table), &list).map_err(Target)?;
    // The list that `query` makes is one of nothing: it takes no memory.
    let (mut read, mut failed) = (0, None);
    let sent = source.query(&format!("SELECT {list} FROM {}", quoted(&table)), &[], |row| {
        let values = (0..columns.len()).map(|index| row.value(index)).collect::<Result<Vec<_>, _>>()?;
        read += 1;
        writer.write(&values).map_err(|error| {
            failed = Some(error);
            StoreError::Stopped
        })
    });
    if let Some(error) = failed {
        return Err(Target(error));
    }
    sent.map_err(Source)?;
    writer.finish().map_err(Target)?;
    let count = format!("SELECT count(*) FROM {}", quoted(&table));
    let kept: Option<i64> = target.query_one(&count, &[], |row| row.get(0)).map_err(Target)?;
    let kept = kept.and_then(|kept| u64::try_from(kept).ok()).unwrap_or_default();
    if kept != read {
        return Err(TransferError::Incomplete { table, read, kept });
    }
    Ok(CopiedTable { table, rows: read })
}

/// Lets numbers that a database gives out go on where SQLite stood, also where the rows are gone.
fn continue_identities(source: &Connection, target: &Connection) -> Result<(), TransferError> {
    use TransferError::{Source, Target};
    let identities = target
        .query(
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND is_identity = 'YES'",
            &[],
            |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)),
        )
        .map_err(Target)?;
    for (table, column) in identities {
        let last: Option<i64> = source
            .query_one("SELECT seq FROM sqlite_sequence WHERE name = ?1 AND seq > 0", params![table], |row| {
                row.get(0)
            })
            .map_err(Source)?;
        if let Some(last) = last {
            target
                .query(
                    "SELECT setval(pg_get_serial_sequence(?1, ?2), ?3)",
                    params![quoted(&table), column, last],
                    |_| Ok(()),
                )
                .map_err(Target)?;
        }
    }
    Ok(())
}

/// All tables, each behind those that it refers to.
fn tables(source: &Connection) -> Result<Vec<String>, StoreError> {
    let mut waiting = source.query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        &[],
        |row| {
            let name: String = row.get(0)?;
            let references = source.query(
                "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1)",
                params![name],
                |row| row.get::<String>(0),
            )?;
            Ok((name, references))
        },
    )?;
    let mut ordered: Vec<String> = Vec::new();
    while !waiting.is_empty() {
        let (ready, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, references)| references.iter().all(|reference| ordered.contains(reference)));
        if ready.is_empty() {
            return Err(StoreError::Statement("tables refer to each other in a circle".to_owned()));
        }
        ordered.extend(ready.into_iter().map(|(name, _)| name));
        waiting = later;
    }
    Ok(ordered)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
