//! Writes X.509 certificates (RFC 5280) from parts. Only the demo PKI uses it.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA512;
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc4519, rfc5280, rfc5912};
use der::asn1::{BitString, Ia5StringRef, OctetString, PrintableStringRef, SetOfVec, Utf8StringRef};
use der::{Any, AnyRef, Decode, Encode};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::certpolicy::{CertificatePolicies, PolicyInformation, PolicyQualifierInfo};
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints,
    CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use rubrica_core::Timestamp;

use crate::random;

/// What a certificate says, besides its key.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) subject: Name,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// Encoded extensions, without key identifiers: those follow from the keys.
    pub(super) extensions: Vec<Extension>,
}

/// Who signs a certificate.
#[derive(Debug)]
pub(super) struct Issuer<'a> {
    pub(super) name: &'a Name,
    pub(super) key: &'a KeyPair,
    pub(super) key_id: &'a [u8],
}

/// Writes a certificate signed with SHA-512, as the authorities of ICP-Brasil sign.
pub(super) fn write(
    content: Content,
    spki: SubjectPublicKeyInfoOwned,
    issuer: &Issuer<'_>,
) -> der::Result<Vec<u8>> {
    let algorithm = AlgorithmIdentifierOwned {
        oid: rfc5912::SHA_512_WITH_RSA_ENCRYPTION,
        parameters: Some(AnyRef::NULL.into()),
    };
    let mut extensions = vec![
        extension(
            rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER,
            false,
            &AuthorityKeyIdentifier {
                key_identifier: Some(OctetString::new(issuer.key_id)?),
                authority_cert_issuer: None,
                authority_cert_serial_number: None,
            },
        )?,
        extension(
            rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER,
            false,
            &SubjectKeyIdentifier(OctetString::new(key_id(&spki))?),
        )?,
    ];
    extensions.extend(content.extensions);
    // A positive number of 16 bytes.
    let mut serial = random::bytes::<16>();
    serial[0] = serial[0] & 0x7f | 0x40;
    let tbs = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(&serial)?,
        signature: algorithm.clone(),
        issuer: issuer.name.clone(),
        validity: Validity { not_before: time(content.not_before)?, not_after: time(content.not_after)? },
        subject: content.subject,
        subject_public_key_info: spki,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions),
    };
    let mut value = vec![0; issuer.key.public_modulus_len()];
    issuer
        .key
        .sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), &tbs.to_der()?, &mut value)
        .expect("a fresh RSA key signs");
    Certificate {
        tbs_certificate: tbs,
        signature_algorithm: algorithm,
        signature: BitString::from_bytes(&value)?,
    }
    .to_der()
}

/// SHA-1 of the public key, the usual key identifier (RFC 5280 §4.2.1.2).
pub(super) fn key_id(spki: &SubjectPublicKeyInfoOwned) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, spki.subject_public_key.raw_bytes()).as_ref().to_vec()
}

/// A name from its attributes in order: C and serialNumber as PrintableString, the others as UTF8String.
pub(super) fn name(attributes: &[(ObjectIdentifier, &str)]) -> der::Result<Name> {
    let mut parts = Vec::new();
    for (oid, text) in attributes {
        let printable = *oid == rfc4519::C || *oid == rfc4519::SERIAL_NUMBER;
        let value = if printable {
            Any::from(PrintableStringRef::new(text)?)
        } else {
            Any::from(Utf8StringRef::new(text)?)
        };
        let part = SetOfVec::try_from(vec![AttributeTypeAndValue { oid: *oid, value }])?;
        parts.push(RelativeDistinguishedName(part));
    }
    Ok(RdnSequence(parts))
}

pub(super) fn extension(
    oid: ObjectIdentifier,
    critical: bool,
    value: &impl Encode,
) -> der::Result<Extension> {
    Ok(Extension { extn_id: oid, critical, extn_value: OctetString::new(value.to_der()?)? })
}

pub(super) fn basic_constraints(path_length: Option<u8>) -> der::Result<Extension> {
    let value = BasicConstraints { ca: true, path_len_constraint: path_length };
    extension(rfc5280::ID_CE_BASIC_CONSTRAINTS, true, &value)
}

pub(super) fn key_usage(usage: KeyUsage) -> der::Result<Extension> {
    extension(rfc5280::ID_CE_KEY_USAGE, true, &usage)
}

/// clientAuth and emailProtection, as ICP-Brasil asks for holders.
pub(super) fn extended_key_usage() -> der::Result<Extension> {
    let purposes = vec![rfc5280::ID_KP_CLIENT_AUTH, rfc5280::ID_KP_EMAIL_PROTECTION];
    extension(rfc5280::ID_CE_EXT_KEY_USAGE, false, &ExtendedKeyUsage(purposes))
}

/// timeStamping and nothing else, critical (RFC 3161 §2.3).
pub(super) fn time_stamping() -> der::Result<Extension> {
    let purposes = vec![rfc5280::ID_KP_TIME_STAMPING];
    extension(rfc5280::ID_CE_EXT_KEY_USAGE, true, &ExtendedKeyUsage(purposes))
}

/// A policy with the URL of its practice statement.
pub(super) fn policy(oid: &str, statement_url: &str) -> der::Result<Extension> {
    let policy = PolicyInformation {
        policy_identifier: ObjectIdentifier::new(oid).map_err(|_| der::ErrorKind::OidMalformed)?,
        policy_qualifiers: Some(vec![PolicyQualifierInfo {
            policy_qualifier_id: rfc5280::ID_QT_CPS,
            qualifier: Some(Ia5StringRef::new(statement_url)?.into()),
        }]),
    };
    extension(rfc5280::ID_CE_CERTIFICATE_POLICIES, false, &CertificatePolicies(vec![policy]))
}

pub(super) fn crl_distribution_points(urls: &[String]) -> der::Result<Extension> {
    let points = urls
        .iter()
        .map(|url| {
            Ok(DistributionPoint {
                distribution_point: Some(DistributionPointName::FullName(vec![uri(url)?])),
                reasons: None,
                crl_issuer: None,
            })
        })
        .collect::<der::Result<_>>()?;
    extension(rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS, false, &CrlDistributionPoints(points))
}

/// caIssuers: a PKCS#7 bundle, as ICP-Brasil publishes.
pub(super) fn authority_information(url: &str) -> der::Result<Extension> {
    let access = AccessDescription { access_method: rfc5280::ID_AD_CA_ISSUERS, access_location: uri(url)? };
    extension(rfc5280::ID_PE_AUTHORITY_INFO_ACCESS, false, &AuthorityInfoAccessSyntax(vec![access]))
}

pub(super) fn subject_alt_name(names: Vec<GeneralName>) -> der::Result<Extension> {
    extension(rfc5280::ID_CE_SUBJECT_ALT_NAME, false, &SubjectAltName(names))
}

/// Reads what aws-lc writes.
pub(super) fn spki_of(key: &KeyPair) -> der::Result<SubjectPublicKeyInfoOwned> {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::signature::KeyPair as _;
    let der = key.public_key().as_der().expect("a fresh RSA key has a public key");
    SubjectPublicKeyInfoOwned::from_der(der.as_ref())
}

fn uri(url: &str) -> der::Result<GeneralName> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5StringRef::new(url)?.into()))
}

/// UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5).
fn time(at: Timestamp) -> der::Result<Time> {
    let date_time = at.to_date_time();
    if date_time.year() < 2050 {
        Ok(Time::UtcTime(der::asn1::UtcTime::from_date_time(date_time)?))
    } else {
        Ok(Time::GeneralTime(der::asn1::GeneralizedTime::from_date_time(date_time)))
    }
}
