//! Answers that are given again to a repeated request.

use rubrica_core::Timestamp;

use super::row::unix_ms;
use super::{Connection, StoreError, params};

/// Which request: who sent it, to which operation, under which key of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RequestKey {
    /// Kind of credential and whose it is.
    pub(crate) principal: String,
    /// Name of the operation.
    pub(crate) route: &'static str,
    /// The caller's key.
    pub(crate) key: String,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptAnswer {
    pub(crate) body_sha256: [u8; 32],
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) sealed_body: Vec<u8>,
}

/// The answer to this request, unless its time is over.
pub(crate) fn find(
    connection: &Connection,
    request: &RequestKey,
    now: Timestamp,
) -> Result<Option<KeptAnswer>, StoreError> {
    connection.query_one(
        "SELECT body_sha256, status, location, sealed_body FROM idempotency
         WHERE principal = ?1 AND route = ?2 AND key = ?3 AND expires_at > ?4",
        params![request.principal, request.route, request.key, unix_ms(now)],
        |row| {
            let status: i64 = row.get(1)?;
            Ok(KeptAnswer {
                body_sha256: row.get(0)?,
                status: status
                    .try_into()
                    .map_err(|_| StoreError::Damaged { column: "idempotency.status" })?,
                location: row.get(2)?,
                sealed_body: row.get(3)?,
            })
        },
    )
}

/// Keeps the answer, in the transaction of the work.
///
/// # Errors
/// [`StoreError::Repeated`] when an equal request was faster: then this one's work must not stay.
pub(crate) fn keep(
    connection: &Connection,
    request: &RequestKey,
    answer: &KeptAnswer,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let kept = connection.execute(
        "INSERT INTO idempotency (principal, route, key, body_sha256, status, location, sealed_body, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (principal, route, key) DO UPDATE
         SET body_sha256 = excluded.body_sha256, status = excluded.status, location = excluded.location,
             sealed_body = excluded.sealed_body, expires_at = excluded.expires_at
         WHERE idempotency.expires_at <= ?9",
        params![
            request.principal,
            request.route,
            request.key,
            answer.body_sha256,
            i64::from(answer.status),
            answer.location,
            answer.sealed_body,
            unix_ms(expires_at),
            unix_ms(now),
        ],
    )?;
    if kept == 0 { Err(StoreError::Repeated) } else { Ok(()) }
}

/// Removes answers whose time is over, at most `limit` of them; says how many.
pub(crate) fn forget(connection: &Connection, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    connection.execute(
        "DELETE FROM idempotency WHERE (principal, route, key) IN
         (SELECT principal, route, key FROM idempotency WHERE expires_at <= ?1 LIMIT ?2)",
        params![unix_ms(now), limit],
    )
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    fn request(key: &str) -> RequestKey {
        RequestKey { principal: "client/north".to_owned(), route: "create_order", key: key.to_owned() }
    }

    fn answer(body: u8) -> KeptAnswer {
        let location = Some("/v1/orders/x".to_owned());
        KeptAnswer { body_sha256: [body; 32], status: 201, location, sealed_body: vec![body; 3] }
    }

    fn at(unix_ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(unix_ms).unwrap()
    }

    #[tokio::test]
    async fn the_first_answer_stays_until_its_time_is_over() {
        for test in contract::both() {
            let keep = async |key: &'static str, body, now, end| {
                test.store.write(move |c| keep(c, &request(key), &answer(body), at(now), at(end))).await
            };
            let find = async |key: &'static str, now| {
                test.store.read(move |c| find(c, &request(key), at(now))).await.unwrap()
            };
            keep("a", 1, 0, 100).await.unwrap();
            assert!(matches!(keep("a", 2, 99, 200).await, Err(StoreError::Repeated)), "{}", test.name);
            keep("b", 3, 0, 150).await.unwrap();
            assert_eq!(find("a", 99).await, Some(answer(1)));
            assert_eq!(find("a", 100).await, None);
            keep("a", 2, 100, 200).await.unwrap();
            assert_eq!(find("a", 100).await, Some(answer(2)), "{}", test.name);

            let forget = async |now| test.store.write(move |c| forget(c, at(now), 10)).await.unwrap();
            assert_eq!((forget(149).await, forget(150).await, forget(150).await), (0, 1, 0), "{}", test.name);
            assert_eq!(find("b", 0).await, None);
            assert_eq!(find("a", 100).await, Some(answer(2)));
        }
    }

    #[tokio::test]
    async fn of_equal_requests_at_once_one_keeps_its_work_and_the_others_keep_nothing() {
        for test in contract::both() {
            let racing: Vec<_> = (0..20_u8)
                .map(|body| {
                    let store = test.store.clone();
                    tokio::spawn(async move {
                        store
                            .write(move |connection| {
                                connection.execute(
                                    "INSERT INTO object (sha256, bytes) VALUES (?1, ?2)",
                                    params![[body; 32], vec![body]],
                                )?;
                                keep(connection, &request("race"), &answer(body), at(0), at(100))
                            })
                            .await
                    })
                })
                .collect();
            let mut won = 0;
            for one in racing {
                match one.await.unwrap() {
                    Ok(()) => won += 1,
                    Err(error) => assert!(matches!(error, StoreError::Repeated), "{}: {error}", test.name),
                }
            }
            let objects = test
                .store
                .read(|c| c.query_one("SELECT count(*) FROM object", &[], |row| row.get::<i64>(0)))
                .await
                .unwrap();
            assert_eq!((won, objects), (1, Some(1)), "{}", test.name);
        }
    }
}
