//! The pinned data of a signature, whatever its format.

use base64ct::{Base64, Encoding};
use rubrica_core::cms::CmsPlan;
use rubrica_core::digest::{Digest, DigestAlgorithm};
use rubrica_core::pades::{Options, PdfPlan};
use rubrica_core::wire::{RevisionToSign, SignatureFormat, ToSign};
use rubrica_core::x509::Certificate;
use rubrica_core::{Timestamp, cades, pades};

use super::artefact::SigningFailure;
use crate::store::StoreError;

/// Everything between the two steps.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// A revision of a PDF.
    Pades(Box<PdfPlan>),
    /// A detached CMS.
    Cades(Box<CmsPlan>),
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft<'a> {
    pub(crate) format: SignatureFormat,
    /// The bytes of the document.
    pub(crate) document: &'a [u8],
    /// Their SHA-256, already checked.
    pub(crate) document_sha256: &'a [u8; 32],
    pub(crate) signer: &'a Certificate,
    /// Certificates between signer and root.
    pub(crate) chain: &'a [Certificate],
    /// The time that the signature claims.
    pub(crate) signing_time: Timestamp,
}

impl Plan {
    /// First step: fixes what will be signed.
    pub(crate) fn prepare(draft: Draft<'_>) -> Result<Self, SigningFailure> {
        match draft.format {
            SignatureFormat::Pades => {
                let options = Options::new(draft.signing_time);
                let plan = pades::prepare(draft.document, draft.signer, draft.chain, &options)?;
                Ok(Self::Pades(Box::new(plan)))
            }
            SignatureFormat::Cades => {
                let digest = Digest::from_bytes(DigestAlgorithm::Sha256, draft.document_sha256)
                    .expect("SHA-256 has 32 bytes");
                let options = cades::Options::new(draft.signing_time);
                let plan = cades::prepare(&digest, draft.signer, draft.chain, &options)?;
                Ok(Self::Cades(Box::new(plan)))
            }
        }
    }

    /// The stored form: the JSON of core's plan, which names its own version.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Pades(plan) => serde_json::to_vec(plan),
            Self::Cades(plan) => serde_json::to_vec(plan),
        }
        .expect("a plan has only strings and numbers")
    }

    /// Reads the stored form.
    pub(crate) fn decode(format: SignatureFormat, bytes: &[u8]) -> Result<Self, StoreError> {
        match format {
            SignatureFormat::Pades => serde_json::from_slice(bytes).map(Self::Pades),
            SignatureFormat::Cades => serde_json::from_slice(bytes).map(Self::Cades),
        }
        .map_err(|_| StoreError::Damaged { column: "signature.plan" })
    }

    /// The digest that the key signs.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.cms().to_sign().as_bytes().try_into().expect("a plan is signed over SHA-256")
    }

    /// DER of the signed attributes: the message of a key that hashes by itself.
    pub(crate) fn signed_attributes(&self) -> &[u8] {
        self.cms().signed_attributes()
    }

    /// What the SDK needs to check and to sign.
    pub(crate) fn to_wire(&self) -> ToSign {
        let cms = self.cms();
        ToSign {
            signed_attributes: Base64::encode_string(cms.signed_attributes()),
            digest_algorithm: "sha256".to_owned(),
            digest: Base64::encode_string(cms.to_sign().as_bytes()),
            signature_algorithm: cms.signature_algorithm().as_str().to_owned(),
            revision: match self {
                Self::Pades(plan) => Some(RevisionToSign {
                    appended: Base64::encode_string(plan.appended()),
                    byte_range: plan.byte_range(),
                }),
                Self::Cades(_) => None,
            },
        }
    }

    /// Verifies the value and writes what follows the document (PAdES) or stands beside it (CAdES).
    pub(super) fn embed(&self, signature_value: &[u8]) -> Result<Vec<u8>, SigningFailure> {
        match self {
            Self::Pades(plan) => Ok(plan.embed(signature_value)?),
            Self::Cades(plan) => Ok(plan.assemble(signature_value)?),
        }
    }

    /// The pinned certificate of the signer.
    pub(crate) fn signer(&self) -> &Certificate {
        self.cms().signer()
    }

    fn cms(&self) -> &CmsPlan {
        match self {
            Self::Pades(plan) => plan.cms(),
            Self::Cades(plan) => plan,
        }
    }
}
