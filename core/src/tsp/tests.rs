use proptest::prelude::*;

use super::testing::{Authority, granted};
use super::*;
use crate::Timestamp;
use crate::digest::{Digest, DigestAlgorithm};
use crate::oid;
use crate::testing::{extension, now};
use crate::tlv::{encode, tag};
use crate::x509::Certificate;

const STAMP: &[u8] = include_bytes!("../../testdata/tsp/abc.tsr");
const STAMP_V1: &[u8] = include_bytes!("../../testdata/tsp/abc-v1.tsr");

/// The request that openssl sent for a response.
fn request(query: &[u8], algorithm: DigestAlgorithm) -> Request {
    let mut reader = crate::tlv::single(query, tag::SEQUENCE, "a request").unwrap().reader();
    let mut nonce = None;
    while let Ok(element) = reader.element() {
        // version, nonce: the last INTEGER is the nonce when there are two.
        if element.tag == tag::INTEGER && element.value != [1] {
            nonce = Some(element.value.to_vec());
        }
    }
    Request::new(Digest::of(algorithm, b"abc"), nonce, None)
}

#[test]
fn time_stamps_by_openssl_are_read_and_verified() {
    let query = include_bytes!("../../testdata/tsp/abc.tsq");
    let token = TimeStampToken::from_response(STAMP, &request(query, DigestAlgorithm::Sha256)).unwrap();
    assert_eq!(token.imprint(), Some(&Digest::sha256(b"abc")));
    assert_eq!(token.policy(), "2.16.76.1.6.999");
    assert_eq!(token.accuracy_ms(), Some(1501));
    assert_eq!(token.time().to_string()[..4], *"2026");
    let tsa = Certificate::from_der(include_bytes!("../../testdata/tsp/tsa.der")).unwrap();
    assert_eq!(token.verify(&[]).unwrap(), tsa);
    assert!(STAMP.ends_with(token.der()));
    assert_eq!(TimeStampToken::from_der(token.der()).unwrap().time(), token.time());

    // signing-certificate of the first version, SHA-512, another policy, no nonce.
    let wanted = Request::new(
        Digest::of(DigestAlgorithm::Sha512, b"abc"),
        None,
        Some("2.16.76.1.6.998".parse().unwrap()),
    );
    assert!(TimeStampToken::from_response(STAMP_V1, &wanted).is_ok());
}

#[test]
fn a_token_without_its_certificate_is_verified_with_one_at_hand() {
    let response = include_bytes!("../../testdata/tsp/abc-without-certificate.tsr");
    let query = include_bytes!("../../testdata/tsp/abc-without-certificate.tsq");
    let refused =
        TimeStampToken::from_response(response, &request(query, DigestAlgorithm::Sha256)).unwrap_err();
    assert_eq!(refused, TspError::Signer(SignerError::CertificateMissing));
    let token = TimeStampToken::from_der(response::token_of(response).unwrap()).unwrap();
    let tsa = Certificate::from_der(include_bytes!("../../testdata/tsp/tsa.der")).unwrap();
    assert_eq!(token.verify(core::slice::from_ref(&tsa)).unwrap(), tsa);
}

#[test]
fn our_request_has_the_bytes_of_openssl() {
    for query in [
        include_bytes!("../../testdata/tsp/abc.tsq").as_slice(),
        include_bytes!("../../testdata/tsp/abc-v1.tsq"),
    ] {
        let (algorithm, policy) = if query.len() > 90 {
            (DigestAlgorithm::Sha512, Some("2.16.76.1.6.998".parse().unwrap()))
        } else {
            (DigestAlgorithm::Sha256, None)
        };
        let nonce = request(query, algorithm).nonce().map(<[u8]>::to_vec);
        let ours = Request::new(Digest::of(algorithm, b"abc"), nonce, policy).to_der();
        assert_eq!(ours, query);
    }
}

#[test]
fn a_nonce_is_a_number_that_is_not_negative() {
    for (nonce, expected) in [
        (&[0x7f][..], &[2, 1, 0x7f][..]),
        (&[0x80], &[2, 2, 0, 0x80]),
        (&[0, 0, 1], &[2, 1, 1]),
        (&[0], &[2, 1, 0]),
        (&[], &[2, 1, 0]),
    ] {
        let der = Request::new(Digest::sha256(b""), Some(nonce.to_vec()), None).to_der();
        let tail = &der[der.len() - 3 - expected.len()..];
        assert_eq!(tail, [expected, &[1, 1, 0xff]].concat(), "{nonce:?}");
    }
    assert_eq!("1.2.x".parse::<PolicyId>(), Err(InvalidPolicyId));
}

#[test]
fn a_refusal_says_why() {
    let refused = include_bytes!("../../testdata/tsp/refused.tsr");
    let error = TimeStampToken::from_response(refused, &Request::new(Digest::sha256(b"abc"), None, None));
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TimeStampUnavailable);
    assert_eq!(
        error.to_string(),
        "the time-stamping authority refused: rejection; the hash algorithm is not supported; Message digest \
         algorithm is not supported."
    );
    let waiting = [0x30, 5, 0x30, 3, 2, 1, 3];
    let error = TimeStampToken::from_response(&waiting, &Request::new(Digest::sha256(b"abc"), None, None));
    assert!(error.unwrap_err().to_string().ends_with("waiting"));
}

#[test]
fn only_what_was_asked_for_is_accepted() {
    let imprint = Digest::sha256(b"signature");
    let authority = Authority { nonce: Some(vec![0x12, 0x34]), ..Authority::new() };
    let asked = Request::new(imprint, Some(vec![0x12, 0x34]), None);
    let answer = granted(&authority.stamp(&imprint, now()));
    assert_eq!(TimeStampToken::from_response(&answer, &asked).unwrap().time(), now());

    let nonce = Some(vec![0x12, 0x34]);
    let policy = Some("1.2.3".parse().unwrap());
    for (other, expected) in [
        (Request::new(Digest::sha256(b"another"), nonce.clone(), None), "something else"),
        (
            Request::new(Digest::of(DigestAlgorithm::Sha512, b"signature"), nonce.clone(), None),
            "something else",
        ),
        (Request::new(imprint, Some(vec![0x12]), None), "another nonce"),
        (Request::new(imprint, None, None), "another nonce"),
        (Request::new(imprint, nonce, policy), "another policy"),
    ] {
        let error = TimeStampToken::from_response(&answer, &other).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TimeStampInvalid);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn tokens_that_are_not_what_rfc_3161_asks_for_are_refused() {
    let new = Authority::new;
    let critical = extension(oid::KEY_USAGE, true, &[5, 0]);
    let critical = encode(tag::context_constructed(1), &[&critical]);
    for (authority, expected) in [
        (Authority { version: 2, ..new() }, "version 1"),
        (Authority { content_type: oid::DATA, ..new() }, "content of the type TSTInfo"),
        (Authority { signers: 2, ..new() }, "exactly one signer"),
        (Authority { signers: 0, ..new() }, "exactly one signer"),
        (Authority { tail: critical, ..new() }, "without critical extensions"),
        (Authority { tail: vec![4, 0], ..new() }, "bytes behind the end"),
        (Authority { with_certificate: false, ..new() }, "not at hand"),
        (Authority { with_reference: false, ..new() }, "reference"),
        (Authority { key: 72, ..new() }, "value does not verify"),
        (Authority::with_usage(false, &[oid::TIME_STAMPING]), "not one for time stamps"),
        (Authority::with_usage(true, &[oid::TIME_STAMPING, oid::CLIENT_AUTH]), "not one for time stamps"),
        (Authority::with_usage(true, &[oid::CLIENT_AUTH]), "not one for time stamps"),
    ] {
        let imprint = Digest::sha256(b"x");
        let answer = granted(&authority.stamp(&imprint, now()));
        let error = TimeStampToken::from_response(&answer, &Request::new(imprint, None, None)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} is not {expected}");
        assert_eq!(error.code(), ErrorCode::TimeStampInvalid);
    }
}

#[test]
fn responses_that_are_something_else_are_refused() {
    let asked = Request::new(Digest::sha256(b"abc"), None, None);
    let granted_nothing = [0x30, 5, 0x30, 3, 2, 1, 0];
    for response in [&b""[..], b"<html>", &[0x30, 0], &granted_nothing, &granted(&[5, 0]), &vec![0; 2 << 20]]
    {
        let error = TimeStampToken::from_response(response, &asked).unwrap_err();
        assert!(matches!(error, TspError::Malformed(_)), "{error}");
    }
}

#[test]
fn the_time_has_to_be_near_the_request() {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let token = Authority::new().token(&Digest::sha256(b"x"), at("2026-11-23T12:00:00.250Z"));
    assert_eq!(token.time().to_string(), "2026-11-23T12:00:00.250Z");
    for (sent, received, near) in [
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z", true),
        ("2026-11-23T12:04:59Z", "2026-11-23T12:05:01Z", true),
        ("2026-11-23T11:50:00Z", "2026-11-23T11:55:30Z", true),
        ("2026-11-23T12:05:01Z", "2026-11-23T12:05:02Z", false),
        ("2026-11-23T11:50:00Z", "2026-11-23T11:54:59Z", false),
    ] {
        assert_eq!(token.check_time(at(sent), at(received)).is_ok(), near, "{sent}");
    }
}

proptest! {
    #[test]
    fn damaged_responses_never_panic_and_never_pass(at in 0_usize..1_000_000, bit in 0_u8..8, cut in 0_usize..1_000_000) {
        let asked = request(include_bytes!("../../testdata/tsp/abc.tsq"), DigestAlgorithm::Sha256);
        let mut damaged = STAMP.to_vec();
        let at = at % damaged.len();
        damaged[at] ^= 1 << bit;
        if let Ok(token) = TimeStampToken::from_response(&damaged, &asked) {
            // What nobody signs: the status, and in the certificates what the reference does not cover.
            prop_assert_eq!(token.time(), TimeStampToken::from_response(STAMP, &asked).unwrap().time());
        }
        damaged.truncate(cut % STAMP.len());
        prop_assert!(TimeStampToken::from_response(&damaged, &asked).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(TimeStampToken::from_der(&bytes).is_err());
        let _ = response::token_of(&bytes);
        let _ = tst_info::TstInfo::parse(&bytes);
    }
}
