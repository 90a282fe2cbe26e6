//! What is seen of the token, and which of it is to be told.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rubrica_core::{ErrorCode, Timestamp};

use crate::http::problem::token_error_code;
use crate::ports::Availability;
use crate::store::tokens::View;

/// A return that is shorter is none.
const SETTLED: Duration = Duration::from_secs(1);
/// Changes that wait for the database. Of a token that goes on coming and going beyond that, no more is told until then.
const MOST_WAITING: usize = 64;

/// Changes that wait, and what comes after them.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// The last change, told or waiting.
    last: Option<Result<(), ErrorCode>>,
    /// A return that has not lasted long enough.
    returned: Option<(Instant, Timestamp)>,
    waiting: VecDeque<View>,
}

impl Views {
    /// Notes what is seen now, by both clocks.
    pub(super) fn see(&mut self, availability: &Availability, now: Instant, at: Timestamp) {
        let answer = match availability {
            Availability::Starting => return,
            Availability::Available => Ok(()),
            Availability::Unavailable(error) => Err(token_error_code(error)),
        };
        if self.last.is_some_and(|last| last.is_ok() == answer.is_ok()) {
            self.returned = None;
            return;
        }
        let mut at = at;
        if answer.is_ok() && self.last.is_some() {
            let (since, returned_at) = *self.returned.get_or_insert((now, at));
            if now.duration_since(since) < SETTLED {
                return;
            }
            at = returned_at;
        }
        self.returned = None;
        self.last = Some(answer);
        tracing::debug!(available = answer.is_ok(), "a change of the token is to be told");
        if self.waiting.len() >= MOST_WAITING {
            // With the change before it, this one comes to nothing.
            self.waiting.pop_back();
        } else {
            self.waiting.push_back(View { answer, at });
        }
    }

    /// The change to be told next.
    pub(super) fn next(&self) -> Option<View> {
        self.waiting.front().copied()
    }

    /// The next change was told.
    pub(super) fn told(&mut self) {
        self.waiting.pop_front();
    }

    /// What is seen now, unless that is not known yet.
    pub(super) fn now(&self, at: Timestamp) -> Option<View> {
        self.last.map(|answer| View { answer, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SigningKeyError;

    fn away() -> Availability {
        Availability::Unavailable(SigningKeyError::Unavailable("TEST".into()))
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(1_795_435_200_000 + ms).unwrap()
    }

    /// Sees each at its time, in milliseconds, and gives what is to be told then: available or not, and since when.
    fn seen(story: &[(u64, Availability)]) -> Vec<(bool, u64)> {
        let (mut views, begun) = (Views::default(), Instant::now());
        for (ms, availability) in story {
            views.see(availability, begun + Duration::from_millis(*ms), at(*ms));
        }
        views.waiting.iter().map(|view| (view.answer.is_ok(), view.at.unix_ms() - at(0).unix_ms())).collect()
    }

    #[test]
    fn an_absence_is_told_at_once_and_a_return_when_it_has_lasted() {
        use Availability::{Available, Starting};
        let start = [(0, Starting), (5, Available), (50, Available)];
        assert_eq!(seen(&start), [(true, 5)]);
        let absence = [(0, Available), (10, away()), (20, away()), (500, Available), (1499, Available)];
        assert_eq!(seen(&absence), [(true, 0), (false, 10)]);
        let mut returned = absence.to_vec();
        returned.push((1500, Available));
        assert_eq!(seen(&returned), [(true, 0), (false, 10), (true, 500)]);
    }

    #[test]
    fn a_token_that_comes_and_goes_is_away_all_the_time() {
        let story: Vec<_> = (0..1000)
            .map(|step| (step * 100, if step % 2 == 0 { away() } else { Availability::Available }))
            .collect();
        assert_eq!(seen(&story), [(false, 0)]);
    }

    #[test]
    fn more_than_can_wait_comes_to_nothing_in_pairs() {
        let story: Vec<_> = (0..300)
            .flat_map(|round| {
                let ms = round * 4000;
                [(ms, away()), (ms + 1000, Availability::Available), (ms + 2000, Availability::Available)]
            })
            .collect();
        let waiting = seen(&story);
        assert_eq!(waiting.len(), MOST_WAITING);
        for (index, pair) in waiting.windows(2).enumerate() {
            assert_ne!(pair[0].0, pair[1].0, "{index}: changes alternate");
        }
        assert!(waiting.last().unwrap().0, "and the last says what is");
    }
}
