//! When it is announced that something ends: keys, certificates, API keys.
//!
//! Pure: the time comes in, and what was announced before. Each step is announced once per end; whoever looks late announces
//! only where things stand now, not what was missed. What has another end, because it was renewed, starts anew.

use core::time::Duration;

use crate::Timestamp;

const DAY: Duration = Duration::from_hours(24);
const DAY_MS: u64 = 86_400_000;

/// What ended longer ago than this is no news any more.
pub const LATEST: Duration = Duration::from_hours(30 * 24);

/// A moment at which the end of something is announced, as whole days before it; 0 is the end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step(u32);

impl Step {
    /// Every step, the earliest first.
    pub const ALL: [Self; 8] =
        [Self(90), Self(60), Self(30), Self(14), Self(7), Self(3), Self(1), Self::ENDED];
    /// The end itself.
    pub const ENDED: Self = Self(0);

    /// The step of so many days; `None` when there is none.
    #[must_use]
    pub fn from_days(days: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.0 == days)
    }

    /// Days before the end.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0
    }

    /// How long before the end nothing is announced yet.
    #[must_use]
    pub const fn earliest() -> Duration {
        Duration::from_hours(Self::ALL[0].0 as u64 * 24)
    }

    /// Whether the time has come for it.
    fn is_reached(self, not_after: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::ENDED => now > not_after,
            Self(days) => now.plus(DAY * days) >= not_after,
        }
    }
}

/// The last step that was reached; `None` while the end is far, and when it was long ago ([`LATEST`]).
#[must_use]
pub fn reached(not_after: Timestamp, now: Timestamp) -> Option<Step> {
    if not_after < still_news(now) {
        return None;
    }
    Step::ALL.into_iter().rev().find(|step| step.is_reached(not_after, now))
}

/// The earliest end that is still news: what ended before it is announced no more.
#[must_use]
pub fn still_news(now: Timestamp) -> Timestamp {
    let latest = u64::try_from(LATEST.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_unix_ms(now.unix_ms().saturating_sub(latest)).unwrap_or(now)
}

/// The step to announce now, when `announced` is the last one that was announced for this end.
#[must_use]
pub fn due(not_after: Timestamp, now: Timestamp, announced: Option<Step>) -> Option<Step> {
    reached(not_after, now).filter(|step| announced.is_none_or(|announced| *step < announced))
}

/// Whole days until the end, rounded down: 0 on the last day, negative once it is over.
#[must_use]
pub fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    let days = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    match not_after.unix_ms().checked_sub(now.unix_ms()) {
        Some(left) => days(left / DAY_MS),
        None => -days((now.unix_ms() - not_after.unix_ms()).div_ceil(DAY_MS)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const END: u64 = 1_800_000_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    /// So many days before the end, less so many milliseconds.
    fn before(days: u64, ms: i64) -> Timestamp {
        at((END - days * DAY_MS).checked_add_signed(ms).unwrap())
    }

    #[test]
    fn a_step_is_reached_at_its_hour_and_not_a_moment_earlier() {
        let days = Step::ALL.map(Step::days);
        assert_eq!(days, [90, 60, 30, 14, 7, 3, 1, 0]);
        for (index, step) in Step::ALL.into_iter().enumerate() {
            let day = u64::from(step.days());
            // A certificate is still valid at its last moment.
            let (early, late) = if step == Step::ENDED { (0, 1) } else { (-1, 0) };
            let earlier = index.checked_sub(1).map(|index| Step::ALL[index]);
            assert_eq!(reached(at(END), before(day, early)), earlier, "{step:?}");
            assert_eq!(reached(at(END), before(day, late)), Some(step), "{step:?}");
        }
        let latest = u64::try_from(LATEST.as_millis()).unwrap();
        assert_eq!(reached(at(END), at(END + latest)), Some(Step::ENDED));
        assert_eq!(reached(at(END), at(END + latest + 1)), None, "no news any more");
        assert_eq!(Step::from_days(30), Some(Step(30)));
        assert_eq!(Step::from_days(29), None);
    }

    #[test]
    fn days_are_counted_down_to_nothing_and_below() {
        for (days, ms, expected) in
            [(30, 0, 30), (30, 1, 29), (1, 0, 1), (1, 1, 0), (0, 0, 0), (0, 1, -1), (0, 86_400_001, -2)]
        {
            assert_eq!(days_left(at(END), before(days, ms)), expected, "{days} {ms}");
        }
    }

    /// What is announced by somebody who looks at these times, in this order, and remembers.
    fn announced(looks: impl IntoIterator<Item = Timestamp>) -> Vec<Step> {
        let mut told: Vec<Step> = Vec::new();
        for now in looks {
            told.extend(due(at(END), now, told.last().copied()));
        }
        told
    }

    proptest! {
        #[test]
        fn whoever_looks_every_day_announces_every_step_once(hour in 0_u64..24, start in 91_u64..400) {
            let looks = (0..start + 3).map(|day| at(END - start * DAY_MS + day * DAY_MS + hour * 3_600_000));
            prop_assert_eq!(announced(looks), Step::ALL);
        }

        #[test]
        fn whoever_looks_late_announces_only_where_things_stand(ms in 0_u64..120 * DAY_MS) {
            let now = at(END + 29 * DAY_MS - ms);
            let told = announced([now, now]);
            prop_assert_eq!(told, reached(at(END), now).into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_step_is_announced_twice_or_after_a_later_one_wherever_the_clock_goes(
            looks in proptest::collection::vec(END - 100 * DAY_MS..END + 40 * DAY_MS, 0..60),
        ) {
            let told = announced(looks.into_iter().map(at));
            prop_assert!(told.windows(2).all(|pair| pair[1] < pair[0]), "{:?}", told);
        }

        #[test]
        fn the_step_and_the_days_agree(ms in 0_u64..140 * DAY_MS) {
            let now = at(END + 29 * DAY_MS - ms);
            let days = days_left(at(END), now);
            match reached(at(END), now) {
                None => prop_assert!(days >= 90),
                Some(Step::ENDED) => prop_assert!(days < 0),
                Some(step) => prop_assert!((0..=i64::from(step.days())).contains(&days)),
            }
        }
    }
}
