use super::*;
use crate::cades::{self, Options, Placement, Stamp, StampError, StampKind, co_sign, counter_sign, stamps};
use crate::cms::{SignedData, verify_signer};
use crate::testing::{self, now};
use crate::tlv::{encode, tag};
use crate::tsp::testing::Authority;
use crate::{ErrorCode, Timestamp};

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const CONTENT: Content<'_> = Content::Bytes(b"abc");

fn at(minutes: u64) -> Timestamp {
    now().plus(core::time::Duration::from_secs(60 * minutes))
}

fn token(imprint: &Digest, minutes: u64) -> TimeStampToken {
    Authority::new().token(imprint, at(minutes))
}

fn basic() -> Vec<u8> {
    signed(Placement::Detached)
}

fn signed(placement: Placement) -> Vec<u8> {
    let options = Options { placement, ..Options::new(now()) };
    let plan = cades::prepare(&Digest::sha256(b"abc"), &testing::ana(), &[testing::ca2()], &options).unwrap();
    plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap()
}

fn with_time_stamp(cms: &[u8], minutes: u64) -> Vec<u8> {
    let imprint = signature_time_stamp_imprint(cms, 0, SHA256).unwrap();
    add_signature_time_stamp(cms, 0, &token(&imprint, minutes)).unwrap()
}

/// Adds what level LT adds, without caring what it is.
fn with_revocation(cms: &[u8], crl: u8) -> Vec<u8> {
    let mut parts = Parts::read(cms).unwrap();
    parts.add_crl(&encode(tag::SEQUENCE, &[&[tag::INTEGER, 1, crl]]));
    parts.add_certificate(testing::root().der());
    parts.write().unwrap()
}

fn with_archive_v3(cms: &[u8], minutes: u64) -> Vec<u8> {
    let imprint = archive_time_stamp_v3_imprint(cms, 0, CONTENT, SHA256).unwrap();
    add_archive_time_stamp_v3(cms, 0, CONTENT, &token(&imprint, minutes)).unwrap()
}

/// References and values that say nothing.
fn with_values(cms: &[u8]) -> Vec<u8> {
    let mut parts = Parts::read(cms).unwrap();
    for kind in [
        oid::CERTIFICATE_REFERENCES,
        oid::REVOCATION_REFERENCES,
        oid::CERTIFICATE_VALUES,
        oid::REVOCATION_VALUES,
    ] {
        parts.add_unsigned(0, kind, &encode(tag::SEQUENCE, &[])).unwrap();
    }
    parts.write().unwrap()
}

fn with_archive_v2(cms: &[u8], minutes: u64) -> Vec<u8> {
    let imprint = archive_time_stamp_v2_imprint(cms, 0, CONTENT, SHA256).unwrap();
    add_archive_time_stamp_v2(cms, 0, CONTENT, &token(&imprint, minutes)).unwrap()
}

fn kinds_and_bindings(cms: &[u8]) -> Vec<(StampKind, bool)> {
    let found = stamps(cms, 0, CONTENT).unwrap();
    found.iter().map(|stamp| (stamp.kind, stamp.is_bound())).collect()
}

fn last(cms: &[u8]) -> Stamp {
    stamps(cms, 0, CONTENT).unwrap().pop().unwrap()
}

/// Whatever was added, the signer's own signature still verifies and the file is in DER.
fn assert_signature_untouched(cms: &[u8]) {
    let signed = SignedData::parse(cms).unwrap();
    assert!(!signed.is_ber());
    let signer = &signed.signers()[0];
    let by = verify_signer(signer, signed.certificates(), Some(oid::DATA.as_bytes()), |algorithm| {
        Digest::of(algorithm, b"abc")
    });
    assert_eq!(by.unwrap(), &testing::ana());
}

#[test]
fn a_signature_time_stamp_is_over_the_value() {
    let basic = basic();
    let value = SignedData::parse(&basic).unwrap().signers()[0].value.clone();
    assert_eq!(signature_time_stamp_imprint(&basic, 0, SHA256).unwrap(), Digest::sha256(&value));
    let stamped = with_time_stamp(&basic, 1);
    assert_signature_untouched(&stamped);
    assert_eq!(kinds_and_bindings(&stamped), [(StampKind::Signature, true)]);
    assert_eq!(last(&stamped).token.unwrap().time(), at(1));
    // More than one authority may be asked.
    let twice = with_time_stamp(&stamped, 2);
    assert_eq!(kinds_and_bindings(&twice), [(StampKind::Signature, true); 2]);
}

#[test]
fn a_time_stamp_of_something_else_is_not_added() {
    let basic = basic();
    let foreign = token(&Digest::sha256(b"another signature"), 1);
    let with_values = with_values(&with_time_stamp(&basic, 1));
    let archivable = with_revocation(&with_time_stamp(&basic, 1), 1);
    for error in [
        add_signature_time_stamp(&basic, 0, &foreign).unwrap_err(),
        add_esc_time_stamp(&with_values, 0, &foreign).unwrap_err(),
        add_archive_time_stamp_v2(&with_values, 0, CONTENT, &foreign).unwrap_err(),
        add_archive_time_stamp_v3(&archivable, 0, CONTENT, &foreign).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::TimeStampInvalid);
    }
}

#[test]
fn a_time_stamp_pasted_in_from_another_signature_is_not_bound() {
    let mut parts_of = Parts::read(include_bytes!("../../../testdata/cms/ana-cades.p7s")).unwrap();
    let stamped = with_time_stamp(&basic(), 1);
    let stolen = stamps(&stamped, 0, CONTENT).unwrap().remove(0).token.unwrap();
    for kind in [oid::SIGNATURE_TIME_STAMP, oid::ARCHIVE_TIME_STAMP_V2, oid::ARCHIVE_TIME_STAMP_V3] {
        parts_of.add_unsigned(0, kind, stolen.der()).unwrap();
    }
    let pasted = parts_of.write().unwrap();
    assert_eq!(
        kinds_and_bindings(&pasted),
        [(StampKind::Signature, false), (StampKind::ArchiveV2, false), (StampKind::ArchiveV3, false)]
    );
    let found = stamps(&pasted, 0, CONTENT).unwrap();
    assert_eq!(found[2].imprint_expected, Err(StampError::HashIndex("exactly one was expected")));
}

#[test]
fn levels_ask_for_what_they_build_upon() {
    let basic = basic();
    let stamped = with_time_stamp(&basic, 1);
    for error in [
        signature_time_stamp_imprint(&basic, 1, SHA256).unwrap_err(),
        esc_time_stamp_imprint(&stamped, 0, SHA256).unwrap_err(),
        archive_time_stamp_v3_imprint(&with_revocation(&basic, 1), 0, CONTENT, SHA256).unwrap_err(),
        archive_time_stamp_v3_imprint(&stamped, 0, CONTENT, SHA256).unwrap_err(),
        archive_time_stamp_v2_imprint(&stamped, 0, CONTENT, SHA256).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::SignatureNotExtendable, "{error}");
    }
    let ready = with_revocation(&stamped, 1);
    let digest = Digest::sha256(b"abc");
    assert!(archive_time_stamp_v3_imprint(&ready, 0, Content::Digest(&digest), SHA256).is_ok());
    for error in [
        archive_time_stamp_v3_imprint(&ready, 0, Content::Inside, SHA256).unwrap_err(),
        archive_time_stamp_v3_imprint(&ready, 0, Content::Digest(&digest), DigestAlgorithm::Sha512)
            .unwrap_err(),
        archive_time_stamp_v2_imprint(&with_values(&stamped), 0, Content::Digest(&digest), SHA256)
            .unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::ContentRequired);
    }
}

#[test]
fn esc_time_stamps_cover_time_stamp_and_references() {
    let cms = with_values(&with_time_stamp(&basic(), 1));
    let imprint = esc_time_stamp_imprint(&cms, 0, SHA256).unwrap();
    let with_esc = add_esc_time_stamp(&cms, 0, &token(&imprint, 2)).unwrap();
    assert_signature_untouched(&with_esc);
    assert_eq!(last(&with_esc).kind, StampKind::CompleteReferences);
    assert!(last(&with_esc).is_bound());
    // Another signature time stamp afterwards is not what was stamped.
    assert!(!last(&with_time_stamp(&with_esc, 3)).is_bound());
    // time-stamped-certs-crls-references cover the references alone.
    let mut parts = Parts::read(&cms).unwrap();
    let imprint = imprint::of_references(parts.signer(0).unwrap(), SHA256).unwrap();
    parts.add_unsigned(0, oid::CERT_CRL_TIME_STAMP, token(&imprint, 2).der()).unwrap();
    let with_references = parts.write().unwrap();
    assert_eq!(last(&with_references).kind, StampKind::References);
    assert!(last(&with_references).is_bound());
}

#[test]
fn archive_time_stamps_of_the_third_version_can_be_renewed() {
    for placement in [Placement::Detached, Placement::Enveloping(b"abc".to_vec())] {
        let mut cms = with_revocation(&with_time_stamp(&signed(placement), 1), 1);
        for round in 2..5 {
            cms = with_archive_v3(&cms, u64::from(round));
            assert_signature_untouched(&cms);
            // Data for the next round, as another signer would add them.
            cms = with_revocation(&cms, round);
        }
        let found = stamps(&cms, 0, CONTENT).unwrap();
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(Stamp::is_bound));
        let left_out = found.iter().map(|stamp| stamp.uncovered.len()).collect::<Vec<_>>();
        // Each stamp leaves out the list and the stamp of every round after it.
        assert_eq!(left_out, [0, 5, 3, 1]);
        let crl = encode(tag::SEQUENCE, &[&[tag::INTEGER, 1, 3]]);
        let covering = found.iter().map(|stamp| stamp.covers(&crl)).collect::<Vec<_>>();
        assert_eq!(covering, [false, false, false, true]);
        assert!(found[1].covers(testing::ana().der()));
    }
}

#[test]
fn an_archive_time_stamp_notices_what_is_gone() {
    let cms = with_archive_v3(&with_revocation(&with_time_stamp(&basic(), 1), 1), 2);
    assert!(last(&cms).is_bound());

    // The signature time stamp taken out.
    let mut parts = Parts::read(&cms).unwrap();
    let (at, _) = parts.signers[0].of(oid::SIGNATURE_TIME_STAMP).next().unwrap();
    parts.signers[0].unsigned.remove(at);
    parts.add_certificate(testing::selo().der());
    let error = last(&parts.write().unwrap()).imprint_expected.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the hash index of the archive time stamp: an unsigned attribute that was archived is gone or changed"
    );

    // The archive time stamp moved to a signature with other certificates.
    let token = last(&cms).token.unwrap();
    let other = SignedData::parse(include_bytes!("../../../testdata/cms/ana-cades.p7s")).unwrap();
    assert_eq!(other.certificates().len(), 3);
    let mut parts = Parts::read(include_bytes!("../../../testdata/cms/ana-cades.p7s")).unwrap();
    parts.add_unsigned(0, oid::ARCHIVE_TIME_STAMP_V3, token.der()).unwrap();
    assert!(matches!(last(&parts.write().unwrap()).imprint_expected, Err(StampError::HashIndex(_))));

    // Other content.
    let moved = stamps(&cms, 0, Content::Bytes(b"abd")).unwrap().pop().unwrap();
    assert!(!moved.is_bound() && moved.imprint_expected.is_ok());
    let unknown = stamps(&cms, 0, Content::Inside).unwrap().pop().unwrap();
    assert_eq!(unknown.imprint_expected, Err(StampError::ContentMissing));
}

#[test]
fn a_hash_index_that_was_made_smaller_does_not_fit_the_stamp() {
    let cms = with_archive_v3(&with_revocation(&with_time_stamp(&basic(), 1), 1), 2);
    let mut parts = Parts::read(&cms).unwrap();
    let (at, attribute) = parts.signers[0].of(oid::ARCHIVE_TIME_STAMP_V3).next().unwrap();
    let token = attribute.values().next().unwrap().to_vec();
    let mut inner = Parts::read(&token).unwrap();
    let sha256 = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SHA256.as_bytes()])]);
    let empty = encode(tag::SEQUENCE, &[&sha256, &[0x30, 0], &[0x30, 0], &[0x30, 0]]);
    inner.replace_unsigned(0, 0, oid::ATS_HASH_INDEX_V3, &empty);
    let forged = inner.write().unwrap();
    parts.replace_unsigned(0, at, oid::ARCHIVE_TIME_STAMP_V3, &forged);
    let stamp = last(&parts.write().unwrap());
    assert!(stamp.imprint_expected.is_ok() && !stamp.is_bound());
    // And then it covers nothing at all.
    assert!(!stamp.covers(testing::ana().der()));
}

#[test]
fn archive_time_stamps_of_the_second_version_can_be_renewed() {
    for placement in [Placement::Detached, Placement::Enveloping(b"abc".to_vec())] {
        let mut cms = with_values(&with_time_stamp(&signed(placement), 1));
        // The last two in the same second.
        for minutes in [2, 3, 3] {
            cms = with_archive_v2(&cms, minutes);
            assert_signature_untouched(&cms);
        }
        let found = stamps(&cms, 0, CONTENT).unwrap();
        assert_eq!(found.len(), 4);
        let bound = found.iter().filter(|stamp| stamp.is_bound()).count();
        assert_eq!(bound, 4, "{found:?}");
        assert_eq!(found[1].uncovered.len(), 3, "itself and two later ones");
        assert!(found[1].covers(testing::ana().der()));
        let first = found[1].token.as_ref().unwrap().der();
        assert!(found[2].covers(first) && !found[1].covers(first));
    }
}

#[test]
fn nothing_may_be_added_that_an_archive_time_stamp_of_the_second_version_would_notice() {
    let cms = with_archive_v2(&with_values(&with_time_stamp(&basic(), 1)), 2);
    let imprint = signature_time_stamp_imprint(&cms, 0, SHA256).unwrap();
    let esc = esc_time_stamp_imprint(&cms, 0, SHA256).unwrap();
    let refused = [
        add_signature_time_stamp(&cms, 0, &token(&imprint, 3)).unwrap_err(),
        add_esc_time_stamp(&cms, 0, &token(&esc, 3)).unwrap_err(),
        counter_sign(&cms, 0, &testing::bruno(), &[], &Options::new(now())).unwrap_err(),
        co_sign(&cms, &Digest::sha256(b"abc"), &testing::bruno(), &[], &Options::new(now())).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.code(), ErrorCode::SignatureNotExtendable);
    }
    // What is added behind its back is noticed.
    assert!(last(&cms).is_bound());
    assert!(!last(&with_revocation(&cms, 1)).is_bound());
    let mut parts = Parts::read(&cms).unwrap();
    parts.add_unsigned(0, oid::COUNTER_SIGNATURE, &[5, 0]).unwrap();
    assert!(!last(&parts.write().unwrap()).is_bound());
}

#[test]
fn the_reading_of_an_older_edition_is_accepted() {
    let cms = with_values(&with_time_stamp(&basic(), 1));
    let mut parts = Parts::read(&cms).unwrap();
    let signer = parts.signer(0).unwrap();
    let mut stream = imprint::archive_v2_prefix(&parts, signer, CONTENT, SHA256).unwrap();
    stream.update(&signer.unsigned.concat());
    let stamp = token(&stream.finish(), 2);
    parts.add_unsigned(0, oid::ARCHIVE_TIME_STAMP_V2, stamp.der()).unwrap();
    assert!(last(&parts.write().unwrap()).is_bound());
}

#[test]
fn foreign_signatures_in_ber_reach_every_level() {
    let ber: &[u8] = include_bytes!("../../../testdata/cms/ana-attached-ber.p7m");
    let stamped = with_time_stamp(ber, 1);
    assert_signature_untouched(&stamped);
    let archived = with_archive_v3(&with_revocation(&stamped, 1), 2);
    assert_signature_untouched(&archived);
    assert_eq!(kinds_and_bindings(&archived), [(StampKind::Signature, true), (StampKind::ArchiveV3, true)]);

    // The second version covers encapContentInfo as it stands, so that stays in BER.
    let mut parts = Parts::read(ber).unwrap();
    let mut stream = imprint::archive_v2_prefix(&parts, parts.signer(0).unwrap(), CONTENT, SHA256).unwrap();
    stream.update(&[0xa1, 0]);
    parts.add_unsigned(0, oid::ARCHIVE_TIME_STAMP_V2, token(&stream.finish(), 2).der()).unwrap();
    let archived = parts.write().unwrap();
    assert!(SignedData::parse(&archived).unwrap().is_ber());
    assert!(last(&archived).is_bound());
}

#[test]
fn a_stamp_that_cannot_be_read_is_listed() {
    let mut parts_owner = basic();
    for kind in [oid::SIGNATURE_TIME_STAMP, oid::ARCHIVE_TIME_STAMP_V1] {
        let mut parts = Parts::read(&parts_owner).unwrap();
        parts.add_unsigned(0, kind, &[5, 0]).unwrap();
        let written = parts.write().unwrap();
        parts_owner = written;
    }
    let found = stamps(&parts_owner, 0, CONTENT).unwrap();
    assert_eq!(found.len(), 2);
    for stamp in found {
        assert!(stamp.token.is_err() && !stamp.is_bound());
        assert_eq!(stamp.imprint_expected, Err(StampError::Token));
    }
}

#[test]
fn more_time_stamps_than_anybody_needs_are_refused() {
    let mut cms = basic();
    for _ in 0..33 {
        let mut parts = Parts::read(&cms).unwrap();
        parts.add_unsigned(0, oid::SIGNATURE_TIME_STAMP, &[5, 0]).unwrap();
        let written = parts.write().unwrap();
        cms = written;
    }
    let error = stamps(&cms, 0, CONTENT).unwrap_err();
    assert!(error.to_string().contains("at most 32 time stamps"), "{error}");
}
