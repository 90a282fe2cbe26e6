//! What a process of an instance does. One process may do everything, or several share it over one PostgreSQL database.
//!
//! They talk by the database alone: work is tasks, news are events, and each looks a few times a second for what another one
//! did. So any role may run any number of times, and none has to be there for another one to start.

use std::fmt;

use clap::ValueEnum;

/// One thing that a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProcessRole {
    /// Answers requests. It needs no token, only its label, to know that there is one.
    Edge,
    /// Signs: works on tasks, with token agents.
    Engine,
    /// Brings events into the log and to webhooks.
    Relay,
    /// Lets time pass: deadlines, reminders, what is not completed, what ends, sealing of receipts.
    Sentinel,
}

/// The roles of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) edge: bool,
    pub(crate) engine: bool,
    pub(crate) relay: bool,
    pub(crate) sentinel: bool,
}

impl Roles {
    /// Everything in one process.
    pub(crate) const ALL: Self = Self { edge: true, engine: true, relay: true, sentinel: true };

    /// Those that were asked for; all when none was.
    pub(crate) fn of(asked: &[ProcessRole]) -> Self {
        if asked.is_empty() {
            return Self::ALL;
        }
        let has = |role| asked.contains(&role);
        Self {
            edge: has(ProcessRole::Edge),
            engine: has(ProcessRole::Engine),
            relay: has(ProcessRole::Relay),
            sentinel: has(ProcessRole::Sentinel),
        }
    }
}

/// The names, for the log.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.edge, "edge"),
            (self.engine, "engine"),
            (self.relay, "relay"),
            (self.sentinel, "sentinel"),
        ];
        let names: Vec<_> = names.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
        f.write_str(&names.join(","))
    }
}
