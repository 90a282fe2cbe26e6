//! Certificates of the device: what the client tells of them, and whether the session can use them.

use core::time::Duration;

use serde::Serialize;

use crate::Timestamp;
use crate::wire::SignerView;

/// One entry of the client's list, without personal data beyond what a screen may show: the host masks CPF and
/// CNPJ when it reads the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCertificate {
    /// Base64 SHA-256 of the DER.
    pub thumbprint: String,
    /// Holder: common name and masked CPF or CNPJ.
    pub holder: SignerView,
    /// Common name of the issuer.
    pub issuer: String,
    /// Person, company or seal.
    pub kind: HolderKind,
    /// `A1`, `A3`, `SE-S`, …
    pub icp_type: Option<String>,
    /// Whether it names a policy or a holder of ICP-Brasil. The chain is not checked here.
    pub is_icp_brasil: bool,
    /// Bit mask of the client: 128 is digitalSignature, 0 a certificate without the extension.
    pub key_usage: u32,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
}

/// Whose certificate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// A natural person.
    Person,
    /// A company, by its responsible person (e-CNPJ).
    Company,
    /// An electronic seal: origin and integrity, not an expression of will (Resolução 211, art. 4).
    Seal,
}

impl HolderKind {
    /// The kind by ICP-Brasil type and masked identifier: a CNPJ contains a slash, a CPF does not.
    #[must_use]
    pub fn of(icp_type: Option<&str>, identifier_masked: Option<&str>) -> Self {
        match icp_type {
            Some(kind) if kind.starts_with("SE-") => Self::Seal,
            _ if identifier_masked.is_some_and(|masked| masked.contains('/')) => Self::Company,
            _ => Self::Person,
        }
    }
}

/// Why a certificate cannot be used in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unusable {
    /// Past its end.
    Expired,
    /// Before its start.
    NotYetValid,
    /// CPF or CNPJ of somebody else.
    WrongPerson,
    /// Key usage without digitalSignature.
    WrongUsage,
}

/// A certificate with the judgement of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(super) listed: ListedCertificate,
    pub(super) unusable: Option<Unusable>,
    pub(super) expires_soon: bool,
}

const DIGITAL_SIGNATURE: u32 = 128;
const EXPIRES_SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl ClientCertificate {
    /// Judges one certificate. The masks are compared, since the browser never learns the CPF of the session; two
    /// people with the same mask are told apart by the service, which sees the certificate.
    #[must_use]
    pub(crate) fn judge(listed: ListedCertificate, signer: Option<&SignerView>, now: Timestamp) -> Self {
        let wanted = signer.and_then(|signer| signer.identifier_masked.as_deref());
        let found = listed.holder.identifier_masked.as_deref();
        let unusable = if now > listed.not_after {
            Some(Unusable::Expired)
        } else if now < listed.not_before {
            Some(Unusable::NotYetValid)
        } else if wanted.is_some_and(|wanted| found.is_some_and(|found| found != wanted)) {
            Some(Unusable::WrongPerson)
        } else if listed.key_usage != 0 && listed.key_usage & DIGITAL_SIGNATURE == 0 {
            Some(Unusable::WrongUsage)
        } else {
            None
        };
        let expires_soon = unusable.is_none() && now.plus(EXPIRES_SOON) > listed.not_after;
        Self { listed, unusable, expires_soon }
    }

    /// Judges a list and puts it in the order of a screen: usable first, by name, the later end first.
    pub(super) fn judge_all(
        listed: Vec<ListedCertificate>,
        signer: Option<&SignerView>,
        now: Timestamp,
    ) -> Vec<Self> {
        let mut judged: Vec<_> = listed.into_iter().map(|entry| Self::judge(entry, signer, now)).collect();
        judged.sort_by(|a, b| {
            a.unusable
                .is_some()
                .cmp(&b.unusable.is_some())
                .then_with(|| a.listed.holder.name.cmp(&b.listed.holder.name))
                .then_with(|| b.listed.not_after.cmp(&a.listed.not_after))
        });
        judged
    }

    /// Thumbprint as the client gave it.
    #[must_use]
    pub(crate) fn thumbprint(&self) -> &str {
        &self.listed.thumbprint
    }
}
