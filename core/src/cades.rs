//! CAdES: a SignedData beside the document or around it (ETSI EN 319 122-1, DOC-ICP-15.03).
//!
//! Signing goes in two steps: [`prepare`], [`co_sign`] and [`counter_sign`] plan, [`CmsPlan::assemble`] takes
//! the value.

mod sign;

pub use sign::{CadesError, Options, Placement, co_sign, counter_sign, prepare};
