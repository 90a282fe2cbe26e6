//! The HTTP contract: one file per resource, every answer in the shapes of `rubrica_core::wire`.

mod api_keys;
mod auth;
mod body;
mod client_address;
mod cors;
mod custody;
mod docs;
mod documents;
mod download;
mod drain;
mod envelope;
pub(crate) mod health;
pub(crate) mod idempotency;
pub(crate) mod json;
pub(crate) mod limits;
mod openapi;
mod orders;
mod origin;
mod page;
pub(crate) mod problem;
pub(crate) mod router;
pub(crate) mod server;
pub(crate) mod sessions;
mod signatures;
pub(crate) mod site;
mod validations;
