//! Many connections that ask, all of one thread: what asks shares the machine with what answers, and should take little of it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at all connections. An answer is taken for so much slower than it was, at most.
const TICK: Duration = Duration::from_millis(2);
/// A polite client comes back after this long: sooner than it was told, so that the line in front of the token never runs empty.
const PAUSE: Duration = Duration::from_millis(50);

/// The same request again and again.
#[derive(Debug)]
pub(super) struct Flood<'a> {
    pub(super) host: &'a str,
    pub(super) request: &'a str,
    pub(super) connections: u32,
    pub(super) pace: Pace,
}

/// When a connection asks again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// At once after an acceptance, after a pause when it was refused.
    Polite,
    /// As many as that, all connections together, whatever the answers.
    PerSecond(f64),
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) per_second: f64,
    /// How long each refusal took.
    pub(super) refusals: Vec<Duration>,
}

impl Flood<'_> {
    /// Asks until `stop`, then waits for nothing.
    pub(super) fn run(&self, stop: &AtomicBool) -> io::Result<Asked> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(self.host)?);
        }
        let (begun, mut count, mut refusals) = (Instant::now(), 0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            for connection in &mut connections {
                if let Some((status, took)) = connection.answer()? {
                    match status {
                        202 => {}
                        429 | 503 => {
                            refusals.push(took);
                            connection.rest_until = Some(Instant::now() + PAUSE);
                        }
                        other => return Err(io::Error::other(format!("status {other}"))),
                    }
                }
            }
            let due = match self.pace {
                Pace::Polite => f64::INFINITY,
                Pace::PerSecond(rate) => begun.elapsed().as_secs_f64() * rate - f64::from(count),
            };
            let polite = matches!(self.pace, Pace::Polite);
            let free = connections.iter_mut().filter(|connection| connection.is_free(polite));
            for (_, connection) in (1..).map(f64::from).take_while(|turn| *turn <= due).zip(free) {
                connection.ask(self.request)?;
                count += 1;
            }
            // The first in turn is another one each time, so that all of them are used.
            connections.rotate_left(1);
            thread::sleep(TICK);
        }
        Ok(Asked { per_second: f64::from(count) / begun.elapsed().as_secs_f64(), refusals })
    }
}

struct Connection {
    stream: TcpStream,
    asked_at: Option<Instant>,
    rest_until: Option<Instant>,
    received: Vec<u8>,
}

impl Connection {
    fn open(host: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, asked_at: None, rest_until: None, received: Vec::new() })
    }

    fn is_free(&self, polite: bool) -> bool {
        let rests = polite && self.rest_until.is_some_and(|until| Instant::now() < until);
        self.asked_at.is_none() && !rests
    }

    /// A request is much smaller than what the kernel takes at once.
    fn ask(&mut self, request: &str) -> io::Result<()> {
        self.asked_at = Some(Instant::now());
        self.stream.write_all(request.as_bytes())
    }

    /// Status and duration, when an answer is complete.
    fn answer(&mut self) -> io::Result<Option<(u16, Duration)>> {
        let Some(asked_at) = self.asked_at else { return Ok(None) };
        let mut space = [0; 4096];
        match self.stream.read(&mut space) {
            Ok(0) => return Err(io::Error::other("the server closed")),
            Ok(read) => self.received.extend_from_slice(&space[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        let Some(status) = whole_answer(&self.received)? else { return Ok(None) };
        self.received.clear();
        self.asked_at = None;
        Ok(Some((status, asked_at.elapsed())))
    }
}

/// The status of an answer, once all of it is there.
fn whole_answer(received: &[u8]) -> io::Result<Option<u16>> {
    const LENGTH: &str = "content-length: ";
    let malformed = || io::Error::other("an answer without status or length");
    let text = std::str::from_utf8(received).map_err(|_| malformed())?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(None) };
    let length = head.lines().find_map(|line| line.strip_prefix(LENGTH)).ok_or_else(malformed)?;
    if body.len() < length.parse().map_err(|_| malformed())? {
        return Ok(None);
    }
    head.get(9..12).and_then(|status| status.parse().ok()).map(Some).ok_or_else(malformed)
}
