//! The plans: a new signature, one beside others, one over another.

use crate::cms::{
    CmsError, CmsPlan, Parts, PlanOptions, SignedAttributes, SignedData, Target, content_digest_algorithm,
    plan_for,
};
use crate::digest::Digest;
use crate::icp_brasil::signature_policy::{Family, PolicyNotApplicable, SignaturePolicy};
use crate::tsp::TspError;
use crate::x509::Certificate;
use crate::{ErrorCode, Timestamp, oid};

/// A CAdES signature cannot be planned or raised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CadesError {
    /// The SignedData, the key, the policy or the digest algorithm.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The content is not the one that was or shall be signed.
    #[error("the content does not have the digest given")]
    Digest,
    /// The content is needed and not at hand.
    #[error("the signature is detached, so its content is needed")]
    ContentRequired,
    /// The time stamp.
    #[error(transparent)]
    TimeStamp(#[from] TspError),
}

impl CadesError {
    /// The stable code: the one of the CMS or time stamp error, `digest_mismatch` or `content_required`.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Cms(error) => error.code(),
            Self::Digest => ErrorCode::DigestMismatch,
            Self::ContentRequired => ErrorCode::ContentRequired,
            Self::TimeStamp(error) => error.code(),
        }
    }
}

impl From<PolicyNotApplicable> for CadesError {
    fn from(error: PolicyNotApplicable) -> Self {
        Self::Cms(error.into())
    }
}

/// What the caller decides about a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// signing-time, which the baseline profile requires: the claim of the server's clock, not a proof.
    pub signing_time: Timestamp,
    /// ICP-Brasil policy to declare. A counter-signature declares none.
    pub policy: Option<&'static SignaturePolicy>,
    /// Whether the content goes into a new signature. Others have their place already.
    pub placement: Placement,
}

/// Where the content of a new signature is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Placement {
    /// In a file of its own.
    #[default]
    Detached,
    /// Inside the signature: these bytes.
    Enveloping(Vec<u8>),
}

impl Options {
    /// A detached baseline signature without policy.
    #[must_use]
    pub const fn new(signing_time: Timestamp) -> Self {
        Self { signing_time, policy: None, placement: Placement::Detached }
    }

    const fn attributes(&self) -> PlanOptions {
        PlanOptions { signing_time: Some(self.signing_time), policy: self.policy }
    }

    fn check_policy(&self, signer: &Certificate) -> Result<(), CadesError> {
        let Some(policy) = self.policy else { return Ok(()) };
        let algorithm = signer.public_key().map_err(CmsError::Key)?.signature_algorithm();
        Ok(policy.check_applicable(Family::Cades, algorithm, self.signing_time)?)
    }
}

/// Plans a signature over a document with this digest, whose algorithm is that of
/// [`content_digest_algorithm`].
///
/// One shape serves ETSI's baseline profile and ICP-Brasil's AD-RB.
///
/// # Errors
/// `key_unsupported`, `certificate_malformed`; `policy_not_applicable` when the policy is not for CAdES, not in
/// force, or does not allow the key; `digest_mismatch` when enveloped content has another digest; `internal`
/// when the digest has another algorithm.
pub fn prepare(
    content_digest: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    options: &Options,
) -> Result<CmsPlan, CadesError> {
    options.check_policy(signer)?;
    let target = match &options.placement {
        Placement::Detached => Target::Detached,
        Placement::Enveloping(content) => {
            if Digest::of(content_digest.algorithm(), content) != *content_digest {
                return Err(CadesError::Digest);
            }
            Target::Enveloping(content.clone())
        }
    };
    Ok(plan_for(target, content_digest, signer, chain, options.attributes())?)
}

/// Plans one more signature beside those of `cms`, over the same content: a co-signature.
///
/// `content_digest` is of the content, with the algorithm of [`content_digest_algorithm`], whether the content
/// is inside or not. [`CmsPlan::assemble`] appends the SignerInfo, so the positions of the others stay.
///
/// # Errors
/// As [`prepare`]; `cms_malformed`; `digest_mismatch` when the content inside, or the digest that another signer
/// signed, is another one; `signature_not_extendable` when an archive time stamp covers the set of certificates
/// and a new one would have to go in.
pub fn co_sign(
    cms: &[u8],
    content_digest: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    options: &Options,
) -> Result<CmsPlan, CadesError> {
    options.check_policy(signer)?;
    let signed = SignedData::parse(cms)?;
    if signed.signers().is_empty() {
        return Err(CmsError::NotExtendable("there is no signature to stand beside").into());
    }
    if signed.content_type() != oid::DATA.as_bytes() {
        return Err(CmsError::NotExtendable("the content is not id-data").into());
    }
    if signed
        .content()
        .is_some_and(|content| Digest::of(content_digest.algorithm(), content) != *content_digest)
    {
        return Err(CadesError::Digest);
    }
    let same_algorithm = |kind: &[u8]| content_digest.algorithm().oid().as_bytes() == kind;
    for other in signed.signers().iter().filter(|other| same_algorithm(other.digest_algorithm())) {
        let attributes = other.signed_attributes.as_deref().map(SignedAttributes::parse).transpose()?;
        let stated = attributes.as_ref().and_then(SignedAttributes::message_digest);
        if stated.is_some_and(|stated| stated != content_digest.as_bytes()) {
            return Err(CadesError::Digest);
        }
    }
    check_certificates_may_grow(cms, signer, chain)?;
    Ok(plan_for(Target::CoSignature(cms.to_vec()), content_digest, signer, chain, options.attributes())?)
}

/// Plans a signature over the signature value of the signer at `position`: a counter-signature (RFC 5652 §11.4).
///
/// # Errors
/// As [`prepare`]; `cms_malformed`; `policy_not_applicable` when a policy is given, since a counter-signature may
/// declare none; `signature_not_extendable` when there is no such signer or an archive time stamp was made
/// already (DOC-ICP-15.03).
pub fn counter_sign(
    cms: &[u8],
    position: usize,
    signer: &Certificate,
    chain: &[Certificate],
    options: &Options,
) -> Result<CmsPlan, CadesError> {
    if let Some(policy) = options.policy {
        return Err(PolicyNotApplicable(format!("{policy} in a counter-signature")).into());
    }
    let parts = Parts::read(cms)?;
    let countersigned = parts.signer(position)?;
    let archives = [oid::ARCHIVE_TIME_STAMP_V1, oid::ARCHIVE_TIME_STAMP_V2, oid::ARCHIVE_TIME_STAMP_V3];
    if archives.into_iter().any(|archive| countersigned.has(archive)) {
        let why = "no counter-signature may follow an archive time stamp";
        return Err(CmsError::NotExtendable(why).into());
    }
    check_certificates_may_grow(cms, signer, chain)?;
    let digest = Digest::of(content_digest_algorithm(signer)?, &countersigned.value);
    let target = Target::CounterSignature { cms: cms.to_vec(), signer: position };
    Ok(plan_for(target, &digest, signer, chain, options.attributes())?)
}

/// An archive time stamp of the second version covers the set of certificates as a whole.
fn check_certificates_may_grow(
    cms: &[u8],
    signer: &Certificate,
    chain: &[Certificate],
) -> Result<(), CadesError> {
    let mut parts = Parts::read(cms)?;
    let frozen = parts.any_signer_has(oid::ARCHIVE_TIME_STAMP_V2);
    if frozen
        && core::iter::once(signer).chain(chain).any(|certificate| parts.add_certificate(certificate.der()))
    {
        let why = "an archive time stamp covers the certificates, and others would have to be added";
        return Err(CmsError::NotExtendable(why).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
