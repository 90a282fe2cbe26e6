//! Secrets: wiped when dropped, never printed.

use std::fmt;
use std::path::Path;

use rubrica_core::ErrorCode;
use zeroize::{Zeroize, Zeroizing};

use crate::failure::Failure;

/// A PIN, password or key. Prints as `***`.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Reads the first line of a file.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Failure> {
        let mut text = std::fs::read_to_string(path).map_err(|error| {
            Failure::new(
                ErrorCode::FileUnreadable,
                format!("cannot read the secret in {}: {error}", path.display()),
                "Check the path and its permissions",
            )
        })?;
        let secret = Self::new(text.lines().next().unwrap_or_default().to_owned());
        text.zeroize();
        Ok(secret)
    }

    /// The secret itself. Never log it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Bytes of a private key, or of a file that holds one. Print as `***`.
pub(crate) struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Never log them.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
