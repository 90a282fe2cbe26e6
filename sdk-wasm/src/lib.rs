//! Browser binding of rubrica-core.
//!
//! It holds no rules: `rubrica_core::flow` decides, this crate performs. One [`Signer`] per page object runs the
//! flow, speaks to the Web PKI client ([`web_pki`]), reads documents ([`document`]) and calls the service
//! ([`api`]). It writes nothing to the console and starts nothing before the first document is given.

pub mod api;
pub mod document;
mod js;
mod runner;
mod service_window;
mod timers;
mod view;
pub mod web_pki;

pub use runner::Signer;
