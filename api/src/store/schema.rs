//! The schema, one migration per concern, numbered by `PRAGMA user_version`.

use std::path::Path;

use rubrica_core::ErrorCode;
use rusqlite::Connection;

use super::open_failure;
use crate::failure::Failure;

/// Forward migrations in order. A migration that has been released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/20261123100000_create_signing/up.sql")];

/// Brings the schema up to date.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Failure> {
    run(connection, path).map_err(|error| match error {
        MigrationError::Newer => Failure::new(
            ErrorCode::DataFolderUnknown,
            format!("{} was written by a newer version", path.display()),
            "Use that version, or restore a backup made by this one",
        ),
        MigrationError::Sqlite(error) => open_failure(path, &error),
    })
}

enum MigrationError {
    Newer,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for MigrationError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn run(connection: &mut Connection, path: &Path) -> Result<(), MigrationError> {
    let applied: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let applied = applied as usize;
    if applied > MIGRATIONS.len() {
        return Err(MigrationError::Newer);
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(applied) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        let version = u32::try_from(index + 1).expect("there are few migrations");
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
        tracing::info!(database.path = %path.display(), schema.version = version, "schema migrated");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rubrica_core::wire::SignatureState;

    use super::*;

    #[test]
    fn the_schema_goes_up_and_down() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection
            .execute_batch(include_str!("../../migrations/20261123100000_create_signing/down.sql"))
            .unwrap();
        let left: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0);
    }

    #[test]
    fn the_states_in_sql_are_the_states_in_rust() {
        let names = SignatureState::ALL.map(|state| format!("'{}'", state.as_str())).join(", ");
        assert!(MIGRATIONS[0].contains(&format!("CHECK (state IN ({names}))")));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let failure = migrate(&mut connection, Path::new("x")).unwrap_err();
        assert_eq!(failure.code(), ErrorCode::DataFolderUnknown);
    }
}
