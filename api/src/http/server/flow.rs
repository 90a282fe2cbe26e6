//! How fast the other side gives or takes bytes.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What is asked of the other side while it is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlowLimits {
    /// Longest silence.
    pub(super) idle: Duration,
    /// How long it may be slower than the minimum, all pauses together.
    pub(super) grace: Duration,
    /// The minimum.
    pub(super) bytes_per_second: u32,
}

/// Judges one stream of bytes in one direction. Only time spent waiting for the other side counts, never our own.
#[derive(Debug)]
pub(super) struct Flow {
    limits: FlowLimits,
    /// How long we are ready to wait from now on. Waiting uses it up, bytes earn it back.
    credit: Duration,
    waiting_since: Option<Instant>,
}

impl Flow {
    pub(super) const fn new(limits: FlowLimits) -> Self {
        Self { limits, credit: limits.grace, waiting_since: None }
    }

    /// Bytes came through.
    pub(super) fn progress(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.credit = self.credit.saturating_sub(now.saturating_duration_since(since));
        }
        let earned = Duration::from_secs_f64(bytes as f64 / f64::from(self.limits.bytes_per_second.max(1)));
        // Whoever was fast has earned a pause, but not one without end.
        self.credit = (self.credit + earned).min(self.limits.grace.max(2 * self.limits.idle));
    }

    /// Nothing comes through now. Answers until when that is tolerated.
    pub(super) fn stalled(&mut self, now: Instant) -> Instant {
        *self.waiting_since.get_or_insert(now) + self.credit.min(self.limits.idle)
    }
}

/// A timer that is made when it is first needed, and moved only when its instant changes.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Ready once `at` has passed; wakes the task then.
    pub(super) fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FlowLimits =
        FlowLimits { idle: Duration::from_secs(15), grace: Duration::from_secs(10), bytes_per_second: 1024 };

    /// Gives `bytes` every `every`, up to two minutes; answers when it was cut off.
    fn cut_after(bytes: usize, every: Duration, first: usize) -> Option<Duration> {
        let begun = Instant::now();
        let (mut flow, mut now) = (Flow::new(LIMITS), begun);
        flow.progress(first, now);
        while now - begun < Duration::from_mins(2) {
            let deadline = flow.stalled(now);
            now += every;
            if deadline <= now {
                return Some(deadline - begun);
            }
            flow.progress(bytes, now);
        }
        None
    }

    #[test]
    fn a_steady_client_is_never_cut_and_a_dripping_one_soon_after_its_grace() {
        let second = Duration::from_secs(1);
        assert_eq!(cut_after(1024, second, 0), None);
        assert_eq!(cut_after(14 * 1024, 14 * second, 1 << 20), None);
        assert_eq!(cut_after(0, second, 0), Some(10 * second));
        // Each second costs one and a dripped byte earns a thousandth.
        let cut = cut_after(1, second, 0).unwrap();
        assert!(cut > 10 * second && cut < 11 * second, "{cut:?}");
    }

    #[test]
    fn a_fast_beginning_does_not_pay_for_a_slow_rest() {
        let second = Duration::from_secs(1);
        // Silence: the idle limit. Dripping: what can be earned at most.
        assert_eq!(cut_after(0, 60 * second, 100 << 20), Some(15 * second));
        let cut = cut_after(1, second, 100 << 20).unwrap();
        assert!(cut >= 30 * second && cut < 31 * second, "{cut:?}");
    }

    #[test]
    fn our_own_pauses_do_not_count() {
        let mut now = Instant::now();
        let mut flow = Flow::new(LIMITS);
        for _ in 0..100 {
            flow.progress(1, now);
            now += Duration::from_mins(1);
        }
        assert!(flow.stalled(now) >= now + Duration::from_secs(10));
    }
}
