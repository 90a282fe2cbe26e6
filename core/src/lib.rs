//! Formats, certificates, the signing flow and the wire types of Rubrica.
//!
//! Pure: no I/O, no clock, no randomness, no async. The same code runs in the API and, compiled to
//! WebAssembly, in the browser. Time comes in as a [`Timestamp`], bytes as slices.

pub mod cades;
pub mod cms;
pub mod custody;
pub mod digest;
pub mod error_code;
pub mod event;
pub mod flow;
pub mod icp_brasil;
pub mod merkle;
mod oid;
pub mod order;
pub mod pades;
pub mod pdf;
pub mod pkcs12;
pub mod receipt;
pub mod revocation;
#[cfg(feature = "openapi")]
mod schema;
#[cfg(test)]
mod testing;
pub mod time;
mod tlv;
pub mod to_sign;
pub mod tsp;
pub mod validation;
pub mod validity;
pub mod wire;
pub mod x509;

pub use error_code::ErrorCode;
pub use time::Timestamp;
