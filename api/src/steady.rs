//! Whether the wall clock can be believed where a mistake cannot be made good: an order that expired stays expired.
//!
//! A clock that jumps is corrected soon, or it was the correction. Until one or the other is known, nothing is ended by it.

use std::time::{Duration, Instant};

use rubrica_core::Timestamp;

/// Clocks that are disciplined move by less; a jump is more.
const JUMP_MS: u64 = 30_000;
/// A jump that nobody takes back for this long was the correction.
const BELIEVED: Duration = Duration::from_mins(5);

/// The wall clock, watched by one that does not jump.
#[derive(Debug, Default)]
pub(crate) struct Steadiness {
    last: Option<(Timestamp, Instant)>,
    /// How far the clock is from where it would be without its jumps, in milliseconds, and since when.
    off: Option<(i64, Instant)>,
}

impl Steadiness {
    /// Compares both clocks, which should be done every few seconds; whether the wall clock can be believed.
    pub(crate) fn check(&mut self, wall: Timestamp, at: Instant) -> bool {
        let (last_wall, last_at) = *self.last.get_or_insert((wall, at));
        self.last = Some((wall, at));
        let passed = u64::try_from(at.duration_since(last_at).as_millis()).unwrap_or(u64::MAX);
        let jump = signed(wall.unix_ms()) - signed(last_wall.unix_ms().saturating_add(passed));
        if jump.unsigned_abs() > JUMP_MS {
            let off = self.off.map_or(0, |(off, _)| off) + jump;
            tracing::warn!(jump_ms = jump, off_ms = off, "the clock jumped");
            self.off = (off.unsigned_abs() > JUMP_MS).then_some((off, at));
        }
        if self.off.is_some_and(|(_, since)| at.duration_since(since) >= BELIEVED) {
            self.off = None;
        }
        self.off.is_none()
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Looks after so many seconds, with the wall clock off by so many milliseconds each time.
    fn believed(story: &[(u64, i64)]) -> Vec<bool> {
        let (mut steadiness, begun) = (Steadiness::default(), Instant::now());
        let mut look = |(seconds, off): &(u64, i64)| {
            let wall = 1_795_435_200_000 + i64::try_from(seconds * 1000).unwrap() + off;
            let wall = Timestamp::from_unix_ms(wall.unsigned_abs()).unwrap();
            steadiness.check(wall, begun + Duration::from_secs(*seconds))
        };
        story.iter().map(&mut look).collect()
    }

    #[test]
    fn a_clock_that_drifts_or_is_looked_at_late_is_believed() {
        assert_eq!(believed(&[(0, 0), (1, 900), (2, -900), (600, 20_000)]), [true; 4]);
    }

    #[test]
    fn a_jump_is_doubted_until_it_is_taken_back() {
        let story = [(0, 0), (1, 3 * HOUR), (2, 3 * HOUR), (3, -3 * HOUR), (4, 40), (5, 0)];
        assert_eq!(believed(&story), [true, false, false, false, true, true]);
    }

    #[test]
    fn a_jump_that_lasts_is_believed_after_five_minutes() {
        for off in [3 * HOUR, -3 * HOUR] {
            let story = [(0, 0), (1, off), (300, off), (301, off), (302, off)];
            assert_eq!(believed(&story), [true, false, false, true, true], "{off}");
        }
    }
}
