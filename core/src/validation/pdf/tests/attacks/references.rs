//! Signatures that several fields share, and objects that two readers find in different places.

use super::super::forge::*;
use super::*;

#[test]
fn a_signature_belongs_to_one_field() {
    let file = signed_contract();
    let copy = |name: &str, entries: &str| signature_field(name, 20, "[0 0 90 90]", entries);
    let fields = form("[6 0 R 8 0 R 11 0 R 21 0 R 40 0 R]");
    let kid = copy("filho", "/Parent 21 0 R");
    let parent = signature_field("banco", 20, "[0 0 0 0]", "/Kids [40 0 R]");
    run(vec![
        attack(
            "a second field",
            append(&file, &[(40, &copy("copia", "")), (5, &fields)], "/Size 50"),
            Caught::Failed(Check::PdfDictionary),
        ),
        attack(
            "the approver's field",
            append(&file, &[(8, &APPROVER.replace(">>", " /V 20 0 R>>"))], "/Size 50"),
            Caught::Failed(Check::PdfDictionary),
        ),
        attack(
            "a field below",
            append(&file, &[(40, &kid), (21, &parent)], "/Size 50"),
            Caught::Failed(Check::PdfDictionary),
        ),
        attack(
            "the same field twice",
            append(&file, &[(5, &form("[6 0 R 8 0 R 11 0 R 21 0 R 21 0 R]"))], "/Size 50"),
            Caught::Anyhow,
        ),
        attack(
            "the widget of another page",
            append(
                &file,
                &[(21, &signature_field("banco", 20, "[0 0 0 0]", "").replace("/P 3", "/P 2"))],
                "/Size 50",
            ),
            Caught::By(Check::PdfModifications),
        ),
        attack(
            "a field inside itself",
            append(&file, &[(21, &signature_field("banco", 20, "[0 0 0 0]", "/Kids [21 0 R]"))], "/Size 50"),
            Caught::Anyhow,
        ),
    ]);
}

#[test]
fn an_object_has_one_place() {
    let file = signed_contract();
    let (at, previous) = (file.len(), last_startxref(&file));
    let body = "4 0 obj\n<</Length 3>>\nstream\nq Q\nendstream\nendobj\n";
    let second = "4 0 obj\n<</Length 3>>\nstream\nQ q\nendstream\nendobj\n";
    let id = "/ID [<00112233445566778899aabbccddeeff> ()]";
    let update = |bodies: &str, rows: &str, size: u32| {
        let xref_at = at + bodies.len();
        let tail = format!(
            "{bodies}xref\n{rows}trailer\n<</Size {size} /Root 1 0 R {id} /Prev {previous}>>\n\
             startxref\n{xref_at}\n%%EOF\n"
        );
        [&file[..], tail.as_bytes()].concat()
    };
    let row = |offset: usize, generation: u16| format!("{offset:010} {generation:05} n \n");
    let caught = Caught::Anyhow;
    run(vec![
        attack("two rows for it", update(body, &format!("4 1\n{0}4 1\n{0}", row(at, 0)), 22), caught),
        attack(
            "two bodies, the first named",
            update(&[body, second].concat(), &format!("4 1\n{}", row(at, 0)), 22),
            caught,
        ),
        attack(
            "two bodies, the second named",
            update(&[body, second].concat(), &format!("4 1\n{}", row(at + body.len(), 0)), 22),
            caught,
        ),
        attack(
            "another generation",
            update(&body.replace("4 0 obj", "4 1 obj"), &format!("4 1\n{}", row(at, 1)), 22),
            caught,
        ),
        attack(
            "a generation that differs from the object's",
            update(body, &format!("4 1\n{}", row(at, 1)), 22),
            caught,
        ),
        attack(
            "a new object of a later generation",
            update(&body.replace("4 0 obj", "40 7 obj"), &format!("40 1\n{}", row(at, 7)), 50),
            caught,
        ),
        attack("a row one byte early", update(body, &format!("4 1\n{}", row(at - 1, 0)), 22), caught),
        attack("a row one byte late", update(body, &format!("4 1\n{}", row(at + 1, 0)), 22), caught),
        attack("a row for another number", update(body, &format!("7 1\n{}", row(at, 0)), 22), caught),
        attack(
            "a row into the signed part",
            update("", &format!("4 1\n{}", row(find(&file, b"7 0 obj").unwrap(), 0)), 22),
            caught,
        ),
        attack("a Size that is too small", update(body, &format!("4 1\n{}", row(at, 0)), 5), caught),
        attack("a Size of nothing", update(body, &format!("4 1\n{}", row(at, 0)), 0), caught),
        attack(
            "objects that share bytes",
            update(
                &format!("40 0 obj\n{body}endobj\n"),
                &format!("4 1\n{}40 1\n{}", row(at + 9, 0), row(at, 0)),
                50,
            ),
            caught,
        ),
        attack("freed", update("", "4 1\n0000000000 00001 f \n", 22), caught),
    ]);
}
