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
    /// Names of the services that hold a certificate of this signer, when the custody is `lacuna`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// What the person may choose from when nothing was found.
    pub options: Vec<Custody>,
    /// The ways that lead to these options, in the order in which to show them.
    pub offers: Vec<CustodyOffer>,
    /// The offer to show as chosen, when the tenant prefers one.
    pub preselected: Option<CustodyOffer>,
    /// False when a source could not tell. Then nobody is asked to enrol, for there may be a key: asking again helps.
    pub certain: bool,
    /// Every source that was asked, in order.
    pub sources: Vec<CustodySource>,
}

/// A way to a key for somebody who has none here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CustodyOffer {
    /// A new key, made in our hardware security module.
    HsmGenerate,
    /// The key of a PKCS#12 file, brought into our hardware security module.
    HsmImport,
    /// A cloud certificate at a service behind Lacuna.
    Lacuna,
    /// The certificate on this device.
    Local,
}

impl CustodyOffer {
    /// Where the key lives when the person takes the offer.
    #[must_use]
    pub const fn custody(self) -> Custody {
        match self {
            Self::HsmGenerate | Self::HsmImport => Custody::Hsm,
            Self::Lacuna => Custody::Lacuna,
            Self::Local => Custody::Local,
        }
    }
}

/// One source of the sequential check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustodySource {
    /// The source that was asked.
    pub source: Custody,
    /// Its answer.
    pub outcome: CustodyOutcome,
    /// Why it is `unknown`; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<CustodyDoubt>,
    /// Time it took, in milliseconds.
    pub duration_ms: u64,
}

/// A source that is down or slow is *unknown*, never *no*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// Why a source could not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CustodyDoubt {
    /// It failed, or said itself that it does not know.
    Failed,
    /// It did not answer within its time.
    Slow,
    /// It failed so often that it is left alone for a while.
    Resting,
}
