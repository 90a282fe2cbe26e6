//! What happens when a key gives a value that does not verify.

use rubrica_core::ErrorCode;

use crate::app::App;
use crate::ids::KeyId;
use crate::store;

/// Tries of a value that does not verify: a device that fails now and then is asked again, one that fails always is not.
pub(super) const MOST_TRIES: u32 = 3;

/// Whether a device may be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may.
    Once,
    /// It has failed too often: the key is suspended.
    Always,
}

impl Verdict {
    /// After this attempt, counted from 1.
    pub(super) const fn of(attempt: u32) -> Self {
        if attempt < MOST_TRIES { Self::Once } else { Self::Always }
    }
}

/// Raises the alarm; a key that gives nothing else is suspended, and so releases nothing more until somebody looks.
pub(super) async fn wrong_values(app: &App, key_id: &KeyId, count: usize, verdict: Verdict) {
    tracing::error!(key.id = %key_id, count, "values of the token do not verify; none was released");
    if verdict == Verdict::Once {
        return;
    }
    let (id, now) = (key_id.clone(), app.clock.now());
    let suspended = app
        .store
        .write(move |connection| store::keys::suspend(connection, &id, ErrorCode::SignatureValueInvalid, now))
        .await;
    match suspended {
        Ok(()) => tracing::error!(key.id = %key_id, "the key is suspended"),
        Err(error) => tracing::error!(key.id = %key_id, %error, "the key could not be suspended"),
    }
}
