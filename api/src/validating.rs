//! Validates a file: the rules are core's, what they lack is fetched.

use rubrica_core::ErrorCode;
use rubrica_core::validation::{Content, Context, Report, ValidationError, validate_cms, validate_pdf};

use crate::input::Input;

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
pub(crate) fn validate(
    file: &Input,
    content: Option<&Input>,
    context: &Context,
) -> Result<Report, Unreadable> {
    if file.is_pdf() {
        return Ok(validate_pdf(file.file(), context)?);
    }
    let cms = file.read_all()?;
    let content = content.map_or(Content::Inside, |content| Content::File(content.file()));
    Ok(validate_cms(&cms, content, context)?)
}
