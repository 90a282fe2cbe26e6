//! `GET /v1/events`: pages and streams of what happened. Events are put into the outbox from outside, by a process of its own
//! as another instance would be.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{ANA, Client, Instance, Options, postgres};

/// The tenant of the demo's backend.
pub(crate) const TENANT: &str = "demo-portal";

/// Writes one transaction with a `batch.started` per subject.
pub(crate) fn tell(database: &rusqlite::Connection, tenant: Option<&str>, subjects: &[&str]) {
    let lines: Vec<String> = subjects.iter().map(|subject| line(subject)).collect();
    database
        .execute(
            "INSERT INTO outbox (tenant, count, releases, events) VALUES (?1, ?2, 0, ?3)",
            (tenant, i64::try_from(subjects.len()).unwrap(), lines.join("\n")),
        )
        .unwrap();
}

/// An event as the outbox has it.
fn line(subject: &str) -> String {
    format!(
        r#"{{"id":"evt_{subject}","type":"batch.started","subject":"{subject}","time":"2026-11-23T12:00:00Z","data":{{"batch_id":"{subject}"}}}}"#
    )
}

fn subjects(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap();
    let read = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        assert_eq!((text("specversion").as_str(), text("source").as_str()), ("1.0", "/rubrica"));
        (text("sequence"), text("subject"))
    };
    text.lines().map(read).collect()
}

fn pairs(expected: &[(u64, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(sequence, subject)| (format!("{sequence:020}"), (*subject).to_owned())).collect()
}

#[test]
fn pages_hold_what_concerns_the_tenant_in_order_and_say_how_far_they_looked() {
    let instance = Instance::start();
    let (backend, database) = (instance.backend(), instance.database());
    let empty = backend.get("/v1/events");
    assert_eq!((empty.status, empty.body.len(), empty.header("rubrica-last-sequence")), (200, 0, "0"));
    assert_eq!(empty.header("content-type"), "application/x-ndjson");
    tell(&database, Some(TENANT), &["1", "2", "3"]);
    tell(&database, Some("another"), &["4", "5"]);
    tell(&database, None, &["6"]);
    tell(&database, Some("another"), &["7"]);

    let found = |path: &str| {
        let answer = backend.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        (subjects(&answer.body), answer.header("rubrica-last-sequence").to_owned())
    };
    // Waits until the last one is there.
    let (all, last) = loop {
        let (all, last) = found("/v1/events?wait_ms=5000");
        if last == "7" {
            break (all, last);
        }
    };
    assert_eq!(all, pairs(&[(1, "1"), (2, "2"), (3, "3"), (6, "6")]));
    assert_eq!(last, "7");
    assert_eq!(found("/v1/events?limit=2"), (pairs(&[(1, "1"), (2, "2")]), "2".to_owned()));
    assert_eq!(found("/v1/events?after=2&limit=2"), (pairs(&[(3, "3"), (6, "6")]), "6".to_owned()));
    assert_eq!(found("/v1/events?after=7"), (vec![], "7".to_owned()));
    assert_eq!(found("/v1/events?after=9223372036854775807").0, []);
    assert_eq!(found("/v1/events?types=batch.started%2Corder.created&limit=1").0, pairs(&[(1, "1")]));
    assert_eq!(found("/v1/events?types=order.created"), (vec![], "7".to_owned()));
    let event: Value = serde_json::from_slice(&backend.get("/v1/events?after=5").body).unwrap();
    assert_eq!((event.get("tenant"), &event["data"]["batch_id"]), (None, &Value::from("6")));
}

#[test]
fn what_cannot_be_read_is_refused_and_so_is_a_person() {
    let instance = Instance::start();
    for query in [
        "after=-1",
        "after=x",
        "limit=0",
        "limit=1001",
        "wait_ms=20001",
        "types=order.exploded",
        "types=",
        "types=order.created,,",
    ] {
        instance.backend().get(&format!("/v1/events?{query}")).assert_problem(400, "invalid_request");
    }
    let stream = instance.backend().with("accept", "text/event-stream").with("last-event-id", "x");
    stream.get("/v1/events").assert_problem(400, "invalid_request");
    instance.session(ANA).get("/v1/events").assert_problem(403, "forbidden");
    instance.anonymous().get("/v1/events").assert_problem(401, "unauthorized");
}

/// A stream as it comes over the wire.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(client: &Client, instance: &Instance, after: u64) -> Self {
        let address = instance.url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let token = client.token.as_ref().unwrap();
        write!(
            stream,
            "GET /v1/events HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\nlast-event-id: {after}\r\n\
             authorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        let mut stream = Self(BufReader::new(stream));
        assert_eq!(stream.line().as_deref(), Some("HTTP/1.1 200 OK"));
        stream
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).unwrap() > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event: its id and its subject.
    fn event(&mut self) -> Option<(u64, String)> {
        let mut id = 0;
        loop {
            let line = self.line()?;
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().unwrap();
            } else if let Some(json) = line.strip_prefix("data: ") {
                let event: Value = serde_json::from_str(json).unwrap();
                assert_eq!(event["sequence"], format!("{id:020}"));
                return Some((id, event["subject"].as_str().unwrap().to_owned()));
            }
        }
    }
}

#[test]
fn a_stream_goes_on_where_its_reader_stood_and_ends_when_the_service_stops() {
    let mut instance = Instance::start();
    let (backend, database) = (instance.backend(), instance.database());
    // A reader that never reads holds nobody up.
    let _silent = Stream::open(&backend, &instance, 0);
    let mut next = 1;
    for round in 0..12 {
        let names: Vec<String> = (0..40).map(|number| (round * 40 + number + 1).to_string()).collect();
        for names in names.chunks(7) {
            tell(&database, Some(TENANT), &names.iter().map(String::as_str).collect::<Vec<_>>());
        }
        // Every reader stops in the middle and never says so.
        let mut stream = Stream::open(&backend, &instance, next - 1);
        for _ in 0..33 {
            assert_eq!(stream.event(), Some((next, next.to_string())));
            next += 1;
        }
    }
    let mut stream = Stream::open(&backend, &instance, next - 1);
    while next <= 480 {
        assert_eq!(stream.event(), Some((next, next.to_string())));
        next += 1;
    }
    assert_eq!(instance.terminate(), Some(0));
    assert_eq!(stream.event(), None, "the stream ends like any answer");
}

#[test]
fn an_event_is_seen_within_a_second() {
    let instance = Instance::start();
    let (backend, database) = (instance.backend(), instance.database());
    let mut stream = Stream::open(&backend, &instance, 0);
    let mut delays: Vec<Duration> = (1..=200)
        .map(|number| {
            tell(&database, Some(TENANT), &["x"]);
            let told = Instant::now();
            assert_eq!(stream.event().unwrap().0, number);
            told.elapsed()
        })
        .collect();
    delays.sort();
    let p99 = delays[delays.len() * 99 / 100];
    println!("event of another process visible after {:?} (p50), {p99:?} (p99)", delays[delays.len() / 2]);
    assert!(p99 < Duration::from_secs(1), "{p99:?}");
}

#[test]
fn an_event_of_the_same_process_is_seen_at_once() {
    let instance = Instance::start();
    let backend = instance.backend();
    let webhook = backend.post("/v1/webhooks", &serde_json::json!({ "url": "https://1.1.1.1/" })).json();
    let path = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    let mut stream = Stream::open(&backend, &instance, 0);
    let mut delays: Vec<Duration> = (1..=200)
        .map(|number| {
            let begun = Instant::now();
            assert_eq!(backend.post(&format!("{path}/disable"), &Value::Null).status, 200);
            assert_eq!(stream.event().unwrap().0, number);
            let delay = begun.elapsed();
            assert_eq!(backend.post(&format!("{path}/enable"), &Value::Null).status, 200);
            delay
        })
        .collect();
    delays.sort();
    let p99 = delays[delays.len() * 99 / 100];
    println!(
        "event of this process visible after {:?} (p50), {p99:?} (p99), its request included",
        delays[100]
    );
    assert!(p99 < Duration::from_secs(1), "{p99:?}");
}

#[test]
fn instances_on_one_server_relay_for_each_other_and_one_that_dies_is_not_missed() {
    let address = postgres::shared().database();
    let variables = [("RUBRICA_STORE_URL", address.as_str())];
    let options = Options { variables: &variables };
    let mut instances = [Instance::start_with(&options), Instance::start_with(&options)];
    let mut next = 1;
    let mut tell = |count: u64| {
        let lines: Vec<String> = (next..next + count).map(|number| line(&number.to_string())).collect();
        let rows: Vec<String> = lines.iter().map(|line| format!("('{TENANT}', 1, 0, '{line}')")).collect();
        let sql = format!("INSERT INTO outbox (tenant, count, releases, events) VALUES {}", rows.join(", "));
        postgres::psql(&address, &sql);
        next += count;
        next
    };
    let mut seen = 1;
    for dies in [1, 0] {
        let backend = instances[1 - dies].backend();
        let mut stream = Stream::open(&backend, &instances[1 - dies], seen - 1);
        let end = tell(50);
        while seen < end - 20 {
            assert_eq!(stream.event(), Some((seen, seen.to_string())));
            seen += 1;
        }
        instances[dies].kill();
        let end = tell(50);
        while seen < end {
            assert_eq!(stream.event(), Some((seen, seen.to_string())));
            seen += 1;
        }
        instances[dies].run(&options);
    }
}
