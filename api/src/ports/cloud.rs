//! Keys of people at cloud services.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rubrica_core::ErrorCode;
use rubrica_core::icp_brasil::Identifier;
use rubrica_core::wire::AuthorizationScope;

use super::PortFuture;
use crate::secret::Secret;

/// A cloud service that keeps keys of people and uses them with their permission.
pub(crate) trait CloudKeys: Send + Sync + fmt::Debug {
    /// Asks whether somebody has a certificate there.
    fn holds<'a>(&'a self, identifier: &'a Identifier) -> PortFuture<'a, Result<Holds, CloudError>>;

    /// Whether it can ask a person on their phone.
    fn asks_by_phone(&self) -> bool;

    /// Asks for a permission.
    fn start<'a>(&'a self, request: &'a PermissionRequest) -> PortFuture<'a, Result<Started, CloudError>>;

    /// Reads what the person came back with. `kept` is what [`Self::start`] gave. `None`: the person has not decided yet.
    fn complete<'a>(
        &'a self,
        kept: &'a Secret,
        parameters: &'a BTreeMap<String, String>,
    ) -> PortFuture<'a, Result<Option<Permission>, CloudError>>;

    /// Has a SHA-256 digest signed, in one call that is never repeated here.
    ///
    /// **Shape** of the value: as of [`super::SigningKeys::sign_digests`]. The caller verifies it.
    fn sign_hash<'a>(
        &'a self,
        secret: &'a Secret,
        sha256: [u8; 32],
    ) -> PortFuture<'a, Result<Vec<u8>, CloudError>>;
}

/// Whether a service holds somebody's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Yes,
    No,
    /// The service cannot tell by the number alone.
    Unknown,
}

/// What is asked of the person.
#[derive(Debug, Clone)]
pub(crate) struct PermissionRequest {
    pub(crate) scope: AuthorizationScope,
    /// Who is asked, when the number is known.
    pub(crate) identifier: Option<Identifier>,
    /// Where the person comes back to. The service adds parameters. `None`: they are asked on their phone.
    pub(crate) return_url: Option<String>,
    /// Comes back in the parameter `state`.
    pub(crate) state: String,
    /// How long the permission shall last.
    pub(crate) life: Duration,
    /// 64 random characters that say for which request the permission was given; nobody else can know them.
    pub(crate) binding: Secret,
}

/// A request for a permission.
#[derive(Debug)]
pub(crate) struct Started {
    /// Where the person permits; `None` when they are asked on their phone.
    pub(crate) auth_url: Option<String>,
    /// What [`CloudKeys::complete`] needs.
    pub(crate) kept: Secret,
}

/// What was permitted.
#[derive(Debug)]
pub(crate) struct Permission {
    /// Whom the service identified, when it says so. Nobody has checked that it is the person who signs.
    pub(crate) identified: Option<Identifier>,
    /// How long it lasts, when the service says so.
    pub(crate) life: Option<Duration>,
    /// The person's keys, at least one.
    pub(crate) keys: Vec<PermittedKey>,
}

/// One key that was permitted.
#[derive(Debug)]
pub(crate) struct PermittedKey {
    /// What signs: whoever has it uses the key.
    pub(crate) secret: Secret,
    /// Its certificate, DER. Nobody has checked whose it is.
    pub(crate) certificate: Vec<u8>,
}

/// Why a service gave nothing, by what the caller can do. The texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CloudError {
    /// The key was not used; the same may work later, and not before `rest` is over.
    #[error("the cloud service does not answer: {what}")]
    Unavailable { what: String, rest: Duration },
    /// The person or the service refused; the key was not used.
    #[error("the cloud service refused: {0}")]
    Refused(String),
    /// It was asked to sign and gave no whole answer: the key may have been used.
    #[error("the answer of the cloud service was lost, and the key may have been used: {0}")]
    AnswerLost(String),
    /// It answered something else than its contract says.
    #[error("the cloud service answered against its contract: {0}")]
    Contract(String),
    /// The permission is not good for this signature.
    #[error("{0}")]
    Permission(&'static str),
}

impl CloudError {
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable { .. } => ErrorCode::ProviderUnavailable,
            Self::Refused(_) => ErrorCode::ProviderRefused,
            Self::AnswerLost(_) => ErrorCode::ProviderAnswerLost,
            Self::Contract(_) => ErrorCode::ProviderAnswerInvalid,
            Self::Permission(_) => ErrorCode::AuthorizationInvalid,
        }
    }
}
