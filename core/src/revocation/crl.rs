//! Certificate revocation lists (RFC 5280 §5).

use core::fmt;
use core::ops::Range;
use std::sync::{Arc, OnceLock};

use super::issuing_point::IssuingPoint;
use super::{MAX_CRL_BYTES, Reason, RevocationError};
use crate::digest::Digest;
use crate::tlv::{Malformed, Reader, Tlv, check_integer, range_in, single, tag};
use crate::x509::{AlgorithmIdentifier, PublicKey, SignatureAlgorithm, UnusableAlgorithm};
use crate::{Timestamp, oid};

/// ENUMERATED.
const ENUMERATED: u8 = 0x0a;

/// A certificate revocation list, kept as the bytes it was read from. A clone is cheap.
///
/// Reading passes over every entry once and keeps none of them: a list of several megabytes costs its own
/// size. `Debug` prints the SHA-256 and the times only.
///
/// **Source**: `CertificateList`, RFC 5280 §5.1.
#[derive(Clone)]
pub struct Crl(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    sha256: Digest,
    parts: Parts,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    extensions: Extensions,
    /// The key that was found to have signed it: a list of megabytes is hashed once.
    verified_by: OnceLock<PublicKey>,
}

struct Parts {
    to_be_signed: Range<usize>,
    signature_algorithm: Range<usize>,
    issuer: Range<usize>,
    /// Contents of revokedCertificates; empty when there are none.
    entries: Range<usize>,
    signature: Range<usize>,
}

#[derive(Default)]
struct Extensions {
    authority_key_id: Option<Range<usize>>,
    number: Option<Range<usize>>,
    issuing_point: Option<IssuingPoint>,
    is_delta: bool,
    expired_since: Option<Timestamp>,
    /// Identifier of the first critical extension, of the list or of an entry, that is not evaluated.
    unprocessed: Option<String>,
}

/// What a list says of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) reason: Reason,
}

impl Crl {
    /// Reads one list in DER, with nothing behind it. Nothing is verified.
    ///
    /// # Errors
    /// `revocation_malformed`; `limit_exceeded` above [`MAX_CRL_BYTES`].
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationError> {
        if der.len() > MAX_CRL_BYTES {
            return Err(RevocationError::Limit("a CRL has at most 64 MiB"));
        }
        let mut outer = single(der, tag::SEQUENCE, "a CertificateList")?.reader();
        let to_be_signed = outer.expect(tag::SEQUENCE, "a TBSCertList")?;
        let signature_algorithm = outer.expect(tag::SEQUENCE, "the signature algorithm")?;
        AlgorithmIdentifier::parse(signature_algorithm)?;
        let signature = outer.expect(tag::BIT_STRING, "the signature of the issuer")?.bit_string_bytes()?;
        outer.end()?;

        let mut tbs = to_be_signed.reader();
        let version = match tbs.optional(tag::INTEGER)? {
            None => 1,
            Some(version) if version.value == [1] => 2,
            Some(_) => return Err(RevocationError::Malformed("version 1 or 2")),
        };
        if tbs.expect(tag::SEQUENCE, "the signature algorithm")?.raw != signature_algorithm.raw {
            return Err(RevocationError::Malformed("the same signature algorithm inside and outside"));
        }
        let issuer = tbs.expect(tag::SEQUENCE, "the issuer")?.raw;
        crate::x509::check_name(issuer)?;
        let this_update = tbs.element()?.time()?;
        let next_update = match tbs.rest().first() {
            Some(&(tag::UTC_TIME | tag::GENERALIZED_TIME)) => Some(tbs.element()?.time()?),
            Some(_) | None => None,
        };
        let entries = tbs.optional(tag::SEQUENCE)?.map_or(&der[..0], |list| list.value);
        let mut extensions = Extensions::default();
        let mut list = Reader::new(entries);
        while !list.is_empty() {
            check_entry(list.expect(tag::SEQUENCE, "an entry")?, version, &mut extensions)?;
        }
        match tbs.optional(tag::context_constructed(0))? {
            Some(wrapped) if version == 2 => {
                extensions.read(der, single(wrapped.value, tag::SEQUENCE, "the extensions")?)?;
            }
            Some(_) => return Err(RevocationError::Malformed("version 2 for extensions")),
            None => {}
        }
        tbs.end()?;

        let range = |part| range_in(der, part);
        let parts = Parts {
            to_be_signed: range(to_be_signed.raw),
            signature_algorithm: range(signature_algorithm.raw),
            issuer: range(issuer),
            entries: range(entries),
            signature: range(signature),
        };
        let (sha256, der) = (Digest::sha256(der), der.to_vec());
        let verified_by = OnceLock::new();
        Ok(Self(Arc::new(Inner { der, sha256, parts, this_update, next_update, extensions, verified_by })))
    }

    /// The bytes that were read.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER: how reports name the list.
    #[must_use]
    pub fn sha256(&self) -> &Digest {
        &self.0.sha256
    }

    /// When the list was issued.
    #[must_use]
    pub fn this_update(&self) -> Timestamp {
        self.0.this_update
    }

    /// When the next one will be there at the latest; absent in a few lists, which then are never current.
    #[must_use]
    pub fn next_update(&self) -> Option<Timestamp> {
        self.0.next_update
    }

    /// DER of the issuer's Name, as it stands in the list.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        self.part(&self.0.parts.issuer)
    }

    /// Contents octets of cRLNumber (RFC 5280 §5.2.3), if there is one.
    #[must_use]
    pub fn number(&self) -> Option<&[u8]> {
        self.0.extensions.number.as_ref().map(|range| self.part(range))
    }

    pub(super) fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.authority_key_id.as_ref().map(|range| self.part(range))
    }

    pub(super) fn issuing_point(&self) -> Option<&IssuingPoint> {
        self.0.extensions.issuing_point.as_ref()
    }

    /// The time since when certificates stay on the list after their end (expiredCertsOnCRL, ITU-T X.509).
    pub(super) fn expired_since(&self) -> Option<Timestamp> {
        self.0.extensions.expired_since
    }

    /// Whether it lists only what changed since another one.
    pub(super) fn is_delta(&self) -> bool {
        self.0.extensions.is_delta
    }

    /// Why the list as a whole says nothing here.
    pub(super) fn unsupported(&self) -> Option<String> {
        if self.issuing_point().is_some_and(|point| point.is_indirect) {
            return Some("indirect CRLs are not evaluated".to_owned());
        }
        self.0.extensions.unprocessed.as_ref().map(|oid| format!("extension {oid} of a CRL is not evaluated"))
    }

    /// The entry of this serial number (an INTEGER element).
    pub(super) fn entry(&self, serial: &[u8]) -> Option<Entry> {
        let mut list = Reader::new(self.part(&self.0.parts.entries));
        while let Ok(entry) = list.element() {
            if entry.value.starts_with(serial) {
                return read_entry(entry).ok();
            }
        }
        None
    }

    pub(super) fn signature_algorithm(&self) -> Result<SignatureAlgorithm, UnusableAlgorithm> {
        let element = Reader::new(self.part(&self.0.parts.signature_algorithm)).element();
        let identifier = element.and_then(AlgorithmIdentifier::parse);
        SignatureAlgorithm::from_identifier(&identifier.expect("the algorithm was read before"))
    }

    /// Whether this key signed the list.
    pub(super) fn is_signed_by(&self, algorithm: SignatureAlgorithm, key: &PublicKey) -> bool {
        if self.0.verified_by.get() == Some(key) {
            return true;
        }
        let (signed, value) = (self.part(&self.0.parts.to_be_signed), self.part(&self.0.parts.signature));
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

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        self.sha256() == other.sha256()
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("sha256", &self.sha256().to_hex())
            .field("this_update", &self.this_update())
            .field("next_update", &self.next_update())
            .finish_non_exhaustive()
    }
}

/// `SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }`
fn read_entry(entry: Tlv<'_>) -> Result<Entry, Malformed> {
    let mut reader = entry.reader();
    reader.expect(tag::INTEGER, "the serial number of an entry")?;
    let at = reader.element()?.time()?;
    let mut reason = Reason::Unspecified;
    if let Some(extensions) = reader.optional(tag::SEQUENCE)? {
        each_extension(extensions, |id, _, value| {
            if id == oid::CRL_REASON.as_bytes() {
                reason = Reason::from_enumerated(single(value, ENUMERATED, "a CRLReason")?.value)?;
            }
            Ok(())
        })?;
    }
    Ok(Entry { at, reason })
}

/// Entries are checked once so that reading one later cannot fail.
fn check_entry(entry: Tlv<'_>, version: u8, list: &mut Extensions) -> Result<(), Malformed> {
    let mut reader = entry.reader();
    check_integer(reader.expect(tag::INTEGER, "the serial number of an entry")?.value)?;
    reader.element()?.time()?;
    if let Some(extensions) = reader.optional(tag::SEQUENCE)? {
        if version == 1 {
            return Err(Malformed("version 2 for extensions of an entry"));
        }
        each_extension(extensions, |id, critical, value| {
            if id == oid::CRL_REASON.as_bytes() {
                Reason::from_enumerated(single(value, ENUMERATED, "a CRLReason")?.value)?;
            } else if critical && list.unprocessed.is_none() {
                // RFC 5280 §5.3: the list as a whole must not be used then.
                list.unprocessed = Some(oid::to_text(id));
            }
            Ok(())
        })?;
    }
    reader.end()
}

impl Extensions {
    fn read(&mut self, der: &[u8], extensions: Tlv<'_>) -> Result<(), Malformed> {
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut found = Vec::new();
        each_extension(extensions, |id, critical, value| {
            found.push((id, critical, value));
            Ok(())
        })?;
        for (id, critical, value) in found {
            if seen.contains(&id) {
                return Err(Malformed("each extension only once"));
            }
            seen.push(id);
            let is = |known: const_oid::ObjectIdentifier| known.as_bytes() == id;
            if is(oid::AUTHORITY_KEY_IDENTIFIER) {
                let mut reader = single(value, tag::SEQUENCE, "an AuthorityKeyIdentifier")?.reader();
                self.authority_key_id =
                    reader.optional(tag::context(0))?.map(|key_id| range_in(der, key_id.value));
            } else if is(oid::CRL_NUMBER) {
                let number = single(value, tag::INTEGER, "a CRLNumber")?;
                number.unsigned()?;
                self.number = Some(range_in(der, number.value));
            } else if is(oid::ISSUING_DISTRIBUTION_POINT) {
                self.issuing_point = Some(IssuingPoint::parse(value)?);
            } else if is(oid::DELTA_CRL_INDICATOR) {
                self.is_delta = true;
            } else if is(oid::EXPIRED_CERTS_ON_CRL) {
                let since = single(value, tag::GENERALIZED_TIME, "the time of expiredCertsOnCRL")?;
                self.expired_since = Some(since.time()?);
            } else if critical && self.unprocessed.is_none() {
                self.unprocessed = Some(oid::to_text(id));
            }
        }
        Ok(())
    }
}

/// `Extension ::= SEQUENCE { extnID OID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }`
pub(super) fn each_extension<'a>(
    extensions: Tlv<'a>,
    mut visit: impl FnMut(&'a [u8], bool, &'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut reader = extensions.reader();
    while !reader.is_empty() {
        let mut extension = reader.expect(tag::SEQUENCE, "an Extension")?.reader();
        let id = extension.expect(tag::OID, "the identifier of an extension")?.value;
        let critical = match extension.optional(tag::BOOLEAN)? {
            Some(critical) => critical.boolean()?,
            None => false,
        };
        let value = extension.expect(tag::OCTET_STRING, "the value of an extension")?.value;
        extension.end()?;
        visit(id, critical, value)?;
    }
    Ok(())
}
