//! Files made to cost time or memory: each is refused with an error that names the limit, before much was
//! read. What is counted is bytes, not seconds, so that the test says the same on every machine.

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::*;
use crate::pdf::source::tests::Counting;

/// Bytes that may be read of any file of this table.
const MAX_BYTES_READ: u64 = 100 << 20;

/// Reads through windows, as a file on disk is read, and checks error and work.
fn check(file: &[u8], code: ErrorCode, text: &str) {
    let source = Counting::new(file);
    let result = everything(File::from(&source));
    let error = result.expect_err(text);
    assert_eq!((error.code(), error.to_string().contains(text)), (code, true), "{text}: {error}");
    let read = source.bytes_read.get();
    assert!(read < MAX_BYTES_READ, "{text}: {read} bytes read");
    // In memory the same is refused.
    assert_eq!(everything(File::from(file)), Err(error));
}

/// What signing and validation read, and all other objects.
fn everything(file: File<'_>) -> Result<(), PdfError> {
    let document = Document::open(file)?;
    let (_, catalog) = document.catalog()?;
    document.first_page(&catalog)?;
    signature_fields(&document)?;
    for number in 0..document.newest().size()?.min(10_000) {
        if let Some(object) = document.object(Reference { number, generation: 0 })?
            && object.stream.is_some()
        {
            document.stream_data(&object)?;
        }
    }
    Ok(())
}

fn limit(file: &[u8], text: &str) {
    check(file, ErrorCode::LimitExceeded, text);
}

fn stream(dictionary: &str, body: &[u8]) -> Vec<u8> {
    [format!("<<{dictionary} /Length {}>>\nstream\n", body.len()).as_bytes(), body, b"\nendstream"].concat()
}

/// A sample with object 9, which may hold any bytes.
fn with_nine(body: &[u8]) -> Vec<u8> {
    const MARK: &str = "(the place of nine, which is replaced)";
    let file = Sample::new().with(9, MARK).table();
    let at = sample::find(&file, MARK.as_bytes()).unwrap();
    let xref_at = sample::last_startxref(&file);
    let moved = xref_at - MARK.len() + body.len();
    let tail = String::from_utf8(file[at + MARK.len()..].to_vec()).unwrap();
    let tail = tail.replace(&format!("startxref\n{xref_at}"), &format!("startxref\n{moved}"));
    [&file[..at], body, tail.as_bytes()].concat()
}

#[test]
fn objects_that_are_too_deep_too_long_or_too_many() {
    limit(&with_nine("[".repeat(1_000_000).as_bytes()), "64 levels of nested objects");
    limit(&with_nine("<</A".repeat(1_000_000).as_bytes()), "64 levels of nested objects");
    limit(&with_nine(format!("[{}]", "0 ".repeat(1_000_000)).as_bytes()), "500000 values in one object");
    limit(&with_nine(format!("[{}]", "<<>>".repeat(200_000)).as_bytes()), "500000 values in one object");
    limit(&with_nine(&[&b"("[..], &vec![b'x'; 17 << 20], b")"].concat()), "16777216 bytes in one object");
    limit(&with_nine(&[&vec![b' '; 17 << 20][..], b"null"].concat()), "16777216 bytes in one object");
    limit(&with_nine(&[b"%", &vec![b'x'; 17 << 20][..], b"\nnull"].concat()), "16777216 bytes in one object");
}

#[test]
fn page_trees_without_end() {
    let million = "3 0 R ".repeat(1_000_000);
    let pages = |body: &str| Sample::new().with(2, body).table();
    limit(&pages(&format!("<</Type /Pages /Kids [{million}]>>")), "500000 values in one object");
    let mut deep = Sample::new().with(2, "<</Type /Pages /Kids [10 0 R]>>");
    for number in 10..100 {
        deep = deep.with(number, &format!("<</Type /Pages /Kids [{} 0 R]>>", number + 1));
    }
    limit(&deep.table(), "64 page nodes before the first page");
    let empty: String = (0..100).map(|_| "10 0 R ").collect();
    let loops = pages(&format!("<</Type /Pages /Kids [{empty}]>>"));
    check(&loops, ErrorCode::PdfDamaged, "the catalogue or a page is missing");
    check(&pages("<</Type /Pages /Kids [2 0 R]>>"), ErrorCode::PdfDamaged, "the page tree has a loop");
}

#[test]
fn forms_without_end() {
    let form = |fields: &str| {
        Sample::new()
            .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm 5 0 R>>")
            .with(5, &format!("<</Fields [{fields}]>>"))
    };
    limit(&form(&"<</T (a)>>".repeat(30_000)).table(), "20000 fields in a form");
    // Direct kids in one shared array: a tree of 5 to the power of 32.
    let shared = form("<</T (a) /Kids 6 0 R>>").with(6, &format!("[{}]", "<</T (a) /Kids 6 0 R>>".repeat(5)));
    limit(&shared.table(), "levels of fields in a form");
    let long = format!("<</T ({}) /Kids [{}]>>", "n".repeat(1 << 20), "<</T (a)>>".repeat(1000));
    limit(&form(&long).table(), "bytes of fields in a form");
    let value = format!("<</FT /Sig /V ({}) /Kids [{}]>>", "n".repeat(1 << 20), "<</T (a)>>".repeat(1000));
    limit(&form(&value).table(), "bytes of fields in a form");
}

#[test]
fn cross_references_without_end() {
    let file = Sample::new().table();
    limit(&replaced(&file, "xref\n0 5", "xref\n0 1000000000"), "8388607 object numbers");
    limit(&replaced(&file, "/Size 5", "/Size 1000000000"), "8388607 object numbers");
    limit(&replaced(&file, "/Size 5", "/Size 8388609"), "8388607 object numbers");
    let stream = Sample::new().stream(&[]);
    limit(&replaced(&stream, "/Size 7", "/Size 1000000000"), "8388607 object numbers");
    let parts = "0 0\n".repeat(70_000);
    limit(&replaced(&file, "xref\n0 5", &format!("xref\n{parts}0 5")), "65536 parts");
    let blank = " ".repeat(17 << 20);
    limit(&replaced(&file, "xref\n0 5", &format!("xref\n{blank}0 5")), "bytes in one object");
}

#[test]
fn chains_of_revisions_without_end() {
    let mut file = Sample::new().table();
    let mut previous = sample::last_startxref(&file);
    for _ in 0..5000 {
        let at = file.len();
        file.extend(format!("xref\n0 0\ntrailer\n<</Size 5 /Root 1 0 R /Prev {previous}>>\n").bytes());
        previous = at;
    }
    file.extend(format!("startxref\n{previous}\n%%EOF\n").bytes());
    limit(&file, "4096 revisions");
    // Each trailer holds all later ones in a string.
    let mut nested = Sample::new().table();
    let head = "xref\n0 0\ntrailer\n<</X (";
    let start = nested.len();
    (0..200).for_each(|_| nested.extend(head.bytes()));
    nested.extend(vec![b'x'; 1 << 20]);
    let inner = |number: usize| start + number * head.len();
    for number in (0..200).rev() {
        let next = inner((number + 1) % 200);
        nested.extend(format!(")/Size 5 /Root 1 0 R /Prev {next}>>").bytes());
    }
    nested.extend(format!("\nstartxref\n{start}\n%%EOF\n").bytes());
    limit(&nested, "16777216 bytes of trailers");
}

#[test]
fn streams_that_grow_lie_or_hold_one_another() {
    let bomb = compress_to_vec_zlib(&vec![0; 4 << 20], 6);
    let flate =
        |entries: &str, data: &[u8]| with_nine(&stream(&format!("{entries} /Filter /FlateDecode"), data));
    limit(&flate("", &bomb), "256 times the length of a compressed stream");
    let pattern: Vec<u8> = (0..400_u32).map(|i| i.wrapping_mul(i).to_le_bytes()[0]).collect();
    let long = compress_to_vec_zlib(&pattern.repeat((17 << 20) / 400), 6);
    limit(&flate("", &long), "16777216 bytes in a stream");
    limit(&with_nine(&stream("", &vec![0; 17 << 20])), "16777216 bytes in a stream");
    // A bomb of bombs: only one layer is ever taken off.
    let twice = stream("/Filter [/FlateDecode /FlateDecode]", &bomb);
    check(&with_nine(&twice), ErrorCode::PdfUnsupported, "a filter that is not read here");
    for length in ["9999999999", "99999999999999999999", "-1", "4 0 R", "9 0 R", "(x)"] {
        let lying = format!("<</Length {length}>>\nstream\nx\nendstream");
        check(&with_nine(lying.as_bytes()), ErrorCode::PdfDamaged, "");
    }
}

#[test]
fn object_streams_that_hold_too_much_or_themselves() {
    let mut many = b"%PDF-1.7\n2 0 obj\n".to_vec();
    many.extend(stream("/Type /ObjStm /N 1000000000 /First 0", b"1 0 "));
    many.extend(b"\nendobj\n");
    let at = u8::try_from(many.len()).unwrap();
    many.extend(b"3 0 obj\n");
    let rows = [[0, 0, 0], [2, 2, 0], [1, 9, 0], [1, at, 0]];
    many.extend(stream("/Type /XRef /Size 4 /W [1 1 1] /Root 1 0 R", rows.as_flattened()));
    many.extend(format!("\nendobj\nstartxref\n{at}\n%%EOF\n").bytes());
    limit(&many, "262144 objects in one object stream");
    // The row of the container says that it is in the container.
    let own = "5 0 obj\n<</Type /XRef /Size 6 /W [1 1 1] /Root 1 0 R /Length 18>>\nstream\n";
    let rows = [[0, 0, 0], [2, 4, 0], [2, 4, 1], [2, 4, 2], [2, 4, 3], [1, 9, 0]];
    let file =
        [b"%PDF-1.7\n", own.as_bytes(), rows.as_flattened(), b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"];
    check(&file.concat(), ErrorCode::PdfDamaged, "an object stream is missing");
}

#[test]
fn objects_that_share_their_bytes() {
    // Each header but the last stands in the comment of the one before, so that all have one long body.
    let headers: String = (10..60).map(|number| format!("{number} 0 obj %")).collect();
    let body = format!("(x)\nendobj\n{headers}\n<</A ({})>>", "x".repeat(2 << 20));
    let file = Sample::new().with(9, &body).table();
    let at = |number: u32| sample::find(&file, format!("{number} 0 obj %").as_bytes()).unwrap();
    let rows: String = (10..60).map(|number| format!("{:010} 00000 n \n", at(number))).collect();
    let (xref_at, previous) = (file.len(), sample::last_startxref(&file));
    let trailer = format!("trailer\n<</Size 60 /Root 1 0 R /Prev {previous}>>");
    let tail = format!("xref\n10 50\n{rows}{trailer}\nstartxref\n{xref_at}\n%%EOF\n");
    limit(&[&file[..], tail.as_bytes()].concat(), "bytes of objects beyond the length of the file");
}
