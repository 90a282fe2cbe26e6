//! Every time stamp of a signer, with the imprint it ought to have.

use super::hash_index::HashIndex;
use super::imprint;
use crate::cms::{CmsError, Parts, SignedAttributes, SignerParts};
use crate::digest::{Digest, DigestAlgorithm};
use crate::tlv::Malformed;
use crate::tsp::{TimeStampToken, TspError};
use crate::validation::Content;
use crate::{Timestamp, oid};

/// What a time stamp is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StampKind {
    /// content-time-stamp: the content, before it was signed.
    Content,
    /// signature-time-stamp: the signature value.
    Signature,
    /// CAdES-C-time-stamp (escTimeStamp): signature value, its time stamp, the complete references.
    CompleteReferences,
    /// time-stamped-certs-crls-references: the complete references.
    References,
    /// archive-time-stamp of the first version, which is not evaluated.
    ArchiveV1,
    /// archive-time-stamp-v2.
    ArchiveV2,
    /// archive-time-stamp-v3.
    ArchiveV3,
}

/// A time stamp found in a signature.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// What it is about.
    pub kind: StampKind,
    /// The token, when it can be read. It is not verified: see [`TimeStampToken::verify`].
    pub token: Result<TimeStampToken, TspError>,
    /// The imprint that the token must have, in its own algorithm.
    pub imprint_expected: Result<Digest, StampError>,
    /// What an archive time stamp leaves out although it is in the signature now: came later, or was left out.
    pub uncovered: Vec<Uncovered>,
}

/// Something that an archive time stamp does not prove the existence of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    /// `certificate`, `revocation data` or `attribute` and its identifier.
    pub what: String,
    /// SHA-256 of the certificate, the revocation data or the attribute's value.
    pub sha256: Digest,
}

/// The expected imprint cannot be computed, or something that was stamped is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StampError {
    /// The token cannot be read, or its digest algorithm is not accepted.
    #[error("the time stamp cannot be read or uses a digest that is not accepted")]
    Token,
    /// The content is not at hand: in the token's algorithm, or in bytes where those are needed.
    #[error("the content that was stamped is not at hand")]
    ContentMissing,
    /// An attribute that was stamped is absent.
    #[error("an attribute that was stamped is absent")]
    AttributeMissing,
    /// The hash index is absent, cannot be read, or names what is not there.
    #[error("the hash index of the archive time stamp: {0}")]
    HashIndex(&'static str),
    /// This kind is not evaluated.
    #[error("time stamps of this kind are not evaluated")]
    Unsupported,
}

impl Stamp {
    /// Whether the token stamps what it is attached to.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        match (&self.token, &self.imprint_expected) {
            (Ok(token), Ok(expected)) => token.imprint() == Some(expected),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    /// Whether something in the signature (a certificate, revocation data, a token) is covered by this stamp,
    /// provided that it [is bound](Self::is_bound) and an archive time stamp.
    #[must_use]
    pub fn covers(&self, element: &[u8]) -> bool {
        let is_archive = matches!(self.kind, StampKind::ArchiveV2 | StampKind::ArchiveV3);
        let sha256 = Digest::sha256(element);
        is_archive && self.is_bound() && !self.uncovered.iter().any(|left_out| left_out.sha256 == sha256)
    }
}

/// Each archive time stamp costs a pass over the file: a century of yearly renewals is not paid for at once.
const MAX_STAMPS: usize = 32;

/// The kinds among the unsigned attributes.
const UNSIGNED: [(const_oid::ObjectIdentifier, StampKind); 6] = [
    (oid::SIGNATURE_TIME_STAMP, StampKind::Signature),
    (oid::ESC_TIME_STAMP, StampKind::CompleteReferences),
    (oid::CERT_CRL_TIME_STAMP, StampKind::References),
    (oid::ARCHIVE_TIME_STAMP_V1, StampKind::ArchiveV1),
    (oid::ARCHIVE_TIME_STAMP_V2, StampKind::ArchiveV2),
    (oid::ARCHIVE_TIME_STAMP_V3, StampKind::ArchiveV3),
];

/// Lists the time stamps of the signer at `position`: the one on the content first, then by kind in the order of
/// [`StampKind`], then by time.
///
/// `content` is what a detached signature is about. An archive time stamp of the second version needs it in
/// bytes.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer.
pub fn stamps(cms: &[u8], position: usize, content: Content<'_>) -> Result<Vec<Stamp>, CmsError> {
    let parts = Parts::read(cms)?;
    let signer = parts.signer(position)?;
    let scene = Scene { parts: &parts, signer, content };
    let mut stamps = Vec::new();
    if let Some(token) = content_time_stamp(cms, position) {
        stamps.push(scene.stamp(StampKind::Content, None, &token));
    }
    for (at, attribute) in signer.attributes() {
        let kind = UNSIGNED.iter().find(|(kind, _)| attribute.is(*kind));
        let Some((_, kind)) = kind else { continue };
        for token in attribute.values() {
            if stamps.len() == MAX_STAMPS {
                return Err(CmsError::Limit("at most 32 time stamps per signer"));
            }
            stamps.push(scene.stamp(*kind, Some(at), token));
        }
    }
    stamps.sort_by_key(|stamp| (stamp.kind, stamp.token.as_ref().ok().map(TimeStampToken::time)));
    Ok(stamps)
}

fn content_time_stamp(cms: &[u8], position: usize) -> Option<Vec<u8>> {
    let signed = crate::cms::SignedData::parse(cms).ok()?;
    let set = signed.signers().get(position)?.signed_attributes.as_deref()?;
    SignedAttributes::parse(set).ok()?.content_time_stamp().map(<[u8]>::to_vec)
}

struct Scene<'s> {
    parts: &'s Parts<'s>,
    signer: &'s SignerParts<'s>,
    content: Content<'s>,
}

impl Scene<'_> {
    /// `at` is the position of the attribute that holds the token.
    fn stamp(&self, kind: StampKind, at: Option<usize>, token: &[u8]) -> Stamp {
        let token = TimeStampToken::from_der(token);
        let mut uncovered = Vec::new();
        let imprint_expected = match &token {
            Ok(token) => self.expected(kind, at, token, &mut uncovered),
            Err(_) => Err(StampError::Token),
        };
        Stamp { kind, token, imprint_expected, uncovered }
    }

    fn expected(
        &self,
        kind: StampKind,
        at: Option<usize>,
        token: &TimeStampToken,
        uncovered: &mut Vec<Uncovered>,
    ) -> Result<Digest, StampError> {
        let algorithm = token.imprint().ok_or(StampError::Token)?.algorithm();
        match kind {
            StampKind::Content => {
                imprint::of_content(self.parts, self.content, algorithm).ok_or(StampError::ContentMissing)
            }
            StampKind::Signature => Ok(imprint::of_signature(self.signer, algorithm)),
            StampKind::CompleteReferences => {
                imprint::of_complete_references(self.signer, algorithm).ok_or(StampError::AttributeMissing)
            }
            StampKind::References => {
                imprint::of_references(self.signer, algorithm).ok_or(StampError::AttributeMissing)
            }
            StampKind::ArchiveV1 => Err(StampError::Unsupported),
            StampKind::ArchiveV2 => self.archive_v2(at, token, algorithm, uncovered),
            StampKind::ArchiveV3 => self.archive_v3(at, token, algorithm, uncovered),
        }
    }

    /// The norm leaves open in which order a SET OF is hashed after the attribute itself is taken out, whether an
    /// archive time stamp of the same second was there already, and one edition forgot tag and length. Each
    /// reading covers the same attributes; the one that fits is taken, the plain one when none fits.
    fn archive_v2(
        &self,
        at: Option<usize>,
        token: &TimeStampToken,
        algorithm: DigestAlgorithm,
        uncovered: &mut Vec<Uncovered>,
    ) -> Result<Digest, StampError> {
        let prefix = imprint::archive_v2_prefix(self.parts, self.signer, self.content, algorithm);
        let prefix = prefix.ok_or(StampError::ContentMissing)?;
        let mut plain = None;
        for with_equals in [false, true] {
            let left_out = self.later_archives(at, token.time(), with_equals);
            let kept = self.signer.unsigned.iter().enumerate().filter(|(at, _)| !left_out.contains(at));
            let kept = kept.map(|(_, attribute)| &attribute[..]).collect::<Vec<_>>();
            let mut sorted = kept.clone();
            sorted.sort_unstable();
            for (order, with_header) in [(&kept, true), (&kept, false), (&sorted, true), (&sorted, false)] {
                let mut stream = prefix.clone();
                stream.update(&imprint::archive_v2_tail(order.iter().copied(), with_header));
                let digest = stream.finish();
                if token.imprint() == Some(&digest) {
                    *uncovered = self.tokens_at(&left_out);
                    return Ok(digest);
                }
                plain.get_or_insert(digest);
            }
        }
        Ok(plain.expect("there is more than one reading"))
    }

    /// Positions of the attribute itself and of archive time stamps that came after `time`.
    fn later_archives(&self, at: Option<usize>, time: Timestamp, with_equals: bool) -> Vec<usize> {
        let archives = [oid::ARCHIVE_TIME_STAMP_V1, oid::ARCHIVE_TIME_STAMP_V2, oid::ARCHIVE_TIME_STAMP_V3];
        let is_later = |value| match TimeStampToken::from_der(value) {
            Ok(other) => other.time() > time || (!with_equals && other.time() == time),
            Err(_) => true,
        };
        let later = self.signer.attributes().filter(|(_, attribute)| {
            archives.iter().any(|archive| attribute.is(*archive)) && attribute.values().any(is_later)
        });
        at.into_iter().chain(later.map(|(at, _)| at)).collect()
    }

    fn tokens_at(&self, positions: &[usize]) -> Vec<Uncovered> {
        let tokens = self.signer.attributes().filter(|(at, _)| positions.contains(at));
        let values = tokens.flat_map(|(_, attribute)| {
            let what = format!("attribute {}", oid::to_text(&attribute.kind[2..]));
            attribute.values().map(move |value| (what.clone(), Digest::sha256(value)))
        });
        values.map(|(what, sha256)| Uncovered { what, sha256 }).collect()
    }

    fn archive_v3(
        &self,
        at: Option<usize>,
        token: &TimeStampToken,
        algorithm: DigestAlgorithm,
        uncovered: &mut Vec<Uncovered>,
    ) -> Result<Digest, StampError> {
        let own = at.map_or_else(Vec::new, |at| self.tokens_at(&[at]));
        let value = hash_index_of(token).map_err(StampError::HashIndex)?;
        let index = value.index.map_err(|error| StampError::HashIndex(error.0))?;
        if index.algorithm != algorithm {
            return Err(StampError::HashIndex("another digest than the one of the time stamp"));
        }
        let left_out = index.uncovered(self.parts, self.signer).map_err(StampError::HashIndex)?;
        let left_out = left_out
            .into_iter()
            .map(|item| Uncovered { what: item.what, sha256: Digest::sha256(&item.element) });
        *uncovered = left_out.filter(|item| !own.contains(item)).collect();
        let content = imprint::of_content(self.parts, self.content, algorithm);
        let content = content.ok_or(StampError::ContentMissing)?;
        Ok(imprint::archive_v3(self.parts, self.signer, &content, &value.raw))
    }
}

struct IndexValue {
    raw: Vec<u8>,
    index: Result<HashIndex, Malformed>,
}

/// The one hash index among the unsigned attributes of the token.
fn hash_index_of(token: &TimeStampToken) -> Result<IndexValue, &'static str> {
    let attributes = token.signer().unsigned_attributes();
    let is_index = |attribute: &&crate::cms::UnsignedAttribute| {
        attribute.is(oid::ATS_HASH_INDEX_V3) || attribute.is(oid::ATS_HASH_INDEX_V1)
    };
    let mut found = attributes.iter().filter(is_index);
    let (Some(attribute), None) = (found.next(), found.next()) else {
        return Err("exactly one was expected");
    };
    let [raw] = attribute.values() else { return Err("exactly one was expected") };
    let index =
        if attribute.is(oid::ATS_HASH_INDEX_V3) { HashIndex::parse(raw) } else { HashIndex::parse_v1(raw) };
    Ok(IndexValue { raw: raw.clone(), index })
}

#[cfg(test)]
mod tests;
