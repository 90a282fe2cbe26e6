//! ICP-Brasil: people and companies in certificates, certificate types.
//!
//! Facts come from DOC-ICP-04 v8.1 §7.1.2.3, the RFB layout v5.0 and Resolução CG ICP-Brasil 211/2024.

mod cnpj;
mod cpf;
mod identity;
mod policy;
pub mod signature_policy;

use core::fmt;
use core::str::FromStr;

pub use cnpj::Cnpj;
pub use cpf::Cpf;
pub use identity::Identity;
pub use policy::IcpType;

use crate::ErrorCode;

/// A CPF or a CNPJ. `Debug` and `Display` print it masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// A natural person.
    Cpf(Cpf),
    /// A legal person.
    Cnpj(Cnpj),
}

/// The text is neither a CPF nor a CNPJ. The text itself is not kept: it may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIdentifier {
    /// As long as a CPF, and none.
    #[error("not a CPF: 11 digits with right check digits, without punctuation")]
    Cpf,
    /// As long as a CNPJ, and none.
    #[error(
        "not a CNPJ: 12 digits or capital letters and 2 check digits that are right, without punctuation"
    )]
    Cnpj,
    /// Of another length than both.
    #[error("neither a CPF of 11 digits nor a CNPJ of 14 characters, without punctuation")]
    Length,
}

impl InvalidIdentifier {
    /// The stable code: `cpf_invalid`, `cnpj_invalid`, or `invalid_request` for what is neither.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Cpf => ErrorCode::CpfInvalid,
            Self::Cnpj => ErrorCode::CnpjInvalid,
            Self::Length => ErrorCode::InvalidRequest,
        }
    }
}

impl Identifier {
    /// The number without punctuation: personal data, so neither log nor show it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Cpf(cpf) => cpf.as_str(),
            Self::Cnpj(cnpj) => cnpj.as_str(),
        }
    }

    /// `***.982.247-**` or `**.222.333/****-**`.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Cpf(cpf) => cpf.masked(),
            Self::Cnpj(cnpj) => cnpj.masked(),
        }
    }
}

impl FromStr for Identifier {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        match text.len() {
            11 => text.parse().map(Self::Cpf),
            14 => text.parse().map(Self::Cnpj),
            _ => Err(InvalidIdentifier::Length),
        }
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Check digit modulo 11 over values and weights: 0 when the remainder is below 2, else 11 − remainder.
fn check_digit(values: impl Iterator<Item = u32>, weights: impl Iterator<Item = u32>) -> u32 {
    let sum = values.zip(weights).map(|(value, weight)| value * weight).sum::<u32>();
    match sum % 11 {
        0 | 1 => 0,
        remainder => 11 - remainder,
    }
}

#[cfg(test)]
mod tests;
