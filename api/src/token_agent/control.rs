//! How many sessions sign at the same time.
//!
//! A token on this machine is fastest with as many as there are cores, one on the network with many more, and nobody knows
//! the number beforehand. So one more is tried as long as that brings more signatures a second and the slowest of a hundred
//! takes no longer than twice what one alone takes.

/// Fewest signatures that say something about their slowest.
pub(super) const WINDOW_SIGNATURES: usize = 64;
/// Shortest time that says something about a rate.
pub(super) const WINDOW_MS: u64 = 250;

/// How many to start with.
const FIRST: usize = 2;
/// An additional session has to bring this much.
const GAIN: f64 = 1.05;
/// Slowest of a hundred, as a multiple of one alone.
const SLOWEST: f64 = 2.0;
/// Windows to stay with a number before the next one is tried again.
const STAY: u32 = 40;

/// What was measured while there was more work than sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// Signatures per second.
    pub(super) rate: f64,
    /// The slowest of a hundred, as a multiple of the usual time of one alone; `None` while that is not known.
    pub(super) slowest: Option<f64>,
}

/// Decides by what was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Control {
    most: usize,
    sessions: usize,
    /// The number before the last raise, and its rate.
    before: Option<(usize, f64)>,
    stay: u32,
}

impl Control {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { most, sessions: FIRST.min(most), before: None, stay: 0 }
    }

    pub(super) const fn sessions(&self) -> usize {
        self.sessions
    }

    /// The token gives no more than this many.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most.max(1);
        self.sessions = self.sessions.min(self.most);
        self.before = None;
    }

    /// The number for the next window.
    pub(super) fn step(&mut self, window: Window) -> usize {
        if window.slowest.is_some_and(|slowest| slowest > SLOWEST) && self.sessions > 1 {
            self.settle(self.sessions - 1);
        } else if self.stay > 0 {
            self.stay -= 1;
        } else {
            match self.before {
                Some((fewer, rate)) if window.rate < rate * GAIN => self.settle(fewer),
                _ => {
                    self.before = Some((self.sessions, window.rate));
                    self.raise();
                }
            }
        }
        self.sessions
    }

    fn raise(&mut self) {
        if self.sessions < self.most {
            self.sessions += 1;
        } else {
            self.settle(self.sessions);
        }
    }

    fn settle(&mut self, sessions: usize) {
        self.sessions = sessions;
        self.before = None;
        self.stay = STAY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the control against a token that makes `rate(sessions)` signatures a second.
    fn after(windows: u32, most: usize, token: impl Fn(usize) -> (f64, f64)) -> usize {
        let mut control = Control::new(most);
        for _ in 0..windows {
            let (rate, slowest) = token(control.sessions());
            control.step(Window { rate, slowest: Some(slowest) });
        }
        control.sessions()
    }

    #[test]
    fn a_token_on_the_network_gets_sessions_as_long_as_they_help() {
        // 5 ms each, 12 at the same time.
        let network = |sessions: usize| (200.0 * sessions.min(12) as f64, 1.1);
        assert_eq!(after(12, 30, network), 12);
        // The ceiling holds, also when the number is tried again.
        for windows in 0..200 {
            assert!((2..=8).contains(&after(windows, 8, network)));
        }
        assert_eq!(after(30, 8, network), 8);
    }

    #[test]
    fn a_token_of_two_cores_stays_with_two() {
        let cores = |sessions: usize| (1600.0 * sessions.min(2) as f64, 1.0 + (sessions as f64 - 1.0) * 0.4);
        assert_eq!(after(3, 16, cores), 2);
        // Now and then one more is tried.
        assert!(after(44, 16, cores) <= 3);
    }

    #[test]
    fn sessions_that_slow_each_other_down_are_given_up() {
        let crowded = |sessions: usize| (3000.0, if sessions > 1 { 5.0 } else { 1.2 });
        assert_eq!(after(1, 16, crowded), 1);
        assert_eq!(after(20, 16, crowded), 1);
    }

    #[test]
    fn what_the_token_or_the_configuration_refuses_is_not_used() {
        assert_eq!(Control::new(0).sessions(), 1);
        assert_eq!(Control::new(1).sessions(), 1);
        let mut control = Control::new(30);
        control.limit(1);
        for _ in 0..100 {
            assert_eq!(control.step(Window { rate: 1.0, slowest: None }), 1);
        }
    }
}
