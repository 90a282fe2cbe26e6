//! The events of a signature.

use rubrica_core::Timestamp;
use rubrica_core::event::{Event, EventData, SignatureFailed, SignatureMoved, SignatureReleased};
use rubrica_core::wire::{Custody, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureProblem};

use crate::hex;
use crate::ids::{BatchId, DocumentId, EventId, KeyId, SignatureId};
use crate::lookup::SignerHash;
use crate::store::orders::InOrder;

/// What the events of a signature say of it, wherever it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) id: &'a SignatureId,
    pub(crate) batch_id: Option<&'a BatchId>,
    pub(crate) in_order: Option<&'a InOrder>,
    pub(crate) document_id: Option<&'a DocumentId>,
    pub(crate) document_sha256: &'a [u8; 32],
    pub(crate) custody: Custody,
    pub(crate) format: SignatureFormat,
    pub(crate) level: SignatureLevel,
    pub(crate) policy: SignaturePolicy,
    pub(crate) key_id: Option<&'a KeyId>,
    pub(crate) signer_hash: Option<&'a SignerHash>,
}

/// What is told of a release beyond that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Release<'a> {
    pub(crate) artefact_sha256: &'a [u8; 32],
    pub(crate) size_bytes: u64,
    /// Of the signer's certificate, lower-case hexadecimal.
    pub(crate) certificate_sha256: &'a str,
    /// The time that the signature claims.
    pub(crate) signed_at: Timestamp,
}

impl Facts<'_> {
    /// `signature.accepted`.
    pub(crate) fn accepted(&self, now: Timestamp) -> Event {
        self.event(now, EventData::SignatureAccepted(self.moved()))
    }

    /// `signature.prepared`.
    pub(crate) fn prepared(&self, now: Timestamp) -> Event {
        self.event(now, EventData::SignaturePrepared(self.moved()))
    }

    /// `signature.signing`.
    pub(crate) fn signing(&self, now: Timestamp) -> Event {
        self.event(now, EventData::SignatureSigning(self.moved()))
    }

    /// `signature.expired`.
    pub(crate) fn expired(&self, now: Timestamp) -> Event {
        self.event(now, EventData::SignatureExpired(self.moved()))
    }

    /// `signature.cancelled`.
    pub(crate) fn cancelled(&self, now: Timestamp) -> Event {
        self.event(now, EventData::SignatureCancelled(self.moved()))
    }

    /// `signature.released`.
    pub(crate) fn released(&self, now: Timestamp, release: &Release<'_>) -> Event {
        let moved = self.moved();
        self.event(
            now,
            EventData::SignatureReleased(SignatureReleased {
                signature_id: moved.signature_id,
                order_id: moved.order_id,
                participant_id: moved.participant_id,
                batch_id: moved.batch_id,
                document_id: moved.document_id,
                custody: moved.custody,
                format: moved.format,
                level: moved.level,
                policy: moved.policy,
                key_id: moved.key_id,
                signer: moved.signer,
                certificate_sha256: release.certificate_sha256.to_owned(),
                document_sha256: hex::encode(self.document_sha256),
                artefact_sha256: hex::encode(release.artefact_sha256),
                artefact_size_bytes: release.size_bytes,
                signed_at: release.signed_at,
            }),
        )
    }

    /// `signature.failed`.
    pub(crate) fn failed(&self, now: Timestamp, problem: &SignatureProblem) -> Event {
        let moved = self.moved();
        self.event(
            now,
            EventData::SignatureFailed(SignatureFailed {
                signature_id: moved.signature_id,
                order_id: moved.order_id,
                participant_id: moved.participant_id,
                batch_id: moved.batch_id,
                custody: moved.custody,
                key_id: moved.key_id,
                signer: moved.signer,
                code: problem.code,
            }),
        )
    }

    fn moved(&self) -> SignatureMoved {
        SignatureMoved {
            signature_id: self.id.to_string(),
            order_id: self.in_order.map(|order| order.order_id.to_string()),
            participant_id: self.in_order.map(|order| order.participant_id.to_string()),
            batch_id: self.batch_id.map(ToString::to_string),
            document_id: self.document_id.map(ToString::to_string),
            custody: self.custody,
            format: self.format,
            level: self.level,
            policy: self.policy,
            key_id: self.key_id.map(ToString::to_string),
            signer: self.signer_hash.map(|hash| hex::encode(hash.0)),
        }
    }

    fn event(&self, time: Timestamp, data: EventData) -> Event {
        Event { id: EventId::generate().to_string(), time, tenant: Some(self.tenant.to_owned()), data }
    }
}
