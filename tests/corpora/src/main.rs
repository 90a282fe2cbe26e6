//! `rubrica-corpora FOLDER [MODULE…]`: what other projects collected over the years, read by us.
//!
//! `FOLDER` holds the sources that `cargo xtask test corpora` fetched (see [`sources`]). Each module runs one
//! corpus and counts its cases; what differs from the corpus' own expectation stands in a file of
//! `expected/`, with the reason, and the difference is asserted: neither a new one nor a vanished one passes.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a test program talks on its terminal")]

mod certificates;
mod expected;
mod pdfs;
mod pkits;
mod sources;
mod tally;

use std::process::ExitCode;

use sources::Sources;
use tally::Tally;

/// What went wrong outside of the cases: a corpus that is not there, a file that cannot be read.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// One corpus.
struct Module {
    name: &'static str,
    run: fn(&Sources, &mut Tally) -> Outcome<()>,
}

const MODULES: &[Module] = &[
    Module { name: "certificates", run: certificates::run },
    Module { name: "pdfs", run: pdfs::run },
    Module { name: "pkits", run: pkits::run },
];

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(tally) => {
            println!("{tally}");
            if tally.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("corpora: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Outcome<Tally> {
    let (folder, names) = arguments.split_first().ok_or("which folder holds the corpora?")?;
    let sources = Sources::new(folder);
    if let Some(unknown) = names.iter().find(|name| MODULES.iter().all(|module| module.name != *name)) {
        return Err(format!("no corpus `{unknown}`").into());
    }
    tally::quiet_panics();
    let mut tally = Tally::default();
    for module in MODULES.iter().filter(|module| names.is_empty() || names.iter().any(|n| n == module.name)) {
        tally.begin(module.name);
        (module.run)(&sources, &mut tally)?;
        tally.end();
    }
    Ok(tally)
}
