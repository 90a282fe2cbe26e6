//! The signing flow of one person at one screen, as a state machine without I/O.
//!
//! Two machines run side by side: `Client` says whether the Web PKI client of this device can be used,
//! `Session` says what the person is doing. One [`Event`] goes in; the new flow and its [`Effect`]s come out.
//! The host (the browser binding) performs the effects and answers each with an event that carries the same
//! [`CallId`]. Answers that nobody waits for any more are dropped, so a late reply of a slow device is harmless.
//!
//! The states and their moves are drawn in `docs/flow.md`; a test compares the names.

mod certificate;
mod client;
mod event;
mod failure;
pub mod protocol;
mod session;
mod view;

pub use certificate::{ClientEntry, HolderKind, ListedCertificate, Unusable};
use client::Client;
pub use client::{Blocked, Part, Platform};
pub use event::{
    Action, AuthorizationProgress, AuthorizationSeen, CallId, CancelledBy, ConsentText, DocumentRead, Effect,
    EnrolmentProgress, EnrolmentSeen, Event, Initialized, Job, Query, Refusal, Reply, Resolved,
    SignatureSeen, Timer, WindowEnd,
};
pub use failure::{Failure, NextStep};
use session::Session;
pub use session::{EnrolmentStage, Patience, ServiceWindow, Step, Way};
pub use view::{CertificateChoice, CertificateShown, DocumentShown, ResultShown, View};

use crate::Timestamp;

/// The whole flow: the state of the client, the state of the session and what is still running outside.
#[derive(Debug, Clone)]
pub struct Flow {
    client: Client,
    session: Session,
    calls: Calls,
}

/// Everything that outlives one state.
#[derive(Debug, Clone)]
struct Calls {
    last: u32,
    platform: Platform,
    /// The request for a signature that the client has not answered yet. While it is there its window may be
    /// open, and no second one is sent.
    key_in_use: Option<CallId>,
    /// How often the client fell silent since it last did its work.
    losses: u8,
}

/// Collects the effects of one transition and numbers the calls.
#[derive(Debug)]
struct Out<'a> {
    calls: &'a mut Calls,
    effects: Vec<Effect>,
    now: Timestamp,
}

impl Out<'_> {
    fn call(&mut self, effect: impl FnOnce(CallId) -> Effect) -> CallId {
        self.calls.last = self.calls.last.wrapping_add(1);
        let call = CallId(self.calls.last);
        self.effects.push(effect(call));
        call
    }

    fn timer(&mut self, timer: Timer) {
        self.timer_after(timer, timer.after_ms());
    }

    fn timer_after(&mut self, timer: Timer, after_ms: u32) {
        self.effects.push(Effect::SetTimer { timer, after_ms });
    }
}

impl Flow {
    /// A flow in which nothing was asked yet.
    #[must_use]
    pub const fn new(platform: Platform) -> Self {
        Self {
            client: Client::Unknown,
            session: Session::Idle,
            calls: Calls { last: 0, platform, key_in_use: None, losses: 0 },
        }
    }

    /// Applies one event.
    ///
    /// # Errors
    /// [`Refusal`] when the event does not belong to the present step. Nothing has changed then: the caller
    /// still holds the old flow.
    pub fn handle(mut self, event: Event, now: Timestamp) -> Result<(Self, Vec<Effect>), Refusal> {
        let had_window = self.session.has_window();
        let mut out = Out { calls: &mut self.calls, effects: Vec::new(), now };
        if let Event::Answer { call, .. } = &event
            && out.calls.key_in_use == Some(*call)
        {
            out.calls.key_in_use = None;
            self.session = self.session.key_is_free(*call, &mut out);
        }
        let (client, rest) = self.client.handle(event, &mut out);
        self.client = client;
        if let Some(event) = rest {
            let (session, news) = self.session.handle(event, &mut out)?;
            self.session = session;
            if let Some(news) = news {
                self.client = self.client.hear(news, &mut out);
            }
        }
        if self.client.is_ready() {
            self.session = self.session.client_is_ready(&mut out);
        }
        if had_window && !self.session.has_window() {
            out.effects.push(Effect::CloseWindow);
        }
        let effects = out.effects;
        Ok((self, effects))
    }

    /// The screen that belongs to the present state.
    #[must_use]
    pub fn step(&self) -> Step {
        match (&self.session, &self.client) {
            (Session::Connecting(_), client) => client.step(),
            (session, _) => session.step(),
        }
    }

    /// Whether [`Action::OtherWay`] is accepted.
    #[must_use]
    pub fn may_take_other_way(&self) -> bool {
        self.session.may_take_other_way().is_some()
    }

    /// Everything a screen may show.
    #[must_use]
    pub fn view(&self) -> View {
        View::of(&self.session, &self.client)
    }
}

#[cfg(test)]
mod tests;
