//! The binary under test, as its users meet it: over HTTP, on the command line, and after a crash. The token is a real
//! SoftHSM token; without SoftHSM every test fails and says how to install it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic, in its helpers too")]

mod auth;
mod batch_faults;
mod batch_kills;
mod batch_results;
mod batch_values;
mod batches;
mod bucket;
mod cli;
mod cli_batch;
mod cli_keys;
mod cli_levels;
mod cli_receipts;
mod clock_jumps;
mod crash;
mod custody;
mod demo;
mod documents;
mod edge;
mod encrypted;
mod events;
mod health;
mod hsm_signatures;
mod idempotency;
mod intents;
mod levels;
mod local_signatures;
mod oidc;
mod openapi;
mod order_ends;
mod orders;
mod orders_signed;
mod receipts;
mod roles;
mod sessions;
mod store_move;
mod store_tls;
mod support;
mod tenants;
mod token;
mod token_events;
mod token_faults;
mod token_return_codes;
mod validations;
mod webhooks;
