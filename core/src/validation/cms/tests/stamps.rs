//! Time stamps in a signature: what they prove, and what they cannot.

use super::*;
use crate::Timestamp;
use crate::tsp::testing::Authority;
use crate::validation::testing::time_root;
use crate::validation::{BaselineLevel, TimeStampKind};

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Trusts the roots of the forged holder and of the authority.
fn both() -> Context {
    let mut anchors = Forged::context().anchors.certificates().to_vec();
    anchors.push(time_root());
    Context { anchors: TrustAnchors::new(anchors), ..Forged::context() }
}

/// A forged signature with a token over its value.
pub(super) fn stamped(holder: &Issue, token: impl FnOnce(&[u8]) -> Vec<u8>) -> Forged {
    let mut forged = Forged::by(&holder.certificate(), 2);
    let value = forged.value_over(&encode_set_of(tag::SET, forged.attributes.clone().unwrap()));
    forged.unsigned = Some(attribute(oid::SIGNATURE_TIME_STAMP, &token(&value)));
    forged.value = Some(value);
    forged
}

fn attribute(kind: const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    let kind = encode(tag::OID, &[kind.as_bytes()]);
    encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[value])])
}

pub(super) fn holder() -> Issue {
    Issue::holder("Holder TEST", 2, "Root TEST", 1)
}

/// Expired before [`now`].
fn expired() -> Issue {
    Issue { not_after: "260601000000Z", ..holder() }
}

pub(super) fn at(text: &str) -> impl FnOnce(&[u8]) -> Vec<u8> {
    let at = time(text);
    move |value| Authority::new().stamp(&Digest::sha256(value), at)
}

#[test]
fn a_time_stamp_proves_when_the_signature_existed() {
    let report = stamped(&holder(), at("2026-03-01T10:00:00Z")).report(&both());
    assert_eq!(verdict(&report), "passed", "{report:#?}");
    let proven = report.proven_time.as_ref().unwrap();
    assert_eq!((proven.time, proven.kind), (time("2026-03-01T10:00:00Z"), TimeStampKind::Signature));
    assert_eq!(report.level, Some(BaselineLevel::T));
    assert_eq!(report.time_stamps.len(), 1);
    assert!(!report.time_stamps[0].accredited);
    let text = Report::new(now(), vec![report]).to_text(Language::PtBr);
    assert!(text.contains("2026-03-01T10:00:00Z, carimbo do tempo emitido por Carimbo TEST\n"), "{text}");
}

#[test]
fn an_expired_certificate_is_judged_for_the_time_of_the_stamp() {
    for (holder, stamp, expected) in [
        (expired(), "2026-03-01T10:00:00Z", "passed"),
        (expired(), "2026-06-01T00:00:00Z", "passed"),
        (expired(), "2026-06-01T00:00:01Z", "indeterminate OUT_OF_BOUNDS_NO_POE"),
        (Issue { not_before: "260401000000Z", ..holder() }, "2026-03-01T10:00:00Z", "failed NOT_YET_VALID"),
    ] {
        let report = stamped(&holder, at(stamp)).report(&both());
        assert_eq!(verdict(&report), expected, "{stamp}: {report:#?}");
    }
    let bare = Forged::by(&expired().certificate(), 2).report(&both());
    assert_eq!(verdict(&bare), "indeterminate OUT_OF_BOUNDS_NO_POE");
    assert_eq!(bare.level, Some(BaselineLevel::B));
}

#[test]
fn a_time_stamp_of_another_signature_is_noticed() {
    let foreign =
        |_: &[u8]| Authority::new().stamp(&Digest::sha256(b"another"), time("2026-03-01T10:00:00Z"));
    let report = stamped(&holder(), foreign).report(&both());
    assert_eq!(verdict(&report), "indeterminate SIG_CONSTRAINTS_FAILURE");
    assert!(report.proven_time.is_none());
    assert_eq!(report.time_stamps[0].sub_indication, Some(SubIndication::HashFailure));
    assert_eq!(report.time_stamps[0].proven_time(), None);
}

#[test]
fn a_time_stamp_that_cannot_be_relied_upon_proves_nothing() {
    let signature = |authority: Authority| {
        stamped(&expired(), |value| authority.stamp(&Digest::sha256(value), time("2026-03-01T10:00:00Z")))
    };
    let untrusted = signature(Authority::new()).report(&Forged::context());
    for (name, report) in [
        ("root not trusted", untrusted),
        (
            "usage not critical",
            signature(Authority::with_usage(false, &[oid::TIME_STAMPING])).report(&both()),
        ),
        (
            "usage not alone",
            signature(Authority::with_usage(true, &[oid::TIME_STAMPING, oid::CLIENT_AUTH])).report(&both()),
        ),
        (
            "certificate not in the token",
            signature(Authority { with_certificate: false, ..Authority::new() }).report(&both()),
        ),
        (
            "no reference to the certificate",
            signature(Authority { with_reference: false, ..Authority::new() }).report(&both()),
        ),
        ("stamp from the future", { stamped(&expired(), at("2026-11-23T12:00:01Z")).report(&both()) }),
    ] {
        assert_eq!(verdict(&report), "indeterminate OUT_OF_BOUNDS_NO_POE", "{name}: {report:#?}");
        assert!(report.proven_time.is_none(), "{name}");
        assert!(
            report.findings.iter().any(|f| f.check == Check::TimeStamps && f.outcome == Outcome::Warning)
        );
    }
    let wrong_key = signature(Authority { key: 72, ..Authority::new() }).report(&both());
    assert_eq!(wrong_key.time_stamps[0].sub_indication, Some(SubIndication::SigCryptoFailure));
    assert_ne!(wrong_key.indication, Indication::Passed);
    let garbage = stamped(&holder(), |_| vec![tag::NULL, 0]).report(&both());
    assert_eq!(verdict(&garbage), "indeterminate SIG_CONSTRAINTS_FAILURE");
}

#[test]
fn time_stamps_may_have_roots_of_their_own() {
    let apart = Forged::context().with_time_stamp_anchors(TrustAnchors::new(vec![time_root()]));
    let report = stamped(&expired(), at("2026-03-01T10:00:00Z")).report(&apart);
    assert_eq!(verdict(&report), "passed", "{report:#?}");
    let none = both().with_time_stamp_anchors(TrustAnchors::default());
    let report = stamped(&expired(), at("2026-03-01T10:00:00Z")).report(&none);
    assert_eq!(verdict(&report), "indeterminate OUT_OF_BOUNDS_NO_POE");
}

#[test]
fn a_digest_that_was_broken_later_needs_a_proof_from_before() {
    let end = |text: &str| both().with_digest_until(DigestAlgorithm::Sha256, time(text));
    let signed = stamped(&holder(), at("2026-03-01T10:00:00Z"));
    assert_eq!(verdict(&signed.report(&end("2027-01-01T00:00:00Z"))), "passed");
    // The stamp uses the same digest and has no younger proof of its own.
    let report = signed.report(&end("2026-09-01T00:00:00Z"));
    assert_eq!(verdict(&report), "indeterminate CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "{report:#?}");
}

#[test]
fn the_earliest_of_several_time_stamps_counts() {
    let mut forged = stamped(&holder(), at("2026-03-01T10:00:00Z"));
    let value = forged.value.clone().unwrap();
    let second = attribute(oid::SIGNATURE_TIME_STAMP, &at("2026-02-01T10:00:00Z")(&value));
    forged.unsigned = forged.unsigned.map(|first| [first, second].concat());
    let report = forged.report(&both());
    assert_eq!(report.proven_time.unwrap().time, time("2026-02-01T10:00:00Z"));
    assert_eq!(report.time_stamps.len(), 2);
}

#[test]
fn too_many_time_stamps_reach_a_limit_that_has_a_name() {
    let mut forged = stamped(&holder(), at("2026-03-01T10:00:00Z"));
    forged.unsigned = forged.unsigned.map(|one| one.repeat(31));
    let report = forged.report(&both());
    assert_eq!(report.time_stamps.len(), 0);
    assert!(report.findings.iter().any(|f| f.evidence == "limit_exceeded: at most 30 time stamps"));
    assert_eq!(report.indication, Indication::Indeterminate);
}

#[test]
fn no_flipped_bit_of_a_token_leaves_a_proof() {
    let honest = stamped(&expired(), at("2026-03-01T10:00:00Z"));
    let der = honest.der();
    let token = at("2026-03-01T10:00:00Z")(honest.value.as_ref().unwrap());
    let start = der.windows(token.len()).position(|window| window == token).unwrap();
    let verdict_of = |cms: &[u8]| validate_cms(cms, ABC, &both()).ok().map(|report| report.overall());
    assert_eq!(verdict_of(&der), Some(Indication::Passed));
    let malleable = malleable(&token);
    for position in (0..token.len()).filter(|position| !malleable.contains(position)) {
        let mut damaged = der.clone();
        damaged[start + position] ^= 1 << (position % 8);
        assert_ne!(verdict_of(&damaged), Some(Indication::Passed), "byte {position} of the token");
    }
}

/// What nobody signs: the versions of SignedData and SignerInfo, whose other values mean nothing.
fn malleable(token: &[u8]) -> Vec<usize> {
    let version = [tag::INTEGER, 1];
    let at = |index: usize| token[index..].starts_with(&version) && matches!(token[index + 2], 1 | 3);
    (0..token.len() - 3).filter(|index| at(*index)).map(|index| index + 2).collect()
}
