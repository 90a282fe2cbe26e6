//! Shadow attacks: content is prepared before the victim signs, and switched by an update that looks
//! harmless.

use super::super::forge::*;
use super::*;
use crate::pdf::sample::Sample;

const CAUGHT: Caught = Caught::By(Check::PdfModifications);

/// A contract that covers its text with an image, in the content of the page.
fn covered() -> Sample {
    let page =
        page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R]").replace("/Font", "/XObject <</Im 12 0 R>> /Font");
    contract()
        .with(3, &page)
        .with(12, &drawing("(coberto)"))
        .with(4, &stream("", "BT (valor 100) Tj ET /Im Do"))
}

fn sign_covered() -> Vec<u8> {
    let page = page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]")
        .replace("/Font", "/XObject <</Im 12 0 R>> /Font");
    let field = signature_field("banco", 20, "[0 0 0 0]", "");
    let form = form("[6 0 R 8 0 R 11 0 R 21 0 R]");
    sign_revision(&covered().table(), 20, "", &[(21, &field), (5, &form), (3, &page)], "/Size 22")
}

/// A revision of rows alone.
fn rows(file: &[u8], rows: &str) -> Vec<u8> {
    let (at, previous) = (file.len(), last_startxref(file));
    let id = "/ID [<00112233445566778899aabbccddeeff> ()]";
    let tail = format!(
        "xref\n{rows}trailer\n<</Size 50 /Root 1 0 R {id} /Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
    );
    [file, tail.as_bytes()].concat()
}

#[test]
fn hide_what_covered_the_text_does_not_vanish() {
    let file = sign_covered();
    assert_eq!(validate(&file).overall(), Indication::Passed);
    let uncovered = page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]");
    run(vec![
        attack("the image is freed", rows(&file, "12 1\n0000000000 00001 f \n"), CAUGHT),
        attack(
            "the image becomes empty",
            append(&file, &[(12, &stream("/Type /XObject /Subtype /Form /BBox [0 0 0 0]", ""))], "/Size 22"),
            CAUGHT,
        ),
        attack("the image becomes null", append(&file, &[(12, "null")], "/Size 22"), CAUGHT),
        attack("the image becomes another object", append(&file, &[(12, "<<>>")], "/Size 22"), CAUGHT),
        attack("the page forgets it", append(&file, &[(3, &uncovered)], "/Size 22"), CAUGHT),
        attack(
            "a covering widget leaves the page",
            append(&file, &[(3, &page("[8 0 R 9 0 R 11 0 R 21 0 R]"))], "/Size 22"),
            CAUGHT,
        ),
        attack(
            "a covering widget is hidden",
            append(&file, &[(6, &text_field("Ana", "7 0 R").replace("/F 4", "/F 6"))], "/Size 22"),
            CAUGHT,
        ),
        attack(
            "a covering comment leaves the page",
            append(&file, &[(3, &page("[6 0 R 8 0 R 11 0 R 21 0 R]"))], "/Size 22"),
            CAUGHT,
        ),
    ]);
}

#[test]
fn replace_letters_and_fields_stay_what_they_were() {
    // The page uses the fonts of the form: a person sees 100 in one font and 999 in another.
    let shared = page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R]")
        .replace("<</Font <</F1 <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>>", "10 0 R");
    assert!(shared.contains("/Resources 10 0 R"), "{shared}");
    let file = sign_contract(&contract().with(3, &shared).table(), "", "");
    // The signed revision of the forge has its own page; so the shared one is put into the signed bytes.
    let shared_now = shared.replace("11 0 R]", "11 0 R 21 0 R]");
    let field = signature_field("banco", 20, "[0 0 0 0]", "");
    let form_now = form("[6 0 R 8 0 R 11 0 R 21 0 R]");
    let shared_file = sign_revision(
        &contract().with(3, &shared).table(),
        20,
        "",
        &[(21, &field), (5, &form_now), (3, &shared_now)],
        "/Size 22",
    );
    let font = "<</Type /Font /Subtype /Type1 /BaseFont /Symbol>>";
    let replaced_font = "<</Font <</Helv 40 0 R>>>>";
    let added_font = "<</Font <</Helv <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> /Evil 40 0 R>>>>";
    let update = |objects: &[(u32, &str)]| append(&file, objects, "/Size 50");
    let shown = "<</Type /Annot /Subtype /Widget /FT /Tx /T (oculto) /F 4 /Rect [72 600 500 700] /P 3 0 R>>";
    run(vec![
        attack("a font of the form is replaced", update(&[(10, replaced_font), (40, font)]), CAUGHT),
        attack(
            "a font is added that the page waited for",
            append(&shared_file, &[(10, added_font), (40, font)], "/Size 50"),
            CAUGHT,
        ),
        attack("a hidden field appears", update(&[(11, shown)]), CAUGHT),
        attack(
            "a text becomes a button",
            update(&[(6, &text_field_with("/V (Ana) /AP <</N 7 0 R>> /Ff 65536"))]),
            CAUGHT,
        ),
        attack(
            "a field moves",
            update(&[(6, &text_field("Ana", "7 0 R").replace("72 500", "72 400"))]),
            CAUGHT,
        ),
        attack(
            "a field changes its kind",
            update(&[(6, &text_field("Ana", "7 0 R").replace("/Tx", "/Ch"))]),
            CAUGHT,
        ),
        attack(
            "a field changes its name",
            update(&[(6, &text_field("Ana", "7 0 R").replace("nome", "valor"))]),
            CAUGHT,
        ),
        attack("the text of the page as a drawing", update(&[(6, &text_field("Ana", "4 0 R"))]), CAUGHT),
        attack(
            "the field of the bank is signed again",
            update(&[(21, &signature_field("banco", 20, "[0 0 90 90]", ""))]),
            CAUGHT,
        ),
        attack("a field is removed from the form", update(&[(5, &form("[8 0 R 11 0 R 21 0 R]"))]), CAUGHT),
        attack(
            "the fields are put in another order",
            update(&[(5, &form("[8 0 R 6 0 R 11 0 R 21 0 R]"))]),
            CAUGHT,
        ),
    ]);
}

#[test]
fn replace_a_filled_field_is_permitted_and_told() {
    let file = append(
        &signed_contract(),
        &[(6, &text_field("Bruno", "40 0 R")), (40, &drawing("(Bruno)"))],
        "/Size 50",
    );
    let report = validate(&file);
    let warned = report.signatures[0].findings.iter().any(|finding| {
        finding.outcome == Outcome::Warning && finding.evidence.contains("fills a form field (nome)")
    });
    assert!(warned, "{report}");
}

#[test]
fn hide_and_replace_nothing_that_waits_comes_to_life() {
    // A second document waits inside the first; a number that does not exist yet is mentioned by the page.
    let hidden_catalog = "<</Type /Catalog /Pages 13 0 R /AcroForm 5 0 R>>";
    let waiting = page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]")
        .replace("/Contents 4 0 R", "/Contents [4 0 R 40 0 R]");
    let base = contract()
        .with(12, hidden_catalog)
        .with(13, "<</Type /Pages /Kids [14 0 R] /Count 1 /MediaBox [0 0 595 842]>>")
        .with(14, "<</Type /Page /Parent 13 0 R /Contents 15 0 R /Resources <<>>>>")
        .with(15, &stream("", "BT (valor 999) Tj ET"));
    let field = signature_field("banco", 20, "[0 0 0 0]", "");
    let form_now = form("[6 0 R 8 0 R 11 0 R 21 0 R]");
    let file =
        sign_revision(&base.table(), 20, "", &[(21, &field), (5, &form_now), (3, &waiting)], "/Size 22");
    assert_eq!(validate(&file).overall(), Indication::Passed);
    let hidden_at = find(&file, b"15 0 obj").unwrap();
    let content = stream("", "BT (valor 999) Tj ET");
    let store = CATALOG.replace(">>", " /DSS <</Certs [40 0 R]>>>>");
    let xmp = CATALOG.replace(">>", " /Metadata 40 0 R>>");
    let metadata =
        stream("/Type /Metadata /Subtype /XML", "<x xmlns='adobe:ns:meta/'>BT (valor 999) Tj ET</x>");
    let visible = signature_field("parte", 41, "[0 0 90 90]", "/AP <</N 40 0 R>>");
    let fields = form("[6 0 R 8 0 R 11 0 R 21 0 R 42 0 R]");
    let dictionary = "<</Type /Sig /ByteRange [0 1 2 3] /Contents <00>>>";
    let update = |objects: &[(u32, &str)]| append(&file, objects, "/Size 50");
    run(vec![
        attack("the other catalogue", append(&file, &[], "/Size 22 /Root 12 0 R"), Caught::Anyhow),
        attack("the other pages", update(&[(1, "<</Type /Catalog /Pages 13 0 R /AcroForm 5 0 R>>")]), CAUGHT),
        attack(
            "the other text by its row",
            rows(&file, &format!("4 1\n{hidden_at:010} 00000 n \n")),
            Caught::Anyhow,
        ),
        attack("text for the number that waits", update(&[(40, &content)]), CAUGHT),
        attack("the same as a certificate", update(&[(1, &store), (40, &content)]), CAUGHT),
        attack("the same as metadata", update(&[(1, &xmp), (40, &metadata)]), CAUGHT),
        attack(
            "the same as a drawing",
            update(&[(42, &visible), (41, dictionary), (40, &drawing("(x)")), (5, &fields)]),
            CAUGHT,
        ),
        attack(
            "the same as the value of a field",
            update(&[(6, &text_field_with("/V 40 0 R /AP <</N 7 0 R>>")), (40, &content)]),
            CAUGHT,
        ),
    ]);
}

#[test]
fn an_object_with_two_masters_is_not_replaced() {
    let caught = CAUGHT;
    // By name: what the page draws is also the drawing of a field, its array of contents that of the
    // fields, …
    let draws = page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]")
        .replace("/Font", "/XObject <</Fx 7 0 R>> /Font");
    let sign = |objects: &[(u32, &str)]| {
        let field = signature_field("banco", 20, "[0 0 0 0]", "");
        let (form, page) = (form("[6 0 R 8 0 R 11 0 R 21 0 R]"), page("[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]"));
        let mut all: BTreeMap<u32, &str> = [(21, field.as_str()), (5, &form), (3, &page)].into();
        all.extend(objects.iter().copied());
        let all: Vec<_> = all.into_iter().collect();
        let file = sign_revision(&contract().table(), 20, "", &all, "/Size 30");
        assert_eq!(validate(&file).overall(), Indication::Passed, "{}", validate(&file));
        file
    };
    let drawn_twice = sign(&[(3, &draws)]);
    let listed = CATALOG.replace(">>", " /Other 22 0 R>>");
    let fields_elsewhere = sign(&[(1, &listed), (5, &form("22 0 R")), (22, "[6 0 R 8 0 R 11 0 R 21 0 R]")]);
    let annotated = page_with("/Annots 22 0 R /B 22 0 R");
    let annotations_elsewhere = sign(&[(3, &annotated), (22, "[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]")]);
    let stored = CATALOG.replace(">>", " /DSS <</Certs 22 0 R>>>>");
    let with_contents =
        page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]").replace("/Contents 4 0 R", "/Contents 22 0 R");
    let store_is_contents = sign(&[(1, &stored), (3, &with_contents), (22, "[4 0 R]")]);
    let described = CATALOG.replace(">>", " /Metadata 22 0 R>>");
    let xmp = |text: &str| {
        stream("/Type /Metadata /Subtype /XML", &format!("<x xmlns='adobe:ns:meta/'>{text}</x>"))
    };
    let metadata_are_contents = sign(&[(1, &described), (3, &with_contents), (22, &xmp(""))]);
    let value = text_field_with("/V 22 0 R /AP <</N 7 0 R>>");
    let note = "<</Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents 22 0 R>>";
    let value_is_comment = sign(&[(6, &value), (9, note), (22, "(Ana)")]);
    let widget = signature_field("parte", 40, "[0 0 0 0]", "");
    let dictionary = "<</Type /Sig /ByteRange [0 1 2 3] /Contents <00>>>";
    let further = [(40, dictionary), (41, widget.as_str())];
    let with =
        |file: &[u8], objects: &[(u32, &str)]| append(file, &[&further[..], objects].concat(), "/Size 50");
    run(vec![
        attack("drawing and content", append(&drawn_twice, &[(7, &drawing("(x)"))], "/Size 50"), caught),
        attack(
            "fields and something else",
            with(&fields_elsewhere, &[(22, "[6 0 R 8 0 R 11 0 R 21 0 R 41 0 R]")]),
            caught,
        ),
        attack(
            "annotations and something else",
            with(
                &annotations_elsewhere,
                &[
                    (5, &form("[6 0 R 8 0 R 11 0 R 21 0 R 41 0 R]")),
                    (22, "[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R 41 0 R]"),
                ],
            ),
            caught,
        ),
        attack(
            "certificates and content",
            append(&store_is_contents, &[(22, "[4 0 R 40 0 R]"), (40, &stream("", "q Q"))], "/Size 50"),
            caught,
        ),
        attack(
            "metadata and content",
            append(&metadata_are_contents, &[(22, &xmp("q Q"))], "/Size 50"),
            caught,
        ),
        attack("value and comment", append(&value_is_comment, &[(22, "(Bruno)")], "/Size 50"), caught),
    ]);
}
