//! Puts a signature field into the form, the first page and the catalogue.

use std::collections::BTreeSet;

use super::PadesError;
use crate::pdf::{
    Dictionary, Document, IncrementalUpdate, Object, PdfError, Reference, signature_fields, text_string,
};

/// `/SigFlags`: 1 = signatures exist, 2 = append only (ISO 32000-2 §12.7.3, table 225).
const SIGNATURES_EXIST_AND_APPEND_ONLY: i64 = 3;
/// `/F` of the widget: 4 = print, 128 = locked (ISO 32000-2 §12.5.3).
const PRINT_AND_LOCKED: i64 = 132;

/// Refuses what we do not sign although it can be read.
pub(super) fn check_signable(document: &Document<'_>, catalog: &Dictionary) -> Result<(), PadesError> {
    if let Some(form) = document.dictionary(catalog, b"AcroForm")?
        && form.get(b"XFA").is_some()
    {
        return Err(PdfError::unsupported("an XFA form").into());
    }
    if docmdp_permission(document, catalog)? == Some(1) {
        return Err(PadesError::SigningForbidden);
    }
    // Validation walks the whole form; what it could not walk must not cost a use of the key.
    signature_fields(document)?;
    Ok(())
}

/// What the certification signature allows: 1 nothing, 2 forms and signatures, 3 also annotations; `None`
/// without one.
pub(crate) fn docmdp_permission(
    document: &Document<'_>,
    catalog: &Dictionary,
) -> Result<Option<i64>, PdfError> {
    let Some(permissions) = document.dictionary(catalog, b"Perms")? else { return Ok(None) };
    let Some(certification) = document.dictionary(&permissions, b"DocMDP")? else { return Ok(None) };
    let Some(Object::Array(references)) = document.value(&certification, b"Reference")? else {
        return Ok(None);
    };
    for item in &references {
        let Object::Dictionary(reference) = document.resolve(item)? else { continue };
        if reference.has_name(b"TransformMethod", b"DocMDP") {
            let parameters = document.dictionary(&reference, b"TransformParams")?.unwrap_or_default();
            let permission = document.value(&parameters, b"P")?;
            return Ok(Some(permission.as_ref().and_then(Object::as_integer).unwrap_or(2)));
        }
    }
    Ok(None)
}

/// Adds an invisible signature field with the value `signature` to the form and to the first page.
pub(super) fn add_signature_field(
    document: &Document<'_>,
    update: &mut IncrementalUpdate<'_, '_>,
    signature: Reference,
) -> Result<(), PdfError> {
    let (root, mut catalog) = document.catalog()?;
    let (page, page_dictionary) = document.first_page(&catalog)?;
    let field = update.allocate();
    let name = unused_name(document, &catalog)?;
    let widget = Dictionary::new()
        .with(b"Type", Object::name(b"Annot"))
        .with(b"Subtype", Object::name(b"Widget"))
        .with(b"FT", Object::name(b"Sig"))
        .with(b"T", Object::String(name.into_bytes()))
        .with(b"F", Object::Integer(PRINT_AND_LOCKED))
        .with(b"Rect", Object::Array(vec![Object::Integer(0); 4]))
        .with(b"P", page)
        .with(b"V", signature);
    update.put(field, &widget.into());
    add_to_page(document, update, page, page_dictionary, field)?;
    let linked = add_to_form(document, update, &mut catalog, field)?;
    let extended = add_extension(document, update, &mut catalog)?;
    if linked || extended {
        update.put(root, &catalog.into());
    }
    Ok(())
}

/// `Signature1` or the first number after it that no sibling has.
fn unused_name(document: &Document<'_>, catalog: &Dictionary) -> Result<String, PdfError> {
    let mut taken = BTreeSet::new();
    if let Some(form) = document.dictionary(catalog, b"AcroForm")?
        && let Some(Object::Array(fields)) = document.value(&form, b"Fields")?
    {
        for item in &fields {
            if let Object::Dictionary(field) = document.resolve(item)?
                && let Some(Object::String(name)) = document.value(&field, b"T")?
            {
                taken.insert(text_string(&name));
            }
        }
    }
    let mut names = (1_u32..).map(|number| format!("Signature{number}"));
    Ok(names.find(|name| !taken.contains(name)).expect("a form has fewer fields than there are numbers"))
}

/// Adds the widget to `/Annots`, which may be missing, an array in the page, or an array of its own.
fn add_to_page(
    document: &Document<'_>,
    update: &mut IncrementalUpdate<'_, '_>,
    page: Reference,
    mut page_dictionary: Dictionary,
    widget: Reference,
) -> Result<(), PdfError> {
    match appended(document, page_dictionary.get(b"Annots"), widget)? {
        Appended::Own(reference, array) => update.put(reference, &array),
        Appended::Direct(array) => {
            page_dictionary.set(b"Annots", array);
            update.put(page, &page_dictionary.into());
        }
    }
    Ok(())
}

/// Adds the field to `/AcroForm /Fields`. Says whether the catalogue was changed for it.
fn add_to_form(
    document: &Document<'_>,
    update: &mut IncrementalUpdate<'_, '_>,
    catalog: &mut Dictionary,
    field: Reference,
) -> Result<bool, PdfError> {
    let existing = document.dictionary(catalog, b"AcroForm")?;
    let is_new = existing.is_none();
    let mut form = existing.unwrap_or_default();
    let mut changed = false;
    match appended(document, form.get(b"Fields"), field)? {
        Appended::Own(reference, array) => update.put(reference, &array),
        Appended::Direct(array) => {
            form.set(b"Fields", array);
            changed = true;
        }
    }
    let flags = document.value(&form, b"SigFlags")?.as_ref().and_then(Object::as_integer).unwrap_or(0);
    if flags & SIGNATURES_EXIST_AND_APPEND_ONLY != SIGNATURES_EXIST_AND_APPEND_ONLY {
        form.set(b"SigFlags", Object::Integer(flags | SIGNATURES_EXIST_AND_APPEND_ONLY));
        changed = true;
    }
    if !changed {
        return Ok(false);
    }
    match catalog.get(b"AcroForm").and_then(Object::as_reference).filter(|_| !is_new) {
        Some(reference) => {
            update.put(reference, &form.into());
            Ok(false)
        }
        None if is_new => {
            // An object of its own, so that the next signature leaves the catalogue alone.
            let reference = update.allocate();
            update.put(reference, &form.into());
            catalog.set(b"AcroForm", reference);
            Ok(true)
        }
        None => {
            catalog.set(b"AcroForm", form);
            Ok(true)
        }
    }
}

/// Declares the ETSI extension in a PDF 1.7 that declares no signature extension (as EU DSS does, with ETSI's
/// own prefix). Says whether the catalogue was changed for it.
fn add_extension(
    document: &Document<'_>,
    update: &mut IncrementalUpdate<'_, '_>,
    catalog: &mut Dictionary,
) -> Result<bool, PdfError> {
    if document.version(catalog) != (1, 7) {
        return Ok(false);
    }
    let mut extensions = document.dictionary(catalog, b"Extensions")?.unwrap_or_default();
    if extensions.get(b"ESIC").is_some() || extensions.get(b"ADBE").is_some() {
        return Ok(false);
    }
    let etsi = Dictionary::new()
        .with(b"BaseVersion", Object::name(b"1.7"))
        .with(b"ExtensionLevel", Object::Integer(2));
    extensions.set(b"ESIC", etsi);
    match catalog.get(b"Extensions").and_then(Object::as_reference) {
        Some(reference) => {
            update.put(reference, &extensions.into());
            Ok(false)
        }
        None => {
            catalog.set(b"Extensions", extensions);
            Ok(true)
        }
    }
}

/// An array with one more element, and where it has to be written.
enum Appended {
    /// In the dictionary that it came from.
    Direct(Object),
    /// As the object of that reference.
    Own(Reference, Object),
}

fn appended(document: &Document<'_>, array: Option<&Object>, item: Reference) -> Result<Appended, PdfError> {
    let resolved = array.map_or(Ok(Object::Null), |array| document.resolve(array))?;
    if resolved == Object::Null {
        return Ok(Appended::Direct(Object::Array(vec![item.into()])));
    }
    let Object::Array(mut items) = resolved else {
        return Err(PdfError::damaged(0, "Annots or Fields is not an array"));
    };
    items.push(item.into());
    let array_object = Object::Array(items);
    Ok(match array.and_then(Object::as_reference) {
        Some(reference) => Appended::Own(reference, array_object),
        None => Appended::Direct(array_object),
    })
}
