//! Certificates and keys for tests: the fixtures of `testdata/` and small authorities made on the spot.

use p256::ecdsa::signature::hazmat::PrehashSigner;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::{DecodePrivateKey, PrivateKeyInfo};
use sha2::Sha256;

use crate::digest::Digest;
use crate::tlv::{encode, tag};
use crate::validation::Context;
use crate::x509::{Certificate, SignatureAlgorithm, TrustAnchors};
use crate::{Timestamp, oid};

macro_rules! fixtures {
    ($($name:ident = $path:literal;)+) => {
        $(pub(crate) fn $name() -> Certificate {
            Certificate::from_pem_or_der(include_bytes!(concat!("../testdata/pki/", $path))).unwrap()
        })+
    };
}

fixtures! {
    root = "root.pem";
    ca1 = "ca1.pem";
    ca2 = "ca2.pem";
    ana = "ana.pem";
    bruno = "bruno.pem";
    padaria = "padaria.pem";
    selo = "selo.pem";
    expired = "expired.pem";
    not_signer = "not-signer.pem";
}

/// A time at which all fixtures but `expired` are valid.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// Trusts the root of the fixtures and knows its authorities.
pub(crate) fn context() -> Context {
    Context::new(TrustAnchors::new(vec![root()]), now())
        .with_intermediates(vec![ca1(), ca2()])
        .without_revocation()
}

/// Key of ana, padaria, expired and not-signer.
pub(crate) fn rsa_private_key() -> rsa::RsaPrivateKey {
    rsa::RsaPrivateKey::from_pkcs8_der(include_bytes!("../testdata/pki/rsa.key.der")).unwrap()
}

/// PKCS#1 v1.5 with that key.
pub(crate) fn sign_rsa(digest: &Digest) -> Vec<u8> {
    rsa_private_key().sign(Pkcs1v15Sign::new::<Sha256>(), digest.as_bytes()).unwrap()
}

/// Key of bruno: `r ‖ s`.
pub(crate) fn sign_p256(digest: &Digest) -> Vec<u8> {
    let key = sec1(include_bytes!("../testdata/pki/p256.key.der"));
    let key = p256::ecdsa::SigningKey::from(p256::SecretKey::from_sec1_der(key).unwrap());
    let value: p256::ecdsa::Signature = key.sign_prehash(digest.as_bytes()).unwrap();
    value.to_bytes().to_vec()
}

/// Key of selo: `r ‖ s`.
pub(crate) fn sign_p384(digest: &Digest) -> Vec<u8> {
    let key = sec1(include_bytes!("../testdata/pki/p384.key.der"));
    let key = p384::ecdsa::SigningKey::from(p384::SecretKey::from_sec1_der(key).unwrap());
    let value: p384::ecdsa::Signature = key.sign_prehash(digest.as_bytes()).unwrap();
    value.to_bytes().to_vec()
}

/// The ECPrivateKey inside PKCS#8.
fn sec1(pkcs8: &[u8]) -> &[u8] {
    PrivateKeyInfo::try_from(pkcs8).unwrap().private_key
}

/// A certificate made on the spot, with P-256 keys that follow from a number.
#[derive(Clone)]
pub(crate) struct Issue {
    pub(crate) subject: Vec<u8>,
    pub(crate) key: u8,
    pub(crate) issuer: Vec<u8>,
    pub(crate) issuer_key: u8,
    pub(crate) serial: u8,
    pub(crate) not_before: &'static str,
    pub(crate) not_after: &'static str,
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) signature_algorithm: Vec<u8>,
    /// SubjectPublicKeyInfo to use in place of the key's own.
    pub(crate) public_key: Option<Vec<u8>>,
}

impl Issue {
    /// An authority: basicConstraints with cA and keyUsage with keyCertSign.
    pub(crate) fn authority(subject: &str, key: u8, issuer: &str, issuer_key: u8) -> Self {
        Self {
            extensions: vec![basic_constraints(true, None), key_usage(0x04)],
            ..Self::holder(subject, key, issuer, issuer_key)
        }
    }

    /// A holder: keyUsage with digitalSignature.
    pub(crate) fn holder(subject: &str, key: u8, issuer: &str, issuer_key: u8) -> Self {
        Self {
            subject: name(subject),
            key,
            issuer: name(issuer),
            issuer_key,
            serial: 1,
            not_before: "250101000000Z",
            not_after: "450101000000Z",
            extensions: vec![key_usage(0x80)],
            signature_algorithm: SignatureAlgorithm::EcdsaSha256.to_identifier(),
            public_key: None,
        }
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let spki = self.public_key.clone().unwrap_or_else(|| public_key(self.key));
        let validity = [self.not_before, self.not_after]
            .map(|time| {
                let kind = if time.len() == 13 { tag::UTC_TIME } else { tag::GENERALIZED_TIME };
                encode(kind, &[time.as_bytes()])
            })
            .concat();
        let extensions = encode(tag::SEQUENCE, &[&self.extensions.concat()]);
        let has_extensions = !self.extensions.is_empty();
        let version = encode(tag::context_constructed(0), &[&[tag::INTEGER, 1, 2]]);
        let tbs = encode(
            tag::SEQUENCE,
            &[
                if has_extensions { &version } else { &[] },
                &[tag::INTEGER, 1, self.serial],
                &self.signature_algorithm,
                &self.issuer,
                &encode(tag::SEQUENCE, &[&validity]),
                &self.subject,
                &spki,
                &if has_extensions { encode(tag::context_constructed(3), &[&extensions]) } else { vec![] },
            ],
        );
        let value: p256::ecdsa::DerSignature =
            test_key(self.issuer_key).sign_prehash(Digest::sha256(&tbs).as_bytes()).unwrap();
        let bits = encode(tag::BIT_STRING, &[&[0], value.as_bytes()]);
        encode(tag::SEQUENCE, &[&tbs, &self.signature_algorithm, &bits])
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_der(&self.der()).unwrap()
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }
}

/// A Name with one commonName.
pub(crate) fn name(common_name: &str) -> Vec<u8> {
    let pair = encode(
        tag::SEQUENCE,
        &[&encode(tag::OID, &[oid::COMMON_NAME.as_bytes()]), &encode(0x0c, &[common_name.as_bytes()])],
    );
    encode(tag::SEQUENCE, &[&encode(tag::SET, &[&pair])])
}

pub(crate) fn extension(id: const_oid::ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let id = encode(tag::OID, &[id.as_bytes()]);
    let critical: &[u8] = if critical { &[tag::BOOLEAN, 1, 0xff] } else { &[] };
    encode(tag::SEQUENCE, &[&id, critical, &encode(tag::OCTET_STRING, &[value])])
}

pub(crate) fn basic_constraints(ca: bool, path_len: Option<u8>) -> Vec<u8> {
    let ca: &[u8] = if ca { &[tag::BOOLEAN, 1, 0xff] } else { &[] };
    let path_len = path_len.map_or_else(Vec::new, |limit| vec![tag::INTEGER, 1, limit]);
    extension(oid::BASIC_CONSTRAINTS, true, &encode(tag::SEQUENCE, &[ca, &path_len]))
}

/// keyUsage with the bits of its first byte.
pub(crate) fn key_usage(bits: u8) -> Vec<u8> {
    extension(oid::KEY_USAGE, true, &[tag::BIT_STRING, 2, 0, bits])
}

pub(crate) fn public_key(key: u8) -> Vec<u8> {
    let algorithm = encode(
        tag::SEQUENCE,
        &[&encode(tag::OID, &[oid::EC_PUBLIC_KEY.as_bytes()]), &encode(tag::OID, &[oid::P256.as_bytes()])],
    );
    let point = test_key(key).verifying_key().to_encoded_point(false);
    encode(tag::SEQUENCE, &[&algorithm, &encode(tag::BIT_STRING, &[&[0], point.as_bytes()])])
}

pub(crate) fn test_key(key: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[key; 32]).unwrap()
}
