//! JSON schemas of the types whose serialization is written by hand; the others derive theirs.

use std::borrow::Cow;

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::event::EventType;
use crate::merkle::TreeHash;
use crate::{ErrorCode, Timestamp};

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .pattern(Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$"))
            .description(Some(
                "RFC 3339 in UTC with `Z`, from 1970 to 9999; three fraction digits when they are not zero.",
            ))
            .examples(["2026-11-23T12:00:00Z"])
            .into()
    }
}

impl ToSchema for Timestamp {
    fn name() -> Cow<'static, str> {
        "Timestamp".into()
    }
}

impl PartialSchema for ErrorCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::ALL.iter().map(|code| code.as_str())))
            .description(Some(
                "Stable code of an error. Codes are added, never renamed: treat one that you do not know as \
                 `internal`.",
            ))
            .into()
    }
}

impl ToSchema for ErrorCode {
    fn name() -> Cow<'static, str> {
        "ErrorCode".into()
    }
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::ALL.iter().map(|event_type| event_type.as_str())))
            .description(Some(
                "What happened. Types are added, never renamed: pass over those that you do not know.",
            ))
            .into()
    }
}

impl ToSchema for EventType {
    fn name() -> Cow<'static, str> {
        "EventType".into()
    }
}

impl PartialSchema for TreeHash {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^[A-Za-z0-9+/]{43}=$"))
            .description(Some("SHA-256 of a leaf or of an inner node (RFC 6962 §2.1), standard base64."))
            .into()
    }
}

impl ToSchema for TreeHash {
    fn name() -> Cow<'static, str> {
        "TreeHash".into()
    }
}
