//! The key at a cloud service: the person permits its use there, and the service says whether they did.

use crate::flow::Out;
use crate::flow::event::{
    AuthorizationProgress, AuthorizationSeen, CallId, CancelledBy, Effect, Query, Reply, Timer, WindowEnd,
};
use crate::{ErrorCode, Timestamp};

use super::service::Preparing;
use super::{Cancelled, Confirming, Key, Resume, Run, Session, fail, unexpected};

/// The longest pause between two looks at a permission, in milliseconds.
const LONGEST_PAUSE_MS: u32 = 10_000;

/// See [`Session::Redirecting`].
#[derive(Debug, Clone)]
pub(crate) struct Redirecting {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) service: String,
    document_id: String,
    call: CallId,
}

/// See [`Session::Approving`].
#[derive(Debug, Clone)]
pub(crate) struct Approving {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) service: String,
    pub(in crate::flow) expires_at: Timestamp,
    document_id: String,
    authorization_id: String,
    url: String,
    visit: Visit,
    look: Look,
}

/// The window in which the person permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceWindow {
    /// It is open.
    Open,
    /// The browser opened none: the person opens it by another click.
    Blocked,
    /// It is gone, and the service has heard nothing yet.
    Closed,
    /// The person came back, and the service is asked what came of it.
    Returned,
}

impl ServiceWindow {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Blocked => "blocked",
            Self::Closed => "closed",
            Self::Returned => "returned",
        }
    }
}

#[derive(Debug, Clone)]
enum Visit {
    Open(CallId),
    Blocked,
    Closed,
    Returned { call: CallId, query: Query },
}

/// Looks at the permission, each later than the one before.
#[derive(Debug, Clone, Copy)]
struct Look {
    call: Option<CallId>,
    pause_ms: u32,
}

impl Redirecting {
    pub(super) fn start(run: Box<Run>, service: String, document_id: String, out: &mut Out<'_>) -> Self {
        out.timer(Timer::ServiceLimit);
        let (name, document) = (service.clone(), document_id.clone());
        let call =
            out.call(|call| Effect::RequestAuthorization { call, service: name, document_id: document });
        Self { run, service, document_id, call }
    }

    pub(super) fn back(self) -> Confirming {
        Confirming::new(self.run, Key::Cloud(self.service), false)
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Session {
        if call != self.call {
            return Session::Redirecting(self);
        }
        match result {
            Ok(Reply::Authorization(seen)) => match *seen {
                AuthorizationSeen { id, auth_url: Some(url), expires_at, .. } => {
                    Session::Approving(Approving::start(self, id, url, expires_at, out))
                }
                AuthorizationSeen { .. } => self.fail(ErrorCode::Internal, out),
            },
            other => self.fail(unexpected(other), out),
        }
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Session {
        match timer {
            Timer::ServiceLimit => self.fail(ErrorCode::Unavailable, out),
            _ => Session::Redirecting(self),
        }
    }

    fn fail(self, code: ErrorCode, out: &mut Out<'_>) -> Session {
        fail(code, Resume::Confirm(Box::new(self.back())), out)
    }
}

impl Approving {
    fn start(from: Redirecting, id: String, url: String, expires_at: Timestamp, out: &mut Out<'_>) -> Self {
        let visit = visit(&url, out);
        let look = Look::start(out);
        let Redirecting { run, service, document_id, .. } = from;
        Self { run, service, expires_at, document_id, authorization_id: id, url, visit, look }
    }

    pub(in crate::flow) const fn window(&self) -> ServiceWindow {
        match self.visit {
            Visit::Open(_) => ServiceWindow::Open,
            Visit::Blocked => ServiceWindow::Blocked,
            Visit::Closed => ServiceWindow::Closed,
            Visit::Returned { .. } => ServiceWindow::Returned,
        }
    }

    /// Also while it is open: it may be behind others, or on another screen.
    pub(super) const fn may_open_again(&self) -> bool {
        !matches!(self.visit, Visit::Returned { .. })
    }

    /// Hands over what a window brought back. When it was that of another tab, the service says so, and nothing changes.
    pub(super) fn came_back(self, query: Query, out: &mut Out<'_>) -> Self {
        match self.visit {
            Visit::Returned { .. } => self,
            Visit::Open(_) | Visit::Blocked | Visit::Closed => {
                let visit = complete(&self.authorization_id, query, out);
                Self { visit, ..self }
            }
        }
    }

    pub(super) fn open_again(self, out: &mut Out<'_>) -> Self {
        out.effects.push(Effect::OpenWindow);
        let visit = visit(&self.url, out);
        Self { visit, ..self }
    }

    pub(super) fn back(self) -> Confirming {
        Confirming::new(self.run, Key::Cloud(self.service), false)
    }

    /// After a failure: what the person came back with is handed over once more.
    pub(super) fn again(self, out: &mut Out<'_>) -> Self {
        let look = Look::start(out);
        let visit = match self.visit {
            Visit::Returned { query, .. } => complete(&self.authorization_id, query, out),
            Visit::Open(_) | Visit::Blocked | Visit::Closed => Visit::Closed,
        };
        Self { visit, look, ..self }
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Session {
        if self.look.call == Some(call) {
            return match result {
                Ok(Reply::Authorization(seen)) => self.settle(&seen, out),
                Err(ErrorCode::NetworkUnreachable | ErrorCode::Unavailable | ErrorCode::TooManyRequests) => {
                    Session::Approving(Self { look: self.look.later(out), ..self })
                }
                other => fail(unexpected(other), Resume::Approve(Box::new(self)), out),
            };
        }
        match (&self.visit, result) {
            (Visit::Open(own), result) if *own == call => {
                let visit = match result {
                    Ok(Reply::Window(WindowEnd::Returned(query))) => {
                        complete(&self.authorization_id, query, out)
                    }
                    Ok(Reply::Window(WindowEnd::Blocked)) => Visit::Blocked,
                    // A window that we lost sight of may still be open: only the service knows.
                    _ => Visit::Closed,
                };
                let look = match visit {
                    Visit::Closed => self.look.now(&self.authorization_id, out),
                    _ => self.look,
                };
                Session::Approving(Self { visit, look, ..self })
            }
            (Visit::Returned { call: own, .. }, result) if *own == call => match result {
                Ok(Reply::Authorization(seen)) => self.settle(&seen, out),
                Err(
                    code @ (ErrorCode::NetworkUnreachable
                    | ErrorCode::Unavailable
                    | ErrorCode::Unauthorized
                    | ErrorCode::SessionExpired),
                ) => fail(code, Resume::Approve(Box::new(self)), out),
                // What it means stands in the permission.
                _ => {
                    let look = self.look.now(&self.authorization_id, out);
                    Session::Approving(Self { visit: Visit::Closed, look, ..self })
                }
            },
            _ => Session::Approving(self),
        }
    }

    fn settle(self, seen: &AuthorizationSeen, out: &mut Out<'_>) -> Session {
        match seen.progress {
            AuthorizationProgress::Requested => {
                Session::Approving(Self { look: self.look.later(out), ..self })
            }
            AuthorizationProgress::Granted => {
                let Self { run, service, document_id, authorization_id, .. } = self;
                Session::Preparing(Preparing::permitted(run, service, document_id, authorization_id, out))
            }
            AuthorizationProgress::Refused => self.cancelled(CancelledBy::Service, out),
            AuthorizationProgress::Over => self.cancelled(CancelledBy::Time, out),
            AuthorizationProgress::Failed(code) => fail(code, Resume::Confirm(Box::new(self.back())), out),
        }
    }

    fn cancelled(self, by: CancelledBy, out: &mut Out<'_>) -> Session {
        out.effects.push(Effect::StopWork);
        let resume = Resume::Confirm(Box::new(self.back()));
        Session::Cancelled(Cancelled { by, abandoned: false, resume })
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Session {
        match timer {
            Timer::ApprovalPoll if self.look.call.is_none() => {
                let look = self.look.now(&self.authorization_id, out);
                Session::Approving(Self { look, ..self })
            }
            _ => Session::Approving(self),
        }
    }
}

impl Look {
    fn start(out: &mut Out<'_>) -> Self {
        out.timer(Timer::ApprovalPoll);
        Self { call: None, pause_ms: Timer::ApprovalPoll.after_ms() }
    }

    fn now(self, authorization_id: &str, out: &mut Out<'_>) -> Self {
        let authorization_id = authorization_id.to_owned();
        let call = out.call(|call| Effect::LookAtAuthorization { call, authorization_id });
        Self { call: Some(call), ..self }
    }

    fn later(self, out: &mut Out<'_>) -> Self {
        let pause_ms = (self.pause_ms + self.pause_ms / 2).min(LONGEST_PAUSE_MS);
        out.timer_after(Timer::ApprovalPoll, pause_ms);
        Self { call: None, pause_ms }
    }
}

fn visit(url: &str, out: &mut Out<'_>) -> Visit {
    let url = url.to_owned();
    Visit::Open(out.call(|call| Effect::VisitService { call, url }))
}

fn complete(authorization_id: &str, query: Query, out: &mut Out<'_>) -> Visit {
    let (id, sent) = (authorization_id.to_owned(), query.clone());
    let effect = |call| Effect::CompleteAuthorization { call, authorization_id: id, query: sent };
    Visit::Returned { call: out.call(effect), query }
}
