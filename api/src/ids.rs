//! Identifiers of resources: a prefix and 128 random bits, opaque to callers.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::store::{ColumnValue, FromColumn, ToValue, Value};
use crate::{hex, random};

/// The text cannot be an identifier of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this kind")]
pub(crate) struct NotAnId;

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident = $prefix:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name(String);

        impl $name {
            /// Makes a new one that nobody can guess.
            pub(crate) fn generate() -> Self {
                Self(format!(concat!($prefix, "_{}"), hex::encode(random::bytes::<16>())))
            }

        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Reads one from a path or a body.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(hex::decode)
                    .filter(|random| random.len() == 16)
                    .map(|_| Self(text.to_owned()))
                    .ok_or(NotAnId)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),+)))
                    .pattern(Some(concat!("^", $prefix, "_[0-9a-f]{32}$")))
                    .examples([concat!($prefix, "_00112233445566778899aabbccddeeff")])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl ToValue for $name {
            fn to_value(&self) -> Value<'_> {
                self.0.to_value()
            }
        }

        impl FromColumn for $name {
            fn from_column(value: ColumnValue<'_>) -> Option<Self> {
                String::from_column(value).map(Self)
            }
        }
    )+

        /// Schemas of all of them: what stands in a path.
        pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
            vec![$(($name::name().into_owned(), $name::schema())),+]
        }
    };
}

ids! {
    /// A signing session.
    SessionId = "ses";
    /// A document.
    DocumentId = "doc";
    /// A signature.
    SignatureId = "sig";
    /// A key in our custody.
    KeyId = "key";
    /// A batch.
    BatchId = "bat";
    /// An event.
    EventId = "evt";
    /// An API key.
    ApiKeyId = "apk";
    /// An order.
    OrderId = "ord";
    /// A participant of an order.
    ParticipantId = "par";
    /// A permission at a cloud service.
    AuthorizationId = "aut";
    /// A webhook.
    WebhookId = "whk";
    /// A running engine.
    WorkerId = "wrk";
    /// A consent.
    ConsentId = "cns";
    /// An enrolment.
    EnrolmentId = "enr";
    /// A notice.
    NoticeId = "ntc";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_and_strangers_are_refused() {
        let id = SignatureId::generate();
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_ne!(id, SignatureId::generate());
        for text in ["", "sig_", "sig_12", "doc_00112233445566778899aabbccddeeff", "sig_../../etc/passwd"] {
            assert_eq!(text.parse::<SignatureId>(), Err(NotAnId), "{text}");
        }
    }
}
