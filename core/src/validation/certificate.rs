//! A certificate of a signer or of a time-stamping authority: usage, path, validity, revocation.

use super::report::Record;
use super::{Check, Context, Finding, Proofs, RevocationMode, SubIndication, revocation};
use crate::Timestamp;
use crate::revocation::{Evidence, Wanted, missing};
use crate::x509::{Certificate, MAX_PATH_LENGTH, PathError, PathOptions, TrustAnchors, build_path_with};

/// What is asked about a certificate.
#[derive(Clone, Copy)]
pub(super) struct Inquiry<'a> {
    pub(super) context: &'a Context,
    pub(super) anchors: &'a TrustAnchors,
    /// Certificates and revocation data at hand: of the file and of the caller.
    pub(super) evidence: &'a Evidence,
    /// Since when that evidence is known to have existed.
    pub(super) proofs: &'a Proofs,
    /// When what the certificate's key signed is proved to have existed.
    pub(super) proof: Option<Timestamp>,
    /// When the signature is proved not to have existed yet, by a time stamp on its content.
    pub(super) not_yet: Option<Timestamp>,
    /// Revocation data issued from here on may answer although they are not current any more.
    pub(super) evidence_since: Option<Timestamp>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Trust {
    /// Leaf first, root last. Empty when there is no path.
    pub(super) path: Vec<Certificate>,
    /// What would help.
    pub(super) wanted: Vec<Wanted>,
}

impl Inquiry<'_> {
    /// The time for which the certificate has to be good.
    fn control_time(&self) -> Timestamp {
        self.proof.unwrap_or(self.context.at)
    }

    /// Path, validity and revocation. The usage of the certificate is the caller's question.
    pub(super) fn check(&self, findings: &mut Vec<Finding>, certificate: &Certificate) -> Trust {
        let path = self.check_path(findings, certificate);
        let mut about_revocation = Vec::new();
        let mut wanted = Vec::new();
        let mut not_revoked = false;
        if self.context.revocation == RevocationMode::NotChecked {
            about_revocation.not_checked(Check::Revocation, "neither a CRL nor OCSP was asked");
        } else {
            not_revoked = !path.is_empty() && revocation::check_path(&mut about_revocation, &path, self);
        }
        if path.is_empty() || (self.context.revocation == RevocationMode::Required && !not_revoked) {
            let known = if path.is_empty() { self.towards_root(certificate) } else { path.clone() };
            wanted = missing(
                &known,
                self.evidence,
                self.anchors,
                self.context.at,
                self.proof.and(self.evidence_since),
            );
        }
        self.check_validity(findings, certificate, not_revoked);
        findings.append(&mut about_revocation);
        Trust { path, wanted }
    }

    /// As far as the names lead, when they lead to no root.
    fn towards_root(&self, certificate: &Certificate) -> Vec<Certificate> {
        let mut climbed = vec![certificate.clone()];
        while climbed.len() < MAX_PATH_LENGTH {
            let last = climbed.last().expect("the list begins with the certificate");
            let above = self.evidence.certificates.iter().find(|above| above.subject() == last.issuer());
            match above.filter(|above| !climbed.contains(above)) {
                Some(above) => climbed.push(above.clone()),
                None => break,
            }
        }
        climbed
    }

    fn check_path(&self, findings: &mut Vec<Finding>, certificate: &Certificate) -> Vec<Certificate> {
        let check = Check::CertificatePath;
        if self.anchors.is_empty() {
            let evidence = "no trusted root was given";
            findings.indeterminate(check, SubIndication::NoCertificateChainFound, evidence);
            return Vec::new();
        }
        let time = self.control_time();
        // A certificate that says it is one of ICP-Brasil is held to its rule; others may have longer paths.
        let is_icp_brasil = self.context.icp_brasil && certificate.identity().icp_type.is_some();
        let options = if is_icp_brasil { PathOptions::icp_brasil() } else { PathOptions::default() };
        match build_path_with(certificate, &self.evidence.certificates, self.anchors, time, &options) {
            Ok(path) => {
                let names = path.iter().skip(1).map(Certificate::subject_common_name).collect::<Vec<_>>();
                findings.passed(check, format!("path of {} to {}", path.len(), names.join(" < ")));
                path
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
                findings.indeterminate(check, why, error.to_string());
                Vec::new()
            }
        }
    }

    fn check_validity(&self, findings: &mut Vec<Finding>, certificate: &Certificate, not_revoked: bool) {
        let check = Check::CertificateValidity;
        let validity = format!("valid from {} to {}", certificate.not_before(), certificate.not_after());
        let at = self.context.at;
        match self.proof {
            _ if self
                .not_yet
                .is_some_and(|time| !certificate.is_valid_at(time.max(certificate.not_before()))) =>
            {
                let evidence = format!("{validity}; the content was not signed before that end");
                findings.failed(check, SubIndication::Expired, evidence);
            }
            // A proof from before the certificate existed: the key was used outside its time (§5.5.4).
            Some(proof) if proof < certificate.not_before() => {
                let evidence = format!("{validity}; the signature existed at {proof} already");
                findings.failed(check, SubIndication::NotYetValid, evidence);
            }
            Some(proof) if certificate.is_valid_at(proof) => {
                findings.passed(check, format!("{validity}; the signature existed at {proof}"));
            }
            // It may be older than its proof, which only shows that it is not younger.
            Some(proof) => {
                let evidence = format!("{validity}; the signature is proved for {proof} only");
                findings.indeterminate(check, SubIndication::OutOfBoundsNoPoe, evidence);
            }
            None if at < certificate.not_before() => {
                findings.indeterminate(check, SubIndication::NotYetValid, validity);
            }
            None if certificate.is_valid_at(at) => findings.passed(check, validity),
            None => {
                let evidence = format!("{validity}; nothing proves that the signature is older");
                let why = if not_revoked {
                    SubIndication::OutOfBoundsNotRevoked
                } else {
                    SubIndication::OutOfBoundsNoPoe
                };
                findings.indeterminate(check, why, evidence);
            }
        }
    }
}
