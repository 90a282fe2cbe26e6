//! Passwords of PKCS#12 files and of PDFs: from the environment, a file or a prompt; never from an argument.

use std::env::VarError;
use std::io::IsTerminal;
use std::path::Path;

use rubrica_core::ErrorCode;

use crate::failure::Failure;
use crate::secret::Secret;

const P12_VARIABLE: &str = "RUBRICA_P12_PASSWORD";
const PDF_VARIABLE: &str = "RUBRICA_PDF_PASSWORD";

/// Reads the password for a PKCS#12 file.
pub(super) fn of_p12(file: &Path, password_file: Option<&Path>) -> Result<Secret, Failure> {
    if let Some(path) = password_file {
        return Secret::from_file(path);
    }
    if let Ok(password) = std::env::var(P12_VARIABLE) {
        return Ok(Secret::new(password));
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            ErrorCode::Usage,
            "there is no password and no terminal to ask for it",
            "Set RUBRICA_P12_PASSWORD or give --password-file",
        ));
    }
    rpassword::prompt_password(format!("Password of {}: ", file.display()))
        .map(Secret::new)
        .map_err(|error| Failure::of(ErrorCode::Usage, format!("the password cannot be read: {error}")))
}

/// The password of encrypted PDFs, when one is given. Most open without: nobody is asked.
pub(super) fn of_pdfs(password_file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    if let Some(path) = password_file {
        return Secret::from_file(path).map(Some);
    }
    match std::env::var(PDF_VARIABLE).map(Secret::new) {
        // An empty variable is one that is not set.
        Ok(password) => Ok(Some(password).filter(|password| !password.expose().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Failure::new(
            ErrorCode::Usage,
            format!("{PDF_VARIABLE} is not UTF-8"),
            "Set it in UTF-8; older PDFs are tried with their own encoding",
        )),
    }
}
