//! CAdES baseline B: a detached SignedData beside the document (ETSI EN 319 122-1 §6).

use crate::Timestamp;
use crate::cms::{self, CmsError, CmsPlan};
use crate::digest::Digest;
use crate::x509::Certificate;

/// Plans a detached CAdES-B signature over a document with this SHA-256.
///
/// The baseline profile requires signing-time in the attributes: the claim of the server's clock.
///
/// # Errors
/// As [`cms::plan`]: `key_unsupported`, `certificate_malformed`.
pub fn prepare(
    content_digest: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    signing_time: Timestamp,
) -> Result<CmsPlan, CmsError> {
    cms::plan(content_digest, signer, chain, Some(signing_time))
}
