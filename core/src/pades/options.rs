//! What the caller decides about a signature.

use super::appearance::Appearance;
use super::inspect::Refusals;
use crate::Timestamp;
use crate::icp_brasil::signature_policy::SignaturePolicy;

/// Space for one time-stamp token with its certificates, in bytes. Tokens with one certificate have some
/// 4 KB; those of ICP-Brasil bring a chain of RSA-4096 certificates.
pub const TIME_STAMP_RESERVE_BYTES: usize = 12 * 1024;

/// What the caller decides about a signature; [`Options::new`] has the defaults.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The time that the signature claims (`/M`, whole seconds). Proof of nothing: a time stamp is.
    pub signing_time: Timestamp,
    /// Signature policy of ICP-Brasil, of the PAdES family; `None` by default.
    pub policy: Option<&'static SignaturePolicy>,
    /// `/Filter` and `/SubFilter`; the ETSI pair by default.
    pub sub_filter: SubFilter,
    /// Where the signature goes; a new field with a free name by default.
    pub field: FieldChoice,
    /// What is shown on a page; nothing by default.
    pub appearance: Option<Appearance>,
    /// Makes the signature a certification, which must be the first signature of the file.
    pub certify: Option<Certification>,
    /// Bytes kept free behind the signature for what comes once it is made: a signature time stamp
    /// ([`TIME_STAMP_RESERVE_BYTES`]). 0 by default.
    pub time_stamp_reserve: usize,
    /// `/Name`: the signer, when the certificate does not say it. Absent by default.
    pub name: Option<String>,
    /// `/Location`. Absent by default.
    pub location: Option<String>,
    /// `/ContactInfo`. Absent by default.
    pub contact: Option<String>,
    /// The concerns about a document that forbid to sign it; [`Refusals::DEFAULT`] by default.
    pub refusals: Refusals,
    /// `/Reason`. Absent by default, and refused beside a policy: EN 319 142-1 §6.3 forbids it there.
    pub reason: Option<String>,
}

impl Options {
    /// An invisible approval signature in a new field: PAdES baseline B, no policy.
    #[must_use]
    pub const fn new(signing_time: Timestamp) -> Self {
        Self {
            signing_time,
            policy: None,
            sub_filter: SubFilter::Etsi,
            field: FieldChoice::New { name: None },
            appearance: None,
            certify: None,
            time_stamp_reserve: 0,
            name: None,
            location: None,
            contact: None,
            refusals: Refusals::DEFAULT,
            reason: None,
        }
    }
}

/// The names under which the signature is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubFilter {
    /// `/Adobe.PPKLite` and `/ETSI.CAdES.detached`: what every reader understands (EN 319 142-1 §5.4).
    #[default]
    Etsi,
    /// `/PBAD_PAdES` and `/PBAD.PAdES`: what DOC-ICP-15.03 writes and few readers understand.
    Pbad,
}

impl SubFilter {
    /// The name in `/Filter`.
    pub(super) const fn filter(self) -> &'static [u8] {
        match self {
            Self::Etsi => b"Adobe.PPKLite",
            Self::Pbad => b"PBAD_PAdES",
        }
    }

    /// The name in `/SubFilter`.
    pub(super) const fn name(self) -> &'static [u8] {
        match self {
            Self::Etsi => b"ETSI.CAdES.detached",
            Self::Pbad => b"PBAD.PAdES",
        }
    }
}

/// The field that takes the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldChoice {
    /// A new field at the top of the form.
    New {
        /// Its name, without full stop and not taken; `None` for `Signature1` or the next free number.
        name: Option<String>,
    },
    /// The empty signature field of this fully qualified name.
    Existing(String),
}

/// What a certification signature allows afterwards (DocMDP, ISO 32000-2 §12.8.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certification {
    /// `P` 1: nothing but validation data and document time stamps.
    NoChanges,
    /// `P` 2: filling in forms and signing.
    FormFilling,
    /// `P` 3: also annotations.
    Annotations,
}

impl Certification {
    /// The number in `/P`.
    #[must_use]
    pub const fn permission(self) -> i64 {
        match self {
            Self::NoChanges => 1,
            Self::FormFilling => 2,
            Self::Annotations => 3,
        }
    }
}
