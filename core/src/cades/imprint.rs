//! What each kind of time stamp in a CAdES signature covers.

use std::borrow::Cow;

use super::hash_index;
use crate::cms::{AttributeParts, Parts, SignerParts};
use crate::digest::{Digest, DigestAlgorithm, DigestStream};
use crate::oid;
use crate::tlv::{encode, tag};
use crate::validation::Content;

/// Digest of the content, inside or beside. `None` when it is not at hand in this algorithm.
pub(super) fn of_content(
    parts: &Parts<'_>,
    content: Content<'_>,
    algorithm: DigestAlgorithm,
) -> Option<Digest> {
    if let Some(inside) = parts.content() {
        return Some(Digest::of(algorithm, inside));
    }
    match content {
        Content::Digest(digest) => (digest.algorithm() == algorithm).then_some(*digest),
        Content::Inside | Content::Bytes(_) | Content::Pieces(_) | Content::File(_) => {
            let mut stream = DigestStream::new(algorithm);
            feed(&mut stream, content)?;
            Some(stream.finish())
        }
    }
}

/// signature-time-stamp: the contents octets of the signature value (RFC 5126 §6.1.1).
pub(super) fn of_signature(signer: &SignerParts<'_>, algorithm: DigestAlgorithm) -> Digest {
    Digest::of(algorithm, &signer.value)
}

/// CAdES-C-time-stamp: signature value, signature-time-stamp and the complete references, of each attribute type
/// and values but not the SEQUENCE around (RFC 5126 §6.3.5). `None` when one of them is absent.
pub(super) fn of_complete_references(signer: &SignerParts<'_>, algorithm: DigestAlgorithm) -> Option<Digest> {
    let mut stream = DigestStream::new(algorithm);
    stream.update(&signer.value);
    feed_attributes(&mut stream, signer, oid::SIGNATURE_TIME_STAMP)?;
    feed_attributes(&mut stream, signer, oid::CERTIFICATE_REFERENCES)?;
    feed_attributes(&mut stream, signer, oid::REVOCATION_REFERENCES)?;
    Some(stream.finish())
}

/// time-stamped-certs-crls-references: the complete references alone (RFC 5126 §6.3.6).
pub(super) fn of_references(signer: &SignerParts<'_>, algorithm: DigestAlgorithm) -> Option<Digest> {
    let mut stream = DigestStream::new(algorithm);
    feed_attributes(&mut stream, signer, oid::CERTIFICATE_REFERENCES)?;
    feed_attributes(&mut stream, signer, oid::REVOCATION_REFERENCES)?;
    Some(stream.finish())
}

fn feed_attributes(
    stream: &mut DigestStream,
    signer: &SignerParts<'_>,
    kind: const_oid::ObjectIdentifier,
) -> Option<()> {
    let mut seen = None;
    for (_, AttributeParts { kind, set, .. }) in signer.of(kind) {
        stream.update(kind);
        stream.update(set);
        seen = Some(());
    }
    seen
}

/// Everything before the unsigned attributes that archive-time-stamp-v2 covers: encapContentInfo, content that is
/// not inside, certificates, crls, and the SignerInfo up to its value (RFC 5126 §6.4.1). `None` when the content
/// is not at hand in bytes.
pub(super) fn archive_v2_prefix(
    parts: &Parts<'_>,
    signer: &SignerParts<'_>,
    content: Content<'_>,
    algorithm: DigestAlgorithm,
) -> Option<DigestStream> {
    let mut stream = DigestStream::new(algorithm);
    stream.update(parts.encapsulated());
    if parts.content().is_none() {
        feed(&mut stream, content)?;
    }
    for (number, set) in [(0, parts.certificates()), (1, parts.revocation())] {
        if let Some(set) = set {
            stream.update(&encode_set(tag::context_constructed(number), set.iter().map(Cow::as_ref)));
        }
    }
    stream.update(&signer.fixed);
    Some(stream)
}

/// The unsigned attributes as archive-time-stamp-v2 covers them: with the tag and length around, as the
/// normative text says, or without, as an annex of ETSI TS 101 733 1.8.3 said.
pub(super) fn archive_v2_tail<'s>(attributes: impl Iterator<Item = &'s [u8]>, with_header: bool) -> Vec<u8> {
    if with_header {
        encode_set(tag::context_constructed(1), attributes)
    } else {
        attributes.collect::<Vec<_>>().concat()
    }
}

/// archive-time-stamp-v3: type of the content, digest of the content, the SignerInfo up to its value, and the
/// hash index, which stands for all the rest (ETSI EN 319 122-1 §5.5.3).
pub(super) fn archive_v3(
    parts: &Parts<'_>,
    signer: &SignerParts<'_>,
    content_digest: &Digest,
    hash_index: &[u8],
) -> Digest {
    let mut stream = DigestStream::new(content_digest.algorithm());
    stream.update(parts.content_type());
    stream.update(content_digest.as_bytes());
    stream.update(&signer.fixed);
    stream.update(hash_index);
    stream.finish()
}

/// The imprint that a new archive-time-stamp-v3 needs, and the index that goes with it. `None` when the content is
/// not at hand.
pub(super) fn new_archive_v3(
    parts: &Parts<'_>,
    signer: &SignerParts<'_>,
    content: Content<'_>,
    algorithm: DigestAlgorithm,
) -> Option<(Digest, Vec<u8>)> {
    let index = hash_index::of(parts, signer, algorithm);
    let content = of_content(parts, content, algorithm)?;
    Some((archive_v3(parts, signer, &content, &index), index))
}

fn encode_set<'s>(tag: u8, elements: impl Iterator<Item = &'s [u8]>) -> Vec<u8> {
    encode(tag, &elements.collect::<Vec<_>>())
}

fn feed(stream: &mut DigestStream, content: Content<'_>) -> Option<()> {
    match content {
        Content::Bytes(bytes) => stream.update(bytes),
        Content::Pieces(pieces) => pieces.iter().for_each(|piece| stream.update(piece)),
        Content::File(file) => file.feed(0..file.len(), |block| stream.update(block)).ok()?,
        Content::Inside | Content::Digest(_) => return None,
    }
    Some(())
}
