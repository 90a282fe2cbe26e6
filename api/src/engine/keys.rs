//! What happens when a key gives a value that does not verify.

use rubrica_core::ErrorCode;

use crate::app::App;
use crate::ids::KeyId;
use crate::store;

/// Tries of a value that does not verify: a device that fails now and then is asked again, one that fails always is not.
pub(super) const MOST_TRIES: u32 = 3;

/// What a try with wrong values says about the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The device may be asked again.
    Again,
    /// It has failed too often for these digests, and did well with most of the others: the key goes on.
    Digests,
    /// It has failed too often, and did hardly anything well: the key is suspended.
    Key,
}

impl Verdict {
    /// After this attempt, counted from 1, of a call for `right` digests whose values verified and `wrong` ones whose did not.
    ///
    /// A key that signs for a whole bank is not stopped by one digest of many; one that is not the key of its certificate
    /// gets nothing right.
    pub(super) const fn of(attempt: u32, right: usize, wrong: usize) -> Self {
        if attempt < MOST_TRIES {
            Self::Again
        } else if wrong < right {
            Self::Digests
        } else {
            Self::Key
        }
    }
}

/// Raises the alarm; a key that gives hardly anything else is suspended, and so releases nothing more until somebody looks.
pub(super) async fn wrong_values(app: &App, key_id: &KeyId, count: usize, verdict: Verdict) {
    tracing::error!(key.id = %key_id, count, "values of the token do not verify; none was released");
    if verdict != Verdict::Key {
        return;
    }
    let (id, now) = (key_id.clone(), app.clock.now());
    let suspended = app
        .store
        .write(move |connection| store::keys::suspend(connection, &id, ErrorCode::SignatureValueInvalid, now))
        .await;
    match suspended {
        Ok(_) => tracing::error!(key.id = %key_id, "the key is suspended"),
        Err(error) => tracing::error!(key.id = %key_id, %error, "the key could not be suspended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_suspended_by_its_last_try_and_only_when_it_did_hardly_anything_well() {
        for (attempt, right, wrong, verdict) in [
            (1, 0, 64, Verdict::Again),
            (2, 0, 1, Verdict::Again),
            (3, 0, 1, Verdict::Key),
            (3, 0, 64, Verdict::Key),
            (3, 63, 1, Verdict::Digests),
            (3, 33, 31, Verdict::Digests),
            (3, 32, 32, Verdict::Key),
        ] {
            assert_eq!(Verdict::of(attempt, right, wrong), verdict, "{attempt} {right} {wrong}");
        }
    }
}
