//! Whether the Web PKI client of this device can be used.

#![expect(clippy::wildcard_enum_match_arm, reason = "a state that is not named stays as it is")]

use crate::ErrorCode;

use super::Out;
use super::event::{CallId, Effect, Event, Initialized, Reply, Timer};
use super::protocol::{MINIMUM, is_older};
use super::session::Step;

/// Kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A browser that can have the extension.
    Desktop,
    /// Android, iOS: no extension there.
    Mobile,
}

/// A part of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The browser extension.
    Extension,
    /// The program of the operating system behind it.
    Native,
}

impl Part {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Native => "native",
        }
    }
}

/// Why a client that is there cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// The extension answers, its native part does not.
    NativeMissing,
    /// No licence for this site.
    Licence,
    /// The extension is in the page and does not answer.
    NoResponse,
}

impl Blocked {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NativeMissing => "native_missing",
            Self::Licence => "licence",
            Self::NoResponse => "no_response",
        }
    }
}

/// Availability of the client.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    /// Nobody asked yet.
    Unknown,
    /// Being looked for.
    Probing(Probing),
    /// Not in this page. Still listened for: a late client wins.
    Absent(Absent),
    /// A part is too old.
    Outdated(Outdated),
    /// There, but not usable.
    Blocked(Stuck),
    /// This platform can never have it.
    Unsupported,
    /// Usable.
    Ready,
    /// Worked before and fell silent.
    Lost,
}

/// How far the search is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Probing {
    /// Waiting for the marker.
    Marker,
    /// Waiting for the version of the extension.
    Extension(CallId),
    /// Waiting for the native part.
    Native(CallId),
}

/// The marker did not come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absent {
    pub(super) provisional: bool,
}

/// What is too old.
#[derive(Debug, Clone)]
pub(crate) struct Outdated {
    pub(super) part: Part,
    pub(super) installed: Option<String>,
    pub(super) required: &'static str,
    waiting: Option<Waiting>,
}

/// What stands in the way, and which answer would clear it.
#[derive(Debug, Clone)]
pub(crate) struct Stuck {
    pub(super) reason: Blocked,
    waiting: Option<Waiting>,
}

#[derive(Debug, Clone, Copy)]
enum Waiting {
    /// The late answer of a handshake.
    For(Probing),
    /// The extension tells when the native part is there.
    Polling(CallId),
}

/// What the session learned about the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// The session needs the client.
    Wanted,
    /// A command failed with this code, which says something about the client itself.
    Failed(ErrorCode),
    /// It did its work.
    Works,
}

impl Client {
    pub(super) const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }

    pub(super) const fn step(&self) -> Step {
        match self {
            Self::Unknown | Self::Probing(_) | Self::Ready => Step::Probing,
            Self::Absent(_) => Step::Absent,
            Self::Outdated(_) => Step::Outdated,
            Self::Blocked(_) => Step::Blocked,
            Self::Unsupported => Step::Unsupported,
            Self::Lost => Step::Lost,
        }
    }

    /// Takes the events that are about the client and hands the others back.
    pub(super) fn handle(self, event: Event, out: &mut Out<'_>) -> (Self, Option<Event>) {
        let state = match (self, event) {
            (Self::Probing(Probing::Marker) | Self::Absent(_), Event::MarkerFound) => ask_extension(out),
            (state, Event::MarkerFound) => state,

            (state @ (Self::Absent(_) | Self::Outdated(_) | Self::Blocked(_)), Event::PageVisible) => {
                state.look_again(out)
            }
            (state, Event::PageVisible) => state,

            (state, Event::Timer(timer)) => return state.time_out(timer, out),
            (state, Event::Answer { call, result }) if state.waits_for(call) => state.answered(result, out),
            (state, event) => return (state, Some(event)),
        };
        (state, None)
    }

    /// Reacts to what the session learned or wants.
    pub(super) fn hear(self, news: News, out: &mut Out<'_>) -> Self {
        match (self, news) {
            (state, News::Works) => {
                out.calls.losses = 0;
                state
            }
            (Self::Unknown, News::Wanted) => start(out),
            (state @ (Self::Absent(_) | Self::Outdated(_) | Self::Blocked(_)), News::Wanted) => {
                state.look_again(out)
            }
            (state, News::Wanted) => state,
            (_, News::Failed(ErrorCode::ClientLicence)) => {
                Self::Blocked(Stuck { reason: Blocked::Licence, waiting: None })
            }
            (_, News::Failed(ErrorCode::ClientNativeMissing)) => native_missing(out),
            (state, News::Failed(ErrorCode::ClientNoResponse)) => state.lose(out),
            (state, News::Failed(_)) => state,
        }
    }

    fn look_again(self, out: &mut Out<'_>) -> Self {
        match self {
            Self::Absent(absent) => {
                out.effects.push(Effect::Watch);
                Self::Absent(absent)
            }
            Self::Outdated(_) | Self::Blocked(_) => {
                let call = out.call(|call| Effect::GetExtensionVersion { call });
                self.wait_for(Probing::Extension(call))
            }
            _ => self,
        }
    }

    /// Goes on with the handshake. Guidance that is on the screen stays there until the answer is known.
    fn wait_for(self, probing: Probing) -> Self {
        let waiting = Some(Waiting::For(probing));
        match self {
            Self::Outdated(state) => Self::Outdated(Outdated { waiting, ..state }),
            Self::Blocked(state) => Self::Blocked(Stuck { waiting, ..state }),
            _ => Self::Probing(probing),
        }
    }

    fn ask_native(self, out: &mut Out<'_>) -> Self {
        out.timer(Timer::Handshake);
        let call = out.call(|call| Effect::Initialize { call });
        self.wait_for(Probing::Native(call))
    }

    /// One silent retry; a client that falls silent again needs the person.
    fn lose(self, out: &mut Out<'_>) -> Self {
        out.calls.losses = out.calls.losses.saturating_add(1);
        if out.calls.losses > 1 {
            return Self::Blocked(Stuck { reason: Blocked::NoResponse, waiting: None });
        }
        out.timer(Timer::LostRetry);
        Self::Lost
    }

    fn waits_for(&self, call: CallId) -> bool {
        match self {
            Self::Probing(probing) => probing.waits_for(call),
            Self::Outdated(Outdated { waiting, .. }) | Self::Blocked(Stuck { waiting, .. }) => {
                match waiting {
                    Some(Waiting::For(probing)) => probing.waits_for(call),
                    Some(Waiting::Polling(poll)) => *poll == call,
                    None => false,
                }
            }
            _ => false,
        }
    }

    fn answered(self, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Self {
        match result {
            Ok(Reply::ExtensionVersion(installed)) => {
                if is_older(&installed, MINIMUM.extension) {
                    outdated(Part::Extension, Some(installed), MINIMUM.extension, None)
                } else {
                    self.ask_native(out)
                }
            }
            Ok(Reply::Initialized(Initialized::Ready { os, version })) => {
                match MINIMUM.of(Part::Native, &os) {
                    Some(required) if is_older(&version, required) => {
                        let poll = out.call(|call| Effect::PollNative { call });
                        outdated(Part::Native, Some(version), required, Some(Waiting::Polling(poll)))
                    }
                    Some(_) | None => Self::Ready,
                }
            }
            Ok(Reply::Initialized(Initialized::NativeMissing)) => native_missing(out),
            Ok(Reply::Initialized(Initialized::NativeOutdated)) => {
                let poll = out.call(|call| Effect::PollNative { call });
                outdated(Part::Native, None, MINIMUM.windows, Some(Waiting::Polling(poll)))
            }
            Ok(Reply::NativeFound) => self.ask_native(out),
            Err(ErrorCode::ClientLicence) => Self::Blocked(Stuck { reason: Blocked::Licence, waiting: None }),
            Err(ErrorCode::PlatformUnsupported) => Self::Unsupported,
            // The extension cannot wait for us, or the native part died while it started: ask again ourselves.
            Err(_) => {
                out.timer(Timer::Recheck);
                match self {
                    Self::Outdated(state) => Self::Outdated(Outdated { waiting: None, ..state }),
                    Self::Probing(Probing::Extension(_)) => {
                        Self::Blocked(Stuck { reason: Blocked::NoResponse, waiting: None })
                    }
                    _ => Self::Blocked(Stuck { reason: Blocked::NativeMissing, waiting: None }),
                }
            }
            // The host answered a call with the reply of another one: as good as silence.
            Ok(_) => Self::Blocked(Stuck { reason: Blocked::NoResponse, waiting: None }),
        }
    }

    fn time_out(self, timer: Timer, out: &mut Out<'_>) -> (Self, Option<Event>) {
        let state = match (self, timer) {
            (Self::Probing(Probing::Marker), Timer::MarkerSoon) => Self::Absent(Absent { provisional: true }),
            (Self::Probing(Probing::Marker) | Self::Absent(_), Timer::MarkerFinal) => {
                Self::Absent(Absent { provisional: false })
            }
            (Self::Probing(probing @ (Probing::Extension(_) | Probing::Native(_))), Timer::Handshake) => {
                let reason = match probing {
                    Probing::Native(_) => Blocked::NativeMissing,
                    Probing::Marker | Probing::Extension(_) => Blocked::NoResponse,
                };
                out.timer(Timer::Recheck);
                Self::Blocked(Stuck { reason, waiting: Some(Waiting::For(probing)) })
            }
            (state @ (Self::Outdated(_) | Self::Blocked(_)), Timer::Recheck) => state.recheck(out),
            (Self::Lost, Timer::LostRetry) => ask_extension(out),
            (state, _) => return (state, Some(Event::Timer(timer))),
        };
        (state, None)
    }

    /// Asks the native part again. A handshake that is still open stays open: the native part may only be slow
    /// to start.
    fn recheck(self, out: &mut Out<'_>) -> Self {
        match self {
            Self::Blocked(Stuck { reason: Blocked::NativeMissing, waiting: None })
            | Self::Outdated(Outdated { part: Part::Native, waiting: None, .. }) => self.ask_native(out),
            other => other,
        }
    }
}

impl Probing {
    fn waits_for(self, call: CallId) -> bool {
        match self {
            Self::Marker => false,
            Self::Extension(own) | Self::Native(own) => own == call,
        }
    }
}

fn start(out: &mut Out<'_>) -> Client {
    match out.calls.platform {
        Platform::Mobile => Client::Unsupported,
        Platform::Desktop => {
            out.effects.push(Effect::Watch);
            out.timer(Timer::MarkerSoon);
            out.timer(Timer::MarkerFinal);
            Client::Probing(Probing::Marker)
        }
    }
}

fn ask_extension(out: &mut Out<'_>) -> Client {
    out.timer(Timer::Handshake);
    Client::Probing(Probing::Extension(out.call(|call| Effect::GetExtensionVersion { call })))
}

fn native_missing(out: &mut Out<'_>) -> Client {
    let poll = out.call(|call| Effect::PollNative { call });
    Client::Blocked(Stuck { reason: Blocked::NativeMissing, waiting: Some(Waiting::Polling(poll)) })
}

fn outdated(
    part: Part,
    installed: Option<String>,
    required: &'static str,
    waiting: Option<Waiting>,
) -> Client {
    Client::Outdated(Outdated { part, installed, required, waiting })
}
