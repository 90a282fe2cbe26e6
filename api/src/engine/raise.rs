//! Raises a signature above level b: time stamps, evidence, archive time stamps.
//!
//! Asks authorities and waits for them, so it runs on a thread that may wait. Everything here can be done again: the value
//! of the key is kept, and what an interrupted attempt got is got anew.

mod evidence;

use rubrica_core::cades;
use rubrica_core::cms::SignedData;
use rubrica_core::digest::{Digest, DigestAlgorithm};
use rubrica_core::pades::{self, TimeStampOptions, ValidationData};
use rubrica_core::tsp::TimeStampToken;
use rubrica_core::validation::{Content, Context, ValidationError, validate_pdf};
use rubrica_core::wire::{SignatureLevel, SignaturePolicy};
use rubrica_core::x509::{Certificate, TrustAnchors};

use super::artefact::{Followed, Sealed, SigningFailure, check_cms, check_pdf};
use super::plan::{Plan, Shape};
use super::target::Target;
use crate::app::App;
use crate::fetch::{Fetcher, StampError, TimeStamps};
use crate::input::Input;
use crate::objects::sha256;
use crate::ports::Clock;
use evidence::{Gathered, gather};

/// Digest of what is stamped: the one that every authority of ICP-Brasil takes.
const IMPRINT: DigestAlgorithm = DigestAlgorithm::Sha256;

/// Whom to ask and whom to trust.
#[derive(Debug)]
pub(crate) struct Means<'a> {
    /// Roots of signers and of time-stamping authorities.
    pub(crate) anchors: TrustAnchors,
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) fetcher: Option<&'a Fetcher>,
    pub(crate) time_stamps: Option<&'a TimeStamps>,
    pub(crate) clock: &'a dyn Clock,
}

impl<'a> Means<'a> {
    /// Those of an instance.
    pub(crate) fn of(app: &'a App) -> Self {
        Self {
            anchors: app.trust.anchors(),
            intermediates: app.trust.intermediates(),
            fetcher: app.fetcher.as_ref(),
            time_stamps: app.time_stamps.as_ref(),
            clock: &*app.clock,
        }
    }

    fn stamp(&self, imprint: Digest) -> Result<TimeStampToken, SigningFailure> {
        let authority = self.time_stamps.ok_or(SigningFailure::NoAuthority)?;
        Ok(authority.stamp(imprint, self.clock)?)
    }

    /// What the finished signature is checked with. Whether its signer is trusted was decided before the key was used, and
    /// whether something was revoked while evidence was gathered.
    fn context(&self, signer: &Certificate) -> Context {
        let mut anchors = self.anchors.certificates().to_vec();
        anchors.push(signer.clone());
        Context::new(TrustAnchors::new(anchors), self.clock.now())
            .with_time_stamp_anchors(self.anchors.clone())
            .with_intermediates(self.intermediates.clone())
            .without_revocation()
    }
}

/// Whether a certificate was revoked, or one above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RevocationAnswer {
    /// Neither it nor one above it.
    Good,
    /// Its authority says so.
    Revoked,
    /// Nobody could tell; the text says why.
    Unknown(String),
}

/// Asks the authorities, as far as the cache does not know. Blocks.
pub(crate) fn ask_revocation(means: &Means<'_>, certificate: &Certificate) -> RevocationAnswer {
    match gather(means, std::slice::from_ref(certificate), &[], None) {
        Ok(_) => RevocationAnswer::Good,
        Err(SigningFailure::Revoked { .. }) => RevocationAnswer::Revoked,
        Err(error) => RevocationAnswer::Unknown(error.to_string()),
    }
}

/// Verifies the value, raises the signature to its level and validates the result.
///
/// For PAdES `document` becomes the signed file, with all revisions that were added.
pub(crate) fn seal(
    means: &Means<'_>,
    plan: &Plan,
    shape: &Shape,
    document: &mut Input,
    value: &[u8],
    target: Target,
) -> Result<Sealed, SigningFailure> {
    let signature = plan.assemble(value)?;
    let position = SignedData::parse(&signature)?.signers().len().saturating_sub(1);
    let signature = stamp_signature(means, signature, position)?;
    match plan {
        Plan::Composed(_) => Err(SigningFailure::MadeElsewhere),
        Plan::Cades(_) => {
            let cms = raise_cades(means, plan.signer(), signature, position, document, target)?;
            check_cms(&cms, shape, document, &means.context(plan.signer()))?;
            Ok(Sealed { size_bytes: cms.len() as u64, sha256: sha256(&cms), tail: cms })
        }
        Plan::Pades(plan) => {
            let mut tail = plan.embed_cms(&signature)?;
            document.append(&tail)?;
            tail.extend(raise_pades(means, plan.cms().signer(), &signature, document, target)?);
            let followed = if target.needs_evidence() { Followed::ByProofs } else { Followed::Never };
            check_pdf(document, &means.context(plan.cms().signer()), followed)?;
            Ok(Sealed { size_bytes: document.size_bytes(), sha256: document.sha256()?, tail })
        }
    }
}

/// Level t.
fn stamp_signature(means: &Means<'_>, cms: Vec<u8>, position: usize) -> Result<Vec<u8>, SigningFailure> {
    let token = means.stamp(cades::signature_time_stamp_imprint(&cms, position, IMPRINT)?)?;
    Ok(cades::add_signature_time_stamp(&cms, position, &token)?)
}

/// Signer and time-stamping authorities of a signature, with their paths, the signer's first, and the evidence.
fn gather_for(
    means: &Means<'_>,
    signer: &Certificate,
    cms: &[u8],
    position: usize,
    content: Content<'_>,
) -> Result<Gathered, SigningFailure> {
    let signed = SignedData::parse(cms)?;
    let mut candidates = signed.certificates().to_vec();
    let mut leaves = vec![signer.clone()];
    let mut since = None;
    for stamp in cades::stamps(cms, position, content)? {
        let token = stamp.token.map_err(StampError::Answer)?;
        leaves.push(token.verify(&candidates).map_err(StampError::Answer)?);
        candidates.extend_from_slice(token.signed_data().certificates());
        since = since.max(Some(token.time()));
    }
    gather(means, &leaves, &candidates, since)
}

/// A CMS with its signature time stamp: the evidence, and the time stamps over it, of ETSI or of ICP-Brasil.
fn raise_cades(
    means: &Means<'_>,
    signer: &Certificate,
    mut cms: Vec<u8>,
    position: usize,
    document: &Input,
    target: Target,
) -> Result<Vec<u8>, SigningFailure> {
    if !target.needs_evidence() {
        return Ok(cms);
    }
    let content = content(&cms, document)?;
    let Gathered { evidence, paths } = gather_for(means, signer, &cms, position, content)?;
    let long_term = [SignaturePolicy::AdRv, SignaturePolicy::AdRc, SignaturePolicy::AdRa];
    if !long_term.contains(&target.policy) {
        cms = cades::add_validation_data(&cms, position, &evidence)?;
        if target.level == SignatureLevel::Lta {
            let imprint = cades::archive_time_stamp_v3_imprint(&cms, position, content, IMPRINT)?;
            cms = cades::add_archive_time_stamp_v3(&cms, position, content, &means.stamp(imprint)?)?;
        }
        return Ok(cms);
    }
    let path = paths.first().map_or(&[][..], Vec::as_slice);
    cms = cades::add_references(&cms, position, path, &evidence)?;
    let imprint = cades::esc_time_stamp_imprint(&cms, position, IMPRINT)?;
    cms = cades::add_esc_time_stamp(&cms, position, &means.stamp(imprint)?)?;
    if target.policy != SignaturePolicy::AdRv {
        cms = cades::add_values(&cms, position, &evidence)?;
    }
    if target.policy == SignaturePolicy::AdRa {
        let imprint = cades::archive_time_stamp_v2_imprint(&cms, position, content, IMPRINT)?;
        cms = cades::add_archive_time_stamp_v2(&cms, position, content, &means.stamp(imprint)?)?;
    }
    Ok(cms)
}

fn content<'a>(cms: &[u8], document: &'a Input) -> Result<Content<'a>, SigningFailure> {
    if SignedData::parse(cms)?.content().is_some() {
        return Ok(Content::Inside);
    }
    Ok(document.in_memory().map_or_else(|| Content::File(document.file()), Content::Bytes))
}

/// A PDF with its stamped signature: the validation data and the document time stamp over them. Gives what was appended.
fn raise_pades(
    means: &Means<'_>,
    signer: &Certificate,
    cms: &[u8],
    document: &mut Input,
    target: Target,
) -> Result<Vec<u8>, SigningFailure> {
    let mut tail = Vec::new();
    if !target.needs_evidence() {
        return Ok(tail);
    }
    // What is stamped is inside, so that no content is asked for.
    let Gathered { evidence, .. } = gather_for(means, signer, cms, 0, Content::Inside)?;
    let report = validate_pdf(document.file(), &means.context(signer))?;
    let field = report.signatures.last().and_then(|signature| signature.field.as_deref());
    let field = field.ok_or(ValidationError::NotSigned)?;
    let mut data = ValidationData::default();
    data.certificates = evidence.certificates.iter().map(|certificate| certificate.der().to_vec()).collect();
    data.crls = evidence.crls.iter().map(|list| list.der().to_vec()).collect();
    data.ocsp_responses = evidence.ocsp_responses.iter().map(|answer| answer.der().to_vec()).collect();
    let store = pades::add_validation_data(document.file(), &[(field, &data)], means.clock.now())?;
    document.append(&store)?;
    tail.extend(store);
    if target.level == SignatureLevel::Lta {
        let plan = pades::prepare_time_stamp(document.file(), &TimeStampOptions::default())?;
        let stamp = plan.embed(means.stamp(*plan.imprint())?.der())?;
        document.append(&stamp)?;
        tail.extend(stamp);
    }
    Ok(tail)
}
