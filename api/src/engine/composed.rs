//! Signatures that a [`Composer`](crate::ports::composer::Composer) makes around the value of our key.
//!
//! Our own code judges the document first, so that what cannot be signed has the same code whoever makes the signature. Then the
//! composer names the digest and is pinned with it. Which bytes that digest is of, nobody here sees before the end: what comes back
//! is therefore read from zero, and released only as the one signature of the pinned certificate over the whole document, to which nothing
//! else was done.

use base64ct::{Base64, Encoding};
use rubrica_core::cms::{CmsError, SignedAttributes, SignedData};
use rubrica_core::digest::{Digest, DigestAlgorithm};
use rubrica_core::icp_brasil::signature_policy;
use rubrica_core::pades::PadesError;
use rubrica_core::pdf::{ChangeKind, changes_since};
use rubrica_core::validation::{Context, validate_pdf};
use rubrica_core::wire::{PdfOptions, SignatureFormat};
use rubrica_core::x509::{Certificate, SignatureAlgorithm};
use serde::{Deserialize, Serialize};

use super::artefact::{Followed, Sealed, SigningFailure, check_cms, check_last};
use super::plan::{Plan, Shape};
use super::target::Target;
use crate::app::App;
use crate::hex;
use crate::input::Input;
use crate::objects::sha256;
use crate::ports::composer::{Completion, ComposerError, ComposerName, Composition};

/// How the stored form begins; no plan of our own does.
const STORED: &[u8] = b"{\"composer\":";

/// What a revision does that brings an invisible signature and nothing else.
fn belongs_to_a_signature(kind: ChangeKind) -> bool {
    use ChangeKind::{
        DocumentInformation, Extensions, FormDefaults, Metadata, Rewritten, SignatureField, Signed,
        Structure, UnusedObjects,
    };
    let alone = [Rewritten, UnusedObjects, DocumentInformation, Metadata, Extensions];
    let with_it = [SignatureField, Signed, FormDefaults, Structure];
    alone.contains(&kind) || with_it.contains(&kind)
}

/// What is pinned of a signature that another one makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ComposedPlan {
    composer: ComposerName,
    format: SignatureFormat,
    signer: Certificate,
    sha256: [u8; 32],
    state: Vec<u8>,
}

/// The stored form. The name of the composer comes first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    composer: ComposerName,
    version: u32,
    format: SignatureFormat,
    /// DER, standard base64.
    signer: String,
    /// Lower-case hexadecimal.
    sha256: String,
    /// Standard base64.
    state: String,
}

/// Has a composer begin the signature, when this tenant has one that makes it. `own` is what our own code would sign.
pub(super) async fn begin(
    app: &App,
    tenant: &str,
    target: Target,
    own: &Plan,
    (pdf, document): (&PdfOptions, &Input),
) -> Result<Option<Plan>, SigningFailure> {
    let signer = own.signer();
    let composer = app.composers.of(tenant, target, signer, pdf).filter(|_| !document.has_password());
    let Some(composer) = composer else { return Ok(None) };
    let work = Composition { format: target.format, policy: target.policy, document, signer };
    let begun = composer.begin(&work).await?;
    Ok(Some(Plan::Composed(Box::new(ComposedPlan {
        composer: composer.name(),
        format: target.format,
        signer: signer.clone(),
        sha256: begun.sha256,
        state: begun.state,
    }))))
}

/// What a composer made. Nobody has checked it.
#[derive(Debug)]
pub(super) struct Made {
    plan: ComposedPlan,
    bytes: Vec<u8>,
}

/// Has the composer of a plan put a verified value in; nothing for a plan of our own.
pub(super) async fn complete(
    app: &App,
    plan: &Plan,
    document: &Input,
    value: &[u8],
) -> Result<Option<Made>, SigningFailure> {
    let Plan::Composed(plan) = plan else { return Ok(None) };
    let composer = app.composers.named(plan.composer)?;
    let work = Completion { format: plan.format, document, state: &plan.state, value };
    let bytes = composer.complete(&work).await?;
    Ok(Some(Made { plan: (**plan).clone(), bytes }))
}

impl Made {
    /// Reads it as a stranger would. For a PDF `document` becomes the signed file.
    ///
    /// # Errors
    /// `composer_answer_invalid` for whatever is wrong with it.
    pub(super) fn seal(
        self,
        value: &[u8],
        target: Target,
        document: &mut Input,
        context: &Context,
    ) -> Result<Sealed, SigningFailure> {
        let Self { plan, bytes } = self;
        let sealed = match plan.format {
            SignatureFormat::Cades => plan.seal_cms(bytes, value, target, document, context),
            SignatureFormat::Pades => plan.seal_pdf(bytes, value, target, document, context),
        };
        sealed.map_err(|failure| {
            if matches!(failure, SigningFailure::Composer(_) | SigningFailure::Io(_)) {
                return failure;
            }
            plan.wrong(&format!("is not a good signature: {failure}"))
        })
    }
}

impl ComposedPlan {
    /// Whether these bytes are the stored form of one.
    pub(crate) fn is_in(bytes: &[u8]) -> bool {
        bytes.starts_with(STORED)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let stored = Stored {
            composer: self.composer,
            version: 1,
            format: self.format,
            signer: Base64::encode_string(self.signer.der()),
            sha256: hex::encode(self.sha256),
            state: Base64::encode_string(&self.state),
        };
        serde_json::to_vec(&stored).expect("it has only texts and a number")
    }

    /// `None` when it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let stored: Stored =
            serde_json::from_slice(bytes).ok().filter(|stored: &Stored| stored.version == 1)?;
        Some(Self {
            composer: stored.composer,
            format: stored.format,
            signer: Certificate::from_der(&Base64::decode_vec(&stored.signer).ok()?).ok()?,
            sha256: hex::decode(&stored.sha256)?.try_into().ok()?,
            state: Base64::decode_vec(&stored.state).ok()?,
        })
    }

    pub(super) const fn digest(&self) -> [u8; 32] {
        self.sha256
    }

    pub(super) const fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Verifies a value against the pinned digest and certificate.
    pub(super) fn verify(&self, value: &[u8]) -> Result<(), SigningFailure> {
        let digest = Digest::from_bytes(DigestAlgorithm::Sha256, &self.sha256).expect("SHA-256 has 32 bytes");
        let key = self.signer.public_key().map_err(CmsError::from)?;
        let verified = key.verify(SignatureAlgorithm::RsaPkcs1Sha256, &digest, value);
        Ok(verified.map_err(CmsError::ValueInvalid)?)
    }

    /// One signer, beside the content, with this value over this digest and this policy.
    fn seal_cms(
        &self,
        made: Vec<u8>,
        value: &[u8],
        target: Target,
        document: &Input,
        context: &Context,
    ) -> Result<Sealed, SigningFailure> {
        let signed = SignedData::parse(&made)?;
        let [signer] = signed.signers() else { return Err(self.wrong("does not have one signer")) };
        if signed.content().is_some() {
            return Err(self.wrong("has the document inside"));
        }
        let attributes = signer.signed_attributes.as_deref().unwrap_or_default();
        if signer.value != value || sha256(attributes) != self.sha256 {
            return Err(self.wrong("is not over the digest that was pinned"));
        }
        let policy = SignedAttributes::parse(attributes)?.signature_policy();
        self.check_policy(policy.map(|policy| policy.oid).as_deref(), target)?;
        check_cms(&made, &Shape::Detached, document, context)?;
        Ok(Sealed { size_bytes: made.len() as u64, sha256: sha256(&made), tail: made })
    }

    /// One more revision behind the document, which is a signature over all of it, with this value and this policy.
    fn seal_pdf(
        &self,
        made: Vec<u8>,
        value: &[u8],
        target: Target,
        document: &mut Input,
        context: &Context,
    ) -> Result<Sealed, SigningFailure> {
        let length = document.size_bytes();
        let before = document.read_all()?;
        let tail = made.strip_prefix(&*before).filter(|tail| !tail.is_empty()).map(<[u8]>::to_vec);
        let tail =
            tail.ok_or_else(|| self.wrong("does not begin with the document that was to be signed"))?;
        drop((before, made));
        let needle = hex::encode(value);
        let is_needle = |part: &[u8]| part.eq_ignore_ascii_case(needle.as_bytes());
        if !tail.windows(needle.len()).any(is_needle) {
            return Err(self.wrong("does not hold the value of the key"));
        }
        document.append(&tail)?;
        // The context trusts the pinned certificate alone.
        let report = validate_pdf(document.file(), context)?;
        check_last(&report, Followed::Never)?;
        let changes = changes_since(document.file(), length).map_err(PadesError::from)?;
        if let Some(change) = changes.iter().find(|change| !belongs_to_a_signature(change.kind)) {
            return Err(self.wrong(&format!("does more than sign: it {}", change.kind.english())));
        }
        let policy = report.signatures.last().and_then(|signature| signature.policy.as_ref());
        self.check_policy(policy.map(|policy| policy.oid.as_str()), target)?;
        Ok(Sealed { size_bytes: document.size_bytes(), sha256: document.sha256()?, tail })
    }

    fn check_policy(&self, oid: Option<&str>, target: Target) -> Result<(), SigningFailure> {
        let declared = oid.map(|oid| signature_policy::by_oid(oid).map(|policy| policy.profile));
        if declared == target.profile().map(Some) {
            return Ok(());
        }
        Err(self.wrong("declares another signature policy than was asked for"))
    }

    fn wrong(&self, what: &str) -> SigningFailure {
        ComposerError::Contract(format!("what {} made {what}", self.composer)).into()
    }
}
