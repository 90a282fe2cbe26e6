//! Signature wrapping: the second signed part is moved away, and other content takes its place.

use super::super::forge::*;
use super::*;

/// The signed parts stay as they are, the second one at the end of the file. Between them stands a second
/// cross-reference, at the very byte that `startxref` in the moved part names, with a new signature
/// dictionary whose ByteRange fits the new places.
fn wrapped() -> Vec<u8> {
    let file = signed_contract();
    let [_, first, second, rest] = range_of(&file);
    let hex = contents(&file);
    let xref_at = last_startxref(&file);
    let mut forged = file[..second].to_vec();
    forged.resize(xref_at, b' ');
    let table_bytes = 400;
    let text_at = xref_at + table_bytes;
    let text = "4 0 obj\n<</Length 3>>\nstream\nq Q\nendstream\nendobj\n";
    let dictionary_at = text_at + text.len();
    let build = |moved_to: usize| {
        format!(
            "20 0 obj\n<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached \
             /ByteRange [0 {first} {moved_to:010} {rest}] /Contents <{hex}>>>\nendobj\n"
        )
    };
    let moved_to = dictionary_at + build(0).len();
    // The first save of the contract is the chain's second section.
    let before = last_startxref(&contract().table());
    let old = String::from_utf8_lossy(&file[xref_at..]).into_owned();
    let field_rows: String = [3, 5, 21]
        .map(|number| {
            let row = old.split(&format!("\n{number} 1\n")).nth(1).unwrap();
            format!("{number} 1\n{}\n", row.split('\n').next().unwrap())
        })
        .concat();
    assert!(field_rows.contains(" n "));
    let table = format!(
        "xref\n4 1\n{text_at:010} 00000 n \n20 1\n{dictionary_at:010} 00000 n \n{field_rows}trailer\n\
         <</Size 22 /Root 1 0 R /Prev {before}>>\n"
    );
    assert!(table.len() <= table_bytes, "{}", table.len());
    forged.extend(format!("{table:<table_bytes$}").bytes());
    forged.extend(text.bytes());
    forged.extend(build(moved_to).bytes());
    assert_eq!(forged.len(), moved_to);
    forged.extend_from_slice(&file[second..]);
    forged
}

#[test]
fn the_moved_part_is_noticed_although_the_digest_is_right() {
    let file = wrapped();
    let [_, first, second, rest] = range_of(&file[file.len() - 20_000.min(file.len())..]);
    assert!(first < second && rest > 0, "the forged dictionary is the last one");
    run(vec![attack("wrapped", file, Caught::Anyhow)]);
}

#[test]
fn a_gap_wider_than_the_signature_holds_nothing() {
    let file = signed_contract();
    let [_, first, second, rest] = range_of(&file);
    let evil = b"4 0 obj\n<</Length 3>>\nstream\nq Q\nendstream\nendobj\n";
    let inside = [&file[..second], &evil[..], &file[second..]].concat();
    let range = format!("/ByteRange [0 {first} {} {rest}]", second + evil.len());
    let adjusted = replaced(
        &inside,
        &byte_range(&inside),
        &format!("{range:<width$}", width = byte_range(&inside).len()),
    );
    run(vec![
        attack("an object in the gap", inside, Caught::Anyhow),
        attack("an object in a gap that ByteRange allows", adjusted, Caught::Anyhow),
        attack(
            "a gap from the start of the dictionary",
            sign_range(&file, [0, first - 100, second, rest]),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "a gap to the end of the dictionary",
            sign_range(&file, [0, first, second + 3, rest - 3]),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "two parts that overlap",
            sign_range(&file, [0, first + 50, second, rest]),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "a part that ends early",
            sign_range(&file, [0, first, second, rest - 60]),
            Caught::Failed(Check::PdfCoverage),
        ),
        attack(
            "a part that begins late",
            sign_range(&file, [9, first - 9, second, rest]),
            Caught::Failed(Check::PdfByteRange),
        ),
    ]);
}
