use std::time::Duration;

use super::*;
use crate::store::contract::{TestStore, both};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000 + seconds * 1000).unwrap()
}

async fn queue(test: &TestStore) -> NoticeId {
    let id = NoticeId::generate();
    let notice = NewNotice {
        id: id.clone(),
        tenant: Some("bank".to_owned()),
        kind: NoticeKind::Expiring,
        subject: "key_1".to_owned(),
        recipient: b"sealed".to_vec(),
        recipient_masked: "a***@test.invalid".to_owned(),
        language: "pt-BR",
        content: "{}".to_owned(),
    };
    test.store.write(move |connection| insert(connection, &notice, at(0))).await.unwrap();
    id
}

async fn claim_at(test: &TestStore, seconds: u64) -> Vec<ClaimedNotice> {
    let now = at(seconds);
    test.store.write(move |c| claim(c, now, now.plus(Duration::from_secs(60)), 8)).await.unwrap()
}

async fn end(test: &TestStore, notice: &ClaimedNotice, outcome: Outcome, seconds: u64) {
    let notice = notice.clone();
    test.store.write(move |c| finish(c, &notice, &outcome, at(seconds))).await.unwrap();
}

fn failed(again: Option<u64>) -> Outcome {
    Outcome::Failed { status: Some(451), error: "451 later".to_owned(), again: again.map(at) }
}

async fn row(test: &TestStore, id: &NoticeId) -> (String, i64, bool, Option<String>) {
    let id = id.clone();
    let read = move |c: &Connection| {
        let sql = "SELECT state, attempts, recipient, last_error FROM notice WHERE id = ?1";
        c.query_one(sql, params![id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<Option<Vec<u8>>>(2)?.is_some(), row.get(3)?))
        })
    };
    test.store.read(read).await.unwrap().unwrap()
}

async fn told(test: &TestStore) -> Vec<String> {
    let sql = "SELECT events FROM outbox ORDER BY position";
    test.store.read(|c| c.query(sql, &[], |row| row.get(0))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_taken_by_one_tried_again_in_its_time_and_loses_its_address_at_the_end() {
    for test in both() {
        let id = queue(&test).await;
        let taken = futures_util::future::join_all((0..8).map(|_| claim_at(&test, 1))).await;
        let taken: Vec<_> = taken.into_iter().flatten().collect();
        assert_eq!(taken.len(), 1, "{}", test.name);
        end(&test, &taken[0], failed(Some(30)), 2).await;
        assert!(claim_at(&test, 29).await.is_empty());
        let due = test.store.read(|c| any_due(c, at(30))).await.unwrap();
        let again = claim_at(&test, 30).await;
        assert!(due && again.len() == 1 && again[0].attempt == 2, "{}", test.name);
        assert_eq!(again[0].recipient, b"sealed");
        // Whoever was taken for dead writes nothing any more.
        let later = claim_at(&test, 91).await;
        end(&test, &again[0], Outcome::Sent, 92).await;
        assert_eq!(row(&test, &id).await.0, "pending", "{}", test.name);
        end(&test, &later[0], Outcome::Sent, 93).await;
        assert_eq!(row(&test, &id).await, ("sent".to_owned(), 3, false, Some("451 later".to_owned())));
        let told = told(&test).await;
        assert!(told.len() == 1 && told[0].contains("notice.sent"), "{}: {told:?}", test.name);
    }
}

#[tokio::test]
async fn a_notice_that_is_given_up_is_told_and_a_clock_that_was_set_back_keeps_none_waiting() {
    for test in both() {
        let id = queue(&test).await;
        let taken = claim_at(&test, 86_400).await;
        assert_eq!(claim_at(&test, 1).await.len(), 1, "{}: taken by a clock a day ahead", test.name);
        let last = claim_at(&test, 62).await;
        end(&test, &taken[0], failed(None), 63).await;
        end(&test, &last[0], failed(None), 63).await;
        assert_eq!(row(&test, &id).await, ("dead".to_owned(), 3, false, Some("451 later".to_owned())));
        let told = told(&test).await;
        assert!(told.len() == 1 && told[0].contains("\"status\":451"), "{}: {told:?}", test.name);
        assert!(!told[0].contains("test.invalid"), "an event holds no address");
    }
}
