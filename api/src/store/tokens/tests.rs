use super::*;
use crate::store::contract::{TestStore, both};
use crate::store::tasks;

const LABEL: &str = "TEST token";

fn at(ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_435_200_000 + ms).unwrap()
}

async fn worker(test: &TestStore) -> WorkerId {
    let id = WorkerId::generate();
    let registered = id.clone();
    let register = move |connection: &Connection| tasks::register(connection, &registered, "test", at(0));
    test.store.write(register).await.unwrap();
    id
}

async fn tell_as(test: &TestStore, worker: &WorkerId, answers: bool, ms: u64) -> Result<(), StoreError> {
    let (worker, answer) = (worker.clone(), if answers { Ok(()) } else { Err(ErrorCode::TokenUnavailable) });
    let view = View { answer, at: at(ms) };
    test.store.write(move |connection| tell(connection, &worker, LABEL, view)).await
}

async fn untold(test: &TestStore, worker: &WorkerId, answers: bool) -> bool {
    let worker = worker.clone();
    test.store.read(move |connection| is_untold(connection, &worker, LABEL, answers)).await.unwrap()
}

/// The events so far: whose they are, what happened, and how long the token was away.
async fn told(test: &TestStore) -> Vec<String> {
    let read = |connection: &Connection| {
        connection.query("SELECT tenant, events FROM outbox ORDER BY position", &[], |row| {
            Ok((row.get::<Option<String>>(0)?, row.get::<String>(1)?))
        })
    };
    let rows = test.store.read(read).await.unwrap();
    rows.iter()
        .map(|(tenant, line)| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!((tenant, &event["subject"]), (&None, &serde_json::json!(LABEL)));
            format!("{} {}", event["type"].as_str().unwrap(), event["data"]["unavailable_ms"])
        })
        .collect()
}

#[tokio::test]
async fn a_token_is_away_when_it_answers_nobody_and_back_when_it_answers_one() {
    for test in both() {
        let (a, b) = (worker(&test).await, worker(&test).await);
        for (worker, answers) in [(&a, true), (&b, true), (&a, false)] {
            tell_as(&test, worker, answers, 0).await.unwrap();
        }
        assert_eq!(told(&test).await, [""; 0], "{}: one of two still signs", test.name);
        for (worker, answers, ms) in [(&b, false, 10), (&a, false, 20), (&b, false, 30), (&a, true, 510)] {
            tell_as(&test, worker, answers, ms).await.unwrap();
        }
        tell_as(&test, &b, true, 600).await.unwrap();
        assert_eq!(told(&test).await, ["token.unavailable null", "token.available 500"], "{}", test.name);
    }
}

#[tokio::test]
async fn the_death_of_the_last_worker_that_was_answered_is_noticed_by_the_others() {
    for test in both() {
        let (a, b) = (worker(&test).await, worker(&test).await);
        assert!(untold(&test, &a, true).await, "{}: it has not told yet", test.name);
        tell_as(&test, &a, true, 0).await.unwrap();
        tell_as(&test, &b, false, 0).await.unwrap();
        assert!(!untold(&test, &a, true).await && !untold(&test, &b, false).await);
        let dead = a.clone();
        test.store.write(move |connection| tasks::bury(connection, &dead, 0)).await.unwrap();
        assert!(untold(&test, &b, false).await, "{}", test.name);
        tell_as(&test, &b, false, 5).await.unwrap();
        assert!(!untold(&test, &b, false).await);
        assert_eq!(told(&test).await, ["token.unavailable null"], "{}", test.name);
        let buried = tell_as(&test, &a, true, 6).await;
        assert!(matches!(buried, Err(StoreError::LeaseLost)), "{buried:?}");
        assert_eq!(told(&test).await.len(), 1);
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_absence_of_less_than_nothing() {
    for test in both() {
        let a = worker(&test).await;
        tell_as(&test, &a, false, 10_000).await.unwrap();
        tell_as(&test, &a, true, 0).await.unwrap();
        assert_eq!(told(&test).await, ["token.unavailable null", "token.available 0"], "{}", test.name);
    }
}
