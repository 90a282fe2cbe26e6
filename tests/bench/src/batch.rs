//! Batches of a thousand digests through the API, beside the raw C_Sign rate of the same token.
//!
//! The token is software and would share its cores with the server, which no HSM does: it is kept on a core of its own, and so
//! is the loop that it is compared with. What both reach when they share all cores is told beside it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rubrica_core::digest::Digest;
use serde_json::{Value, json};

use crate::postgres;
use crate::table::{Bar, Row, Table};
use crate::token::{Server, memory_folder, raw_rate};
use crate::{Outcome, cores};

/// Items of one batch.
const ITEMS: usize = 1000;
/// Sides alternate, so that a busy neighbour hits both.
const ROUNDS: usize = 5;
/// Between two looks at the progress: rare enough to cost nothing.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let rubrica = std::env::var("RUBRICA").map_err(|_| "RUBRICA must name the rubrica binary")?;
    let folder = memory_folder()?;
    let data = folder.path().join("data");
    let server = Server::start(&rubrica, &data)?;
    let caller = Caller::of(&rubrica, &data)?;
    // The first batch fills caches on both sides.
    caller.run(&server)?;
    shared(table, &server, &caller, &data)?;
    if !cores::are_two() {
        table.skip("batch: the token needs a core of its own, and there is one".to_owned());
        return Ok(());
    }
    cores::keep_apart(server.pid())?;
    apart(table, &server, &caller, &data, "SQLite")?;
    drop(server);

    let database = postgres::Server::start(true);
    let url = database.database();
    let moved = Command::new(&rubrica)
        .args(["migrate", "--data"])
        .arg(&data)
        .env("RUBRICA_STORE_URL", &url)
        .output()?;
    if !moved.status.success() {
        return Err(format!("migrate: {}", String::from_utf8_lossy(&moved.stderr)).into());
    }
    let server = Server::start_with(&rubrica, &data, &[("RUBRICA_STORE_URL", &url)])?;
    cores::keep_apart(server.pid())?;
    cores::keep_family(database.keeper(), cores::SERVER)?;
    caller.run(&server)?;
    apart(table, &server, &caller, &data, "PostgreSQL")
}

/// Server and token share all cores, as does the loop.
fn shared(table: &mut Table, server: &Server, caller: &Caller, data: &Path) -> Outcome<()> {
    let (mut ours, mut alone, mut both) = (0.0, 0.0, 0.0);
    for _ in 0..ROUNDS {
        alone += raw_rate(data, 1, None)?;
        both += raw_rate(data, 2, None)?;
        ours += caller.run(server)?;
    }
    for (peer, theirs, bar) in
        [("raw C_Sign loop", alone, Bar::AtLeast(0.90)), ("raw C_Sign, all cores", both, Bar::None)]
    {
        table.push(Row {
            what: format!("batch of {ITEMS} CAdES-B, SQLite, cores shared"),
            unit: "signatures per second",
            ours: ours / ROUNDS as f64,
            peer,
            theirs: theirs / ROUNDS as f64,
            bar,
        });
    }
    Ok(())
}

/// The token has a core of its own.
fn apart(table: &mut Table, server: &Server, caller: &Caller, data: &Path, store: &str) -> Outcome<()> {
    let (mut ours, mut raw, mut cpu) = (0.0, 0.0, 0.0);
    for _ in 0..ROUNDS {
        raw += raw_rate(data, 1, Some(cores::TOKEN))?;
        let before = cpu_seconds(server.pid())?;
        ours += caller.run(server)?;
        cpu += cpu_seconds(server.pid())? - before;
    }
    let rounds = ROUNDS as f64;
    table.push(Row {
        what: format!("batch of {ITEMS} CAdES-B, {store}, token apart"),
        unit: "signatures per second",
        ours: ours / rounds,
        peer: "raw C_Sign on its core",
        theirs: raw / rounds,
        bar: Bar::AtLeast(0.90),
    });
    table.push(Row {
        what: format!("our CPU for an item of it, {store}"),
        unit: "microseconds",
        ours: cpu / rounds / ITEMS as f64 * 1e6,
        peer: "limit of 100 µs",
        theirs: 100.0,
        bar: Bar::AtMost(1.0),
    });
    Ok(())
}

/// Who hands in batches.
struct Caller {
    api_key: String,
    key: String,
}

impl Caller {
    fn of(rubrica: &str, data: &Path) -> Outcome<Self> {
        let api_key = std::fs::read_to_string(data.join("secrets/portal-api-key"))?.trim().to_owned();
        Ok(Self { api_key, key: rsa_key(rubrica, data)? })
    }

    /// Items released per second of wall time, from the first byte of the manifest to the end of the batch.
    fn run(&self, server: &Server) -> Outcome<f64> {
        let mut manifest = json!({ "key_id": self.key, "format": "cades" }).to_string();
        for item in 0..ITEMS {
            let sha256 = Digest::sha256(format!("TEST document {item}").as_bytes()).to_hex();
            manifest.push('\n');
            manifest.push_str(&json!({ "reference": item.to_string(), "sha256": sha256 }).to_string());
        }
        let begun = Instant::now();
        let mut batch =
            server.send("/v1/batches", &self.api_key, "application/x-ndjson", manifest.as_bytes())?;
        let path = format!("/v1/batches/{}", batch["id"].as_str().ok_or("the batch has no id")?);
        while batch["ended_at"].is_null() {
            std::thread::sleep(LOOK);
            batch = server.get(&path, &self.api_key)?;
        }
        if batch["state"] != "completed" {
            return Err(format!("the batch ended as {batch}").into());
        }
        Ok(ITEMS as f64 / begun.elapsed().as_secs_f64())
    }
}

fn rsa_key(rubrica: &str, data: &Path) -> Outcome<String> {
    let output = Command::new(rubrica).args(["keys", "list", "--json", "--data"]).arg(data).output()?;
    let keys: Value = serde_json::from_slice(&output.stdout)?;
    let rsa = keys.as_array().and_then(|keys| keys.iter().find(|key| key["algorithm"] == "rsa"));
    Ok(rsa.and_then(|key| key["id"].as_str()).ok_or("the demo has no RSA key")?.to_owned())
}

/// Processor time of a process without its children, which hold the token.
fn cpu_seconds(pid: u32) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field (proc(5)).
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    // 100 ticks per second on every Linux that we know.
    Ok(ticks / 100.0)
}
