use rubrica_core::wire::{EnrolmentMethod, EnrolmentState, SignatureLevel, SignaturePolicy, SignatureState};

use super::super::row::to_text;
use super::super::sqlite::SqliteConnection;
use super::*;

/// The way back, the last first.
const DOWN: [&str; 16] = [
    include_str!("../../../migrations/20261124060000_create_watch/down.sql"),
    include_str!("../../../migrations/20261124050000_extend_cloud/down.sql"),
    include_str!("../../../migrations/20261124020000_create_enrolment/down.sql"),
    include_str!("../../../migrations/20261124010000_extend_custody/down.sql"),
    include_str!("../../../migrations/20261124000000_create_cloud_authorization/down.sql"),
    include_str!("../../../migrations/20261123235000_extend_batch/down.sql"),
    include_str!("../../../migrations/20261123234000_extend_delivery/down.sql"),
    include_str!("../../../migrations/20261123233000_create_token/down.sql"),
    include_str!("../../../migrations/20261123232000_create_webhook/down.sql"),
    include_str!("../../../migrations/20261123231000_create_log/down.sql"),
    include_str!("../../../migrations/20261123230000_create_idempotency/down.sql"),
    include_str!("../../../migrations/20261123220000_create_api_key/down.sql"),
    include_str!("../../../migrations/20261123210000_create_orders/down.sql"),
    include_str!("../../../migrations/20261123200000_create_engine/down.sql"),
    include_str!("../../../migrations/20261123140000_extend_levels/down.sql"),
    include_str!("../../../migrations/20261123100000_create_signing/down.sql"),
];

fn empty() -> Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    Connection::Sqlite(SqliteConnection::new(connection))
}

/// Tables and indexes with their columns.
fn names(connection: &Connection) -> Vec<String> {
    let mut names = connection
        .query(
            "SELECT m.name || ': ' || coalesce((SELECT group_concat(c.name) FROM pragma_table_info(m.name) c), '')
             FROM sqlite_schema m WHERE m.name NOT LIKE 'sqlite_%' ORDER BY m.name",
            &[],
            |row| row.get::<String>(0),
        )
        .unwrap();
    names.sort();
    names
}

#[test]
fn the_schema_goes_up_and_down() {
    let connection = empty();
    let mut before = Vec::new();
    for migration in MIGRATIONS {
        before.push(names(&connection));
        connection.execute_batch(&dialect(&connection, migration)).unwrap();
    }
    for (migration, before) in DOWN.iter().zip(before.iter().rev()) {
        connection.execute_batch(&dialect(&connection, migration)).unwrap();
        let sorted = |names: &[String]| -> Vec<Vec<String>> {
            names
                .iter()
                .map(|name| {
                    let mut words: Vec<_> = name.split([',', ':', ' ']).map(ToOwned::to_owned).collect();
                    words.sort();
                    words
                })
                .collect()
        };
        assert_eq!(sorted(&names(&connection)), sorted(before));
    }
}

#[test]
fn rows_survive_the_copies_to_extended_tables() {
    let connection = empty();
    connection.execute_batch(MIGRATIONS[0]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO session VALUES ('s', 'c', zeroblob(32), zeroblob(32), 'n', 'm', 1, 2);
             INSERT INTO document VALUES ('d', 's', 'n', 'application/pdf', 1, zeroblob(32), 1);
             INSERT INTO signing_key VALUES ('k', zeroblob(32), x'01', 'rsa', x'30', 'active', 9, 1);
             INSERT INTO signature (id, session_id, document_id, custody, format, level, policy, state, key_id, certificate,
                                    plan, created_at, expires_at)
             VALUES ('a', 's', 'd', 'local', 'pades', 'b', 'none', 'prepared', NULL, x'30', x'7b', 1, 2),
                    ('b', 's', 'd', 'hsm', 'cades', 'b', 'none', 'accepted', 'k', x'30', NULL, 1, 2);",
        )
        .unwrap();
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(1) {
        apply(&connection, migration, index + 1).unwrap();
    }
    let rows = connection
        .query("SELECT state, plan, expires_at, tenant FROM signature ORDER BY id", &[], |row| {
            Ok((
                row.get::<String>(0)?,
                row.get::<Option<Vec<u8>>>(1)?,
                row.get::<i64>(2)?,
                row.get::<String>(3)?,
            ))
        })
        .unwrap();
    assert_eq!(
        rows,
        [
            ("prepared".to_owned(), Some(b"{".to_vec()), 2, "c".to_owned()),
            ("accepted".to_owned(), None, 2, "c".to_owned())
        ]
    );
    let tasks = connection.query("SELECT signature_id FROM task", &[], |row| row.get::<String>(0)).unwrap();
    assert_eq!(tasks, ["b"], "what was under way is in the queue");
    let tenant = connection.query("SELECT tenant FROM signing_key", &[], |row| row.get::<String>(0)).unwrap();
    assert_eq!(tenant, ["c"]);
    let orphans =
        connection.query("SELECT \"table\" FROM pragma_foreign_key_check", &[], |_| Ok(())).unwrap();
    assert!(orphans.is_empty());
}

#[test]
fn a_passage_for_one_database_is_left_out_for_the_other() {
    let text = "a;\n-- only SQLite {\nb;\n-- }\nc;\n-- only PostgreSQL {\nd;\n-- }\n";
    assert_eq!(without(text, "-- only PostgreSQL {"), "a;\n-- only SQLite {\nb;\n-- }\nc;\n-- }\n");
    assert_eq!(without(text, "-- only SQLite {"), "a;\n-- }\nc;\n-- only PostgreSQL {\nd;\n-- }\n");
}

#[test]
fn the_states_of_enrolments_in_sql_are_those_in_rust() {
    let schema = include_str!("../../../migrations/20261124020000_create_enrolment/up.sql");
    let words =
        |values: &[String]| values.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    let states = words(&EnrolmentState::ALL.map(|state| to_text(&state)));
    assert!(schema.contains(&format!("CHECK (state IN ({states}))")), "{states}");
    for method in EnrolmentMethod::ALL {
        assert!(schema.contains(&format!("'{}'", to_text(&method))));
    }
}

#[test]
fn the_words_in_sql_are_the_words_in_rust() {
    let schema = MIGRATIONS[2];
    let states = SignatureState::ALL.map(|state| format!("'{}'", state.as_str())).join(", ");
    assert!(schema.contains(&format!("CHECK (state IN ({states}))")), "{states}");
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
    let connection = empty();
    connection.execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(migrate(&connection, "x"), Err(StoreError::Newer)));
}
