//! How much an agent is given at a time, and how long to wait before the next one is started.

use std::time::{Duration, Instant};

use crate::ports::MOST_DIGESTS;

/// Work that an agent holds: enough never to run dry, little enough that a restart or a busy neighbour costs little.
const HELD: Duration = Duration::from_millis(50);

/// Digests that an agent should hold at this rate.
pub(super) fn window(rate: f64, sessions: u16) -> usize {
    let least = (usize::from(sessions) * 2).clamp(4, MOST_DIGESTS);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let at_this_rate = (rate.max(0.0) * HELD.as_secs_f64()).min(1e6) as usize;
    at_this_rate.clamp(least, MOST_DIGESTS)
}

/// Answers per second while there is something to answer.
#[derive(Debug, Default)]
pub(super) struct Rate {
    per_second: f64,
    answers: u32,
    busy: Duration,
    busy_since: Option<Instant>,
}

impl Rate {
    pub(super) const fn per_second(&self) -> f64 {
        self.per_second
    }

    /// Work went out, or came back: `left` is what is still out.
    pub(super) fn note(&mut self, now: Instant, answers: u32, left: usize) {
        if let Some(since) = self.busy_since {
            self.busy += now.saturating_duration_since(since);
        }
        self.busy_since = (left > 0).then_some(now);
        self.answers += answers;
        if self.busy >= Duration::from_millis(100) && self.answers > 0 {
            let rate = f64::from(self.answers) / self.busy.as_secs_f64();
            self.per_second = if self.per_second == 0.0 { rate } else { (self.per_second + rate) / 2.0 };
            self.answers = 0;
            self.busy = Duration::ZERO;
        }
    }
}

/// Before the process after this many failures in a row is started: quick once, then with growing patience.
pub(super) fn pause_after(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::from_millis(100),
        more => Duration::from_secs(1 << (more - 2).min(5)).min(Duration::from_secs(30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_holds_fifty_milliseconds_of_work_within_limits() {
        for (rate, sessions, expected) in [
            (0.0, 2, 4),
            (800.0, 2, 40),
            (16_000.0, 2, 256),
            (200.0, 30, 60),
            (1.0, 200, 256),
            (f64::NAN, 2, 4),
            (f64::INFINITY, 2, 256),
        ] {
            assert_eq!(window(rate, sessions), expected, "{rate} {sessions}");
        }
    }

    #[test]
    fn the_rate_counts_busy_time_only() {
        let mut rate = Rate::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        rate.note(at(0), 0, 50);
        rate.note(at(50), 50, 0);
        // A second of rest.
        rate.note(at(1050), 0, 50);
        rate.note(at(1100), 50, 0);
        assert!((rate.per_second() - 1000.0).abs() < 1.0, "{rate:?}");
    }

    #[test]
    fn processes_start_again_quickly_once_and_then_with_pauses_up_to_thirty_seconds() {
        let pauses: Vec<_> = (1..9).map(|failures| pause_after(failures).as_millis()).collect();
        assert_eq!(pauses, [100, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(pause_after(u32::MAX), Duration::from_secs(30));
    }
}
