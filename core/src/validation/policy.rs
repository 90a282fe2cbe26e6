//! The signature policy that a signature declares, and whether it keeps to it.
//!
//! A declaration alone is worth nothing: the report says *declared* and *fulfilled* apart. What follows from the
//! bytes of the signature decides about the verdict, for a signer who names a policy binds himself to it
//! (EN 319 102-1 §5.2.4: a policy that is not at hand leaves the signature indeterminate). Whether certificates and
//! time stamps are ICP-Brasil's depends on who asks, so it only decides about *fulfilled*.

use super::cms::{Role, Setting, Subject};
use super::report::Record;
use super::{
    Check, Context, IcpBrasilProfile, Indication, PolicyStatement, SignatureReport, SubIndication,
    TimeStampKind, nature,
};
use crate::cms::SignedAttributes;
use crate::icp_brasil::signature_policy::{Breach, Family, Observed, Profile, SignaturePolicy, by_oid};
use crate::wire::SignatureFormat;
use crate::x509::Certificate;

/// What the PDF around a signature lacks of what the policies ask for, by the names of the entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PdfEntries {
    /// Under every profile.
    pub(crate) missing_for_any: Vec<String>,
    /// Under AD-RC and AD-RA.
    pub(crate) missing_for_complete: Vec<String>,
    /// Under AD-RA alone.
    pub(crate) missing_for_archive: Vec<String>,
    /// Whether the document time stamp that protects the signature is by an accredited authority.
    pub(crate) accredited: bool,
}

impl PdfEntries {
    fn missing_for(&self, profile: Profile) -> Vec<&str> {
        let complete = self.missing_for_complete.iter().filter(|_| profile > Profile::Rt);
        let archive = self.missing_for_archive.iter().filter(|_| profile == Profile::Ra);
        self.missing_for_any.iter().chain(complete).chain(archive).map(String::as_str).collect()
    }
}

/// Every check about a policy, whatever the container.
const CHECKS: [Check; 6] = [
    Check::PolicyIdentifier,
    Check::PolicyHash,
    Check::PolicyPeriod,
    Check::PolicyAttributes,
    Check::PolicyAlgorithms,
    Check::PolicyTrust,
];

/// Checks the declared policy, if there is one. Call it when path and time stamps are known.
pub(super) fn check(
    report: &mut SignatureReport,
    subject: Subject<'_>,
    attributes: &SignedAttributes,
    path: &[Certificate],
    setting: &Setting<'_>,
) {
    let context = setting.context;
    if !attributes.declares_policy() {
        return;
    }
    let check = Check::PolicyIdentifier;
    let Some(declared) = attributes.signature_policy() else {
        let evidence = "the policy attribute cannot be read, or leaves the policy implied";
        return report.indeterminate(check, SubIndication::PolicyProcessingError, evidence);
    };
    let policy = by_oid(&declared.oid);
    report.policy = Some(PolicyStatement {
        oid: declared.oid.clone(),
        name: policy.map(|policy| format!("{} v{}", policy.profile.as_str(), policy.version)),
        fulfilled: false,
    });
    if !context.icp_brasil {
        return report.findings.not_checked(check, "the rules of ICP-Brasil were left out on demand");
    }
    let Some(policy) = policy else {
        let evidence = format!("policy {} is not known here", declared.oid);
        return report.indeterminate(check, SubIndication::SignaturePolicyNotAvailable, evidence);
    };
    check_breaches(report, subject, attributes, policy, context);
    let entries = setting.policy_entries();
    if let Some(entries) = entries.filter(|_| policy.family == Family::Pades) {
        check_entries(report, policy.profile, entries);
    }
    check_trust(report, path, policy, entries);
}

/// What is absent leaves the policy unfulfilled. It does not decide about the signature: the entries come after
/// it, and whoever takes them away would otherwise spoil it.
fn check_entries(report: &mut SignatureReport, profile: Profile, entries: &PdfEntries) {
    let missing = entries.missing_for(profile);
    if missing.is_empty() {
        report.passed(Check::PolicyEntries, profile.as_str());
    } else {
        report.warning(Check::PolicyEntries, format!("missing: {}", missing.join(", ")));
    }
}

fn check_breaches(
    report: &mut SignatureReport,
    subject: Subject<'_>,
    attributes: &SignedAttributes,
    policy: &SignaturePolicy,
    context: &Context,
) {
    let proven = report.proven_time.as_ref().map(|proven| proven.time);
    let at = proven.or(report.claimed_time).unwrap_or(context.at);
    let container = match subject.role {
        Role::Pades => Family::Pades,
        Role::Cades | Role::TimeStamp | Role::Counter => Family::Cades,
    };
    let observed =
        Observed { container, signed_data: subject.signed, signer: subject.signer, attributes, at };
    let breaches = policy.breaches(&observed);
    for check in CHECKS.into_iter().filter(|check| *check != Check::PolicyTrust) {
        let mut of_check = breaches.iter().filter(|breach| check_of(breach).0 == check).peekable();
        if of_check.peek().is_none() {
            let evidence =
                if check == Check::PolicyPeriod { format!("judged for {at}") } else { policy.to_string() };
            report.passed(check, evidence);
        }
        for breach in of_check {
            report.indeterminate(check, check_of(breach).1, breach.to_string());
        }
    }
}

/// The check that a breach belongs to, and the reason in the words of the standard.
const fn check_of(breach: &Breach) -> (Check, SubIndication) {
    match breach {
        Breach::Family { .. } => (Check::PolicyIdentifier, SubIndication::SigConstraintsFailure),
        Breach::Hash => (Check::PolicyHash, SubIndication::PolicyProcessingError),
        Breach::Period(_) => (Check::PolicyPeriod, SubIndication::SigConstraintsFailure),
        Breach::Algorithm => (Check::PolicyAlgorithms, SubIndication::CryptoConstraintsFailure),
        Breach::SignedMissing(_)
        | Breach::SignedForbidden(_)
        | Breach::UnsignedMissing(_)
        | Breach::UnsignedForbidden(_)
        | Breach::References(_)
        | Breach::CertificateMissing => (Check::PolicyAttributes, SubIndication::SigConstraintsFailure),
    }
}

/// Chain under a root of ICP-Brasil, and from AD-RT on a valid time stamp of an accredited authority.
fn check_trust(
    report: &mut SignatureReport,
    path: &[Certificate],
    policy: &SignaturePolicy,
    entries: Option<&PdfEntries>,
) {
    let check = Check::PolicyTrust;
    if !nature::is_under_icp_brasil(path) {
        return report.warning(check, "the signer's path does not end at a root of ICP-Brasil");
    }
    // AD-RC and AD-RA of a PDF rest on the document time stamp.
    let accredited = match entries.filter(|_| policy.profile > Profile::Rt) {
        Some(entries) => entries.accredited,
        None => report.time_stamps.iter().any(|stamp| stamp.accredited && stamp.proven_time().is_some()),
    };
    if policy.profile > Profile::Rb && !accredited {
        return report.warning(check, "there is no valid time stamp of an accredited authority");
    }
    report.passed(check, "");
}

/// Says *fulfilled* when nothing at all is left open. Call it after the report was concluded.
pub(super) fn conclude(report: &mut SignatureReport) {
    let fulfilled = report.indication == Indication::Passed
        && report.has_passed(Check::Revocation)
        && CHECKS.into_iter().all(|check| report.has_passed(check))
        && (report.format != SignatureFormat::Pades || report.has_passed(Check::PolicyEntries));
    if let Some(policy) = &mut report.policy {
        policy.fulfilled = fulfilled;
    }
}

/// The highest profile of ICP-Brasil whose form is complete and whose time stamps are valid.
pub(super) fn profile(
    report: &SignatureReport,
    subject: Subject<'_>,
    setting: &Setting<'_>,
) -> Option<IcpBrasilProfile> {
    let family = [Check::PolicyIdentifier, Check::PolicyHash];
    if !family.into_iter().all(|check| report.has_passed(check)) || report.indication == Indication::Failed {
        return None;
    }
    let stamped =
        |kind| report.time_stamps.iter().any(|stamp| stamp.kind == kind && stamp.proven_time().is_some());
    if subject.role == Role::Pades {
        let entries = setting.policy_entries();
        let keeps = |profile| entries.is_some_and(|entries| entries.missing_for(profile).is_empty());
        return Some(if keeps(Profile::Ra) {
            IcpBrasilProfile::AdRa
        } else if keeps(Profile::Rc) {
            IcpBrasilProfile::AdRc
        } else if stamped(TimeStampKind::Signature) {
            IcpBrasilProfile::AdRt
        } else {
            IcpBrasilProfile::AdRb
        });
    }
    let has = |kind| subject.signer.unsigned_attributes().iter().any(|attribute| attribute.is(kind));
    let values = has(crate::oid::CERTIFICATE_VALUES) && has(crate::oid::REVOCATION_VALUES);
    let references = has(crate::oid::CERTIFICATE_REFERENCES) && has(crate::oid::REVOCATION_REFERENCES);
    Some(if references && values && stamped(TimeStampKind::ArchiveV2) {
        IcpBrasilProfile::AdRa
    } else if !stamped(TimeStampKind::Signature) {
        IcpBrasilProfile::AdRb
    } else if !(references && stamped(TimeStampKind::References)) {
        IcpBrasilProfile::AdRt
    } else if !values {
        IcpBrasilProfile::AdRv
    } else {
        IcpBrasilProfile::AdRc
    })
}

#[cfg(test)]
mod tests;
