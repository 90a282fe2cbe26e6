//! A PDF of one page to sign.

use std::fmt::Write;

/// Writes a small PDF with one line of text (ISO 32000-2 §7.5).
pub(super) fn pdf(line: &str) -> Vec<u8> {
    let text: String = line.chars().filter(|c| c.is_ascii_alphanumeric() || " .,:-".contains(*c)).collect();
    let content = format!("BT /F1 18 Tf 72 760 Td ({text}) Tj ET");
    let objects = [
        "<</Type /Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type /Pages/Kids [3 0 R]/Count 1>>".to_owned(),
        "<</Type /Page/Parent 2 0 R/MediaBox [0 0 595 842]/Contents 4 0 R/Resources <</Font <</F1 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()),
        "<</Type /Font/Subtype /Type1/BaseFont /Helvetica>>".to_owned(),
    ];
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    let written = "writing to a String cannot fail";
    for (index, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).expect(written);
        write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1).expect(written);
    }
    let start = file.len();
    write!(file, "{table}trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1)
        .expect(written);
    file.into_bytes()
}
