//! Revocation of every certificate of a path, for the time that matters (EN 319 102-1 §5.2.6, §5.6.2).
//!
//! Without a proof of existence the question is about now, and revocation data have to be current. With a proof it is
//! about that time: any revocation data issued after it answer, however old they are by now, as long as they were
//! good when they were issued. Each piece is therefore looked at as of the moment it was issued.

use super::certificate::Inquiry;
use super::report::Record;
use super::{Check, Finding, SubIndication};
use crate::Timestamp;
use crate::revocation::{self, Evidence, Source, Status, Why};
use crate::x509::Certificate;

/// Moments for which the evidence is looked at, for one certificate: each costs signatures to verify.
const MAX_MOMENTS: usize = 12;

/// What is known about one certificate.
#[derive(Debug)]
enum Standing {
    Good(Source),
    /// Revoked, but after the time that matters.
    RevokedLater(Timestamp, Source),
    Revoked(Timestamp, Source),
    Unknown(Why),
}

/// Checks every certificate below the root: one finding each. Says whether all of them are known to be good.
pub(super) fn check_path(findings: &mut Vec<Finding>, path: &[Certificate], inquiry: &Inquiry<'_>) -> bool {
    let below_root = path.len().saturating_sub(1);
    if below_root == 0 {
        findings.passed(Check::Revocation, "the certificate is trusted itself");
        return true;
    }
    let mut all_good = true;
    for index in 0..below_root {
        let standing = standing(inquiry.proof, since(inquiry, index), &moments(inquiry), |at, not_before| {
            revocation::status(path, index, inquiry.evidence, inquiry.anchors, at, not_before)
        });
        all_good &= record(findings, path, index, standing, inquiry);
    }
    all_good
}

/// Whether the evidence alone answers for every certificate of the path, as of the time that matters: that makes a
/// long-term signature, whoever may want later lists before relying on it. Nothing is recorded.
pub(super) fn is_complete(path: &[Certificate], inquiry: &Inquiry<'_>, evidence: &Evidence) -> bool {
    let asked = Inquiry { evidence, ..*inquiry };
    (0..path.len().saturating_sub(1)).all(|index| {
        let standing = standing(asked.proof, None, &moments(&asked), |at, not_before| {
            revocation::status(path, index, evidence, asked.anchors, at, not_before)
        });
        matches!(standing, Standing::Good(_) | Standing::RevokedLater(..))
    })
}

/// Since when data about a certificate of the path must have been issued. The grace rule is about the holder, who may
/// have lost a key the day before: lists about authorities appear every few weeks, and nobody waits for the next.
fn since(inquiry: &Inquiry<'_>, index: usize) -> Option<Timestamp> {
    inquiry.evidence_since.filter(|_| index == 0)
}

/// Now, and the moments since the proof at which a piece of evidence was issued, the latest first.
fn moments(inquiry: &Inquiry<'_>) -> Vec<Timestamp> {
    let at = inquiry.context.at;
    let Some(since) = inquiry.evidence_since else { return vec![at] };
    let crls = inquiry.evidence.crls.iter().map(|crl| crl.this_update());
    let answers = inquiry.evidence.ocsp_responses.iter().map(|response| response.this_update());
    let mut moments: Vec<_> = crls.chain(answers).filter(|issued| (since..at).contains(issued)).collect();
    moments.extend(inquiry.proof.filter(|proof| *proof < at));
    moments.sort_unstable();
    moments.dedup();
    moments.reverse();
    moments.truncate(MAX_MOMENTS - 1);
    moments.insert(0, at);
    moments
}

/// Decides from what the evidence says as of each moment. A revocation before the proof outweighs everything.
fn standing(
    proof: Option<Timestamp>,
    since: Option<Timestamp>,
    moments: &[Timestamp],
    look: impl Fn(Timestamp, Option<Timestamp>) -> Status,
) -> Standing {
    let (mut good, mut later, mut unknown) = (None, None, None);
    for (index, moment) in moments.iter().enumerate() {
        // Without a proof, what is current now is enough, whenever it was issued.
        let not_before = if index == 0 && proof.is_none() { None } else { since };
        match look(*moment, not_before) {
            Status::Good(source) => {
                good.get_or_insert(source);
            }
            Status::Revoked { at, source, .. } => match proof {
                Some(proof) if proof < at => {
                    later.get_or_insert((at, source));
                }
                Some(_) | None => return Standing::Revoked(at, source),
            },
            Status::Unknown(why) => {
                unknown.get_or_insert(why);
            }
        }
    }
    match (later, good, unknown) {
        (Some((at, source)), _, _) => Standing::RevokedLater(at, source),
        (None, Some(source), _) => Standing::Good(source),
        (None, None, Some(why)) => Standing::Unknown(why),
        (None, None, None) => Standing::Unknown(Why::NothingAtHand),
    }
}

fn record(
    findings: &mut Vec<Finding>,
    path: &[Certificate],
    index: usize,
    standing: Standing,
    inquiry: &Inquiry<'_>,
) -> bool {
    let check = Check::Revocation;
    let serial = path[index].serial_hex();
    match standing {
        Standing::Good(source) => match outdated_issuer(path, index, &source, inquiry) {
            None => {
                findings.passed(check, format!("{serial}: not revoked by {}", describe(&source)));
                return true;
            }
            Some(ended) => {
                let evidence =
                    format!("{serial}: {}; its issuer's validity ended at {ended}", describe(&source));
                findings.indeterminate(check, SubIndication::RevocationOutOfBoundsNoPoe, evidence);
            }
        },
        Standing::RevokedLater(at, source) => {
            let evidence = format!("{serial}: revoked at {at}, later, by {}", describe(&source));
            findings.warning(check, &evidence);
            findings.passed(check, evidence);
            return true;
        }
        Standing::Revoked(at, source) => {
            let evidence = format!("{serial}: revoked at {at} by {}", describe(&source));
            match (inquiry.proof, index) {
                // The earliest proof is younger than the revocation. §5.5.4 would leave this open, for the signature
                // may be older than its proof; who relies on a signature cannot.
                (_, 0) if inquiry.not_yet.is_some_and(|time| at <= time) => {
                    findings.failed(check, SubIndication::Revoked, evidence);
                }
                (Some(_), 0) => findings.failed(check, SubIndication::Revoked, evidence),
                (None, 0) => findings.indeterminate(check, SubIndication::RevokedNoPoe, evidence),
                (_, _) => findings.indeterminate(check, SubIndication::RevokedCaNoPoe, evidence),
            }
        }
        Standing::Unknown(why) => {
            findings.indeterminate(check, reason_of(&why), format!("{serial}: {why}"));
        }
    }
    false
}

/// When an authority above the certificate is out of its validity by now, revocation data need a proof from before:
/// whoever has its old key could have made them since.
fn outdated_issuer(
    path: &[Certificate],
    index: usize,
    source: &Source,
    inquiry: &Inquiry<'_>,
) -> Option<Timestamp> {
    let authorities = &path[index + 1..path.len() - 1];
    let ended = authorities.iter().map(Certificate::not_after).min()?;
    let proved = inquiry.proofs.of_object(&source.sha256).is_some_and(|existed| existed <= ended);
    (ended < inquiry.context.at && !proved).then_some(ended)
}

/// Whether later data may decide (§5.2.5: TRY_LATER), or what is at hand is of no use.
const fn reason_of(why: &Why) -> SubIndication {
    match why {
        Why::NothingAtHand
        | Why::NotKnown
        | Why::SomeReasonsOnly
        | Why::NotYetIssued(_)
        | Why::Stale { .. }
        | Why::IssuedBefore { .. } => SubIndication::TryLater,
        Why::WeakAlgorithm => SubIndication::CryptoConstraintsFailure,
        Why::Unsupported(_) => SubIndication::Generic,
        Why::NoIssuer | Why::SignatureInvalid | Why::NotAuthorised(_) | Why::ExpiredBefore(_) => {
            SubIndication::CertificateChainGeneralFailure
        }
    }
}

fn describe(source: &Source) -> String {
    let next = source.next_update.map_or_else(String::new, |next| format!(", next {next}"));
    format!("{} {} of {}{next}", source.kind.as_str(), source.sha256, source.this_update)
}

#[cfg(test)]
mod tests;
