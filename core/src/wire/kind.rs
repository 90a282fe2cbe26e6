//! Formats, levels and policies of signatures.

use serde::{Deserialize, Serialize};

/// The kind of artefact that a signature releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignatureFormat {
    /// A PDF with the signature inside (ETSI EN 319 142-1).
    Pades,
    /// A detached CMS beside the document (ETSI EN 319 122-1).
    Cades,
}

/// Baseline level (ETSI EN 319 122-1 and 319 142-1), each above the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignatureLevel {
    /// Basic: no proof of time.
    B,
    /// With a time stamp on the signature.
    T,
    /// Also with what validates it later: certificates, CRLs, OCSP responses.
    Lt,
    /// Also with a time stamp over all of it, to be renewed.
    Lta,
}

/// Signature policy of ICP-Brasil named in the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignaturePolicy {
    /// No policy is named.
    None,
    /// AD-RB: basic reference; level `b` or higher.
    AdRb,
    /// AD-RT: reference of time; level `t` or higher.
    AdRt,
    /// AD-RV: references for validation; CAdES only, level `lt`.
    AdRv,
    /// AD-RC: complete references; level `lt`.
    AdRc,
    /// AD-RA: references for archiving; level `lta`.
    AdRa,
}

pub(super) const fn policy_none() -> SignaturePolicy {
    SignaturePolicy::None
}
