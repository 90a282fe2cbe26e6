//! CPF and CNPJ in the database: a keyed hash to find, a mask to show, never the number.

use std::fmt;

use aws_lc_rs::hmac;
use rubrica_core::ErrorCode;
use rubrica_core::icp_brasil::Identifier;

use crate::failure::Failure;
use crate::hex;
use crate::sealing::SealingKey;
use crate::secret::Secret;

/// Keyed hash of a CPF or CNPJ: HMAC-SHA-256 under the instance's lookup key.
///
/// Without a key anybody could try all 10⁹ CPF.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SignerHash(pub(crate) [u8; 32]);

impl fmt::Debug for SignerHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignerHash(***)")
    }
}

/// The instance's lookup key.
#[derive(Debug)]
pub(crate) struct LookupKey(hmac::Key);

impl LookupKey {
    /// Reads a key of 64 hexadecimal digits.
    pub(crate) fn from_secret(secret: &Secret) -> Result<Self, Failure> {
        let bytes = hex::decode(secret.expose()).filter(|bytes| bytes.len() == 32).ok_or_else(|| {
            Failure::new(
                ErrorCode::DataFolderUnknown,
                "the lookup key of the data folder is damaged",
                "Restore the data folder from a backup",
            )
        })?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// A key for another purpose, as good as this one and no way back to it. A purpose is a word, which no CPF or CNPJ is.
    pub(crate) fn sealing_key(&self, purpose: &str) -> SealingKey {
        let tag = hmac::sign(&self.0, format!("rubrica {purpose}").as_bytes());
        SealingKey::new(tag.as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes"))
    }

    pub(crate) fn hash(&self, identifier: &Identifier) -> SignerHash {
        let tag = hmac::sign(&self.0, identifier.as_str().as_bytes());
        SignerHash(tag.as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes"))
    }
}
