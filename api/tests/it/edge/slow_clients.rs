//! Clients that are silent, drip or do not read: cut off at their deadline, while honest ones notice nothing.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::raw::{connect, is_closed};
use crate::support::{ANA, Instance, Options};

const SHORT: [(&str, &str); 6] = [
    ("RUBRICA_SERVER_FIRST_BYTE_TIMEOUT_MS", "700"),
    ("RUBRICA_SERVER_HEADER_TIMEOUT_MS", "1500"),
    ("RUBRICA_SERVER_KEEP_ALIVE_MS", "1000"),
    ("RUBRICA_SERVER_BODY_GRACE_MS", "1500"),
    ("RUBRICA_SERVER_BODY_IDLE_TIMEOUT_MS", "1000"),
    ("RUBRICA_SERVER_WRITE_TIMEOUT_MS", "1500"),
];
/// `RUBRICA_SERVER_BODY_IDLE_TIMEOUT_MS`, less what two clocks may differ by.
const BODY_IDLE: Duration = Duration::from_millis(900);
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(60);

/// A client that misbehaves in one way.
struct Slow {
    kind: &'static str,
    stream: TcpStream,
    /// Sent one byte at a time.
    drips: Vec<u8>,
    /// When it last sent something, and the longest it was silent: a busy machine makes a dripping client a silent one.
    sent: Instant,
    silent: Duration,
    earliest: Duration,
    latest: Duration,
    cut: Option<Duration>,
}

impl Slow {
    /// Notes the silence since it last sent.
    fn heard(&mut self) {
        self.silent = self.silent.max(self.sent.elapsed());
        self.sent = Instant::now();
    }

    /// Before this no deadline is over: a silence as long as the server bears in a body is one of its own.
    fn earliest(&self) -> Duration {
        if self.silent < BODY_IDLE { self.earliest } else { self.earliest.min(BODY_IDLE) }
    }
}

fn slow(
    instance: &Instance,
    kind: &'static str,
    sent: &str,
    drips: &[u8],
    earliest_ms: u64,
    latest_ms: u64,
) -> Slow {
    let mut stream = connect(instance);
    stream.write_all(sent.as_bytes()).unwrap();
    Slow {
        kind,
        stream,
        drips: drips.iter().rev().copied().collect(),
        sent: Instant::now(),
        silent: Duration::ZERO,
        earliest: Duration::from_millis(earliest_ms),
        latest: Duration::from_millis(latest_ms) + SLACK,
        cut: None,
    }
}

/// A client that asks for a document and never reads.
fn deaf(instance: &Instance, token: &str, document: &str) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // A small window, as a phone has it; otherwise the kernel takes the megabytes for us.
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let address: std::net::SocketAddr = super::raw::address(instance).parse().unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let request = format!(
        "GET /v1/documents/{document}/content HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Connections that the server holds, by what the kernel lists.
fn connections(instance: &Instance) -> usize {
    let port: u16 = instance.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let (local, established) = (format!("0100007F:{port:04X}"), "01");
    std::fs::read_to_string("/proc/net/tcp")
        .unwrap()
        .lines()
        .filter(|line| {
            let mut columns = line.split_whitespace().skip(1);
            columns.next() == Some(&local) && columns.nth(1) == Some(established)
        })
        .count()
}

#[test]
fn slow_clients_are_cut_at_their_deadline_and_honest_ones_notice_nothing() {
    let instance = Instance::start_with(&Options { variables: &SHORT });
    let session = instance.session(ANA);
    let token = session.token.clone().unwrap();
    let large = session.upload(&vec![7; 8 << 20]);
    let before = median(&mut honest(&instance, 100));

    let body = format!(
        "POST /v1/documents HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: 1000\r\n\r\n"
    );
    let begun = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..200 {
        clients.push(slow(&instance, "silent", "", b"", 700, 700));
        clients.push(slow(&instance, "dripping headers", "GET /", &[b'a'; 1000], 1500, 1500));
    }
    for _ in 0..50 {
        clients.push(slow(&instance, "dripping body", &body, &[b'a'; 900], 1500, 3000));
        clients.push(slow(&instance, "silent body", &body, b"", 1000, 1000));
        clients.push(slow(
            &instance,
            "idle",
            "GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n",
            b"",
            1000,
            1000,
        ));
    }
    let deaf: Vec<_> = (0..50).map(|_| deaf(&instance, &token, &large)).collect();
    let opened = begun.elapsed();

    let honest = std::thread::scope(|scope| {
        let honest = scope.spawn(|| honest(&instance, 300));
        while clients.iter().any(|client| client.cut.is_none()) {
            for client in clients.iter_mut().filter(|client| client.cut.is_none()) {
                client.heard();
                if is_closed(&mut client.stream) {
                    client.cut = Some(begun.elapsed());
                } else {
                    assert!(begun.elapsed() < opened + client.latest, "{}: still there", client.kind);
                    // A write that fails is seen as a closed connection the next time.
                    let _ = client.drips.pop().map(|byte| client.stream.write(&[byte]));
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        honest.join().unwrap()
    });
    for client in &clients {
        let cut = client.cut.unwrap();
        assert!(cut + Duration::from_millis(100) >= client.earliest(), "{}: cut after {cut:?}", client.kind);
    }
    // Those who do not read cannot see it themselves: their kernel still holds what came.
    super::raw::wait_until("readers that do not read", SLACK, || connections(&instance) <= 2);
    drop(deaf);

    let mut honest = honest;
    // A busy machine delays some, a server that is held up all of them.
    let during = median(&mut honest);
    assert!(during < (before * 5).max(Duration::from_millis(250)), "{before:?} before, {during:?} during");
    assert_eq!(instance.anonymous().get("/health/ready").status, 200);
    assert!(!instance.log().contains("panicked"));
}

/// Durations of requests of a client that behaves.
fn honest(instance: &Instance, count: usize) -> Vec<Duration> {
    let client = instance.anonymous();
    let mut durations = Vec::new();
    for _ in 0..count {
        let begun = Instant::now();
        assert_eq!(client.get("/health/live").status, 200);
        durations.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
    durations
}

fn median(durations: &mut [Duration]) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

#[test]
fn a_slow_client_that_is_fast_enough_is_served() {
    let instance = Instance::start_with(&Options {
        variables: &[
            ("RUBRICA_SERVER_BODY_GRACE_MS", "300"),
            ("RUBRICA_SERVER_BODY_IDLE_TIMEOUT_MS", "1000"),
            ("RUBRICA_SERVER_MINIMUM_BYTES_PER_SECOND", "1000"),
        ],
    });
    let token = instance.session(ANA).token.unwrap();
    let mut stream = connect(&instance);
    let head = format!(
        "POST /v1/documents HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
         content-length: 10000\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Five times the grace, at five times the minimum.
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(150));
        stream.write_all(&[7; 1000]).unwrap();
    }
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}
