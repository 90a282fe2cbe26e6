//! How a signature stands in a PDF.

use serde::{Deserialize, Serialize};

/// How a signature stands in a PDF. Every member may be absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PdfOptions {
    /// Fully qualified name of an empty signature field to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Name of a new field; the next free `SignatureN` when both are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_field: Option<String>,
    /// Makes the signature a certification, the first of the file (DocMDP, ISO 32000-2 §12.8.2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certification: Option<PdfCertification>,
    /// The names under which the signature is stored; `etsi` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_filter: Option<PdfSubFilter>,
    /// Why the person signs. Refused beside a policy (EN 319 142-1 §6.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the person signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What is shown on a page; nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appearance: Option<PdfAppearance>,
}

/// What a certification allows afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PdfCertification {
    /// Nothing but validation data and document time stamps.
    NoChanges,
    /// Filling in forms and signing.
    FormFilling,
    /// Also annotations.
    Annotations,
}

/// The names under which a signature is stored in a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PdfSubFilter {
    /// `/ETSI.CAdES.detached`: what every reader understands.
    Etsi,
    /// `/PBAD.PAdES`: what DOC-ICP-15.03 writes and few readers understand.
    Pbad,
}

/// A visible signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PdfAppearance {
    /// Page and rectangle; absent for an existing field, which has a place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PdfPlacement>,
    /// Lines of text; when absent who signs, the masked CPF or the CNPJ, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
    /// A PNG or JPEG file in standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// Page and rectangle in points (1/72 inch), from the lower left corner of the page as a reader shows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PdfPlacement {
    /// Number of the page, from 1.
    pub page: u32,
    /// Distance from the left edge.
    pub left: f64,
    /// Distance from the lower edge.
    pub bottom: f64,
    /// To the right.
    pub width: f64,
    /// Upwards.
    pub height: f64,
}
