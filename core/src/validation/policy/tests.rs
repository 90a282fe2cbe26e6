use super::*;

/// A report in which everything about a policy passed but the entries of the PDF.
fn report(format: SignatureFormat) -> SignatureReport {
    let mut report = SignatureReport::new(format);
    CHECKS.into_iter().chain([Check::Revocation]).for_each(|check| report.passed(check, ""));
    let oid = "2.16.76.1.7.1.14.1.4".to_owned();
    report.policy = Some(PolicyStatement { oid, name: None, fulfilled: false });
    report
}

fn is_fulfilled(mut report: SignatureReport) -> bool {
    report.conclude();
    conclude(&mut report);
    report.policy.is_some_and(|policy| policy.fulfilled)
}

#[test]
fn a_policy_is_fulfilled_when_every_check_passed() {
    assert!(is_fulfilled(report(SignatureFormat::Cades)));
    assert!(!is_fulfilled(report(SignatureFormat::Pades)), "nobody looked at the PDF");
    let mut pdf = report(SignatureFormat::Pades);
    check_entries(&mut pdf, Profile::Rt, &PdfEntries::default());
    assert!(is_fulfilled(pdf.clone()));
    for check in CHECKS {
        let mut open = pdf.clone();
        open.findings.retain(|finding| finding.check != check);
        assert!(!is_fulfilled(open), "{check:?}");
    }
    pdf.indeterminate(Check::PdfModifications, SubIndication::SigConstraintsFailure, "");
    assert!(!is_fulfilled(pdf));
}

#[test]
fn each_profile_asks_for_its_own_entries() {
    let list = |text: &str| vec![text.to_owned()];
    let entries = PdfEntries {
        missing_for_any: list("any"),
        missing_for_complete: list("complete"),
        missing_for_archive: list("archive"),
        accredited: false,
    };
    for (profile, expected) in [
        (Profile::Rb, &["any"][..]),
        (Profile::Rt, &["any"]),
        (Profile::Rc, &["any", "complete"]),
        (Profile::Ra, &["any", "complete", "archive"]),
    ] {
        assert_eq!(entries.missing_for(profile), expected);
        let mut report = report(SignatureFormat::Pades);
        check_entries(&mut report, profile, &entries);
        assert!(!is_fulfilled(report));
    }
}
