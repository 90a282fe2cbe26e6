//! The signing API and command line of Rubrica.

mod adapters;
mod api_key;
mod app;
mod breaker;
mod cli;
mod cloud;
mod composers;
mod config;
mod consent;
mod custody;
mod data_folder;
mod deadlines;
mod demo;
mod engine;
mod enrolment;
mod failure;
mod fetch;
mod hex;
mod http;
mod ids;
mod input;
mod lookup;
mod objects;
mod oidc;
mod permission;
mod ports;
mod random;
mod relay;
mod roles;
mod sealing;
mod secret;
mod serving;
mod shed;
mod steady;
mod store;
mod telemetry;
mod token_agent;
mod trust;
mod validating;
mod watch;

use std::process::ExitCode;

/// glibc gives the top of its heap back and takes it again for each large document once a PKCS#11 module is loaded.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
