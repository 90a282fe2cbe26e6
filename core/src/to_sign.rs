//! The SDK's check of what a server asks to sign, made before any key is used.
//!
//! The browser has the document the person chose. From it and from [`ToSign`] it recomputes
//! message-digest and the digest for the device, and refuses on any difference: a wrong or hostile
//! server cannot have another document signed.

use base64ct::{Base64, Encoding};

use crate::ErrorCode;
use crate::cms::SignedAttributes;
use crate::digest::{Digest, Sha256Stream};
use crate::oid;
use crate::wire::{RevisionToSign, SignatureFormat, ToSign};

/// Largest revision that is accepted. A signature with its slot takes some tens of kilobytes; more
/// would be a place to hide another document.
pub const MAX_APPENDED_BYTES: usize = 4 << 20;

/// What was to be signed is not the document shown. The text says which check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was to be signed is not the document shown: {0}")]
#[non_exhaustive]
pub struct ToSignMismatch(pub &'static str);

impl ToSignMismatch {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::ToSignMismatch
    }
}

/// What the person agreed to.
#[derive(Debug, Clone, Copy)]
pub struct Agreed<'a> {
    /// The document, fed into the stream to its end. It is not consumed, so one pass over a large file
    /// serves the upload and this check.
    pub document: &'a Sha256Stream,
    /// Kind of artefact that was asked for.
    pub format: SignatureFormat,
    /// SHA-256 of the DER of the certificate that was chosen.
    pub certificate_sha256: &'a [u8],
}

/// Checks everything and returns the digest for the device: SHA-256 of the signed attributes.
///
/// - the attributes are content-type (id-data), message-digest, signing-certificate-v2 with exactly one
///   reference, to the chosen certificate, optionally signing-time, and nothing else;
/// - message-digest is the digest of the document or, for PAdES, of the document and the appended
///   revision without the gap of the ByteRange;
/// - the ByteRange starts at 0, ends with the file, and its gap is one hexadecimal string of zeros in
///   the appended part;
/// - the digest given by the server is the one computed here.
///
/// # Errors
/// `to_sign_mismatch`.
pub fn check(to_sign: &ToSign, agreed: &Agreed<'_>) -> Result<Digest, ToSignMismatch> {
    if to_sign.digest_algorithm != "sha256" {
        return Err(ToSignMismatch("the digest algorithm is not sha256"));
    }
    if !matches!(&to_sign.signature_algorithm[..], "rsa_pkcs1_sha256" | "ecdsa_sha256") {
        return Err(ToSignMismatch("the signature algorithm is not known"));
    }
    let set = Base64::decode_vec(&to_sign.signed_attributes)
        .map_err(|_| ToSignMismatch("the attributes are not base64"))?;
    let attributes =
        SignedAttributes::parse(&set).map_err(|_| ToSignMismatch("the attributes cannot be read"))?;
    check_attributes(&attributes, agreed)?;

    let content = match (agreed.format, &to_sign.revision) {
        (SignatureFormat::Cades, None) => agreed.document.clone().finish(),
        (SignatureFormat::Pades, Some(revision)) => digest_of_revision(agreed.document, revision)?,
        (SignatureFormat::Cades, Some(_)) => return Err(ToSignMismatch("a revision for a CAdES signature")),
        (SignatureFormat::Pades, None) => return Err(ToSignMismatch("no revision for a PAdES signature")),
    };
    if attributes.message_digest() != Some(content.as_bytes()) {
        return Err(ToSignMismatch("message-digest is of other bytes"));
    }
    let digest = Digest::sha256(&set);
    if to_sign.digest != Base64::encode_string(digest.as_bytes()) {
        return Err(ToSignMismatch("the digest is not the one of the attributes"));
    }
    Ok(digest)
}

fn check_attributes(attributes: &SignedAttributes, agreed: &Agreed<'_>) -> Result<(), ToSignMismatch> {
    let known = [oid::CONTENT_TYPE, oid::MESSAGE_DIGEST, oid::SIGNING_CERTIFICATE_V2, oid::SIGNING_TIME];
    if !attributes.kinds().iter().all(|kind| known.iter().any(|known| known.as_bytes() == kind)) {
        return Err(ToSignMismatch("an attribute that was not agreed to"));
    }
    if !attributes.is_sorted() {
        return Err(ToSignMismatch("the attributes are not in DER"));
    }
    if !attributes.content_type_is_data() {
        return Err(ToSignMismatch("the content type is not id-data"));
    }
    let reference =
        attributes.signing_certificate().ok_or(ToSignMismatch("no reference to a certificate"))?;
    let is_chosen = reference.hash.is_some_and(|hash| hash.as_bytes() == agreed.certificate_sha256);
    if !is_chosen || reference.references != 1 {
        return Err(ToSignMismatch("the reference is to another certificate"));
    }
    Ok(())
}

/// Digest of document and revision without the gap. The gap lies in the revision, so the document is
/// hashed from the start to its end and need not be at hand again.
fn digest_of_revision(document: &Sha256Stream, revision: &RevisionToSign) -> Result<Digest, ToSignMismatch> {
    const RANGE: ToSignMismatch = ToSignMismatch("the ByteRange does not fit the revision");
    // Base64 takes four characters for three bytes.
    if revision.appended.len() / 4 * 3 > MAX_APPENDED_BYTES {
        return Err(ToSignMismatch("the revision is too large"));
    }
    let appended =
        Base64::decode_vec(&revision.appended).map_err(|_| ToSignMismatch("the revision is not base64"))?;

    let [start, gap_start, gap_end, tail] = revision.byte_range;
    let total = document.size_bytes() + appended.len() as u64;
    if start != 0 || gap_end.checked_add(tail) != Some(total) {
        return Err(RANGE);
    }
    let in_revision = |offset: u64| -> Option<usize> {
        offset.checked_sub(document.size_bytes()).and_then(|offset| usize::try_from(offset).ok())
    };
    let gap = in_revision(gap_start).zip(in_revision(gap_end)).ok_or(RANGE)?;
    let contents = appended.get(gap.0..gap.1).ok_or(RANGE)?;
    let [b'<', zeros @ .., b'>'] = contents else { return Err(RANGE) };
    if zeros.is_empty() || !zeros.len().is_multiple_of(2) || zeros.iter().any(|digit| *digit != b'0') {
        return Err(ToSignMismatch("the gap of the ByteRange is not an empty signature"));
    }
    let mut stream = document.clone();
    stream.update(&appended[..gap.0]);
    stream.update(&appended[gap.1..]);
    Ok(stream.finish())
}

#[cfg(test)]
mod tests;
