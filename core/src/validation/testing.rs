//! What several tests of the validation share: authorities that also sign lists, and the lists.

use p256::ecdsa::signature::hazmat::PrehashSigner;

use crate::digest::Digest;
use crate::revocation::{Crl, Evidence};
use crate::testing::{Issue, basic_constraints, key_usage, name, test_key};
use crate::tlv::{encode, tag};
use crate::x509::{Certificate, SignatureAlgorithm};

/// Root of [`crate::tsp::testing::Authority`].
pub(super) fn time_root() -> Certificate {
    authority("AC do Tempo TEST", 70).certificate()
}

/// A root that signs certificates and lists.
pub(super) fn authority(name: &str, key: u8) -> Issue {
    let extensions = vec![basic_constraints(true, None), key_usage(0x06)];
    Issue { extensions, ..Issue::authority(name, key, name, key) }
}

/// A list by the authority with this name and key: from `this_update` (UTCTime) for a day.
pub(super) fn crl(
    issuer: &str,
    key: u8,
    this_update: &str,
    next_update: &str,
    revoked: &[(u8, &str)],
) -> Crl {
    Crl::from_der(&crl_der(issuer, key, this_update, next_update, revoked)).unwrap()
}

pub(super) fn crl_der(
    issuer: &str,
    key: u8,
    this_update: &str,
    next_update: &str,
    revoked: &[(u8, &str)],
) -> Vec<u8> {
    let time = |text: &str| encode(tag::UTC_TIME, &[text.as_bytes()]);
    let entry = |(serial, at): &(u8, &str)| encode(tag::SEQUENCE, &[&[tag::INTEGER, 1, *serial], &time(at)]);
    let entries = revoked.iter().map(entry).collect::<Vec<_>>().concat();
    let entries = if entries.is_empty() { entries } else { encode(tag::SEQUENCE, &[&entries]) };
    let algorithm = SignatureAlgorithm::EcdsaSha256.to_identifier();
    let tbs = encode(
        tag::SEQUENCE,
        &[&[tag::INTEGER, 1, 1], &algorithm, &name(issuer), &time(this_update), &time(next_update), &entries],
    );
    let value: p256::ecdsa::DerSignature =
        test_key(key).sign_prehash(Digest::sha256(&tbs).as_bytes()).unwrap();
    encode(tag::SEQUENCE, &[&tbs, &algorithm, &encode(tag::BIT_STRING, &[&[0], value.as_bytes()])])
}

/// Lists as evidence.
pub(super) fn lists(crls: impl Into<Vec<Crl>>) -> Evidence {
    Evidence { crls: crls.into(), ..Evidence::default() }
}
