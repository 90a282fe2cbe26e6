//! A flow played by hand: what it asked for, and the answers of browser, client and service.

use super::*;

/// A flow with the effects that wait for an answer.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) flow: Flow,
    pub(super) effects: Vec<Effect>,
    pub(super) now: Timestamp,
}

impl Run {
    pub(super) fn start(platform: Platform) -> Self {
        Self::start_with(job(), platform)
    }

    pub(super) fn start_with(job: Job, platform: Platform) -> Self {
        let mut run = Self { flow: Flow::new(platform), effects: Vec::new(), now: now() };
        run.act(Action::Start(job));
        run
    }

    pub(super) fn listing() -> Self {
        let mut run = Self::start(Platform::Desktop);
        run.resolve_local();
        run.event(Event::MarkerFound);
        run.handshake();
        run
    }

    pub(super) fn choosing() -> Self {
        let mut run = Self::listing();
        run.answer(is_list, Ok(Reply::Certificates(list())));
        run
    }

    pub(super) fn authorizing() -> Self {
        let mut run = Self::choosing();
        run.act(Action::Choose { thumbprint: "MINE".into(), remember: false });
        run.confirm_local();
        run.answer(is_check, Ok(Reply::ToSignChecked));
        run
    }

    pub(super) fn read_document(&mut self) {
        self.answer(|effect| matches!(effect, Effect::ReadDocument { .. }), Ok(document()));
    }

    pub(super) fn resolve_local(&mut self) {
        self.read_document();
        self.answer(|effect| matches!(effect, Effect::ResolveCustody { .. }), Ok(custody(None)));
    }

    pub(super) fn handshake(&mut self) {
        if self.flow.step() == Step::Probing && !self.has(is_version) {
            self.event(Event::MarkerFound);
        }
        self.answer(is_version, Ok(Reply::ExtensionVersion("2.17.1".into())));
        self.answer(is_initialize, Ok(native("Linux", "2.12.1")));
    }

    pub(super) fn confirm_local(&mut self) {
        self.act(Action::Confirm);
        let certificate = Reply::Certificate { certificate: "MIIB".into(), thumbprint: "MINE".into() };
        self.answer(|effect| matches!(effect, Effect::ReadCertificate { .. }), Ok(certificate));
        self.answer(|effect| matches!(effect, Effect::Upload { .. }), Ok(Reply::Uploaded("doc_1".into())));
        self.answer(is_create, Ok(signature(SignatureState::Prepared)));
    }

    pub(super) fn event(&mut self, event: Event) {
        let (flow, effects) = self.flow.clone().handle(event, self.now).expect("the event fits");
        self.flow = flow;
        self.effects.extend(effects);
    }

    pub(super) fn act(&mut self, action: Action) {
        self.event(Event::Act(action));
    }

    pub(super) fn timer(&mut self, timer: Timer) {
        self.event(Event::Timer(timer));
    }

    /// Answers the newest call of a kind.
    pub(super) fn answer(&mut self, kind: impl Fn(&Effect) -> bool, result: Result<Reply, ErrorCode>) {
        let call = self.call_of(kind);
        self.event(Event::Answer { call, result });
    }

    pub(super) fn call_of(&self, kind: impl Fn(&Effect) -> bool) -> CallId {
        let effect = self.effects.iter().rev().find(|effect| kind(effect)).expect("the effect was asked for");
        call_of(effect).expect("the effect waits for an answer")
    }

    pub(super) fn has(&self, kind: impl Fn(&Effect) -> bool) -> bool {
        self.effects.iter().any(kind)
    }

    pub(super) fn refused(&self, action: Action) -> ErrorCode {
        self.flow.clone().handle(Event::Act(action), self.now).expect_err("the action does not fit").code
    }

    pub(super) fn failure(&self) -> (ErrorCode, NextStep) {
        let View::Failed { failure } = self.flow.view() else { panic!("not failed: {:?}", self.flow.step()) };
        (failure.code, failure.next_step)
    }
}

pub(super) fn call_of(effect: &Effect) -> Option<CallId> {
    match effect {
        Effect::ReadDocument { call }
        | Effect::ResolveCustody { call }
        | Effect::GetExtensionVersion { call }
        | Effect::Initialize { call }
        | Effect::PollNative { call }
        | Effect::ListCertificates { call }
        | Effect::ReadCertificate { call, .. }
        | Effect::SignHash { call, .. }
        | Effect::Upload { call }
        | Effect::CreateSignature { call, .. }
        | Effect::CheckToSign { call, .. }
        | Effect::AwaitRelease { call, .. }
        | Effect::Complete { call, .. }
        | Effect::Fetch { call, .. } => Some(*call),
        Effect::Watch
        | Effect::Remember { .. }
        | Effect::Forget
        | Effect::SetTimer { .. }
        | Effect::StopWork => None,
    }
}

pub(super) fn is_version(effect: &Effect) -> bool {
    matches!(effect, Effect::GetExtensionVersion { .. })
}
pub(super) fn is_initialize(effect: &Effect) -> bool {
    matches!(effect, Effect::Initialize { .. })
}
pub(super) fn is_poll(effect: &Effect) -> bool {
    matches!(effect, Effect::PollNative { .. })
}
pub(super) fn is_list(effect: &Effect) -> bool {
    matches!(effect, Effect::ListCertificates { .. })
}
pub(super) fn is_sign(effect: &Effect) -> bool {
    matches!(effect, Effect::SignHash { .. })
}
pub(super) fn is_create(effect: &Effect) -> bool {
    matches!(effect, Effect::CreateSignature { .. })
}
pub(super) fn is_check(effect: &Effect) -> bool {
    matches!(effect, Effect::CheckToSign { .. })
}
pub(super) fn is_await(effect: &Effect) -> bool {
    matches!(effect, Effect::AwaitRelease { .. })
}
pub(super) fn is_complete(effect: &Effect) -> bool {
    matches!(effect, Effect::Complete { .. })
}
pub(super) fn is_fetch(effect: &Effect) -> bool {
    matches!(effect, Effect::Fetch { .. })
}

pub(super) fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

pub(super) fn job() -> Job {
    Job { name: "contrato.pdf".into(), size_bytes: 1_000, format: SignatureFormat::Pades, remembered: None }
}

pub(super) fn document() -> Reply {
    Reply::Document(DocumentRead { sha256: "ab".repeat(32), starts_as_pdf: true })
}

pub(super) fn holder(name: &str, masked: &str) -> SignerView {
    SignerView { name: name.into(), identifier_masked: Some(masked.into()) }
}

pub(super) fn native(os: &str, version: &str) -> Reply {
    Reply::Initialized(Initialized::Ready { os: os.into(), version: version.into() })
}

pub(super) fn custody(found: Option<Custody>) -> Reply {
    Reply::Custody(Box::new(Resolved {
        custody: found,
        certificate: found.map(|_| certificate_view()),
        offers_local: true,
        signer: Some(holder("ANA TEST", "***.982.247-**")),
    }))
}

pub(super) fn certificate_view() -> CertificateView {
    CertificateView {
        holder: holder("ANA TEST", "***.982.247-**"),
        issuer: "AC TEST".into(),
        serial: "01".into(),
        sha256: "cd".repeat(32),
        icp_type: Some("A3".into()),
        holder_kind: None,
        policy: None,
        key: None,
        not_before: at("2026-01-01"),
        not_after: at("2029-01-01"),
    }
}

pub(super) fn signature(state: SignatureState) -> Reply {
    let to_sign = ToSign {
        signed_attributes: "MQA=".into(),
        digest_algorithm: "sha256".into(),
        digest: "AAAA".into(),
        signature_algorithm: "rsa_pkcs1_sha256".into(),
        revision: None,
    };
    let artefact = Artefact {
        name: "contrato-assinado.pdf".into(),
        media_type: "application/pdf".into(),
        size_bytes: 2_000,
        sha256: "ef".repeat(32),
        released_at: now(),
    };
    Reply::Signature(Box::new(SignatureSeen {
        id: "sig_1".into(),
        state,
        expires_at: now().plus(core::time::Duration::from_secs(300)),
        to_sign: (state == SignatureState::Prepared).then_some(to_sign),
        artefact: (state == SignatureState::Released).then_some(artefact),
        problem: None,
    }))
}

pub(super) fn list() -> Vec<ListedCertificate> {
    let entry =
        |thumbprint: &str, name: &str, masked: &str, from: &str, to: &str, key_usage| ListedCertificate {
            thumbprint: thumbprint.into(),
            holder: holder(name, masked),
            issuer: "AC TEST".into(),
            kind: HolderKind::Person,
            icp_type: Some("A3".into()),
            is_icp_brasil: true,
            key_usage,
            not_before: at(from),
            not_after: at(to),
        };
    vec![
        entry("TLS", "ANA TEST 4", "***.982.247-**", "2026-01-01", "2029-01-01", 32),
        entry("THEIRS", "ANA TEST 3", "***.111.111-**", "2026-01-01", "2029-01-01", 224),
        entry("NEW", "ANA TEST 2", "***.982.247-**", "2027-01-01", "2029-01-01", 224),
        entry("OLD", "ANA TEST 1", "***.982.247-**", "2020-01-01", "2023-01-01", 224),
        entry("MINE", "ANA TEST", "***.982.247-**", "2026-01-01", "2029-01-01", 224),
    ]
}
