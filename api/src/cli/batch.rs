//! `rubrica batch`: signs a folder of files, or what a manifest lists.
//!
//! The batch stands in the database of the instance, like those of the API: a server that runs on the same database works on it too,
//! and nothing is signed twice. Beside the results lies the plan of the run, `.rubrica-batch/`; `--resume` goes on from there.

mod begin;
mod plan;
mod progress;
mod results;
mod source;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use rubrica_core::ErrorCode;
use rubrica_core::wire::{Batch, SignatureProblem};
use serde::Serialize;

use super::Instance;
use super::output::Output;
use super::sign::{Format, Level, Policy};
use crate::app::{App, Role};
use crate::data_folder::DataFolder;
use crate::engine::batch::results::ArtefactError;
use crate::engine::batch::submit::SubmitError;
use crate::failure::Failure;
use crate::objects::ObjectError;
use crate::store::StoreError;
use crate::{serving, telemetry};
use plan::Plan;
use progress::Progress;
use watch::Ended;

/// Options of `batch`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder whose files are signed, those of its folders included; or a manifest as `POST /v1/batches` takes it, where a line may
    /// also name a `file`.
    #[arg(value_name = "MANIFEST|DIR")]
    source: PathBuf,
    /// Folder for the results; made when it is missing.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Go on with what was begun in the output folder; begin when nothing was.
    #[arg(long)]
    resume: bool,
    /// Key of the instance that signs; see `rubrica keys list`. A manifest names its own.
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    #[command(flatten)]
    instance: Instance,
    /// Signed PDFs, or a CMS beside each file; pades when absent. A manifest names its own.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Baseline level; the lowest that the policy allows when absent.
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// Signature policy that is named in the signatures.
    #[arg(long, value_enum)]
    policy: Option<Policy>,
}

/// How a run ended.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    batch: Batch,
    output: PathBuf,
    /// What became of every item, one per line.
    results: PathBuf,
    not_signed: Vec<NotSigned>,
}

/// An item without artefact.
#[derive(Debug, Serialize)]
struct NotSigned {
    reference: String,
    problem: Option<SignatureProblem>,
}

/// Signs everything, whatever becomes of single items. Exit code 1 when some could not be signed, 130 when it was interrupted.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let mut config = arguments.instance.load()?;
    // What goes wrong is told by the failure and by the items.
    config.log.level = crate::config::LogLevel::Error;
    telemetry::start(&config.log);
    let folder = DataFolder::open(&config.data.folder)?;
    let source = source::Source::open(arguments)?;
    let place = plan::Place::take(&arguments.output)?;
    let kept = place.read()?;
    if kept.is_some() && !arguments.resume {
        return Err(Failure::new(
            ErrorCode::Usage,
            format!("a batch was begun in {}", arguments.output.display()),
            "Go on with it by --resume, or choose another output folder",
        ));
    }
    let app = serving::open(config, &folder, Role::Beside)?;
    let progress = Progress::new(output);
    serving::runtime().block_on(async {
        let plan = match kept {
            Some(plan) => {
                source.must_be_of(&plan, &arguments.output)?;
                plan
            }
            None => {
                let plan = source.plan(&arguments.output)?;
                // The key before anything is written, then the plan before anything is taken.
                begin::check(&app, &plan).await?;
                place.keep(&plan)?;
                plan
            }
        };
        run_plan(&app, &folder, &place, plan, &progress, output).await
    })
}

async fn run_plan(
    app: &Arc<App>,
    folder: &DataFolder,
    place: &plan::Place,
    plan: Plan,
    progress: &Progress,
    output: Output,
) -> Result<ExitCode, Failure> {
    begin::submit(app, &plan, progress).await?;
    let ended = watch::run(app, folder, place, &plan, progress).await?;
    let (batch, not_signed) = match ended {
        Ended::Done { batch, not_signed } => (*batch, not_signed),
        Ended::Interrupted { released, total } => {
            output.failure(&Failure::new(
                ErrorCode::Cancelled,
                format!("interrupted when {released} of {total} were signed"),
                "Run the same command with --resume to go on",
            ));
            return Ok(ExitCode::from(130));
        }
    };
    let code = u8::from(batch.counts.released < batch.total);
    let report = Report { results: place.results(), output: place.folder().to_owned(), batch, not_signed };
    output.result(&report, || describe(&report));
    Ok(ExitCode::from(code))
}

fn describe(report: &Report) -> String {
    let counts = &report.batch.counts;
    let mut text = format!("{} of {} signed", counts.released, report.batch.total);
    for (count, what) in [(counts.failed, "failed"), (counts.cancelled, "cancelled")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    format!("{text} -> {}\n", report.output.display())
}

fn of_store(error: &StoreError) -> Failure {
    Failure::of(ErrorCode::DatabaseUnavailable, error.to_string())
}

fn of_object(error: &ObjectError, file: &Path) -> Failure {
    let failure = match error {
        ObjectError::TooLarge { limit_bytes } => Failure::of(
            ErrorCode::LimitExceeded,
            format!("it is larger than {limit_bytes} bytes, the limit of this instance"),
        ),
        ObjectError::Missing(_)
        | ObjectError::Damaged(_)
        | ObjectError::OtherDigest
        | ObjectError::Unavailable(_)
        | ObjectError::Store(_) => Failure::of(ErrorCode::DataFolderUnwritable, error.to_string()),
    };
    failure.about(file.display())
}

fn of_artefact(error: &ArtefactError) -> Failure {
    match error {
        ArtefactError::Store(error) => of_store(error),
        ArtefactError::NotTheSame(_) | ArtefactError::Panicked => {
            Failure::of(ErrorCode::Internal, error.to_string())
        }
    }
}

fn of_submit(error: SubmitError) -> Failure {
    match error {
        SubmitError::Refused { code, detail } => Failure::of(code, detail),
        SubmitError::Store(error) => of_store(&error),
        SubmitError::Panicked => Failure::of(ErrorCode::Internal, error.to_string()),
    }
}
