//! How often a provider is called again: one more call for ten, so that an outage does not multiply the load.

use std::sync::{Mutex, PoisonError};

/// What one retry costs, in tenths; a call adds one tenth.
const RETRY: u32 = 10;
/// Retries that can be saved up.
const MOST: u32 = 10 * RETRY;
/// Retries of a program that has just started.
const FIRST: u32 = 2 * RETRY;

/// The retries that one provider has left.
#[derive(Debug)]
pub(super) struct Budget(Mutex<u32>);

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new(FIRST))
    }
}

impl Budget {
    /// A call was made.
    pub(super) fn add(&self) {
        let mut tenths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *tenths = (*tenths + 1).min(MOST);
    }

    /// Takes a retry, when there is one.
    pub(super) fn take(&self) -> bool {
        let mut tenths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = tenths.checked_sub(RETRY);
        *tenths = left.unwrap_or(*tenths);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_calls_pay_for_one_more_and_only_so_many_are_saved() {
        let budget = Budget::default();
        let taken = || std::iter::from_fn(|| budget.take().then_some(())).count();
        assert_eq!(taken(), 2, "of a start");
        (0..9).for_each(|_| budget.add());
        assert_eq!(taken(), 0);
        budget.add();
        assert_eq!(taken(), 1);
        (0..1000).for_each(|_| budget.add());
        assert_eq!(taken(), 10);
    }
}
