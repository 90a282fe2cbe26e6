//! When a delivery is tried again.

use std::time::Duration;

use rubrica_core::Timestamp;

use crate::random;

/// No server is left alone for longer than this because it asked to be.
const LONGEST_REQUESTED: Duration = Duration::from_secs(24 * 60 * 60);

/// Pauses before the second attempt, the third, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule(Vec<Duration>);

impl Schedule {
    /// Reads pauses such as `200ms`, `5s`, `30m` or `2h`.
    pub(crate) fn parse(pauses: &[String]) -> Option<Self> {
        pauses.iter().map(|text| pause(text)).collect::<Option<Vec<_>>>().map(Self)
    }

    /// The time of the attempt after this one; `None` after the last. Up to a tenth is added at random, so that what failed
    /// together does not come back together.
    pub(crate) fn after(
        &self,
        attempt: u32,
        now: Timestamp,
        requested: Option<Duration>,
    ) -> Option<Timestamp> {
        let index = usize::try_from(attempt).ok()?.checked_sub(1)?;
        let pause = *self.0.get(index)?;
        let more = pause.mul_f64(f64::from(u16::from_be_bytes(random::bytes())) / f64::from(u16::MAX) / 10.0);
        Some(now.plus((pause + more).max(requested.unwrap_or_default().min(LONGEST_REQUESTED))))
    }
}

fn pause(text: &str) -> Option<Duration> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let (number, unit) = units.iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, ms)))?;
    let ms = number.parse::<u64>().ok()?.checked_mul(*unit)?;
    (ms > 0 && ms <= 7 * 24 * 3_600_000).then(|| Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_follow_the_schedule_within_a_tenth_and_end() {
        let schedule = Schedule::parse(&["200ms".into(), "5s".into(), "2h".into()]).unwrap();
        let now = Timestamp::from_unix_ms(1_000_000).unwrap();
        let pause = |attempt, requested| {
            let next = schedule.after(attempt, now, requested)?;
            Some(next.unix_ms() - now.unix_ms())
        };
        for _ in 0..200 {
            for (attempt, least) in [(1, 200), (2, 5000), (3, 7_200_000)] {
                let pause = pause(attempt, None).unwrap();
                assert!((least..=least + least / 10).contains(&pause), "{attempt}: {pause}");
            }
        }
        assert_eq!(pause(4, None), None);
        assert_eq!(pause(0, None), None);
        assert_eq!(pause(1, Some(Duration::from_secs(60))), Some(60_000));
        assert_eq!(pause(1, Some(Duration::from_secs(1 << 40))), Some(86_400_000));
        assert!(pause(3, Some(Duration::from_secs(1))).unwrap() >= 7_200_000);
    }

    #[test]
    fn what_is_no_pause_is_refused() {
        for bad in ["", "5", "s", "-1s", "0s", "5d", "1.5h", "200h", "99999999999999999999s"] {
            assert_eq!(Schedule::parse(&[bad.to_owned()]), None, "{bad}");
        }
    }
}
