//! Builds signed files with anything in them, as an attacker who owns a key, or has the victim sign, may.

use super::{sign_range_behind, signer};
use crate::pdf::sample::{Sample, append, find};

/// Bytes reserved for the CMS.
const SLOT_BYTES: usize = 4096;

/// A contract with a form. Objects: 1 catalogue, 2 page tree, 3 page, 4 its text, 5 form, 6 text field
/// `nome` and 7 its drawing, 8 empty signature field `aprovador`, 9 a comment, 10 resources of the form, 11 a
/// hidden text field `oculto`.
pub(super) fn contract() -> Sample {
    Sample::new()
        .with(1, CATALOG)
        .with(3, &page("[6 0 R 8 0 R 9 0 R 11 0 R]"))
        .with(5, &form("[6 0 R 8 0 R 11 0 R]"))
        .with(6, &text_field("Ana", "7 0 R"))
        .with(7, &drawing("(Ana)"))
        .with(8, APPROVER)
        .with(9, "<</Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (lido)>>")
        .with(10, "<</Font <</Helv <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>>")
        .with(
            11,
            "<</Type /Annot /Subtype /Widget /FT /Tx /T (oculto) /F 2 /Rect [72 600 500 700] /P 3 0 R>>",
        )
}

pub(super) const CATALOG: &str = "<</Type /Catalog /Pages 2 0 R /AcroForm 5 0 R>>";
/// The empty signature field.
pub(super) const APPROVER: &str =
    "<</Type /Annot /Subtype /Widget /FT /Sig /T (aprovador) /F 4 /Rect [300 100 500 150] /P 3 0 R>>";

/// The page of the contract with these annotations.
pub(super) fn page(annotations: &str) -> String {
    page_with(&format!("/Annots {annotations}"))
}

pub(super) fn page_with(entries: &str) -> String {
    format!(
        "<</Type /Page /Parent 2 0 R /Contents 4 0 R /Resources <</Font <</F1 <</Type /Font /Subtype /Type1 \
         /BaseFont /Helvetica>>>>>> {entries}>>"
    )
}

/// The form of the contract with these fields.
pub(super) fn form(fields: &str) -> String {
    form_with(&format!("/Fields {fields} /SigFlags 3"))
}

pub(super) fn form_with(entries: &str) -> String {
    format!("<</DR 10 0 R /DA (/Helv 0 Tf 0 g) {entries}>>")
}

/// The field `nome` with a value and a drawing.
pub(super) fn text_field(value: &str, drawing: &str) -> String {
    text_field_with(&format!("/V ({value}) /AP <</N {drawing}>>"))
}

pub(super) fn text_field_with(entries: &str) -> String {
    format!(
        "<</Type /Annot /Subtype /Widget /FT /Tx /T (nome) /F 4 /Rect [72 500 300 520] /P 3 0 R {entries}>>"
    )
}

/// A form XObject that shows a string.
pub(super) fn drawing(text: &str) -> String {
    stream("/Type /XObject /Subtype /Form /BBox [0 0 228 20]", &format!("BT /Helv 12 Tf {text} Tj ET"))
}

pub(super) fn stream(entries: &str, body: &str) -> String {
    format!("<<{entries} /Length {}>>\nstream\n{body}\nendstream", body.len())
}

/// A signature field that is visible or not.
pub(super) fn signature_field(name: &str, value: u32, rectangle: &str, entries: &str) -> String {
    format!(
        "<</Type /Annot /Subtype /Widget /FT /Sig /T ({name}) /F 132 /Rect {rectangle} /P 3 0 R \
         /V {value} 0 R {entries}>>"
    )
}

/// A revision with a signature in it: the dictionary is object `signature` and has these entries more.
pub(super) fn sign_revision(
    file: &[u8],
    signature: u32,
    entries: &str,
    objects: &[(u32, &str)],
    trailer: &str,
) -> Vec<u8> {
    let dictionary = format!(
        "<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached {entries} /ByteRange [0 {:<32}] \
         /Contents <{}>>>",
        0,
        "00".repeat(SLOT_BYTES)
    );
    let mut all = vec![(signature, dictionary.as_str())];
    all.extend_from_slice(objects);
    let appended = append(file, &all, trailer);
    let gap = file.len() + find(&appended[file.len()..], b"/Contents <").unwrap() + 10;
    let end = gap + 2 * SLOT_BYTES + 2;
    sign_range_behind(&appended, file.len(), [0, gap, end, appended.len() - end])
}

/// The contract, signed in a new invisible field. Objects: 20 the signature, 21 its field.
pub(super) fn signed_contract() -> Vec<u8> {
    sign_contract(&contract().table(), "", "")
}

/// A file like the contract, signed; entries for the signature dictionary and for its field.
pub(super) fn sign_contract(file: &[u8], signature: &str, field: &str) -> Vec<u8> {
    let field = signature_field("banco", 20, "[0 0 0 0]", field);
    let (form, page) = (form("[6 0 R 8 0 R 11 0 R 21 0 R]"), page("[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]"));
    sign_revision(file, 20, signature, &[(21, &field), (5, &form), (3, &page)], "/Size 22")
}

/// The contract, certified with a permission.
pub(super) fn certified_contract(permission: u8) -> Vec<u8> {
    let reference = format!(
        "/Reference [<</Type /SigRef /TransformMethod /DocMDP \
         /TransformParams <</Type /TransformParams /V /1.2 /P {permission}>>>>]"
    );
    let file = contract().with(1, &CATALOG.replace(">>", " /Perms <</DocMDP 20 0 R>>>>")).table();
    sign_contract(&file, &reference, "")
}

/// Adds a signature by an approver, in a new field with this rectangle. Objects: 30 the signature, 31 its
/// field, 32 its drawing.
pub(super) fn countersigned(file: &[u8], rectangle: &str) -> Vec<u8> {
    let field = signature_field("parte", 30, rectangle, "/AP <</N 32 0 R>>");
    let (form, page) =
        (form("[6 0 R 8 0 R 11 0 R 21 0 R 31 0 R]"), page("[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R 31 0 R]"));
    let drawing = drawing("(Assinado)");
    sign_revision(file, 30, "", &[(31, &field), (32, &drawing), (5, &form), (3, &page)], "/Size 33")
}

#[test]
fn the_forge_makes_signatures_that_pass() {
    assert!(!signer().der().is_empty());
    for file in [signed_contract(), certified_contract(2), countersigned(&signed_contract(), "[0 0 0 0]")] {
        let report = super::validate(&file);
        assert_eq!(report.overall(), crate::validation::Indication::Passed, "{report}");
    }
}
