//! PAdES under the policies of ICP-Brasil, from the first signature to the archived file.

use p256::ecdsa::signature::hazmat::PrehashSigner;

use super::*;
use crate::Timestamp;
use crate::cades;
use crate::icp_brasil::signature_policy::{Family, Profile, current};
use crate::pades::{
    self, Options, PolicyArtifacts, SubFilter, TIME_STAMP_RESERVE_BYTES, TimeStampOptions, ValidationData,
};
use crate::revocation::Evidence;
use crate::testing::{Issue, now, test_key};
use crate::tsp::testing::Authority;
use crate::validation::testing::{authority, crl, lists, time_root};
use crate::validation::{BaselineLevel, IcpBrasilProfile, Language};
use crate::x509::TrustAnchors;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn evidence(day: &str, next: &str) -> Evidence {
    lists([crl("Root TEST", 1, day, next, &[]), crl("AC do Tempo TEST", 70, day, next, &[])])
}

fn trusting() -> Context {
    let anchors = TrustAnchors::new(vec![authority("Root TEST", 1).certificate(), time_root()]);
    Context::new(anchors, now()).with_evidence(evidence("261123110000Z", "261124110000Z"))
}

/// Signed under the policy of a profile, with a signature time stamp or without.
fn signed_under(profile: Profile, stamped: bool) -> Vec<u8> {
    let file = Sample::new().table();
    let holder = Issue::holder("Holder TEST", 2, "Root TEST", 1).certificate();
    let options = Options {
        policy: current(Family::Pades, profile),
        sub_filter: SubFilter::Pbad,
        time_stamp_reserve: TIME_STAMP_RESERVE_BYTES,
        ..Options::new(time("2026-03-01T09:00:00Z"))
    };
    let plan = pades::prepare(&file, &holder, &[], &options).unwrap();
    let value: p256::ecdsa::DerSignature = test_key(2).sign_prehash(plan.to_sign().as_bytes()).unwrap();
    let mut cms = plan.assemble(value.as_bytes()).unwrap();
    if stamped {
        let imprint = cades::signature_time_stamp_imprint(&cms, 0, DigestAlgorithm::Sha256).unwrap();
        let token = Authority::new().token(&imprint, time("2026-03-01T10:00:00Z"));
        cms = cades::add_signature_time_stamp(&cms, 0, &token).unwrap();
    }
    [&file[..], &plan.embed_cms(&cms).unwrap()].concat()
}

fn with_data(file: &[u8], artefacts: bool) -> Vec<u8> {
    let mut data = ValidationData::from(&evidence("260301110000Z", "260302100000Z"));
    data.certificates.push(authority("Root TEST", 1).certificate().der().to_vec());
    data.policy = artefacts.then(|| PolicyArtifacts {
        policy: b"policy".to_vec(),
        list: b"list".to_vec(),
        list_signature: b"signature".to_vec(),
    });
    let store = pades::add_validation_data(file, &[("Signature1", &data)], time("2026-03-01T12:00:00Z"));
    [file, &store.unwrap()].concat()
}

fn archived(file: &[u8]) -> Vec<u8> {
    let plan = pades::prepare_time_stamp(file, &TimeStampOptions::default()).unwrap();
    let token = Authority::new().stamp(plan.imprint(), time("2026-03-02T08:00:00Z"));
    [file, &plan.embed(&token).unwrap()].concat()
}

fn report_on(file: &[u8]) -> SignatureReport {
    validate_pdf(file, &trusting()).unwrap().signatures.remove(0)
}

#[test]
fn each_profile_is_reported_when_its_entries_are_there() {
    let (rb, rt) = (signed_under(Profile::Rb, false), signed_under(Profile::Rt, true));
    let rc = archived(&with_data(&signed_under(Profile::Rc, true), false));
    let ra = archived(&with_data(&signed_under(Profile::Ra, true), true));
    for (file, profile, level) in [
        (&rb, IcpBrasilProfile::AdRb, BaselineLevel::B),
        (&rt, IcpBrasilProfile::AdRt, BaselineLevel::T),
        (&rc, IcpBrasilProfile::AdRc, BaselineLevel::Lta),
        (&ra, IcpBrasilProfile::AdRa, BaselineLevel::Lta),
    ] {
        let report = report_on(file);
        assert_eq!(report.indication, Indication::Passed, "{profile:?}: {report:#?}");
        assert_eq!(report.icp_brasil_profile, Some(profile), "{report:#?}");
        assert_eq!(report.level, Some(level), "{profile:?}: {report:#?}");
        for check in [Check::PolicyIdentifier, Check::PolicyAttributes, Check::PolicyEntries] {
            assert!(report.has_passed(check), "{profile:?} {check:?}: {report:#?}");
        }
        // Neither the root nor the time stamps are ICP-Brasil's.
        assert!(!report.has_passed(Check::PolicyTrust) && !report.policy.unwrap().fulfilled);
    }
}

#[test]
fn pades_lta_is_reported_from_signature_to_archive() {
    let lt = with_data(&signed_under(Profile::Ra, true), true);
    assert_eq!(report_on(&lt).level, Some(BaselineLevel::Lt));
    let report = validate_pdf(&archived(&lt), &trusting()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    assert_eq!(report.signatures[0].level, Some(BaselineLevel::Lta));
    assert_eq!(report.time_stamps.len(), 1);
    assert!(report.time_stamps[0].proven_time().is_some(), "{report:#?}");
    let proven = report.signatures[0].proven_time.as_ref().unwrap();
    assert_eq!(proven.time, time("2026-03-01T10:00:00Z"));
    assert!(report.to_text(Language::En).contains("AD-RA v"), "{report}");
}

#[test]
fn a_policy_whose_entries_are_missing_is_not_fulfilled() {
    let ra = || signed_under(Profile::Ra, true);
    let complete = archived(&with_data(&ra(), true));
    let renamed = |file: &[u8], from: &str, to: &str| archived(&replaced(&with_data(file, true), from, to));
    for (what, file, profile, expected) in [
        ("nothing", signed_under(Profile::Ra, false), IcpBrasilProfile::AdRb, "a valid document time stamp"),
        ("no store", archived(&ra()), IcpBrasilProfile::AdRt, "DSS"),
        ("no time stamp", with_data(&ra(), true), IcpBrasilProfile::AdRt, "a valid document time stamp"),
        (
            "no artefacts",
            archived(&with_data(&ra(), false)),
            IcpBrasilProfile::AdRc,
            "DSS/PBAD_PolicyArtifacts",
        ),
        ("data behind the stamp", with_data(&archived(&ra()), true), IcpBrasilProfile::AdRt, "DSS"),
        ("no certificates", renamed(&ra(), "/Certs", "/Cexts"), IcpBrasilProfile::AdRt, "DSS/Certs"),
        ("no entry", renamed(&ra(), "/Type /VRI", "/Type /VRX"), IcpBrasilProfile::AdRt, "VRI/Type"),
        ("no entries", renamed(&ra(), "/VRI <<", "/VRX <<"), IcpBrasilProfile::AdRt, "DSS/VRI"),
        ("no time", renamed(&ra(), "/TU ", "/TX "), IcpBrasilProfile::AdRt, "VRI/TU or else TS"),
        (
            "no list",
            renamed(&ra(), "/PBAD_LpaSignature ", "/PBAD_LpaSignaturx "),
            IcpBrasilProfile::AdRc,
            "VRI/PBAD_LpaSignature",
        ),
    ] {
        let report = report_on(&file);
        assert_eq!(report.icp_brasil_profile, Some(profile), "{what}: {report:#?}");
        assert!(!report.has_passed(Check::PolicyEntries), "{what}");
        let mut found = report.findings.iter().filter(|finding| finding.check == Check::PolicyEntries);
        let evidence = &found.next().unwrap().evidence;
        assert!(evidence.contains(expected), "{what}: {evidence}");
    }
    assert!(report_on(&complete).has_passed(Check::PolicyEntries));
}
