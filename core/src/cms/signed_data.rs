//! Reading of SignedData.

use super::attributes::{UnsignedAttribute, read_unsigned};
use super::{CmsError, ber};
use crate::digest::DigestAlgorithm;
use crate::oid;
use crate::tlv::{Malformed, Reader, Tlv, single, tag};
use crate::x509::{AlgorithmIdentifier, Certificate, SignatureAlgorithm, UnusableAlgorithm};

/// Largest structure that is read, with its content if that is inside.
pub(super) const MAX_BYTES: usize = 64 << 20;
pub(super) const MAX_CERTIFICATES: usize = 1_000;
pub(super) const MAX_REVOCATION: usize = 1_000;
pub(super) const MAX_SIGNERS: usize = 100;

/// A SignedData as read (RFC 5652 §5.1). Reading does not verify anything.
#[derive(Debug, Clone)]
pub struct SignedData {
    digest_algorithms: Vec<Vec<u8>>,
    content_type: Vec<u8>,
    content: Option<Vec<u8>>,
    certificates: Vec<Certificate>,
    skipped_certificates: usize,
    crls: Vec<Vec<u8>>,
    ocsp_responses: Vec<Vec<u8>>,
    skipped_revocation: usize,
    signers: Vec<SignerInfo>,
    ber: bool,
}

/// One signer (RFC 5652 §5.3).
#[derive(Debug, Clone)]
pub struct SignerInfo {
    /// How the signer's certificate is named.
    pub id: SignerId,
    /// DER of the signed attributes with tag `31`, in the order of the file; `None` when there are none.
    pub signed_attributes: Option<Vec<u8>>,
    /// The signature value.
    pub value: Vec<u8>,
    unsigned_attributes: Vec<UnsignedAttribute>,
    digest_algorithm: Vec<u8>,
    signature_algorithm: Vec<u8>,
}

/// `SignerIdentifier ::= CHOICE { issuerAndSerialNumber, subjectKeyIdentifier [0] }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerId {
    /// Issuer and serial number, both in DER.
    IssuerAndSerial {
        /// The issuer's Name.
        issuer: Vec<u8>,
        /// The INTEGER.
        serial: Vec<u8>,
    },
    /// subjectKeyIdentifier of the certificate.
    SubjectKeyId(Vec<u8>),
}

impl SignedData {
    /// Reads a ContentInfo with SignedData: DER, or BER with indefinite lengths. Nothing may follow.
    ///
    /// # Errors
    /// `cms_malformed`; `limit_exceeded` above 64 MiB, 1 000 certificates, 1 000 pieces of revocation data, 100
    /// signers, 100 signed and 500 unsigned attributes of each, or 32 levels.
    pub fn parse(bytes: &[u8]) -> Result<Self, CmsError> {
        Self::parse_among(bytes, &[])
    }

    /// The same; certificates that are there byte for byte as in `known` are not read a second time.
    ///
    /// # Errors
    /// As [`SignedData::parse`].
    pub fn parse_among(bytes: &[u8], known: &[&Certificate]) -> Result<Self, CmsError> {
        Self::parse_before(bytes, known, |rest| rest.is_empty())
    }

    /// Reads the value of a PDF's `Contents`: the same, followed by any number of zero bytes.
    ///
    /// # Errors
    /// As [`SignedData::parse`].
    pub fn parse_zero_padded(bytes: &[u8]) -> Result<Self, CmsError> {
        Self::parse_before(bytes, &[], |rest| rest.iter().all(|byte| *byte == 0))
    }

    fn parse_before(
        bytes: &[u8],
        known: &[&Certificate],
        may_follow: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, CmsError> {
        if bytes.len() > MAX_BYTES {
            return Err(CmsError::Limit("at most 64 MiB"));
        }
        let der = Reader::new(bytes).element().ok().filter(|element| may_follow(&bytes[element.raw.len()..]));
        let strict = match der {
            Some(element) => Self::parse_der(element, known),
            None => Err(Malformed("one ContentInfo and nothing behind it")),
        };
        if let Ok(parsed) = strict {
            return Ok(parsed);
        }
        // Only what BER allows more than DER can make a second attempt succeed.
        let (converted, read) = match ber::to_der(bytes).map_err(CmsError::from) {
            Ok(converted) => converted,
            Err(limit @ CmsError::Limit(_)) => return Err(limit),
            Err(_) => return strict.map_err(CmsError::from),
        };
        if converted == bytes[..read] {
            return strict.map_err(CmsError::from);
        }
        if !may_follow(&bytes[read..]) {
            return Err(CmsError::Malformed("one ContentInfo and nothing behind it"));
        }
        let parsed = Self::parse_der(single(&converted, tag::SEQUENCE, "a ContentInfo")?, known)?;
        Ok(Self { ber: true, ..parsed })
    }

    fn parse_der(content_info: Tlv<'_>, known: &[&Certificate]) -> Result<Self, Malformed> {
        let content_info = single(content_info.raw, tag::SEQUENCE, "a ContentInfo")?;
        let mut reader = content_info.reader();
        if reader.expect(tag::OID, "the content type")?.value != oid::SIGNED_DATA.as_bytes() {
            return Err(Malformed("the content type id-signedData"));
        }
        let wrapped = reader.expect(tag::context_constructed(0), "the SignedData")?;
        reader.end()?;

        let mut reader = single(wrapped.value, tag::SEQUENCE, "a SignedData")?.reader();
        let version = reader.expect(tag::INTEGER, "the version")?.small_unsigned()?;
        if !(1..=5).contains(&version) {
            return Err(Malformed("a version from 1 to 5"));
        }
        let mut algorithms = reader.expect(tag::SET, "the digest algorithms")?.reader();
        let mut digest_algorithms = Vec::new();
        while !algorithms.is_empty() {
            digest_algorithms.push(AlgorithmIdentifier::read(&mut algorithms)?.oid.to_vec());
        }
        let (content_type, content) = encapsulated_content(&mut reader)?;
        let (certificates, skipped_certificates) = match reader.optional(tag::context_constructed(0))? {
            Some(set) => read_certificates(set, known)?,
            None => (Vec::new(), 0),
        };
        let revocation = match reader.optional(tag::context_constructed(1))? {
            Some(set) => Revocation::read(set)?,
            None => Revocation::default(),
        };
        let mut infos = reader.expect(tag::SET, "the signers")?.reader();
        reader.end()?;
        let mut signers = Vec::new();
        while !infos.is_empty() {
            if signers.len() == MAX_SIGNERS {
                return Err(Malformed("at most 100 signers"));
            }
            signers.push(SignerInfo::parse(infos.expect(tag::SEQUENCE, "a SignerInfo")?)?);
        }
        Ok(Self {
            digest_algorithms,
            content_type,
            content,
            certificates,
            skipped_certificates,
            crls: revocation.crls,
            ocsp_responses: revocation.ocsp_responses,
            skipped_revocation: revocation.skipped,
            signers,
            ber: false,
        })
    }

    /// Certificates in the order of the file; since it is a SET, the order means nothing.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The certificates, by value.
    #[must_use]
    pub fn into_certificates(self) -> Vec<Certificate> {
        self.certificates
    }

    /// Entries among the certificates that could not be read: attribute certificates or broken ones.
    #[must_use]
    pub const fn skipped_certificates(&self) -> usize {
        self.skipped_certificates
    }

    /// CRLs in DER, not read further (RFC 5652 §10.2.1).
    #[must_use]
    pub fn crls(&self) -> &[Vec<u8>] {
        &self.crls
    }

    /// OCSPResponses in DER, not read further (RFC 5940 §2.1).
    #[must_use]
    pub fn ocsp_responses(&self) -> &[Vec<u8>] {
        &self.ocsp_responses
    }

    /// Entries of the revocation data that are of another kind than CRL and OCSP response.
    #[must_use]
    pub const fn skipped_revocation(&self) -> usize {
        self.skipped_revocation
    }

    /// Signers.
    #[must_use]
    pub fn signers(&self) -> &[SignerInfo] {
        &self.signers
    }

    /// The content, when the signature is not detached.
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// Whether the structure was in BER and not in DER.
    #[must_use]
    pub const fn is_ber(&self) -> bool {
        self.ber
    }

    /// The only certificate that `id` names. `None` when there is none or more than one.
    #[must_use]
    pub fn certificate_of(&self, id: &SignerId) -> Option<&Certificate> {
        id.find(&self.certificates)
    }

    /// Contents octets of eContentType.
    pub(crate) fn content_type(&self) -> &[u8] {
        &self.content_type
    }

    /// Contents octets of the identifiers in digestAlgorithms.
    pub(crate) fn digest_algorithms(&self) -> &[Vec<u8>] {
        &self.digest_algorithms
    }
}

impl SignerId {
    /// The only certificate among `candidates` that this names. `None` when there is none or more than one.
    #[must_use]
    pub fn find<'c>(&self, candidates: &'c [Certificate]) -> Option<&'c Certificate> {
        let mut matching = candidates.iter().filter(|certificate| self.names(certificate));
        let first = matching.next()?;
        matching.all(|other| other == first).then_some(first)
    }

    /// Whether this names the certificate.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                issuer == certificate.issuer() && serial == certificate.serial()
            }
            Self::SubjectKeyId(id) => {
                let own = certificate.extensions().subject_key_id.as_ref();
                own.is_some_and(|range| certificate.part(range) == id)
            }
        }
    }
}

impl SignerInfo {
    /// Reads one SignerInfo: of a SignedData, or of a counter-signature.
    pub(crate) fn parse(info: Tlv<'_>) -> Result<Self, Malformed> {
        let mut reader = info.reader();
        let version = reader.expect(tag::INTEGER, "the version of a SignerInfo")?.small_unsigned()?;
        let id = match reader.optional(tag::context(0))? {
            Some(key_id) => SignerId::SubjectKeyId(key_id.value.to_vec()),
            None => {
                let mut pair = reader.expect(tag::SEQUENCE, "the signer's certificate")?.reader();
                let issuer = pair.expect(tag::SEQUENCE, "the issuer")?.raw.to_vec();
                let serial = pair.expect(tag::INTEGER, "the serial number")?.raw.to_vec();
                pair.end()?;
                SignerId::IssuerAndSerial { issuer, serial }
            }
        };
        if !matches!(version, 1 | 3) {
            return Err(Malformed("version 1 or 3 of a SignerInfo"));
        }
        let digest_algorithm = AlgorithmIdentifier::read(&mut reader)?.oid.to_vec();
        let signed_attributes = reader.optional(tag::context_constructed(0))?.map(|stored| {
            // Stored with tag a0, signed with tag 31; the length octets are the same.
            let mut set = stored.raw.to_vec();
            set[0] = tag::SET;
            set
        });
        let signature_algorithm = reader.expect(tag::SEQUENCE, "the signature algorithm")?;
        AlgorithmIdentifier::parse(signature_algorithm)?;
        let value = reader.expect(tag::OCTET_STRING, "the signature value")?.value.to_vec();
        let unsigned_attributes = match reader.optional(tag::context_constructed(1))? {
            Some(set) => read_unsigned(set)?,
            None => Vec::new(),
        };
        reader.end()?;
        Ok(Self {
            id,
            signed_attributes,
            value,
            unsigned_attributes,
            digest_algorithm,
            signature_algorithm: signature_algorithm.raw.to_vec(),
        })
    }

    /// Unsigned attributes, such as time stamps, in the order of the file. Nobody signed them: each one has
    /// to prove itself.
    #[must_use]
    pub fn unsigned_attributes(&self) -> &[UnsignedAttribute] {
        &self.unsigned_attributes
    }

    /// Types among the unsigned attributes that count only when they are signed, dotted (RFC 5652 §11, RFC 5035 §3,
    /// RFC 5126 §5.8): there they say nothing and may be meant to deceive.
    #[must_use]
    pub fn misplaced_attributes(&self) -> Vec<String> {
        let signed_only = [
            oid::CONTENT_TYPE,
            oid::MESSAGE_DIGEST,
            oid::SIGNING_TIME,
            oid::SIGNING_CERTIFICATE_V1,
            oid::SIGNING_CERTIFICATE_V2,
            oid::SIGNATURE_POLICY,
            oid::CONTENT_TIME_STAMP,
        ];
        let misplaced = self.unsigned_attributes.iter();
        let misplaced = misplaced.filter(|attribute| signed_only.iter().any(|kind| attribute.is(*kind)));
        misplaced.map(UnsignedAttribute::kind).collect()
    }

    /// Counter-signatures: signers of this signer's value (RFC 5652 §11.4), from every attribute of the type.
    ///
    /// # Errors
    /// `cms_malformed`: one of them is not a SignerInfo.
    pub fn counter_signatures(&self) -> Result<Vec<Self>, CmsError> {
        let attributes =
            self.unsigned_attributes.iter().filter(|attribute| attribute.is(oid::COUNTER_SIGNATURE));
        let values = attributes.flat_map(UnsignedAttribute::values);
        values.map(|value| Ok(Self::parse(single(value, tag::SEQUENCE, "a counter-signature")?)?)).collect()
    }

    /// Contents octets of the digest algorithm.
    pub(crate) fn digest_algorithm(&self) -> &[u8] {
        &self.digest_algorithm
    }

    /// Contents octets of the signature algorithm.
    pub(crate) fn signature_algorithm_oid(&self) -> &[u8] {
        self.signature_identifier().oid
    }

    /// The signature algorithm. `rsaEncryption`, which many Brazilian files name, takes its digest from
    /// the digest algorithm beside it.
    pub(crate) fn signature_algorithm(&self) -> Result<SignatureAlgorithm, UnusableAlgorithm> {
        let identifier = self.signature_identifier();
        if identifier.oid != oid::RSA_ENCRYPTION.as_bytes() {
            return SignatureAlgorithm::from_identifier(&identifier);
        }
        if [oid::SHA1, oid::MD5].iter().any(|weak| weak.as_bytes() == self.digest_algorithm) {
            return Err(UnusableAlgorithm::Weak(oid::to_text(&self.digest_algorithm)));
        }
        DigestAlgorithm::from_oid(&self.digest_algorithm)
            .map(SignatureAlgorithm::rsa_pkcs1)
            .ok_or_else(|| UnusableAlgorithm::Unknown(oid::to_text(&self.digest_algorithm)))
    }

    fn signature_identifier(&self) -> AlgorithmIdentifier<'_> {
        let element = Reader::new(&self.signature_algorithm).element();
        element.and_then(AlgorithmIdentifier::parse).expect("the algorithm was read before")
    }
}

/// `EncapsulatedContentInfo ::= SEQUENCE { eContentType OID, eContent [0] EXPLICIT OCTET STRING OPTIONAL }`
fn encapsulated_content(reader: &mut Reader<'_>) -> Result<(Vec<u8>, Option<Vec<u8>>), Malformed> {
    let mut reader = reader.expect(tag::SEQUENCE, "the encapsulated content")?.reader();
    let content_type = reader.expect(tag::OID, "the type of the content")?.value.to_vec();
    let content = match reader.optional(tag::context_constructed(0))? {
        None => None,
        Some(wrapped) => {
            Some(single(wrapped.value, tag::OCTET_STRING, "content as an OCTET STRING")?.value.to_vec())
        }
    };
    reader.end()?;
    Ok((content_type, content))
}

/// `RevocationInfoChoices ::= SET OF CHOICE { crl CertificateList, other [1] IMPLICIT
/// SEQUENCE { otherRevInfoFormat OID, otherRevInfo ANY } }`
#[derive(Default)]
struct Revocation {
    crls: Vec<Vec<u8>>,
    ocsp_responses: Vec<Vec<u8>>,
    skipped: usize,
}

impl Revocation {
    fn read(set: Tlv<'_>) -> Result<Self, Malformed> {
        let mut read = Self::default();
        let mut reader = set.reader();
        while !reader.is_empty() {
            let choice = reader.element()?;
            if choice.tag == tag::SEQUENCE {
                read.crls.push(choice.raw.to_vec());
            } else if let Some(response) = ocsp_response(choice) {
                read.ocsp_responses.push(response.to_vec());
            } else {
                read.skipped += 1;
            }
            if read.crls.len() + read.ocsp_responses.len() + read.skipped > MAX_REVOCATION {
                return Err(Malformed("at most 1000 pieces of revocation data"));
            }
        }
        Ok(read)
    }
}

/// The response in an element of crls that is other revocation information (RFC 5940 §2.1).
pub(crate) fn ocsp_response(choice: Tlv<'_>) -> Option<&[u8]> {
    let mut reader = (choice.tag == tag::context_constructed(1)).then(|| choice.reader())?;
    let format = reader.expect(tag::OID, "the format of revocation data").ok()?;
    let response = reader.expect(tag::SEQUENCE, "an OCSPResponse").ok()?;
    (format.value == oid::REVOCATION_INFO_OCSP.as_bytes() && reader.is_empty()).then_some(response.raw)
}

fn read_certificates(set: Tlv<'_>, known: &[&Certificate]) -> Result<(Vec<Certificate>, usize), Malformed> {
    let (mut certificates, mut skipped) = (Vec::new(), 0);
    let mut reader = set.reader();
    while !reader.is_empty() {
        let choice = reader.element()?;
        let same = known.iter().find(|certificate| certificate.der() == choice.raw);
        match same.map_or_else(|| Certificate::from_der(choice.raw), |same| Ok((*same).clone())) {
            Ok(certificate) => certificates.push(certificate),
            Err(_) => skipped += 1,
        }
        if certificates.len() + skipped > MAX_CERTIFICATES {
            return Err(Malformed("at most 1000 certificates"));
        }
    }
    Ok((certificates, skipped))
}

#[cfg(test)]
mod tests;
