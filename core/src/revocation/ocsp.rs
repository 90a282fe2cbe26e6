//! Answers of a responder about single certificates (OCSP, RFC 6960).

mod parse;
mod request;

use core::fmt;
use core::ops::Range;
use std::sync::{Arc, OnceLock};

pub use self::request::ocsp_request;

use super::{MAX_OCSP_BYTES, Reason, RevocationError};
use crate::digest::{Digest, DigestAlgorithm, sha1};
use crate::tlv::{Reader, encode, single, tag};
use crate::x509::{AlgorithmIdentifier, Certificate, PublicKey, SignatureAlgorithm, UnusableAlgorithm};
use crate::{Timestamp, oid};

/// ENUMERATED.
const ENUMERATED: u8 = 0x0a;

/// A successful OCSP response, kept as the bytes it was read from. A clone is cheap.
///
/// **Source**: RFC 6960 §4.2.1.
#[derive(Clone)]
pub struct OcspResponse(Arc<Inner>);

struct Inner {
    /// The whole OCSPResponse.
    der: Vec<u8>,
    sha256: Digest,
    /// Positions in `der`.
    basic: Range<usize>,
    to_be_signed: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    responder: Responder,
    produced_at: Timestamp,
    answers: Vec<Answer>,
    nonce: Option<Range<usize>>,
    certificates: Vec<Certificate>,
    /// Identifier of the first critical extension, which is not evaluated.
    unprocessed: Option<String>,
    verified_by: OnceLock<PublicKey>,
}

/// `ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }`, positions of the Name or of the hash.
#[derive(Debug, Clone)]
enum Responder {
    Name(Range<usize>),
    Key(Range<usize>),
}

/// `SingleResponse`, of which [`parse`] has the ASN.1.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    hash_algorithm: HashAlgorithm,
    name_hash: Range<usize>,
    key_hash: Range<usize>,
    /// INTEGER element.
    serial: Range<usize>,
    pub(super) standing: Standing,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Option<Timestamp>,
    /// archiveCutoff: certificates that ended since then are still answered for.
    pub(super) archive_cutoff: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Revoked { at: Timestamp, reason: Reason },
    Unknown,
}

/// What names the issuer. SHA-1 is a mere name here: the signature protects the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HashAlgorithm {
    Sha1,
    Sha2(DigestAlgorithm),
    Other,
}

/// Why a responder gave no answer (RFC 6960 §4.2.1, §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseStatus {
    /// It did not understand the request.
    MalformedRequest,
    /// It failed.
    InternalError,
    /// It asks to come back later.
    TryLater,
    /// It wants a signed request.
    SignatureRequired,
    /// It does not serve this caller, or not this authority.
    Unauthorized,
}

impl ResponseStatus {
    /// The name in the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SignatureRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

impl OcspResponse {
    /// Reads an OCSPResponse in DER as it comes over HTTP or lies in a PDF. Nothing is verified.
    ///
    /// # Errors
    /// `revocation_malformed`; `limit_exceeded` above [`MAX_OCSP_BYTES`]; `revocation_unknown` when the
    /// responder refused to answer ([`RevocationError::Refused`]).
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationError> {
        if der.len() > MAX_OCSP_BYTES {
            return Err(RevocationError::Limit("an OCSP response has at most 1 MiB"));
        }
        parse::response(der).map(|inner| Self(Arc::new(inner)))
    }

    /// Reads a BasicOCSPResponse, the form inside CAdES revocation values.
    ///
    /// # Errors
    /// As [`OcspResponse::from_der`].
    pub fn from_basic_der(basic: &[u8]) -> Result<Self, RevocationError> {
        let status = encode(ENUMERATED, &[&[0]]);
        let kind = encode(tag::OID, &[oid::OCSP_BASIC.as_bytes()]);
        let bytes = encode(tag::SEQUENCE, &[&kind, &encode(tag::OCTET_STRING, &[basic])]);
        Self::from_der(&encode(tag::SEQUENCE, &[&status, &encode(tag::context_constructed(0), &[&bytes])]))
    }

    /// DER of the whole OCSPResponse.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// DER of the BasicOCSPResponse inside.
    #[must_use]
    pub fn basic_der(&self) -> &[u8] {
        self.part(&self.0.basic)
    }

    /// SHA-256 of [`OcspResponse::der`]: how reports name the response.
    #[must_use]
    pub fn sha256(&self) -> &Digest {
        &self.0.sha256
    }

    /// When the responder knew what it says: of the first answer, if there are several.
    #[must_use]
    pub fn this_update(&self) -> Timestamp {
        self.0.answers[0].this_update
    }

    /// When it will know more, at the latest: of the first answer.
    #[must_use]
    pub fn next_update(&self) -> Option<Timestamp> {
        self.0.answers[0].next_update
    }

    /// When the response was signed.
    #[must_use]
    pub fn produced_at(&self) -> Timestamp {
        self.0.produced_at
    }

    /// The nonce that the response repeats (RFC 8954): contents of the OCTET STRING. Who sent one compares.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.0.nonce.as_ref().map(|range| self.part(range))
    }

    /// Certificates that came along, not trusted.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    /// DER of the responder's Name, when the response names it so (CAdES references repeat it).
    #[must_use]
    pub fn responder_name_der(&self) -> Option<&[u8]> {
        match &self.0.responder {
            Responder::Name(range) => Some(self.part(range)),
            Responder::Key(_) => None,
        }
    }

    /// SHA-1 of the responder's key, when the response names it so.
    #[must_use]
    pub fn responder_key_hash(&self) -> Option<&[u8]> {
        match &self.0.responder {
            Responder::Key(range) => Some(self.part(range)),
            Responder::Name(_) => None,
        }
    }

    /// The answers about this certificate of this issuer.
    pub(super) fn answers<'a>(
        &'a self,
        certificate: &'a Certificate,
        issuer: &'a Certificate,
    ) -> impl Iterator<Item = &'a Answer> {
        let is = |hash: HashAlgorithm, bytes: &[u8], range: &Range<usize>| match hash {
            HashAlgorithm::Sha1 => self.part(range) == sha1(bytes),
            HashAlgorithm::Sha2(algorithm) => self.part(range) == Digest::of(algorithm, bytes).as_bytes(),
            HashAlgorithm::Other => false,
        };
        self.0.answers.iter().filter(move |answer| {
            self.part(&answer.serial) == certificate.serial()
                && is(answer.hash_algorithm, certificate.issuer(), &answer.name_hash)
                && is(answer.hash_algorithm, key_bits(issuer), &answer.key_hash)
        })
    }

    /// Whether there is an answer about this certificate of this issuer.
    pub(crate) fn is_about(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        self.answers(certificate, issuer).next().is_some()
    }

    /// Whether the response says that this certificate signed it.
    pub(super) fn names_responder(&self, certificate: &Certificate) -> bool {
        match &self.0.responder {
            Responder::Name(range) => crate::x509::same_name(self.part(range), certificate.subject()),
            Responder::Key(range) => self.part(range) == sha1(key_bits(certificate)),
        }
    }

    /// Why the response as a whole says nothing here.
    pub(super) fn unsupported(&self) -> Option<String> {
        let oid = self.0.unprocessed.as_ref()?;
        Some(format!("extension {oid} of an OCSP response is not evaluated"))
    }

    pub(super) fn signature_algorithm(&self) -> Result<SignatureAlgorithm, UnusableAlgorithm> {
        let element = Reader::new(self.part(&self.0.signature_algorithm)).element();
        let identifier = element.and_then(AlgorithmIdentifier::parse);
        SignatureAlgorithm::from_identifier(&identifier.expect("the algorithm was read before"))
    }

    /// Whether this key signed the response.
    pub(super) fn is_signed_by(&self, algorithm: SignatureAlgorithm, key: &PublicKey) -> bool {
        if self.0.verified_by.get() == Some(key) {
            return true;
        }
        let (signed, value) = (self.part(&self.0.to_be_signed), self.part(&self.0.signature));
        let verified = key.verify_message(algorithm, signed, value).is_ok();
        if verified {
            self.0.verified_by.get_or_init(|| key.clone());
        }
        verified
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        &self.0.der[range.clone()]
    }
}

/// The bits of the public key without the octet that counts unused ones: what issuerKeyHash is made of.
fn key_bits(certificate: &Certificate) -> &[u8] {
    let read = || {
        let mut reader = single(certificate.public_key_der(), tag::SEQUENCE, "a key")?.reader();
        reader.element()?;
        reader.element()?.bit_string_bytes()
    };
    read().unwrap_or_default()
}

impl PartialEq for OcspResponse {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for OcspResponse {}

impl fmt::Debug for OcspResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OcspResponse")
            .field("sha256", &self.sha256().to_hex())
            .field("produced_at", &self.produced_at())
            .finish_non_exhaustive()
    }
}
