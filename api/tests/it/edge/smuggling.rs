//! Requests that two programs could read in two ways.

use super::raw::{exchange, statuses};
use crate::support::{ANA, Instance, Options};

/// Answered with 200 when its headers are believed; what follows is a second request for whoever ends the first one early.
fn health(line: &str, fields: &str, rest: &str) -> String {
    format!("{line}\r\n{fields}\r\n{rest}")
}

#[test]
fn ambiguous_headers_are_refused_and_end_the_connection() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_SERVER_KEEP_ALIVE_MS", "200")] });
    let get = "GET /health/live HTTP/1.1";
    // The control: the same with nothing wrong about it.
    for fields in ["host: a\r\n", "host: a\r\ncontent-length: 5\r\n", "host: a\r\nx:\r\n"] {
        let rest = if fields.contains("length") { "abcde" } else { "" };
        assert_eq!(statuses(&exchange(&instance, health(get, fields, rest).as_bytes())), ["200"], "{fields}");
    }
    let chunked = health(get, "host: a\r\ntransfer-encoding: chunked\r\n", "5\r\nabcde\r\n0\r\n\r\n");
    assert_eq!(statuses(&exchange(&instance, chunked.as_bytes())), ["200"]);

    let second = "GET /v1/nothing HTTP/1.1\r\nhost: a\r\n\r\n";
    for fields in [
        "host: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n",
        "host: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n",
        "host: a\r\ncontent-length: 5, 5\r\n",
        "host: a\r\ncontent-length: +5\r\n",
        "host: a\r\ncontent-length: -1\r\n",
        "host: a\r\ncontent-length: 0x5\r\n",
        "host: a\r\ncontent-length: 5 5\r\n",
        "host: a\r\ncontent-length: 99999999999999999999999\r\n",
        "host: a\r\ncontent-length : 5\r\n",
        "host: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n",
        "host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "host: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "host: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "host: a\r\ntransfer-encoding: gzip, chunked\r\n",
        "host: a\r\ntransfer-encoding: chunked, identity\r\n",
        "host: a\r\ntransfer-encoding: xchunked\r\n",
        "host: a\r\ntransfer-encoding:\x0bchunked\r\n",
        "host: a\r\ntransfer-encoding : chunked\r\n",
        "host: a\r\n transfer-encoding: chunked\r\n",
        "host: a\r\nx: b\r\n\tcontent-length: 5\r\n",
        "host: a\ncontent-length: 5\n",
        "host: a\r\nx: b\rcontent-length: 5\r\n",
        "host: a\r\nx: b\0\r\n",
        "host: a\r\nx y: b\r\n",
        "host: a\r\nhost: b\r\n",
        "host: a\r\n: b\r\n",
        "",
    ] {
        let answer = exchange(&instance, health(get, fields, &format!("0\r\n\r\n{second}")).as_bytes());
        assert_eq!(statuses(&answer), ["400"], "{fields:?}: {answer}");
    }
    for line in [
        "GET /health/live HTTP/1.1\n",
        "GET  /health/live HTTP/1.1",
        "GET /health/live  HTTP/1.1",
        "GET /health/live HTTP/1.2",
        "GET /health/live HTTP/2.0",
        "GET /health/live http/1.1",
        "GET /health/live",
        "GET\t/health/live HTTP/1.1",
        "GET /health/live\0 HTTP/1.1",
        " GET /health/live HTTP/1.1",
        "PRI * HTTP/2.0",
    ] {
        let answer = exchange(&instance, health(line, "host: a\r\n", second).as_bytes());
        assert!(!answer.contains("HTTP/1.1 200") && statuses(&answer).len() <= 1, "{line:?}: {answer}");
    }
    // HTTP/1.0 names no host and knows no chunks.
    assert!(exchange(&instance, b"GET /health/live HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
    let old = "GET /health/live HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(!exchange(&instance, old.as_bytes()).contains(" 200 "));
}

#[test]
fn a_broken_chunk_makes_no_document() {
    let instance = Instance::start_with(&Options {
        variables: &[("RUBRICA_SERVER_KEEP_ALIVE_MS", "200"), ("RUBRICA_SERVER_BODY_GRACE_MS", "500")],
    });
    let token = instance.session(ANA).token.unwrap();
    let upload = |body: &str| {
        let head = format!(
            "POST /v1/documents HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        exchange(&instance, format!("{head}{body}").as_bytes())
    };
    for good in ["5\r\nabcde\r\n0\r\n\r\n", "05;x=y\r\nabcde\r\n0\r\n\r\n", "5\r\nabcde\r\n0\r\nx: y\r\n\r\n"]
    {
        assert_eq!(statuses(&upload(good)), ["201"], "{good:?}");
    }
    for bad in [
        "0x5\r\nabcde\r\n0\r\n\r\n",
        "+5\r\nabcde\r\n0\r\n\r\n",
        "-5\r\nabcde\r\n0\r\n\r\n",
        " \r\nabcde\r\n0\r\n\r\n",
        "5\nabcde\n0\n\n",
        "5\r\nabcdef\r\n0\r\n\r\n",
        "5\r\nabcde0\r\n\r\n",
        "5;x=\ny\r\nabcde\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabcde\r\n0\r\n\r\n",
        "5\r\nabcde\r\n",
        "",
    ] {
        let answer = upload(bad);
        assert_eq!(statuses(&answer), ["400"], "{bad:?}: {answer}");
    }
    let documents: u32 = instance
        .database()
        .query_row("SELECT count(*) FROM document WHERE size_bytes = 5", [], |row| row.get(0))
        .unwrap();
    assert_eq!(documents, 3);
}

#[test]
fn a_chunked_request_sent_ahead_of_time_is_refused() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_SERVER_KEEP_ALIVE_MS", "200")] });
    let get = "GET /health/live HTTP/1.1\r\nhost: a\r\n";
    // Plain ones are answered one after the other.
    let plain = exchange(&instance, format!("{get}\r\n{get}\r\n").as_bytes());
    assert_eq!(statuses(&plain), ["200", "200"], "{plain}");
    let chunked = format!("{get}\r\n{get}transfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    let answer = exchange(&instance, chunked.as_bytes());
    assert_eq!(statuses(&answer), ["200", "400"], "{answer}");
}

#[test]
fn headers_are_limited_in_bytes_and_number() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_SERVER_KEEP_ALIVE_MS", "200")] });
    let with = |fields: &str| exchange(&instance, health("GET /health/live HTTP/1.1", fields, "").as_bytes());
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    assert_eq!(statuses(&with(&format!("host: a\r\n{}", many(90)))), ["200"]);
    assert_eq!(statuses(&with(&format!("host: a\r\n{}", many(200)))), ["431"]);
    assert_eq!(statuses(&with(&format!("host: a\r\nx: {}\r\n", "y".repeat(30_000)))), ["200"]);
    assert_eq!(statuses(&with(&format!("host: a\r\nx: {}\r\n", "y".repeat(40_000)))), ["431"]);
}
