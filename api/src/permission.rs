//! What a caller may do, and which role of the bank may do what: the tables, and nothing else.
//!
//! An API key names its permissions as scopes. A person has those of their roles. A session needs none: it is bound to one
//! signer and sees only what it made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $scope:literal;)+) => {
        /// One thing that a credential may do within its tenant.
        ///
        /// **Shape**: a JSON string such as `"orders:read"`. What ends in `:read` changes nothing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Permission {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Permission {
            /// Every permission.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name of the scope.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $scope),+ }
            }

            /// What it allows, for people.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii()),+ }
            }
        }

        /// The permissions as types: a handler names the one it needs in its signature.
        #[allow(dead_code, reason = "a permission stays in the table, whichever handlers there are")]
        pub(crate) mod needs {
            use super::{Needs, Permission};

            $($(#[doc = $doc])+
            #[derive(Debug, Clone, Copy)]
            pub(crate) struct $name;

            impl Needs for $name {
                const PERMISSION: Permission = Permission::$name;
            })+
        }
    };
}

permissions! {
    /// Open signing sessions: whoever may do this may let anybody sign.
    SessionsWrite = "sessions:write";
    /// See and download documents.
    DocumentsRead = "documents:read";
    /// Upload documents.
    DocumentsWrite = "documents:write";
    /// See signatures, download artefacts and receipts.
    SignaturesRead = "signatures:read";
    /// Have files validated. Nothing of them is kept.
    ValidationsWrite = "validations:write";
    /// Ask where the key of a person is.
    CustodyRead = "custody:read";
    /// See the keys of the tenant and their certificates.
    KeysRead = "keys:read";
    /// Suspend, resume and retire keys.
    KeysWrite = "keys:write";
    /// See orders.
    OrdersRead = "orders:read";
    /// Open and cancel orders.
    OrdersWrite = "orders:write";
    /// See batches, their items and results.
    BatchesRead = "batches:read";
    /// Begin, pause, resume and cancel batches: whoever may do this signs with keys of the tenant.
    BatchesWrite = "batches:write";
    /// Read the events of the tenant.
    EventsRead = "events:read";
    /// See webhooks and their deliveries.
    WebhooksRead = "webhooks:read";
    /// Make, change and remove webhooks.
    WebhooksWrite = "webhooks:write";
    /// See how keys come into the token, and the consents for it.
    EnrolmentsRead = "enrolments:read";
    /// Take consents and enrolments back.
    EnrolmentsWrite = "enrolments:write";
    /// See API keys, never their secrets.
    ApiKeysRead = "api_keys:read";
    /// Make and revoke API keys.
    ApiKeysWrite = "api_keys:write";
}

/// A permission as a type.
pub(crate) trait Needs: Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

impl Permission {
    /// Whether it changes nothing.
    pub(crate) fn only_reads(self) -> bool {
        self.as_str().ends_with(":read")
    }
}

/// What a person does at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Runs orders and batches.
    Operator,
    /// Looks at how it goes, without the documents.
    Analyst,
    /// Sees everything, changes nothing.
    Auditor,
    /// Also keeps webhooks and API keys. Nobody signs for others: opening sessions is for backends.
    Admin,
}

impl Role {
    /// Every role.
    pub(crate) const ALL: [Self; 4] = [Self::Operator, Self::Analyst, Self::Auditor, Self::Admin];

    /// The name in configuration and tokens.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The table.
    pub(crate) fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Operator => matches!(
                permission,
                P::DocumentsRead
                    | P::DocumentsWrite
                    | P::SignaturesRead
                    | P::ValidationsWrite
                    | P::CustodyRead
                    | P::KeysRead
                    | P::OrdersRead
                    | P::OrdersWrite
                    | P::BatchesRead
                    | P::BatchesWrite
                    | P::EventsRead
                    | P::WebhooksRead
                    | P::EnrolmentsRead
                    | P::EnrolmentsWrite
            ),
            Self::Analyst => {
                matches!(permission, P::SignaturesRead | P::OrdersRead | P::BatchesRead | P::EventsRead)
            }
            Self::Auditor => permission.only_reads(),
            Self::Admin => permission != P::SessionsWrite,
        }
    }
}

/// The text names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scope; see the table of scopes in the documentation")]
pub(crate) struct UnknownPermission;

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or(UnknownPermission)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom(format_args!("`{text}` is not a scope")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_reads_everything_and_changes_nothing() {
        for permission in Permission::ALL {
            assert_eq!(
                Role::Auditor.may(*permission),
                permission.as_str().ends_with(":read"),
                "{permission}"
            );
        }
    }

    #[test]
    fn nobody_opens_sessions_for_others_and_only_an_admin_makes_keys() {
        let who = |permission| Role::ALL.into_iter().filter(|role| role.may(permission)).collect::<Vec<_>>();
        assert_eq!(who(Permission::SessionsWrite), []);
        assert_eq!(who(Permission::ApiKeysWrite), [Role::Admin]);
        assert_eq!(who(Permission::WebhooksWrite), [Role::Admin]);
        assert_eq!(who(Permission::BatchesWrite), [Role::Operator, Role::Admin]);
        assert!(!Role::Analyst.may(Permission::DocumentsRead));
    }

    #[test]
    fn names_read_back_and_strangers_are_refused() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
            assert!(permission.meaning().ends_with('.'));
        }
        assert_eq!("orders".parse::<Permission>(), Err(UnknownPermission));
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }
}
