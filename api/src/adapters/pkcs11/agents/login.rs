//! Whether an agent may try the PIN. One decides for all of them, because the token counts the tries of all of them.

use crate::ports::SigningKeyError;
use crate::token_agent::protocol::PinFlags;

/// What is known about the PIN since the start of this server. Whoever holds it is the one that logs in.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// A login succeeded.
    pub(super) proven: bool,
    /// Logins whose end nobody told: the agent was gone before.
    pub(super) untold: u32,
}

impl Login {
    /// Whether one more try cannot bring the lock nearer by our doing.
    pub(super) fn may_try(&self, flags: PinFlags) -> Result<(), SigningKeyError> {
        if flags.locked {
            return Err(SigningKeyError::PinLocked);
        }
        if flags.final_try {
            return Err(SigningKeyError::PinFinalTry);
        }
        // The wrong try that the token remembers may have been ours.
        if flags.count_low && !self.proven && self.untold > 0 {
            return Err(SigningKeyError::PinRejected);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_is_tried_only_when_that_cannot_lock_the_token() {
        let fine = PinFlags::default();
        let low = PinFlags { count_low: true, ..fine };
        let last = PinFlags { final_try: true, ..low };
        let locked = PinFlags { locked: true, ..last };
        let fresh = || Login::default();
        let untold = |proven| Login { proven, untold: 1 };
        for (login, flags, expected) in [
            (fresh(), fine, Ok(())),
            (fresh(), low, Ok(())),
            (fresh(), last, Err(SigningKeyError::PinFinalTry)),
            (fresh(), locked, Err(SigningKeyError::PinLocked)),
            (untold(false), fine, Ok(())),
            (untold(false), low, Err(SigningKeyError::PinRejected)),
            (untold(true), low, Ok(())),
            (untold(true), last, Err(SigningKeyError::PinFinalTry)),
        ] {
            assert_eq!(login.may_try(flags), expected, "{login:?} {flags:?}");
        }
    }
}
