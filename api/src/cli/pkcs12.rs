//! A PKCS#12 file: a key, its certificate, and certificates above it.

use std::path::Path;

use rubrica_core::ErrorCode;
use rubrica_core::pkcs12::{self, Ciphers};
use rubrica_core::x509::Certificate;

use super::output::read_file;
use crate::adapters::software_key::SoftwareKey;
use crate::failure::Failure;
use crate::secret::{Secret, SecretBytes};

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
/// `file_unreadable`, `p12_malformed`, `wrong_password`, `p12_weak_cipher`, `p12_several_keys`, `certificate_malformed`,
/// `key_unsupported`.
pub(super) fn open(path: &Path, password: &Secret) -> Result<Identity, Failure> {
    let bytes = SecretBytes::new(read_file(path)?);
    // The file is the signer's own and stays with them: how well it is protected is theirs to choose.
    let contents = pkcs12::open(bytes.expose(), password.expose(), Ciphers::Any)
        .map_err(|error| Failure::of(error.code(), error.to_string()).about(path.display()))?;
    let key = SoftwareKey::from_pkcs8(contents.key())
        .map_err(|error| Failure::of(ErrorCode::KeyUnsupported, error.to_string()).about(path.display()))?;
    let mut chain = contents.chain().to_vec();
    // A root adds nothing: whoever verifies has it already, or does not trust it.
    chain.retain(|above| above.subject_common_name() != above.issuer_common_name());
    Ok(Identity { key, certificate: contents.certificate().clone(), chain })
}
