//! Validates a file: the rules are core's, what they lack is fetched.

use rubrica_core::ErrorCode;
use rubrica_core::revocation::Evidence;
use rubrica_core::validation::{Content, Context, Report, ValidationError, validate_cms, validate_pdf};
use rubrica_core::wire::NotFetched;

use crate::fetch::{Effort, Fetcher};
use crate::input::Input;

/// Rounds of fetching: a path of ICP-Brasil is complete after three, its revocation after one more.
const MOST_ROUNDS: usize = 6;

/// A report, and what could not be had for it.
#[derive(Debug)]
pub(crate) struct Validated {
    pub(crate) report: Report,
    /// Addresses that gave nothing, each once.
    pub(crate) failures: Vec<NotFetched>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The file is not a signature, or not one that can be read.
    #[error(transparent)]
    Validation(#[from] ValidationError),
    /// The disk.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

impl Unreadable {
    /// The stable code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Validation(error) => error.code(),
            Self::Io(_) => ErrorCode::FileUnreadable,
        }
    }
}

/// Validates a PDF, known by its header, or a CMS with its content inside or beside.
///
/// Asks, fetches what is wanted, asks again, until nothing is wanted or nothing more is to be had. Blocks.
pub(crate) fn validate(
    file: &Input,
    content: Option<&Input>,
    context: &Context,
    fetcher: Option<&Fetcher>,
) -> Result<Validated, Unreadable> {
    // Whatever its size, a CMS is read whole, and once.
    let cms = if file.is_pdf() { None } else { Some(file.read_all()?) };
    let ask = |context: &Context| match &cms {
        None => validate_pdf(file.file(), context),
        Some(cms) => {
            let content = content.map_or(Content::Inside, |content| Content::File(content.file()));
            validate_cms(cms, content, context)
        }
    };
    complete(ask, context, fetcher)
}

/// The loop behind [`validate`], for whatever `ask` validates.
pub(crate) fn complete(
    ask: impl Fn(&Context) -> Result<Report, ValidationError>,
    context: &Context,
    fetcher: Option<&Fetcher>,
) -> Result<Validated, Unreadable> {
    let mut evidence = Evidence::default();
    let mut failures: Vec<NotFetched> = Vec::new();
    let mut asked_before = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let report = ask(&context.clone().with_evidence(evidence.clone()))?;
        let Some(fetcher) = fetcher.filter(|_| !report.wanted.is_empty()) else {
            return Ok(Validated { report, failures });
        };
        // What was fetched before and is still wanted did not settle it.
        let again = report.wanted.iter().any(|one| asked_before.contains(one));
        let effort = if again { Effort::Since(fetcher.moment_ago()) } else { Effort::Usual };
        let fetched = fetcher.fetch(&report.wanted, effort);
        for failure in fetched.failures {
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
        let before = evidence.clone();
        evidence.merge(fetched.evidence);
        if evidence == before && again {
            return Ok(Validated { report, failures });
        }
        asked_before = report.wanted;
    }
    let report = ask(&context.clone().with_evidence(evidence.clone()))?;
    Ok(Validated { report, failures })
}
