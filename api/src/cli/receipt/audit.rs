//! `rubrica receipt audit`: the whole log of an instance, read again.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rubrica_core::ErrorCode;
use rubrica_core::receipt::{Checkpoint, LogKey, Receipt};

use crate::cli::Instance;
use crate::cli::output::Output;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::relay::{AuditReport, LogSigner, audit};
use crate::serving;
use crate::store::Store;

/// Options of `receipt audit`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    instance: Instance,
    /// A checkpoint or a receipt that was kept elsewhere: the log must contain what was signed then. May be repeated.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let config = arguments.instance.load()?;
    let folder = DataFolder::open(&config.data.folder)?;
    let signer = LogSigner::from_seed(&*folder.key("log-key")?);
    let kept = arguments.checkpoint.iter().map(|file| read(file, signer.public()));
    let kept = kept.collect::<Result<Vec<_>, _>>()?;
    let store = Store::open(&config.store, &folder.database())?;
    let key = signer.public().clone();
    let report = serving::runtime().block_on(store.read(move |connection| audit(connection, &key, &kept)));
    let report = report.map_err(|error| {
        Failure::of(ErrorCode::DatabaseUnavailable, format!("the log cannot be read: {error}"))
    })?;
    output.result(&report, || describe(&report));
    Ok(ExitCode::from(u8::from(report.problems > 0)))
}

fn describe(report: &AuditReport) -> String {
    let mut text = format!(
        "{} events, {} releases, {} checkpoints\nroot {}\n",
        report.events, report.leaves, report.checkpoints, report.root
    );
    for finding in &report.findings {
        text.push_str(&format!("FAILED  {finding}\n"));
    }
    match report.problems {
        0 => text.push_str("ok      nothing was changed\n"),
        problems => text.push_str(&format!("{problems} problems\n")),
    }
    text
}

/// A checkpoint, from a file with the note or with a receipt.
fn read(file: &Path, key: &LogKey) -> Result<Checkpoint, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::of(ErrorCode::FileUnreadable, format!("cannot read {}: {error}", file.display()))
    })?;
    let note = serde_json::from_str::<Receipt>(&text).map_or(text, |receipt| receipt.checkpoint);
    Checkpoint::open(&note, key)
        .map_err(|error| Failure::of(ErrorCode::ReceiptInvalid, error.to_string()).about(file.display()))
}
