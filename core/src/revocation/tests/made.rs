//! Lists made on the spot, for the rules that openssl does not write.

use p256::ecdsa::signature::hazmat::PrehashSigner;

use crate::digest::Digest;
use crate::oid;
use crate::testing::{extension, test_key};
use crate::tlv::{encode, tag};
use crate::x509::{Certificate, SignatureAlgorithm};

#[derive(Clone)]
pub(super) struct List {
    pub(super) version: Option<u8>,
    pub(super) issuer: Vec<u8>,
    /// Number of the signing key.
    pub(super) key: u8,
    pub(super) algorithm: Vec<u8>,
    pub(super) this_update: &'static str,
    pub(super) next_update: &'static str,
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) extensions: Vec<Vec<u8>>,
}

impl List {
    /// An empty list of this authority, current in November 2026, signed with key 1.
    pub(super) fn of(authority: &Certificate) -> Self {
        Self {
            version: Some(1),
            issuer: authority.subject().to_vec(),
            key: 1,
            algorithm: SignatureAlgorithm::EcdsaSha256.to_identifier(),
            this_update: "261001000000Z",
            next_update: "261201000000Z",
            entries: vec![],
            extensions: vec![],
        }
    }

    pub(super) fn der(&self) -> Vec<u8> {
        let version = self.version.map_or_else(Vec::new, |version| vec![tag::INTEGER, 1, version]);
        let times =
            [self.this_update, self.next_update].map(|time| encode(tag::UTC_TIME, &[time.as_bytes()]));
        let entries = match self.entries.concat() {
            none if none.is_empty() => vec![],
            some => encode(tag::SEQUENCE, &[&some]),
        };
        let extensions = match self.extensions.concat() {
            none if none.is_empty() => vec![],
            some => encode(tag::context_constructed(0), &[&encode(tag::SEQUENCE, &[&some])]),
        };
        let parts: [&[u8]; 6] =
            [&version, &self.algorithm, &self.issuer, &times.concat(), &entries, &extensions];
        let signed = encode(tag::SEQUENCE, &parts);
        let value: p256::ecdsa::DerSignature =
            test_key(self.key).sign_prehash(Digest::sha256(&signed).as_bytes()).unwrap();
        let bits = encode(tag::BIT_STRING, &[&[0], value.as_bytes()]);
        encode(tag::SEQUENCE, &[&signed, &self.algorithm, &bits])
    }
}

pub(super) fn entry(serial: u8, extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = match extensions.concat() {
        none if none.is_empty() => vec![],
        some => encode(tag::SEQUENCE, &[&some]),
    };
    let time = encode(tag::UTC_TIME, &[b"260901000000Z"]);
    encode(tag::SEQUENCE, &[&[tag::INTEGER, 1, serial], &time, &extensions])
}

pub(super) fn reason(number: u8) -> Vec<u8> {
    extension(oid::CRL_REASON, false, &[0x0a, 1, number])
}

/// An issuingDistributionPoint of these fields.
pub(super) fn point(fields: &[&[u8]]) -> Vec<u8> {
    extension(oid::ISSUING_DISTRIBUTION_POINT, true, &encode(tag::SEQUENCE, fields))
}
