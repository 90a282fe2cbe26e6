//! The password of a PKCS#12 file: from the environment, a file or a prompt; never from an argument.

use std::io::IsTerminal;
use std::path::Path;

use rubrica_core::ErrorCode;

use crate::failure::Failure;
use crate::secret::Secret;

const VARIABLE: &str = "RUBRICA_P12_PASSWORD";

/// Reads the password for `file`.
pub(super) fn read(file: &Path, password_file: Option<&Path>) -> Result<Secret, Failure> {
    if let Some(path) = password_file {
        return Secret::from_file(path);
    }
    if let Ok(password) = std::env::var(VARIABLE) {
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
