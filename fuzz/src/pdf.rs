//! PDFs. Raw bytes seldom keep their offsets through a mutation, so two targets write the cross-references
//! themselves and leave the objects to the fuzzer.

use std::sync::LazyLock;

use rubrica_core::pades::{self, Options};
use rubrica_core::validation::{Language, Report, ValidationError, validate_pdf};
use rubrica_core::x509::Certificate;

use crate::{CONTEXT, now};

/// Between the bodies of objects.
const SEPARATOR: &[u8] = b"\n%%\n";

/// What the trailer says. Far above the numbers that are used: a reference to nothing would else be one to the
/// object that our revision adds, and such a file is refused after it was prepared.
const SIZE: usize = 10_000_000;

static SIGNER: LazyLock<Certificate> = LazyLock::new(|| {
    let signer = Certificate::from_pem_or_der(include_bytes!("../../core/testdata/pki/bruno.pem"));
    signer.expect("the fixture is a certificate")
});

/// A signed file by another program, behind which the fuzzer writes.
const SIGNED: &[u8] = include_bytes!("../../core/testdata/pdf/pyhanko.pdf");

/// A whole file.
pub fn pdf(data: &[u8]) {
    look_at(data);
}

/// The bodies of objects 1, 2, 3, … of a file whose structure is right.
pub fn pdf_objects(data: &[u8]) {
    let mut file = b"%PDF-1.7\n".to_vec();
    let rows = append_objects(&mut file, data, 1);
    append_table(&mut file, &rows, 1, &format!("<</Size {SIZE}/Root 1 0 R>>"));
    look_at(&file);
}

/// A revision behind a signature. Its first byte says which object it begins to replace.
pub fn pdf_changes(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let first = usize::from(first % 16) + 1;
    let before = last_start(SIGNED);
    let mut file = SIGNED.to_vec();
    let rows = append_objects(&mut file, data, first);
    append_table(&mut file, &rows, first, &format!("<</Size {SIZE}/Root 1 0 R/Prev {before}>>"));
    if let Some(report) = look_at(&file) {
        assert!(
            report.signatures.iter().all(|signature| signature.covers_whole_file != Some(true)),
            "something was appended"
        );
    }
}

/// Validates and prepares a signature. What we can read is still readable after our own revision.
fn look_at(file: &[u8]) -> Option<Report> {
    let report = validate_pdf(file, &CONTEXT);
    if let Ok(report) = &report {
        assert!(!report.to_text(Language::PtBr).is_empty());
    }
    let readable = matches!(report, Ok(_) | Err(ValidationError::NotSigned));
    if let Ok(plan) = pades::prepare(file, &SIGNER, &[], &Options::new(now())) {
        match validate_pdf(&[file, plan.appended()].concat(), &CONTEXT) {
            Ok(report) => assert!(!report.signatures.is_empty()),
            Err(error) => assert!(!readable, "readable before, not any more: {error}"),
        }
    }
    report.ok()
}

/// Appends one object per part of `data`; answers the offsets.
fn append_objects(file: &mut Vec<u8>, data: &[u8], first: usize) -> Vec<usize> {
    let mut rows = Vec::new();
    let mut rest = Some(data);
    while let Some(data) = rest.filter(|_| rows.len() < 64) {
        let end = data.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        rest = end.map(|end| &data[end + SEPARATOR.len()..]);
        let number = first + rows.len();
        rows.push(file.len());
        file.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        file.extend_from_slice(&data[..end.unwrap_or(data.len())]);
        file.extend_from_slice(b"\nendobj\n");
    }
    rows
}

fn append_table(file: &mut Vec<u8>, rows: &[usize], first: usize, trailer: &str) {
    let start = file.len();
    let mut table = "xref\n0 1\n0000000000 65535 f \n".to_owned();
    table.push_str(&format!("{first} {}\n", rows.len()));
    for offset in rows {
        table.push_str(&format!("{offset:010} 00000 n \n"));
    }
    file.extend_from_slice(format!("{table}trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n").as_bytes());
}

/// The number behind the last `startxref`.
fn last_start(file: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&file[file.len() - 40..]).into_owned();
    let (_, after) = text.rsplit_once("startxref").expect("the fixture ends as a PDF");
    after.split_ascii_whitespace().next().and_then(|number| number.parse().ok()).expect("an offset")
}
