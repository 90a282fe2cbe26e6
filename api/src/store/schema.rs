//! The schema, one migration per concern, numbered by `PRAGMA user_version`.

use std::path::Path;

use rubrica_core::ErrorCode;
use rusqlite::Connection;

use super::open_failure;
use crate::failure::Failure;

/// Forward migrations in order. A migration that has been released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/20261123100000_create_signing/up.sql"),
    include_str!("../../migrations/20261123140000_extend_levels/up.sql"),
];

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
    use rubrica_core::wire::{SignatureLevel, SignaturePolicy, SignatureState};

    use super::super::row::to_text;
    use super::*;

    /// The way back, the last first.
    const DOWN: [&str; 2] = [
        include_str!("../../migrations/20261123140000_extend_levels/down.sql"),
        include_str!("../../migrations/20261123100000_create_signing/down.sql"),
    ];

    #[test]
    fn the_schema_goes_up_and_down() {
        let connection = Connection::open_in_memory().unwrap();
        let schema = |connection: &Connection| -> Vec<String> {
            let mut names = connection
                .prepare("SELECT name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name")
                .unwrap();
            names.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let mut before = Vec::new();
        for migration in MIGRATIONS {
            before.push(schema(&connection));
            connection.execute_batch(migration).unwrap();
        }
        let names = |schema: &[String]| -> Vec<String> {
            schema.iter().filter_map(|entry| Some(entry.split_once(':')?.0.to_owned())).collect()
        };
        for (migration, before) in DOWN.iter().zip(before.iter().rev()) {
            connection.execute_batch(migration).unwrap();
            assert_eq!(names(&schema(&connection)), names(before));
        }
    }

    #[test]
    fn rows_survive_the_copy_to_the_extended_table() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO session VALUES ('s', 'c', zeroblob(32), zeroblob(32), 'n', 'm', 1, 2);
                 INSERT INTO document VALUES ('d', 's', 'n', 'application/pdf', 1, zeroblob(32), 1);
                 INSERT INTO signature (id, session_id, document_id, custody, format, level, policy, state, certificate,
                                        plan, created_at, expires_at)
                 VALUES ('a', 's', 'd', 'local', 'pades', 'b', 'none', 'prepared', x'30', x'7b', 1, 2);",
            )
            .unwrap();
        connection.execute_batch(MIGRATIONS[1]).unwrap();
        let row: (String, Vec<u8>, i64) = connection
            .query_row("SELECT state, plan, expires_at FROM signature", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(row, ("prepared".to_owned(), b"{".to_vec(), 2));
    }

    #[test]
    fn the_words_in_sql_are_the_words_in_rust() {
        let schema = MIGRATIONS[1];
        // This schema has neither orders nor batches, so nothing is cancelled in it.
        let states = SignatureState::ALL
            .iter()
            .filter(|state| **state != SignatureState::Cancelled)
            .map(|state| format!("'{}'", state.as_str()))
            .collect::<Vec<_>>()
            .join(", ");
        assert!(schema.contains(&format!("CHECK (state IN ({states}))")));
        let words =
            |values: &[String]| values.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
        let levels = [SignatureLevel::B, SignatureLevel::T, SignatureLevel::Lt, SignatureLevel::Lta];
        let levels = words(&levels.map(|level| to_text(&level)));
        assert!(schema.contains(&format!("CHECK (level IN ({levels}))")));
        let policies = [
            SignaturePolicy::None,
            SignaturePolicy::AdRb,
            SignaturePolicy::AdRt,
            SignaturePolicy::AdRv,
            SignaturePolicy::AdRc,
            SignaturePolicy::AdRa,
        ];
        let policies = words(&policies.map(|policy| to_text(&policy)));
        assert!(schema.contains(&format!("CHECK (policy IN ({policies}))")));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let failure = migrate(&mut connection, Path::new("x")).unwrap_err();
        assert_eq!(failure.code(), ErrorCode::DataFolderUnknown);
    }
}
