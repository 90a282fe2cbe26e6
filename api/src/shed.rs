//! Tells when work waits so long for its turn that no more should be let in.
//!
//! A line is judged by time and not by count: ten signatures are a long line for a slow token and a short one for a fast
//! one. Two things are looked at: how long the first one has been waiting, which shows a standstill, and how long a
//! newcomer would wait at the present speed, which shows a flood before anybody has waited (the first one in line only
//! tells what the line was like when it came). As in CoDel (RFC 8289) a wait above the target is a burst, and harmless, until
//! it has lasted for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A wait this many times the target is never a harmless burst, and one above the target is none after as long.
const BURST: u32 = 5;
/// The speed is a mean over about this many turns.
const TURNS: f64 = 256.0;

/// Work that waits for one thing.
#[derive(Debug)]
pub(crate) struct Line {
    target: Duration,
    state: Mutex<State>,
}

/// One piece of work in a line; it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<Line>);

/// How much is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Load {
    /// All is well, or it is a burst.
    Normal,
    /// Whoever asks for much is sent away.
    High,
    /// Everybody is.
    Extreme,
}

#[derive(Debug, Default)]
struct State {
    /// When each one came, the first in front.
    waiting: VecDeque<Instant>,
    /// Mean time between two turns while somebody waits, in seconds.
    gap: f64,
    /// How many turns that is the mean of.
    turns: f64,
    last_turn: Option<Instant>,
    /// Since when the wait is above the target.
    long_since: Option<Instant>,
}

impl Line {
    /// A line whose work should wait no longer than `target`.
    pub(crate) fn new(target: Duration) -> Arc<Self> {
        Arc::new(Self { target, state: Mutex::default() })
    }

    /// Joins the line until the value is dropped.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiting {
        self.join();
        Waiting(Arc::clone(self))
    }

    /// Joins the line; [`Line::leave`] ends it.
    pub(crate) fn join(&self) {
        self.state().join(Instant::now());
    }

    /// One piece of work has its turn, or went away. Turns are given in order, so it counts as the first.
    pub(crate) fn leave(&self) {
        self.state().leave(Instant::now());
    }

    /// How much is waiting now.
    pub(crate) fn load(&self) -> Load {
        self.state().load(self.target, Instant::now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl State {
    fn join(&mut self, now: Instant) {
        if self.waiting.is_empty() {
            // Nobody waited: the time until now says nothing about the speed.
            self.last_turn = None;
        }
        self.waiting.push_back(now);
    }

    fn leave(&mut self, now: Instant) {
        let joined = self.waiting.pop_front();
        if let Some(from) = self.last_turn.or(joined) {
            let gap = now.saturating_duration_since(from).as_secs_f64();
            // A plain mean as long as there are few.
            self.turns = (self.turns + 1.0).min(TURNS);
            self.gap += (gap - self.gap) / self.turns;
        }
        self.last_turn = Some(now);
    }

    /// What a newcomer would wait.
    fn expected_wait(&self, now: Instant) -> Duration {
        let Some(first) = self.waiting.front() else { return Duration::ZERO };
        let ahead = Duration::from_secs_f64(self.waiting.len() as f64 * self.gap);
        ahead.max(now.saturating_duration_since(*first))
    }

    fn load(&mut self, target: Duration, now: Instant) -> Load {
        let wait = self.expected_wait(now);
        if wait <= target {
            self.long_since = None;
            return Load::Normal;
        }
        let since = *self.long_since.get_or_insert(now);
        if wait > 2 * BURST * target {
            Load::Extreme
        } else if wait > BURST * target || now.saturating_duration_since(since) >= BURST * target {
            Load::High
        } else {
            Load::Normal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(200);
    const SERVICE: Duration = Duration::from_millis(1);

    /// Work arrives `times` as fast as it is done, for `seconds`. Answers what was done, what was let in, and the longest wait.
    fn simulate(times: u32, seconds: u32) -> (u32, u32, Duration) {
        let start = Instant::now();
        let mut state = State::default();
        let (mut done, mut admitted, mut longest) = (0, 0, Duration::ZERO);
        for turn in 0..seconds * 1000 {
            let now = start + turn * SERVICE;
            for _ in 0..times {
                if state.load(TARGET, now) == Load::Normal {
                    state.join(now);
                    admitted += 1;
                }
            }
            if let Some(first) = state.waiting.front() {
                longest = longest.max(now - *first);
                state.leave(now);
                done += 1;
            }
        }
        (done, admitted, longest)
    }

    #[test]
    fn a_flood_is_cut_down_to_what_can_be_done_and_nothing_less() {
        for times in [2, 5, 50] {
            let (done, admitted, longest) = simulate(times, 30);
            assert!(done >= 29_900, "{times}: {done} of 30000");
            assert!(admitted - done <= 1100, "{times}: {} wait in the end", admitted - done);
            assert!(longest <= Duration::from_millis(1300), "{times}: {longest:?}");
        }
    }

    #[test]
    fn what_can_be_done_is_never_refused() {
        let (done, admitted, _) = simulate(1, 10);
        assert_eq!((done, admitted), (10_000, 10_000));
    }

    #[test]
    fn a_burst_passes_and_a_standstill_does_not() {
        let start = Instant::now();
        let mut state = State::default();
        let at = |ms: u64| start + Duration::from_millis(ms);
        state.join(start);
        assert_eq!(state.load(TARGET, at(150)), Load::Normal);
        // Above the target, but only just.
        assert_eq!(state.load(TARGET, at(400)), Load::Normal);
        assert_eq!(state.load(TARGET, at(1001)), Load::High);
        assert_eq!(state.load(TARGET, at(2001)), Load::Extreme);
        state.leave(at(2100));
        assert_eq!(state.load(TARGET, at(2100)), Load::Normal);
    }

    #[test]
    fn a_pause_without_work_does_not_look_like_slowness() {
        let start = Instant::now();
        let mut state = State::default();
        for round in 0..1000 {
            let now = start + Duration::from_mins(1) * round;
            state.join(now);
            state.leave(now + SERVICE);
        }
        assert!(state.gap < 0.002, "{}", state.gap);
    }

    #[test]
    fn who_gives_up_leaves_the_line() {
        let line = Line::new(TARGET);
        let waiting = line.wait();
        assert_eq!(line.state().waiting.len(), 1);
        drop(waiting);
        assert_eq!(line.state().waiting.len(), 0);
    }
}
