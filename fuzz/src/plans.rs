//! Stored plans: JSON that a database gives back.

use std::sync::LazyLock;

use rubrica_core::cades;
use rubrica_core::cms::CmsPlan;
use rubrica_core::digest::Digest;
use rubrica_core::pades::{self, Options, PdfPlan};
use rubrica_core::x509::Certificate;

use crate::now;

/// Plans of today's version.
static STORED: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let signer = Certificate::from_pem_or_der(include_bytes!("../../core/testdata/pki/bruno.pem"));
    let signer = signer.expect("the fixture is a certificate");
    let document = include_bytes!("../../core/testdata/pdf/plain.pdf");
    let cms = cades::prepare(&Digest::sha256(b"abc"), &signer, &[], &cades::Options::new(now()))
        .expect("the signer is usable");
    let pdf = pades::prepare(document.as_slice(), &signer, &[], &Options::new(now()));
    [serde_json::to_vec(&cms), serde_json::to_vec(&pdf.expect("the document can be signed"))]
        .map(|json| json.expect("a plan can be written"))
});

/// First byte 0 or 1: a good plan with places overwritten (offset in two bytes, length, bytes). Else: raw text.
pub fn plans(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let text = STORED.get(usize::from(*kind)).map_or_else(|| data.to_vec(), |plan| overwritten(plan, data));
    if let Ok(plan) = serde_json::from_slice::<CmsPlan>(&text) {
        let again = serde_json::to_vec(&plan).expect("a plan can be written");
        assert_eq!(serde_json::from_slice::<CmsPlan>(&again).ok().as_ref(), Some(&plan));
        let _ = (plan.to_sign(), plan.assemble(&[0; 256]), plan.assemble(&[1; 64]));
    }
    if let Ok(plan) = serde_json::from_slice::<PdfPlan>(&text) {
        let again = serde_json::to_vec(&plan).expect("a plan can be written");
        assert_eq!(serde_json::from_slice::<PdfPlan>(&again).ok().as_ref(), Some(&plan));
        let _ = (plan.to_sign(), plan.embed(&[0; 256]), plan.embed(&[1; 64]));
    }
}

fn overwritten(plan: &[u8], mut edits: &[u8]) -> Vec<u8> {
    let mut text = plan.to_vec();
    while let [high, low, length, rest @ ..] = edits {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % text.len();
        let length = usize::from(*length).min(rest.len()).min(text.len() - at);
        text[at..at + length].copy_from_slice(&rest[..length]);
        edits = &rest[length..];
    }
    text
}
