//! The system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use rubrica_core::Timestamp;

use crate::ports::Clock;

/// Reads the clock of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_unix_ms(unix_ms).unwrap_or(Timestamp::MAX)
    }
}
