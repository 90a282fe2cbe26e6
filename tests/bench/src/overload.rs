//! What is still released while five times as much is asked for as can be done.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::table::{Bar, Row, Table};
use crate::token::{Server, memory_folder};
use crate::{Outcome, samples};

/// Connections of the flood.
const CLIENTS: u32 = 32;
/// Connections that keep the token busy, and come back only when they were told to.
const POLITE: u32 = 16;
const TIMES: f64 = 5.0;
/// Until the line in front of the token is as long as it gets.
const WARM_UP: Duration = Duration::from_secs(6);
const WINDOW: Duration = Duration::from_secs(10);
/// No client is to be stopped by its own limits here: what is measured is the whole server's.
const UNLIMITED: [(&str, &str); 5] = [
    ("RUBRICA_LIMITS_REQUESTS_PER_SECOND", "1000000"),
    ("RUBRICA_LIMITS_REQUEST_BURST", "1000000"),
    ("RUBRICA_LIMITS_ADDRESS_REQUESTS_PER_SECOND", "1000000"),
    ("RUBRICA_LIMITS_ADDRESS_REQUEST_BURST", "1000000"),
    // Short, so that the test need not wait for a long line.
    ("RUBRICA_LIMITS_TOKEN_QUEUE_TIME_MS", "200"),
];

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let rubrica = std::env::var("RUBRICA").map_err(|_| "RUBRICA must name the rubrica binary")?;
    let folder = memory_folder()?;
    let data = folder.path().join("data");
    let server = Server::start_with(&rubrica, &data, &UNLIMITED)?;
    let (token, document) = server.upload(&samples::pdf(2_000))?;
    let body = json!({ "document_id": document, "custody": "hsm", "format": "cades" }).to_string();
    let host = server.address.trim_start_matches("http://").to_owned();
    let request = format!(
        "POST /v1/signatures HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let flood = |clients, pace| Flood { host: host.clone(), request: request.clone(), clients, pace };
    // Rounds alternate, so that a busy neighbour hits both sides.
    let (mut peak, mut goodput, mut refusals) = (0.0, 0.0, Vec::new());
    const ROUNDS: u32 = 2;
    for _ in 0..ROUNDS {
        let calm = flood(POLITE, Pace::Polite).run(&data)?;
        peak += calm.released_per_second / f64::from(ROUNDS);
        let storm = flood(CLIENTS, Pace::PerSecond(TIMES * calm.released_per_second)).run(&data)?;
        goodput += storm.released_per_second / f64::from(ROUNDS);
        if storm.asked_per_second < 0.9 * TIMES * calm.released_per_second {
            table.skip(format!(
                "overload: this machine could ask for only {:.0} signatures per second",
                storm.asked_per_second
            ));
        }
        refusals.extend(storm.refusals);
    }
    table.push(Row {
        what: "released while 5 times as much is asked for".to_owned(),
        unit: "signatures per second",
        ours: goodput,
        peer: "peak",
        theirs: peak,
        bar: Bar::AtLeast(0.90),
    });
    refusals.sort();
    let percentile = refusals.get(refusals.len() * 99 / 100).ok_or("nothing was refused")?;
    table.push(Row {
        what: "time until a refusal, p99".to_owned(),
        unit: "ms",
        ours: percentile.as_secs_f64() * 1e3,
        peer: "limit",
        theirs: 50.0,
        bar: Bar::AtMost(1.0),
    });
    Ok(())
}

/// Requests from many connections.
struct Flood {
    host: String,
    request: String,
    clients: u32,
    pace: Pace,
}

#[derive(Clone, Copy)]
enum Pace {
    /// At once after an acceptance, some time after a refusal.
    Polite,
    /// As many as that, all connections together, whatever the answers.
    PerSecond(f64),
}

struct Measured {
    released_per_second: f64,
    asked_per_second: f64,
    refusals: Vec<Duration>,
}

impl Flood {
    fn run(&self, data: &Path) -> Outcome<Measured> {
        let stop = AtomicBool::new(false);
        let (count, window, asked) = thread::scope(|scope| -> Outcome<_> {
            let stop = &stop;
            let clients: Vec<_> =
                (0..self.clients).map(|client| scope.spawn(move || self.ask_until(stop, client))).collect();
            thread::sleep(WARM_UP);
            let (begun, before) = (Instant::now(), released(data));
            thread::sleep(WINDOW);
            let (window, after) = (begun.elapsed(), released(data));
            stop.store(true, Ordering::Relaxed);
            let mut asked = Vec::new();
            for client in clients {
                asked.push(
                    client.join().map_err(|_| "a client panicked")?.map_err(|error| error.to_string())?,
                );
            }
            Ok((after? - before?, window, asked))
        })?;
        let asked_count: u32 = asked.iter().map(|asked| asked.count).sum();
        // What is left in the line is not to be released in the next round.
        wait_for_the_line(data)?;
        Ok(Measured {
            released_per_second: f64::from(count) / window.as_secs_f64(),
            asked_per_second: f64::from(asked_count) / (WARM_UP + window).as_secs_f64(),
            refusals: asked.into_iter().flat_map(|asked| asked.refusals).collect(),
        })
    }

    fn ask_until(&self, stop: &AtomicBool, client: u32) -> std::io::Result<Asked> {
        let mut asked = Asked::default();
        let mut stream = TcpStream::connect(&self.host)?;
        stream.set_nodelay(true)?;
        let (begun, mut answer) = (Instant::now(), vec![0; 16 * 1024]);
        while !stop.load(Ordering::Relaxed) {
            if let Pace::PerSecond(rate) = self.pace {
                let turn = f64::from(asked.count * self.clients + client) / rate;
                thread::sleep(Duration::from_secs_f64(turn).saturating_sub(begun.elapsed()));
            }
            let sent = Instant::now();
            stream.write_all(self.request.as_bytes())?;
            let status = read_answer(&mut stream, &mut answer)?;
            asked.count += 1;
            match (status, self.pace) {
                (202, _) => {}
                (429 | 503, Pace::PerSecond(_)) => asked.refusals.push(sent.elapsed()),
                (429 | 503, Pace::Polite) => thread::sleep(Duration::from_millis(50)),
                (other, _) => return Err(std::io::Error::other(format!("status {other}"))),
            }
        }
        Ok(asked)
    }
}

#[derive(Default)]
struct Asked {
    count: u32,
    /// How long each refusal took.
    refusals: Vec<Duration>,
}

/// Reads one answer; gives its status.
fn read_answer(stream: &mut TcpStream, space: &mut [u8]) -> std::io::Result<u16> {
    let malformed = || std::io::Error::other("an answer without length");
    let mut length = 0;
    loop {
        let read = stream.read(&mut space[length..])?;
        if read == 0 {
            return Err(std::io::Error::other("the server closed"));
        }
        length += read;
        let text = String::from_utf8_lossy(&space[..length]);
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let declared = text.find("content-length: ").ok_or_else(malformed)? + "content-length: ".len();
        let digits = text[declared..].split("\r\n").next().and_then(|digits| digits.parse::<usize>().ok());
        if length >= end + 4 + digits.ok_or_else(malformed)? {
            return text[9..12].parse().map_err(|_| malformed());
        }
    }
}

/// Signatures released so far: what the database has, and nothing that was only accepted.
fn released(data: &Path) -> Outcome<u32> {
    count(data, "state = 'released'")
}

fn wait_for_the_line(data: &Path) -> Outcome<()> {
    let begun = Instant::now();
    while count(data, "state NOT IN ('released', 'failed', 'expired')")? > 0 {
        if begun.elapsed() > Duration::from_secs(60) {
            return Err("accepted signatures were not released within a minute".into());
        }
        thread::sleep(Duration::from_millis(100));
    }
    if count(data, "state = 'failed'")? > 0 {
        return Err("signatures failed under load".into());
    }
    Ok(())
}

fn count(data: &Path, condition: &str) -> Outcome<u32> {
    let database = Connection::open_with_flags(database(data), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(Duration::from_secs(10))?;
    let sql = format!("SELECT count(*) FROM signature WHERE {condition}");
    Ok(database.query_row(&sql, [], |row| row.get(0))?)
}

fn database(data: &Path) -> PathBuf {
    fs::canonicalize(data).unwrap_or_else(|_| data.to_owned()).join("rubrica.sqlite")
}
