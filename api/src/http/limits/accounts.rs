//! What each client has used: a bucket of tokens that refills with time (one token, one request), and requests under way.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Accounts kept at most, some megabytes. An account that has recovered is forgotten first, which changes nothing for it.
const MOST_ACCOUNTS: usize = 1 << 16;
/// What was begun counts half after this long.
const HALF_LIFE: Duration = Duration::from_secs(2);
/// How long the mean is taken for granted.
const MEAN_KEPT: Duration = Duration::from_millis(100);

/// What one client may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) per_second: u32,
    pub(super) burst: u32,
    pub(super) concurrent: u32,
}

/// The accounts of many clients.
#[derive(Debug)]
pub(super) struct Accounts<K> {
    accounts: HashMap<K, Account>,
    /// Begun by one client, on average over those that begin anything.
    mean: (Option<Instant>, f64),
}

#[derive(Debug)]
struct Account {
    tokens: f64,
    /// When `tokens` and `begun` were right.
    at: Instant,
    under_way: u32,
    /// Recent requests that began something; older ones count less and less.
    begun: f64,
}

/// What is left after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    /// Requests that could come at once.
    pub(super) requests: u32,
    /// Until the bucket is full.
    pub(super) full_in: Duration,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too fast; there is a token again after this time.
    TooFast(Duration),
    /// Too many at the same time.
    TooMany,
}

impl<K> Default for Accounts<K> {
    fn default() -> Self {
        Self { accounts: HashMap::new(), mean: (None, 0.0) }
    }
}

impl<K: Eq + Hash + Clone> Accounts<K> {
    pub(super) fn contains(&self, key: &K) -> bool {
        self.accounts.contains_key(key)
    }

    /// Takes a token and begins a request, which [`Accounts::end`] ends.
    pub(super) fn begin(&mut self, key: &K, allowance: Allowance, now: Instant) -> Result<Left, Refusal> {
        let account = self.account(key, allowance, now);
        if account.under_way >= allowance.concurrent {
            return Err(Refusal::TooMany);
        }
        let per_second = f64::from(allowance.per_second);
        if account.tokens < 1.0 {
            return Err(Refusal::TooFast(Duration::from_secs_f64((1.0 - account.tokens) / per_second)));
        }
        account.tokens -= 1.0;
        account.under_way += 1;
        let missing = f64::from(allowance.burst) - account.tokens;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the burst"
        )]
        let requests = account.tokens as u32;
        Ok(Left { requests, full_in: Duration::from_secs_f64(missing / per_second) })
    }

    /// A request is over.
    pub(super) fn end(&mut self, key: &K) {
        if let Some(account) = self.accounts.get_mut(key) {
            account.under_way = account.under_way.saturating_sub(1);
        }
    }

    /// Opens an account.
    pub(super) fn open(&mut self, key: &K, allowance: Allowance, now: Instant) {
        self.account(key, allowance, now);
    }

    /// Whether this client begins much less than the others: then it is not the one that makes the others wait.
    pub(super) fn is_modest(&mut self, key: &K, now: Instant) -> bool {
        let begun = self.accounts.get(key).map_or(0.0, |account| account.begun_by(now));
        begun < self.mean(now) / 2.0
    }

    /// Counts a request that begins something.
    pub(super) fn count(&mut self, key: &K, now: Instant) {
        if let Some(account) = self.accounts.get_mut(key) {
            account.begun = account.begun_by(now) + 1.0;
        }
    }

    fn mean(&mut self, now: Instant) -> f64 {
        let (at, mean) = self.mean;
        if at.is_some_and(|at| now.saturating_duration_since(at) < MEAN_KEPT) {
            return mean;
        }
        let active = self.accounts.values().map(|account| account.begun_by(now)).filter(|begun| *begun > 0.5);
        let (clients, sum) = active.fold((0.0, 0.0), |(clients, sum), begun| (clients + 1.0, sum + begun));
        let mean = if clients > 0.0 { sum / clients } else { 0.0 };
        self.mean = (Some(now), mean);
        mean
    }

    fn account(&mut self, key: &K, allowance: Allowance, now: Instant) -> &mut Account {
        if self.accounts.len() >= MOST_ACCOUNTS && !self.accounts.contains_key(key) {
            self.make_room(allowance, now);
        }
        let full = f64::from(allowance.burst);
        let account = self.accounts.entry(key.clone()).or_insert(Account {
            tokens: full,
            at: now,
            under_way: 0,
            begun: 0.0,
        });
        account.settle(allowance, now);
        account
    }

    /// Forgets accounts that are as good as new; if all are in use, any of those without a request.
    fn make_room(&mut self, allowance: Allowance, now: Instant) {
        self.accounts.retain(|_, account| {
            account.settle(allowance, now);
            account.under_way > 0 || account.tokens < f64::from(allowance.burst)
        });
        if self.accounts.len() >= MOST_ACCOUNTS {
            let mut spare = MOST_ACCOUNTS / 2;
            self.accounts.retain(|_, account| {
                let keep = account.under_way > 0 || spare > 0;
                spare = spare.saturating_sub(1);
                keep
            });
        }
    }
}

impl Account {
    /// Brings the account up to now.
    fn settle(&mut self, allowance: Allowance, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        let earned = passed.as_secs_f64() * f64::from(allowance.per_second);
        self.begun = self.begun_by(now);
        self.tokens = (self.tokens + earned).min(f64::from(allowance.burst));
        self.at = self.at.max(now);
    }

    fn begun_by(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at);
        self.begun * 0.5_f64.powf(passed.as_secs_f64() / HALF_LIFE.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance { per_second: 10, burst: 20, concurrent: 100 };

    #[test]
    fn a_bucket_empties_refuses_and_refills() {
        let mut accounts = Accounts::default();
        let start = Instant::now();
        for left in (0..20).rev() {
            assert_eq!(accounts.begin(&"a", ALLOWANCE, start).unwrap().requests, left);
        }
        let tenth = Duration::from_millis(100);
        assert_eq!(accounts.begin(&"a", ALLOWANCE, start), Err(Refusal::TooFast(tenth)));
        // Somebody else is not concerned.
        assert!(accounts.begin(&"b", ALLOWANCE, start).is_ok());
        assert!(accounts.begin(&"a", ALLOWANCE, start + tenth).is_ok());
        assert!(accounts.begin(&"a", ALLOWANCE, start + tenth).is_err());
        let left = accounts.begin(&"a", ALLOWANCE, start + Duration::from_mins(1)).unwrap();
        assert_eq!(left, Left { requests: 19, full_in: tenth });
    }

    #[test]
    fn requests_under_way_are_bounded_and_given_back() {
        let mut accounts = Accounts::default();
        let (now, narrow) = (Instant::now(), Allowance { concurrent: 2, ..ALLOWANCE });
        accounts.begin(&"a", narrow, now).unwrap();
        accounts.begin(&"a", narrow, now).unwrap();
        assert_eq!(accounts.begin(&"a", narrow, now), Err(Refusal::TooMany));
        accounts.end(&"a");
        // The refused one cost nothing.
        assert_eq!(accounts.begin(&"a", narrow, now).unwrap().requests, 17);
    }

    #[test]
    fn the_modest_are_those_well_below_the_mean() {
        let mut accounts = Accounts::default();
        let now = Instant::now();
        for (client, times) in [("noisy", 20), ("a", 2), ("b", 2)] {
            for _ in 0..times {
                accounts.begin(&client, ALLOWANCE, now).unwrap();
                accounts.count(&client, now);
            }
        }
        assert!(!accounts.is_modest(&"noisy", now));
        assert!(accounts.is_modest(&"a", now));
        assert!(accounts.is_modest(&"new", now));
        // Noise is forgotten.
        assert!(!accounts.is_modest(&"a", now + Duration::from_mins(1)));
    }

    #[test]
    fn a_flood_of_names_does_not_fill_the_memory_or_free_a_client_of_its_past() {
        let mut accounts = Accounts::default();
        let now = Instant::now();
        for _ in 0..20 {
            accounts.begin(&u32::MAX, ALLOWANCE, now).unwrap();
        }
        let busy = Allowance { burst: 20, ..ALLOWANCE };
        for name in 0..200_000 {
            accounts.open(&name, busy, now);
        }
        assert!(accounts.accounts.len() <= MOST_ACCOUNTS);
        assert!(accounts.begin(&u32::MAX, ALLOWANCE, now).is_err());
    }
}
