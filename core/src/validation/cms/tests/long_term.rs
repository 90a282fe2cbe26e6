//! Signatures that our own functions raise to every level, as the validation reports them.

use p256::ecdsa::signature::hazmat::PrehashSigner;

use super::revoked::{CLOCK, ROOT, STAMP, of_that_day, required};
use super::stamps::{holder, time};
use super::*;
use crate::cades::{self, Options, Placement};
use crate::icp_brasil::signature_policy::{Family, Profile, current};
use crate::revocation::Evidence;
use crate::testing::test_key;
use crate::tsp::TimeStampToken;
use crate::tsp::testing::Authority;
use crate::validation::testing::{authority, crl, lists};
use crate::validation::{BaselineLevel, IcpBrasilProfile, TimeStampKind};

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;

fn token(imprint: &Digest, at: &str) -> TimeStampToken {
    Authority::new().token(imprint, time(at))
}

/// Signed by the holder and stamped at [`STAMP`].
fn signed(placement: Placement, profile: Option<Profile>) -> Vec<u8> {
    let policy = profile.and_then(|profile| current(Family::Cades, profile));
    let options = Options { placement, policy, ..Options::new(time("2026-03-01T09:00:00Z")) };
    let plan = cades::prepare(&Digest::sha256(b"abc"), &holder().certificate(), &[], &options).unwrap();
    let value: p256::ecdsa::DerSignature = test_key(2).sign_prehash(plan.to_sign().as_bytes()).unwrap();
    let cms = plan.assemble(value.as_bytes()).unwrap();
    let imprint = cades::signature_time_stamp_imprint(&cms, 0, SHA256).unwrap();
    cades::add_signature_time_stamp(&cms, 0, &token(&imprint, STAMP)).unwrap()
}

/// Lists about the holder and the clock, from the day of the stamp.
fn evidence() -> Evidence {
    of_that_day("260301110000Z", &[])
}

/// What is known about the clock today, for the stamps that nothing protects yet.
fn today() -> Evidence {
    lists([crl(CLOCK, 70, "261123110000Z", "261124110000Z", &[])])
}

fn report(cms: &[u8], content: Content<'_>) -> SignatureReport {
    validate_cms(cms, content, &required(today())).unwrap().signatures.remove(0)
}

fn assert_stamps(report: &SignatureReport, expected: &[TimeStampKind]) {
    let kinds = report.time_stamps.iter().map(|stamp| stamp.kind).collect::<Vec<_>>();
    assert_eq!(kinds, expected);
    assert!(report.time_stamps.iter().all(|stamp| stamp.proven_time().is_some()), "{report:#?}");
}

#[test]
fn lta_is_reported_wherever_the_content_is_and_however_it_is_given() {
    for (placement, content) in [
        (Placement::Detached, ABC),
        (Placement::Detached, Content::Pieces(&[b"a", b"", b"bc"])),
        (Placement::Detached, Content::File(b"abc"[..].into())),
        (Placement::Detached, Content::Digest(&Digest::sha256(b"abc"))),
        (Placement::Enveloping(b"abc".to_vec()), Content::Inside),
        (Placement::Enveloping(b"abc".to_vec()), ABC),
    ] {
        let cms = cades::add_validation_data(&signed(placement, None), 0, &evidence()).unwrap();
        let before = report(&cms, content);
        assert_eq!((verdict(&before).as_str(), before.level), ("passed", Some(BaselineLevel::Lt)));
        let imprint = cades::archive_time_stamp_v3_imprint(&cms, 0, content, SHA256).unwrap();
        let stamp = token(&imprint, "2026-05-01T00:00:00Z");
        let cms = cades::add_archive_time_stamp_v3(&cms, 0, content, &stamp).unwrap();
        let report = report(&cms, content);
        assert_eq!(verdict(&report), "passed", "{content:?}: {report:#?}");
        assert_eq!(report.level, Some(BaselineLevel::Lta), "{content:?}: {report:#?}");
        assert_stamps(&report, &[TimeStampKind::Signature, TimeStampKind::ArchiveV3]);
        assert_eq!(report.proven_time.unwrap().time, time(STAMP));
    }
}

#[test]
fn an_archive_time_stamp_in_a_digest_that_is_not_at_hand_is_left_open() {
    let cms = cades::add_validation_data(&signed(Placement::Detached, None), 0, &evidence()).unwrap();
    let imprint = cades::archive_time_stamp_v3_imprint(&cms, 0, ABC, DigestAlgorithm::Sha512).unwrap();
    let stamp = token(&imprint, "2026-05-01T00:00:00Z");
    let cms = cades::add_archive_time_stamp_v3(&cms, 0, ABC, &stamp).unwrap();
    assert_eq!(report(&cms, ABC).level, Some(BaselineLevel::Lta));
    let by_digest = report(&cms, Content::Digest(&Digest::sha256(b"abc")));
    assert_eq!((verdict(&by_digest).as_str(), by_digest.level), ("passed", Some(BaselineLevel::Lt)));
    assert_eq!(by_digest.time_stamps[1].sub_indication, Some(SubIndication::SignedDataNotFound));
}

#[test]
fn every_profile_of_icp_brasil_is_reported_with_its_time_stamps() {
    let path = [holder().certificate(), authority(ROOT, 1).certificate()];
    let evidence = || Evidence { certificates: path[1..].to_vec(), ..evidence() };
    for (profile, expected, level) in [
        (Profile::Rt, IcpBrasilProfile::AdRt, BaselineLevel::T),
        (Profile::Rv, IcpBrasilProfile::AdRv, BaselineLevel::T),
        (Profile::Rc, IcpBrasilProfile::AdRc, BaselineLevel::Lt),
        (Profile::Ra, IcpBrasilProfile::AdRa, BaselineLevel::Lta),
    ] {
        let mut kinds = vec![TimeStampKind::Signature];
        let mut cms = signed(Placement::Detached, Some(profile));
        if profile >= Profile::Rv {
            cms = cades::add_references(&cms, 0, &path, &evidence()).unwrap();
            let imprint = cades::esc_time_stamp_imprint(&cms, 0, SHA256).unwrap();
            cms = cades::add_esc_time_stamp(&cms, 0, &token(&imprint, "2026-03-01T12:00:00Z")).unwrap();
            kinds.push(TimeStampKind::References);
        }
        if profile >= Profile::Rc {
            cms = cades::add_values(&cms, 0, &evidence()).unwrap();
        }
        if profile >= Profile::Ra {
            let imprint = cades::archive_time_stamp_v2_imprint(&cms, 0, ABC, SHA256).unwrap();
            let stamp = token(&imprint, "2026-05-01T00:00:00Z");
            cms = cades::add_archive_time_stamp_v2(&cms, 0, ABC, &stamp).unwrap();
            kinds.push(TimeStampKind::ArchiveV2);
        }
        let context = &required(evidence()).with_evidence(today());
        let report = validate_cms(&cms, ABC, context).unwrap().signatures.remove(0);
        assert_eq!(verdict(&report), "passed", "{profile:?}: {report:#?}");
        assert_eq!(report.icp_brasil_profile, Some(expected), "{report:#?}");
        assert_eq!(report.level, Some(level), "{profile:?}: {report:#?}");
        assert_stamps(&report, &kinds);
        assert!(report.has_passed(Check::PolicyAttributes), "{profile:?}");
        // Neither the root nor the time stamps are ICP-Brasil's.
        assert!(!report.policy.unwrap().fulfilled);
    }
}

/// An authority whose validity ended signs lists ever after for whoever has its key.
#[test]
fn what_is_put_behind_an_archive_time_stamp_is_not_proved_by_it() {
    let middle = Issue { serial: 9, not_after: "260701000000Z", ..authority("Middle TEST", 5) };
    let middle = Issue { issuer: testing::name(ROOT), issuer_key: 1, ..middle };
    let issued = Issue::holder("Holder TEST", 2, "Middle TEST", 5);
    let late = lists([crl("Middle TEST", 5, "260301110000Z", "260302100000Z", &[])]);
    let evidence = || {
        let mut evidence = evidence();
        evidence.certificates.push(middle.certificate());
        evidence
    };
    let cms = stamps::stamped(&issued, stamps::at(STAMP)).der();
    let archive = |cms: &[u8]| {
        let imprint = cades::archive_time_stamp_v3_imprint(cms, 0, ABC, SHA256).unwrap();
        let stamp = token(&imprint, "2026-05-01T00:00:00Z");
        cades::add_archive_time_stamp_v3(cms, 0, ABC, &stamp).unwrap()
    };
    let cms = cades::add_validation_data(&cms, 0, &evidence()).unwrap();
    let in_time = archive(&cades::add_validation_data(&cms, 0, &late).unwrap());
    assert_eq!(verdict(&report(&in_time, ABC)), "passed");
    let expected = "indeterminate REVOCATION_OUT_OF_BOUNDS_NO_POE";
    let archived = archive(&cms);
    let in_set = cades::add_validation_data(&archived, 0, &late).unwrap();
    assert_eq!(verdict(&report(&in_set, ABC)), expected);
    // In the token of the stamp itself, where its authority signed nothing.
    let mut parts = crate::cms::Parts::read(&archived).unwrap();
    let (at, value) = {
        let (at, attribute) = parts.signer(0).unwrap().of(oid::ARCHIVE_TIME_STAMP_V3).next().unwrap();
        (at, attribute.values().next().unwrap().to_vec())
    };
    let mut inside = crate::cms::Parts::read(&value).unwrap();
    inside.add_crl(late.crls[0].der());
    parts.replace_unsigned(0, at, oid::ARCHIVE_TIME_STAMP_V3, &inside.write().unwrap());
    let in_token = report(&parts.write().unwrap(), ABC);
    assert_eq!(verdict(&in_token), expected, "{in_token:#?}");
}
