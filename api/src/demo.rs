//! The demo: an instance with a SoftHSM token, a PKI of ICP-Brasil shape and four people, all marked TEST.
//!
//! `rubrica demo` also plays the backend of the bank whose portal it serves: `/demo/*` are that backend's routes, and
//! none of them exists in `rubrica serve`.

pub(crate) mod authorities;
mod certificate;
pub(crate) mod create;
mod der;
pub(crate) mod endpoints;
mod files;
mod jwk;
mod people;
mod pki;
pub(crate) mod proof;
mod sample;
pub(crate) mod stand_ins;

pub(crate) use files::{DemoFiles, USUAL_PORT};
