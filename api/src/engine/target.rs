//! What a signature is to become: level and policy, which have to fit each other and the format.

use rubrica_core::ErrorCode;
use rubrica_core::icp_brasil::signature_policy::{self, Family, Profile};
use rubrica_core::wire::{SignatureFormat, SignatureLevel, SignaturePolicy};

/// A level and a policy that go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) format: SignatureFormat,
    pub(crate) level: SignatureLevel,
    pub(crate) policy: SignaturePolicy,
}

/// What was asked for does not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// The policy is not for this format.
    #[error("the policy is not for this format: AD-RV exists for CAdES only")]
    Policy,
    /// The level does not fit the policy.
    #[error("the policy asks for level `{0}`")]
    Level(&'static str),
}

impl TargetError {
    /// The stable code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Policy | Self::Level(_) => ErrorCode::PolicyNotApplicable,
        }
    }

    /// The member of the request at fault.
    pub(crate) const fn pointer(&self) -> &'static str {
        match self {
            Self::Policy => "/policy",
            Self::Level(_) => "/level",
        }
    }
}

impl Target {
    /// Level b without a policy.
    pub(crate) const fn basic(format: SignatureFormat) -> Self {
        Self { format, level: SignatureLevel::B, policy: SignaturePolicy::None }
    }

    /// Fits a level and a policy together; without a level, the lowest that the policy allows.
    ///
    /// # Errors
    /// `policy_not_applicable`.
    pub(crate) fn new(
        format: SignatureFormat,
        level: Option<SignatureLevel>,
        policy: SignaturePolicy,
    ) -> Result<Self, TargetError> {
        if policy == SignaturePolicy::AdRv && format == SignatureFormat::Pades {
            return Err(TargetError::Policy);
        }
        let (lowest, only) = match policy {
            SignaturePolicy::None | SignaturePolicy::AdRb => (SignatureLevel::B, false),
            SignaturePolicy::AdRt => (SignatureLevel::T, false),
            // ICP-Brasil's attributes for the long term and those of ETSI exclude each other in CAdES.
            SignaturePolicy::AdRv => (SignatureLevel::Lt, true),
            SignaturePolicy::AdRc if format == SignatureFormat::Cades => (SignatureLevel::Lt, true),
            // In a PDF AD-RC, too, ends in a document time stamp (DOC-ICP-15.03).
            SignaturePolicy::AdRc | SignaturePolicy::AdRa => (SignatureLevel::Lta, true),
        };
        let level = level.unwrap_or(lowest);
        if level < lowest || (only && level != lowest) {
            return Err(TargetError::Level(word(lowest)));
        }
        Ok(Self { format, level, policy })
    }

    /// The policy of ICP-Brasil in its current version; `None` when none is declared.
    pub(crate) fn declared(self) -> Option<&'static signature_policy::SignaturePolicy> {
        let family = match self.format {
            SignatureFormat::Pades => Family::Pades,
            SignatureFormat::Cades => Family::Cades,
        };
        signature_policy::current(family, self.profile()?)
    }

    /// The profile of ICP-Brasil; `None` when no policy is declared.
    pub(crate) const fn profile(self) -> Option<Profile> {
        match self.policy {
            SignaturePolicy::None => None,
            SignaturePolicy::AdRb => Some(Profile::Rb),
            SignaturePolicy::AdRt => Some(Profile::Rt),
            SignaturePolicy::AdRv => Some(Profile::Rv),
            SignaturePolicy::AdRc => Some(Profile::Rc),
            SignaturePolicy::AdRa => Some(Profile::Ra),
        }
    }

    /// Whether more than the key is needed: a time-stamping authority.
    pub(crate) fn needs_time_stamp(self) -> bool {
        self.level >= SignatureLevel::T
    }

    /// Whether revocation data go into the signature.
    pub(crate) fn needs_evidence(self) -> bool {
        self.level >= SignatureLevel::Lt
    }
}

const fn word(level: SignatureLevel) -> &'static str {
    match level {
        SignatureLevel::B => "b",
        SignatureLevel::T => "t",
        SignatureLevel::Lt => "lt",
        SignatureLevel::Lta => "lta",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_and_policy_fit_each_other_and_the_format() {
        use SignatureFormat::{Cades, Pades};
        use SignatureLevel::{B, Lt, Lta, T};
        use SignaturePolicy::{AdRa, AdRb, AdRc, AdRt, AdRv, None as NoPolicy};
        for (format, level, policy, expected) in [
            (Pades, None, NoPolicy, Ok(B)),
            (Pades, Some(Lta), NoPolicy, Ok(Lta)),
            (Pades, None, AdRb, Ok(B)),
            (Cades, Some(T), AdRb, Ok(T)),
            (Pades, None, AdRt, Ok(T)),
            (Pades, Some(B), AdRt, Err("/level")),
            (Pades, None, AdRv, Err("/policy")),
            (Cades, None, AdRv, Ok(Lt)),
            (Cades, Some(Lta), AdRv, Err("/level")),
            (Cades, None, AdRc, Ok(Lt)),
            (Cades, Some(Lta), AdRc, Err("/level")),
            (Pades, None, AdRc, Ok(Lta)),
            (Pades, Some(Lt), AdRc, Err("/level")),
            (Pades, None, AdRa, Ok(Lta)),
            (Cades, Some(Lt), AdRa, Err("/level")),
        ] {
            let target = Target::new(format, level, policy);
            let found = target.map(|target| target.level).map_err(|error| error.pointer());
            assert_eq!(found, expected, "{format:?} {level:?} {policy:?}");
        }
    }

    #[test]
    fn every_policy_that_is_accepted_is_one_that_exists() {
        use SignaturePolicy::{AdRa, AdRb, AdRc, AdRt, AdRv};
        for format in [SignatureFormat::Pades, SignatureFormat::Cades] {
            for policy in [AdRb, AdRt, AdRv, AdRc, AdRa] {
                if let Ok(target) = Target::new(format, None, policy) {
                    assert!(target.declared().is_some(), "{format:?} {policy:?}");
                }
            }
        }
    }
}
