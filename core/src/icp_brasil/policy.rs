//! Certificate types by policy identifier (DOC-ICP-04 v8.1, table of policies).

use const_oid::ObjectIdentifier;

/// Type of an ICP-Brasil certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IcpType {
    /// Signature, key in software.
    A1,
    /// Signature, key on a card or token without key generation.
    A2,
    /// Signature, key on a card, a token, an HSM or with a provider.
    A3,
    /// Signature, key in stronger hardware.
    A4,
    /// Secrecy, key in software.
    S1,
    /// Secrecy, as A2.
    S2,
    /// Secrecy, as A3.
    S3,
    /// Secrecy, as A4.
    S4,
    /// Electronic seal of a legal person, key in software.
    SeS,
    /// Electronic seal of a legal person, key in hardware.
    SeH,
    /// Application or machine, key in software.
    AeS,
    /// Application or machine, key in hardware.
    AeH,
    /// Time-stamping authority.
    T3,
    /// Time-stamping authority, stronger hardware.
    T4,
    /// Fiscal device.
    CfESat,
    /// Metrology object.
    OmBr,
}

/// `2.16.76.1.2`, the arc of certificate policies.
const CERTIFICATE_POLICIES: [u32; 5] = [2, 16, 76, 1, 2];

impl IcpType {
    /// The usual name: `A3`, `SE-H`, `CF-e-SAT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A1 => "A1",
            Self::A2 => "A2",
            Self::A3 => "A3",
            Self::A4 => "A4",
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::S4 => "S4",
            Self::SeS => "SE-S",
            Self::SeH => "SE-H",
            Self::AeS => "AE-S",
            Self::AeH => "AE-H",
            Self::T3 => "T3",
            Self::T4 => "T4",
            Self::CfESat => "CF-e-SAT",
            Self::OmBr => "OM-BR",
        }
    }

    /// Whether it is an electronic seal: proof of origin of a legal person, not its expression of will.
    #[must_use]
    pub const fn is_seal(self) -> bool {
        matches!(self, Self::SeS | Self::SeH)
    }

    /// The type that a policy identifier (contents octets) names: `2.16.76.1.2.<type>.<n>`.
    ///
    /// Arcs are compared, not text: `2.16.76.1.2.1` is a text prefix of `2.16.76.1.2.101`.
    pub(crate) fn from_policy(contents: &[u8]) -> Option<Self> {
        let oid = ObjectIdentifier::from_bytes(contents).ok()?;
        Self::from_policy_arcs(&oid.arcs().collect::<Vec<_>>())
    }

    /// The same by the arcs of the identifier.
    pub(crate) fn from_policy_arcs(arcs: &[u32]) -> Option<Self> {
        let (prefix, rest) = arcs.split_at_checked(CERTIFICATE_POLICIES.len())?;
        let &[number, _of_the_authority, ..] = rest else { return None };
        if prefix != CERTIFICATE_POLICIES {
            return None;
        }
        Some(match number {
            1 => Self::A1,
            2 => Self::A2,
            3 => Self::A3,
            4 => Self::A4,
            101 => Self::S1,
            102 => Self::S2,
            103 => Self::S3,
            104 => Self::S4,
            201 => Self::SeS,
            202 => Self::SeH,
            203 => Self::AeS,
            204 => Self::AeH,
            303 => Self::T3,
            304 => Self::T4,
            500 => Self::CfESat,
            550 => Self::OmBr,
            _ => return None,
        })
    }
}
