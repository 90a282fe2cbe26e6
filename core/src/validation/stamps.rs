//! The time stamps of a signature, from the youngest to the oldest: each one proves that what it covers existed, the
//! older stamps included (EN 319 102-1 §5.6.3, past signature validation with a chain of proofs).

use super::certificate::Inquiry;
use super::cms::{Setting, Subject};
use super::time_stamp::{Around, Stamped, validate};
use super::{
    Check, Indication, Proofs, ProvenTime, SignatureReport, SubIndication, TimeStampKind, TimeStampReport,
    revocation,
};
use crate::digest::{Digest, DigestAlgorithm};
use crate::oid;
use crate::revocation::{Evidence, Wanted};
use crate::tsp::TimeStampToken;
use crate::{ErrorCode, Timestamp};

/// Time stamps of one signature that are looked at: each costs a path with its revocation data.
const MAX_TIME_STAMPS: usize = 30;

/// What the time stamps of a signature prove.
pub(super) struct Stamps {
    stamped: Vec<Stamped>,
    pub(super) proofs: Proofs,
    /// Everything at hand: of the caller, of the file, of the time stamps.
    pub(super) evidence: Evidence,
    /// What the file itself carries.
    pub(super) embedded: Evidence,
    limit_reached: bool,
}

/// One time stamp in the file.
struct Found<'a> {
    kind: TimeStampKind,
    token: &'a [u8],
    /// Stated time, for the order alone.
    time: Option<Timestamp>,
    index: usize,
}

/// Validates every time stamp in the unsigned attributes.
pub(super) fn validate_all(subject: Subject<'_>, setting: &Setting<'_>) -> Stamps {
    let context = setting.context;
    let (mut found, limit_reached) = find(subject);
    let mut embedded = super::embedded::of_signer(subject);
    let mut proofs = Proofs::default();
    if let Some(surroundings) = setting.surroundings {
        embedded.merge(surroundings.evidence.clone());
        proofs = surroundings.proofs.clone();
    }
    // Document time stamps cover all that is inside.
    let outer = proofs.signature().map(|proven| proven.time);
    let mut evidence = context.evidence.clone();
    evidence.merge(embedded.clone());
    for token in found.iter().filter_map(|found| TimeStampToken::from_der(found.token).ok()) {
        let inside = super::embedded::of_signed_data(token.signed_data());
        embedded.merge(inside.clone());
        evidence.merge(inside);
    }
    // What a stamp covers is older than the stamp: archive stamps cover everything, the one on the references covers
    // the one on the signature.
    found.sort_by_key(|found| (rank(found.kind), core::cmp::Reverse(found.time)));
    let mut stamped = Vec::new();
    for found in found {
        // Time stamps of the same rank do not cover each other, but for archive stamps.
        let younger = stamped.iter().filter(|(_, other): &&(usize, Stamped)| {
            rank(other.report.kind) < rank(found.kind) || is_archive(other.report.kind)
        });
        let around = Around {
            context,
            evidence: &evidence,
            proofs: &proofs,
            proof: younger.filter_map(|(_, other)| other.report.proven_time()).chain(outer).min(),
        };
        let report = TimeStampReport::new(found.kind);
        let stamp = validate(report, found.token, |digest| imprint(&found, subject, digest), around);
        if let Some(time) = stamp.report.proven_time() {
            let authority = stamp.report.authority.as_ref().map(|view| view.holder.name.clone());
            proofs.add_signature(ProvenTime {
                time,
                kind: found.kind,
                authority: authority.unwrap_or_default(),
            });
            if is_archive(found.kind) {
                add_objects(&mut proofs, &embedded, time);
            }
        }
        stamped.push((found.index, stamp));
    }
    stamped.sort_by_key(|(index, _)| *index);
    let stamped = stamped.into_iter().map(|(_, stamp)| stamp).collect();
    Stamps { stamped, proofs, evidence, embedded, limit_reached }
}

fn find(subject: Subject<'_>) -> (Vec<Found<'_>>, bool) {
    let mut found = Vec::new();
    for attribute in subject.signer.unsigned_attributes() {
        let kind = if attribute.is(oid::SIGNATURE_TIME_STAMP) {
            TimeStampKind::Signature
        } else if attribute.is(oid::ESC_TIME_STAMP) {
            TimeStampKind::References
        } else if attribute.is(oid::ARCHIVE_TIME_STAMP_V2) {
            TimeStampKind::ArchiveV2
        } else if attribute.is(oid::ARCHIVE_TIME_STAMP_V3) {
            TimeStampKind::ArchiveV3
        } else {
            continue;
        };
        for token in attribute.values() {
            if found.len() == MAX_TIME_STAMPS {
                return (found, true);
            }
            let time = TimeStampToken::from_der(token).ok().map(|token| token.time());
            found.push(Found { kind, token, time, index: found.len() });
        }
    }
    (found, false)
}

const fn rank(kind: TimeStampKind) -> u8 {
    match kind {
        TimeStampKind::Document => 0,
        TimeStampKind::ArchiveV2 | TimeStampKind::ArchiveV3 => 1,
        TimeStampKind::References => 2,
        TimeStampKind::Signature => 3,
    }
}

const fn is_archive(kind: TimeStampKind) -> bool {
    matches!(kind, TimeStampKind::ArchiveV2 | TimeStampKind::ArchiveV3 | TimeStampKind::Document)
}

/// Everything that the file carries existed at the time of a stamp that covers all of it.
pub(super) fn add_objects(proofs: &mut Proofs, evidence: &Evidence, time: Timestamp) {
    evidence.crls.iter().for_each(|crl| proofs.add_object(crl.sha256(), time));
    evidence.ocsp_responses.iter().for_each(|response| proofs.add_object(response.sha256(), time));
}

/// The digest of what a stamp should be about.
fn imprint(found: &Found<'_>, subject: Subject<'_>, algorithm: DigestAlgorithm) -> Option<Digest> {
    match found.kind {
        TimeStampKind::Signature => Some(Digest::of(algorithm, &subject.signer.value)),
        TimeStampKind::References
        | TimeStampKind::ArchiveV2
        | TimeStampKind::ArchiveV3
        | TimeStampKind::Document => None,
    }
}

impl Stamps {
    /// Adds reports and findings to the signature. A stamp about something else leaves the whole inconclusive:
    /// somebody put a false statement into the file. One that cannot be relied upon proves nothing and does no harm.
    pub(super) fn record(&self, report: &mut SignatureReport) {
        let check = Check::TimeStamps;
        if self.limit_reached {
            let code = ErrorCode::LimitExceeded.as_str();
            let evidence = format!("{code}: at most {MAX_TIME_STAMPS} time stamps");
            report.indeterminate(check, SubIndication::Generic, evidence);
        }
        for stamp in &self.stamped {
            let stamp = &stamp.report;
            let time = stamp.time.map_or_else(|| "without a time".to_owned(), |time| time.to_string());
            let reason = stamp.sub_indication.map_or("", |reason| reason.as_str());
            match stamp.indication {
                Indication::Passed => report.passed(check, time),
                Indication::Indeterminate => report.warning(check, format!("{time}: {reason}")),
                Indication::Failed => {
                    let evidence = format!("{time}: {reason}");
                    report.indeterminate(check, SubIndication::SigConstraintsFailure, evidence);
                }
            }
        }
        report.proven_time = self.proofs.signature().cloned();
        report.time_stamps = self.stamped.iter().map(|stamp| stamp.report.clone()).collect();
    }

    /// When the signature is proved to have existed.
    pub(super) fn proof(&self) -> Option<Timestamp> {
        self.proofs.signature().map(|proven| proven.time)
    }

    /// What would help to validate the stamps.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &Wanted> {
        self.stamped.iter().flat_map(|stamp| &stamp.wanted)
    }

    /// Whether the file itself answers for the revocation of every authority that stamped the signature.
    pub(super) fn are_complete(&self, setting: &Setting<'_>) -> bool {
        let on_signature = self.stamped.iter().filter(|stamp| stamp.report.kind == TimeStampKind::Signature);
        on_signature.filter(|stamp| stamp.report.proven_time().is_some()).all(|stamp| {
            let inquiry = Inquiry {
                context: setting.context,
                anchors: setting.context.time_stamp_anchors(),
                evidence: &self.embedded,
                proofs: &self.proofs,
                proof: None,
                evidence_since: stamp.report.time,
            };
            revocation::is_complete(&stamp.path, &inquiry, &self.embedded)
        })
    }

    /// Whether a valid archive stamp, or a document time stamp, covers the evidence in the file.
    pub(super) fn protect_evidence(&self) -> bool {
        let crls = self.embedded.crls.iter().map(|crl| crl.sha256());
        let answers = self.embedded.ocsp_responses.iter().map(|response| response.sha256());
        crls.chain(answers).any(|object| self.proofs.of_object(object).is_some())
    }
}
