//! Universal signature forgery: entries that are missing, empty, of another type or there twice, so that a
//! careless validator finds nothing to complain about.

use super::super::forge::*;
use super::*;

#[test]
fn entries_of_the_dictionary_cannot_be_broken_in_place() {
    let file = signed_contract();
    let (range, hex) = (byte_range(&file), contents(&file));
    let contents = format!("/Contents <{hex}>");
    let broken = |old: &str, new: &str| replaced(&file, old, new);
    run(vec![
        attack("no Contents", broken("/Contents <", "/Kontents <"), Caught::Failed(Check::PdfDictionary)),
        attack("no ByteRange", broken("/ByteRange [", "/ByteRahge ["), Caught::Failed(Check::PdfByteRange)),
        attack("no SubFilter", broken("/SubFilter", "/SubFilted"), Caught::By(Check::PdfDictionary)),
        attack("another Type", broken("/Type /Sig ", "/Type /Sog "), Caught::Failed(Check::PdfDictionary)),
        attack("Contents null", broken(&contents, "/Contents null"), Caught::Anyhow),
        attack("Contents empty", broken(&contents, "/Contents <>"), Caught::Anyhow),
        attack("Contents zero", broken(&hex, &"0".repeat(hex.len())), Caught::Failed(Check::Format)),
        attack("Contents as text", broken(&contents, "/Contents (0000)"), Caught::Anyhow),
        attack("Contents as a reference", broken(&contents, "/Contents 4 0 R"), Caught::Anyhow),
        attack("Contents of an odd length", broken(&hex, &hex[1..]), Caught::Anyhow),
        attack(
            "a comment inside Contents",
            broken(&hex, &format!("{}%\n", &hex[..hex.len() - 2])),
            Caught::Anyhow,
        ),
        attack(
            "white space inside Contents",
            broken(&hex, &format!("{}  ", &hex[..hex.len() - 2])),
            Caught::Failed(Check::PdfDictionary),
        ),
        attack("two Contents", broken("/Filter /Adobe.PPKLite", "/Contents <0000> /F 1 "), Caught::Anyhow),
        attack("two ByteRanges", broken("/Filter /Adobe.PPKLite", "/ByteRange [0 0 0 0]  "), Caught::Anyhow),
        attack(
            "ByteRange null",
            broken(&range, &same_length(&range, "/ByteRange null")),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "ByteRange of nothing",
            broken(&range, &same_length(&range, "/ByteRange []")),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "ByteRange of zeros",
            broken(&range, &same_length(&range, "/ByteRange [0 0 0 0]")),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "ByteRange negative",
            broken(&range, &same_length(&range, "/ByteRange [0 -1 -1 -1]")),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "ByteRange of strings",
            broken(&range, &same_length(&range, "/ByteRange [(0) (1) (2) (3)]")),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "ByteRange of six",
            broken(&range, &same_length(&range, "/ByteRange [0 1 2 3 4 5]")),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "ByteRange elsewhere",
            broken(&range, &same_length(&range, "/ByteRange 9 0 R")),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack(
            "ByteRange of references",
            broken(&range, &same_length(&range, "/ByteRange [0 4 0 R 2 3]")),
            Caught::Failed(Check::PdfByteRange),
        ),
    ]);
}

#[test]
fn the_value_of_the_field_cannot_be_exchanged() {
    let file = signed_contract();
    let field = |value: &str| signature_field("banco", 20, "[0 0 0 0]", "").replace("/V 20 0 R", value);
    let other = append(
        &file,
        &[(21, &field("/V 40 0 R")), (40, "<</Type /Sig /Contents <00> /ByteRange [0 1 2 3]>>")],
        "/Size 41",
    );
    run(vec![
        attack("null", append(&file, &[(21, &field("/V null"))], "/Size 22"), Caught::Anyhow),
        attack(
            "a missing object",
            append(&file, &[(21, &field("/V 99 0 R"))], "/Size 100"),
            Caught::Failed(Check::PdfDictionary),
        ),
        attack(
            "a page",
            append(&file, &[(21, &field("/V 3 0 R"))], "/Size 22"),
            Caught::Failed(Check::PdfDictionary),
        ),
        attack("another signature", other, Caught::Failed(Check::PdfByteRange)),
        attack(
            "an empty dictionary",
            append(&file, &[(20, "<<>>")], "/Size 22"),
            Caught::Failed(Check::PdfByteRange),
        ),
        attack("no value any more", append(&file, &[(21, &field(""))], "/Size 22"), Caught::Anyhow),
    ]);
}

#[test]
fn the_signature_of_another_file_fails() {
    let (ours, theirs) =
        (signed_contract(), sign_contract(&contract().with(4, &stream("", "q Q")).table(), "", ""));
    let stolen = replaced(&ours, &contents(&ours), &contents(&theirs));
    run(vec![attack("stolen", stolen, Caught::Failed(Check::MessageDigest))]);
}

/// The text with white space up to the length of `old`, so that all offsets stay.
fn same_length(old: &str, new: &str) -> String {
    format!("{new:<width$}", width = old.len())
}
