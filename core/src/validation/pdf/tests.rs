//! Signed PDFs and what may be wrong with them. Files of foreign signers come at the end; the known attacks
//! stand in [`attacks`].

mod attacks;
mod forge;
mod permitted;
mod policy;
mod property;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ErrorCode;
use crate::digest::Digest;
use crate::pades::tests::{context, sign, signer, value_of};
use crate::pdf::sample::{Sample, append, find, last_startxref, replaced};
use crate::validation::{Indication, Outcome};

fn signed() -> Vec<u8> {
    sign(&Sample::new().table())
}

/// Number of the signature dictionary in [`signed`], and of its field.
const SIGNATURE: u32 = 5;
const FIELD: u32 = 6;

fn validate(file: &[u8]) -> Report {
    validate_pdf(file, &context()).unwrap()
}

/// The outcome of the first signature is not passed, and this check is a reason.
fn check_caught(file: &[u8], check: Check, what: &str) {
    let report = validate(file);
    let first = &report.signatures[0];
    assert_ne!(first.indication, Indication::Passed, "{what}: {report}");
    let reasons =
        first.findings.iter().filter(|f| matches!(f.outcome, Outcome::Failed | Outcome::Indeterminate));
    assert!(reasons.clone().any(|finding| finding.check == check), "{what}: {report}");
}

/// Not passed, whether as a report or as a refusal to read the file.
fn is_caught(file: &[u8]) -> bool {
    validate_pdf(file, &context()).map_or(true, |report| report.overall() != Indication::Passed)
}

/// The text between the delimiters of the first Contents string.
fn contents(file: &[u8]) -> String {
    let start = find(file, b"/Contents <").unwrap() + 11;
    let length = file[start..].iter().position(|byte| *byte == b'>').unwrap();
    String::from_utf8(file[start..start + length].to_vec()).unwrap()
}

fn byte_range(file: &[u8]) -> String {
    let start = find(file, b"/ByteRange [").unwrap();
    let length = file[start..].iter().position(|byte| *byte == b']').unwrap();
    String::from_utf8(file[start..=start + length].to_vec()).unwrap()
}

/// Signs whatever the ByteRange `[0 a b c]` covers, as somebody with a key of his own may do.
fn sign_range(file: &[u8], range: [usize; 4]) -> Vec<u8> {
    sign_range_behind(file, 0, range)
}

/// The same for the first signature dictionary behind byte `from`.
fn sign_range_behind(file: &[u8], from: usize, range: [usize; 4]) -> Vec<u8> {
    let text = format!("/ByteRange [{} {:<10} {:<10} {:<10}]", range[0], range[1], range[2], range[3]);
    let replaced = |file: &[u8], old: &str, new: &str| {
        [&file[..from], replaced(&file[from..], old, new).as_slice()].concat()
    };
    let file = replaced(file, &byte_range(&file[from..]), &text);
    let content = [&file[range[0]..range[0] + range[1]], &file[range[2]..range[2] + range[3]]].concat();
    let plan =
        crate::cms::plan(&Digest::sha256(&content), &signer(), &[], crate::cms::PlanOptions::default())
            .unwrap();
    let cms = plan.assemble(&value_of(&plan.to_sign())).unwrap();
    let hex: String = cms.iter().map(|byte| format!("{byte:02x}")).collect();
    let old = contents(&file[from..]);
    replaced(&file, &old, &format!("{hex:0<width$}", width = old.len()))
}

fn range_of(file: &[u8]) -> [usize; 4] {
    let text = byte_range(file);
    let numbers = text.trim_start_matches("/ByteRange [").trim_end_matches(']').split_whitespace();
    let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

#[test]
fn a_file_without_a_signature_is_told_so() {
    let form =
        Sample::new().with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [<</FT /Sig /T (a)>>]>>>>");
    for (file, code) in [
        (Sample::new().table(), ErrorCode::NotSigned),
        (form.table(), ErrorCode::NotSigned),
        (b"%PNG".to_vec(), ErrorCode::NotAPdf),
        (signed()[..5000].to_vec(), ErrorCode::PdfDamaged),
        (include_bytes!("../../../testdata/pdf/encrypted/aes-256.pdf").to_vec(), ErrorCode::PdfEncrypted),
    ] {
        assert_eq!(validate_pdf(&file, &context()).unwrap_err().code(), code);
    }
}

#[test]
fn a_dictionary_with_missing_or_wrong_entries_fails() {
    let file = signed();
    let (range, contents) = (byte_range(&file), format!("/Contents <{}>", contents(&file)));
    let numbers = range.trim_start_matches("/ByteRange [").trim_end_matches(']').trim().to_owned();
    for wrong in [
        "/ByteRagne [0 1 2 3]".to_owned(),
        "/ByteRange null".to_owned(),
        "/ByteRange []".to_owned(),
        "/ByteRange [0 1]".to_owned(),
        "/ByteRange 4 0 R".to_owned(),
        "/ByteRange (0 1 2 3)".to_owned(),
        format!("/ByteRange [{numbers} 0]"),
        format!("/ByteRange [0{numbers}.0]"),
        format!("/ByteRange [-{numbers}]"),
        format!("/ByteRange [1{numbers}]"),
        "/ByteRange [0 0 0 0]".to_owned(),
        "/ByteRange [0 99999999999999 99999999999999 99999999999999]".to_owned(),
        "/ByteRange [0 1 9223372036854775807 9223372036854775807]".to_owned(),
    ] {
        assert!(is_caught(&replaced(&file, &range, &wrong)), "{wrong}");
        let forged = format!("<</Type /Sig /SubFilter /ETSI.CAdES.detached {wrong} {contents}>>");
        let forged = append(&file, &[(SIGNATURE, &forged)], "/Size 8");
        check_caught(&forged, Check::PdfByteRange, &wrong);
    }
    for wrong in [
        "",
        "/Contents null",
        "/Contents ()",
        "/Contents <>",
        "/Contents 4 0 R",
        "/Contents [<00>]",
        "/Contents <0>",
        "/Contents <00 00>",
        "/Contents <00%\n00>",
        "/Contents <aB>",
        "/Contents (0000)",
    ] {
        let forged = format!("<</Type /Sig /SubFilter /ETSI.CAdES.detached {range} {wrong}>>");
        check_caught(&append(&file, &[(SIGNATURE, &forged)], "/Size 8"), Check::PdfDictionary, wrong);
    }
    for wrong in ["null", "9 0 R", "4 0 R", "(text)", "<<>>", "3 0 R"] {
        let forged = format!("<</FT /Sig /T (Signature1) /V {wrong}>>");
        let report = validate(&append(&file, &[(FIELD, &forged)], "/Size 8"));
        assert_eq!(report.overall(), Indication::Failed, "{wrong}: {report}");
    }
    let forged = format!("<</Type /Annot {range} {contents}>>");
    check_caught(&append(&file, &[(SIGNATURE, &forged)], "/Size 8"), Check::PdfDictionary, "another type");
}

#[test]
fn contents_holds_the_signature_and_zeros_only() {
    let file = signed();
    let old = contents(&file);
    let first_zero = old.trim_end_matches('0').len() + 2;
    let hidden = format!("{}41{}", &old[..first_zero], &old[first_zero + 2..]);
    let upper = old.to_ascii_uppercase();
    assert_eq!(validate(&replaced(&file, &old, &upper)).overall(), Indication::Passed);
    let mixed = format!("{}{}", &upper[..60], &old[60..]);
    let spaced = format!("{} {}", &old[..first_zero], &old[first_zero + 1..]);
    check_caught(&replaced(&file, &old, &hidden), Check::Format, "bytes behind the signature");
    check_caught(&replaced(&file, &old, &mixed), Check::PdfDictionary, "mixed case");
    check_caught(&replaced(&file, &old, &spaced), Check::PdfDictionary, "white space");
    check_caught(&replaced(&file, &old, &"0".repeat(old.len())), Check::Format, "zeros only");
}

#[test]
fn a_byte_range_that_leaves_out_more_or_less_than_contents_fails_although_its_digest_is_right() {
    let file = signed();
    let [_, a, b, c] = range_of(&file);
    assert_eq!(validate(&sign_range(&file, [0, a, b, c])).overall(), Indication::Passed, "the helper works");
    for (range, what) in [
        ([0, a - 1, b, c], "one byte before"),
        ([0, a, b + 1, c - 1], "one byte behind"),
        ([0, a - 20, b, c], "the name of the entry"),
        ([0, a, b + 2, c - 2], "the end of the dictionary"),
        ([0, b, b, c], "nothing at all"),
        ([0, a + 10, b, c], "not the start of the signature"),
        ([1, a - 1, b, c], "not the start of the file"),
        ([0, b, a, c], "overlapping"),
    ] {
        check_caught(&sign_range(&file, range), Check::PdfByteRange, what);
    }
    for (range, what) in [
        ([0, a, b, c - 1], "all but the last byte, a line end"),
        ([0, a, b, c - 7], "without %%EOF"),
        ([0, a, b, 60], "the dictionary and little more"),
    ] {
        let file = sign_range(&file, range);
        if range[3] == c - 1 {
            assert_eq!(validate(&file).overall(), Indication::Passed, "{what}");
        } else {
            check_caught(&file, Check::PdfCoverage, what);
        }
    }
}

#[test]
fn content_added_by_a_later_revision_is_found() {
    let file = signed();
    let page = "<</Type /Page /Parent 2 0 R /Contents 8 0 R /Annots [6 0 R]>>";
    let text = "<</Length 3>>\nstream\nq Q\nendstream";
    let catalog = |entries: &str| {
        format!(
            "<</Type /Catalog /Pages 2 0 R /AcroForm 7 0 R /Extensions <</ESIC <</BaseVersion /1.7 \
             /ExtensionLevel 2>>>> {entries}>>"
        )
    };
    let same = append(&file, &[(1, &catalog(""))], "/Size 8");
    assert_eq!(validate(&same).overall(), Indication::Passed);
    let tree = catalog("").replace("2 0 R", "9 0 R");
    let renumbered = catalog("").replace("7 0 R", "9 0 R");
    let cases: [(&[(u32, &str)], &str); 16] = [
        (&[(4, text)], "the text of the page"),
        (&[(3, page), (8, text)], "the page"),
        (&[(2, "<</Type /Pages /Kids [3 0 R 3 0 R]>>")], "the page tree"),
        (&[(1, &tree), (9, "<</Type /Pages /Kids [3 0 R]>>")], "another page tree"),
        (&[(1, &renumbered), (9, "<</Fields [6 0 R] /SigFlags 3>>")], "nothing but a number, yet harmless"),
        (&[(1, &catalog("/OpenAction 8 0 R")), (8, "<</S /JavaScript /JS (x)>>")], "an action"),
        (&[(1, &catalog("/Perms <<>>"))], "permissions"),
        (&[(1, &catalog("/Extensions2 4 0 R"))], "an unknown entry"),
        (&[(7, "<</Fields [6 0 R] /SigFlags 3 /DR 8 0 R>>")], "resources of the form"),
        (&[(7, "<</Fields [] /SigFlags 3>>")], "a field removed"),
        (&[(7, "<</Fields [6 0 R 8 0 R]>>"), (8, "<</FT /Tx /T (x) /V (y)>>")], "a text field"),
        (&[(7, "<</Fields [6 0 R 4 0 R]>>")], "an old object as a field"),
        (&[(7, "<</Fields [6 0 R <</FT /Sig>>]>>")], "a field without an object"),
        (&[(8, "(stray)")], "an object that nothing refers to, which is harmless"),
        (&[(8, "<</Type /Catalog /Pages 2 0 R>>")], "a catalogue that a repairing reader would find"),
        (&[(3, "null")], "a page removed"),
    ];
    for (objects, what) in cases {
        let changed = append(&file, objects, "/Size 10");
        if what.ends_with("harmless") {
            assert_eq!(validate(&changed).overall(), Indication::Passed, "{what}: {}", validate(&changed));
            continue;
        }
        match validate_pdf(&changed, &context()) {
            Ok(_) => check_caught(&changed, Check::PdfModifications, what),
            Err(error) => {
                assert!(matches!(error.code(), ErrorCode::NotSigned | ErrorCode::PdfDamaged), "{what}")
            }
        }
    }
}

#[test]
fn a_change_cannot_borrow_the_reason_of_a_signature() {
    // Page contents given as an array and a resource dictionary, both objects of their own, wait to be
    // replaced.
    let file = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R>>")
        .with(3, "<</Type /Page /Parent 2 0 R /Contents 8 0 R /Resources 9 0 R>>")
        .with(8, "[4 0 R]")
        .with(9, "<</Font <<>>>>")
        .header("%PDF-1.6\n")
        .table();
    let file = sign(&file);
    let (signature, field, form) = (10, 11, 12);
    let range = byte_range(&file);
    let new_signature = format!("<</Type /Sig {range} /Contents <00>>>");
    let widget = |entries: &str| format!("<</FT /Sig /T (s) /Rect [0 0 0 0] /P 3 0 R /V 13 0 R {entries}>>");
    let fields = format!("<</Fields [{field} 0 R 14 0 R] /SigFlags 3>>");
    let page = |entries: &str| format!("<</Type /Page /Parent 2 0 R {entries}>>");
    let untouched = page("/Contents 8 0 R /Resources 9 0 R /Annots [11 0 R 14 0 R]");
    let catalog = |entries: &str| format!("<</Type /Catalog /Pages 2 0 R /AcroForm {form} 0 R {entries}>>");
    let base = [(13, new_signature.as_str()), (form, fields.as_str())];
    let plain = widget("");
    let check = |objects: &[(u32, &str)], is_harmless: bool, what: &str| {
        let objects: BTreeMap<_, _> = base.iter().chain(objects).copied().collect();
        let changed = append(&file, &objects.into_iter().collect::<Vec<_>>(), "/Size 20");
        let report = validate(&changed);
        assert_eq!(report.signatures[0].indication == Indication::Passed, is_harmless, "{what}: {report}");
        assert_ne!(report.overall(), Indication::Passed, "the second signature is nonsense: {what}");
    };
    check(&[(14, &plain), (3, &untouched)], true, "a further signature");
    check(&[(14, &plain)], true, "a further signature that no page lists");
    check(&[(14, &plain), (3, &untouched), (8, "[14 0 R]")], false, "the contents array beside it");
    let borrowed = page("/Contents 8 0 R /Resources 9 0 R /Annots 8 0 R");
    check(
        &[(14, &plain), (3, &borrowed), (8, "[11 0 R 14 0 R]")],
        false,
        "the contents array as annotations",
    );
    let extended = catalog("/Extensions 9 0 R");
    check(&[(14, &plain), (1, &extended), (9, "<</Font <<>> /X <<>>>>")], false, "resources as extensions");
    check(&[(14, &plain), (1, &catalog("/Extensions <</X 4 0 R>>"))], false, "a stream as an extension");
    check(&[(14, &plain), (1, &catalog("/Extensions <</X <</URL (x)>>>>"))], true, "an extension");
    check(
        &[(14, &plain), (3, &page("/Contents 4 0 R /Resources 9 0 R /Annots [11 0 R 14 0 R]"))],
        false,
        "page contents",
    );
    check(&[(14, &widget("/AP <</N 4 0 R>>"))], false, "an appearance");
    check(&[(14, &plain.replace("0 0 0 0]", "0 0 90 90]"))], true, "a visible field");
    check(&[(14, &plain.replace("13 0 R", &format!("{signature} 0 R")))], false, "an old signature again");
    check(&[(14, &plain.replace("13 0 R", "4 0 R"))], false, "an old stream as the value");
    check(&[(14, &widget("/AA 4 0 R"))], false, "an action");
    let annotation = (15, "<</Type /Annot /Subtype /FreeText /Rect [0 0 90 90]>>");
    let listed = page("/Contents 8 0 R /Resources 9 0 R /Annots [11 0 R 14 0 R 15 0 R]");
    check(&[(14, &plain), (3, &listed), annotation], false, "an annotation");
    let leading = format!("<</Type /Sig {range} /Contents <00> /Prop_Build 4 0 R>>");
    check(&[(14, &plain), (13, &leading)], false, "a signature that leads elsewhere");
}

#[test]
fn bytes_that_no_cross_reference_names_are_found() {
    let file = signed();
    let twice = sign(&file);
    assert_eq!(validate(&twice).overall(), Indication::Passed);
    assert_eq!(validate(&[&file[..], b"\r\n\0 "].concat()).overall(), Indication::Passed, "white space");
    let evil = b"4 0 obj\n<</Length 3>>\nstream\nq Q\nendstream\nendobj\n";
    let (before, after) = (&twice[..file.len()], &twice[file.len()..]);
    check_caught(&[&file[..], evil].concat(), Check::PdfModifications, "an object without cross-reference");
    check_caught(&[&file[..], b"% comment"].concat(), Check::PdfModifications, "a comment");
    check_caught(&[&twice[..], evil].concat(), Check::PdfModifications, "behind the last revision");
    assert!(is_caught(&[before, evil, after].concat()), "between the revisions");
    let shifted = append(&[&file[..], evil].concat()[..], &[], "/Size 8");
    assert!(is_caught(&shifted), "with an empty section behind");
    let trailer = b"trailer\n<</Root 4 0 R>>\nstartxref\n9\n%%EOF\n";
    assert!(is_caught(&[&file[..], evil, trailer].concat()), "with a broken trailer");
}

#[test]
fn a_hidden_object_cannot_be_brought_in_later() {
    // Object 9 is in the signed bytes but in no cross-reference; a later row would swap it in for the page's
    // text.
    let hidden = "<</Length 3>>\nstream\nq Q\nendstream";
    let file = Sample::new().with(9, hidden).table();
    let at = find(&file, b"9 0 obj").unwrap();
    let file = replaced(&file, &format!("{at:010} 00000 n"), "0000000000 00001 f");
    let signed = sign(&file);
    assert_eq!(validate(&signed).overall(), Indication::Passed);
    let tail = |rows: &str| {
        let previous = last_startxref(&signed);
        let id = "/ID [<00112233445566778899aabbccddeeff> ()]";
        let trailer = format!("trailer\n<</Size 13 /Root 1 0 R {id} /Prev {previous}>>");
        let text = format!("xref\n{rows}{trailer}\nstartxref\n{}\n%%EOF\n", signed.len());
        [&signed[..], text.as_bytes()].concat()
    };
    let swapped = tail(&format!("9 1\n{at:010} 00000 n \n"));
    assert!(is_caught(&swapped));
    let freed = tail("4 1\n0000000000 00001 f \n");
    assert!(is_caught(&freed));
}

#[test]
fn a_later_revision_cannot_lead_around_the_signed_one() {
    let unsigned = Sample::new().table();
    let file = sign(&unsigned);
    let detour = append(&file, &[(1, "<</Type /Catalog /Pages 2 0 R /AcroForm 7 0 R>>")], "/Size 8");
    let (signed_at, original_at) = (last_startxref(&file), last_startxref(&unsigned));
    let around = replaced(&detour, &format!("/Prev {signed_at}"), &format!("/Prev {original_at}"));
    assert!(is_caught(&around));
}

#[test]
fn one_signature_in_two_fields_fails() {
    let file = signed();
    let two =
        append(&file, &[(7, "<</Fields [6 0 R 8 0 R]>>"), (8, "<</FT /Sig /T (copy) /V 5 0 R>>")], "/Size 9");
    check_caught(&two, Check::PdfDictionary, "two fields");
}

#[test]
fn a_certification_that_forbids_changes_makes_a_later_signature_fail() {
    let certified = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /Perms <</DocMDP 5 0 R>>>>")
        .with(5, "<</Type /Sig /Reference [<</TransformMethod /DocMDP /TransformParams <</P 2>>>>]>>")
        .table();
    let twice = sign(&sign(&certified));
    assert_eq!(validate(&twice).overall(), Indication::Passed);
    check_caught(&replaced(&twice, "/P 2>>", "/P 1>>"), Check::PdfModifications, "P = 1");
}

#[test]
fn a_sub_filter_that_is_not_read_is_not_conclusive() {
    let file = signed();
    for (name, indication) in [
        ("ETSI.CAdES.detached", Indication::Passed),
        ("adbe.pkcs7.detached", Indication::Passed),
        ("PBAD.PAdES", Indication::Passed),
        ("adbe.pkcs7.sha1", Indication::Indeterminate),
        ("ETSI.RFC3161", Indication::Indeterminate),
    ] {
        let padded = format!("{:<20}", format!("/{name}"));
        let file = replaced(&file, "/ETSI.CAdES.detached", &padded);
        let range = range_of(&file);
        assert_eq!(validate(&sign_range(&file, range)).overall(), indication, "{name}");
    }
    let stamp = replaced(&file, "/Type /Sig/Filter /Adobe.PPKLite", "/Type /DocTimeStamp/Filter /PPKL");
    let range = range_of(&stamp);
    assert_eq!(validate(&sign_range(&stamp, range)).overall(), Indication::Indeterminate, "a time stamp");
}

#[test]
fn signatures_of_foreign_programs_are_validated() {
    for (file, fields, first) in [
        (&include_bytes!("../../../testdata/pdf/pyhanko.pdf")[..], &["PySig"][..], Indication::Passed),
        (
            include_bytes!("../../../testdata/pdf/pyhanko-second.pdf"),
            &["Signature1", "PySig"],
            Indication::Passed,
        ),
        (
            include_bytes!("../../../testdata/pdf/pyhanko-second-visible.pdf"),
            &["Signature1", "PySig"],
            Indication::Passed,
        ),
    ] {
        let report = validate(file);
        let names: Vec<_> = report.signatures.iter().map(|s| s.field.as_deref().unwrap()).collect();
        assert_eq!(names, fields);
        assert_eq!(report.signatures[0].indication, first, "{report}");
        assert_eq!(report.signatures.last().unwrap().indication, Indication::Passed, "{report}");
        assert!(!is_caught(&sign(file)) || first != Indication::Passed, "a further signature of ours");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_flipped_byte_outside_the_padding_passes(
        twice in any::<bool>(),
        at in any::<prop::sample::Index>(),
        mask in 1_u8..,
    ) {
        let once = signed();
        let mut file = if twice { sign(&once) } else { once };
        let text = contents(&file);
        let padding = find(&file, text.as_bytes()).unwrap() + text.trim_end_matches('0').len();
        let padding = padding..find(&file, text.as_bytes()).unwrap() + text.len();
        let mut at = at.index(file.len());
        if padding.contains(&at) {
            at = padding.end + at % (file.len() - padding.end);
        }
        // The versions of SignedData and SignerInfo say nothing that the rest of the structure does not say.
        let is_version = file[..at].ends_with(b"02010") || file[..at].ends_with(b"0201");
        file[at] ^= mask;
        prop_assert!(is_caught(&file) || is_version, "byte {} of {}", at, file.len());
    }
}
