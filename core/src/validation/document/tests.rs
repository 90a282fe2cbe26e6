use super::*;
use crate::testing::now;
use crate::tsp::testing::Authority;
use crate::validation::report::Record;
use crate::validation::testing::time_root;
use crate::validation::{Check, Indication, SubIndication};
use crate::x509::TrustAnchors;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn context() -> Context {
    Context::new(TrustAnchors::new(vec![time_root()]), now()).without_revocation()
}

fn stamp(end: u64, contents: &[u8]) -> DocumentStamp<'_> {
    DocumentStamp {
        report: TimeStampReport::new(TimeStampKind::Document),
        contents,
        end,
        imprint: Box::new(move |algorithm| Some(Digest::of(algorithm, &end.to_be_bytes()))),
        evidence: Evidence::default(),
    }
}

/// A padded token over the file that ends at `end`.
fn contents(end: u64, at: &str) -> Vec<u8> {
    let mut token = Authority::new().stamp(&Digest::sha256(&end.to_be_bytes()), time(at));
    token.resize(token.len() + 64, 0);
    token
}

#[test]
fn each_one_proves_what_came_before_it() {
    let (first, second) = (contents(100, "2026-02-01T00:00:00Z"), contents(200, "2026-03-01T00:00:00Z"));
    let stamps = vec![stamp(200, &second), stamp(100, &first)];
    let done = DocumentStamps::validate(stamps, &Evidence::default(), &context());
    let reports = done.reports();
    assert_eq!(reports.iter().filter_map(TimeStampReport::proven_time).count(), 2, "{reports:#?}");
    assert_eq!(reports[0].time, Some(time("2026-02-01T00:00:00Z")));
    for (end, expected) in
        [(50, Some("2026-02-01T00:00:00Z")), (100, Some("2026-03-01T00:00:00Z")), (200, None)]
    {
        let proofs = done.proofs_before(end);
        assert_eq!(proofs.signature().map(|proven| proven.time), expected.map(time), "{end}");
    }
    assert_eq!(done.wanted().count(), 0);
}

#[test]
fn one_with_a_finding_of_the_pdf_against_it_proves_nothing() {
    let token = contents(100, "2026-02-01T00:00:00Z");
    let mut one = stamp(100, &token);
    one.report.findings.failed(Check::PdfCoverage, SubIndication::FormatFailure, "");
    let done = DocumentStamps::validate(vec![one], &Evidence::default(), &context());
    assert_eq!(done.reports()[0].indication, Indication::Failed);
    assert!(done.proofs_before(50).signature().is_none());
}

#[test]
fn one_over_other_bytes_or_with_garbage_behind_it_proves_nothing() {
    let over_others = contents(101, "2026-02-01T00:00:00Z");
    let mut with_garbage = contents(100, "2026-02-01T00:00:00Z");
    *with_garbage.last_mut().unwrap() = 1;
    for contents in [over_others, with_garbage, vec![], vec![0; 64]] {
        let done = DocumentStamps::validate(vec![stamp(100, &contents)], &Evidence::default(), &context());
        assert_eq!(done.reports()[0].indication, Indication::Failed);
        assert!(done.proofs_before(50).signature().is_none());
    }
}

#[test]
fn an_older_one_with_a_later_time_contradicts_the_order() {
    let (first, second) = (contents(100, "2026-03-02T00:00:00Z"), contents(200, "2026-03-01T00:00:00Z"));
    let stamps = vec![stamp(100, &first), stamp(200, &second)];
    let done = DocumentStamps::validate(stamps, &Evidence::default(), &context());
    assert_eq!(done.reports()[0].sub_indication, Some(SubIndication::TimestampOrderFailure));
    assert_eq!(done.reports()[1].indication, Indication::Passed);
}
