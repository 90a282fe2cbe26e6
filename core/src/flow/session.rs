//! What the person is doing: from the document to the result.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a state that is not named stays, a code that is not named fails"
)]

mod cloud;
mod enrolment;
mod local;
mod service;
mod ways;

use crate::ErrorCode;
use crate::wire::{Artefact, CertificateView, Custody, SignatureFormat, SignerView};

pub use cloud::ServiceWindow;
pub(crate) use cloud::{Approving, Redirecting};
pub use enrolment::EnrolmentStage;
pub(crate) use enrolment::{Consenting, Enrolling, Stored, Texts};
pub use local::Patience;
pub(crate) use local::{Authorizing, Choosing, Listing, NoCertificate};
pub(crate) use service::{Finishing, Preparing, Signing};
pub use ways::Way;
pub(crate) use ways::{Offering, Ways};

use super::Out;
use super::certificate::ClientCertificate;
use super::client::{News, Platform};
use super::event::{
    Action, CallId, CancelledBy, DocumentRead, Effect, Event, Job, Refusal, Reply, Resolved, is_still_open,
};
use super::failure::Failure;
use service::Prepared;

/// State of the session.
#[derive(Debug, Clone)]
pub(crate) enum Session {
    /// Nothing asked.
    Idle,
    /// The document is read and the service is asked where the key is.
    Resolving(Resolving),
    /// There is no key, or nobody knows: the person takes a way to one.
    Offering(Offering),
    /// The person reads what keeping a key means.
    Consenting(Consenting),
    /// A key is made and certified.
    Enrolling(Enrolling),
    /// The new key is there.
    Stored(Stored),
    /// Waiting for the client of this device; [`super::Client`] says how that stands.
    Connecting(Connecting),
    /// The client lists its certificates.
    Listing(Listing),
    /// The list is empty; it is looked at again and again.
    NoCertificate(NoCertificate),
    /// The person chooses.
    Choosing(Choosing),
    /// The person reads what they sign and decides.
    Confirming(Confirming),
    /// The document goes to the service; what comes back is checked.
    Preparing(Preparing),
    /// A cloud service is asked for the permission.
    Redirecting(Redirecting),
    /// The person is at the cloud service.
    Approving(Approving),
    /// The client's window asks for consent or PIN.
    Authorizing(Authorizing),
    /// The service signs.
    Signing(Signing),
    /// The result is completed and fetched.
    Finishing(Finishing),
    /// The signed bytes are here.
    Done(Done),
    /// Ended by somebody's will or by a time limit.
    Cancelled(Cancelled),
    /// Ended by an error.
    Failed(Failed),
}

/// Name of a screen: what `data-step` and the snapshot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "docs/flow.md describes each")]
pub enum Step {
    Idle,
    Resolving,
    Offer,
    Consent,
    Enrolling,
    Stored,
    Probing,
    Absent,
    Outdated,
    Blocked,
    Unsupported,
    Lost,
    Listing,
    NoCertificate,
    Choosing,
    Confirming,
    Preparing,
    Redirecting,
    WaitingApproval,
    Authorizing,
    Signing,
    Finishing,
    Done,
    Cancelled,
    Failed,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 25] = [
        Self::Idle,
        Self::Resolving,
        Self::Offer,
        Self::Consent,
        Self::Enrolling,
        Self::Stored,
        Self::Probing,
        Self::Absent,
        Self::Outdated,
        Self::Blocked,
        Self::Unsupported,
        Self::Lost,
        Self::Listing,
        Self::NoCertificate,
        Self::Choosing,
        Self::Confirming,
        Self::Preparing,
        Self::Redirecting,
        Self::WaitingApproval,
        Self::Authorizing,
        Self::Signing,
        Self::Finishing,
        Self::Done,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Resolving => "resolving",
            Self::Offer => "offer",
            Self::Consent => "consent",
            Self::Enrolling => "enrolling",
            Self::Stored => "stored",
            Self::Probing => "probing",
            Self::Absent => "absent",
            Self::Outdated => "outdated",
            Self::Blocked => "blocked",
            Self::Unsupported => "unsupported",
            Self::Lost => "lost",
            Self::Listing => "listing",
            Self::NoCertificate => "no_certificate",
            Self::Choosing => "choosing",
            Self::Confirming => "confirming",
            Self::Preparing => "preparing",
            Self::Redirecting => "redirecting",
            Self::WaitingApproval => "waiting_approval",
            Self::Authorizing => "authorizing",
            Self::Signing => "signing",
            Self::Finishing => "finishing",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing runs any more and a new document may be given.
    #[must_use]
    pub const fn is_resting(self) -> bool {
        matches!(self, Self::Idle | Self::Done | Self::Cancelled | Self::Failed)
    }
}

/// What is known once the document was read and the service was asked.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(super) job: Job,
    pub(super) document: DocumentRead,
    pub(super) signer: Option<SignerView>,
    pub(super) ways: Ways,
    upload: Upload,
}

#[derive(Debug, Clone)]
enum Upload {
    NotYet,
    /// Id of the document at the service.
    Done(String),
}

/// The key to sign with.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    /// Kept by the service.
    Hsm(Box<CertificateView>),
    /// On this device.
    Local(Box<LocalKey>),
    /// At a cloud service. Which certificate it is, is known once the person has permitted its use.
    Cloud(String),
}

/// A certificate of the device, and the list it was chosen from.
#[derive(Debug, Clone)]
pub(crate) struct LocalKey {
    pub(super) chosen: ClientCertificate,
    list: Vec<ClientCertificate>,
}

/// See [`Session::Resolving`].
#[derive(Debug, Clone)]
pub(crate) struct Resolving {
    pub(super) job: Job,
    document: Awaited<DocumentRead>,
    custody: Awaited<Box<Resolved>>,
}

#[derive(Debug, Clone)]
enum Awaited<T> {
    Call(CallId),
    Here(T),
}

/// See [`Session::Connecting`].
#[derive(Debug, Clone)]
pub(crate) struct Connecting {
    pub(super) run: Box<Run>,
}

/// See [`Session::Confirming`].
#[derive(Debug, Clone)]
pub(crate) struct Confirming {
    pub(super) run: Box<Run>,
    pub(super) key: Key,
    /// Whether the person just refused in the client's window.
    pub(super) refused_in_client: bool,
    /// Whether the certificate of this device may be taken instead.
    pub(super) may_use_local: bool,
    prepared: Preparation,
}

#[derive(Debug, Clone)]
enum Preparation {
    Nothing,
    /// A checked request that waits for the device.
    Checked(Box<Prepared>),
}

/// See [`Session::Done`].
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(super) run: Box<Run>,
    pub(super) key: Key,
    pub(super) signature_id: String,
    pub(super) artefact: Box<Artefact>,
}

/// See [`Session::Cancelled`].
#[derive(Debug, Clone)]
pub(crate) struct Cancelled {
    pub(super) by: CancelledBy,
    /// The client's window was open: it may still be, and the person may still type a PIN there. The value that
    /// comes back is thrown away.
    pub(super) abandoned: bool,
    resume: Resume,
}

/// See [`Session::Failed`].
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(super) failure: Failure,
    resume: Resume,
}

/// Where [`Action::Retry`] takes up a run: as late as what was already done stays valid.
#[derive(Debug, Clone)]
enum Resume {
    Start(Job),
    Offer(Box<Run>),
    Enrol(Box<Enrolling>),
    Approve(Box<Approving>),
    Connect(Box<Run>),
    Confirm(Box<Confirming>),
    Finish(Box<Finishing>),
    Sign(Box<Signing>),
}

type Moved = (Session, Option<News>);

impl Session {
    pub(super) const fn step(&self) -> Step {
        match self {
            Self::Idle => Step::Idle,
            Self::Resolving(_) => Step::Resolving,
            Self::Offering(_) => Step::Offer,
            Self::Consenting(_) => Step::Consent,
            Self::Enrolling(_) => Step::Enrolling,
            Self::Stored(_) => Step::Stored,
            Self::Connecting(_) => Step::Probing,
            Self::Listing(_) => Step::Listing,
            Self::NoCertificate(_) => Step::NoCertificate,
            Self::Choosing(_) => Step::Choosing,
            Self::Confirming(_) => Step::Confirming,
            Self::Preparing(_) => Step::Preparing,
            Self::Redirecting(_) => Step::Redirecting,
            Self::Approving(_) => Step::WaitingApproval,
            Self::Authorizing(_) => Step::Authorizing,
            Self::Signing(_) => Step::Signing,
            Self::Finishing(_) => Step::Finishing,
            Self::Done(_) => Step::Done,
            Self::Cancelled(_) => Step::Cancelled,
            Self::Failed(_) => Step::Failed,
        }
    }

    pub(super) fn handle(self, event: Event, out: &mut Out<'_>) -> Result<Moved, Refusal> {
        match event {
            Event::Act(action) => self.act(action, out),
            Event::Answer { call, result } => Ok(self.answer(call, result, out)),
            Event::Timer(timer) => Ok(self.time_out(timer, out)),
            Event::CameBack { query } => Ok(match self {
                Self::Approving(state) => (Self::Approving(state.came_back(query, out)), None),
                other => (other, None),
            }),
            Event::MarkerFound | Event::PageVisible => Ok((self, None)),
        }
    }

    /// The client can be used now.
    pub(super) fn client_is_ready(self, out: &mut Out<'_>) -> Self {
        match self {
            Self::Connecting(Connecting { run }) => Self::Listing(Listing::start(run, out)),
            other => other,
        }
    }

    /// The client answered the request that was still open, so the next one may be sent.
    pub(super) fn key_is_free(self, answered: CallId, out: &mut Out<'_>) -> Self {
        match self {
            Self::Authorizing(state) => Self::Authorizing(state.key_is_free(answered, out)),
            other => other,
        }
    }

    /// Whether a window of a cloud service may be open.
    pub(super) const fn has_window(&self) -> bool {
        match self {
            Self::Preparing(state) => matches!(state.key, Key::Cloud(_)),
            Self::Redirecting(_) | Self::Approving(_) => true,
            _ => false,
        }
    }

    /// The run, where the person may leave the way that was taken for another one.
    pub(super) fn may_take_other_way(&self) -> Option<&Run> {
        let run = match self {
            Self::Connecting(Connecting { run })
            | Self::Listing(Listing { run, .. })
            | Self::NoCertificate(NoCertificate { run, .. })
            | Self::Choosing(Choosing { run, .. })
            | Self::Confirming(Confirming { run, .. }) => Some(&**run),
            Self::Cancelled(Cancelled { resume, .. }) | Self::Failed(Failed { resume, .. }) => resume.run(),
            _ => None,
        };
        run.filter(|run| run.ways.is_choice())
    }

    fn act(self, action: Action, out: &mut Out<'_>) -> Result<Moved, Refusal> {
        let step = self.step();
        let refused = Err(Refusal { step, code: ErrorCode::StepRefused });
        let state = match (self, action) {
            (state, Action::Start(job)) if state.step().is_resting() => Resolving::start(job, out),
            (_, Action::Start(_)) => return Err(Refusal { step, code: ErrorCode::Busy }),

            (state, Action::Reset) if state.step().is_resting() => Self::Idle,
            (Self::Cancelled(Cancelled { resume, .. }), Action::Retry) => return Ok(resume.take_up(out)),
            (Self::Failed(Failed { failure, resume }), Action::Retry) if failure.retryable => {
                return Ok(resume.take_up(out));
            }

            (state, Action::Cancel(by)) if !state.step().is_resting() => state.cancel(by, out),
            (state, Action::OtherWay) => match state.may_take_other_way() {
                Some(run) => Self::Offering(Offering { run: Box::new(run.clone()) }),
                None => return refused,
            },

            (Self::Offering(Offering { run }), Action::Refresh) => Resolving::start(run.job, out),
            (Self::Offering(state), Action::Take(way)) if state.run.ways.has(&way) => {
                return Ok(state.take(way, out));
            }
            (Self::Consenting(Consenting { run, .. }), Action::Back) => Self::Offering(Offering { run }),
            (Self::Consenting(state), Action::Agree { text_sha256 }) => {
                match state.agree(&text_sha256, out) {
                    Ok(enrolling) => Self::Enrolling(enrolling),
                    Err(_still_reading) => return refused,
                }
            }
            (Self::Stored(Stored { run, certificate }), Action::Continue) => {
                let may_use_local = run.ways.has(&Way::Device);
                Self::Confirming(Confirming::new(run, Key::Hsm(certificate), may_use_local))
            }
            (Self::Approving(state), Action::OpenAgain) if state.may_open_again() => {
                Self::Approving(state.open_again(out))
            }

            (Self::Connecting(state), Action::Refresh) => {
                return Ok((Self::Connecting(state), Some(News::Wanted)));
            }
            (Self::NoCertificate(NoCertificate { run, .. }), Action::Refresh)
            | (Self::Choosing(Choosing { run, .. }), Action::Refresh) => {
                Self::Listing(Listing::start(run, out))
            }
            (Self::Choosing(state), Action::Choose { thumbprint, remember }) => {
                match state.choose(&thumbprint, remember, out) {
                    Ok(confirming) => Self::Confirming(confirming),
                    Err(_still_choosing) => return refused,
                }
            }
            (Self::Confirming(state), Action::Back) => match state.key {
                Key::Local(key) => Self::Choosing(Choosing { run: state.run, certificates: key.list }),
                Key::Hsm(_) | Key::Cloud(_) => return refused,
            },
            (Self::Confirming(state), Action::UseLocal) if state.may_use_local => {
                return Ok(connect(state.run));
            }
            (Self::Confirming(state), Action::Confirm) => state.confirm(out),
            (Self::Authorizing(state), Action::KeepWaiting) => Self::Authorizing(state.keep_waiting(out)),

            (_, _) => return refused,
        };
        Ok((state, None))
    }

    fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        match self {
            Self::Resolving(state) => state.answer(call, result, out),
            Self::Consenting(state) => (state.answer(call, result, out), None),
            Self::Enrolling(state) => (state.answer(call, result, out), None),
            Self::Redirecting(state) => (state.answer(call, result, out), None),
            Self::Approving(state) => (state.answer(call, result, out), None),
            Self::Listing(state) => state.answer(call, result, out),
            Self::NoCertificate(state) => state.answer(call, result, out),
            Self::Preparing(state) => state.answer(call, result, out),
            Self::Authorizing(state) => state.answer(call, result, out),
            Self::Signing(state) => (state.answer(call, result, out), None),
            Self::Finishing(state) => (state.answer(call, result, out), None),
            waiting_for_nothing => (waiting_for_nothing, None),
        }
    }

    fn time_out(self, timer: super::Timer, out: &mut Out<'_>) -> Moved {
        match self {
            Self::Consenting(state) => (state.time_out(timer, out), None),
            Self::Enrolling(state) => (state.time_out(timer, out), None),
            Self::Redirecting(state) => (state.time_out(timer, out), None),
            Self::Approving(state) => (state.time_out(timer, out), None),
            Self::Listing(state) => (Self::Listing(state.time_out(timer)), None),
            Self::NoCertificate(state) => (Self::NoCertificate(state.time_out(timer, out)), None),
            Self::Preparing(state) => state.time_out(timer, out),
            Self::Authorizing(state) => (state.time_out(timer, out), None),
            Self::Signing(state) => (state.time_out(timer, out), None),
            Self::Finishing(state) => (state.time_out(timer, out), None),
            other => (other, None),
        }
    }

    fn cancel(self, by: CancelledBy, out: &mut Out<'_>) -> Self {
        out.effects.push(Effect::StopWork);
        let (resume, abandoned) = match self {
            Self::Resolving(Resolving { job, .. }) => (Resume::Start(job), false),
            Self::Connecting(Connecting { run })
            | Self::Listing(Listing { run, .. })
            | Self::NoCertificate(NoCertificate { run, .. })
            | Self::Choosing(Choosing { run, .. }) => (Resume::Start(run.job), false),
            Self::Offering(Offering { run }) | Self::Consenting(Consenting { run, .. }) => {
                (Resume::Offer(run), false)
            }
            Self::Enrolling(state) => (Resume::Enrol(Box::new(state)), false),
            // The key is there: the next run finds it.
            Self::Stored(Stored { run, .. }) => (Resume::Start(run.job), false),
            // A permission that nobody fetches is never used.
            Self::Redirecting(state) => (Resume::Confirm(Box::new(state.back())), false),
            Self::Approving(state) => (Resume::Confirm(Box::new(state.back())), false),
            Self::Confirming(state) => (Resume::Confirm(Box::new(state)), false),
            Self::Preparing(state) => (Resume::Confirm(Box::new(state.back())), false),
            Self::Authorizing(state) => {
                let abandoned = state.is_asked();
                (Resume::Confirm(Box::new(state.back(false))), abandoned)
            }
            // The service may have signed already: taking it up again fetches what is there.
            Self::Signing(state) => (Resume::Sign(Box::new(state)), false),
            Self::Finishing(state) => (Resume::Finish(Box::new(state)), false),
            resting @ (Self::Idle | Self::Done(_) | Self::Cancelled(_) | Self::Failed(_)) => return resting,
        };
        Self::Cancelled(Cancelled { by, abandoned, resume })
    }
}

impl Resolving {
    fn start(job: Job, out: &mut Out<'_>) -> Session {
        let document = Awaited::Call(out.call(|call| Effect::ReadDocument { call }));
        let custody = Awaited::Call(out.call(|call| Effect::ResolveCustody { call }));
        Session::Resolving(Self { job, document, custody })
    }

    fn answer(mut self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        match (&self.document, &self.custody) {
            (Awaited::Call(own), _) if *own == call => match result {
                Ok(Reply::Document(read)) => self.document = Awaited::Here(read),
                other => return (fail(unexpected(other), Resume::Start(self.job), out), None),
            },
            (_, Awaited::Call(own)) if *own == call => match result {
                Ok(Reply::Custody(resolved)) => self.custody = Awaited::Here(resolved),
                other => return (fail(unexpected(other), Resume::Start(self.job), out), None),
            },
            (_, _) => return (Session::Resolving(self), None),
        }
        match (self.document, self.custody) {
            (Awaited::Here(document), _)
                if self.job.format == SignatureFormat::Pades && !document.starts_as_pdf =>
            {
                (fail(ErrorCode::NotAPdf, Resume::Start(self.job), out), None)
            }
            (Awaited::Here(document), Awaited::Here(resolved)) => {
                let platform = out.calls.platform;
                let ways = Ways::of(&resolved, platform);
                let Resolved { custody, certificate, signer, .. } = *resolved;
                let run = Box::new(Run { job: self.job, document, signer, ways, upload: Upload::NotYet });
                match (custody, certificate) {
                    (Some(Custody::Hsm), Some(certificate)) => {
                        let key = Key::Hsm(Box::new(certificate));
                        (Session::Confirming(Confirming::new(run, key, platform == Platform::Desktop)), None)
                    }
                    (Some(Custody::Local), _) => connect(run),
                    (None | Some(Custody::Hsm | Custody::Lacuna), _) => Offering { run }.lead_on(out),
                }
            }
            (document, custody) => (Session::Resolving(Self { job: self.job, document, custody }), None),
        }
    }
}

impl Confirming {
    const fn new(run: Box<Run>, key: Key, may_use_local: bool) -> Self {
        Self { run, key, refused_in_client: false, may_use_local, prepared: Preparation::Nothing }
    }

    fn confirm(self, out: &mut Out<'_>) -> Session {
        if matches!(self.key, Key::Cloud(_)) {
            // Now or never: later it is no answer to the click any more, and browsers refuse it.
            out.effects.push(Effect::OpenWindow);
        }
        match (self.prepared, self.key) {
            (Preparation::Checked(prepared), Key::Local(key))
                if is_still_open(prepared.expires_at, out.now) =>
            {
                Session::Authorizing(Authorizing::start(self.run, key, prepared, out))
            }
            (_, key) => Preparing::start(self.run, key, self.may_use_local, out),
        }
    }
}

impl Resume {
    fn take_up(self, out: &mut Out<'_>) -> Moved {
        match self {
            Self::Start(job) => (Resolving::start(job, out), None),
            Self::Offer(run) => (Session::Offering(Offering { run }), None),
            Self::Enrol(state) => (Session::Enrolling(state.again(out)), None),
            Self::Approve(state) => (Session::Approving(state.again(out)), None),
            Self::Connect(run) => connect(run),
            Self::Confirm(state) => (Session::Confirming(*state), None),
            Self::Finish(state) => (Session::Finishing(state.again(out)), None),
            Self::Sign(state) => (Session::Signing(state.again(out)), None),
        }
    }
}

impl Resume {
    /// The run, when it still has one.
    fn run(&self) -> Option<&Run> {
        match self {
            Self::Start(_) => None,
            Self::Offer(run) | Self::Connect(run) => Some(run),
            Self::Enrol(state) => Some(&state.run),
            Self::Approve(state) => Some(&state.run),
            Self::Confirm(state) => Some(&state.run),
            // Something may be signed already: it is not signed a second time another way.
            Self::Finish(_) | Self::Sign(_) => None,
        }
    }
}

const fn connect(run: Box<Run>) -> Moved {
    (Session::Connecting(Connecting { run }), Some(News::Wanted))
}

fn fail(code: ErrorCode, resume: Resume, out: &mut Out<'_>) -> Session {
    out.effects.push(Effect::StopWork);
    Session::Failed(Failed { failure: Failure::from(code), resume })
}

/// The code of an answer that leads nowhere: its own, or ours when the host answered with the wrong reply.
fn unexpected(result: Result<Reply, ErrorCode>) -> ErrorCode {
    result.err().unwrap_or(ErrorCode::Internal)
}
