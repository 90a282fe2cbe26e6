//! Reminders: at most one at a time, however long nobody looked.

use std::collections::BTreeSet;

use super::{OrderProgress, OrderStep};
use crate::Timestamp;
use crate::event::{EventData, OrderReminderDue};
use crate::wire::ParticipantState;

impl OrderProgress {
    /// Those whose time has come, sooner or later.
    pub(super) fn reminders_reached(&self, now: Timestamp) -> BTreeSet<u32> {
        let Some(deadline) = self.deadline else { return BTreeSet::new() };
        self.reminders_hours.iter().copied().filter(|hours| due_at(deadline, *hours) <= now).collect()
    }
}

impl OrderStep {
    /// Tells the latest reminder that came due; those before it are past with it.
    pub(super) fn remind(&mut self, deadline: Timestamp, now: Timestamp) {
        let reached = self.progress.reminders_reached(now);
        let Some(hours_before) = reached.difference(&self.progress.reminders_past).min().copied() else {
            return;
        };
        self.progress.reminders_past = reached;
        let ready = self.progress.participants.iter().filter(|one| one.state == ParticipantState::Ready);
        self.events.push(EventData::OrderReminderDue(OrderReminderDue {
            order_id: self.progress.id.clone(),
            reference: self.progress.reference.clone(),
            hours_before,
            deadline,
            participants: ready.map(|participant| participant.id.clone()).collect(),
        }));
    }
}

/// When a reminder comes due.
pub(super) fn due_at(deadline: Timestamp, hours: u32) -> Timestamp {
    let earlier = deadline.unix_ms().saturating_sub(u64::from(hours) * 3_600_000);
    Timestamp::from_unix_ms(earlier).unwrap_or(deadline)
}
