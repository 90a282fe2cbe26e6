//! Checks of a CMS signature (standards: RFC 5652, RFC 5035, RFC 5280, ETSI EN 319 102-1 §5.2).

mod basic;
mod content;

pub(crate) use basic::Subject;
pub(super) use basic::check_basic;
pub use content::Content;

use super::certificate::{Inquiry, Trust};
use super::policy::PdfEntries;
use super::report::Record;
use super::stamps::{self, Stamps};
use super::{
    Check, Context, Finding, Proofs, Report, SignatureReport, SubIndication, ValidationError, counter, level,
    nature, policy,
};
use crate::Timestamp;
use crate::cms::{SignedAttributes, SignedData};
use crate::revocation::Evidence;
use crate::wire::SignatureFormat;
use crate::x509::Certificate;

/// What a SignerInfo is there for, which decides what its content may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A file of its own.
    Cades,
    /// Inside a PDF: one signer, no content inside (ETSI EN 319 142-1 §6.3).
    Pades,
    /// The signature of an authority over a TSTInfo (RFC 3161 §2.4.2).
    TimeStamp,
    /// A signature over the value of another one (RFC 5652 §11.4).
    Counter,
}

/// Validates a CMS file: every signer in it.
///
/// Without trust anchors the result is at best indeterminate (`NO_CERTIFICATE_CHAIN_FOUND`).
///
/// # Errors
/// `cms_malformed`; `not_signed` for a bundle of certificates; `content_required` when the signature is
/// detached and `content` is [`Content::Inside`].
pub fn validate_cms(cms: &[u8], content: Content<'_>, context: &Context) -> Result<Report, ValidationError> {
    let signed = SignedData::parse(cms)?;
    if signed.signers().is_empty() {
        return Err(ValidationError::NotSigned);
    }
    if matches!(content, Content::Inside) && signed.content().is_none() {
        return Err(ValidationError::ContentRequired);
    }
    let setting = Setting::new(context);
    let report_of = |(position, signer)| {
        let file = Some((cms, position));
        let subject = Subject { signed: &signed, signer, content, role: Role::Cades, file };
        signature_report(subject, &setting)
    };
    let reports = signed.signers().iter().enumerate().map(report_of).collect();
    Ok(Report::new(context.at, reports))
}

/// What is the same for everything inside one file.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) context: &'a Context,
    /// What the file around the signature knows.
    pub(crate) surroundings: Option<&'a Surroundings>,
    /// How deep the signature lies in counter-signatures.
    pub(super) depth: u8,
}

/// What a PDF knows about a signature in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// `M` of the signature dictionary.
    pub(crate) claimed_time: Option<Timestamp>,
    /// Document security store.
    pub(crate) evidence: Evidence,
    /// What document time stamps prove about this signature and that evidence.
    pub(crate) proofs: Proofs,
    /// What the policies of ICP-Brasil ask for, of a signature that declares one.
    pub(crate) policy_entries: Option<PdfEntries>,
}

impl<'a> Setting<'a> {
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self { context, surroundings: None, depth: 0 }
    }

    pub(crate) const fn inside(context: &'a Context, surroundings: &'a Surroundings) -> Self {
        Self { context, surroundings: Some(surroundings), depth: 0 }
    }

    /// What is known of the entries that a policy asks for in the PDF.
    pub(super) fn policy_entries(&self) -> Option<&'a PdfEntries> {
        self.surroundings.and_then(|surroundings| surroundings.policy_entries.as_ref())
    }
}

/// Makes every check of one signer and concludes. The caller may add findings and conclude again.
pub(crate) fn signature_report(subject: Subject<'_>, setting: &Setting<'_>) -> SignatureReport {
    let context = setting.context;
    let mut report = SignatureReport::new(match subject.role {
        Role::Pades => SignatureFormat::Pades,
        Role::Cades | Role::TimeStamp | Role::Counter => SignatureFormat::Cades,
    });
    check_format(&mut report.findings, subject.signed, subject.role);
    let stamps = stamps::validate_all(subject, setting);
    let basic = check_basic(&mut report.findings, subject, context, stamps.proof());
    report.signer = basic.certificate.map(Certificate::view);
    report.signature_algorithm = basic.algorithm.map(|algorithm| algorithm.as_str().to_owned());
    let stated = setting.surroundings.and_then(|surroundings| surroundings.claimed_time);
    report.claimed_time = basic.attributes.as_ref().and_then(SignedAttributes::signing_time).or(stated);
    check_signing_time(&mut report, basic.certificate, context);
    stamps.record(&mut report);
    let trust = basic.certificate.map(|certificate| check_signer(&mut report, certificate, &stamps, context));
    let path = trust.as_ref().map_or(&[][..], |trust| &trust.path);
    report.path = path.iter().map(Certificate::view).collect();
    report.nature = nature::of(&report, path);
    nature::check_icp_brasil(&mut report.findings, path);
    if let Some(attributes) = &basic.attributes {
        policy::check(&mut report, subject, attributes, path, setting);
    }
    counter::check(&mut report, subject, setting);
    report.conclude();
    report.level = level::of(&report, trust.as_ref(), &stamps, setting);
    report.icp_brasil_profile = policy::profile(&report, subject, setting);
    policy::conclude(&mut report);
    report.wanted =
        trust.into_iter().flat_map(|trust| trust.wanted).chain(stamps.wanted().cloned()).collect();
    report
}

fn check_signer(
    report: &mut SignatureReport,
    certificate: &Certificate,
    stamps: &Stamps,
    context: &Context,
) -> Trust {
    let findings = &mut report.findings;
    match certificate.check_usage_of_foreign_signer() {
        Ok(()) => findings.passed(Check::CertificateUsage, "the certificate may sign documents"),
        Err(reason) => {
            findings.indeterminate(Check::CertificateUsage, SubIndication::SigConstraintsFailure, reason);
        }
    }
    signer_inquiry(stamps, context).check(findings, certificate)
}

/// With a proof of existence the question is about that time; without one it is about now.
pub(super) fn signer_inquiry<'a>(stamps: &'a Stamps, context: &'a Context) -> Inquiry<'a> {
    Inquiry {
        context,
        anchors: &context.anchors,
        evidence: &stamps.evidence,
        proofs: &stamps.proofs,
        proof: stamps.proof(),
        not_yet: stamps.proofs.not_before(),
        evidence_since: stamps.proof(),
    }
}

fn check_format(findings: &mut Vec<Finding>, signed: &SignedData, role: Role) {
    if role == Role::Pades {
        if signed.signers().len() != 1 {
            let count = signed.signers().len();
            let evidence = format!("{count} signers where a PDF signature has exactly one");
            return findings.failed(Check::Format, SubIndication::FormatFailure, evidence);
        }
        if signed.content().is_some() {
            let evidence = "the signature encloses content of its own";
            return findings.failed(Check::Format, SubIndication::FormatFailure, evidence);
        }
    }
    findings.passed(Check::Format, if signed.is_ber() { "SignedData in BER" } else { "SignedData in DER" });
}

/// A claim far from the truth is worth a warning; it never decides, for it proves nothing.
fn check_signing_time(report: &mut SignatureReport, certificate: Option<&Certificate>, context: &Context) {
    let Some(claimed) = report.claimed_time else { return };
    let (check, findings) = (Check::SigningTime, &mut report.findings);
    if claimed > context.at {
        findings.warning(check, format!("the signer claims {claimed}, which is later than {}", context.at));
    } else if certificate.is_some_and(|certificate| !certificate.is_valid_at(claimed)) {
        findings.warning(check, format!("the signer claims {claimed}, outside the certificate's validity"));
    } else {
        findings.passed(check, format!("{claimed}, as the signer claims"));
    }
}

#[cfg(test)]
mod tests;
