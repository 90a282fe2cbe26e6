//! A PKCS#12 file: a key, its certificate, and certificates above it.

use std::path::Path;

use p12_keystore::{KeyStore, error::Error};
use rubrica_core::ErrorCode;
use rubrica_core::x509::Certificate;

use super::output::read_file;
use crate::adapters::software_key::SoftwareKey;
use crate::failure::Failure;
use crate::secret::Secret;

/// What a file holds.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) key: SoftwareKey,
    pub(super) certificate: Certificate,
    /// Certificates between signer and root.
    pub(super) chain: Vec<Certificate>,
}

/// Opens a file.
///
/// # Errors
/// `file_unreadable`, `p12_malformed`, `wrong_password`, `certificate_malformed`, `key_unsupported`.
pub(super) fn open(path: &Path, password: &Secret) -> Result<Identity, Failure> {
    let bytes = read_file(path)?;
    let malformed = |what: &str| Failure::of(ErrorCode::P12Malformed, what.to_owned()).about(path.display());
    let store = KeyStore::from_pkcs12(&bytes, password.expose()).map_err(|error| {
        if matches!(error, Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_)) {
            Failure::of(ErrorCode::WrongPassword, "the password does not open the file").about(path.display())
        } else {
            malformed(&format!("it cannot be read as PKCS#12: {error}"))
        }
    })?;
    let (_, found) =
        store.private_key_chain().ok_or_else(|| malformed("it holds no private key with its certificate"))?;
    let key = SoftwareKey::from_pkcs8(found.key())
        .map_err(|error| Failure::of(ErrorCode::KeyUnsupported, error.to_string()).about(path.display()))?;
    let mut certificates = Vec::new();
    for certificate in found.chain() {
        certificates.push(
            Certificate::from_der(certificate.as_der())
                .map_err(|error| Failure::of(error.code(), error.to_string()).about(path.display()))?,
        );
    }
    if certificates.is_empty() {
        return Err(malformed("it holds no certificate"));
    }
    let certificate = certificates.remove(0);
    // A root adds nothing: whoever verifies has it already, or does not trust it.
    certificates.retain(|above| above.subject_common_name() != above.issuer_common_name());
    Ok(Identity { key, certificate, chain: certificates })
}
