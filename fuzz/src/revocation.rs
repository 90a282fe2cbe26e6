//! Revocation data, and the decision that is built on them.

use std::sync::LazyLock;

use rubrica_core::revocation::{Crl, Evidence, OcspResponse, missing, status};
use rubrica_core::x509::{Certificate, TrustAnchors};

use crate::now;

/// Holder, authority, root.
static PATH: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
    let files: [&[u8]; 3] = [
        include_bytes!("../../core/testdata/revocation/good.pem"),
        include_bytes!("../../core/testdata/revocation/ca.pem"),
        include_bytes!("../../core/testdata/revocation/root.pem"),
    ];
    files.map(|file| Certificate::from_pem_or_der(file).expect("the fixture is a certificate")).to_vec()
});

/// A CRL.
pub fn crl(data: &[u8]) {
    if let Ok(crl) = Crl::from_der(data) {
        assert_eq!(crl.der(), data, "the bytes are kept");
        decide(&Evidence { crls: vec![crl], ..Evidence::default() });
    }
}

/// An OCSP response, whole or its inner part.
pub fn ocsp(data: &[u8]) {
    for response in [OcspResponse::from_der(data), OcspResponse::from_basic_der(data)].into_iter().flatten() {
        decide(&Evidence { ocsp_responses: vec![response], ..Evidence::default() });
    }
}

fn decide(evidence: &Evidence) {
    let anchors = TrustAnchors::new(PATH[2..].to_vec());
    for index in 0..PATH.len() - 1 {
        let _ = status(&PATH, index, evidence, &anchors, now(), None);
        let _ = status(&PATH, index, evidence, &anchors, now(), Some(now()));
    }
    let _ = missing(&PATH, evidence, &anchors, now(), None);
}
