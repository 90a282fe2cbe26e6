//! What was asked for beside level and policy, in the words of core.

use base64ct::{Base64, Encoding};
use rubrica_core::Timestamp;
use rubrica_core::pades::{
    Appearance, Certification, FieldChoice, Options, PadesError, Placement, Rectangle, SubFilter,
    TIME_STAMP_RESERVE_BYTES, signature_lines,
};
use rubrica_core::wire::{PdfAppearance, PdfCertification, PdfOptions, PdfSubFilter};
use rubrica_core::x509::Certificate;

use super::target::Target;

/// The options for core.
///
/// # Errors
/// `appearance_invalid` for an image that is no base64.
pub(super) fn options(
    wanted: &PdfOptions,
    target: Target,
    signer: &Certificate,
    signing_time: Timestamp,
) -> Result<Options, PadesError> {
    let mut options = Options::new(signing_time);
    options.field = match &wanted.field {
        Some(name) => FieldChoice::Existing(name.clone()),
        None => FieldChoice::New { name: wanted.new_field.clone() },
    };
    options.certify = wanted.certification.map(|certification| match certification {
        PdfCertification::NoChanges => Certification::NoChanges,
        PdfCertification::FormFilling => Certification::FormFilling,
        PdfCertification::Annotations => Certification::Annotations,
    });
    options.sub_filter = match wanted.sub_filter {
        None | Some(PdfSubFilter::Etsi) => SubFilter::Etsi,
        Some(PdfSubFilter::Pbad) => SubFilter::Pbad,
    };
    options.policy = target.declared();
    options.reason.clone_from(&wanted.reason);
    options.location.clone_from(&wanted.location);
    if target.needs_time_stamp() {
        options.time_stamp_reserve = TIME_STAMP_RESERVE_BYTES;
    }
    if let Some(shown) = &wanted.appearance {
        options.appearance = Some(appearance(shown, wanted, signer, signing_time)?);
    }
    Ok(options)
}

fn appearance(
    shown: &PdfAppearance,
    wanted: &PdfOptions,
    signer: &Certificate,
    signing_time: Timestamp,
) -> Result<Appearance, PadesError> {
    let image = shown.image.as_deref().map(Base64::decode_vec).transpose();
    let image =
        image.map_err(|_| PadesError::AppearanceInvalid("the image is not standard base64".to_owned()))?;
    let lines = match &shown.lines {
        Some(lines) => lines.clone(),
        None => signature_lines(signer, signing_time, wanted.reason.as_deref()),
    };
    let placement = shown.placement.map(|place| Placement {
        page: place.page,
        rectangle: Rectangle {
            left: place.left,
            bottom: place.bottom,
            width: place.width,
            height: place.height,
        },
    });
    Ok(Appearance { placement, lines, image })
}
