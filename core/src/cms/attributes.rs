//! Signed attributes: `SET OF Attribute`, `Attribute ::= SEQUENCE { type OID, values SET OF ANY }`.
//!
//! What is signed is the DER of the SET (tag `31`); what is stored is the same with tag `a0`
//! (RFC 5652 §5.4).

use const_oid::ObjectIdentifier;

use super::CmsError;
use crate::digest::{Digest, DigestAlgorithm, sha1};
use crate::icp_brasil::signature_policy::SignaturePolicy;
use crate::tlv::{Malformed, Reader, Tlv, encode, encode_set_of, single, tag};
use crate::x509::{AlgorithmIdentifier, Certificate};
use crate::{Timestamp, oid};

/// More than any signature needs. Each is compared with all others.
const MAX_SIGNED: usize = 100;

/// DER of the attributes as they are signed.
pub(super) fn encode_attributes(attributes: Vec<Vec<u8>>) -> Vec<u8> {
    encode_set_of(tag::SET, attributes)
}

/// content-type with id-data (RFC 5652 §11.1).
pub(super) fn content_type() -> Vec<u8> {
    attribute(oid::CONTENT_TYPE, &encode(tag::OID, &[oid::DATA.as_bytes()]))
}

/// message-digest (RFC 5652 §11.2).
pub(super) fn message_digest(digest: &Digest) -> Vec<u8> {
    attribute(oid::MESSAGE_DIGEST, &encode(tag::OCTET_STRING, &[digest.as_bytes()]))
}

/// signing-time (RFC 5652 §11.3): UTCTime until 2049, GeneralizedTime after.
pub(super) fn signing_time(time: Timestamp) -> Vec<u8> {
    let date = time.to_date_time();
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        date.month(),
        date.day(),
        date.hour(),
        date.minutes(),
        date.seconds()
    );
    let value = if date.year() < 2050 {
        encode(tag::UTC_TIME, &[format!("{:02}{rest}", date.year() % 100).as_bytes()])
    } else {
        encode(tag::GENERALIZED_TIME, &[format!("{:04}{rest}", date.year()).as_bytes()])
    };
    attribute(oid::SIGNING_TIME, &value)
}

/// signing-certificate-v2 (RFC 5035 §3): one ESSCertIDv2 with SHA-256, whose hashAlgorithm is therefore
/// the DEFAULT and left out. `issuer_serial` holds the Name and the INTEGER as the certificate has them.
pub(super) fn signing_certificate_v2(sha256: &[u8], issuer_serial: Option<(&[u8], &[u8])>) -> Vec<u8> {
    let hash = encode(tag::OCTET_STRING, &[sha256]);
    let issuer_serial = issuer_serial.map_or_else(Vec::new, |(issuer, serial)| {
        let directory_name = encode(tag::context_constructed(4), &[issuer]);
        encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&directory_name]), serial])
    });
    let reference = encode(tag::SEQUENCE, &[&hash, &issuer_serial]);
    let references = encode(tag::SEQUENCE, &[&reference]);
    attribute(oid::SIGNING_CERTIFICATE_V2, &encode(tag::SEQUENCE, &[&references]))
}

/// signature-policy-identifier (RFC 5126 §5.8.1) with the address of the policy as its only qualifier.
///
/// Hash algorithm without parameters: the official verifier compares the encoding.
pub(super) fn signature_policy_identifier(policy: &SignaturePolicy) -> Vec<u8> {
    let identifier = |identifier: ObjectIdentifier| encode(tag::OID, &[identifier.as_bytes()]);
    let hash = encode(
        tag::SEQUENCE,
        &[&encode(tag::SEQUENCE, &[&identifier(oid::SHA256)]), &encode(tag::OCTET_STRING, &[&policy.hash])],
    );
    let uri = encode(tag::IA5_STRING, &[policy.uri().as_bytes()]);
    let qualifier = encode(tag::SEQUENCE, &[&identifier(oid::SIGNATURE_POLICY_URI), &uri]);
    let qualifiers = encode(tag::SEQUENCE, &[&qualifier]);
    let value = encode(tag::SEQUENCE, &[&identifier(policy.identifier()), &hash, &qualifiers]);
    attribute(oid::SIGNATURE_POLICY, &value)
}

/// One attribute with one value.
pub(super) fn attribute(kind: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    let kind = encode(tag::OID, &[kind.as_bytes()]);
    encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[value])])
}

/// Signed attributes as read. Every type occurs once, every attribute has one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedAttributes {
    kinds: Vec<Vec<u8>>,
    /// The value of each of `kinds`, as an element.
    values: Vec<Vec<u8>>,
    sorted: bool,
    content_type: Option<Vec<u8>>,
    message_digest: Option<Vec<u8>>,
    signing_time: Option<Timestamp>,
    signing_certificate: Option<SigningCertificate>,
    algorithm_protection: Option<(Vec<u8>, Option<Vec<u8>>)>,
}

/// What signing-certificate-v2 says about the signer's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningCertificate {
    /// Hash of the certificate; `None` when its algorithm is not accepted.
    pub hash: Option<Digest>,
    /// Issuer Name and serial INTEGER, both DER.
    pub(crate) issuer_serial: Option<(Vec<u8>, Vec<u8>)>,
    /// How many certificates are referenced; the first is the signer's. ICP-Brasil allows one only.
    pub references: usize,
}

impl SignedAttributes {
    /// Reads the `SET OF Attribute` as it is signed (first byte `31`).
    ///
    /// An order that is not DER is accepted and remembered: one in three Brazilian signatures has it.
    ///
    /// # Errors
    /// `cms_malformed`: not a SET of attributes, a type twice, an attribute without exactly one value,
    /// or a known attribute that cannot be read.
    pub fn parse(set: &[u8]) -> Result<Self, CmsError> {
        let mut parsed = Self {
            kinds: Vec::new(),
            values: Vec::new(),
            sorted: true,
            content_type: None,
            message_digest: None,
            signing_time: None,
            signing_certificate: None,
            algorithm_protection: None,
        };
        let mut previous: &[u8] = &[];
        let mut reader = single(set, tag::SET, "a SET of signed attributes")?.reader();
        while !reader.is_empty() {
            let attribute = reader.expect(tag::SEQUENCE, "an Attribute")?;
            parsed.sorted &= previous <= attribute.raw;
            previous = attribute.raw;
            parsed.take(attribute)?;
        }
        Ok(parsed)
    }

    fn take(&mut self, attribute: Tlv<'_>) -> Result<(), Malformed> {
        let mut reader = attribute.reader();
        let kind = reader.expect(tag::OID, "the type of an attribute")?.value;
        let mut values = reader.expect(tag::SET, "the values of an attribute")?.reader();
        reader.end()?;
        let value = values.element()?;
        if !values.is_empty() {
            return Err(Malformed("one value per signed attribute"));
        }
        if self.kinds.len() == MAX_SIGNED {
            return Err(Malformed("at most 100 signed attributes"));
        }
        if self.kinds.iter().any(|seen| seen == kind) {
            return Err(Malformed("each signed attribute only once"));
        }
        self.kinds.push(kind.to_vec());
        self.values.push(value.raw.to_vec());

        let is = |known: ObjectIdentifier| known.as_bytes() == kind;
        let expect = |tag, what| single(value.raw, tag, what);
        if is(oid::CONTENT_TYPE) {
            self.content_type = Some(expect(tag::OID, "an identifier in content-type")?.value.to_vec());
        } else if is(oid::MESSAGE_DIGEST) {
            let digest = expect(tag::OCTET_STRING, "an OCTET STRING in message-digest")?;
            self.message_digest = Some(digest.value.to_vec());
        } else if is(oid::SIGNING_TIME) {
            self.signing_time = Some(value.time()?);
        } else if is(oid::SIGNING_CERTIFICATE_V2) {
            self.signing_certificate = Some(SigningCertificate::parse(value)?);
        } else if is(oid::CMS_ALGORITHM_PROTECTION) {
            self.algorithm_protection = Some(algorithm_protection(value)?);
        }
        Ok(())
    }

    /// message-digest: digest of the content.
    #[must_use]
    pub fn message_digest(&self) -> Option<&[u8]> {
        self.message_digest.as_deref()
    }

    /// signing-time: a claim of the signer, not a proof.
    #[must_use]
    pub const fn signing_time(&self) -> Option<Timestamp> {
        self.signing_time
    }

    /// signing-certificate-v2.
    #[must_use]
    pub const fn signing_certificate(&self) -> Option<&SigningCertificate> {
        self.signing_certificate.as_ref()
    }

    /// The policy that the signature declares; `None` when there is none or it cannot be read. Whether
    /// the attribute is there at all: [`SignedAttributes::declares_policy`].
    #[must_use]
    pub fn signature_policy(&self) -> Option<PolicyReference> {
        PolicyReference::parse(self.value(oid::SIGNATURE_POLICY)?).ok()
    }

    /// Whether signature-policy-identifier is there.
    #[must_use]
    pub fn declares_policy(&self) -> bool {
        self.has(oid::SIGNATURE_POLICY)
    }

    /// content-time-stamp: a time stamp token on the content, made before the signature.
    #[must_use]
    pub fn content_time_stamp(&self) -> Option<&[u8]> {
        self.value(oid::CONTENT_TIME_STAMP)
    }

    /// Whether the first version of signing-certificate (RFC 2634 §5.4) refers to this certificate; `None` when
    /// the attribute is absent or cannot be read. Its hash is SHA-1, so it counts for time stamps only:
    /// `SEQUENCE { certs SEQUENCE OF SEQUENCE { certHash, issuerSerial OPTIONAL }, … }`
    pub(super) fn first_version_refers_to(&self, certificate: &Certificate) -> Option<bool> {
        let value = self.value(oid::SIGNING_CERTIFICATE_V1)?;
        let mut references = single(value, tag::SEQUENCE, "a SigningCertificate").ok()?.reader();
        let mut references = references.expect(tag::SEQUENCE, "references to certificates").ok()?.reader();
        let mut first = references.expect(tag::SEQUENCE, "an ESSCertID").ok()?.reader();
        let hash = first.expect(tag::OCTET_STRING, "the hash of a certificate").ok()?.value;
        let issuer_serial_fits = match first.optional(tag::SEQUENCE).ok()? {
            None => true,
            Some(pair) => {
                let (issuer, serial) = issuer_serial(pair).ok()?;
                issuer == certificate.issuer() && serial == certificate.serial()
            }
        };
        Some(issuer_serial_fits && hash == sha1(certificate.der()))
    }

    /// adbe-revocationInfoArchival: revocation data that older PDF signers put among the attributes.
    pub(crate) fn revocation_archival(&self) -> Option<&[u8]> {
        self.value(oid::REVOCATION_INFO_ARCHIVAL)
    }

    fn value(&self, kind: ObjectIdentifier) -> Option<&[u8]> {
        let at = self.kinds.iter().position(|seen| seen == kind.as_bytes())?;
        Some(&self.values[at])
    }

    /// Whether content-type is there and says id-data.
    #[must_use]
    pub fn content_type_is_data(&self) -> bool {
        self.content_type.as_deref() == Some(oid::DATA.as_bytes())
    }

    /// Whether the attributes stand in DER order.
    #[must_use]
    pub const fn is_sorted(&self) -> bool {
        self.sorted
    }

    /// The same attributes in DER order; `set` was parsed before.
    pub(crate) fn sorted(set: &[u8]) -> Vec<u8> {
        let mut reader = single(set, tag::SET, "a SET").expect("the attributes were read before").reader();
        let mut attributes = Vec::new();
        while let Ok(attribute) = reader.element() {
            attributes.push(attribute.raw.to_vec());
        }
        encode_attributes(attributes)
    }

    pub(crate) fn content_type(&self) -> Option<&[u8]> {
        self.content_type.as_deref()
    }

    /// Contents octets of every attribute type, in the order of the file.
    pub(crate) fn kinds(&self) -> &[Vec<u8>] {
        &self.kinds
    }

    pub(crate) fn has(&self, kind: ObjectIdentifier) -> bool {
        self.kinds.iter().any(|seen| seen == kind.as_bytes())
    }

    /// Identifiers (contents octets) of the digest and, if named, signature algorithm in
    /// CMSAlgorithmProtection (RFC 6211).
    pub(crate) fn algorithm_protection(&self) -> Option<(&[u8], Option<&[u8]>)> {
        self.algorithm_protection.as_ref().map(|(digest, signature)| (&digest[..], signature.as_deref()))
    }
}

impl SigningCertificate {
    /// `SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies SEQUENCE OPTIONAL }`
    fn parse(value: Tlv<'_>) -> Result<Self, Malformed> {
        let mut reader = single(value.raw, tag::SEQUENCE, "a SigningCertificateV2")?.reader();
        let mut references = reader.expect(tag::SEQUENCE, "references to certificates")?.reader();
        reader.optional(tag::SEQUENCE)?;
        reader.end()?;

        let mut first = references.expect(tag::SEQUENCE, "an ESSCertIDv2")?.reader();
        let algorithm = match first.optional(tag::SEQUENCE)? {
            None => Some(DigestAlgorithm::Sha256),
            Some(identifier) => DigestAlgorithm::from_oid(AlgorithmIdentifier::parse(identifier)?.oid),
        };
        let hash = first.expect(tag::OCTET_STRING, "the hash of a certificate")?.value;
        let hash = match algorithm {
            None => None,
            Some(algorithm) => Some(
                Digest::from_bytes(algorithm, hash)
                    .map_err(|_| Malformed("a certificate hash of the right length"))?,
            ),
        };
        let issuer_serial = match first.optional(tag::SEQUENCE)? {
            None => None,
            Some(pair) => Some(issuer_serial(pair)?),
        };
        first.end()?;

        let mut count = 1;
        while !references.is_empty() {
            references.expect(tag::SEQUENCE, "an ESSCertIDv2")?;
            count += 1;
        }
        Ok(Self { hash, issuer_serial, references: count })
    }

    /// Whether the reference, as far as it says something, is to this certificate. `None` when the hash
    /// algorithm is not accepted.
    #[must_use]
    pub fn refers_to(&self, certificate: &Certificate) -> Option<bool> {
        let hash = self.hash?;
        let issuer_serial_fits = self
            .issuer_serial
            .as_ref()
            .is_none_or(|(issuer, serial)| issuer == certificate.issuer() && serial == certificate.serial());
        Some(issuer_serial_fits && hash == Digest::of(hash.algorithm(), certificate.der()))
    }
}

/// `IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber INTEGER }`
fn issuer_serial(pair: Tlv<'_>) -> Result<(Vec<u8>, Vec<u8>), Malformed> {
    let mut reader = pair.reader();
    let names = reader.expect(tag::SEQUENCE, "the issuer of a certificate")?;
    let serial = reader.expect(tag::INTEGER, "the serial number of a certificate")?;
    reader.end()?;
    let mut names = names.reader();
    let name = names.expect(tag::context_constructed(4), "a directory name")?;
    names.end()?;
    Ok((name.value.to_vec(), serial.raw.to_vec()))
}

/// `CMSAlgorithmProtection ::= SEQUENCE { digest AlgorithmIdentifier, signature [1] …, mac [2] … }`
fn algorithm_protection(value: Tlv<'_>) -> Result<(Vec<u8>, Option<Vec<u8>>), Malformed> {
    let mut reader = single(value.raw, tag::SEQUENCE, "a CMSAlgorithmProtection")?.reader();
    let digest = AlgorithmIdentifier::read(&mut reader)?.oid.to_vec();
    let signature = match reader.optional(tag::context_constructed(1))? {
        None => None,
        Some(identifier) => {
            let mut reader = Reader::new(identifier.value);
            Some(reader.expect(tag::OID, "the identifier of an algorithm")?.value.to_vec())
        }
    };
    Ok((digest, signature))
}

mod policy;
mod unsigned;

pub use policy::PolicyReference;
pub use unsigned::UnsignedAttribute;
pub(super) use unsigned::{MAX_UNSIGNED, read_unsigned};

#[cfg(test)]
mod tests;
