//! Leaves a failing service alone for a while, then lets one request try.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row after which a service rests.
const MOST_FAILURES: u32 = 5;
/// How long it rests at first; doubled with each try that fails, up to the longest.
const FIRST_REST: Duration = Duration::from_secs(2);
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Whether a service is worth a try.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// In a row.
    failures: u32,
    rest: Option<Rest>,
    /// The one request that tries after a rest is under way.
    probing: bool,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Instant,
    length: Duration,
}

/// One request to the service. When it is dropped without an outcome, because nobody waits any more, it counts for nothing.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    /// A turn, unless the service rests.
    pub(crate) fn turn(&self, now: Instant) -> Option<Turn<'_>> {
        let mut state = self.state();
        let is_probe = match state.rest {
            None => false,
            Some(rest) if now < rest.until || state.probing => return None,
            Some(_) => true,
        };
        state.probing |= is_probe;
        Some(Turn { breaker: self, is_probe })
    }

    /// How long it still rests.
    pub(crate) fn rest(&self, now: Instant) -> Duration {
        self.state().rest.map_or(Duration::ZERO, |rest| rest.until.saturating_duration_since(now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The service answered.
    pub(crate) fn succeeded(self) {
        let mut state = self.breaker.state();
        state.failures = 0;
        state.rest = None;
    }

    /// It failed or was too slow. Tells whether it begins to rest with this.
    pub(crate) fn failed(self, now: Instant) -> bool {
        let mut state = self.breaker.state();
        state.failures = state.failures.saturating_add(1);
        let length = match state.rest {
            Some(rest) if self.is_probe => (rest.length * 2).min(LONGEST_REST),
            None if state.failures >= MOST_FAILURES => FIRST_REST,
            // It rests already, or may go on.
            _ => return false,
        };
        state.rest = Some(Rest { until: now + length, length });
        true
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.state().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, now: Instant) -> bool {
        breaker.turn(now).expect("a turn").failed(now)
    }

    #[test]
    fn a_source_rests_after_failures_in_a_row_and_one_request_tries_again() {
        let (breaker, mut now) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            assert!(!fail(&breaker, now));
        }
        breaker.turn(now).unwrap().succeeded();
        for failure in 1..=MOST_FAILURES {
            assert_eq!(fail(&breaker, now), failure == MOST_FAILURES, "{failure}");
        }
        assert!(breaker.turn(now + FIRST_REST - Duration::from_millis(1)).is_none());

        let mut rest = FIRST_REST;
        for _ in 0..8 {
            now += rest;
            let probe = breaker.turn(now).unwrap();
            assert!(breaker.turn(now).is_none(), "one tries at a time");
            assert!(probe.failed(now));
            rest = (rest * 2).min(LONGEST_REST);
            assert!(breaker.turn(now + rest - Duration::from_millis(1)).is_none(), "{rest:?}");
        }

        now += rest;
        breaker.turn(now).unwrap().succeeded();
        assert!(!fail(&breaker, now), "the count begins anew");
    }

    #[test]
    fn a_try_that_nobody_waited_for_leaves_the_next_one_its_turn() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..MOST_FAILURES {
            fail(&breaker, now);
        }
        drop(breaker.turn(now + FIRST_REST).unwrap());
        assert!(breaker.turn(now + FIRST_REST).is_some());
    }

    #[test]
    fn requests_that_began_before_the_rest_do_not_lengthen_it() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        let late = breaker.turn(now).unwrap();
        for _ in 0..MOST_FAILURES {
            fail(&breaker, now);
        }
        assert!(!late.failed(now + FIRST_REST));
        assert!(breaker.turn(now + FIRST_REST).is_some());
    }
}
