//! Time stamps, and images for visible signatures.

use std::sync::LazyLock;

use rubrica_core::digest::Digest;
use rubrica_core::pades::{self, Appearance, Options, Placement, Rectangle};
use rubrica_core::tsp::{Request, TimeStampToken};
use rubrica_core::x509::Certificate;

use crate::now;

static SIGNER: LazyLock<Certificate> = LazyLock::new(|| {
    let signer = Certificate::from_pem_or_der(include_bytes!("../../core/testdata/pki/bruno.pem"));
    signer.expect("the fixture is a certificate")
});

/// A token, or the answer of an authority.
pub fn time_stamp(data: &[u8]) {
    let request = Request::new(Digest::sha256(b"abc"), Some(vec![1, 2, 3]), None);
    for token in [TimeStampToken::from_der(data), TimeStampToken::from_response(data, &request)] {
        let Ok(token) = token else { continue };
        assert!(!token.der().is_empty());
        let _ = (token.time(), token.policy(), token.serial_hex(), token.verify(&[]));
    }
}

/// An image: whatever is taken over goes into a PDF that stays readable.
pub fn appearance(data: &[u8]) {
    let document: &[u8] = include_bytes!("../../core/testdata/pdf/plain.pdf");
    let rectangle = Rectangle { left: 50.0, bottom: 50.0, width: 200.0, height: 80.0 };
    let mut options = Options::new(now());
    options.appearance = Some(Appearance {
        placement: Some(Placement { page: 1, rectangle }),
        lines: vec![String::from_utf8_lossy(data).chars().take(100).collect()],
        image: Some(data.to_vec()),
    });
    if let Ok(plan) = pades::prepare(document, &SIGNER, &[], &options) {
        crate::pdf::pdf(&[document, plan.appended()].concat());
    }
    options.appearance = options.appearance.map(|appearance| Appearance { image: None, ..appearance });
    let _ = pades::prepare(document, &SIGNER, &[], &options);
}
