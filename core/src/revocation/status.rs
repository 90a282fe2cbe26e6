//! What the evidence says of one certificate.

use core::time::Duration;

use super::issuing_point::{self, Reasons};
use super::ocsp::Standing;
use super::{Crl, Evidence, OcspResponse, Reason, signer};
use crate::Timestamp;
use crate::digest::Digest;
use crate::x509::{Certificate, TrustAnchors, same_name};

/// Clocks of authorities may be ahead of ours by this much.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// How long evidence without nextUpdate counts as current.
const CURRENT_WITHOUT_NEXT_UPDATE: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a certificate is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It is not.
    Good(Source),
    /// It is, or was suspended. The time may be later than the one that was asked about: the caller compares.
    Revoked {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: Reason,
        /// Who says so.
        source: Source,
    },
    /// Nothing at hand answers.
    Unknown(Why),
}

/// What a status rests on, so that a report can cite it and a third party can repeat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// List or answer.
    pub kind: SourceKind,
    /// SHA-256 of [`Crl::der`] or [`OcspResponse::der`].
    pub sha256: Digest,
    /// When it was known.
    pub this_update: Timestamp,
    /// When more will be known, at the latest.
    pub next_update: Option<Timestamp>,
}

/// The two kinds of revocation data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A list.
    Crl,
    /// A responder's answer.
    Ocsp,
}

impl SourceKind {
    /// `crl` or `ocsp`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
        }
    }
}

/// Why nothing is known: of several reasons the one that came closest to an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// There is no issuer above the certificate in the path: an anchor is trusted, not checked.
    #[error("the path has no issuer above the certificate")]
    NoIssuer,
    /// Nothing at hand is about the certificate.
    #[error("neither a CRL nor an OCSP response about the certificate is at hand")]
    NothingAtHand,
    /// The responder does not know the certificate.
    #[error("the OCSP responder does not know the certificate")]
    NotKnown,
    /// The signer of the evidence uses what is not computed here, or the evidence a rule that is not evaluated.
    #[error("{0}")]
    Unsupported(String),
    /// The signature of the evidence uses SHA-1 or MD5.
    #[error("the revocation data are signed with a weak algorithm")]
    WeakAlgorithm,
    /// The signature of the evidence does not verify.
    #[error("the signature on the revocation data does not verify")]
    SignatureInvalid,
    /// Who signed may not speak about the certificate.
    #[error("{0}")]
    NotAuthorised(String),
    /// The lists at hand are about some reasons only.
    #[error("the CRLs at hand cover some reasons of revocation only")]
    SomeReasonsOnly,
    /// The certificate had ended when the evidence was issued, and ended ones are dropped.
    #[error("the certificate had expired when the revocation data of {0} were issued")]
    ExpiredBefore(Timestamp),
    /// The evidence is from after the time in question.
    #[error("the revocation data are from the future: {0}")]
    NotYetIssued(Timestamp),
    /// More is known since.
    #[error("the revocation data of {this_update} are out of date since {until}")]
    Stale {
        /// When they were issued.
        this_update: Timestamp,
        /// Until when they were current.
        until: Timestamp,
    },
    /// The evidence is older than what it should answer for: try again later (grace period).
    #[error("the revocation data of {this_update} are older than {not_before}: later ones are needed")]
    IssuedBefore {
        /// When they were issued.
        this_update: Timestamp,
        /// The earliest time that would do.
        not_before: Timestamp,
    },
}

impl Why {
    const fn weight(&self) -> u8 {
        match self {
            Self::NoIssuer => 0,
            Self::NothingAtHand => 1,
            Self::NotKnown => 2,
            Self::Unsupported(_) => 3,
            Self::WeakAlgorithm => 4,
            Self::SignatureInvalid => 5,
            Self::NotAuthorised(_) => 6,
            Self::SomeReasonsOnly => 7,
            Self::NotYetIssued(_) => 8,
            Self::Stale { .. } => 9,
            Self::ExpiredBefore(_) => 10,
            Self::IssuedBefore { .. } => 11,
        }
    }
}

/// What is known about `path[index]`, whose issuer is `path[index + 1]`.
///
/// Evidence counts when its signer may speak for that issuer ([`super`] says who may) and it is current `at`
/// that time: issued before (five minutes of clock difference are allowed) and not out of date. With
/// `not_before`, evidence issued earlier is not conclusive: the certificate may have been revoked between
/// evidence and signature. A list issued after the end of a certificate proves nothing unless it says that
/// it keeps such certificates (expiredCertsOnCRL, archiveCutoff).
///
/// A revocation in any evidence that counts wins; a suspension gives way to what was issued later.
#[must_use]
pub fn status(
    path: &[Certificate],
    index: usize,
    evidence: &Evidence,
    anchors: &TrustAnchors,
    at: Timestamp,
    not_before: Option<Timestamp>,
) -> Status {
    match (path.get(index), path.get(index + 1)) {
        (Some(certificate), Some(issuer)) => {
            let question = Question {
                path,
                index,
                certificate,
                issuer,
                evidence,
                anchors,
                at,
                not_before,
                is_nested: false,
            };
            question.status()
        }
        (_, _) => Status::Unknown(Why::NoIssuer),
    }
}

#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) path: &'a [Certificate],
    pub(super) index: usize,
    pub(super) certificate: &'a Certificate,
    pub(super) issuer: &'a Certificate,
    pub(super) evidence: &'a Evidence,
    pub(super) anchors: &'a TrustAnchors,
    pub(super) at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    /// Whether it is asked about a signer of evidence.
    pub(super) is_nested: bool,
}

/// What one piece of evidence says.
struct Said {
    standing: Standing,
    reasons: Reasons,
    source: Source,
}

impl<'a> Question<'a> {
    /// The same question about a signer of evidence.
    pub(super) fn about<'b>(&self, path: &'b [Certificate], index: usize) -> Option<Question<'b>>
    where
        'a: 'b,
    {
        let (certificate, issuer) = (path.get(index)?, path.get(index + 1)?);
        Some(Question { path, index, certificate, issuer, is_nested: true, not_before: None, ..*self })
    }

    pub(super) fn status(&self) -> Status {
        let (mut said, mut why) = (Vec::new(), Why::NothingAtHand);
        let answers = self.evidence.ocsp_responses.iter().filter_map(|response| self.ask_ocsp(response));
        let lists = self.evidence.crls.iter().filter_map(|crl| self.ask_crl(crl));
        for result in answers.chain(lists) {
            match result {
                Ok(found) => said.push(found),
                Err(reason) if reason.weight() > why.weight() => why = reason,
                Err(_) => {}
            }
        }
        self.decide(said, why)
    }

    fn decide(&self, mut said: Vec<Said>, why: Why) -> Status {
        said.sort_by_key(|said| core::cmp::Reverse(said.source.this_update));
        let mut covered = Reasons::NONE;
        let mut newest = None;
        for Said { standing, reasons, source } in said {
            match standing {
                Standing::Revoked { at, reason } if reason != Reason::CertificateHold => {
                    return Status::Revoked { at, reason, source };
                }
                Standing::Revoked { at, reason } => {
                    newest.get_or_insert(Status::Revoked { at, reason, source });
                }
                Standing::Good => {
                    covered = covered.with(reasons);
                    if covered.is_all() {
                        newest.get_or_insert(Status::Good(source));
                    }
                }
                Standing::Unknown => {}
            }
        }
        match newest {
            Some(status) => status,
            None if covered != Reasons::NONE => Status::Unknown(Why::SomeReasonsOnly),
            None => Status::Unknown(why),
        }
    }

    /// `None` when the response is about other certificates.
    fn ask_ocsp(&self, response: &OcspResponse) -> Option<Result<Said, Why>> {
        let answer =
            response.answers(self.certificate, self.issuer).max_by_key(|answer| answer.this_update)?;
        Some((|| {
            if let Some(reason) = response.unsupported() {
                return Err(Why::Unsupported(reason));
            }
            signer::check_ocsp(response, self)?;
            let source = Source {
                kind: SourceKind::Ocsp,
                sha256: *response.sha256(),
                this_update: answer.this_update,
                next_update: answer.next_update,
            };
            match answer.standing {
                Standing::Unknown => return Err(Why::NotKnown),
                Standing::Good => self.check_expiry(&source, answer.archive_cutoff)?,
                Standing::Revoked { .. } => {}
            }
            self.check_time(&source, answer.standing)?;
            Ok(Said { standing: answer.standing, reasons: Reasons::ALL, source })
        })())
    }

    /// `None` when the list is about other certificates.
    fn ask_crl(&self, crl: &Crl) -> Option<Result<Said, Why>> {
        if !same_name(crl.issuer_der(), self.certificate.issuer()) {
            return None;
        }
        let reasons = issuing_point::covered(self.certificate, crl.issuing_point());
        if reasons == Reasons::NONE {
            return None;
        }
        Some((|| {
            if let Some(reason) = crl.unsupported() {
                return Err(Why::Unsupported(reason));
            }
            signer::check_crl(crl, self)?;
            let source = Source {
                kind: SourceKind::Crl,
                sha256: *crl.sha256(),
                this_update: crl.this_update(),
                next_update: crl.next_update(),
            };
            let standing = match crl.entry(self.certificate.serial()) {
                Some(entry) if entry.reason != Reason::RemoveFromCrl => {
                    Standing::Revoked { at: entry.at, reason: entry.reason }
                }
                // What a delta list leaves out may stand in its base, or have been taken off it.
                Some(_) | None if crl.is_delta() => {
                    return Err(Why::Unsupported(
                        "a delta CRL alone does not say that it is good".to_owned(),
                    ));
                }
                Some(_) | None => {
                    self.check_expiry(&source, crl.expired_since())?;
                    Standing::Good
                }
            };
            self.check_time(&source, standing)?;
            Ok(Said { standing, reasons, source })
        })())
    }

    fn check_time(&self, source: &Source, standing: Standing) -> Result<(), Why> {
        let this_update = source.this_update;
        if this_update > self.at.plus(CLOCK_TOLERANCE) {
            return Err(Why::NotYetIssued(this_update));
        }
        // What is revoked for good stays so: such evidence does not grow old.
        if matches!(standing, Standing::Revoked { reason, .. } if reason != Reason::CertificateHold) {
            return Ok(());
        }
        if let Some(not_before) = self.not_before.filter(|not_before| this_update < *not_before) {
            return Err(Why::IssuedBefore { this_update, not_before });
        }
        let until = source.next_update.unwrap_or_else(|| this_update.plus(CURRENT_WITHOUT_NEXT_UPDATE));
        if until < self.at {
            return Err(Why::Stale { this_update, until });
        }
        Ok(())
    }

    /// `kept_since`: certificates that ended since then are still spoken about.
    fn check_expiry(&self, source: &Source, kept_since: Option<Timestamp>) -> Result<(), Why> {
        let ended = self.certificate.not_after();
        if ended < source.this_update && kept_since.is_none_or(|since| ended < since) {
            return Err(Why::ExpiredBefore(source.this_update));
        }
        Ok(())
    }
}
