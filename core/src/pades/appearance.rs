//! What a signature shows on a page: lines of text, a picture, or both (ISO 32000-2 §12.5.5).
//!
//! The appearance is decoration. It proves nothing, so it says who signed and when, and never that a
//! signature is valid. It is one form XObject without the layers of old Acrobat versions, on no background,
//! with an embedded font and without transparency where PDF/A-1 forbids it.

mod content;
mod font;
mod image;
mod jpeg;
mod lines;
mod metrics;
mod page;
mod png;

use super::PadesError;
use super::field::ExistingField;
use super::form::Widget;
use super::revision::Draft;
use crate::Timestamp;
use crate::icp_brasil::Identifier;
use crate::pdf::{Dictionary, Object, PdfError, Reference, text_string};
use crate::x509::Certificate;

/// Offset of Brasília from UTC, in milliseconds: three hours behind, without summer time since 2019.
const BRASILIA_MS: u64 = 3 * 60 * 60 * 1000;

/// A visible signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Appearance {
    /// Where it stands. `None` for an existing field, which has a place of its own.
    pub placement: Option<Placement>,
    /// Lines of text, in characters of Windows code page 1252 (all of Portuguese). Each is wrapped where it
    /// is too long, and all are written smaller until they fit. At most 20 lines and 1 000 characters.
    pub lines: Vec<String>,
    /// A PNG or JPEG file, shown on the left, or on the whole area when there are no lines. At most 2 MiB and
    /// 4 million pixels.
    pub image: Option<Vec<u8>>,
}

/// Page and rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Number of the page, from 1.
    pub page: u32,
    /// The rectangle on the page as a reader shows it: turned by `/Rotate`, cut to the crop box.
    pub rectangle: Rectangle,
}

/// A rectangle in points (1/72 inch), from the lower left corner of what is shown of the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Distance from the left edge.
    pub left: f64,
    /// Distance from the lower edge.
    pub bottom: f64,
    /// To the right.
    pub width: f64,
    /// Upwards.
    pub height: f64,
}

/// The usual lines, in Portuguese: who, masked CPF or CNPJ, when (time of Brasília), why.
///
/// A CPF is never shown whole (LGPD art. 6 III): `***.982.247-**`.
#[must_use]
pub fn signature_lines(signer: &Certificate, signing_time: Timestamp, reason: Option<&str>) -> Vec<String> {
    let identity = signer.identity();
    let mut lines = vec![format!("Assinado digitalmente por {}", identity.name)];
    match identity.shown_identifier() {
        Some(Identifier::Cpf(cpf)) => lines.push(format!("CPF: {}", cpf.masked())),
        Some(Identifier::Cnpj(cnpj)) => lines.push(format!("CNPJ: {cnpj}")),
        None => {}
    }
    let local = Timestamp::from_unix_ms(signing_time.unix_ms().saturating_sub(BRASILIA_MS));
    // An earlier time is always a time.
    let date = local.unwrap_or(signing_time).to_date_time();
    lines.push(format!(
        "Data: {:02}/{:02}/{:04} {:02}:{:02}:{:02}\u{a0}-03:00",
        date.day(),
        date.month(),
        date.year(),
        date.hour(),
        date.minutes(),
        date.seconds()
    ));
    lines.extend(reason.map(|reason| format!("Motivo: {reason}")));
    lines
}

pub(super) fn invalid(why: impl Into<String>) -> PadesError {
    PadesError::AppearanceInvalid(why.into())
}

/// The widget of a new visible field, with its appearance drawn.
///
/// # Errors
/// `appearance_invalid`: no such page, a rectangle that is empty or reaches beyond the page, a text or image
/// that cannot be shown.
pub(super) fn new_widget(draft: &mut Draft<'_, '_>, appearance: &Appearance) -> Result<Widget, PadesError> {
    let placement =
        appearance.placement.ok_or_else(|| invalid("a new field needs a page and a rectangle"))?;
    let page = page::find(draft.document, &draft.catalog, placement.page)?;
    let rectangle = page.to_user_space(placement.rectangle)?;
    let Rectangle { width, height, .. } = placement.rectangle;
    let form = draw(draft, appearance, width, height, page.rotation)?;
    Ok(Widget {
        page: page.reference,
        page_dictionary: page.dictionary,
        rectangle: Object::Array(rectangle.map(content::number).to_vec()),
        appearance: Some(form),
    })
}

/// The appearance for an existing field: drawn into the rectangle of its widget. A widget that has an area
/// but no appearance gets an empty one, as PDF/A and PDF 2.0 ask for.
///
/// # Errors
/// `appearance_invalid`: the field has no widget, no area, or its own place and another one was asked for.
pub(super) fn for_field(
    draft: &mut Draft<'_, '_>,
    field: &ExistingField,
    appearance: Option<&Appearance>,
) -> Result<Option<Reference>, PadesError> {
    if appearance.is_some_and(|appearance| appearance.placement.is_some()) {
        return Err(invalid("an existing field has a place of its own"));
    }
    let Some((_, widget)) = &field.widget else {
        return match appearance {
            None => Ok(None),
            Some(_) => Err(invalid("the field stands on no page")),
        };
    };
    let area = page::read_rectangle(draft.document, widget, b"Rect")?;
    let [left, bottom, right, top] = area.unwrap_or_default();
    let is_empty = right - left <= 0.0 || top - bottom <= 0.0;
    match appearance {
        None if is_empty || widget.get(b"AP").is_some() => Ok(None),
        Some(_) if is_empty => Err(invalid("the field has no area")),
        _ => {
            let rotation = page::rotation_at(draft.document, widget)?;
            let (width, height) = match rotation {
                90 | 270 => (top - bottom, right - left),
                _ => (right - left, top - bottom),
            };
            let nothing = Appearance { placement: None, lines: Vec::new(), image: None };
            draw(draft, appearance.unwrap_or(&nothing), width, height, rotation).map(Some)
        }
    }
}

/// Writes the form XObject: `width` and `height` as the reader sees them.
fn draw(
    draft: &mut Draft<'_, '_>,
    appearance: &Appearance,
    width: f64,
    height: f64,
    rotation: i64,
) -> Result<Reference, PadesError> {
    let image = appearance.image.as_deref().map(image::read).transpose()?;
    let layout = content::Layout::new(width, height, &appearance.lines, image.as_ref())?;
    let mut resources = Dictionary::new();
    if layout.has_text() {
        let font = font::write(&mut draft.update);
        resources.set(b"Font", Dictionary::new().with(content::FONT_NAME, font));
    }
    if let Some(image) = image {
        let opaque = is_pdf_a_1(draft)?;
        let reference = image.write(&mut draft.update, opaque);
        resources.set(b"XObject", Dictionary::new().with(content::IMAGE_NAME, reference));
    }
    let form = draft.update.allocate();
    let matrix = match rotation {
        90 => [0, 1, -1, 0, 0, 0],
        180 => [-1, 0, 0, -1, 0, 0],
        270 => [0, -1, 1, 0, 0, 0],
        _ => [1, 0, 0, 1, 0, 0],
    };
    let dictionary = Dictionary::new()
        .with(b"Type", Object::name(b"XObject"))
        .with(b"Subtype", Object::name(b"Form"))
        .with(b"BBox", Object::Array([0.0, 0.0, width, height].map(content::number).to_vec()))
        .with(b"Matrix", Object::Array(matrix.map(Object::Integer).to_vec()))
        .with(b"Resources", resources);
    draft.update.put_stream(form, dictionary, &layout.into_content());
    Ok(form)
}

/// Whether the metadata say PDF/A-1, which knows no transparency (ISO 19005-1 §6.4). Metadata that cannot be
/// read say nothing.
fn is_pdf_a_1(draft: &Draft<'_, '_>) -> Result<bool, PdfError> {
    let Some(reference) = draft.catalog.get(b"Metadata").and_then(Object::as_reference) else {
        return Ok(false);
    };
    let Some(object) = draft.document.object(reference)? else { return Ok(false) };
    let packet = draft.document.stream_data(&object).ok().flatten().unwrap_or_default();
    let text = text_string(&packet);
    let says_one = |rest: &str| {
        let value =
            rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | '>'));
        value.starts_with('1')
    };
    Ok(text.match_indices("pdfaid:part").any(|(at, name)| says_one(&text[at + name.len()..])))
}
