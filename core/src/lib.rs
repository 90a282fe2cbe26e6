//! Formats, certificates, the signing flow and the wire types of Rubrica.
//!
//! Pure: no I/O, no clock, no randomness, no async. The same code runs in the API and, compiled to
//! WebAssembly, in the browser. Time comes in as a [`Timestamp`], bytes as slices.

pub mod error_code;
pub mod time;
pub mod wire;

pub use error_code::ErrorCode;
pub use time::Timestamp;
