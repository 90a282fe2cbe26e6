//! What an agent was asked and has not answered.

use std::time::Instant;

use tokio::sync::oneshot;

use super::super::batch::Value;
use super::super::state::{Check, Item};

/// One question.
#[derive(Debug)]
pub(super) enum Flight {
    /// A digest of a caller.
    Digest(Item),
    /// A signature over a message of ours, and who asked for it when it was not the timer.
    Canary { message: [u8; 32], check: Option<Check> },
    /// A change of a key, and who waits for it.
    Change(oneshot::Sender<Value>),
}

/// Questions by the number that comes back with the answer.
#[derive(Debug, Default)]
pub(super) struct Flights {
    places: Vec<Option<(Instant, Flight)>>,
    free: Vec<u32>,
}

impl Flights {
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn board(&mut self, flight: Flight, now: Instant) -> u32 {
        let id = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).expect("an agent holds a few hundred digests")
        });
        self.places[id as usize] = Some((now, flight));
        id
    }

    /// `None` when nothing is under way with this number.
    pub(super) fn land(&mut self, id: u32) -> Option<Flight> {
        let (_, flight) = self.places.get_mut(id as usize)?.take()?;
        self.free.push(id);
        Some(flight)
    }

    /// When the oldest was sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.places.iter().flatten().map(|(sent, _)| *sent).min()
    }

    pub(super) fn into_parts(self) -> (Vec<Item>, Vec<Check>, Vec<oneshot::Sender<Value>>) {
        let (mut items, mut checks, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (_, flight) in self.places.into_iter().flatten() {
            match flight {
                Flight::Digest(item) => items.push(item),
                Flight::Canary { check, .. } => checks.extend(check),
                Flight::Change(reply) => changes.push(reply),
            }
        }
        (items, checks, changes)
    }
}
