//! `rubrica-bench [token] [batch] [overload] [pdf] [verify] [memory]`: our figures beside their peers and limits, measured in one run.
//!
//! Machines are shared and noisy: only the ratios inside one run mean something. Where a peer is a single
//! process the unit is work per CPU-second; where several processes work together it is wall time, in rounds
//! that alternate between the two sides.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

mod batch;
mod cores;
mod instance;
mod memory;
mod overload;
mod pdf;
mod peer;
#[path = "../../../api/tests/it/support/postgres.rs"]
#[allow(dead_code, reason = "it is the server of all tests; a figure needs less of it")]
mod postgres;
mod samples;
mod table;
mod token;
mod verify;

use std::process::ExitCode;

/// What went wrong, for a person at a terminal.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ROWS: [&str; 6] = ["token", "batch", "overload", "pdf", "verify", "memory"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("raw-sign") => token::raw_sign(&arguments[1..]),
        _ => rows(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn rows(names: &[String]) -> Outcome<()> {
    if let Some(unknown) = names.iter().find(|name| !ROWS.contains(&name.as_str())) {
        return Err(format!("no row `{unknown}`; there are: {}", ROWS.join(" ")).into());
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|given| given == name);
    let mut table = table::Table::default();
    if wanted("token") {
        token::measure(&mut table)?;
    }
    if wanted("batch") {
        batch::measure(&mut table)?;
    }
    if wanted("overload") {
        overload::measure(&mut table)?;
    }
    if wanted("pdf") {
        pdf::measure(&mut table)?;
    }
    if wanted("verify") {
        verify::measure(&mut table)?;
    }
    if wanted("memory") {
        memory::measure(&mut table)?;
    }
    println!("{table}");
    Ok(())
}
