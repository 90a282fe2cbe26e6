//! What a connection waits for, and until when.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::head::HeadBytes;

/// How long a client may take outside of bodies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the connection to its first byte.
    pub(super) first_byte: Duration,
    /// From the first byte of a request to the end of its headers.
    pub(super) headers: Duration,
    /// Between two requests.
    pub(super) keep_alive: Duration,
}

/// Where a connection is. Its stream reports bytes, its service reports requests and answers.
#[derive(Debug)]
pub(super) struct Pace {
    patience: Patience,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    head: HeadBytes,
    body_left: bool,
    /// The connection's task while it waits without a deadline.
    task: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was received yet.
    Silent { since: Instant },
    /// Within the headers of a request.
    Head { since: Instant },
    /// From the end of the headers to the end of the answer. Bodies are watched by their own [`super::flow::Flow`].
    Busy,
    /// Between two requests.
    Idle { since: Instant },
}

impl Pace {
    pub(super) fn new(patience: Patience, header_bytes: usize, now: Instant) -> Self {
        let state = State {
            phase: Phase::Silent { since: now },
            head: HeadBytes::new(header_bytes),
            body_left: false,
            task: None,
        };
        Self { patience, state: Mutex::new(state) }
    }

    /// Bytes came in.
    pub(super) fn received(&self, bytes: &[u8], now: Instant) {
        let mut state = self.state();
        match state.phase {
            Phase::Silent { .. } | Phase::Idle { .. } => state.phase = Phase::Head { since: now },
            Phase::Head { .. } => {}
            Phase::Busy => return,
        }
        state.head.add(bytes);
    }

    /// Bytes went out.
    pub(super) fn sent(&self, now: Instant) {
        if let Phase::Idle { since } = &mut self.state().phase {
            // The end of a long answer is still on its way.
            *since = now;
        }
    }

    /// Until when the next byte must come; `None` while a request is worked on, at whose end the task is woken.
    pub(super) fn read_deadline(&self, task: &Waker) -> Option<Instant> {
        let mut state = self.state();
        match state.phase {
            Phase::Silent { since } => Some(since + self.patience.first_byte),
            Phase::Head { since } => Some(since + self.patience.headers),
            Phase::Idle { since } => Some(since + self.patience.keep_alive),
            Phase::Busy => {
                state.task = Some(task.clone());
                None
            }
        }
    }

    /// The headers of a request are complete. Answers their bytes.
    pub(super) fn request_begins(&self) -> Vec<u8> {
        let mut state = self.state();
        state.phase = Phase::Busy;
        state.head.take()
    }

    /// The answer was handed over to the last byte.
    pub(super) fn answer_ends(&self, now: Instant) {
        let mut state = self.state();
        state.phase = Phase::Idle { since: now };
        // From now on there is a deadline, and the code above the stream would not ask for it by itself.
        if let Some(task) = state.task.take() {
            task.wake();
        }
    }

    /// The answer goes out although the client still sends: the connection will be closed with care.
    pub(super) fn leave_body(&self) {
        self.state().body_left = true;
    }

    pub(super) fn left_body(&self) -> bool {
        self.state().body_left
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_its_deadline() {
        let second = Duration::from_secs(1);
        let patience = Patience { first_byte: 5 * second, headers: 10 * second, keep_alive: 30 * second };
        let start = Instant::now();
        let pace = Pace::new(patience, 100, start);
        let deadline = || pace.read_deadline(Waker::noop()).map(|at| at - start);
        assert_eq!(deadline(), Some(5 * second));
        // The clock of the headers runs from their first byte, however many follow.
        pace.received(b"G", start + 2 * second);
        pace.received(b"E", start + 9 * second);
        assert_eq!(deadline(), Some(12 * second));
        pace.received(b"T / HTTP/1.1\r\n\r\nbody", start + 9 * second);
        assert_eq!(pace.request_begins(), b"GET / HTTP/1.1\r\n\r\n");
        pace.received(b"more of the body", start + 20 * second);
        assert_eq!(deadline(), None);
        pace.answer_ends(start + 40 * second);
        assert_eq!(deadline(), Some(70 * second));
        pace.sent(start + 50 * second);
        assert_eq!(deadline(), Some(80 * second));
        pace.received(b"P", start + 60 * second);
        assert_eq!(deadline(), Some(70 * second));
    }
}
