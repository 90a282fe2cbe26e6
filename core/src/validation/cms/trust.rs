//! The signer's certificate: usage, path, validity.

use crate::cms::SignedData;
use crate::validation::report::Record;
use crate::validation::{Check, Context, RevocationMode, SignatureReport, SubIndication};
use crate::x509::{Certificate, PathError, build_path};

pub(super) fn check_certificate(
    report: &mut SignatureReport,
    signed: &SignedData,
    certificate: &Certificate,
    context: &Context,
) {
    match certificate.check_usage_of_foreign_signer() {
        Ok(()) => report.passed(Check::CertificateUsage, "the certificate may sign documents"),
        Err(reason) => {
            report.indeterminate(Check::CertificateUsage, SubIndication::SigConstraintsFailure, reason);
        }
    }
    check_path(report, signed, certificate, context);

    let validity = format!("valid from {} to {}", certificate.not_before(), certificate.not_after());
    if context.at < certificate.not_before() {
        report.indeterminate(Check::CertificateValidity, SubIndication::NotYetValid, validity);
    } else if certificate.is_valid_at(context.at) {
        report.passed(Check::CertificateValidity, validity);
    } else {
        let evidence = format!("{validity}; nothing proves that the signature is older");
        report.indeterminate(Check::CertificateValidity, SubIndication::OutOfBoundsNoPoe, evidence);
    }
    match context.revocation {
        RevocationMode::NotChecked => {
            report.findings.not_checked(Check::Revocation, "neither a CRL nor OCSP was asked");
        }
        RevocationMode::Required => report.indeterminate(
            Check::Revocation,
            SubIndication::TryLater,
            "neither a CRL nor an OCSP response is at hand",
        ),
    }
}

fn check_path(
    report: &mut SignatureReport,
    signed: &SignedData,
    certificate: &Certificate,
    context: &Context,
) {
    let check = Check::CertificatePath;
    if context.anchors.is_empty() {
        let evidence = "no trusted root was given";
        return report.indeterminate(check, SubIndication::NoCertificateChainFound, evidence);
    }
    let intermediates = [signed.certificates(), &context.intermediates].concat();
    match build_path(certificate, &intermediates, &context.anchors, context.at) {
        Ok(path) => {
            let names = path.iter().skip(1).map(Certificate::subject_common_name).collect::<Vec<_>>();
            report.passed(check, format!("path of {} to {}", path.len(), names.join(" < ")));
            report.path = path.iter().map(Certificate::view).collect();
        }
        Err(error) => {
            let why = match error {
                PathError::IssuerMissing(_) => SubIndication::NoCertificateChainFound,
                PathError::Constraint { .. } => SubIndication::ChainConstraintsFailure,
                PathError::OutOfValidity(_) => SubIndication::OutOfBoundsNoPoe,
                PathError::WeakAlgorithm(_) => SubIndication::CryptoConstraintsFailure,
                PathError::SignatureInvalid(_) | PathError::SearchLimit => {
                    SubIndication::CertificateChainGeneralFailure
                }
                PathError::Unsupported { .. } => SubIndication::Generic,
            };
            report.indeterminate(check, why, error.to_string());
        }
    }
}
