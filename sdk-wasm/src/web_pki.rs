//! The Web PKI client of the vendor, spoken to directly over the protocol of its extension.
//!
//! Presence is an element with a known id; commands and answers are `CustomEvent`s on the document in browsers of
//! the Chromium family and window messages elsewhere. The extension never times out by itself, so every limit is
//! the flow's. Answers are matched by a random id of 128 bits; what is not ours is left alone for others.

mod answer;
mod channel;
mod marker;

pub use answer::Command;
pub use channel::{Channel, Transport};
pub use marker::Watcher;
