//! The digest of the content against message-digest.

use super::Role;
use super::basic::Subject;
use crate::cms::{SignedAttributes, SignedData};
use crate::digest::{Digest, DigestAlgorithm, DigestStream};
use crate::oid;
use crate::pdf::File;
use crate::validation::report::Record;
use crate::validation::{Check, Finding, SubIndication};

/// The content that a detached signature is about.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// Take it from the signature itself.
    Inside,
    /// All of its bytes.
    Bytes(&'a [u8]),
    /// All of its bytes, in pieces that follow each other.
    Pieces(&'a [&'a [u8]]),
    /// All of its bytes, read where they lie. If they cannot be, the result is indeterminate.
    File(File<'a>),
    /// Its digest. If the signature uses another algorithm, the result is indeterminate.
    Digest(&'a Digest),
}

/// Made before and independently of the signature value.
pub(super) fn check_message_digest(
    findings: &mut Vec<Finding>,
    subject: Subject<'_>,
    attributes: &SignedAttributes,
) {
    let Subject { signed, signer, content, role, .. } = subject;
    let check = Check::MessageDigest;
    let Some(stated) = attributes.message_digest() else {
        return findings.failed(check, SubIndication::FormatFailure, "message-digest is absent");
    };
    let Some(algorithm) = DigestAlgorithm::from_oid(signer.digest_algorithm()) else {
        let evidence = format!("digest {} is not computed here", oid::to_text(signer.digest_algorithm()));
        let weak = [oid::SHA1, oid::MD5].iter().any(|weak| weak.as_bytes() == signer.digest_algorithm());
        let why = if weak { SubIndication::CryptoConstraintsFailure } else { SubIndication::Generic };
        return findings.indeterminate(check, why, evidence);
    };
    // Content inside and content beside would leave open which of them was signed.
    if role != Role::Counter && signed.content().is_some() && !matches!(content, Content::Inside) {
        let inside = signed.content().map(|inside| digest_of(algorithm, &[inside]));
        if inside != computed(algorithm, signed, content) {
            let evidence = "the content inside the signature is not the content given";
            return findings.failed(check, SubIndication::HashFailure, evidence);
        }
    }
    match computed(algorithm, signed, content) {
        None => findings.indeterminate(
            check,
            SubIndication::SignedDataNotFound,
            format!("the {} digest of the content is not at hand", algorithm.as_str()),
        ),
        Some(computed) if computed.as_bytes() == stated => findings.passed(check, computed.to_string()),
        Some(computed) => findings.failed(
            check,
            SubIndication::HashFailure,
            format!("the content has {computed}, another one was signed"),
        ),
    }
}

fn computed(algorithm: DigestAlgorithm, signed: &SignedData, content: Content<'_>) -> Option<Digest> {
    match content {
        Content::Inside => signed.content().map(|inside| digest_of(algorithm, &[inside])),
        Content::Bytes(bytes) => Some(digest_of(algorithm, &[bytes])),
        Content::Pieces(pieces) => Some(digest_of(algorithm, pieces)),
        Content::File(file) => file.digest(algorithm, std::slice::from_ref(&(0..file.len()))).ok(),
        Content::Digest(digest) => (digest.algorithm() == algorithm).then_some(*digest),
    }
}

fn digest_of(algorithm: DigestAlgorithm, pieces: &[&[u8]]) -> Digest {
    let mut stream = DigestStream::new(algorithm);
    pieces.iter().for_each(|piece| stream.update(piece));
    stream.finish()
}
