//! The part of the session that talks to the service.

use crate::wire::{Artefact, CreateSignature, Custody, SignaturePolicy, SignatureState, ToSign};
use crate::{ErrorCode, Timestamp};

use super::local::{Authorizing, client_failed};
use super::{
    Confirming, Done, Key, Moved, Preparation, Redirecting, Resume, Run, Session, Upload, fail, unexpected,
};
use crate::flow::Out;
use crate::flow::event::{CallId, Effect, Reply, SignatureSeen, Timer};

/// See [`Session::Preparing`].
#[derive(Debug, Clone)]
pub(crate) struct Preparing {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) key: Key,
    may_use_local: bool,
    task: Task,
}

#[derive(Debug, Clone)]
enum Task {
    /// The certificate is read from the device.
    Reading(CallId),
    /// The document is sent. With it waits the certificate, when the key is on the device.
    Uploading { call: CallId, certificate: Option<String> },
    /// The service builds what is to be signed.
    Creating(CallId),
    /// The host recomputes it.
    Checking { call: CallId, prepared: Box<Prepared> },
}

/// A request of the service that was checked, or is being checked.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) signature_id: String,
    pub(super) digest: String,
    pub(super) expires_at: Timestamp,
}

/// See [`Session::Signing`].
#[derive(Debug, Clone)]
pub(crate) struct Signing {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) key: Key,
    signature_id: String,
    call: CallId,
}

/// See [`Session::Finishing`].
#[derive(Debug, Clone)]
pub(crate) struct Finishing {
    pub(in crate::flow) run: Box<Run>,
    pub(in crate::flow) key: Key,
    signature_id: String,
    last_step: LastStep,
}

#[derive(Debug, Clone)]
enum LastStep {
    /// The value of the device goes to the service. It is kept, so that nobody types a PIN twice.
    Completing {
        call: CallId,
        value: String,
    },
    Fetching {
        call: CallId,
        artefact: Box<Artefact>,
    },
}

impl Preparing {
    pub(super) fn start(run: Box<Run>, key: Key, may_use_local: bool, out: &mut Out<'_>) -> Session {
        if let (Key::Cloud(service), Upload::Done(document_id)) = (&key, &run.upload) {
            let (service, document_id) = (service.clone(), document_id.clone());
            return Session::Redirecting(Redirecting::start(run, service, document_id, out));
        }
        let task = match &key {
            Key::Local(key) => {
                let thumbprint = key.chosen.thumbprint().to_owned();
                out.timer(Timer::ReadLimit);
                Task::Reading(out.call(|call| Effect::ReadCertificate { call, thumbprint }))
            }
            Key::Hsm(_) | Key::Cloud(_) => send(&run, &key, None, out),
        };
        Session::Preparing(Self { run, key, may_use_local, task })
    }

    /// Goes on once the person has permitted the use of a key at a service.
    pub(super) fn permitted(
        run: Box<Run>,
        service: String,
        document_id: String,
        authorization_id: String,
        out: &mut Out<'_>,
    ) -> Self {
        let key = Key::Cloud(service);
        let proof = Proof { authorization_id: Some(authorization_id), certificate: None };
        let task = create(&run, &key, document_id, proof, out);
        Self { run, key, may_use_local: false, task }
    }

    /// The same decision again, from the person.
    pub(super) fn back(self) -> Confirming {
        let Self { run, key, may_use_local, .. } = self;
        Confirming { run, key, refused_in_client: false, may_use_local, prepared: Preparation::Nothing }
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        match &self.task {
            Task::Reading(own) if *own == call => self.read(result, out),
            Task::Uploading { call: own, .. } if *own == call => self.uploaded(result, out),
            Task::Creating(own) if *own == call => match result {
                Ok(Reply::Signature(signature)) => self.created(*signature, out),
                other => self.fail(unexpected(other), out),
            },
            Task::Checking { call: own, prepared } if *own == call => {
                let prepared = prepared.clone();
                match (result, self.key) {
                    (Ok(Reply::ToSignChecked), Key::Local(key)) => {
                        (Session::Authorizing(Authorizing::start(self.run, key, prepared, out)), None)
                    }
                    (other, key) => Self { key, ..self }.fail(unexpected(other), out),
                }
            }
            _ => (Session::Preparing(self), None),
        }
    }

    fn read(self, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        match (result, &self.key) {
            (Ok(Reply::Certificate { certificate, thumbprint }), Key::Local(key))
                if thumbprint == key.chosen.thumbprint() =>
            {
                let task = send(&self.run, &self.key, Some(certificate), out);
                (Session::Preparing(Self { task, ..self }), None)
            }
            // Another certificate than the one asked for must not get into a signature.
            (Ok(Reply::Certificate { .. }), _) => self.fail(ErrorCode::ClientProtocol, out),
            (Err(ErrorCode::ClientTokenMissing), _) => self.fail(ErrorCode::ClientTokenMissing, out),
            (other, _) => client_failed(unexpected(other), self.run, out),
        }
    }

    fn uploaded(mut self, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Moved {
        match (result, self.task) {
            (Ok(Reply::Uploaded(document_id)), Task::Uploading { certificate, .. }) => {
                self.run.upload = Upload::Done(document_id.clone());
                if let Key::Cloud(service) = self.key {
                    return (
                        Session::Redirecting(Redirecting::start(self.run, service, document_id, out)),
                        None,
                    );
                }
                let proof = Proof { certificate, authorization_id: None };
                let task = create(&self.run, &self.key, document_id, proof, out);
                (Session::Preparing(Self { task, ..self }), None)
            }
            (other, task) => Self { task, ..self }.fail(unexpected(other), out),
        }
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Moved {
        match (&self.task, timer) {
            (Task::Reading(_), Timer::ReadLimit) => client_failed(ErrorCode::ClientNoResponse, self.run, out),
            (Task::Creating(_), Timer::ServiceLimit) => self.fail(ErrorCode::Unavailable, out),
            _ => (Session::Preparing(self), None),
        }
    }

    fn created(self, signature: SignatureSeen, out: &mut Out<'_>) -> Moved {
        match (&self.key, signature.state, signature.to_sign) {
            (Key::Local(key), SignatureState::Prepared, Some(to_sign)) => {
                let thumbprint = key.chosen.thumbprint().to_owned();
                let prepared = Box::new(Prepared {
                    signature_id: signature.id,
                    digest: to_sign.digest.clone(),
                    expires_at: signature.expires_at,
                });
                let call = check(to_sign, thumbprint, out);
                (Session::Preparing(Self { task: Task::Checking { call, prepared }, ..self }), None)
            }
            (Key::Hsm(_) | Key::Cloud(_), _, to_sign) => {
                let Self { run, key, .. } = self;
                (settle(run, key, SignatureSeen { to_sign, ..signature }, out), None)
            }
            (Key::Local(_), _, _) => self.fail(signature.problem.unwrap_or(ErrorCode::Internal), out),
        }
    }

    fn fail(self, code: ErrorCode, out: &mut Out<'_>) -> Moved {
        (fail(code, Resume::Confirm(Box::new(self.back())), out), None)
    }
}

impl Signing {
    fn wait(run: Box<Run>, key: Key, signature_id: String, out: &mut Out<'_>) -> Self {
        let id = signature_id.clone();
        let call = out.call(|call| Effect::AwaitRelease { call, signature_id: id });
        Self { run, key, signature_id, call }
    }

    pub(super) fn again(self, out: &mut Out<'_>) -> Self {
        out.timer(Timer::ServiceLimit);
        Self::wait(self.run, self.key, self.signature_id, out)
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Session {
        if call != self.call {
            return Session::Signing(self);
        }
        match result {
            Ok(Reply::Signature(signature)) if signature.state.is_final() => {
                settle(self.run, self.key, *signature, out)
            }
            Ok(Reply::Signature(_)) => {
                Session::Signing(Self::wait(self.run, self.key, self.signature_id, out))
            }
            other => fail(unexpected(other), Resume::Sign(Box::new(self)), out),
        }
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Session {
        match timer {
            Timer::ServiceLimit => fail(ErrorCode::Unavailable, Resume::Sign(Box::new(self)), out),
            _ => Session::Signing(self),
        }
    }
}

impl Finishing {
    pub(super) fn complete(
        run: Box<Run>,
        key: Key,
        signature_id: String,
        value: String,
        out: &mut Out<'_>,
    ) -> Self {
        let (id, sent) = (signature_id.clone(), value.clone());
        let call = out.call(|call| Effect::Complete { call, signature_id: id, value: sent });
        out.timer(Timer::ServiceLimit);
        Self { run, key, signature_id, last_step: LastStep::Completing { call, value } }
    }

    fn fetch(
        run: Box<Run>,
        key: Key,
        signature_id: String,
        artefact: Box<Artefact>,
        out: &mut Out<'_>,
    ) -> Self {
        let (id, expected) = (signature_id.clone(), artefact.clone());
        let call = out.call(|call| Effect::Fetch { call, signature_id: id, artefact: expected });
        Self { run, key, signature_id, last_step: LastStep::Fetching { call, artefact } }
    }

    pub(super) fn again(self, out: &mut Out<'_>) -> Self {
        let Self { run, key, signature_id, last_step } = self;
        match last_step {
            LastStep::Completing { value, .. } => Self::complete(run, key, signature_id, value, out),
            LastStep::Fetching { artefact, .. } => Self::fetch(run, key, signature_id, artefact, out),
        }
    }

    pub(super) fn answer(self, call: CallId, result: Result<Reply, ErrorCode>, out: &mut Out<'_>) -> Session {
        match (&self.last_step, result) {
            (LastStep::Completing { call: own, .. }, Ok(Reply::Signature(signature))) if *own == call => {
                settle(self.run, self.key, *signature, out)
            }
            (LastStep::Fetching { call: own, artefact }, Ok(Reply::Fetched)) if *own == call => {
                let artefact = artefact.clone();
                let Self { run, key, signature_id, .. } = self;
                Session::Done(Done { run, key, signature_id, artefact })
            }
            (LastStep::Completing { call: own, .. }, result) if *own == call => match unexpected(result) {
                // The service refused the value or the request: the same value will not do better.
                code @ (ErrorCode::SignatureValueInvalid
                | ErrorCode::SignatureExpired
                | ErrorCode::SignatureStateConflict) => fail(code, Resume::Connect(self.run), out),
                code => fail(code, Resume::Finish(Box::new(self)), out),
            },
            (LastStep::Fetching { call: own, .. }, result) if *own == call => {
                fail(unexpected(result), Resume::Finish(Box::new(self)), out)
            }
            _ => Session::Finishing(self),
        }
    }

    pub(super) fn time_out(self, timer: Timer, out: &mut Out<'_>) -> Session {
        match (timer, &self.last_step) {
            (Timer::ServiceLimit, LastStep::Completing { .. }) => {
                fail(ErrorCode::Unavailable, Resume::Finish(Box::new(self)), out)
            }
            _ => Session::Finishing(self),
        }
    }
}

/// What shows that a key may be used, where it is not ours.
struct Proof {
    certificate: Option<String>,
    authorization_id: Option<String>,
}

/// Sends the document, unless it is there already.
fn send(run: &Run, key: &Key, certificate: Option<String>, out: &mut Out<'_>) -> Task {
    match &run.upload {
        Upload::Done(document_id) => {
            let proof = Proof { certificate, authorization_id: None };
            create(run, key, document_id.clone(), proof, out)
        }
        Upload::NotYet => Task::Uploading { call: out.call(|call| Effect::Upload { call }), certificate },
    }
}

fn create(run: &Run, key: &Key, document_id: String, proof: Proof, out: &mut Out<'_>) -> Task {
    out.timer(Timer::ServiceLimit);
    let request = CreateSignature {
        document_id,
        custody: key.custody(),
        format: run.job.format,
        level: None,
        policy: SignaturePolicy::None,
        certificate: proof.certificate,
        authorization_id: proof.authorization_id,
    };
    Task::Creating(out.call(|call| Effect::CreateSignature { call, request }))
}

fn check(to_sign: ToSign, thumbprint: String, out: &mut Out<'_>) -> CallId {
    out.call(|call| Effect::CheckToSign { call, to_sign: Box::new(to_sign), thumbprint })
}

/// Follows a signature to its end.
fn settle(run: Box<Run>, key: Key, signature: SignatureSeen, out: &mut Out<'_>) -> Session {
    match (signature.state, signature.artefact) {
        (SignatureState::Released, Some(artefact)) => {
            Session::Finishing(Finishing::fetch(run, key, signature.id, Box::new(artefact), out))
        }
        (SignatureState::Failed, _) => {
            fail(signature.problem.unwrap_or(ErrorCode::Internal), Resume::Start(run.job), out)
        }
        (SignatureState::Expired, _) => fail(ErrorCode::SignatureExpired, Resume::Start(run.job), out),
        (SignatureState::Cancelled, _) => fail(ErrorCode::Cancelled, Resume::Start(run.job), out),
        (SignatureState::Accepted | SignatureState::Prepared | SignatureState::Signing, _)
            if key.custody() != Custody::Local || signature.state == SignatureState::Signing =>
        {
            out.timer(Timer::ServiceLimit);
            Session::Signing(Signing::wait(run, key, signature.id, out))
        }
        (_, _) => fail(ErrorCode::Internal, Resume::Start(run.job), out),
    }
}
