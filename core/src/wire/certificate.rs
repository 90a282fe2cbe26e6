//! Certificates and people as they may be shown.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A person or company as it may be shown on a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignerView {
    /// Name.
    pub name: String,
    /// CPF as `***.982.247-**`, CNPJ as `**.222.333/****-**`; absent when the certificate names none.
    pub identifier_masked: Option<String>,
}

/// What is shown of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateView {
    /// Holder: the common name without a CPF or CNPJ behind the last colon.
    pub holder: SignerView,
    /// Common name of the issuer.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the DER, lower-case hexadecimal.
    pub sha256: String,
    /// ICP-Brasil type by policy OID (`A1`, `A3`, `SE-S`, …), absent outside ICP-Brasil.
    pub icp_type: Option<String>,
    /// `person`, `company` or `seal`; absent outside ICP-Brasil.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_kind: Option<String>,
    /// Dotted identifier of the ICP-Brasil certificate policy, or of the first policy; absent when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Kind and size of the key (`RSA-2048`, `P-256`, `Ed25519`); absent when it is not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
}

/// A key in a custody.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyView {
    /// `key_…`
    pub id: String,
    /// Its certificate.
    pub certificate: CertificateView,
}
