//! The certificate itself.

use core::fmt;
use core::ops::Range;
use std::sync::{Arc, OnceLock};

use super::extensions::Extensions;
use super::{
    AlgorithmIdentifier, KeyError, PublicKey, SignatureAlgorithm, UnusableAlgorithm, VerifyError, name,
};
use crate::digest::{Digest, to_hex};
use crate::flow::HolderKind;
use crate::icp_brasil::{IcpType, Identity};
use crate::tlv::{self, Malformed, single, tag};
use crate::wire::{CertificateView, SignerView};
use crate::{ErrorCode, Timestamp, oid};

/// An X.509 certificate, kept as the bytes it was read from. A clone is cheap.
///
/// `Debug` prints serial number and SHA-256 only: the subject of an ICP-Brasil certificate holds a CPF.
///
/// **Source**: RFC 5280 §4.1.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    sha256: Digest,
    version: u8,
    parts: Parts,
    not_before: Timestamp,
    not_after: Timestamp,
    extensions: Extensions,
    /// Parsed when it is asked for.
    public_key: OnceLock<Result<PublicKey, KeyError>>,
}

/// Positions in the DER. Each covers tag, length and value except where it says otherwise.
struct Parts {
    to_be_signed: Range<usize>,
    serial: Range<usize>,
    /// Contents octets only.
    serial_value: Range<usize>,
    signature_algorithm: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    public_key: Range<usize>,
    /// The bits alone, without the octet that counts unused ones.
    signature: Range<usize>,
}

/// The bytes are not a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The DER cannot be read; the text says what was expected.
    #[error("the certificate cannot be read: {0} was expected")]
    Malformed(&'static str),
    /// The PEM text cannot be read; the text says what was expected.
    #[error("the PEM text cannot be read: {0} was expected")]
    Pem(&'static str),
}

impl CertificateError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) | Self::Pem(_) => ErrorCode::CertificateMalformed,
        }
    }
}

impl From<Malformed> for CertificateError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.0)
    }
}

impl Certificate {
    /// Reads one certificate in DER, with nothing behind it.
    ///
    /// # Errors
    /// `certificate_malformed`.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let mut outer = single(der, tag::SEQUENCE, "a Certificate")?.reader();
        let to_be_signed = outer.expect(tag::SEQUENCE, "a TBSCertificate")?;
        let signature_algorithm = outer.expect(tag::SEQUENCE, "the signature algorithm")?;
        AlgorithmIdentifier::parse(signature_algorithm)?;
        let signature = outer.expect(tag::BIT_STRING, "the signature of the issuer")?.bit_string_bytes()?;
        outer.end()?;

        let mut tbs = to_be_signed.reader();
        let version = match tbs.optional(tag::context_constructed(0))? {
            None => 1,
            Some(wrapped) => match single(wrapped.value, tag::INTEGER, "the version")?.value {
                [1] => 2,
                [2] => 3,
                _ => return Err(CertificateError::Malformed("version 1, 2 or 3")),
            },
        };
        let serial = tbs.expect(tag::INTEGER, "the serial number")?;
        tlv::check_integer(serial.value)?;
        // RFC 5280 §4.1.1.2: the algorithm is stated twice so that it cannot be swapped afterwards.
        if tbs.expect(tag::SEQUENCE, "the signature algorithm")?.raw != signature_algorithm.raw {
            return Err(CertificateError::Malformed("the same signature algorithm inside and outside"));
        }
        let issuer = tbs.expect(tag::SEQUENCE, "the issuer")?.raw;
        name::check(issuer)?;
        let mut validity = tbs.expect(tag::SEQUENCE, "the validity")?.reader();
        let (not_before, not_after) = (validity.element()?.time()?, validity.element()?.time()?);
        validity.end()?;
        let subject = tbs.expect(tag::SEQUENCE, "the subject")?.raw;
        name::check(subject)?;
        let public_key = tbs.expect(tag::SEQUENCE, "the public key")?.raw;
        for unique_id in [1, 2] {
            tbs.optional(tag::context(unique_id))?;
        }
        let extensions = match tbs.optional(tag::context_constructed(3))? {
            Some(wrapped) if version == 3 => {
                Extensions::parse(der, single(wrapped.value, tag::SEQUENCE, "the extensions")?)?
            }
            Some(_) => return Err(CertificateError::Malformed("version 3 for extensions")),
            None => Extensions::default(),
        };
        tbs.end()?;

        let range = |part| tlv::range_in(der, part);
        let parts = Parts {
            to_be_signed: range(to_be_signed.raw),
            serial: range(serial.raw),
            serial_value: range(serial.value),
            signature_algorithm: range(signature_algorithm.raw),
            issuer: range(issuer),
            subject: range(subject),
            public_key: range(public_key),
            signature: range(signature),
        };
        let sha256 = Digest::sha256(der);
        let inner = Inner {
            der: der.to_vec(),
            sha256,
            version,
            parts,
            not_before,
            not_after,
            extensions,
            public_key: OnceLock::new(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The bytes that were read.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER: how this product names a certificate.
    #[must_use]
    pub fn sha256(&self) -> &Digest {
        &self.0.sha256
    }

    /// Common name of the subject, or its unit or organisation, or empty. In ICP-Brasil certificates it ends in
    /// `:` and the CPF or CNPJ, so it must not be logged; [`Certificate::view`] is fit for screens.
    #[must_use]
    pub fn subject_common_name(&self) -> String {
        common_name(self.subject())
    }

    /// Common name of the issuer, or its unit or organisation, or empty.
    #[must_use]
    pub fn issuer_common_name(&self) -> String {
        common_name(self.issuer())
    }

    /// Serial number, lower-case hexadecimal without the sign octet.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        let value = self.part(&self.0.parts.serial_value);
        to_hex(
            if let [0, rest @ ..] = value
                && !rest.is_empty()
            {
                rest
            } else {
                value
            },
        )
    }

    /// Start of validity.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    /// End of validity; the last second is still valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// Whether `at` lies within the validity.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        // Certificates count whole seconds, the last one included.
        self.0.not_before <= at && at.unix_ms() / 1000 <= self.0.not_after.unix_ms() / 1000
    }

    /// Public key.
    ///
    /// # Errors
    /// [`KeyError`]: `key_unsupported` or `certificate_malformed`. A certificate with a key that is not
    /// supported can still be read, stored and shown.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        self.0.public_key.get_or_init(|| PublicKey::from_spki_der(self.public_key_der())).clone()
    }

    /// DER of the SubjectPublicKeyInfo: equal bytes mean the same key.
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        self.part(&self.0.parts.public_key)
    }

    /// Who the certificate is for, by the rules of ICP-Brasil.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::of(self)
    }

    /// What may be shown of the certificate: masked identifier, nothing else that is personal.
    #[must_use]
    pub fn view(&self) -> CertificateView {
        let identity = self.identity();
        let identifier_masked = identity.shown_identifier().map(|identifier| identifier.masked());
        let icp_type = identity.icp_type.map(IcpType::as_str);
        let kind = icp_type.map(|_| HolderKind::of(icp_type, identifier_masked.as_deref()));
        CertificateView {
            holder: SignerView { identifier_masked, name: identity.name },
            issuer: self.issuer_common_name(),
            serial: self.serial_hex(),
            sha256: self.sha256().to_hex(),
            icp_type: icp_type.map(ToOwned::to_owned),
            holder_kind: kind.map(|kind| kind.as_str().to_owned()),
            policy: self.shown_policy(),
            key: self.public_key().ok().map(|key| key.describe()),
            not_before: self.not_before(),
            not_after: self.not_after(),
        }
    }

    /// The policy that gives the ICP-Brasil type, or else the first one.
    fn shown_policy(&self) -> Option<String> {
        let policies = || self.extensions().policies.iter().map(|range| self.part(range));
        let shown = policies().find(|policy| IcpType::from_policy(policy).is_some()).or(policies().next());
        shown.map(oid::to_text)
    }

    /// DER of the issuer's Name.
    pub(crate) fn issuer(&self) -> &[u8] {
        self.part(&self.0.parts.issuer)
    }

    /// DER of the subject's Name. It holds personal data: never log it.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.part(&self.0.parts.subject)
    }

    /// The serial number as an INTEGER element.
    pub(crate) fn serial(&self) -> &[u8] {
        self.part(&self.0.parts.serial)
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Contents of subjectKeyIdentifier.
    pub(crate) fn subject_key_id(&self) -> Option<&[u8]> {
        self.extensions().subject_key_id.as_ref().map(|range| self.part(range))
    }

    /// Contents of the key identifier in authorityKeyIdentifier.
    pub(crate) fn authority_key_id(&self) -> Option<&[u8]> {
        self.extensions().authority_key_id.as_ref().map(|range| self.part(range))
    }

    /// Whether extKeyUsage is there and names this usage.
    pub(crate) fn has_extended_key_usage(&self, usage: const_oid::ObjectIdentifier) -> bool {
        let usages = self.extensions().extended_key_usages.as_deref().unwrap_or_default();
        usages.iter().any(|range| self.part(range) == usage.as_bytes())
    }

    pub(crate) fn version(&self) -> u8 {
        self.0.version
    }

    /// Bytes of a range that [`Extensions`] holds.
    pub(crate) fn part(&self, range: &Range<usize>) -> &[u8] {
        &self.0.der[range.clone()]
    }

    /// Algorithm of the issuer's signature.
    pub(crate) fn signature_algorithm(&self) -> Result<SignatureAlgorithm, UnusableAlgorithm> {
        let element = tlv::Reader::new(self.part(&self.0.parts.signature_algorithm)).element();
        let identifier = element.and_then(AlgorithmIdentifier::parse);
        SignatureAlgorithm::from_identifier(&identifier.expect("the algorithm was read before"))
    }

    /// Verifies the issuer's signature with the issuer's key.
    pub(crate) fn verify_issued_by(
        &self,
        algorithm: SignatureAlgorithm,
        issuer: &PublicKey,
    ) -> Result<(), VerifyError> {
        let signed = self.part(&self.0.parts.to_be_signed);
        issuer.verify_message(algorithm, signed, self.part(&self.0.parts.signature))
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial_hex())
            .field("sha256", &self.sha256().to_hex())
            .finish_non_exhaustive()
    }
}

fn common_name(name: &[u8]) -> String {
    [oid::COMMON_NAME, oid::ORGANIZATIONAL_UNIT, oid::ORGANIZATION]
        .iter()
        .find_map(|wanted| name::attribute(name, wanted))
        .unwrap_or_default()
}
