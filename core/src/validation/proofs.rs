//! Proofs of existence (ETSI EN 319 102-1 §5.6.2.3): since when things are known to have existed.

use std::collections::BTreeMap;

use super::ProvenTime;
use crate::Timestamp;
use crate::digest::Digest;

/// What valid time stamps prove. Only the earliest proof of each thing is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proofs {
    signature: Option<ProvenTime>,
    content: Option<Timestamp>,
    objects: BTreeMap<Vec<u8>, Timestamp>,
}

impl Proofs {
    /// The signature value existed at this time.
    pub(crate) fn add_signature(&mut self, proven: ProvenTime) {
        if self.signature.as_ref().is_none_or(|known| proven.time < known.time) {
            self.signature = Some(proven);
        }
    }

    /// The content existed at this time and was not signed yet.
    pub(crate) fn add_content(&mut self, time: Timestamp) {
        self.content = self.content.max(Some(time));
    }

    /// The signature is younger than this.
    pub(crate) const fn not_before(&self) -> Option<Timestamp> {
        self.content
    }

    /// The CRL or OCSP response with this SHA-256 existed at this time.
    pub(crate) fn add_object(&mut self, sha256: &Digest, time: Timestamp) {
        let known = self.objects.entry(sha256.as_bytes().to_vec()).or_insert(time);
        *known = (*known).min(time);
    }

    /// Best signature time.
    pub(crate) const fn signature(&self) -> Option<&ProvenTime> {
        self.signature.as_ref()
    }

    /// Since when the CRL or OCSP response with this SHA-256 is known to have existed.
    pub(crate) fn of_object(&self, sha256: &Digest) -> Option<Timestamp> {
        self.objects.get(sha256.as_bytes()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::TimeStampKind;

    #[test]
    fn the_earliest_proof_is_kept() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (early, late) = (time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"));
        let by = |time| ProvenTime { time, kind: TimeStampKind::Signature, authority: "ACT TEST".to_owned() };
        let crl = Digest::sha256(b"a CRL");
        for order in [[early, late], [late, early]] {
            let mut proofs = Proofs::default();
            assert!(proofs.signature().is_none() && proofs.of_object(&crl).is_none());
            for time in order {
                proofs.add_signature(by(time));
                proofs.add_object(&crl, time);
            }
            assert_eq!(proofs.signature(), Some(&by(early)));
            assert_eq!(proofs.of_object(&crl), Some(early));
            assert_eq!(proofs.of_object(&Digest::sha256(b"another")), None);
        }
    }
}
