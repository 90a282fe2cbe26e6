//! Attacks on certified files: evil annotations (EAA) and sneaky signatures (SSA).

use super::super::forge::*;
use super::*;
use crate::pdf::ChangeKind;

const FAILED: Caught = Caught::Failed(Check::PdfModifications);

fn with_annotation(file: &[u8], annotation: &str, more: &[(u32, &str)]) -> Vec<u8> {
    let page = page("[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R 40 0 R]");
    append(file, &[&[(40, annotation), (3, page.as_str())], more].concat(), "/Size 50")
}

#[test]
fn evil_annotations_fail_where_comments_are_not_permitted() {
    let attacks =
        ["FreeText", "Stamp", "Redact", "Highlight", "Ink", "Square", "Text"].into_iter().flat_map(|kind| {
            let annotation = format!(
                "<</Type /Annot /Subtype /{kind} /Rect [0 0 595 842] /Contents (valor 999) /P 3 0 R>>"
            );
            [1, 2].map(|permission| {
                attack(kind, with_annotation(&certified_contract(permission), &annotation, &[]), FAILED)
            })
        });
    run(attacks.collect());
}

#[test]
fn where_comments_are_permitted_nothing_else_is() {
    let file = certified_contract(3);
    let annotation = |kind: &str, entries: &str| {
        format!("<</Type /Annot /Subtype /{kind} /Rect [0 0 595 842] /P 3 0 R {entries}>>")
    };
    let script = "/A <</S /JavaScript /JS (app.alert)>>";
    run(vec![
        attack("a redaction", with_annotation(&file, &annotation("Redact", ""), &[]), FAILED),
        attack(
            "a link",
            with_annotation(&file, &annotation("Link", "/A <</S /URI /URI (http://x)>>"), &[]),
            FAILED,
        ),
        attack("a film", with_annotation(&file, &annotation("Screen", ""), &[]), FAILED),
        attack("a comment that acts", with_annotation(&file, &annotation("Text", script), &[]), FAILED),
        attack(
            "a comment that acts by reference",
            with_annotation(
                &file,
                &annotation("Text", "/Popup 41 0 R"),
                &[(41, &annotation("Popup", script))],
            ),
            FAILED,
        ),
        attack(
            "a text field",
            with_annotation(
                &file,
                &annotation("Widget", "/FT /Tx /T (x) /V (y)"),
                &[(5, &form("[6 0 R 8 0 R 11 0 R 21 0 R 40 0 R]"))],
            ),
            FAILED,
        ),
        attack("a widget without field", with_annotation(&file, &annotation("Widget", ""), &[]), FAILED),
        attack(
            "a comment becomes a redaction",
            append(&file, &[(9, &annotation("Redact", ""))], "/Size 50"),
            FAILED,
        ),
    ]);
    let report = validate(&with_annotation(&file, &annotation("FreeText", "/Contents (x)"), &[]));
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    assert_eq!(report.revisions[2].changes[0].kind, ChangeKind::AnnotationAdded);
    assert!(
        report.signatures[0].findings.iter().any(|f| f.outcome == Outcome::Warning),
        "it is told: {report}"
    );
}

#[test]
fn sneaky_signature_fields_are_not_passed_over() {
    let certified = certified_contract(2);
    let dictionary = "<</Type /Sig /ByteRange [0 1 2 3] /Contents <00>>>";
    let fields = form("[6 0 R 8 0 R 11 0 R 21 0 R 41 0 R]");
    let covering = drawing("(valor 999)");
    let field = |entries: &str| signature_field("parte", 42, "[72 700 500 740]", entries);
    let update = |file: &[u8], field: &str| {
        append(
            file,
            &[(40, covering.as_str()), (41, field), (42, dictionary), (5, fields.as_str())],
            "/Size 50",
        )
    };
    let (signed_field, empty_field) =
        (field("/AP <</N 40 0 R>>"), field("/AP <</N 40 0 R>>").replace("/V 42 0 R", ""));
    let caught = Caught::By(Check::PdfModifications);
    run(vec![
        attack(
            "a field with a drawing",
            append(&certified, &[(40, &covering), (41, &empty_field), (5, &fields)], "/Size 50"),
            caught,
        ),
        attack("a field with a drawing and nonsense as its value", update(&certified, &signed_field), caught),
        attack("the text of the page as the drawing", update(&certified, &field("/AP <</N 4 0 R>>")), FAILED),
        attack("a field with an action", update(&certified, &field("/AA <</E 40 0 R>>")), FAILED),
        attack("a really signed field over the text", countersigned(&certified, "[72 700 500 740]"), caught),
        attack("after permission 1", countersigned(&certified_contract(1), "[0 0 0 0]"), FAILED),
        attack("after permission 1, seen", countersigned(&certified_contract(1), "[72 700 500 740]"), FAILED),
    ]);
    // Without a certification such a field is permitted, but never silently.
    let report = validate(&append(
        &signed_contract(),
        &[(40, &covering), (41, &empty_field), (5, &fields)],
        "/Size 50",
    ));
    let told = report.signatures[0].findings.iter().any(|f| {
        f.check == Check::PdfModifications && f.outcome == Outcome::Warning && f.evidence.contains("parte")
    });
    assert!(told, "{report}");
}

#[test]
fn the_permissions_themselves_do_not_change() {
    let file = certified_contract(1);
    let open = CATALOG;
    let other = CATALOG.replace(">>", " /Perms <</DocMDP 40 0 R>>>>");
    let looser = "<</Type /Sig /ByteRange [0 1 2 3] /Contents <00> /Reference [<</TransformMethod /DocMDP \
                  /TransformParams <</P 3>>>>]>>";
    let late = CATALOG.replace(">>", " /Perms <</DocMDP 40 0 R>>>>");
    run(vec![
        attack("they are removed", append(&file, &[(1, open)], "/Size 22"), FAILED),
        attack("they are replaced", append(&file, &[(1, &other), (40, looser)], "/Size 50"), FAILED),
        attack(
            "a certification comes after a signature",
            append(&signed_contract(), &[(1, &late), (40, looser)], "/Size 50"),
            Caught::By(Check::PdfModifications),
        ),
    ]);
    // `/P` in an object of its own, as Acrobat writes it: replacing that is no way round.
    let parameters = "<</Type /TransformParams /V /1.2 /P 1>>";
    let base = contract()
        .with(1, &CATALOG.replace(">>", " /Perms <</DocMDP 20 0 R>>>>"))
        .with(12, parameters)
        .table();
    let signed =
        sign_contract(&base, "/Reference [<</TransformMethod /DocMDP /TransformParams 12 0 R>>]", "");
    assert_eq!(validate(&signed).overall(), Indication::Passed);
    let filled = text_field_with("/V (Bruno) /AP <</N 7 0 R>>");
    run(vec![attack(
        "the parameters are replaced",
        append(&signed, &[(12, &parameters.replace("/P 1", "/P 3")), (6, &filled)], "/Size 22"),
        FAILED,
    )]);
}
