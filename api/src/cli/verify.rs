//! `rubrica verify`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rubrica_core::validation::{Context, Indication, Language, Report};
use rubrica_core::wire::NotFetched;
use rubrica_core::x509::TrustAnchors;
use rubrica_core::{ErrorCode, Timestamp};
use serde::Serialize;

use super::Instance;
use super::output::{Output, write_file};
use super::password;
use crate::adapters::clock::SystemClock;
use crate::failure::Failure;
use crate::fetch::Fetcher;
use crate::input::Input;
use crate::ports::Clock;
use crate::trust::{self, Trust};
use crate::validating::{Validated, validate};

/// Options of `verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Signed PDFs or CMS files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The signed file of a detached CMS.
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    /// First line is the password of encrypted PDFs; else RUBRICA_PDF_PASSWORD.
    #[arg(long, value_name = "FILE")]
    pdf_password_file: Option<PathBuf>,
    /// Trust the roots in these files instead of those of ICP-Brasil.
    #[arg(long, value_name = "PEM", num_args = 1..)]
    trust: Vec<PathBuf>,
    /// Ask for this time instead of now: 2026-11-23T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Fetch nothing: only what the files bring along says whether a certificate was revoked.
    #[arg(long)]
    offline: bool,
    /// Do not ask whether certificates were revoked; the report says so.
    #[arg(long)]
    without_revocation: bool,
    /// Language of the report.
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value_t = ReportLanguage::En)]
    language: ReportLanguage,
    #[command(flatten)]
    instance: Instance,
    /// Write the reports as JSON to this file too.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// `--language`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ReportLanguage {
    #[value(name = "pt-BR")]
    PtBr,
    En,
}

impl From<ReportLanguage> for Language {
    fn from(language: ReportLanguage) -> Self {
        match language {
            ReportLanguage::PtBr => Self::PtBr,
            ReportLanguage::En => Self::En,
        }
    }
}

/// What came of one file.
#[derive(Debug, Serialize)]
struct Verified {
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    indication: Option<Indication>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
    /// Addresses that gave nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_fetched: Vec<NotFetched>,
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
    let pdf_password = password::of_pdfs(arguments.pdf_password_file.as_deref())?;
    let (context, fetcher) = context(arguments)?;
    let mut results = Vec::new();
    for file in &arguments.files {
        let verified = Input::open(file).and_then(|input| {
            let input = input.with_password(pdf_password.clone());
            validate(&input, content.as_ref(), &context, fetcher.as_ref())
                .map_err(|error| Failure::of(error.code(), error.to_string()).about(file.display()))
        });
        results.push(match verified {
            Ok(Validated { report, failures, .. }) => Verified {
                file: file.clone(),
                indication: Some(report.overall()),
                report: Some(report),
                not_fetched: failures,
                error: None,
            },
            Err(failure) => {
                output.failure(&failure);
                Verified {
                    file: file.clone(),
                    indication: None,
                    report: None,
                    not_fetched: Vec::new(),
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
        write_file(path, &json)?;
    }
    output.result(&results, || {
        results.iter().map(|one| describe(one, arguments.language.into())).collect::<String>()
    });
    Ok(ExitCode::from(exit_code(&results)))
}

/// What is relied on: the instance's trust when one is named, else the roots given, else those of ICP-Brasil.
fn context(arguments: &Arguments) -> Result<(Context, Option<Fetcher>), Failure> {
    let config = arguments.instance.load()?;
    let (anchors, intermediates) = if !arguments.trust.is_empty() {
        (TrustAnchors::new(trust::read_certificates(&arguments.trust)?), Vec::new())
    } else {
        let trust = Trust::load(&config.trust)?;
        (trust.anchors(), trust.intermediates())
    };
    let at = arguments.at.unwrap_or_else(|| SystemClock.now());
    let mut context = Context::new(anchors, at).with_intermediates(intermediates);
    if arguments.without_revocation {
        context = context.without_revocation();
    }
    let fetcher = if arguments.offline || !config.fetch.enabled {
        None
    } else {
        Some(Fetcher::new(&config.fetch, None, Arc::new(SystemClock))?)
    };
    Ok((context, fetcher))
}

fn describe(one: &Verified, language: Language) -> String {
    let Some(report) = &one.report else { return String::new() };
    let mut text = format!("{}: {}\n", one.file.display(), report.to_text(language));
    for NotFetched { url, reason } in &one.not_fetched {
        let what = match language {
            Language::PtBr => "não obtido",
            Language::En => "not fetched",
        };
        text.push_str(&format!("  {what}: {url}: {reason}\n"));
    }
    text
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
