//! Revocation at the time that matters: now, or the time that a stamp proves.

use super::stamps::{at, holder, stamped, time};
use super::*;
use crate::revocation::{Evidence, Wanted};
use crate::testing::{basic_constraints, key_usage};
use crate::validation::BaselineLevel;
use crate::validation::testing::{authority, crl, crl_der, lists, time_root};

pub(super) const ROOT: &str = "Root TEST";
pub(super) const CLOCK: &str = "AC do Tempo TEST";
/// The signature existed then.
pub(super) const STAMP: &str = "2026-03-01T10:00:00Z";

/// Requires revocation data; trusts the holder's root and the clock's.
pub(super) fn required(evidence: Evidence) -> Context {
    let anchors = vec![authority(ROOT, 1).certificate(), time_root()];
    Context::new(TrustAnchors::new(anchors), now()).with_evidence(evidence)
}

/// Lists of both roots that are current [`now`]; the holder (serial 1) is in the first if `revoked` says since when.
fn current(revoked: Option<&str>) -> Evidence {
    let entries: Vec<_> = revoked.iter().map(|since| (1, *since)).collect();
    lists([
        crl(ROOT, 1, "261123110000Z", "261124110000Z", &entries),
        crl(CLOCK, 70, "261123110000Z", "261124110000Z", &[]),
    ])
}

/// Lists of both roots from the day of the stamp, long out of date.
pub(super) fn of_that_day(this_update: &str, revoked: &[(u8, &str)]) -> Evidence {
    lists([
        crl(ROOT, 1, this_update, "260302100000Z", revoked),
        crl(CLOCK, 70, this_update, "260302100000Z", &[]),
    ])
}

fn bare(holder: &Issue, evidence: Evidence) -> SignatureReport {
    Forged::by(&holder.certificate(), 2).report(&required(evidence))
}

fn with_stamp(holder: &Issue, evidence: Evidence) -> SignatureReport {
    stamped(holder, at(STAMP)).report(&required(evidence))
}

#[test]
fn without_a_stamp_the_question_is_about_now() {
    for (evidence, expected) in [
        (current(None), "passed"),
        (current(Some("260101000000Z")), "indeterminate REVOKED_NO_POE"),
        (Evidence::default(), "indeterminate TRY_LATER"),
        (of_that_day("260301110000Z", &[]), "indeterminate TRY_LATER"),
        (
            lists([crl(ROOT, 3, "261123110000Z", "261124110000Z", &[])]),
            "indeterminate CERTIFICATE_CHAIN_GENERAL_FAILURE",
        ),
        (lists([crl("Another", 1, "261123110000Z", "261124110000Z", &[])]), "indeterminate TRY_LATER"),
    ] {
        let report = bare(&holder(), evidence);
        assert_eq!(verdict(&report), expected, "{report:#?}");
    }
}

#[test]
fn with_a_stamp_the_question_is_about_that_time() {
    for (evidence, expected) in [
        (current(None), "passed"),
        (current(Some("260301100001Z")), "passed"),
        (current(Some("260301100000Z")), "failed REVOKED"),
        (current(Some("260101000000Z")), "failed REVOKED"),
        // Old lists from after the stamp still answer.
        (of_that_day("260301110000Z", &[]), "passed"),
        (of_that_day("260301110000Z", &[(1, "260301103000Z")]), "passed"),
        (of_that_day("260301110000Z", &[(1, "260228000000Z")]), "failed REVOKED"),
        // Lists from before it do not: the certificate may have been revoked in between.
        (of_that_day("260301090000Z", &[]), "indeterminate TRY_LATER"),
        (Evidence::default(), "indeterminate TRY_LATER"),
    ] {
        let report = with_stamp(&holder(), evidence);
        let stamp_holds = report.time_stamps[0].indication == Indication::Passed;
        if stamp_holds {
            assert_eq!(verdict(&report), expected, "{report:#?}");
        } else {
            // The clock's own list is too old as well: nothing is proved, and nothing passes.
            assert!(expected.ends_with("TRY_LATER"), "{report:#?}");
            assert_ne!(report.indication, Indication::Passed, "{report:#?}");
        }
    }
}

/// Whose list is from before the stamp decides: the holder may have lost the key in between, while lists about
/// authorities appear every few weeks.
#[test]
fn lists_about_authorities_may_be_older_than_the_stamp() {
    const AUTHORITY: &str = "AC TEST";
    let issued = Issue::holder("Holder TEST", 2, AUTHORITY, 3);
    let between = Issue {
        serial: 9,
        extensions: vec![basic_constraints(true, None), key_usage(0x06)],
        ..Issue::authority(AUTHORITY, 3, ROOT, 1)
    };
    let with_lists = |about_authority: &str, about_holder: &str, revoked: &[(u8, &str)]| {
        let evidence = lists([
            crl(ROOT, 1, about_authority, "260401100000Z", revoked),
            crl(AUTHORITY, 3, about_holder, "260302100000Z", &[]),
            crl(CLOCK, 70, "260301110000Z", "260302100000Z", &[]),
        ]);
        let context = required(evidence).with_intermediates(vec![between.certificate()]);
        verdict(&stamped(&issued, at(STAMP)).report(&context))
    };
    assert_eq!(with_lists("260215000000Z", "260301110000Z", &[]), "passed");
    assert_eq!(with_lists("260215000000Z", "260301090000Z", &[]), "indeterminate TRY_LATER");
    assert_eq!(
        with_lists("260215000000Z", "260301110000Z", &[(9, "260214000000Z")]),
        "indeterminate REVOKED_CA_NO_POE"
    );
}

#[test]
fn a_later_list_with_an_earlier_revocation_outweighs_older_lists() {
    let mut evidence = of_that_day("260301110000Z", &[]);
    evidence.merge(current(Some("260201000000Z")));
    assert_eq!(verdict(&with_stamp(&holder(), evidence)), "failed REVOKED");
}

#[test]
fn revoked_after_the_stamp_is_said_and_passes() {
    let report = with_stamp(&holder(), current(Some("260901000000Z")));
    assert_eq!(verdict(&report), "passed");
    let warned =
        |finding: &&Finding| finding.check == Check::Revocation && finding.outcome == Outcome::Warning;
    let warning = report.findings.iter().find(warned).unwrap();
    assert!(
        warning.evidence.contains("revoked at 2026-09-01T00:00:00Z, later, by crl sha256:"),
        "{warning:?}"
    );
}

#[test]
fn expired_and_revoked_since_passes_with_a_stamp_only() {
    let expired = Issue { not_after: "260601000000Z", ..holder() };
    let evidence = of_that_day("260301110000Z", &[]);
    assert_eq!(verdict(&with_stamp(&expired, evidence.clone())), "passed");
    assert_eq!(verdict(&bare(&expired, evidence)), "indeterminate OUT_OF_BOUNDS_NO_POE");
}

#[test]
fn a_revoked_clock_proves_nothing() {
    let evidence = lists([
        crl(ROOT, 1, "261123110000Z", "261124110000Z", &[]),
        crl(CLOCK, 70, "261123110000Z", "261124110000Z", &[(1, "260901000000Z")]),
    ]);
    let report = with_stamp(&holder(), evidence);
    assert_eq!(report.time_stamps[0].sub_indication, Some(SubIndication::RevokedNoPoe));
    assert!(report.proven_time.is_none());
    // Without the proof the signature is judged for now, where it is good.
    assert_eq!(verdict(&report), "passed");
    assert_eq!(report.level, Some(BaselineLevel::B));
}

#[test]
fn an_authority_that_was_revoked_leaves_it_open() {
    let middle = Issue { serial: 9, ..authority("Middle TEST", 5) };
    let middle = Issue { issuer: testing::name(ROOT), issuer_key: 1, ..middle };
    let holder = Issue::holder("Holder TEST", 2, "Middle TEST", 5);
    let evidence = Evidence {
        certificates: vec![middle.certificate()],
        ..lists([
            crl("Middle TEST", 5, "261123110000Z", "261124110000Z", &[]),
            crl(ROOT, 1, "261123110000Z", "261124110000Z", &[(9, "260101000000Z")]),
        ])
    };
    let report = bare(&holder, evidence);
    assert_eq!(verdict(&report), "indeterminate REVOKED_CA_NO_POE", "{report:#?}");
}

#[test]
fn lists_of_an_authority_that_has_expired_need_a_proof_of_their_own() {
    let middle = Issue { serial: 9, not_after: "260701000000Z", ..authority("Middle TEST", 5) };
    let middle = Issue { issuer: testing::name(ROOT), issuer_key: 1, ..middle };
    let holder = Issue::holder("Holder TEST", 2, "Middle TEST", 5);
    let mut evidence = of_that_day("260301110000Z", &[]);
    evidence.certificates.push(middle.certificate());
    evidence.crls.push(crl("Middle TEST", 5, "260301110000Z", "260302100000Z", &[]));
    let report = with_stamp(&holder, evidence);
    assert_eq!(verdict(&report), "indeterminate REVOCATION_OUT_OF_BOUNDS_NO_POE", "{report:#?}");
}

#[test]
fn what_would_help_is_named_once_and_in_a_stable_order() {
    let cms = stamped(&holder(), at(STAMP)).der();
    let wanted = |evidence: Evidence| validate_cms(&cms, ABC, &required(evidence)).unwrap().wanted;
    let nothing_at_hand = wanted(Evidence::default());
    let names: Vec<_> = nothing_at_hand
        .iter()
        .map(|wanted| match wanted {
            Wanted::Revocation { certificate, .. } => certificate.issuer_common_name(),
            Wanted::Issuer { .. } => "an issuer".to_owned(),
        })
        .collect();
    assert_eq!(names, [ROOT, CLOCK]);
    assert_eq!(wanted(Evidence::default()), nothing_at_hand);
    assert_eq!(wanted(current(None)), []);
    let untrusted = Context::new(TrustAnchors::new(vec![testing::root()]), now());
    let report = validate_cms(&cms, ABC, &untrusted).unwrap();
    assert!(
        report.wanted.iter().any(|wanted| matches!(wanted, Wanted::Issuer { .. })),
        "{:?}",
        report.wanted
    );
    assert!(!serde_json::to_string(&report).unwrap().contains("wanted"));
}

#[test]
fn evidence_inside_the_file_makes_it_long_term() {
    let evidence = of_that_day("260301110000Z", &[]);
    let at_hand = with_stamp(&holder(), evidence.clone());
    assert_eq!(at_hand.level, Some(BaselineLevel::T));
    let mut forged = stamped(&holder(), at(STAMP));
    forged.crls = evidence.crls.iter().map(|crl| crl.der().to_vec()).collect();
    let inside = forged.report(&required(Evidence::default()));
    assert_eq!(verdict(&inside), "passed", "{inside:#?}");
    assert_eq!(inside.level, Some(BaselineLevel::Lt));
    // Only one of both lists.
    forged.crls.pop();
    let half = forged.report(&required(evidence));
    assert_eq!((verdict(&half).as_str(), half.level), ("passed", Some(BaselineLevel::T)));
}

#[test]
fn revocation_values_count_as_evidence_inside() {
    let evidence = of_that_day("260301110000Z", &[]);
    let list = evidence.crls.iter().map(|crl| crl.der().to_vec()).collect::<Vec<_>>().concat();
    let list = encode(tag::context_constructed(0), &[&encode(tag::SEQUENCE, &[&list])]);
    let kind = encode(tag::OID, &[oid::REVOCATION_VALUES.as_bytes()]);
    let values = encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&encode(tag::SEQUENCE, &[&list])])]);
    let mut forged = stamped(&holder(), at(STAMP));
    forged.unsigned = forged.unsigned.map(|stamp| [stamp, values].concat());
    let report = forged.report(&required(Evidence::default()));
    assert_eq!((verdict(&report).as_str(), report.level), ("passed", Some(BaselineLevel::Lt)), "{report:#?}");
}

#[test]
fn no_flipped_bit_of_a_list_passes() {
    let der = crl_der(ROOT, 1, "261123110000Z", "261124110000Z", &[(7, "260101000000Z")]);
    let verdict_of = |der: &[u8]| {
        let crl = crate::revocation::Crl::from_der(der).ok()?;
        Some(bare(&holder(), lists([crl])).indication)
    };
    assert_eq!(verdict_of(&der), Some(Indication::Passed));
    for position in 0..der.len() {
        for bit in 0..8 {
            let mut damaged = der.clone();
            damaged[position] ^= 1 << bit;
            assert_ne!(verdict_of(&damaged), Some(Indication::Passed), "byte {position}, bit {bit}");
        }
    }
}

#[test]
fn a_stamped_time_is_the_one_of_the_stamp() {
    assert_eq!(with_stamp(&holder(), current(None)).proven_time.unwrap().time, time(STAMP));
}
