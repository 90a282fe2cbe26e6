//! Archive time stamps and time stamps on the content: what they prove beyond the signature's own stamp.

use super::revoked::{CLOCK, ROOT, STAMP, of_that_day, required};
use super::stamps::{at, holder, stamped, time};
use super::*;
use crate::cades::{add_archive_time_stamp_v3, add_validation_data, archive_time_stamp_v3_imprint};
use crate::revocation::Evidence;
use crate::testing::extension;
use crate::tsp::testing::Authority;
use crate::validation::testing::{authority, crl, lists};
use crate::validation::{BaselineLevel, TimeStampKind};

const ARCHIVED: &str = "2026-05-01T00:00:00Z";

/// With the evidence inside and an archive time stamp over everything.
fn archived(cms: &[u8], evidence: &Evidence) -> Vec<u8> {
    let cms = add_validation_data(cms, 0, evidence).unwrap();
    let imprint = archive_time_stamp_v3_imprint(&cms, 0, ABC, DigestAlgorithm::Sha256).unwrap();
    let token = Authority::new().token(&imprint, time(ARCHIVED));
    add_archive_time_stamp_v3(&cms, 0, ABC, &token).unwrap()
}

/// What is known about the clock today.
fn clock_today() -> Evidence {
    lists([crl(CLOCK, 70, "261123110000Z", "261124110000Z", &[])])
}

fn report_on(cms: &[u8], evidence: Evidence) -> SignatureReport {
    validate_cms(cms, ABC, &required(evidence)).unwrap().signatures.remove(0)
}

#[test]
fn an_archive_time_stamp_over_the_evidence_is_level_lta() {
    let expired = Issue { not_after: "260601000000Z", ..holder() };
    let cms = stamped(&expired, at(STAMP)).der();
    let report = report_on(&archived(&cms, &of_that_day("260301110000Z", &[])), clock_today());
    assert_eq!(verdict(&report), "passed", "{report:#?}");
    assert_eq!(report.level, Some(BaselineLevel::Lta));
    let kinds: Vec<_> = report.time_stamps.iter().map(|stamp| stamp.kind).collect();
    assert_eq!(kinds, [TimeStampKind::Signature, TimeStampKind::ArchiveV3]);
    assert_eq!(report.proven_time.unwrap().time, time(STAMP));
}

#[test]
fn lists_of_an_expired_authority_are_good_when_they_were_archived_before() {
    let middle = Issue { serial: 9, not_after: "260701000000Z", ..authority("Middle TEST", 5) };
    let middle = Issue { issuer: testing::name(ROOT), issuer_key: 1, ..middle };
    let holder = Issue::holder("Holder TEST", 2, "Middle TEST", 5);
    let mut evidence = of_that_day("260301110000Z", &[]);
    evidence.certificates.push(middle.certificate());
    evidence.crls.push(crl("Middle TEST", 5, "260301110000Z", "260302100000Z", &[]));
    let cms = stamped(&holder, at(STAMP)).der();
    let bare = add_validation_data(&cms, 0, &evidence).unwrap();
    let report = report_on(&bare, clock_today());
    assert_eq!(verdict(&report), "indeterminate REVOCATION_OUT_OF_BOUNDS_NO_POE", "{report:#?}");
    let report = report_on(&archived(&cms, &evidence), clock_today());
    assert_eq!(verdict(&report), "passed", "{report:#?}");
}

#[test]
fn a_clock_that_expired_since_is_good_when_its_stamp_was_archived_before() {
    let usage = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::TIME_STAMPING.as_bytes()])]);
    let clock = Issue { not_after: "260601000000Z", ..Issue::holder("Carimbo TEST", 71, CLOCK, 70) };
    let certificate = clock.with(extension(oid::EXTENDED_KEY_USAGE, true, &usage)).certificate();
    let old = |value: &[u8]| {
        Authority { certificate, ..Authority::new() }.stamp(&Digest::sha256(value), time(STAMP))
    };
    let expired = Issue { not_after: "260601000000Z", ..holder() };
    let evidence = of_that_day("260301110000Z", &[]);
    let cms = stamped(&expired, old).der();
    let bare = add_validation_data(&cms, 0, &evidence).unwrap();
    let report = report_on(&bare, clock_today());
    assert_eq!(verdict(&report), "indeterminate OUT_OF_BOUNDS_NO_POE", "{report:#?}");
    let report = report_on(&archived(&cms, &evidence), clock_today());
    assert_eq!(verdict(&report), "passed", "{report:#?}");
}

#[test]
fn an_archive_time_stamp_over_something_that_is_gone_is_noticed() {
    let cms = stamped(&holder(), at(STAMP)).der();
    let evidence = of_that_day("260301110000Z", &[]);
    let mut damaged = archived(&cms, &evidence);
    // Another list of the same length in place of the one that was archived.
    let der = evidence.crls[0].der();
    let start = damaged.windows(der.len()).position(|window| window == der).unwrap();
    damaged[start + der.len() - 1] ^= 1;
    let report = report_on(&damaged, Evidence::default());
    assert_eq!(verdict(&report), "indeterminate SIG_CONSTRAINTS_FAILURE", "{report:#?}");
    assert_eq!(report.time_stamps[1].sub_indication, Some(SubIndication::FormatFailure));
}

/// Signed by the holder, who had the content stamped before.
fn with_content_stamp(holder: &Issue, text: &str) -> Forged {
    let mut forged = Forged::by(&holder.certificate(), 2);
    let token = Authority::new().stamp(&Digest::sha256(b"abc"), time(text));
    let kind = encode(tag::OID, &[oid::CONTENT_TIME_STAMP.as_bytes()]);
    forged.list().push(encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&token])]));
    forged
}

#[test]
fn content_that_was_stamped_after_the_end_of_the_certificate_fails() {
    let expired = Issue { not_after: "260601000000Z", ..holder() };
    let mut evidence = clock_today();
    evidence.merge(lists([crl(ROOT, 1, "261123110000Z", "261124110000Z", &[(1, "260301000000Z")])]));
    for (holder, stamp, expected) in [
        (&expired, "2026-06-02T00:00:00Z", "failed EXPIRED"),
        (&holder(), "2026-03-02T00:00:00Z", "failed REVOKED"),
        (&holder(), "2026-02-28T00:00:00Z", "indeterminate REVOKED_NO_POE"),
    ] {
        let report = with_content_stamp(holder, stamp).report(&required(evidence.clone()));
        assert_eq!(verdict(&report), expected, "{stamp}: {report:#?}");
        assert_eq!(report.time_stamps[0].kind, TimeStampKind::Content);
        assert!(report.proven_time.is_none());
    }
}
