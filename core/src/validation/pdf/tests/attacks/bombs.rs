//! Loops and bombs: files that never end, or grow, when they are read. Each is refused at once.

use super::super::forge::*;
use super::*;

/// Not passed. Had it been read to its end, the test would not come to its own.
fn is_refused(name: &str, file: &[u8]) {
    assert!(is_caught(file), "{name}: {}", validate(file));
}

fn exceeds_a_limit(name: &str, file: &[u8]) {
    let error = validate_pdf(file, &context()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::LimitExceeded, "{name}: {error}");
    assert!(error.to_string().contains(|c: char| c.is_ascii_digit()), "the limit is named: {error}");
}

#[test]
fn loops_end() {
    let file = signed_contract();
    let at = file.len();
    let table = |previous: usize| {
        format!("xref\n0 0\ntrailer\n<</Size 22 /Root 1 0 R /Prev {previous}>>\nstartxref\n{at}\n%%EOF\n")
    };
    let update = |objects: &[(u32, &str)]| append(&file, objects, "/Size 50");
    let field = signature_field("banco", 20, "[0 0 0 0]", "/Kids [40 0 R]");
    for (name, file) in [
        ("a section before itself", [&file[..], table(at).as_bytes()].concat()),
        ("a reference to itself", update(&[(5, "5 0 R")])),
        ("references in a circle", update(&[(5, "40 0 R"), (40, "5 0 R")])),
        ("fields in a circle", update(&[(21, &field), (40, "<</T (x) /Kids [21 0 R]>>")])),
        ("a length that is itself", update(&[(4, "<</Length 4 0 R>>\nstream\nq Q\nendstream")])),
        ("pages in a circle", update(&[(2, "<</Type /Pages /Kids [2 0 R]>>")])),
        (
            "an appearance inside itself",
            update(&[(
                7,
                "<</Type /XObject /Subtype /Form /Resources <</XObject <</X 7 0 R>>>> \
                 /Length 4>>\nstream\n/X Do\nendstream",
            )]),
        ),
    ] {
        is_refused(name, &file);
    }
}

#[test]
fn bombs_do_not_go_off() {
    let file = signed_contract();
    let (at, previous) = (file.len(), last_startxref(&file));
    let zeros = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; 64 << 20], 9);
    let stream = |entries: &str, number: u32| {
        let mut stream =
            format!("{number} 0 obj\n<<{entries} /Filter /FlateDecode /Length {}>>\nstream\n", zeros.len())
                .into_bytes();
        stream.extend_from_slice(&zeros);
        stream.extend_from_slice(b"\nendstream\nendobj\n");
        stream
    };
    let xref = stream(&format!("/Type /XRef /Size 8000000 /Root 1 0 R /W [1 4 1] /Prev {previous}"), 40);
    let xref = [&file[..], &xref, format!("startxref\n{at}\n%%EOF\n").as_bytes()].concat();
    exceeds_a_limit("a cross-reference stream", &xref);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    exceeds_a_limit("an array in an array", &append(&file, &[(5, &deep)], "/Size 50"));
    let many: String = (0..30_000).map(|_| "<</FT /Sig>> ").collect();
    exceeds_a_limit("too many fields", &append(&file, &[(5, &form(&format!("[{many}]")))], "/Size 50"));
    let rows = format!("40 150000\n{}", "0000000000 65535 f \n".repeat(150_000));
    let table = format!(
        "xref\n{rows}trailer\n<</Size 150100 /Root 1 0 R /Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
    );
    is_refused("too many rows", &[&file[..], table.as_bytes()].concat());
}
