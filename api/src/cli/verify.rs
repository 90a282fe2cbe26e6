//! `rubrica verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rubrica_core::validation::{Context, Indication, Report};
use rubrica_core::x509::TrustAnchors;
use rubrica_core::{ErrorCode, Timestamp};
use serde::Serialize;

use super::output::{Output, write_file};
use crate::adapters::clock::SystemClock;
use crate::failure::Failure;
use crate::input::Input;
use crate::ports::Clock;
use crate::trust;
use crate::validating::validate;

/// Options of `verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Signed PDFs or CMS files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The signed file of a detached CMS.
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    /// Trust the roots in these files instead of those of ICP-Brasil.
    #[arg(long, value_name = "PEM", num_args = 1..)]
    trust: Vec<PathBuf>,
    /// Ask for this time instead of now: 2026-11-23T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Write the reports as JSON to this file too.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// What came of one file.
#[derive(Debug, Serialize)]
struct Verified {
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    indication: Option<Indication>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Unreadable>,
}

#[derive(Debug, Serialize)]
struct Unreadable {
    code: ErrorCode,
    what: String,
    remedy: String,
}

/// Verifies every file and says the worst by the exit code.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    if arguments.content.is_some() && arguments.files.len() > 1 {
        return Err(Failure::new(
            ErrorCode::Usage,
            "--content belongs to one file",
            "Verify detached signatures one by one",
        ));
    }
    let content = arguments.content.as_deref().map(Input::open).transpose()?;
    let anchors = if arguments.trust.is_empty() {
        trust::icp_brasil_roots()
    } else {
        trust::read_certificates(&arguments.trust)?
    };
    let at = arguments.at.unwrap_or_else(|| SystemClock.now());
    let context = Context::new(TrustAnchors::new(anchors), at).without_revocation();
    let mut results = Vec::new();
    for file in &arguments.files {
        let verified = Input::open(file).and_then(|input| {
            validate(&input, content.as_ref(), &context)
                .map_err(|error| Failure::of(error.code(), error.to_string()).about(file.display()))
        });
        results.push(match verified {
            Ok(report) => Verified {
                file: file.clone(),
                indication: Some(report.overall()),
                report: Some(report),
                error: None,
            },
            Err(failure) => {
                output.failure(&failure);
                Verified {
                    file: file.clone(),
                    indication: None,
                    report: None,
                    error: Some(Unreadable {
                        code: failure.code(),
                        what: failure.what().to_owned(),
                        remedy: failure.remedy().to_owned(),
                    }),
                }
            }
        });
    }
    if let Some(path) = &arguments.report {
        let json =
            serde_json::to_vec_pretty(&results).expect("reports have only strings and numbers as keys");
        write_file(path, &[&json])?;
    }
    output.result(&results, || {
        let reports = results.iter().filter_map(|one| Some((&one.file, one.report.as_ref()?)));
        reports.map(|(file, report)| format!("{}: {}\n", file.display(), report)).collect()
    });
    Ok(ExitCode::from(exit_code(&results)))
}

/// Failed beats unreadable, unreadable beats indeterminate.
fn exit_code(results: &[Verified]) -> u8 {
    let any = |indication| results.iter().any(|one| one.indication == Some(indication));
    if any(Indication::Failed) {
        1
    } else if results.iter().any(|one| one.error.is_some()) {
        3
    } else if any(Indication::Indeterminate) {
        2
    } else {
        0
    }
}
