//! One signer, verified against its own attributes: for time stamps and counter-signatures, which either
//! hold together or are worth nothing.

use super::{SignedAttributes, SignerInfo};
use crate::digest::{Digest, DigestAlgorithm};
use crate::x509::{Certificate, SignatureAlgorithm, UnusableAlgorithm};

/// Why a signer does not hold together. `Display` is an English half-sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signed attributes are absent, cannot be read, or contradict what is around them.
    #[error("{0}")]
    Attributes(String),
    /// message-digest is of other bytes.
    #[error("message-digest is of other bytes")]
    MessageDigest,
    /// An algorithm is weak or not computed here; the text names it.
    #[error("{0} is not accepted")]
    Algorithm(String),
    /// No certificate, or more than one, is the one named.
    #[error("the signer's certificate is not at hand")]
    CertificateMissing,
    /// signing-certificate is absent or refers to another certificate.
    #[error("the reference to the signer's certificate does not fit")]
    Reference,
    /// The value does not verify.
    #[error("the signature value does not verify")]
    Value,
}

/// Verifies attributes, digest, certificate reference and value of a signer, in this order, and returns
/// the certificate among `candidates`. `content_type` is the type that has to be in the attributes,
/// contents octets; `None` when there may be none, as in counter-signatures (RFC 5652 §11.4).
///
/// Neither the certificate's path nor its purpose is looked at.
pub(crate) fn verify_signer<'c>(
    signer: &SignerInfo,
    candidates: &'c [Certificate],
    content_type: Option<&[u8]>,
    content_digest: impl Fn(DigestAlgorithm) -> Digest,
) -> Result<&'c Certificate, SignerError> {
    let wrong = |what: &str| SignerError::Attributes(what.to_owned());
    let set = signer.signed_attributes.as_ref().ok_or_else(|| wrong("there are no signed attributes"))?;
    let attributes =
        SignedAttributes::parse(set).map_err(|error| SignerError::Attributes(error.to_string()))?;
    if attributes.content_type() != content_type {
        return Err(wrong("content-type is not the type of the content"));
    }

    let algorithm = signer.signature_algorithm().map_err(|unusable| match unusable {
        UnusableAlgorithm::Weak(oid) | UnusableAlgorithm::Unknown(oid) => SignerError::Algorithm(oid),
    })?;
    if algorithm.digest_algorithm().oid().as_bytes() != signer.digest_algorithm() {
        return Err(wrong("the digest algorithm is not the one of the signature"));
    }
    if attributes.message_digest() != Some(content_digest(algorithm.digest_algorithm()).as_bytes()) {
        return Err(SignerError::MessageDigest);
    }

    let certificate = signer.id.find(candidates).ok_or(SignerError::CertificateMissing)?;
    if !refers_to(&attributes, certificate) {
        return Err(SignerError::Reference);
    }
    if !value_verifies(signer, &attributes, algorithm, certificate)? {
        return Err(SignerError::Value);
    }
    Ok(certificate)
}

/// Many authorities still write the first version of signing-certificate, with SHA-1.
fn refers_to(attributes: &SignedAttributes, certificate: &Certificate) -> bool {
    let second =
        attributes.signing_certificate().map(|reference| reference.refers_to(certificate) == Some(true));
    second.or_else(|| attributes.first_version_refers_to(certificate)).unwrap_or(false)
}

fn value_verifies(
    signer: &SignerInfo,
    attributes: &SignedAttributes,
    algorithm: SignatureAlgorithm,
    certificate: &Certificate,
) -> Result<bool, SignerError> {
    let key = certificate.public_key().map_err(|error| SignerError::Algorithm(error.to_string()))?;
    let verifies = |set: &[u8]| key.verify_message(algorithm, set, &signer.value).is_ok();
    let set = signer.signed_attributes.as_ref().expect("the attributes were read before");
    Ok(verifies(set) || (!attributes.is_sorted() && verifies(&SignedAttributes::sorted(set))))
}
