//! Whose turn it is, so that a tenant with a hundred thousand items leaves room for one with ten.
//!
//! Start-time fair queueing: every line has a counter of what it was served; the lowest is served next. A line that was
//! empty starts where the others are, so that nobody saves up turns.

use std::collections::HashMap;
use std::hash::Hash;

/// What each line was served, in items.
#[derive(Debug)]
pub(super) struct Turns<Line> {
    served: HashMap<Line, u64>,
    /// The counter of the line that was served last: where new ones start.
    now: u64,
}

impl<Line: Hash + Eq + Ord + Clone> Turns<Line> {
    pub(super) fn new() -> Self {
        Self { served: HashMap::new(), now: 0 }
    }

    /// The line among `waiting` that comes next. Lines that do not wait are forgotten.
    pub(super) fn next<'l>(&mut self, waiting: impl IntoIterator<Item = &'l Line>) -> Option<Line>
    where
        Line: 'l,
    {
        let mut known = HashMap::new();
        for line in waiting {
            let served = self.served.get(line).copied().unwrap_or_default().max(self.now);
            known.insert(line.clone(), served);
        }
        let next = known.iter().min_by(|a, b| (a.1, a.0).cmp(&(b.1, b.0))).map(|(line, _)| line.clone());
        self.served = known;
        next
    }

    /// Counts what a line was given.
    pub(super) fn count(&mut self, line: &Line, items: u64) {
        if let Some(served) = self.served.get_mut(line) {
            self.now = self.now.max(*served);
            *served += items;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_comes_late_gets_its_share_at_once_and_no_more() {
        let mut turns = Turns::new();
        let mut serve = |waiting: &[&'static str], times: usize| -> Vec<&'static str> {
            (0..times)
                .map(|_| {
                    let line = turns.next(waiting).unwrap();
                    turns.count(&line, 64);
                    line
                })
                .collect()
        };
        assert_eq!(serve(&["a"], 3), ["a", "a", "a"]);
        let shared = serve(&["a", "b"], 6);
        assert_eq!(shared.iter().filter(|line| **line == "b").count(), 3);
        assert_ne!(shared[0], shared[1]);
        // `b` was away: it does not make up for that.
        assert_eq!(serve(&["a"], 4), ["a"; 4]);
        let shared = serve(&["a", "b"], 6);
        assert_eq!(shared.iter().filter(|line| **line == "b").count(), 3);
    }

    #[test]
    fn lines_of_unequal_work_get_equal_amounts() {
        let mut turns = Turns::new();
        let mut given = HashMap::from([("large", 0), ("small", 0)]);
        for _ in 0..100 {
            let line = turns.next(&["large", "small"]).unwrap();
            let items = if line == "large" { 64 } else { 16 };
            turns.count(&line, items);
            *given.get_mut(line).unwrap() += items;
        }
        assert!(given["large"].abs_diff(given["small"]) <= 64, "{given:?}");
        assert_eq!(turns.next(&[]), None);
    }
}
