//! What waits for a session.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::protocol::SignItem;

/// What a worker is asked for.
#[derive(Debug)]
pub(super) enum Work {
    /// Sign a digest.
    Sign(SignItem),
    /// Sign a digest with the key for health checks.
    Canary { id: u32, sha256: [u8; 32] },
}

/// Work for some of the workers; the others rest.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// For workers that may take work.
    work: Condvar,
    /// For workers beyond the number of sessions in use.
    rest: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Work>,
    /// Workers that may take work: those with a lower number.
    active: usize,
    closed: bool,
}

/// What a worker got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Some work; whether more is waiting.
    Some { backlog: bool },
    /// The queue is closed.
    Nothing,
}

impl Queue {
    pub(super) fn push(&self, work: impl Iterator<Item = Work>) {
        let mut state = self.state();
        state.waiting.extend(work);
        drop(state);
        self.work.notify_one();
    }

    pub(super) fn push_first(&self, work: Work) {
        self.state().waiting.push_front(work);
        self.work.notify_one();
    }

    /// Lets the workers with a lower number than this work.
    pub(super) fn set_active(&self, active: usize) {
        self.state().active = active;
        self.rest.notify_all();
        self.work.notify_all();
    }

    /// Workers that may take work.
    pub(super) fn active(&self) -> u16 {
        u16::try_from(self.state().active).unwrap_or(u16::MAX)
    }

    /// No more work is given out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.rest.notify_all();
        self.work.notify_all();
    }

    /// Waits for work and takes its share, at most `most`.
    pub(super) fn take(&self, worker: usize, most: usize, taken: &mut Vec<Work>) -> Taken {
        let mut state = self.state();
        loop {
            if state.closed {
                return Taken::Nothing;
            }
            if worker >= state.active {
                state = self.rest.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if state.waiting.is_empty() {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let share = state.waiting.len().div_ceil(state.active).clamp(1, most.max(1));
            taken.extend(state.waiting.drain(..share));
            let backlog = !state.waiting.is_empty();
            drop(state);
            if backlog {
                self.work.notify_one();
            }
            return Taken::Some { backlog };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(work: u32, active: usize) -> Queue {
        let queue = Queue::default();
        queue.set_active(active);
        queue.push((0..work).map(|id| Work::Canary { id, sha256: [0; 32] }));
        queue
    }

    #[test]
    fn a_worker_takes_its_share_and_not_more_than_it_asked_for() {
        let mut taken = Vec::new();
        assert_eq!(queue(10, 2).take(0, 32, &mut taken), Taken::Some { backlog: true });
        assert_eq!(taken.len(), 5);
        taken.clear();
        queue(10, 2).take(0, 3, &mut taken);
        assert_eq!(taken.len(), 3);
        taken.clear();
        assert_eq!(queue(1, 4).take(3, 8, &mut taken), Taken::Some { backlog: false });
        assert_eq!(taken.len(), 1);
    }

    #[test]
    fn a_resting_worker_takes_nothing_until_it_is_active_and_leaves_when_the_queue_closes() {
        let queue = queue(4, 1);
        std::thread::scope(|scope| {
            let resting = scope.spawn(|| {
                let mut taken = Vec::new();
                (queue.take(1, 1, &mut taken), taken.len(), queue.take(9, 1, &mut taken))
            });
            assert!(!resting.is_finished());
            queue.set_active(2);
            while queue.state().waiting.len() == 4 {
                std::thread::yield_now();
            }
            queue.close();
            let (first, count, last) = resting.join().unwrap();
            assert_eq!((first, count, last), (Taken::Some { backlog: true }, 1, Taken::Nothing));
        });
    }
}
