//! `rubrica receipt`: receipts of releases, checked without a server.

mod audit;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rubrica_core::ErrorCode;
use rubrica_core::receipt::{ArtefactSeen, LogKey, Receipt, ReceiptReport, verify_receipt};
use rubrica_core::validation::Indication;
use serde::Serialize;

use super::output::Output;
use super::verify::ReportLanguage;
use crate::failure::Failure;
use crate::input::Input;

/// A receipt has a few kilobytes, with many signatures of witnesses some more.
const LARGEST_RECEIPT: u64 = 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Verify a receipt: 0 passed, 1 failed, 2 the key of the log was not given, 3 unreadable.
    Verify(Arguments),
    /// Read the log of an instance again and find what was changed in it: 0 nothing, 1 something.
    Audit(audit::Arguments),
}

/// Options of `receipt verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The receipt, as GET /v1/signatures/{id}/receipt gives it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Public key of the log, name+id+key, or a file that holds it.
    #[arg(long, value_name = "KEY")]
    log_key: Option<String>,
    /// The released file, to be compared.
    #[arg(long, value_name = "FILE")]
    artefact: Option<PathBuf>,
    /// The document that was signed, to be compared.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Language of the report.
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value_t = ReportLanguage::En)]
    language: ReportLanguage,
}

#[derive(Debug, Serialize)]
struct Verified<'a> {
    file: &'a Path,
    report: &'a ReceiptReport,
}

pub(super) fn run(action: &Action, output: Output) -> Result<ExitCode, Failure> {
    let arguments = match action {
        Action::Verify(arguments) => arguments,
        Action::Audit(arguments) => return audit::run(arguments, output),
    };
    let receipt = read(&arguments.file)?;
    let key = arguments.log_key.as_deref().map(log_key).transpose()?;
    let artefact = arguments.artefact.as_deref().map(seen).transpose()?;
    let document = arguments.document.as_deref().map(seen).transpose()?;
    let document = document.as_ref().map(|document| &document.sha256);
    let report = verify_receipt(&receipt, key.as_ref(), artefact.as_ref(), document);
    output.result(&Verified { file: &arguments.file, report: &report }, || {
        format!("{}: {}", arguments.file.display(), report.to_text(arguments.language.into()))
    });
    Ok(ExitCode::from(match report.indication {
        Indication::Passed => 0,
        Indication::Failed => 1,
        Indication::Indeterminate => 2,
    }))
}

fn read(path: &Path) -> Result<Receipt, Failure> {
    let invalid = |what: String| Failure::of(ErrorCode::ReceiptInvalid, what).about(path.display());
    let input = Input::open(path)?;
    if input.size_bytes() > LARGEST_RECEIPT {
        return Err(invalid("not a receipt: larger than one can be".to_owned()));
    }
    let bytes = input.read_all().map_err(|error| unreadable(path, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| invalid(format!("not a receipt: {error}")))
}

/// The key itself, or a file with the key on a line.
fn log_key(text: &str) -> Result<LogKey, Failure> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let path = Path::new(text);
    let input = Input::open(path)?;
    let bytes = input.read_all().map_err(|error| unreadable(path, &error))?;
    str::from_utf8(&bytes).ok().and_then(|key| key.trim().parse().ok()).ok_or_else(|| {
        Failure::new(
            ErrorCode::Usage,
            "--log-key is neither the key of a log nor a file that holds one",
            "Give it as the operator of the log publishes it: name+id+key",
        )
    })
}

fn seen(path: &Path) -> Result<ArtefactSeen, Failure> {
    let input = Input::open(path)?;
    let sha256 = input.sha256().map_err(|error| unreadable(path, &error))?;
    Ok(ArtefactSeen { sha256, size_bytes: input.size_bytes() })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::of(ErrorCode::FileUnreadable, format!("cannot read {}: {error}", path.display()))
}
