//! Certificates in the files people have: PEM, DER, PEM bundles, PKCS#7 bundles (`.p7b`).

use base64ct::{Base64, Encoding};

use super::{Certificate, CertificateError};
use crate::cms::SignedData;

/// More than any real bundle: ICP-Brasil publishes about 180 authorities.
const MAX_CERTIFICATES: usize = 1_000;

impl Certificate {
    /// Reads one certificate, PEM or DER. Text around the PEM block is skipped.
    ///
    /// # Errors
    /// `certificate_malformed`; also when the PEM holds more than one certificate.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        if is_der(bytes) {
            return Self::from_der(bytes);
        }
        let mut certificates = Self::bundle_from_pem(bytes)?;
        match (certificates.pop(), certificates.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_) | None, _) => Err(CertificateError::Pem("exactly one certificate")),
        }
    }

    /// Reads every `CERTIFICATE` block of a PEM text, in order; other blocks are skipped.
    ///
    /// # Errors
    /// `certificate_malformed`: no block, a broken block, or more than 1 000 of them.
    pub fn bundle_from_pem(pem: &[u8]) -> Result<Vec<Self>, CertificateError> {
        let certificates = pem_blocks(pem, "CERTIFICATE")?
            .iter()
            .map(|der| Self::from_der(der))
            .collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err(CertificateError::Pem("a CERTIFICATE block"));
        }
        Ok(certificates)
    }

    /// Reads a file of certificates: one in DER, a PEM text, or a PKCS#7 bundle (`.p7b`, DER or PEM).
    ///
    /// # Errors
    /// `certificate_malformed`.
    pub fn bundle_from_bytes(bytes: &[u8]) -> Result<Vec<Self>, CertificateError> {
        if is_der(bytes) {
            return Self::from_der(bytes)
                .map(|only| vec![only])
                .or_else(|not_one| certificates_of_pkcs7(bytes).ok_or(not_one));
        }
        if let Some(pkcs7) = pem_blocks(bytes, "PKCS7")?.first() {
            return certificates_of_pkcs7(pkcs7).ok_or(CertificateError::Malformed("a PKCS#7 bundle"));
        }
        Self::bundle_from_pem(bytes)
    }
}

fn certificates_of_pkcs7(bytes: &[u8]) -> Option<Vec<Certificate>> {
    let certificates = SignedData::parse(bytes).ok()?.into_certificates();
    (1..=MAX_CERTIFICATES).contains(&certificates.len()).then_some(certificates)
}

const fn is_der(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, ..])
}

/// Contents of the PEM blocks with this label (RFC 7468), read tolerantly: any line length, CR LF, text
/// between blocks.
fn pem_blocks(text: &[u8], label: &str) -> Result<Vec<Vec<u8>>, CertificateError> {
    let text = core::str::from_utf8(text).map_err(|_| CertificateError::Pem("ASCII text"))?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&begin) {
        let (body, after) = after.split_once(&end).ok_or(CertificateError::Pem("an END line"))?;
        let body = body.split_ascii_whitespace().collect::<String>();
        blocks.push(Base64::decode_vec(&body).map_err(|_| CertificateError::Pem("base64"))?);
        if blocks.len() > MAX_CERTIFICATES {
            return Err(CertificateError::Pem("at most 1000 blocks"));
        }
        rest = after;
    }
    Ok(blocks)
}
