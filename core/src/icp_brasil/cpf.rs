//! CPF, the number of a natural person.

use core::fmt;
use core::str::FromStr;

use super::{InvalidIdentifier, check_digit};

/// A CPF with right check digits.
///
/// **Shape**: 11 digits without punctuation. `Debug` and `Display` print it masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cpf(String);

impl Cpf {
    /// The 11 digits: personal data, so neither log nor show them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for screens: `***.982.247-**`.
    #[must_use]
    pub fn masked(&self) -> String {
        // Not an index: what it prints when it panics would be a visible part of the browser module.
        let part = |range| self.0.get(range).unwrap_or_default();
        format!("***.{}.{}-**", part(3..6), part(6..9))
    }
}

impl FromStr for Cpf {
    type Err = InvalidIdentifier;

    /// Parses 11 digits. All-equal digits have right check digits and are refused nevertheless: they
    /// are never issued.
    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        let digits = text.chars().map(|c| c.to_digit(10)).collect::<Option<Vec<_>>>();
        let digits = digits.filter(|digits| digits.len() == 11).ok_or(InvalidIdentifier::Cpf)?;
        if digits.iter().all(|digit| *digit == digits[0]) {
            return Err(InvalidIdentifier::Cpf);
        }
        for position in [9, 10] {
            let weights = (2..=position + 1).rev();
            let values = digits[..position as usize].iter().copied();
            if check_digit(values, weights) != digits[position as usize] {
                return Err(InvalidIdentifier::Cpf);
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Cpf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for Cpf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
