//! Document time stamps of a PDF (ETSI EN 319 142-1 §5.4.3): from the youngest to the oldest, each one proves that
//! everything before it existed, older time stamps and the security store included.

use super::stamps::add_objects;
use super::time_stamp::{Around, NoImprint, Stamped, validate};
use super::{Context, Proofs, ProvenTime, TimeStampKind, TimeStampReport};
use crate::Timestamp;
use crate::cades::embedded_evidence_of_token;
use crate::digest::{Digest, DigestAlgorithm};
use crate::revocation::{Evidence, Wanted};
use crate::tlv::Reader;
use crate::tsp::TimeStampToken;

/// A document time stamp as the PDF has it.
pub(crate) struct DocumentStamp<'a> {
    /// Field, coverage and the findings about the PDF; nothing else yet.
    pub(crate) report: TimeStampReport,
    /// Bytes of Contents, with their padding.
    pub(crate) contents: &'a [u8],
    /// End of the bytes that it covers.
    pub(crate) end: u64,
    /// Digest of the bytes that it covers.
    pub(crate) imprint: Box<dyn Fn(DigestAlgorithm) -> Option<Digest> + 'a>,
    /// The security store in the revision that it covers.
    pub(crate) evidence: Evidence,
}

/// The document time stamps of one file, validated.
#[derive(Debug, Default)]
pub(crate) struct DocumentStamps(Vec<Validated>);

#[derive(Debug)]
struct Validated {
    end: u64,
    stamped: Stamped,
    evidence: Evidence,
}

impl DocumentStamps {
    /// Validates them. `store` is the security store of the whole file.
    pub(crate) fn validate(mut stamps: Vec<DocumentStamp<'_>>, store: &Evidence, context: &Context) -> Self {
        stamps.sort_by_key(|stamp| core::cmp::Reverse(stamp.end));
        let mut evidence = context.evidence.clone();
        evidence.merge(store.clone());
        for stamp in &stamps {
            if let Ok(token) = TimeStampToken::from_der(without_padding(stamp.contents)) {
                evidence.merge(embedded_evidence_of_token(&token));
            }
        }
        let mut done = Self::default();
        for stamp in stamps {
            let proofs = done.proofs_before(stamp.end);
            let around = Around {
                context,
                evidence: &evidence,
                proofs: &proofs,
                proof: proofs.signature().map(|proven| proven.time),
            };
            let token = TimeStampToken::from_der(without_padding(stamp.contents));
            let imprint = |algorithm| {
                let unknown = || NoImprint::Unknown("the file cannot be read".to_owned());
                (stamp.imprint)(algorithm).ok_or_else(unknown)
            };
            let stamped = validate(stamp.report, token.as_ref(), imprint, around);
            done.0.push(Validated { end: stamp.end, stamped, evidence: stamp.evidence });
        }
        done.0.reverse();
        done
    }

    /// What the valid ones prove about something in the PDF whose signed bytes end at `end`.
    pub(crate) fn proofs_before(&self, end: u64) -> Proofs {
        let mut proofs = Proofs::default();
        for one in &self.0 {
            let Some(time) = one.stamped.report.proven_time() else { continue };
            add_objects(&mut proofs, &one.evidence, time);
            if one.end > end {
                proofs.add_signature(proven(&one.stamped.report, time));
            }
        }
        proofs
    }

    /// Of the youngest valid one behind `end`: where what it covers ends, and whether its authority is accredited.
    pub(crate) fn last_valid_behind(&self, end: u64) -> Option<(u64, bool)> {
        let valid = self.0.iter().filter(|one| one.stamped.report.proven_time().is_some());
        let last = valid.filter(|one| one.end > end).max_by_key(|one| one.end)?;
        Some((last.end, last.stamped.report.accredited))
    }

    /// Their reports, the oldest first.
    pub(crate) fn reports(&self) -> Vec<TimeStampReport> {
        self.0.iter().map(|one| one.stamped.report.clone()).collect()
    }

    /// What would help to validate them.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &Wanted> {
        self.0.iter().flat_map(|one| &one.stamped.wanted)
    }
}

fn proven(report: &TimeStampReport, time: Timestamp) -> ProvenTime {
    let authority = report.authority.as_ref().map(|view| view.holder.name.clone()).unwrap_or_default();
    ProvenTime { time, kind: TimeStampKind::Document, authority }
}

/// Contents is filled up with zeros. What cannot be cut is left as it is, and refused when it is read.
pub(crate) fn without_padding(contents: &[u8]) -> &[u8] {
    match Reader::new(contents).element() {
        Ok(element) if contents[element.raw.len()..].iter().all(|byte| *byte == 0) => element.raw,
        Ok(_) | Err(_) => contents,
    }
}

#[cfg(test)]
mod tests;
