//! Instances to test against, people who sign, and a small client.

pub(crate) mod agent;
mod client;
mod clock;
pub(crate) mod cloud;
mod command;
mod contract;
mod instance;
pub(crate) mod issuer;
pub(crate) mod mail;
mod person;
pub(crate) mod pkie;
#[allow(dead_code, reason = "the unit tests of the store use the same file, and more of it")]
pub(crate) mod postgres;
pub(crate) mod python;
mod search;
pub(crate) mod shim;
mod signing;

pub(crate) use client::{Answer, BOUNDARY, Client};
pub(crate) use clock::MovedClock;
pub(crate) use command::{Ran, command, rubrica, testdata};
pub(crate) use instance::{Instance, Options, memory_folder, template};
pub(crate) use issuer::{Issuer, Key};
pub(crate) use person::LocalKey;
pub(crate) use shim::Shim;
pub(crate) use signing::{Signing, order, value};

/// Synthetic people of the demo.
pub(crate) const ANA: (&str, &str) = ("52998224725", "ANA BEATRIZ DE SOUZA TEST");
pub(crate) const BRUNO: (&str, &str) = ("11144477735", "BRUNO CARVALHO LIMA TEST");
pub(crate) const PADARIA: (&str, &str) = ("11222333000181", "PADARIA FLOR DO CAMPO LTDA TEST");
pub(crate) const SELO: (&str, &str) = ("12ABC34501DE35", "COOPERATIVA ALFA TEST");

/// The page that uses the sessions of the tests.
pub(crate) const ORIGIN: &str = "https://bank.example";
