//! Batches of a thousand digests through the API, beside the raw C_Sign rate of the same token.

use std::path::Path;
use std::time::{Duration, Instant};

use rubrica_core::digest::Digest;
use serde_json::{Value, json};

use crate::Outcome;
use crate::table::{Bar, Row, Table};
use crate::token::{Server, memory_folder, raw_rate};

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
    let api_key = std::fs::read_to_string(data.join("secrets/portal-api-key"))?;
    let key = rsa_key(&rubrica, &data)?;
    // The first batch fills caches on both sides.
    run(&server, api_key.trim(), &key)?;
    let (mut ours, mut raw, mut alone, mut cpu) = (0.0, 0.0, 0.0, 0.0);
    for _ in 0..ROUNDS {
        raw += raw_rate(&data, 2)?;
        alone += raw_rate(&data, 1)?;
        let before = cpu_seconds(server.pid())?;
        ours += run(&server, api_key.trim(), &key)?;
        cpu += cpu_seconds(server.pid())? - before;
    }
    let rounds = ROUNDS as f64;
    let row = |peer, theirs: f64| Row {
        what: format!("batch of {ITEMS} CAdES-B by digest, RSA-2048, SQLite"),
        unit: "signatures per second",
        ours: ours / rounds,
        peer,
        theirs: theirs / rounds,
        bar: Bar::AtLeast(0.90),
    };
    table.push(row("raw C_Sign loop", alone));
    table.push(row("raw C_Sign, 2 threads", raw));
    table.push(Row {
        what: "our CPU for an item of that batch, without token".to_owned(),
        unit: "microseconds",
        ours: cpu / rounds / ITEMS as f64 * 1e6,
        peer: "limit of 100 µs",
        theirs: 100.0,
        bar: Bar::AtMost(1.0),
    });
    Ok(())
}

/// Items released per second of wall time, from the first byte of the manifest to the end of the batch.
fn run(server: &Server, api_key: &str, key: &str) -> Outcome<f64> {
    let mut manifest = json!({ "key_id": key, "format": "cades" }).to_string();
    for item in 0..ITEMS {
        let sha256 = Digest::sha256(format!("TEST document {item}").as_bytes()).to_hex();
        manifest.push('\n');
        manifest.push_str(&json!({ "reference": item.to_string(), "sha256": sha256 }).to_string());
    }
    let begun = Instant::now();
    let mut batch = server.send("/v1/batches", api_key, "application/x-ndjson", manifest.as_bytes())?;
    let path = format!("/v1/batches/{}", batch["id"].as_str().ok_or("the batch has no id")?);
    while batch["ended_at"].is_null() {
        std::thread::sleep(LOOK);
        batch = server.get(&path, api_key)?;
    }
    if batch["state"] != "completed" {
        return Err(format!("the batch ended as {batch}").into());
    }
    Ok(ITEMS as f64 / begun.elapsed().as_secs_f64())
}

fn rsa_key(rubrica: &str, data: &Path) -> Outcome<String> {
    let output =
        std::process::Command::new(rubrica).args(["keys", "list", "--json", "--data"]).arg(data).output()?;
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
