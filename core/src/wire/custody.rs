//! Where keys are, and the sequential check that finds them.

use serde::{Deserialize, Serialize};

use super::KeyView;

/// Where the private key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Custody {
    /// The person's own device, reached through Web PKI.
    Local,
    /// Our hardware security module.
    Hsm,
    /// A cloud certificate, reached through Lacuna's services.
    Lacuna,
}

/// `GET /v1/custody`: where this signer's key is (design: the sequential check).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustodyAnswer {
    /// The custody to use, absent when the person has to be asked.
    pub custody: Option<Custody>,
    /// The key found, when the custody is `hsm`.
    pub key: Option<KeyView>,
    /// What the person may choose from when nothing was found.
    pub options: Vec<Custody>,
    /// Every source that was asked, in order.
    pub sources: Vec<CustodySource>,
}

/// One source of the sequential check.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustodySource {
    /// The source that was asked.
    pub source: Custody,
    /// Its answer.
    pub outcome: CustodyOutcome,
    /// Time it took, in milliseconds.
    pub duration_ms: u64,
}

/// A source that is down or slow is *unknown*, never *no*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CustodyOutcome {
    /// A usable key is there.
    Yes,
    /// There is none.
    No,
    /// The source could not tell.
    Unknown,
}
