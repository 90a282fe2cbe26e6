//! The stored form of a plan.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

use super::{CmsPlan, Target};
use crate::cms::{Parts, SignedAttributes};
use crate::x509::Certificate;

const PLAN_VERSION: u32 = 2;
/// Had no target and was always detached.
const FIRST_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredPlan {
    version: u32,
    signed_attributes: String,
    signer: String,
    chain: Vec<String>,
    #[serde(default)]
    target: StoredTarget,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum StoredTarget {
    #[default]
    Detached,
    Enveloping {
        content: String,
    },
    CoSignature {
        cms: String,
    },
    CounterSignature {
        cms: String,
        signer: usize,
    },
}

/// The stored text is not a plan of this version.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoredPlanError {
    #[error("the plan has version {0}, this program reads version {FIRST_VERSION} and {PLAN_VERSION}")]
    Version(u32),
    #[error("the plan is damaged: {0}")]
    Damaged(&'static str),
}

impl From<CmsPlan> for StoredPlan {
    fn from(plan: CmsPlan) -> Self {
        let text = |bytes: &[u8]| Base64::encode_string(bytes);
        Self {
            version: PLAN_VERSION,
            signed_attributes: text(&plan.signed_attributes),
            signer: text(plan.signer.der()),
            chain: plan.chain.iter().map(|certificate| text(certificate.der())).collect(),
            target: match &plan.target {
                Target::Detached => StoredTarget::Detached,
                Target::Enveloping(content) => StoredTarget::Enveloping { content: text(content) },
                Target::CoSignature(cms) => StoredTarget::CoSignature { cms: text(cms) },
                Target::CounterSignature { cms, signer } => {
                    StoredTarget::CounterSignature { cms: text(cms), signer: *signer }
                }
            },
        }
    }
}

impl TryFrom<StoredPlan> for CmsPlan {
    type Error = StoredPlanError;

    fn try_from(stored: StoredPlan) -> Result<Self, StoredPlanError> {
        if !matches!(stored.version, FIRST_VERSION | PLAN_VERSION) {
            return Err(StoredPlanError::Version(stored.version));
        }
        let signer = certificate(&stored.signer)?;
        let key =
            signer.public_key().map_err(|_| StoredPlanError::Damaged("the signer's key is not supported"))?;
        let signed_attributes = bytes(&stored.signed_attributes)?;
        let parsed = SignedAttributes::parse(&signed_attributes)
            .map_err(|_| StoredPlanError::Damaged("the signed attributes cannot be read"))?;
        if parsed.signing_certificate().and_then(|reference| reference.refers_to(&signer)) != Some(true) {
            return Err(StoredPlanError::Damaged("the attributes refer to another certificate"));
        }
        let chain = stored.chain.iter().map(|text| certificate(text)).collect::<Result<_, _>>()?;
        Ok(Self { signed_attributes, signer, chain, key, target: target(stored.target)? })
    }
}

fn target(stored: StoredTarget) -> Result<Target, StoredPlanError> {
    let signed_data = |text: &str| {
        let cms = bytes(text)?;
        match Parts::read(&cms) {
            Ok(parts) => Ok((parts.signers.len(), cms)),
            Err(_) => Err(StoredPlanError::Damaged("the SignedData cannot be read")),
        }
    };
    Ok(match stored {
        StoredTarget::Detached => Target::Detached,
        StoredTarget::Enveloping { content } => Target::Enveloping(bytes(&content)?),
        StoredTarget::CoSignature { cms } => Target::CoSignature(signed_data(&cms)?.1),
        StoredTarget::CounterSignature { cms, signer } => match signed_data(&cms)? {
            (signers, cms) if signer < signers => Target::CounterSignature { cms, signer },
            _ => return Err(StoredPlanError::Damaged("there is no such signer")),
        },
    })
}

fn bytes(text: &str) -> Result<Vec<u8>, StoredPlanError> {
    Base64::decode_vec(text).map_err(|_| StoredPlanError::Damaged("base64 was expected"))
}

fn certificate(text: &str) -> Result<Certificate, StoredPlanError> {
    Certificate::from_der(&bytes(text)?).map_err(|_| StoredPlanError::Damaged("a certificate cannot be read"))
}
