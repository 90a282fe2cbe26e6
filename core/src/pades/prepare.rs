//! First step: the revision with an empty place for the signature, and what has to be signed.

use super::dictionary::{SignatureBody, signature_entries};
use super::field::{Target, choose};
use super::form::{Widget, add_certification, add_extension, add_field, check_form, fill_field};
use super::permissions::{Permissions, signature_references};
use super::plan::PdfPlan;
use super::revision::Draft;
use super::{Certification, Options, PadesError, appearance, inspect};
use crate::cms::{self, CmsError, CmsPlan, PlanOptions};
use crate::digest::{Digest, DigestAlgorithm};
use crate::icp_brasil::signature_policy::Family;
use crate::pdf::{Document, File, PdfError, form_fields};
use crate::x509::Certificate;

/// The least space for the CMS, in bytes: enough for one certificate and an RSA-4096 value.
const MIN_SLOT_BYTES: usize = 4096;

/// Builds the revision and the attributes to be signed.
///
/// The result depends on the arguments only: the same call gives the same bytes. `chain` holds the
/// certificates between signer and root, in any order; all of them go into the file. Allocates the revision
/// (about twice the certificates, in hexadecimal, and the page and form objects that change), whatever the
/// size of `pdf`.
///
/// # Errors
/// `not_a_pdf`, `pdf_damaged`, `pdf_encrypted`, `pdf_unsupported` and `pdf_signing_forbidden` for the
/// document; `signature_field_not_found` and `signature_field_unusable` for the field;
/// `appearance_invalid`; `policy_not_applicable`; `invalid_request` for texts; the codes of [`CmsError`] for the certificate.
pub fn prepare<'a>(
    pdf: impl Into<File<'a>>,
    signer: &Certificate,
    chain: &[Certificate],
    options: &Options,
) -> Result<PdfPlan, PadesError> {
    let document = Document::open(pdf)?;
    check_policy(signer, options)?;
    let algorithm = digest_algorithm(signer)?;
    // Only the length of the CMS is wanted, and no digest changes it.
    let size = plan_cms(&Digest::of(algorithm, b""), signer, chain, options)?.assembled_size_limit_bytes();
    let mut draft = Draft::new(&document, options.signing_time.to_string().as_bytes())?;
    check_form(&document, &draft.catalog)?;
    inspect::check(&document, options.refusals)?;
    let fields = form_fields(&document)?;
    let permissions = Permissions::read(&document, &draft.catalog, &fields)?;
    if options.certify.is_some() && permissions.is_signed {
        return Err(PadesError::SigningForbidden("a certification must be the first signature"));
    }
    let target = choose(&document, &fields, &permissions, signer, chain, options)?;

    check_password_permissions(&document, &target)?;

    let signature = draft.update.allocate();
    let lock = match &target {
        Target::Existing(field) => field.lock.as_ref(),
        Target::New { .. } => None,
    };
    let certify = options.certify.map(Certification::permission);
    let references = signature_references(&document, certify, lock)?;
    let slot_bytes = size.max(MIN_SLOT_BYTES) + options.time_stamp_reserve;
    // Contents, which stays clear in an encrypted file, is added behind.
    let entries = draft.update.encrypted_dictionary(signature, signature_entries(options, references)?);
    let body = SignatureBody::new(&entries, slot_bytes);
    match target {
        Target::New { name } => {
            let widget = match &options.appearance {
                None => Widget::invisible(&document, &draft.catalog)?,
                Some(appearance) => appearance::new_widget(&mut draft, appearance)?,
            };
            add_field(&mut draft, &name, widget, signature)?;
        }
        Target::Existing(field) => {
            let drawn = appearance::for_field(&mut draft, &field, options.appearance.as_ref())?;
            fill_field(&mut draft, field, drawn, signature)?;
        }
    }
    if options.certify.is_some() {
        add_certification(&mut draft, signature)?;
    }
    add_extension(&mut draft)?;

    let sealed = draft.seal(signature, &body, algorithm)?;
    let cms = plan_cms(&sealed.signed_digest, signer, chain, options)?;
    Ok(PdfPlan::new(sealed, cms))
}

/// A policy has to be of the PAdES family and in force, and goes without a stated reason (EN 319 142-1 §6.3).
fn check_policy(signer: &Certificate, options: &Options) -> Result<(), PadesError> {
    let Some(policy) = options.policy else { return Ok(()) };
    let algorithm = signer.public_key().map_err(CmsError::from)?.signature_algorithm();
    policy.check_applicable(Family::Pades, algorithm, options.signing_time)?;
    if options.reason.is_some() {
        return Err(PadesError::ReasonBesidePolicy);
    }
    Ok(())
}

/// What an encrypted document allows to those who know the user password only.
fn check_password_permissions(document: &Document<'_>, target: &Target) -> Result<(), PadesError> {
    let allowed = document.permissions();
    let is_allowed = match target {
        Target::New { .. } => allowed.annotate,
        Target::Existing(_) => allowed.fill_fields,
    };
    if is_allowed {
        Ok(())
    } else {
        Err(PdfError::Forbidden { what: "signing without the owner password" }.into())
    }
}

/// PAdES forbids signing-time in the attributes: `/M` has it.
fn plan_cms(
    digest: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    options: &Options,
) -> Result<CmsPlan, CmsError> {
    cms::plan(digest, signer, chain, PlanOptions { signing_time: None, policy: options.policy })
}

/// The digest that goes with the signer's key.
pub(super) fn digest_algorithm(signer: &Certificate) -> Result<DigestAlgorithm, CmsError> {
    cms::content_digest_algorithm(signer)
}
