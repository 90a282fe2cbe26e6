//! The part of the session that talks to the client of the device.

use crate::wire::Custody;
use crate::{ErrorCode, Timestamp};

use super::service::{Finishing, Prepared};
use super::{Confirming, Key, LocalKey, Moved, Preparation, Resume, Run, Session, connect, fail, unexpected};
use crate::flow::Out;
use crate::flow::certificate::{ClientCertificate, ListedCertificate};
use crate::flow::client::News;
use crate::flow::event::{CallId, CancelledBy, Effect, Reply, Timer};

/// See [`Session::Listing`].
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(in crate::flow) run: Box<Run>,
    call: CallId,
    pub(in crate::flow) slow: bool,
}

/// See [`Session::NoCertificate`].
#[derive(Debug, Clone)]
pub(crate) struct NoCertificate {
    pub(in crate::flow) run: Box<Run>,
    polling: Option<CallId>,
}

/// See [`Session::Choosing`].
#[derive(Debug, Clone)]
pub(crate) struct Choosing {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) certificates: Vec<ClientCertificate>,
}

/// See [`Session::Authorizing`].
#[derive(Debug, Clone)]
pub(crate) struct Authorizing {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) key: Box<LocalKey>,
    pub(in crate::flow) since: Timestamp,
    pub(in crate::flow) patience: Patience,
    prepared: Box<Prepared>,
    turn: Turn,
}

/// How long the person has been looking for the client's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Not long.
    Fresh,
    /// Help is offered.
    Helped,
    /// They are asked whether they need more time.
    Overdue,
}

impl Patience {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Helped => "helped",
            Self::Overdue => "overdue",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    /// An abandoned request may still have its window open.
    AfterPrevious,
    Asked(CallId),
}

impl Listing {
    pub(super) fn start(run: Box<Run>, out: &mut Out<'_>) -> Self {
        let call = out.call(|call| Effect::ListCertificates { call });
        out.timer(Timer::ListSlow);
        Self { run, call, slow: false }
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        if call != self.call {
            return (Session::Listing(self), None);
        }
        match result {
            Ok(Reply::Certificates(listed)) => {
                (listed_certificates(self.run, listed, out), Some(News::Works))
            }
            Err(ErrorCode::UserCancelled) => (refused_list(self.run, out), Some(News::Works)),
            other => client_failed(unexpected(other), self.run, out),
        }
    }

    pub(super) fn time_out(self, timer: Timer) -> Self {
        Self { slow: self.slow || timer == Timer::ListSlow, ..self }
    }
}

impl NoCertificate {
    /// Only silent polls end here: a failure stops them and leaves the screen, on which the person can look again.
    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        if self.polling != Some(call) {
            return (Session::NoCertificate(self), None);
        }
        match result {
            Ok(Reply::Certificates(listed)) => {
                (listed_certificates(self.run, listed, out), Some(News::Works))
            }
            _ => (Session::NoCertificate(Self { polling: None, ..self }), None),
        }
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Self {
        match (timer, self.polling) {
            (Timer::CertificatePoll, None) => {
                Self { polling: Some(out.call(|call| Effect::ListCertificates { call })), ..self }
            }
            _ => self,
        }
    }
}

impl Choosing {
    /// Takes an entry of the list, or nothing when it is not there or not usable.
    pub(super) fn choose(
        self,
        thumbprint: &str,
        remember: bool,
        out: &mut Out<'_>,
    ) -> Result<Confirming, Box<Self>> {
        let usable =
            |entry: &&ClientCertificate| entry.thumbprint() == thumbprint && entry.unusable.is_none();
        let Some(chosen) = self.certificates.iter().find(usable).cloned() else {
            return Err(Box::new(self));
        };
        out.effects.push(if remember {
            Effect::Remember { thumbprint: thumbprint.to_owned() }
        } else {
            Effect::Forget
        });
        let key = Key::Local(Box::new(LocalKey { chosen, list: self.certificates }));
        Ok(Confirming::new(self.run, key, false))
    }
}

impl Authorizing {
    pub(super) fn start(
        run: Box<Run>,
        key: Box<LocalKey>,
        prepared: Box<Prepared>,
        out: &mut Out<'_>,
    ) -> Self {
        let turn = if out.calls.key_in_use.is_some() {
            Turn::AfterPrevious
        } else {
            Turn::Asked(ask(&key, &prepared, out))
        };
        out.timer(Timer::AuthorizeHelp);
        out.timer(Timer::AuthorizeLimit);
        Self { run, key, since: out.now, patience: Patience::Fresh, prepared, turn }
    }

    pub(in crate::flow) const fn is_asked(&self) -> bool {
        matches!(self.turn, Turn::Asked(_))
    }

    pub(super) fn key_is_free(self, answered: CallId, out: &mut Out<'_>) -> Self {
        match self.turn {
            Turn::AfterPrevious => {
                let turn = Turn::Asked(ask(&self.key, &self.prepared, out));
                Self { turn, ..self }
            }
            Turn::Asked(own) => {
                debug_assert!(own == answered, "one request to the key at a time");
                self
            }
        }
    }

    pub(super) fn keep_waiting(self, out: &mut Out<'_>) -> Self {
        out.timer(Timer::AuthorizeLimit);
        Self { patience: Patience::Helped, ..self }
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        if !matches!(self.turn, Turn::Asked(own) if own == call) {
            return (Session::Authorizing(self), None);
        }
        match result {
            Ok(Reply::HashSigned(value)) => {
                let state = Finishing::complete(
                    self.run,
                    Key::Local(self.key),
                    self.prepared.signature_id,
                    value,
                    out,
                );
                (Session::Finishing(state), Some(News::Works))
            }
            Err(ErrorCode::UserCancelled) => (Session::Confirming(self.back(true)), Some(News::Works)),
            Err(code @ (ErrorCode::ClientLicence | ErrorCode::ClientNativeMissing)) => {
                client_failed(code, self.run, out)
            }
            // A signature is never asked for again by ourselves: its window may still be open.
            Err(code @ ErrorCode::ClientNoResponse) => {
                (fail(code, Resume::Connect(self.run), out), Some(News::Failed(code)))
            }
            other => (fail(unexpected(other), Resume::Confirm(Box::new(self.back(false))), out), None),
        }
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Session {
        match (timer, self.patience) {
            (Timer::AuthorizeHelp, Patience::Fresh) => {
                Session::Authorizing(Self { patience: Patience::Helped, ..self })
            }
            (Timer::AuthorizeLimit, _) => {
                out.timer(Timer::AuthorizeAbandon);
                Session::Authorizing(Self { patience: Patience::Overdue, ..self })
            }
            (Timer::AuthorizeAbandon, Patience::Overdue) => {
                Session::Authorizing(self).cancel(CancelledBy::Time, out)
            }
            _ => Session::Authorizing(self),
        }
    }

    /// The same request again, as long as it is open at the service.
    pub(super) fn back(self, refused_in_client: bool) -> Confirming {
        let prepared = Preparation::Checked(self.prepared);
        let key = Key::Local(self.key);
        Confirming { run: self.run, key, refused_in_client, may_use_local: false, prepared }
    }
}

fn ask(key: &LocalKey, prepared: &Prepared, out: &mut Out<'_>) -> CallId {
    let thumbprint = key.chosen.thumbprint().to_owned();
    let digest = prepared.digest.clone();
    let call = out.call(|call| Effect::SignHash { call, thumbprint, digest });
    out.calls.key_in_use = Some(call);
    call
}

fn listed_certificates(run: Box<Run>, listed: Vec<ListedCertificate>, out: &mut Out<'_>) -> Session {
    if listed.is_empty() {
        out.timer(Timer::CertificatePoll);
        return Session::NoCertificate(NoCertificate { run, polling: None });
    }
    let certificates = ClientCertificate::judge_all(listed, run.signer.as_ref(), out.now);
    let remembered = certificates
        .iter()
        .find(|entry| entry.unusable.is_none() && run.job.remembered.as_deref() == Some(entry.thumbprint()))
        .cloned();
    match remembered {
        Some(chosen) => {
            let key = Key::Local(Box::new(LocalKey { chosen, list: certificates }));
            Session::Confirming(Confirming::new(run, key, false))
        }
        None => Session::Choosing(Choosing { run, certificates }),
    }
}

fn refused_list(run: Box<Run>, out: &mut Out<'_>) -> Session {
    Session::Connecting(super::Connecting { run }).cancel(CancelledBy::Client, out)
}

/// A failure that is about the client sends the session back to it; any other ends the run.
pub(super) fn client_failed(code: ErrorCode, run: Box<Run>, out: &mut Out<'_>) -> Moved {
    match code {
        ErrorCode::ClientLicence | ErrorCode::ClientNativeMissing | ErrorCode::ClientNoResponse => {
            (connect(run).0, Some(News::Failed(code)))
        }
        other => (fail(other, Resume::Connect(run), out), None),
    }
}

impl Key {
    /// The custody of the key.
    #[must_use]
    pub(crate) const fn custody(&self) -> Custody {
        match self {
            Self::Hsm(_) => Custody::Hsm,
            Self::Local(_) => Custody::Local,
            Self::Cloud(_) => Custody::Lacuna,
        }
    }
}
