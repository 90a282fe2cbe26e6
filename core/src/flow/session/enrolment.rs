//! The first key in the bank's module: consent, key, certificate.

use crate::ErrorCode;
use crate::digest::Digest;
use crate::flow::Out;
use crate::flow::event::{CallId, ConsentText, Effect, EnrolmentProgress, EnrolmentSeen, Reply, Timer};
use crate::wire::CertificateView;

use super::{Resume, Run, Session, fail, unexpected};

/// See [`Session::Consenting`].
#[derive(Debug, Clone)]
pub(crate) struct Consenting {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) texts: Texts,
}

#[derive(Debug, Clone)]
pub(crate) enum Texts {
    Awaited(CallId),
    /// Each has the digest that it claims.
    Here(Vec<ConsentText>),
}

/// See [`Session::Enrolling`].
#[derive(Debug, Clone)]
pub(crate) struct Enrolling {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) slow: bool,
    task: Task,
}

#[derive(Debug, Clone)]
enum Task {
    Agreeing {
        call: CallId,
        text: ConsentText,
    },
    Creating {
        call: CallId,
        consent_id: String,
    },
    Requesting {
        call: CallId,
        enrolment_id: String,
        csr: String,
    },
    Storing {
        call: CallId,
        enrolment_id: String,
        certificate: String,
    },
    /// Somebody else brings the certificate, or the key is still being made.
    Awaiting {
        enrolment_id: String,
        polling: Option<CallId>,
    },
}

/// What is being done for a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolmentStage {
    /// The consent is recorded.
    Agreeing,
    /// The module makes the key.
    Creating,
    /// The authority is asked for the certificate.
    Requesting,
    /// The certificate is compared with the key, and the key proves itself.
    Storing,
    /// The certificate is awaited: somebody else brings it.
    Awaiting,
}

impl EnrolmentStage {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreeing => "agreeing",
            Self::Creating => "creating",
            Self::Requesting => "requesting",
            Self::Storing => "storing",
            Self::Awaiting => "awaiting",
        }
    }
}

/// See [`Session::Stored`].
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) certificate: Box<CertificateView>,
}

impl Consenting {
    pub(super) fn start(run: Box<Run>, out: &mut Out<'_>) -> Self {
        out.timer(Timer::ServiceLimit);
        let texts = Texts::Awaited(out.call(|call| Effect::FetchConsentTexts { call }));
        Self { run, texts }
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Session {
        if !matches!(self.texts, Texts::Awaited(own) if own == call) {
            return Session::Consenting(self);
        }
        match result {
            Ok(Reply::ConsentTexts(texts)) if texts.is_empty() => self.fail(ErrorCode::Internal, out),
            // Nobody agrees to a text that is not the one whose digest is recorded.
            Ok(Reply::ConsentTexts(texts)) if !texts.iter().all(is_genuine) => {
                self.fail(ErrorCode::DigestMismatch, out)
            }
            Ok(Reply::ConsentTexts(texts)) => Session::Consenting(Self { texts: Texts::Here(texts), ..self }),
            other => self.fail(unexpected(other), out),
        }
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Session {
        match (timer, &self.texts) {
            (Timer::ServiceLimit, Texts::Awaited(_)) => self.fail(ErrorCode::Unavailable, out),
            _ => Session::Consenting(self),
        }
    }

    /// The act of will: begins to make the key.
    pub(super) fn agree(self, text_sha256: &str, out: &mut Out<'_>) -> Result<Enrolling, Box<Self>> {
        let shown = match &self.texts {
            Texts::Here(texts) => texts.iter().find(|text| text.sha256 == text_sha256).cloned(),
            Texts::Awaited(_) => None,
        };
        let Some(text) = shown else { return Err(Box::new(self)) };
        out.timer(Timer::EnrolmentSlow);
        let task = Task::agree(text, out);
        Ok(Enrolling { run: self.run, slow: false, task })
    }

    fn fail(self, code: ErrorCode, out: &mut Out<'_>) -> Session {
        fail(code, Resume::Offer(self.run), out)
    }
}

fn is_genuine(text: &ConsentText) -> bool {
    Digest::sha256(text.text.as_bytes()).to_hex() == text.sha256
}

impl Task {
    fn agree(text: ConsentText, out: &mut Out<'_>) -> Self {
        out.timer(Timer::ServiceLimit);
        let shown = text.clone();
        Self::Agreeing { call: out.call(|call| Effect::GiveConsent { call, text: shown }), text }
    }

    fn create(consent_id: String, out: &mut Out<'_>) -> Self {
        out.timer(Timer::ServiceLimit);
        let id = consent_id.clone();
        Self::Creating { call: out.call(|call| Effect::CreateEnrolment { call, consent_id: id }), consent_id }
    }

    fn request(enrolment_id: String, csr: String, out: &mut Out<'_>) -> Self {
        // No limit: an authority may want to see the person first.
        let sent = csr.clone();
        let call = out.call(|call| Effect::RequestCertificate { call, csr: sent });
        Self::Requesting { call, enrolment_id, csr }
    }

    fn store(enrolment_id: String, certificate: String, out: &mut Out<'_>) -> Self {
        out.timer(Timer::ServiceLimit);
        let (id, sent) = (enrolment_id.clone(), certificate.clone());
        let effect = |call| Effect::CertifyEnrolment { call, enrolment_id: id, certificate: sent };
        Self::Storing { call: out.call(effect), enrolment_id, certificate }
    }

    fn wait(enrolment_id: String, out: &mut Out<'_>) -> Self {
        out.timer(Timer::EnrolmentPoll);
        Self::Awaiting { enrolment_id, polling: None }
    }

    const fn waits_for(&self) -> Option<CallId> {
        match self {
            Self::Agreeing { call, .. }
            | Self::Creating { call, .. }
            | Self::Requesting { call, .. }
            | Self::Storing { call, .. } => Some(*call),
            Self::Awaiting { polling, .. } => *polling,
        }
    }
}

impl Enrolling {
    pub(in crate::flow) const fn stage(&self) -> EnrolmentStage {
        match self.task {
            Task::Agreeing { .. } => EnrolmentStage::Agreeing,
            Task::Creating { .. } => EnrolmentStage::Creating,
            Task::Requesting { .. } => EnrolmentStage::Requesting,
            Task::Storing { .. } => EnrolmentStage::Storing,
            Task::Awaiting { .. } => EnrolmentStage::Awaiting,
        }
    }

    /// The present task once more; all that was reached stays.
    pub(super) fn again(self, out: &mut Out<'_>) -> Self {
        out.timer(Timer::EnrolmentSlow);
        let task = match self.task {
            Task::Agreeing { text, .. } => Task::agree(text, out),
            Task::Creating { consent_id, .. } => Task::create(consent_id, out),
            Task::Requesting { enrolment_id, csr, .. } => Task::request(enrolment_id, csr, out),
            Task::Storing { enrolment_id, certificate, .. } => Task::store(enrolment_id, certificate, out),
            Task::Awaiting { enrolment_id, .. } => Task::wait(enrolment_id, out),
        };
        Self { run: self.run, slow: false, task }
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Session {
        if self.task.waits_for() != Some(call) {
            return Session::Enrolling(self);
        }
        let task = match (&self.task, result) {
            (Task::Agreeing { .. }, Ok(Reply::ConsentGiven(consent_id))) => Task::create(consent_id, out),
            (Task::Requesting { enrolment_id, .. }, Ok(Reply::CertificateIssued(certificate))) => {
                Task::store(enrolment_id.clone(), certificate, out)
            }
            (Task::Requesting { enrolment_id, .. }, Ok(Reply::CertificateElsewhere)) => {
                Task::wait(enrolment_id.clone(), out)
            }
            (
                Task::Creating { .. } | Task::Storing { .. } | Task::Awaiting { .. },
                Ok(Reply::Enrolment(seen)),
            ) => {
                return self.moved(*seen, out);
            }
            // Looking on is silent: the next look may do better.
            (
                Task::Awaiting { enrolment_id, .. },
                Err(ErrorCode::NetworkUnreachable | ErrorCode::Unavailable),
            ) => Task::wait(enrolment_id.clone(), out),
            (_, other) => return self.fail(unexpected(other), out),
        };
        Session::Enrolling(Self { task, ..self })
    }

    fn moved(self, seen: EnrolmentSeen, out: &mut Out<'_>) -> Session {
        let EnrolmentSeen { id, progress } = seen;
        let task = match (progress, &self.task) {
            (EnrolmentProgress::Completed { certificate }, _) => {
                return Session::Stored(Stored { run: self.run, certificate });
            }
            // The same consent again would give the same end.
            (EnrolmentProgress::Ended(code), _) => {
                return fail(code, Resume::Offer(self.run), out);
            }
            (EnrolmentProgress::Open { csr: Some(csr) }, Task::Creating { .. }) => {
                Task::request(id, csr, out)
            }
            (EnrolmentProgress::Open { .. }, _) => Task::wait(id, out),
        };
        Session::Enrolling(Self { task, ..self })
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Session {
        match (timer, &self.task) {
            (Timer::EnrolmentSlow, _) => Session::Enrolling(Self { slow: true, ..self }),
            (Timer::EnrolmentPoll, Task::Awaiting { enrolment_id, polling: None }) => {
                let (enrolment_id, asked) = (enrolment_id.clone(), enrolment_id.clone());
                let call = out.call(|call| Effect::LookAtEnrolment { call, enrolment_id: asked });
                let task = Task::Awaiting { enrolment_id, polling: Some(call) };
                Session::Enrolling(Self { task, ..self })
            }
            (Timer::ServiceLimit, Task::Agreeing { .. } | Task::Creating { .. } | Task::Storing { .. }) => {
                self.fail(ErrorCode::Unavailable, out)
            }
            _ => Session::Enrolling(self),
        }
    }

    /// What may go better the next time is taken up where it stopped, anything else from the offer.
    fn fail(self, code: ErrorCode, out: &mut Out<'_>) -> Session {
        let resume = match code {
            ErrorCode::NetworkUnreachable
            | ErrorCode::Unavailable
            | ErrorCode::TooManyRequests
            | ErrorCode::IdempotencyInProgress
            | ErrorCode::DatabaseUnavailable
            | ErrorCode::TokenUnavailable
            | ErrorCode::TokenAgentFailed
            | ErrorCode::UserCancelled
            | ErrorCode::Unauthorized
            | ErrorCode::SessionExpired => Resume::Enrol(Box::new(self)),
            _ => Resume::Offer(self.run),
        };
        fail(code, resume, out)
    }
}
