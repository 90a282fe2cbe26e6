//! What is recorded of a release.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::event::{Event, EventData};
use crate::merkle::TreeHash;
use crate::wire::{Custody, SignatureFormat, SignatureLevel, SignaturePolicy};

/// One release: what was signed by whom, when and how.
///
/// **Shape**: a JSON object; digests are lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// Version of this form: 1.
    pub version: u32,
    /// The event that told it, `evt_…`.
    pub event_id: String,
    /// Whose signature it is.
    pub tenant: String,
    /// `sig_…`
    pub signature_id: String,
    /// The order it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Who signed, in an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
    /// The batch it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    /// SHA-256 of the document that was signed.
    pub document_sha256: String,
    /// SHA-256 of the artefact that was released.
    pub artefact_sha256: String,
    /// Length of the artefact in bytes.
    pub artefact_size_bytes: u64,
    /// Kind of artefact.
    pub format: SignatureFormat,
    /// Baseline level.
    pub level: SignatureLevel,
    /// Signature policy.
    pub policy: SignaturePolicy,
    /// Whose key store signed.
    pub custody: Custody,
    /// The key, when it is in our custody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// SHA-256 of the signer's certificate.
    pub certificate_sha256: String,
    /// Keyed hash of the CPF or CNPJ; absent when the certificate names nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The time that the signature itself claims.
    pub signed_at: Timestamp,
    /// When the artefact was released.
    pub released_at: Timestamp,
}

/// The text is not a record that this version understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Not a record.
    #[error("not a record of a release")]
    Malformed,
    /// A record of a later version.
    #[error("a record of a later version")]
    UnknownVersion,
}

impl ReleaseRecord {
    /// The version that is written.
    pub const VERSION: u32 = 1;

    /// The record of an event that releases a signature of a tenant; `None` for any other.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let EventData::SignatureReleased(released) = &event.data else { return None };
        let released = released.clone();
        Some(Self {
            version: Self::VERSION,
            event_id: event.id.clone(),
            tenant: event.tenant.clone()?,
            signature_id: released.signature_id,
            order_id: released.order_id,
            participant_id: released.participant_id,
            batch_id: released.batch_id,
            document_sha256: released.document_sha256,
            artefact_sha256: released.artefact_sha256,
            artefact_size_bytes: released.artefact_size_bytes,
            format: released.format,
            level: released.level,
            policy: released.policy,
            custody: released.custody,
            key_id: released.key_id,
            certificate_sha256: released.certificate_sha256,
            signer: released.signer,
            signed_at: released.signed_at,
            released_at: event.time,
        })
    }

    /// The text to keep. It is written once, in the transaction of the release, and never again.
    ///
    /// # Panics
    /// Never: the members are texts and numbers.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("the members are texts and numbers")
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`RecordError`]
    pub fn parse(json: &str) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_str(json).map_err(|_| RecordError::Malformed)?;
        if version != Self::VERSION {
            return Err(RecordError::UnknownVersion);
        }
        serde_json::from_str(json).map_err(|_| RecordError::Malformed)
    }

    /// The hash of a record in the log: of the text as it was kept.
    #[must_use]
    pub fn leaf_hash(json: &str) -> TreeHash {
        TreeHash::of_leaf(json.as_bytes())
    }
}
