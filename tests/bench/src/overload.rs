//! What is still released while five times as much is asked for as can be done.

mod flood;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::table::{Bar, Row, Table};
use crate::token::{Server, memory_folder};
use crate::{Outcome, samples};
use flood::{Asked, Flood, Pace};

/// Connections of the flood: no more than one address may have.
const STORMY: u32 = 60;
/// Connections that keep the token busy, and come back only when they were told to.
const POLITE: u32 = 16;
const TIMES: f64 = 5.0;
/// Calm and storm alternate, so that a busy neighbour hits both.
const ROUNDS: u32 = 3;
/// Until the line in front of the token is as long as it gets.
const WARM_UP: Duration = Duration::from_secs(3);
const WINDOW: Duration = Duration::from_secs(8);
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
    let host = server.address.trim_start_matches("http://");
    let request = format!(
        "POST /v1/signatures HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let run = |connections, pace| measured(&Flood { host, request: &request, connections, pace }, &data);
    let (mut peak, mut goodput, mut refusals) = (0.0, 0.0, Vec::new());
    for _ in 0..ROUNDS {
        let calm = run(POLITE, Pace::Polite)?;
        peak += calm.released_per_second / f64::from(ROUNDS);
        let wanted = TIMES * calm.released_per_second;
        let storm = run(STORMY, Pace::PerSecond(wanted))?;
        goodput += storm.released_per_second / f64::from(ROUNDS);
        if storm.asked.per_second < 0.9 * wanted {
            table.skip(format!(
                "overload: this machine could ask for only {:.0} signatures per second",
                storm.asked.per_second
            ));
        }
        refusals.extend(storm.asked.refusals);
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

struct Measured {
    released_per_second: f64,
    asked: Asked,
}

/// What is released per second once the line in front of the token is as long as it gets.
fn measured(flood: &Flood<'_>, data: &Path) -> Outcome<Measured> {
    let stop = AtomicBool::new(false);
    let (released_per_second, asked) = thread::scope(|scope| -> Outcome<_> {
        let asking = scope.spawn(|| flood.run(&stop));
        let rate = rate(data);
        stop.store(true, Ordering::Relaxed);
        let asked = asking.join().map_err(|_| "the flood panicked")??;
        Ok((rate?, asked))
    })?;
    // What is left in the line is not to be released in the next round.
    wait_for_the_line(data)?;
    Ok(Measured { released_per_second, asked })
}

fn rate(data: &Path) -> Outcome<f64> {
    thread::sleep(WARM_UP);
    let (begun, before) = (Instant::now(), released(data)?);
    thread::sleep(WINDOW);
    let (window, after) = (begun.elapsed(), released(data)?);
    Ok(f64::from(after - before) / window.as_secs_f64())
}

/// Signatures released so far: what the database has, and nothing that was only accepted.
fn released(data: &Path) -> Outcome<u32> {
    count(data, "state = 'released'")
}

fn wait_for_the_line(data: &Path) -> Outcome<()> {
    let begun = Instant::now();
    while count(data, "state NOT IN ('released', 'failed', 'expired')")? > 0 {
        if begun.elapsed() > Duration::from_secs(30) {
            return Err("accepted signatures were not released within half a minute".into());
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
