//! The time stamps of a signature, from the youngest to the oldest: each one proves that what it covers existed, the
//! older stamps included (EN 319 102-1 §5.6.3, past signature validation with a chain of proofs).

use super::certificate::Inquiry;
use super::cms::{Setting, Subject};
use super::time_stamp::{Around, NoImprint, Stamped, validate};
use super::{
    Check, Indication, Proofs, ProvenTime, SignatureReport, SubIndication, TimeStampKind, TimeStampReport,
    revocation,
};
use crate::cades::{
    Stamp, StampError, StampKind, archived_evidence, embedded_evidence_of, stamps as stamps_of,
};
use crate::digest::Digest;
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
    /// Why the time stamps were not looked at.
    refused: Option<String>,
}

/// Validates every time stamp of the signature.
pub(super) fn validate_all(subject: Subject<'_>, setting: &Setting<'_>) -> Stamps {
    let context = setting.context;
    let (found, refused) = match find(subject) {
        Ok(found) => (found, None),
        Err(refused) => (Vec::new(), Some(refused)),
    };
    let mut embedded = embedded_evidence_of(subject.signed, subject.signer);
    let mut proofs = Proofs::default();
    if let Some(surroundings) = setting.surroundings {
        embedded.merge(surroundings.evidence.clone());
        proofs = surroundings.proofs.clone();
    }
    // Document time stamps cover all that is inside.
    let outer = proofs.signature().map(|proven| proven.time);
    let mut evidence = context.evidence.clone();
    evidence.merge(embedded.clone());
    let mut stamped: Vec<(usize, Stamped)> = Vec::new();
    for Found { stamp, kind, index } in in_order_of_proof(found) {
        // Time stamps of the same rank do not cover each other, but for archive stamps.
        let younger = stamped
            .iter()
            .filter(|(_, other)| rank(other.report.kind) < rank(kind) || is_archive(other.report.kind));
        let around = Around {
            context,
            evidence: &evidence,
            proofs: &proofs,
            proof: younger.filter_map(|(_, other)| other.report.proven_time()).chain(outer).min(),
        };
        let expected = stamp.imprint_expected.clone().map_err(|error| no_imprint(&error));
        let report = TimeStampReport::new(kind);
        let validated = validate(report, stamp.token.as_ref(), |_| expected, around);
        if let Some(time) = validated.report.proven_time() {
            if kind == TimeStampKind::Content {
                proofs.add_content(time);
            } else {
                let authority = validated.report.authority.as_ref().map(|view| view.holder.name.clone());
                proofs.add_signature(ProvenTime { time, kind, authority: authority.unwrap_or_default() });
            }
            if let Some((file, position)) = subject.file.filter(|_| is_archive(kind)) {
                add_objects(
                    &mut proofs,
                    &archived_evidence(file, position, &stamp).unwrap_or_default(),
                    time,
                );
            }
        }
        stamped.push((index, validated));
    }
    stamped.sort_by_key(|(index, _)| *index);
    let stamped = stamped.into_iter().map(|(_, stamp)| stamp).collect();
    Stamps { stamped, proofs, evidence, embedded, refused }
}

/// One time stamp in the signature and its place in the report.
struct Found {
    stamp: Stamp,
    kind: TimeStampKind,
    index: usize,
}

/// Lists the time stamps; the text says which limit was reached.
fn find(subject: Subject<'_>) -> Result<Vec<Found>, String> {
    let kinds = [
        oid::SIGNATURE_TIME_STAMP,
        oid::ESC_TIME_STAMP,
        oid::CERT_CRL_TIME_STAMP,
        oid::ARCHIVE_TIME_STAMP_V1,
        oid::ARCHIVE_TIME_STAMP_V2,
        oid::ARCHIVE_TIME_STAMP_V3,
    ];
    let attributes = subject.signer.unsigned_attributes().iter();
    let stamps = attributes.filter(|attribute| kinds.iter().any(|kind| attribute.is(*kind)));
    let count = stamps.map(|attribute| attribute.values().len()).sum::<usize>();
    if count > MAX_TIME_STAMPS {
        return Err(format!("{}: at most {MAX_TIME_STAMPS} time stamps", ErrorCode::LimitExceeded.as_str()));
    }
    let Some((bytes, position)) = subject.file else { return Ok(on_value(subject)) };
    // Without any there is nothing to cut open.
    if count == 0 && !subject.has_content_time_stamp() {
        return Ok(Vec::new());
    }
    let stamps = stamps_of(bytes, position, subject.content).map_err(|error| error.to_string())?;
    let found = stamps.into_iter().enumerate();
    Ok(found.map(|(index, stamp)| Found { kind: kind_of(stamp.kind), stamp, index }).collect())
}

/// The time stamps on the value of a signature that has no file of its own: a counter-signature.
fn on_value(subject: Subject<'_>) -> Vec<Found> {
    let attributes = subject.signer.unsigned_attributes().iter();
    let tokens = attributes
        .filter(|attribute| attribute.is(oid::SIGNATURE_TIME_STAMP))
        .flat_map(|attribute| attribute.values());
    let stamp = |token: &Vec<u8>| {
        let token = TimeStampToken::from_der(token);
        let algorithm = token.as_ref().ok().and_then(|token| Some(token.imprint()?.algorithm()));
        let imprint_expected =
            algorithm.map(|algorithm| Digest::of(algorithm, &subject.signer.value)).ok_or(StampError::Token);
        Stamp { kind: StampKind::Signature, token, imprint_expected, uncovered: Vec::new() }
    };
    let found = tokens.map(stamp).enumerate();
    found.map(|(index, stamp)| Found { stamp, kind: TimeStampKind::Signature, index }).collect()
}

const fn kind_of(kind: StampKind) -> TimeStampKind {
    match kind {
        StampKind::Content => TimeStampKind::Content,
        StampKind::Signature => TimeStampKind::Signature,
        StampKind::CompleteReferences => TimeStampKind::References,
        StampKind::References => TimeStampKind::ReferencesOnly,
        StampKind::ArchiveV1 => TimeStampKind::ArchiveV1,
        StampKind::ArchiveV2 => TimeStampKind::ArchiveV2,
        StampKind::ArchiveV3 => TimeStampKind::ArchiveV3,
    }
}

/// What a stamp covers is older than the stamp: archive stamps cover everything, the one on the references covers the
/// one on the signature.
fn in_order_of_proof(mut found: Vec<Found>) -> Vec<Found> {
    let time = |found: &Found| found.stamp.token.as_ref().ok().map(TimeStampToken::time);
    found.sort_by_key(|found| (rank(found.kind), core::cmp::Reverse(time(found))));
    found
}

fn no_imprint(error: &StampError) -> NoImprint {
    match error {
        StampError::Token | StampError::ContentMissing | StampError::Unsupported => {
            NoImprint::Unknown(error.to_string())
        }
        StampError::AttributeMissing | StampError::HashIndex(_) => NoImprint::Wrong(error.to_string()),
    }
}

const fn rank(kind: TimeStampKind) -> u8 {
    match kind {
        TimeStampKind::Document => 0,
        TimeStampKind::ArchiveV1 | TimeStampKind::ArchiveV2 | TimeStampKind::ArchiveV3 => 1,
        TimeStampKind::References | TimeStampKind::ReferencesOnly => 2,
        TimeStampKind::Signature => 3,
        TimeStampKind::Content => 4,
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

impl Stamps {
    /// Adds reports and findings to the signature. A stamp about something else leaves the whole inconclusive:
    /// somebody put a false statement into the file. One that cannot be relied upon proves nothing and does no harm.
    pub(super) fn record(&self, report: &mut SignatureReport) {
        let check = Check::TimeStamps;
        if let Some(why) = &self.refused {
            report.indeterminate(check, SubIndication::Generic, why.as_str());
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
                not_yet: None,
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
