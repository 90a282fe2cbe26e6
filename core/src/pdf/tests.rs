//! The reader over whole files: what it reads, what it refuses and why.

mod limits;
mod properties;

use proptest::prelude::*;

use super::sample::{Sample, append, replaced};
use super::*;

/// Opens a file and reads everything that signing reads.
fn read(file: &[u8]) -> Result<(Reference, Vec<SignatureField>), PdfError> {
    let document = Document::open(file)?;
    let (_, catalog) = document.catalog()?;
    let (page, _) = document.first_page(&catalog)?;
    Ok((page, signature_fields(&document)?))
}

fn check_refused(file: &[u8], code: ErrorCode, what: &str) {
    let error = read(file).expect_err(what);
    assert_eq!(error.code(), code, "{what}: {error}");
}

const PAGE: Reference = Reference { number: 3, generation: 0 };

#[test]
fn the_first_page_is_found_in_every_kind_of_file() {
    let sample = Sample::new();
    let files = [
        sample.table(),
        sample.stream(&[]),
        sample.stream(&[1, 2, 3]),
        replaced(&sample.table(), "\n%%EOF\n", "\r\n%%EOF\r\n\0\0"),
        append(&sample.table(), &[(9, "null")], "/Size 10"),
        Sample::new().with(2, "<</Kids [7 0 R 3 0 R]>>").with(7, "<</Type /Pages /Kids [] >>").table(),
    ];
    for file in files {
        assert_eq!(read(&file).unwrap().0, PAGE, "{}", String::from_utf8_lossy(&file));
    }
}

#[test]
fn files_of_foreign_programs_are_read() {
    for (file, page) in [
        (&include_bytes!("../../testdata/pdf/plain.pdf")[..], 3),
        (include_bytes!("../../testdata/pdf/object-streams.pdf"), 4),
        (include_bytes!("../../testdata/pdf/linearized.pdf"), 6),
        (include_bytes!("../../testdata/pdf/linearized-object-streams.pdf"), 8),
        (include_bytes!("../../testdata/pdf/form.pdf"), 3),
        (include_bytes!("../../testdata/pdf/pypdf-updated.pdf"), 4),
    ] {
        assert_eq!(read(file).unwrap().0.number, page);
    }
}

#[test]
fn what_is_not_a_pdf_is_told_from_a_damaged_one() {
    let file = Sample::new().table();
    check_refused(b"", ErrorCode::NotAPdf, "empty");
    check_refused(b"PK\x03\x04 a zip file", ErrorCode::NotAPdf, "zip");
    check_refused(&[b"junk\n", &file[..]].concat(), ErrorCode::PdfUnsupported, "junk before the header");
    check_refused(b"%PDF-1.7\n", ErrorCode::PdfDamaged, "header only");
    check_refused(&replaced(&file, "%PDF-1.7", "%PDF-x.7"), ErrorCode::PdfDamaged, "no version");
    for cut in [file.len() / 2, file.len() - 10, file.len() - 30] {
        check_refused(&file[..cut], ErrorCode::PdfDamaged, "cut off");
    }
    check_refused(&[&file[..], &[b'x'; 4000]].concat(), ErrorCode::PdfDamaged, "overgrown");
}

#[test]
fn a_startxref_that_points_elsewhere_is_refused() {
    let file = Sample::new().table();
    let text = String::from_utf8_lossy(&file).into_owned();
    let at: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
    for wrong in [0, 1, at - 1, at + 1, at + 5, file.len(), usize::MAX] {
        let file = replaced(&file, &format!("startxref\n{at}"), &format!("startxref\n{wrong}"));
        check_refused(&file, ErrorCode::PdfDamaged, &format!("startxref {wrong} for {at}"));
    }
    check_refused(&replaced(&file, "startxref\n", "startxref\n-"), ErrorCode::PdfDamaged, "negative");
}

/// As Word writes them: a table of everything, then an empty one with a stream beside it.
fn hybrid(hidden_row: &str, stream_rows: [[u8; 4]; 2]) -> Vec<u8> {
    let first = replaced(&Sample::new().with(9, "(nine)").table(), "/Size 10", "/Size 12");
    let nine_at = sample::find(&first, b"9 0 obj").unwrap();
    let first = replaced(&first, &format!("{nine_at:010} 00000 n"), hidden_row);
    let mut file = first.clone();
    let member = b"9 0 (hidden)";
    let container_at = file.len();
    file.extend(b"10 0 obj\n<</Type /ObjStm /N 1 /First 4 /Length 12>>\nstream\n");
    file.extend(member);
    file.extend(b"\nendstream\nendobj\n");
    let stream_at = file.len();
    let at = u16::try_from(container_at).unwrap().to_be_bytes();
    let rows = [
        stream_rows[0],
        stream_rows[1].map(|byte| {
            if byte == 0xfe {
                at[0]
            } else if byte == 0xff {
                at[1]
            } else {
                byte
            }
        }),
    ];
    file.extend(b"11 0 obj\n<</Type /XRef /Size 12 /W [1 2 1] /Index [9 2] /Length 8>>\nstream\n");
    file.extend(rows.as_flattened());
    file.extend(b"\nendstream\nendobj\n");
    let (previous, table_at) = (sample::last_startxref(&first), file.len());
    let trailer = format!("<</Size 12 /Root 1 0 R /Prev {previous} /XRefStm {stream_at}>>");
    file.extend(format!("xref\n0 0\ntrailer\n{trailer}\nstartxref\n{table_at}\n%%EOF\n").bytes());
    file
}

const FREE_ROW: &str = "0000000000 65535 f";
/// Object 9 is the first of object stream 10, which stands at its place.
const IN_STREAM: [[u8; 4]; 2] = [[2, 0, 10, 0], [1, 0xfe, 0xff, 0]];

#[test]
fn a_hybrid_file_shows_what_its_stream_hides() {
    let file = hybrid(FREE_ROW, IN_STREAM);
    let nine = |file: &[u8]| {
        let document = Document::open(file).unwrap();
        document.resolve(&Reference { number: 9, generation: 0 }.into()).unwrap()
    };
    assert_eq!(nine(&file), Object::String(b"hidden".to_vec()));
    assert_eq!(read(&file).unwrap().0, PAGE);
    // An update is a plain table, in which every reader finds the new objects.
    let (new, added) = updated(&file);
    assert_eq!(added, 12);
    let after = Document::open(&new).unwrap();
    assert!(after.newest().kind == SectionKind::Table && after.newest().hidden().is_none());
    assert_eq!(nine(&new), Object::String(b"hidden".to_vec()));
    // A table that marks the hidden object as free in its own section.
    let same_section = replaced(&file, "xref\n0 0\n", &format!("xref\n9 1\n{FREE_ROW} \n"));
    assert_eq!(nine(&same_section), Object::String(b"hidden".to_vec()));
}

#[test]
fn a_hybrid_file_with_two_places_for_an_object_is_refused() {
    let file = hybrid(FREE_ROW, IN_STREAM);
    for row in ["0000000015 00000 n", "0000000090 00001 n"] {
        let file = replaced(&file, "xref\n0 0\n", &format!("xref\n9 1\n{row} \n"));
        check_refused(&file, ErrorCode::PdfUnsupported, row);
    }
    let at = sample::find(&file, b"10 0 obj").unwrap();
    let agreeing = replaced(&file, "xref\n0 0\n", &format!("xref\n10 1\n{at:010} 00000 n \n"));
    assert!(read(&agreeing).is_ok());
    let freed = hybrid(FREE_ROW, [[0, 0, 0, 0], IN_STREAM[1]]);
    let freed = replaced(&freed, "xref\n0 0\n", "xref\n9 1\n0000000015 00000 n \n");
    check_refused(&freed, ErrorCode::PdfUnsupported, "free in the stream only");
}

#[test]
fn an_xrefstm_that_leads_elsewhere_is_refused() {
    for (entry, what) in [
        ("/XRefStm 15", "no section"),
        ("/XRefStm -1", "negative"),
        ("/XRefStm (x)", "no number"),
        ("/XRefStm 99999999", "outside"),
    ] {
        check_refused(&Sample::new().trailer(entry).table(), ErrorCode::PdfDamaged, what);
    }
    let table = Sample::new().table();
    let table_at = sample::last_startxref(&table);
    let to_a_table = append(&table, &[], &format!("/Size 5 /XRefStm {table_at}"));
    check_refused(&to_a_table, ErrorCode::PdfDamaged, "a table");
}

#[test]
fn loops_end() {
    let table = Sample::new().table();
    let at = String::from_utf8_lossy(&table).rfind("xref\n0 ").unwrap();
    let to_itself = Sample::new().trailer(&format!("/Prev {at}")).table();
    check_refused(&to_itself, ErrorCode::PdfDamaged, "Prev to itself");
    let pages = Sample::new().with(2, "<</Type /Pages /Kids [2 0 R]>>").table();
    check_refused(&pages, ErrorCode::PdfDamaged, "page tree");
    let alias = Sample::new().with(1, "1 0 R").table();
    check_refused(&alias, ErrorCode::PdfDamaged, "reference to itself");
    let length = Sample::new().with(4, "<</Length 4 0 R>>\nstream\nx\nendstream").table();
    let document = Document::open(&length).unwrap();
    assert!(document.object(Reference { number: 4, generation: 0 }).is_err());
    let form = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [8 0 R]>>>>")
        .with(8, "<</T (a) /Kids [8 0 R]>>");
    check_refused(&form.table(), ErrorCode::PdfDamaged, "field tree");
}

#[test]
fn a_size_that_lies_is_refused() {
    let file = Sample::new().table();
    for wrong in ["0", "-1", "4", "5.0", "(5)"] {
        check_refused(&replaced(&file, "/Size 5", &format!("/Size {wrong}")), ErrorCode::PdfDamaged, wrong);
    }
    let shrunk = append(&file, &[(2, "<<>>")], "/Size 3");
    check_refused(&shrunk, ErrorCode::PdfDamaged, "smaller than before");
    assert!(read(&replaced(&file, "/Size 5", "/Size 5000")).is_ok());
}

#[test]
fn cross_references_off_by_a_byte_are_refused() {
    let file = Sample::new().table();
    let document = Document::open(&file).unwrap();
    let Entry::Offset { offset, .. } = document.entry(2).unwrap() else { panic!("2 is a plain object") };
    for wrong in [offset - 1, offset + 1, 0, file.len() as u64, 9_999_999_999] {
        let row = |offset: u64| format!("{offset:010} 00000 n");
        let file = replaced(&file, &row(offset), &row(wrong));
        check_refused(&file, ErrorCode::PdfDamaged, &format!("{wrong} for {offset}"));
    }
    check_refused(&replaced(&file, " 65535 f \n", " 65535 f\n"), ErrorCode::PdfDamaged, "19-byte rows");
    check_refused(&replaced(&file, "xref\n0 5", "xref\n0 1\n0 4"), ErrorCode::PdfDamaged, "an object twice");
    check_refused(&replaced(&file, "xref\n0 5", "xref\n0 8000000"), ErrorCode::PdfDamaged, "too many rows");
}

#[test]
fn free_objects_and_other_generations_are_null() {
    let file = Sample::new().with(9, "(nine)").table();
    let document = Document::open(&file).unwrap();
    let read = |number, generation| document.resolve(&Reference { number, generation }.into()).unwrap();
    assert_eq!(read(9, 0), Object::String(b"nine".to_vec()));
    for (number, generation) in [(9, 1), (8, 0), (8, 1), (0, 65535), (10, 0), (u32::MAX, 0)] {
        assert_eq!(read(number, generation), Object::Null, "{number} {generation}");
    }
}

#[test]
fn deep_nesting_is_refused_wherever_it_stands() {
    let deep = "[".repeat(100_000);
    check_refused(&Sample::new().with(3, &deep).table(), ErrorCode::LimitExceeded, "page");
    check_refused(&Sample::new().with(3, &deep).stream(&[3]), ErrorCode::LimitExceeded, "object stream");
    check_refused(&Sample::new().trailer(&format!("/X {deep}")).table(), ErrorCode::LimitExceeded, "trailer");
}

#[test]
fn signature_fields_are_found_below_their_parents() {
    let file = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm 5 0 R>>")
        .with(5, "<</Fields 6 0 R>>")
        .with(6, "[7 0 R 10 0 R <</FT /Sig /T (direct) /V 13 0 R>> 11 0 R]")
        .with(7, "<</T (group) /FT /Sig /Kids [8 0 R 9 0 R]>>")
        .with(8, "<</T (one) /V 12 0 R>>")
        .with(9, "<</T (empty)>>")
        .with(10, "<</T (text) /FT /Tx /V (x)>>")
        .with(11, "<</T (broken) /FT /Sig /V null>>")
        .table();
    let found: Vec<_> = read(&file).unwrap().1.into_iter().map(|field| (field.name, field.value)).collect();
    let reference = |number| Object::Reference(Reference { number, generation: 0 });
    let expected = [("group.one", reference(12)), ("direct", reference(13)), ("broken", Object::Null)];
    assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
}

fn samples() -> [Vec<u8>; 3] {
    let form = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm 5 0 R>>")
        .with(5, "<</Fields [<</FT /Sig /T (a) /V 7 0 R>>]>>");
    [form.table(), form.stream(&[1, 2, 3, 5]), append(&form.table(), &[(2, "<</Kids [3 0 R]>>")], "/Size 6")]
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
        let _ = read(&[b"%PDF-1.4\n", &bytes[..], b"\nstartxref\n9\n%%EOF"].concat());
        let _ = Parser::new(&bytes, 0).object();
        let _ = Parser::new(&bytes, 0).value_span(b"Contents");
    }

    #[test]
    fn no_mutation_makes_the_reader_panic(
        which in 0_usize..3,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = samples()[which].clone();
        for (at, byte) in edits {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = read(&file);
        let _ = read(&file[..cut.index(file.len())]);
    }
}

/// Adds one object and replaces the page; gives the new file and the number of the new object.
fn updated(file: &[u8]) -> (Vec<u8>, u32) {
    let document = Document::open(file).unwrap();
    let (_, catalog) = document.catalog().unwrap();
    let (page, dictionary) = document.first_page(&catalog).unwrap();
    let mut update = IncrementalUpdate::new(&document, b"").unwrap();
    let added = update.allocate();
    update.put_body(added, b"(added)".to_vec());
    update.put(page, &dictionary.with(b"Added", added).into());
    let revision = update.finish(|_| vec![7; 16]).unwrap();
    assert!(revision.bytes[revision.body_offsets[&added.number]..].starts_with(b"(added)"));
    ([file, &revision.bytes].concat(), added.number)
}

#[test]
fn an_update_keeps_the_kind_of_the_last_cross_reference_and_what_the_trailer_said() {
    let plain = Sample::new().trailer("/Info 4 0 R");
    let files = [
        plain.table(),
        plain.stream(&[]),
        plain.stream(&[1, 2, 3]),
        plain.table().trim_ascii_end().to_vec(),
        include_bytes!("../../testdata/pdf/linearized.pdf").to_vec(),
        include_bytes!("../../testdata/pdf/linearized-object-streams.pdf").to_vec(),
        include_bytes!("../../testdata/pdf/pypdf-updated.pdf").to_vec(),
    ];
    for file in files {
        let before = Document::open(&file).unwrap();
        let (new, added) = updated(&file);
        let (newer, _) = updated(&new);
        let after = Document::open(&newer).unwrap();
        let (old, last) = (before.newest(), after.newest());
        assert_eq!(matches!(old.kind, SectionKind::Table), matches!(last.kind, SectionKind::Table));
        for key in [&b"Root"[..], b"Info"] {
            assert_eq!(old.trailer.get(key), last.trailer.get(key));
        }
        let identifier = |section: &Section| section.trailer.get(b"ID").unwrap().as_array().unwrap().to_vec();
        assert_eq!(identifier(old)[0], identifier(last)[0]);
        assert_eq!(identifier(last)[1], Object::String(vec![7; 16]));
        assert_eq!(after.sections().len(), before.sections().len() + 2);
        let (_, page) = after.first_page(&after.catalog().unwrap().1).unwrap();
        assert_eq!(after.value(&page, b"Added").unwrap(), Some(Object::String(b"added".to_vec())));
        assert!(page.get(b"Parent").is_some());
        let used = before.sections().iter().filter_map(|section| match section.kind {
            SectionKind::Stream(number) => Some(number),
            SectionKind::Table => None,
        });
        assert!(used.max().is_none_or(|number| added > number), "{added} replaces a cross-reference stream");
    }
}

#[test]
fn new_numbers_begin_behind_every_revision() {
    let file = append(&Sample::new().with(20, "(twenty)").table(), &[(2, "<</Kids [3 0 R]>>")], "/Size 500");
    assert_eq!(updated(&file).1, 500);
    let full = replaced(&Sample::new().table(), "/Size 5", "/Size 8388608");
    let document = Document::open(&full).unwrap();
    let mut update = IncrementalUpdate::new(&document, b"").unwrap();
    let added = update.allocate();
    update.put(added, &Object::Null);
    assert_eq!(update.finish(|_| vec![]).unwrap_err().code(), ErrorCode::LimitExceeded);
}

#[test]
fn generations_of_replaced_objects_are_kept() {
    let file = replaced(&Sample::new().table(), "3 0 obj", "3 2 obj");
    let file = replaced(&file, "Kids [3 0 R]", "Kids [3 2 R]");
    let document = Document::open(&file).unwrap();
    let Entry::Offset { offset, .. } = document.entry(3).unwrap() else { panic!("3 is a plain object") };
    let file = replaced(&file, &format!("{offset:010} 00000 n"), &format!("{offset:010} 00002 n"));
    let (new, _) = updated(&file);
    let after = Document::open(&new).unwrap();
    let (page, dictionary) = after.first_page(&after.catalog().unwrap().1).unwrap();
    assert_eq!((page.generation, dictionary.get(b"Added").is_some()), (2, true));
}
