//! The pinned data of a signature, whatever its format.

use base64ct::{Base64, Encoding};
use rubrica_core::cms::{CmsPlan, content_digest_algorithm};
use rubrica_core::digest::{Digest, DigestAlgorithm};
use rubrica_core::pades::{PadesError, PdfPlan};
use rubrica_core::pdf::File;
use rubrica_core::wire::{PdfOptions, RevisionToSign, SignatureFormat, ToSign};
use rubrica_core::x509::Certificate;
use rubrica_core::{Timestamp, cades, pades};

use super::artefact::SigningFailure;
use super::composed::ComposedPlan;
use super::pdf_options;
use super::target::Target;
use crate::store::StoreError;

/// Everything between the two steps.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// A revision of a PDF.
    Pades(Box<PdfPlan>),
    /// A detached CMS.
    Cades(Box<CmsPlan>),
    /// What another one makes.
    Composed(Box<ComposedPlan>),
}

/// Where a CMS signature stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In a file of its own; the document is the content.
    Detached,
    /// Around the document.
    Enveloping,
    /// Beside the signatures of this CMS; the document is the content, unless that is inside.
    CoSignature(Vec<u8>),
    /// Over a signature of this CMS, by its position; the document is the content, unless that is inside.
    CounterSignature(Vec<u8>, usize),
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft<'a> {
    pub(crate) target: Target,
    pub(crate) document: File<'a>,
    /// Its SHA-256 when it is known and checked already; it is computed otherwise.
    pub(crate) document_sha256: Option<&'a [u8; 32]>,
    pub(crate) signer: &'a Certificate,
    /// Certificates between signer and root.
    pub(crate) chain: &'a [Certificate],
    /// The time that the signature claims.
    pub(crate) signing_time: Timestamp,
    /// How the signature stands in a PDF.
    pub(crate) pdf: &'a PdfOptions,
    /// Where a CMS signature stands.
    pub(crate) shape: &'a Shape,
}

impl Plan {
    /// First step: fixes what will be signed.
    pub(crate) fn prepare(draft: Draft<'_>) -> Result<Self, SigningFailure> {
        match draft.target.format {
            SignatureFormat::Pades => {
                let options =
                    pdf_options::options(draft.pdf, draft.target, draft.signer, draft.signing_time)?;
                let plan = pades::prepare(draft.document, draft.signer, draft.chain, &options)?;
                Ok(Self::Pades(Box::new(plan)))
            }
            SignatureFormat::Cades => {
                let Draft { signer, chain, .. } = draft;
                let mut options = cades::Options::new(draft.signing_time);
                options.policy = draft.target.declared();
                let plan = match draft.shape {
                    Shape::Detached => cades::prepare(&content_digest(&draft)?, signer, chain, &options)?,
                    Shape::Enveloping => {
                        let content =
                            draft.document.read(0..draft.document.len()).map_err(PadesError::from)?;
                        options.placement = cades::Placement::Enveloping(content.into_owned());
                        cades::prepare(&content_digest(&draft)?, signer, chain, &options)?
                    }
                    Shape::CoSignature(cms) => {
                        cades::co_sign(cms, &content_digest(&draft)?, signer, chain, &options)?
                    }
                    Shape::CounterSignature(cms, position) => {
                        cades::counter_sign(cms, *position, signer, chain, &options)?
                    }
                };
                Ok(Self::Cades(Box::new(plan)))
            }
        }
    }

    /// Whether another one makes the signature.
    pub(crate) const fn is_composed(&self) -> bool {
        matches!(self, Self::Composed(_))
    }

    /// The stored form: the JSON of core's plan, which names its own version.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Pades(plan) => serde_json::to_vec(plan),
            Self::Cades(plan) => serde_json::to_vec(plan),
            Self::Composed(plan) => return plan.encode(),
        }
        .expect("a plan has only strings and numbers")
    }

    /// Reads the stored form.
    pub(crate) fn decode(format: SignatureFormat, bytes: &[u8]) -> Result<Self, StoreError> {
        let plan = match format {
            _ if ComposedPlan::is_in(bytes) => {
                ComposedPlan::decode(bytes).map(|plan| Self::Composed(Box::new(plan)))
            }
            SignatureFormat::Pades => serde_json::from_slice(bytes).ok().map(Self::Pades),
            SignatureFormat::Cades => serde_json::from_slice(bytes).ok().map(Self::Cades),
        };
        plan.ok_or(StoreError::Damaged { column: "signature.plan" })
    }

    /// The digest that the key signs.
    pub(crate) fn digest(&self) -> [u8; 32] {
        match self {
            Self::Composed(plan) => plan.digest(),
            Self::Pades(plan) => sha256_of(plan.cms()),
            Self::Cades(plan) => sha256_of(plan),
        }
    }

    /// DER of the signed attributes: the message of a key that hashes by itself. `None` when another one keeps them.
    pub(crate) fn signed_attributes(&self) -> Option<&[u8]> {
        Some(self.cms()?.signed_attributes())
    }

    /// What the SDK needs to check and to sign; `None` when another one has it.
    pub(crate) fn to_wire(&self) -> Option<ToSign> {
        let cms = self.cms()?;
        Some(ToSign {
            signed_attributes: Base64::encode_string(cms.signed_attributes()),
            digest_algorithm: "sha256".to_owned(),
            digest: Base64::encode_string(cms.to_sign().as_bytes()),
            signature_algorithm: cms.signature_algorithm().as_str().to_owned(),
            revision: match self {
                Self::Pades(plan) => Some(RevisionToSign {
                    appended: Base64::encode_string(plan.appended()),
                    byte_range: plan.byte_range(),
                }),
                Self::Cades(_) | Self::Composed(_) => None,
            },
        })
    }

    /// Verifies a value against what was pinned.
    pub(crate) fn verify(&self, signature_value: &[u8]) -> Result<(), SigningFailure> {
        match self {
            Self::Composed(plan) => plan.verify(signature_value),
            Self::Pades(_) | Self::Cades(_) => self.assemble(signature_value).map(drop),
        }
    }

    /// Verifies the value and writes the CMS.
    pub(crate) fn assemble(&self, signature_value: &[u8]) -> Result<Vec<u8>, SigningFailure> {
        Ok(self.cms().ok_or(SigningFailure::MadeElsewhere)?.assemble(signature_value)?)
    }

    /// Verifies the value and writes what follows the document (PAdES) or stands beside it (CAdES).
    pub(super) fn embed(&self, signature_value: &[u8]) -> Result<Vec<u8>, SigningFailure> {
        match self {
            Self::Pades(plan) => Ok(plan.embed(signature_value)?),
            Self::Cades(plan) => Ok(plan.assemble(signature_value)?),
            Self::Composed(_) => Err(SigningFailure::MadeElsewhere),
        }
    }

    /// The pinned certificate of the signer.
    pub(crate) fn signer(&self) -> &Certificate {
        match self {
            Self::Pades(plan) => plan.cms().signer(),
            Self::Cades(plan) => plan.signer(),
            Self::Composed(plan) => plan.signer(),
        }
    }

    /// `None` when another one makes the CMS.
    fn cms(&self) -> Option<&CmsPlan> {
        match self {
            Self::Pades(plan) => Some(plan.cms()),
            Self::Cades(plan) => Some(plan),
            Self::Composed(_) => None,
        }
    }
}

fn sha256_of(plan: &CmsPlan) -> [u8; 32] {
    plan.to_sign().as_bytes().try_into().expect("a plan is signed over SHA-256")
}

/// The digest of the document that a detached signature is about.
fn content_digest(draft: &Draft<'_>) -> Result<Digest, SigningFailure> {
    let algorithm = content_digest_algorithm(draft.signer)?;
    if let (DigestAlgorithm::Sha256, Some(known)) = (algorithm, draft.document_sha256) {
        return Ok(Digest::from_bytes(algorithm, known).expect("SHA-256 has 32 bytes"));
    }
    let whole = 0..draft.document.len();
    Ok(draft.document.digest(algorithm, std::slice::from_ref(&whole)).map_err(PadesError::from)?)
}
