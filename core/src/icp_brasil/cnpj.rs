//! CNPJ, the number of a legal person.

use core::fmt;
use core::str::FromStr;

use super::{InvalidIdentifier, check_digit};

/// A CNPJ with right check digits, numeric or alphanumeric (IN RFB 2.229/2024).
///
/// **Shape**: 12 characters `0-9A-Z` and two digits, upper case, without punctuation. `Debug` and
/// `Display` print it masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cnpj(String);

const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];

impl Cnpj {
    /// The 14 characters: neither log nor show them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for screens: `**.222.333/****-**`.
    #[must_use]
    pub fn masked(&self) -> String {
        // Not an index, as in `Cpf::masked`.
        let part = |range| self.0.get(range).unwrap_or_default();
        format!("**.{}.{}/****-**", part(2..5), part(5..8))
    }
}

impl FromStr for Cnpj {
    type Err = InvalidIdentifier;

    /// Parses 14 characters. All zeros have right check digits and are refused: certificates fill the
    /// field with zeros when there is no number.
    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        let bytes = text.as_bytes();
        let (root, digits) = bytes.split_at_checked(12).ok_or(InvalidIdentifier::Cnpj)?;
        let alphanumeric = root.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if !alphanumeric
            || digits.len() != 2
            || !digits.iter().all(u8::is_ascii_digit)
            || bytes.iter().all(|byte| *byte == b'0')
        {
            return Err(InvalidIdentifier::Cnpj);
        }
        for position in [12, 13] {
            // A character counts as its ASCII code minus 48, so digits count as themselves.
            let values = bytes[..position].iter().map(|byte| u32::from(byte - b'0'));
            let weights = WEIGHTS[13 - position..].iter().copied();
            if check_digit(values, weights) != u32::from(bytes[position] - b'0') {
                return Err(InvalidIdentifier::Cnpj);
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Cnpj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for Cnpj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
