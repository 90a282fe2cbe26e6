//! Time stamps: each one is a signature of its authority, validated as such (EN 319 102-1 §5.4).

use super::certificate::Inquiry;
use super::cms::{Content, Role, Subject, check_basic};
use super::report::Record;
use super::{Check, Context, Finding, Proofs, SubIndication, TimeStampReport, nature};
use crate::Timestamp;
use crate::digest::{Digest, DigestAlgorithm};
use crate::icp_brasil::IcpType;
use crate::revocation::{Evidence, Wanted};
use crate::tsp::{TimeStampToken, TspError, is_for_time_stamps};
use crate::x509::Certificate;

/// What is known around a time stamp.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) context: &'a Context,
    /// Certificates and revocation data at hand, those inside the token included.
    pub(crate) evidence: &'a Evidence,
    /// Since when that evidence is known to have existed.
    pub(crate) proofs: &'a Proofs,
    /// When a younger time stamp proves that this one existed.
    pub(crate) proof: Option<Timestamp>,
}

/// A time stamp that was validated.
#[derive(Debug)]
pub(crate) struct Stamped {
    pub(crate) report: TimeStampReport,
    /// The authority's path; empty when there is none.
    pub(super) path: Vec<Certificate>,
    pub(crate) wanted: Vec<Wanted>,
}

/// What a time stamp should be about cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoImprint {
    /// Something that was stamped is not at hand here.
    Unknown(String),
    /// Something that was stamped is gone, or the stamp contradicts itself.
    Wrong(String),
}

/// Validates a token and adds to the findings of `report`. `imprint` computes the digest of what it should be about.
pub(crate) fn validate(
    mut report: TimeStampReport,
    token: Result<&TimeStampToken, &TspError>,
    imprint: impl FnOnce(DigestAlgorithm) -> Result<Digest, NoImprint>,
    around: Around<'_>,
) -> Stamped {
    let token = match token {
        Ok(token) => token,
        Err(error) => {
            report.findings.failed(Check::Format, SubIndication::FormatFailure, error.to_string());
            report.conclude();
            return Stamped { report, path: Vec::new(), wanted: Vec::new() };
        }
    };
    report.time = Some(token.time());
    report.policy = Some(token.policy().to_owned());
    let accuracy = token.accuracy_ms().map_or_else(String::new, |ms| format!(", within {ms} ms"));
    report.findings.passed(Check::Format, format!("{}{accuracy}", token.time()));
    check_imprint(&mut report.findings, token, imprint, around);

    let signed = token.signed_data();
    let subject = Subject {
        signed,
        signer: token.signer(),
        content: Content::Inside,
        role: Role::TimeStamp,
        file: None,
    };
    let basic = check_basic(&mut report.findings, subject, around.context, around.proof);
    report.authority = basic.certificate.map(Certificate::view);
    check_time(&mut report.findings, token.time(), around);
    let (mut path, mut wanted) = (Vec::new(), Vec::new());
    if let Some(certificate) = basic.certificate {
        check_usage(&mut report.findings, certificate);
        let trust = Inquiry {
            context: around.context,
            anchors: around.context.time_stamp_anchors(),
            evidence: around.evidence,
            proofs: around.proofs,
            proof: around.proof,
            not_yet: None,
            evidence_since: Some(token.time()),
        }
        .check(&mut report.findings, certificate);
        report.path = trust.path.iter().map(Certificate::view).collect();
        report.accredited = is_accredited(&trust.path);
        (path, wanted) = (trust.path, trust.wanted);
    }
    report.conclude();
    Stamped { report, path, wanted }
}

fn check_imprint(
    findings: &mut Vec<Finding>,
    token: &TimeStampToken,
    imprint: impl FnOnce(DigestAlgorithm) -> Result<Digest, NoImprint>,
    around: Around<'_>,
) {
    let check = Check::TimeStampImprint;
    let Some(stated) = token.imprint() else {
        let evidence = "the imprint uses a digest that is not accepted";
        return findings.indeterminate(check, SubIndication::CryptoConstraintsFailure, evidence);
    };
    if let Err(why) = around.context.check_digest(stated.algorithm(), around.proof) {
        let evidence = format!("{} is not accepted here", stated.algorithm().as_str());
        return findings.indeterminate(check, why, evidence);
    }
    match imprint(stated.algorithm()) {
        Ok(computed) if computed == *stated => findings.passed(check, computed.to_string()),
        Ok(computed) => {
            let evidence = format!("it is about {stated}, and not about {computed}");
            findings.failed(check, SubIndication::HashFailure, evidence);
        }
        Err(NoImprint::Unknown(why)) => {
            findings.indeterminate(check, SubIndication::SignedDataNotFound, why);
        }
        Err(NoImprint::Wrong(why)) => findings.failed(check, SubIndication::FormatFailure, why),
    }
}

/// A time stamp from the future proves nothing; one that is younger than its own proof contradicts it.
fn check_time(findings: &mut Vec<Finding>, time: Timestamp, around: Around<'_>) {
    let check = Check::SigningTime;
    match around.proof {
        _ if time > around.context.at => findings.indeterminate(
            check,
            SubIndication::TimestampOrderFailure,
            format!("{time} is later than {}", around.context.at),
        ),
        Some(proof) if time > proof => findings.indeterminate(
            check,
            SubIndication::TimestampOrderFailure,
            format!("{time} is later than {proof}, at which it existed already"),
        ),
        Some(_) | None => findings.passed(check, time.to_string()),
    }
}

fn check_usage(findings: &mut Vec<Finding>, certificate: &Certificate) {
    let check = Check::CertificateUsage;
    if is_for_time_stamps(certificate).unwrap_or(false) {
        findings.passed(check, "extKeyUsage is critical and has timeStamping alone");
    } else {
        let evidence = "extKeyUsage is not critical, or not timeStamping alone";
        findings.indeterminate(check, SubIndication::ChainConstraintsFailure, evidence);
    }
}

/// A T3 or T4 certificate under a root of ICP-Brasil.
fn is_accredited(path: &[Certificate]) -> bool {
    nature::is_under_icp_brasil(path) && matches!(nature::icp_type(path), Some(IcpType::T3 | IcpType::T4))
}
