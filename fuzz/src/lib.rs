//! What each fuzz target does with its bytes.
//!
//! A target panics when a promise is broken, not only when the code under it does: bytes are kept as they
//! came, a stored plan reads back equal, a refused event changes nothing.

mod flow;
mod pdf;
mod plans;
mod revocation;
mod stamp;

use std::sync::LazyLock;

use rubrica_core::Timestamp;
use rubrica_core::cms::SignedData;
use rubrica_core::pkcs12::Ciphers;
use rubrica_core::validation::{Content, Context, Language, Report, validate_cms};
use rubrica_core::x509::{Certificate, TrustAnchors};

pub use flow::client_messages;
pub use pdf::{pdf, pdf_changes, pdf_objects};
pub use plans::plans;
pub use revocation::{crl, ocsp};
pub use stamp::{appearance, time_stamp};

/// The fixtures' root, so that paths are built and not only looked for.
static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let root = TrustAnchors::from_bytes(include_bytes!("../../core/testdata/pki/root.pem"));
    Context::new(root.expect("the fixture is a certificate"), now())
});

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a constant")
}

/// One certificate in DER.
pub fn certificate(data: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(data) {
        assert_eq!(certificate.der(), data, "the bytes are kept");
        look_at(&certificate);
    }
}

/// PEM, PEM bundle, PKCS#7 bundle.
pub fn bundle(data: &[u8]) {
    for certificate in Certificate::bundle_from_bytes(data).into_iter().flatten() {
        look_at(&certificate);
    }
    let _ = Certificate::from_pem_or_der(data);
}

/// A file with a key; its password is that of the fixtures.
pub fn pkcs12(data: &[u8]) {
    for ciphers in [Ciphers::Strong, Ciphers::Any] {
        if let Ok(contents) = rubrica_core::pkcs12::open(data, "senha-de-teste", ciphers) {
            assert!(!contents.key().is_empty());
            look_at(contents.certificate());
        }
    }
}

/// Asks a certificate everything.
fn look_at(certificate: &Certificate) {
    let view = certificate.view();
    assert_eq!(view.sha256.len(), 64);
    let _ = (certificate.identity(), certificate.check_signer(now()), certificate.serial_hex());
    let Ok(key) = certificate.public_key() else { return };
    assert!(!key.describe().is_empty());
}

/// A CMS: read as it stands in a file and as it stands in a PDF.
pub fn cms(data: &[u8]) {
    if let Ok(signed) = SignedData::parse(data) {
        for certificate in signed.certificates() {
            look_at(certificate);
        }
    }
    let _ = SignedData::parse_zero_padded(data);
}

/// A CMS, validated against content that matches the fixtures.
pub fn cms_validation(data: &[u8]) {
    if let Ok(report) = validate_cms(data, Content::Bytes(b"abc"), &CONTEXT) {
        assert!(!report.signatures.is_empty(), "a report speaks about something");
        assert!(Language::ALL.iter().all(|language| !report.to_text(*language).is_empty()));
        let json = serde_json::to_vec(&report).expect("a report can be written");
        // What would help is not written.
        let written = Report { wanted: Vec::new(), ..report };
        assert_eq!(serde_json::from_slice(&json).ok(), Some(written));
    }
}
