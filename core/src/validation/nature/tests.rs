use super::*;
use crate::testing::{self, Issue};
use crate::validation::report::Record;
use crate::wire::SignatureFormat;

fn verified() -> SignatureReport {
    let mut report = SignatureReport::new(SignatureFormat::Cades);
    for check in [Check::CertificatePath, Check::SignatureValue, Check::SigningCertificateReference] {
        report.findings.passed(check, "");
    }
    report
}

#[test]
fn the_roots_are_told_by_fingerprint_and_not_by_name() {
    let root = testing::root();
    assert!(!is_icp_brasil_root(&root.sha256().to_hex()));
    assert!(is_icp_brasil_root("d8478e37ce19c690cf657381e68fe600e4e1a042536830f06847e03e554c4b01"));
    let imitation = "Autoridade Certificadora Raiz Brasileira v5";
    let imitation = Issue::authority(imitation, 1, imitation, 1).certificate();
    assert!(!is_under_icp_brasil(&[testing::ana(), imitation]));
}

#[test]
fn a_test_root_makes_no_qualified_signature() {
    let path = [testing::ana(), testing::ca2(), testing::ca1(), testing::root()];
    assert_eq!(icp_type(&path), Some(IcpType::A3));
    assert_eq!(of(&verified(), &path), SignatureNature::Advanced);
    assert_eq!(of(&SignatureReport::new(SignatureFormat::Cades), &path), SignatureNature::Electronic);
    let mut findings = Vec::new();
    check_icp_brasil(&mut findings, &path);
    assert_eq!(findings[0].outcome, crate::validation::Outcome::Warning);
    assert!(findings[0].evidence.contains("root that is not ICP-Brasil's"), "{findings:?}");
}

#[test]
fn a_finding_that_failed_takes_the_words_back() {
    let mut report = verified();
    report.failed(Check::SignatureValue, crate::validation::SubIndication::SigCryptoFailure, "");
    let path = [testing::selo(), testing::root()];
    assert_eq!(of(&report, &path), SignatureNature::Electronic);
}
