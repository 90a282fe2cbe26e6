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

    /// The person has no key here, and these ways.
    pub(super) fn offered(platform: Platform, offers: &[CustodyOffer]) -> Self {
        let mut run = Self::start(platform);
        run.read_document();
        run.answer(is_resolve, Ok(offer(offers, true)));
        run
    }

    pub(super) fn consenting() -> Self {
        let mut run = Self::offered(Platform::Desktop, &[CustodyOffer::HsmGenerate, CustodyOffer::Local]);
        run.act(Action::Take(Way::Enrol));
        run.answer(is_texts, Ok(Reply::ConsentTexts(vec![consent_text()])));
        run
    }

    /// The person agreed, and the key is in the module.
    pub(super) fn certifying() -> Self {
        let mut run = Self::consenting();
        run.act(Action::Agree { text_sha256: consent_text().sha256 });
        run.answer(is_consent, Ok(Reply::ConsentGiven("cns_1".into())));
        let open = EnrolmentProgress::Open { csr: Some("CSR".into()) };
        run.answer(is_enrol, Ok(enrolment(open)));
        run
    }

    /// The person has a key at a service and was sent there.
    pub(super) fn approving() -> Self {
        let mut run = Self::start(Platform::Mobile);
        run.read_document();
        run.answer(is_resolve, Ok(custody(Some(Custody::Lacuna))));
        run.act(Action::Confirm);
        run.answer(|effect| matches!(effect, Effect::Upload { .. }), Ok(Reply::Uploaded("doc_1".into())));
        run.answer(is_permission, Ok(authorization(AuthorizationProgress::Requested)));
        run
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
        effect.call().expect("the effect waits for an answer")
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

pub(super) fn is_resolve(effect: &Effect) -> bool {
    matches!(effect, Effect::ResolveCustody { .. })
}
pub(super) fn is_texts(effect: &Effect) -> bool {
    matches!(effect, Effect::FetchConsentTexts { .. })
}
pub(super) fn is_consent(effect: &Effect) -> bool {
    matches!(effect, Effect::GiveConsent { .. })
}
pub(super) fn is_enrol(effect: &Effect) -> bool {
    matches!(effect, Effect::CreateEnrolment { .. })
}
pub(super) fn is_request(effect: &Effect) -> bool {
    matches!(effect, Effect::RequestCertificate { .. })
}
pub(super) fn is_certify(effect: &Effect) -> bool {
    matches!(effect, Effect::CertifyEnrolment { .. })
}
pub(super) fn is_enrolment_look(effect: &Effect) -> bool {
    matches!(effect, Effect::LookAtEnrolment { .. })
}
pub(super) fn is_permission(effect: &Effect) -> bool {
    matches!(effect, Effect::RequestAuthorization { .. })
}
pub(super) fn is_visit(effect: &Effect) -> bool {
    matches!(effect, Effect::VisitService { .. })
}
pub(super) fn is_completion(effect: &Effect) -> bool {
    matches!(effect, Effect::CompleteAuthorization { .. })
}
pub(super) fn is_permission_look(effect: &Effect) -> bool {
    matches!(effect, Effect::LookAtAuthorization { .. })
}

/// Nothing was found.
pub(super) fn offer(offers: &[CustodyOffer], certain: bool) -> Reply {
    let Reply::Custody(mut resolved) = custody(None) else { unreachable!("it is one") };
    let outcome = if certain { CustodyOutcome::No } else { CustodyOutcome::Unknown };
    let doubt = (!certain).then_some(CustodyDoubt::Slow);
    resolved.offers = offers.to_vec();
    resolved.certain = certain;
    resolved.sources = vec![CustodySource { source: Custody::Hsm, outcome, doubt, duration_ms: 3 }];
    Reply::Custody(resolved)
}

pub(super) fn consent_text() -> ConsentText {
    let text = "I agree that the bank keeps a key for me. TEST";
    ConsentText {
        version: "key-custody-1".into(),
        language: "en".into(),
        text: text.into(),
        sha256: crate::digest::Digest::sha256(text.as_bytes()).to_hex(),
    }
}

pub(super) fn enrolment(progress: EnrolmentProgress) -> Reply {
    Reply::Enrolment(Box::new(EnrolmentSeen { id: "enr_1".into(), progress }))
}

pub(super) fn certified() -> EnrolmentProgress {
    EnrolmentProgress::Completed { certificate: Box::new(certificate_view()) }
}

pub(super) fn authorization(progress: AuthorizationProgress) -> Reply {
    Reply::Authorization(Box::new(AuthorizationSeen {
        id: "aut_1".into(),
        progress,
        auth_url: (progress == AuthorizationProgress::Requested)
            .then(|| "https://service.example/permit".into()),
        expires_at: now().plus(core::time::Duration::from_secs(600)),
    }))
}

pub(super) fn came_back() -> Reply {
    Reply::Window(WindowEnd::Returned(Query("?state=s&code=c".into())))
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
        services: if found == Some(Custody::Lacuna) { vec!["vidaas".into()] } else { Vec::new() },
        offers: if found.is_none() { vec![CustodyOffer::Local] } else { Vec::new() },
        preselected: None,
        sources: Vec::new(),
        certain: true,
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
