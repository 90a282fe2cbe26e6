//! What both databases must do alike: every test here runs on SQLite and on a real PostgreSQL server.

#[path = "../../tests/it/support/postgres.rs"]
#[allow(dead_code, reason = "the tests of the binary use the same file, and more of it")]
pub(crate) mod server;

/// What the server's file needs of its other neighbours.
pub(crate) mod instance {
    /// A folder in memory where there is one.
    pub(crate) fn memory_folder() -> tempfile::TempDir {
        let shm = std::path::Path::new("/dev/shm");
        if shm.is_dir() { tempfile::TempDir::new_in(shm).unwrap() } else { tempfile::TempDir::new().unwrap() }
    }
}

use std::time::Duration;

use super::{DatabaseTls, PostgresSettings, Store, StoreError, params};

/// A database for one test; the folder of SQLite ends with it.
#[derive(Debug)]
pub(crate) struct TestStore {
    pub(crate) name: &'static str,
    pub(crate) store: Store,
    pub(crate) folder: Option<tempfile::TempDir>,
}

/// An empty SQLite database with our schema.
pub(crate) fn sqlite() -> TestStore {
    let folder = instance::memory_folder();
    let store = Store::open_sqlite(&folder.path().join("rubrica.sqlite")).unwrap();
    TestStore { name: "sqlite", store, folder: Some(folder) }
}

/// An empty database of a PostgreSQL server with our schema.
pub(crate) fn postgres() -> TestStore {
    let store = Store::open_postgres(&settings(server::shared().database())).unwrap();
    TestStore { name: "postgres", store, folder: None }
}

/// One of each.
pub(crate) fn both() -> [TestStore; 2] {
    [sqlite(), postgres()]
}

pub(crate) fn settings(url: String) -> PostgresSettings {
    let timeout = Duration::from_secs(10);
    PostgresSettings::new(&url, None, DatabaseTls::VerifyFull, &[], 4, timeout).unwrap()
}

#[tokio::test]
async fn values_of_every_kind_come_back_as_they_went_in() {
    for test in both() {
        let store = &test.store;
        store
            .write(|connection| {
                connection.execute(
                    "INSERT INTO object (sha256, bytes) VALUES (?1, ?2)",
                    params![[7_u8; 32], vec![0_u8, 255, 39]],
                )?;
                connection.execute(
                    "INSERT INTO worker (id, name, beat, started_at) VALUES (?1, ?2, ?3, ?4)",
                    params!["w", "ação ' $1 ?", i64::MAX, -1_i64],
                )
            })
            .await
            .unwrap();
        let bytes: Option<Vec<u8>> = store
            .read(|connection| {
                connection.query_one(
                    "SELECT bytes FROM object WHERE sha256 = ?1",
                    params![[7_u8; 32]],
                    |row| row.get(0),
                )
            })
            .await
            .unwrap();
        assert_eq!(bytes, Some(vec![0, 255, 39]), "{}", test.name);
        let row = store
            .read(|connection| {
                connection.query_one("SELECT name, beat, started_at FROM worker", &[], |row| {
                    Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?))
                })
            })
            .await
            .unwrap();
        assert_eq!(row, Some(("ação ' $1 ?".to_owned(), i64::MAX, -1)), "{}", test.name);
        let wrong = store
            .read(|connection| connection.query_one("SELECT name FROM worker", &[], |row| row.get::<i64>(0)))
            .await;
        assert!(matches!(wrong, Err(StoreError::Damaged { .. })), "{}: {wrong:?}", test.name);
    }
}

#[tokio::test]
async fn an_error_undoes_its_job_and_a_broken_constraint_is_told_apart() {
    for test in both() {
        let insert = |id: &'static str| {
            test.store.write(move |connection| {
                connection.execute(
                    "INSERT INTO worker (id, name, beat, started_at) VALUES (?1, '', 0, 0)",
                    params![id],
                )?;
                if id == "refused" {
                    return Err(StoreError::Damaged { column: "test" });
                }
                Ok(())
            })
        };
        insert("kept").await.unwrap();
        assert!(insert("refused").await.is_err());
        assert!(matches!(insert("kept").await, Err(StoreError::Constraint(_))), "{}", test.name);
        let ids: Vec<String> = test
            .store
            .read(|connection| connection.query("SELECT id FROM worker", &[], |row| row.get(0)))
            .await
            .unwrap();
        assert_eq!(ids, ["kept"], "{}", test.name);
    }
}

#[tokio::test]
async fn many_rows_go_in_one_call_and_sets_select_them() {
    for test in both() {
        let (changed, found, texts) = test
            .store
            .write(|connection| {
                let ids: Vec<String> = (0..300).map(|n| format!("w{n}")).collect();
                let rows: Vec<_> = ids
                    .iter()
                    .zip(0_i64..)
                    .map(|(id, beat)| [super::Value::Text(id), super::Value::Integer(beat)])
                    .collect();
                let changed = connection.execute_many(
                    "INSERT INTO worker (id, name, beat, started_at) VALUES (?1, 'n', ?2, 0)",
                    &rows,
                )?;
                let found: Vec<i64> = connection.query(
                    "SELECT beat FROM worker WHERE beat IN (EACH_INTEGER(?1)) ORDER BY beat",
                    params![vec![5_i64, 299, 1000]],
                    |row| row.get(0),
                )?;
                let texts: Vec<i64> = connection.query(
                    "SELECT beat FROM worker WHERE id IN (EACH_TEXT(?1)) AND name = ?2 ORDER BY id FOR UPDATE SKIP LOCKED",
                    params![vec!["w7", "w'8"], "n"],
                    |row| row.get(0),
                )?;
                Ok((changed, found, texts))
            })
            .await
            .unwrap();
        assert_eq!(changed, [1; 300]);
        assert_eq!(found, [5, 299]);
        assert_eq!(texts, [7]);
    }
}

#[tokio::test]
async fn a_second_start_finds_the_schema_and_a_newer_one_is_refused() {
    let url = server::shared().database();
    let first = Store::open_postgres(&settings(url.clone())).unwrap();
    drop(Store::open_postgres(&settings(url.clone())).unwrap());
    first
        .write(|connection| connection.execute("INSERT INTO schema_version VALUES (9999)", &[]))
        .await
        .unwrap();
    let failure = Store::open_postgres(&settings(url)).unwrap_err();
    assert_eq!(failure.code(), rubrica_core::ErrorCode::DataFolderUnknown);
    let nowhere = settings("host=/nonexistent user=nobody dbname=none".to_owned());
    let failure = Store::open_postgres(&nowhere).unwrap_err();
    assert_eq!(failure.code(), rubrica_core::ErrorCode::DatabaseUnavailable);
}

#[tokio::test]
async fn a_server_that_was_killed_and_came_back_is_used_again() {
    let server = server::Server::start(true);
    let store = Store::open_postgres(&settings(server.database())).unwrap();
    let beat = || {
        store.write(|connection| {
            connection.execute(
                "INSERT INTO worker (id, name, beat, started_at) VALUES ('w', '', 1, 0)
                 ON CONFLICT (id) DO UPDATE SET beat = worker.beat + 1",
                &[],
            )
        })
    };
    assert_eq!(beat().await.unwrap(), 1);
    let server = server.crash();
    let down = beat().await;
    assert!(matches!(down, Err(StoreError::Unavailable(_))), "{down:?}");
    let _server = server.restart();
    assert_eq!(beat().await.unwrap(), 1);
    let count: Option<i64> = store
        .read(|connection| connection.query_one("SELECT beat FROM worker", &[], |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(count, Some(2));
}
