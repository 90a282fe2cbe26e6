//! What the calls of DOC-ICP-17.01 carry, as far as we need it, and what we keep between them.

use serde::{Deserialize, Serialize};

use super::super::loose_base64;
use crate::ports::cloud::CloudError;

/// `user-discovery`.
#[derive(Deserialize)]
pub(super) struct Discovery {
    /// `S` or `N`.
    pub(super) status: String,
}

/// `token`.
#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) access_token: String,
    pub(super) token_type: String,
    /// Seconds.
    pub(super) expires_in: u64,
    pub(super) scope: Option<String>,
    /// CPF or CNPJ.
    pub(super) authorized_identification: Option<String>,
}

/// A refusal of `token` (RFC 6749 §5.2).
#[derive(Deserialize)]
pub(super) struct Refusal {
    pub(super) error: String,
}

/// `certificate-discovery`.
#[derive(Deserialize)]
pub(super) struct Certificates {
    #[serde(default)]
    pub(super) certificates: Vec<CertificateOf>,
}

/// One of them.
#[derive(Deserialize)]
pub(super) struct CertificateOf {
    pub(super) alias: Option<String>,
    /// PEM, or DER in base64 that may have line breaks.
    pub(super) certificate: String,
}

/// `signature`.
#[derive(Deserialize)]
pub(super) struct Signed {
    pub(super) signatures: Vec<SignedHash>,
}

/// One of them.
#[derive(Deserialize)]
pub(super) struct SignedHash {
    pub(super) id: String,
    /// Base64 that may have line breaks.
    pub(super) raw_signature: String,
}

/// What is kept while the person is at the provider.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    /// Under which the person is asked on their phone.
    pub(super) asked: Option<String>,
}

/// What a permission is kept as.
#[derive(Serialize, Deserialize)]
pub(super) struct PermittedBy {
    pub(super) token: String,
    pub(super) alias: Option<String>,
}

/// DER of a certificate in either form.
pub(super) fn certificate(text: &str) -> Result<Vec<u8>, CloudError> {
    let inner = text.trim().strip_prefix("-----BEGIN CERTIFICATE-----");
    let inner = inner.map_or(text, |inner| inner.split("-----END").next().unwrap_or_default());
    loose_base64(inner, "the certificate")
}

/// An error code of OAuth for a person to read: what has another form is not shown, it may be anything.
pub(super) fn oauth_error(code: &str) -> String {
    let is_code = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_code && !code.is_empty() { code.to_owned() } else { "for a reason of its own".to_owned() }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding};

    use super::*;

    #[test]
    fn a_certificate_comes_in_any_of_the_forms_in_use() {
        let der = [0x30, 0x82, 1, 2, 3, 255, 0, 7];
        let base64 = Base64::encode_string(&der);
        let (first, second) = base64.split_at(5);
        for text in [
            base64.clone(),
            format!("{first}\r\n{second}\n"),
            format!("-----BEGIN CERTIFICATE-----\n{first}\n{second}\n-----END CERTIFICATE-----\n"),
            format!("\n-----BEGIN CERTIFICATE-----\r\n{base64}\r\n-----END CERTIFICATE-----"),
        ] {
            assert_eq!(certificate(&text).unwrap(), der, "{text}");
        }
        assert!(matches!(certificate("{}"), Err(CloudError::Contract(_))));
    }

    #[test]
    fn only_codes_are_repeated_to_people() {
        assert_eq!(oauth_error("access_denied"), "access_denied");
        for other in ["", "Access <b>", "token=abc", &"a".repeat(65)] {
            assert_eq!(oauth_error(other), "for a reason of its own");
        }
    }
}
