//! Puts a signature field into the form, its page and the catalogue.

use super::PadesError;
use super::field::ExistingField;
use super::revision::Draft;
use crate::pdf::{Dictionary, Document, Object, PdfError, Reference, write_text_string};

/// `/SigFlags`: 1 = signatures exist, 2 = append only (ISO 32000-2 §12.7.3, table 225).
const SIGNATURES_EXIST_AND_APPEND_ONLY: i64 = 3;
/// `/F` of the widget: 4 = print, 128 = locked (ISO 32000-2 §12.5.3).
const PRINT_AND_LOCKED: i64 = 132;

/// Refuses a form that we do not sign although it can be read.
pub(super) fn check_form(document: &Document<'_>, catalog: &Dictionary) -> Result<(), PadesError> {
    if let Some(form) = document.dictionary(catalog, b"AcroForm")?
        && form.get(b"XFA").is_some()
    {
        return Err(PdfError::unsupported("an XFA form").into());
    }
    Ok(())
}

/// Where the widget of a new field stands.
#[derive(Debug)]
pub(super) struct Widget {
    pub(super) page: Reference,
    pub(super) page_dictionary: Dictionary,
    /// `/Rect`, in default user space.
    pub(super) rectangle: Object,
    /// The normal appearance.
    pub(super) appearance: Option<Reference>,
}

impl Widget {
    /// On the first page and without area.
    pub(super) fn invisible(document: &Document<'_>, catalog: &Dictionary) -> Result<Self, PdfError> {
        let (page, page_dictionary) = document.first_page(catalog)?;
        let rectangle = Object::Array(vec![Object::Integer(0); 4]);
        Ok(Self { page, page_dictionary, rectangle, appearance: None })
    }
}

/// Adds a signature field with the value `signature`.
pub(super) fn add_field(
    draft: &mut Draft<'_, '_>,
    name: &str,
    widget: Widget,
    signature: Reference,
) -> Result<(), PdfError> {
    let field = draft.update.allocate();
    let mut dictionary = Dictionary::new()
        .with(b"Type", Object::name(b"Annot"))
        .with(b"Subtype", Object::name(b"Widget"))
        .with(b"FT", Object::name(b"Sig"))
        .with(b"T", Object::String(write_text_string(name)))
        .with(b"F", Object::Integer(PRINT_AND_LOCKED))
        .with(b"Rect", widget.rectangle)
        .with(b"P", widget.page)
        .with(b"V", signature);
    if let Some(appearance) = widget.appearance {
        dictionary.set(b"AP", Dictionary::new().with(b"N", appearance));
    }
    draft.update.put(field, &dictionary.into());
    let mut page = widget.page_dictionary;
    if let Some(annotations) = draft.append_to(page.get(b"Annots"), field)? {
        page.set(b"Annots", annotations);
        draft.update.put(widget.page, &page.into());
    }
    add_to_form(draft, Some(field))
}

/// Gives an existing field its value, and its widget the normal appearance.
pub(super) fn fill_field(
    draft: &mut Draft<'_, '_>,
    field: ExistingField,
    appearance: Option<Reference>,
    signature: Reference,
) -> Result<(), PdfError> {
    let ExistingField { reference, mut dictionary, widget, .. } = field;
    dictionary.set(b"V", signature);
    if let (Some((at, mut widget)), Some(appearance)) = (widget, appearance) {
        let shown = if at == reference { &mut dictionary } else { &mut widget };
        shown.set(b"AP", Dictionary::new().with(b"N", appearance));
        if at != reference {
            draft.update.put(at, &widget.into());
        }
    }
    draft.update.put(reference, &dictionary.into());
    add_to_form(draft, None)
}

/// Adds the field to `/AcroForm /Fields` and says in the form that there are signatures.
fn add_to_form(draft: &mut Draft<'_, '_>, field: Option<Reference>) -> Result<(), PdfError> {
    let existing = draft.document.dictionary(&draft.catalog, b"AcroForm")?;
    let is_new = existing.is_none();
    let mut form = existing.unwrap_or_default();
    let before = form.clone();
    if let Some(field) = field
        && let Some(fields) = draft.append_to(form.get(b"Fields"), field)?
    {
        form.set(b"Fields", fields);
    }
    let flags = draft.document.value(&form, b"SigFlags")?.as_ref().and_then(Object::as_integer).unwrap_or(0);
    if flags & SIGNATURES_EXIST_AND_APPEND_ONLY != SIGNATURES_EXIST_AND_APPEND_ONLY {
        form.set(b"SigFlags", Object::Integer(flags | SIGNATURES_EXIST_AND_APPEND_ONLY));
    }
    if is_new {
        // An object of its own, so that the next signature leaves the catalogue alone.
        let reference = draft.update.allocate();
        draft.update.put(reference, &form.into());
        draft.catalog.set(b"AcroForm", reference);
    } else if form != before {
        draft.set_in_catalog(b"AcroForm", form);
    }
    Ok(())
}

/// Names the certification signature in the catalogue (ISO 32000-2 §12.8.6).
pub(super) fn add_certification(draft: &mut Draft<'_, '_>, signature: Reference) -> Result<(), PdfError> {
    let permissions = draft.document.dictionary(&draft.catalog, b"Perms")?.unwrap_or_default();
    draft.set_in_catalog(b"Perms", permissions.with(b"DocMDP", signature));
    Ok(())
}

/// Declares the ETSI extension in a PDF 1.7 that declares no signature extension (as EU DSS does, with ETSI's
/// own prefix).
pub(super) fn add_extension(draft: &mut Draft<'_, '_>) -> Result<(), PdfError> {
    if draft.document.version(&draft.catalog) != (1, 7) {
        return Ok(());
    }
    let extensions = draft.document.dictionary(&draft.catalog, b"Extensions")?.unwrap_or_default();
    if extensions.get(b"ESIC").is_some() || extensions.get(b"ADBE").is_some() {
        return Ok(());
    }
    let etsi = Dictionary::new()
        .with(b"BaseVersion", Object::name(b"1.7"))
        .with(b"ExtensionLevel", Object::Integer(2));
    draft.set_in_catalog(b"Extensions", extensions.with(b"ESIC", etsi));
    Ok(())
}
