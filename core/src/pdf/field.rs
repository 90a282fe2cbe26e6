//! Form fields (ISO 32000-2 §12.7.4): the tree below `/AcroForm /Fields`.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Dictionary, Document, Object, PdfError, Reference};

/// Fields of one form that are looked at.
const MAX_FIELDS: usize = 20_000;
/// Levels of the field tree.
const MAX_LEVELS: usize = 32;
/// Memory that the fields of one form may take, in bytes: names, entries, values.
const MAX_FORM_BYTES: usize = 24 << 20;

/// A signature field that holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignatureField {
    /// Fully qualified name: the partial names joined by full stops.
    pub(crate) name: String,
    /// The field's own object; `None` when it is written inside its parent.
    pub(crate) reference: Option<Reference>,
    /// The value as written: a reference in every usual file, perhaps a dictionary, perhaps nonsense.
    pub(crate) value: Object,
}

/// A node of the field tree: a field, or a widget of the field above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormField {
    /// Fully qualified name: the partial names joined by full stops. A widget has the one of its field.
    pub(crate) name: String,
    /// Its own object; `None` when it is written inside its parent.
    pub(crate) reference: Option<Reference>,
    /// Its entries, without what it inherits.
    pub(crate) dictionary: Dictionary,
    /// Whether `/FT`, its own or inherited, is `/Sig`.
    pub(crate) is_signature: bool,
    /// `/V` as written, its own or inherited.
    pub(crate) value: Option<Object>,
    /// Whether it is only a widget: below a field and without a partial name.
    pub(crate) is_widget: bool,
}

/// What a field passes on to its kids.
#[derive(Debug, Default)]
struct Inherited {
    name: String,
    is_signature: bool,
    value: Option<Object>,
    level: usize,
}

/// Every signature field with a value, in the order of the form. An empty field has no `/V` and is not
/// listed.
pub(crate) fn signature_fields(document: &Document<'_>) -> Result<Vec<SignatureField>, PdfError> {
    let signed = |field: FormField| {
        let holds_value = field.dictionary.raw(b"V").is_some() || field.dictionary.raw(b"FT").is_some();
        let value = field.value.filter(|_| holds_value && field.is_signature)?;
        Some(SignatureField { name: field.name, reference: field.reference, value })
    };
    Ok(form_fields(document)?.into_iter().filter_map(signed).collect())
}

/// Every node of the form, parents before their kids, in the order of the form.
pub(crate) fn form_fields(document: &Document<'_>) -> Result<Vec<FormField>, PdfError> {
    let (_, catalog) = document.catalog()?;
    let Some(form) = document.dictionary(&catalog, b"AcroForm")? else { return Ok(Vec::new()) };
    let mut ahead: Vec<(Object, Rc<Inherited>)> = Vec::new();
    push_all(&mut ahead, document.value(&form, b"Fields")?, &Rc::default())?;
    let mut weight = 0;
    let mut seen = BTreeSet::new();
    let mut visited = 0;
    let mut found = Vec::new();
    while let Some((object, inherited)) = ahead.pop() {
        visited += 1;
        if visited > MAX_FIELDS {
            return Err(PdfError::limit("fields in a form", MAX_FIELDS as u64));
        }
        if inherited.level > MAX_LEVELS {
            return Err(PdfError::limit("levels of fields in a form", MAX_LEVELS as u64));
        }
        let reference = object.as_reference();
        if reference.is_some_and(|reference| !seen.insert(reference)) {
            return Err(PdfError::damaged(0, "a form field occurs twice"));
        }
        let Object::Dictionary(field) = document.resolve(&object)? else { continue };
        let own = Rc::new(inherited.overlaid(document, &field)?);
        // What is inherited is held again by every kid.
        weight += 2 * own.name.len() + field.weight() + 2 * own.value.as_ref().map_or(0, Object::weight);
        if weight > MAX_FORM_BYTES {
            return Err(PdfError::limit("bytes of fields in a form", MAX_FORM_BYTES as u64));
        }
        push_all(&mut ahead, document.value(&field, b"Kids")?, &own)?;
        found.push(FormField {
            name: own.name.clone(),
            reference,
            is_signature: own.is_signature,
            value: own.value.clone(),
            is_widget: inherited.level > 0 && field.get(b"T").is_none(),
            dictionary: field,
        });
    }
    Ok(found)
}

/// Puts the elements so that the first one is visited first.
fn push_all(
    ahead: &mut Vec<(Object, Rc<Inherited>)>,
    array: Option<Object>,
    inherited: &Rc<Inherited>,
) -> Result<(), PdfError> {
    let Some(Object::Array(items)) = array else { return Ok(()) };
    if ahead.len() + items.len() > MAX_FIELDS {
        return Err(PdfError::limit("fields in a form", MAX_FIELDS as u64));
    }
    ahead.extend(items.into_iter().rev().map(|item| (item, Rc::clone(inherited))));
    Ok(())
}

impl Inherited {
    fn overlaid(&self, document: &Document<'_>, field: &Dictionary) -> Result<Self, PdfError> {
        let name = match document.value(field, b"T")? {
            Some(Object::String(partial)) if self.name.is_empty() => text_string(&partial),
            Some(Object::String(partial)) => format!("{}.{}", self.name, text_string(&partial)),
            _ => self.name.clone(),
        };
        let is_signature = match document.value(field, b"FT")? {
            Some(field_type) => field_type.as_name() == Some(b"Sig"),
            None => self.is_signature,
        };
        let value = field.raw(b"V").or(self.value.as_ref()).cloned();
        Ok(Self { name, is_signature, value, level: self.level + 1 })
    }
}

/// Text of a PDF text string (ISO 32000-2 §7.9.2.2): UTF-16BE or UTF-8 with a mark, else one byte per
/// character.
///
/// PDFDocEncoding is read as Latin-1: the difference lies in typographic signs, which only a display would
/// show.
pub(crate) fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => {
            let units: Vec<u16> = rest
                .chunks(2)
                .map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
                .collect();
            String::from_utf16_lossy(&units)
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Bytes of a PDF text string: ASCII as it is, anything else in UTF-16BE with its mark, which every version
/// of PDF knows.
pub(crate) fn write_text_string(text: &str) -> Vec<u8> {
    if text.is_ascii() {
        return text.as_bytes().to_vec();
    }
    let units = text.encode_utf16().flat_map(u16::to_be_bytes);
    [0xfe, 0xff].into_iter().chain(units).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_are_read_in_each_encoding() {
        assert_eq!(text_string(b"Signature1"), "Signature1");
        assert_eq!(text_string(b"\xfe\xff\0A\0\xe7"), "Aç");
        assert_eq!(text_string(b"\xef\xbb\xbfA\xc3\xa7"), "Aç");
        assert_eq!(text_string(b"A\xe7"), "Aç");
    }

    #[test]
    fn written_text_is_read_back() {
        for text in ["", "Signature1", "Assinatura de João", "\u{1f58b}"] {
            assert_eq!(text_string(&write_text_string(text)), text);
        }
    }
}
