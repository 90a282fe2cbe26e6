//! Tells a client that holds too many connections why it gets no further one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rubrica_core::ErrorCode;
use rubrica_core::wire::Problem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::http::problem::{ApiError, type_uri};
use crate::{hex, random};

/// Above this, connections are closed without a word.
pub(super) const MOST_AT_ONCE: usize = 64;
const LONGEST: Duration = Duration::from_secs(1);
const RETRY_AFTER_SECONDS: u32 = 1;
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// How many connections were refused since it was last told. A flood leaves a line in a while, not one for each.
#[derive(Debug, Default)]
pub(super) struct Refused {
    untold: u64,
    told: Option<Instant>,
}

impl Refused {
    /// One more; gives how many, when it is time to tell.
    pub(super) fn one_more(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self.told.is_some_and(|told| now.duration_since(told) < TOLD_EVERY) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// Answers 429 and closes.
pub(super) fn refuse(mut stream: TcpStream, refusals: &Arc<Semaphore>) {
    let Ok(turn) = Arc::clone(refusals).try_acquire_owned() else { return };
    tokio::spawn(async move {
        let say = async {
            stream.write_all(&answer()).await?;
            stream.shutdown().await?;
            // A request that was sent is read, or closing would take the answer back.
            let mut sent = [0; 4096];
            while stream.read(&mut sent).await? > 0 {}
            std::io::Result::Ok(())
        };
        // The client may have gone; nothing is owed to it.
        let _ = tokio::time::timeout(LONGEST, say).await;
        drop(turn);
    });
}

fn answer() -> Vec<u8> {
    let code = ErrorCode::TooManyRequests;
    let request_id = format!("req_{}", hex::encode(random::bytes::<12>()));
    let problem = Problem {
        type_uri: type_uri(code),
        title: code.title().to_owned(),
        status: ApiError::new(code, "").status().as_u16(),
        detail: "this address has as many connections as it may have; reuse them".to_owned(),
        instance: "/".to_owned(),
        code,
        request_id: request_id.clone(),
        errors: Vec::new(),
    };
    let body = serde_json::to_string(&problem).expect("a problem has only strings and numbers");
    format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         retry-after: {RETRY_AFTER_SECONDS}\r\nx-request-id: {request_id}\r\ncache-control: no-store\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_told_at_once_and_then_once_in_a_while_with_its_number() {
        let (mut refused, begun) = (Refused::default(), Instant::now());
        assert_eq!(refused.one_more(begun), Some(1));
        for _ in 0..1000 {
            assert_eq!(refused.one_more(begun + Duration::from_secs(9)), None);
        }
        assert_eq!(refused.one_more(begun + TOLD_EVERY), Some(1001));
        assert_eq!(refused.one_more(begun + TOLD_EVERY), None);
    }
}
