//! Incremental saving: content added behind the signature, listed properly or in ways that only a repairing
//! reader understands.

use super::super::forge::*;
use super::*;

const EVIL: &str = "<</Length 3>>\nstream\nq Q\nendstream";

#[test]
fn listed_updates_are_found() {
    let file = signed_contract();
    let update = |objects: &[(u32, &str)]| append(&file, objects, "/Size 50");
    let (other_text, actions) = (
        page_with("/Annots [6 0 R 8 0 R 9 0 R 11 0 R 21 0 R]").replace("4 0 R", "40 0 R"),
        CATALOG.replace(">>", " /OpenAction <</S /JavaScript /JS (app.alert)>>>>"),
    );
    let layers = CATALOG.replace(">>", " /OCProperties <</OCGs [40 0 R] /D <</OFF [40 0 R]>>>>>>");
    let names = CATALOG.replace(">>", " /Names <</JavaScript <</Names [(x) 40 0 R]>>>>>>");
    let second_page = "<</Type /Pages /Kids [3 0 R 40 0 R] /Count 2 /MediaBox [0 0 595 842]>>";
    let caught = Caught::By(Check::PdfModifications);
    run(vec![
        attack("the text of the page", update(&[(4, EVIL)]), caught),
        attack("other text for the page", update(&[(3, &other_text), (40, EVIL)]), caught),
        attack("a second page", update(&[(2, second_page), (40, &page("[]"))]), caught),
        attack("a script", update(&[(1, &actions)]), caught),
        attack("a named script", update(&[(1, &names), (40, "<</S /JavaScript /JS (x)>>")]), caught),
        attack("layers", update(&[(1, &layers), (40, "<</Type /OCG /Name (x)>>")]), caught),
        attack(
            "a field with a script",
            update(&[
                (6, &text_field_with("/V (Ana) /AA <</F 40 0 R>>")),
                (40, "<</S /JavaScript /JS (x)>>"),
            ]),
            caught,
        ),
        attack(
            "a larger field",
            update(&[(6, &text_field("Ana", "7 0 R").replace("[72 500 300 520]", "[0 0 595 842]"))]),
            caught,
        ),
        attack(
            "a comment",
            update(&[
                (3, &page("[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R 40 0 R]")),
                (40, "<</Type /Annot /Subtype /FreeText /Rect [0 0 595 842] /Contents (x)>>"),
            ]),
            caught,
        ),
        attack(
            "a link",
            update(&[
                (3, &page("[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R 40 0 R]")),
                (40, "<</Type /Annot /Subtype /Link /Rect [0 0 595 842] /A <</S /URI /URI (http://x)>>>>"),
            ]),
            caught,
        ),
        attack("another catalogue", append(&file, &[(40, CATALOG)], "/Size 50 /Root 40 0 R"), Caught::Anyhow),
    ]);
}

#[test]
fn updates_without_a_sound_cross_reference_are_found() {
    let file = signed_contract();
    let at = file.len();
    let body = format!("4 0 obj\n{EVIL}\nendobj\n");
    let row = format!("{at:010} 00000 n \n");
    let previous = last_startxref(&file);
    let trailer = format!("trailer\n<</Size 22 /Root 1 0 R /Prev {previous}>>\n");
    let xref_at = at + body.len();
    let with = |tail: &str| [&file[..], body.as_bytes(), tail.as_bytes()].concat();
    run(vec![
        attack("the body alone", with(""), Caught::Anyhow),
        attack("a table alone", with(&format!("xref\n4 1\n{row}")), Caught::Anyhow),
        attack(
            "a table without trailer",
            with(&format!("xref\n4 1\n{row}startxref\n{xref_at}\n%%EOF\n")),
            Caught::Anyhow,
        ),
        attack(
            "a trailer without table",
            with(&format!("{trailer}startxref\n{xref_at}\n%%EOF\n")),
            Caught::Anyhow,
        ),
        attack("no startxref", with(&format!("xref\n4 1\n{row}{trailer}%%EOF\n")), Caught::Anyhow),
        attack(
            "startxref of the signed revision",
            with(&format!("xref\n4 1\n{row}{trailer}startxref\n{previous}\n%%EOF\n")),
            Caught::By(Check::PdfModifications),
        ),
        attack(
            "startxref beside the table",
            with(&format!("xref\n4 1\n{row}{trailer}startxref\n{}\n%%EOF\n", xref_at + 1)),
            Caught::Anyhow,
        ),
        attack("an end alone", with("%%EOF\n"), Caught::Anyhow),
        attack(
            "a table that says nothing of it",
            with(&format!("xref\n0 0\n{trailer}startxref\n{xref_at}\n%%EOF\n")),
            Caught::By(Check::PdfModifications),
        ),
        attack(
            "a table without Prev",
            with(&format!(
                "xref\n4 1\n{row}trailer\n<</Size 22 /Root 1 0 R>>\nstartxref\n{xref_at}\n%%EOF\n"
            )),
            Caught::Anyhow,
        ),
        attack(
            "a comment that hides an object",
            [&file[..], b"% 4 0 obj <<>> endobj\n"].concat(),
            Caught::By(Check::PdfModifications),
        ),
    ]);
}

#[test]
fn updates_in_streams_are_found() {
    let file = sign_contract(&contract().table(), "", "");
    let previous = last_startxref(&file);
    let packed = "4 0 << /Length 0 >>";
    let at = file.len();
    let container = format!(
        "40 0 obj\n<</Type /ObjStm /N 1 /First 4 /Length {}>>\nstream\n{packed}\nendstream\nendobj\n",
        packed.len()
    );
    let xref_at = at + container.len();
    let row = |kind: u8, second: usize, third: u8| {
        [&[kind][..], &u32::try_from(second).unwrap().to_be_bytes(), &[third]].concat()
    };
    let rows = [row(2, 40, 0), row(1, at, 0), row(1, xref_at, 0)].concat();
    let hex: String = rows.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex.len(), 36);
    let mut update = [&file[..], container.as_bytes()].concat();
    let head = format!(
        "41 0 obj\n<</Type /XRef /Size 42 /Root 1 0 R /ID [<00112233445566778899aabbccddeeff> ()] \
         /Prev {previous} /W [1 4 1] /Index [4 1 40 2] /Length {}>>\nstream\n",
        rows.len()
    );
    update.extend(head.bytes());
    update.extend_from_slice(&rows);
    update.extend(format!("\nendstream\nendobj\nstartxref\n{xref_at}\n%%EOF\n").bytes());
    run(vec![attack(
        "the text of the page in an object stream",
        update,
        Caught::By(Check::PdfModifications),
    )]);
}
