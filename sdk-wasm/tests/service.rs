//! Documents and the HTTP contract in a real browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "clippy does not know these tests for tests")]

use std::cell::Cell;

use js_sys::{Array, Function, JSON, Reflect, Uint8Array};
use rubrica_core::digest::Digest;
use rubrica_core::flow::{
    AuthorizationProgress, AuthorizationSeen, ConsentText, EnrolmentProgress, Reply, Resolved, SignatureSeen,
};
use rubrica_core::wire::{
    Artefact, Authorization, AuthorizationScope, AuthorizationState, CertificateView, CertifyEnrolment,
    CompleteAuthorization, CompleteSignature, ConsentTextList, CreateAuthorization, CreateConsent,
    CreateEnrolment, CreateSignature, Custody, CustodyAnswer, CustodyDoubt, CustodyOffer, CustodyOutcome,
    CustodySource, Enrolment, EnrolmentMethod, EnrolmentState, KeyView, RevisionToSign, Signature,
    SignatureFormat, SignatureLevel, SignaturePolicy, SignatureProblem, SignatureState, SignerView, ToSign,
};
use rubrica_core::{ErrorCode, Timestamp};
use rubrica_sdk::api::{Request, Service, Session, Work, read, request};
use rubrica_sdk::document::Document;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Blob;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn a_document_is_hashed_in_pieces_and_looked_at() {
    let mut bytes = vec![7; 20 << 20];
    bytes[100..105].copy_from_slice(b"%PDF-");
    let read = Document::read(&blob(&bytes), || true).await.unwrap();
    assert_eq!(read.facts().sha256, Digest::sha256(&bytes).to_hex());
    assert!(read.facts().starts_as_pdf);

    let empty = Document::read(&blob(&[]), || true).await.unwrap();
    assert_eq!(empty.facts().sha256, Digest::sha256(&[]).to_hex());
    let late_header = [vec![0; 1_022], b"%PDF-".to_vec()].concat();
    assert!(!Document::read(&blob(&late_header), || true).await.unwrap().facts().starts_as_pdf);
}

#[wasm_bindgen_test]
async fn reading_stops_when_nobody_wants_it_any_more() {
    let asked = Cell::new(0);
    let large = blob(&vec![1; 8 << 20]);
    let read = Document::read(&large, || {
        asked.set(asked.get() + 1);
        asked.get() < 3
    });
    assert_eq!(read.await.unwrap_err(), ErrorCode::UserCancelled);
    assert_eq!(asked.get(), 3);
}

#[wasm_bindgen_test]
async fn a_released_pdf_must_start_with_the_document_and_be_what_was_announced() {
    let document = Document::read(&blob(b"%PDF-1.7 the contract"), || true).await.unwrap();
    let check = async |released: &[u8], announced: &[u8]| {
        let artefact = artefact(announced);
        document.check_artefact(&blob(released), &artefact, SignatureFormat::Pades, || true).await
    };
    let good = b"%PDF-1.7 the contract and its signature";
    let other = b"%PDF-1.7 THE contract and its signature";
    assert_eq!(check(good, good).await, Ok(()));
    assert_eq!(check(other, other).await, Err(ErrorCode::ToSignMismatch));
    assert_eq!(check(b"%PDF", b"%PDF").await, Err(ErrorCode::ToSignMismatch));
    assert_eq!(check(good, b"%PDF-1.7 the contract").await, Err(ErrorCode::DigestMismatch));
}

#[wasm_bindgen_test]
async fn what_is_to_be_signed_is_compared_with_the_document_read() {
    // Known attributes: content-type and message-digest of `abc` (RFC 5652); no certificate reference, so the
    // check of core must refuse them whatever the document is.
    let to_sign = to_sign();
    for bytes in [&b"abc"[..], b"abd"] {
        let document = Document::read(&blob(bytes), || true).await.unwrap();
        let checked = document.check(&to_sign, SignatureFormat::Cades, "AAAA");
        assert_eq!(checked, Err(ErrorCode::ToSignMismatch));
    }
    let document = Document::read(&blob(b"abc"), || true).await.unwrap();
    assert_eq!(
        document.check(&to_sign, SignatureFormat::Cades, "not base64!"),
        Err(ErrorCode::ToSignMismatch)
    );
}

#[wasm_bindgen_test]
fn the_readers_agree_with_the_types_of_the_contract() {
    let whole = signature();
    let seen = read::signature(&plain(&whole)).unwrap();
    assert_eq!(format!("{seen:?}"), format!("{:?}", SignatureSeen::from(whole.clone())));

    let prepared =
        Signature { state: SignatureState::Prepared, to_sign: Some(to_sign()), artefact: None, ..whole };
    let seen = read::signature(&plain(&prepared)).unwrap();
    assert_eq!(seen.to_sign, prepared.to_sign);

    let answer = CustodyAnswer {
        custody: Some(Custody::Hsm),
        key: Some(KeyView { id: "key_1".into(), certificate: certificate() }),
        services: Vec::new(),
        options: Vec::new(),
        offers: Vec::new(),
        preselected: None,
        certain: true,
        sources: vec![source(Custody::Hsm, CustodyOutcome::Yes, None)],
    };
    let found = read::custody(&plain(&answer)).unwrap();
    assert_eq!((found.custody, &found.certificate), (Some(Custody::Hsm), &Some(certificate())));

    let sources = vec![
        source(Custody::Hsm, CustodyOutcome::No, None),
        source(Custody::Lacuna, CustodyOutcome::Unknown, Some(CustodyDoubt::Slow)),
    ];
    let offers = vec![CustodyOffer::HsmGenerate, CustodyOffer::HsmImport, CustodyOffer::Local];
    let answer = CustodyAnswer {
        custody: None,
        key: None,
        services: vec!["vidaas".into()],
        options: vec![Custody::Hsm, Custody::Local],
        offers: offers.clone(),
        preselected: Some(CustodyOffer::Local),
        certain: false,
        sources: sources.clone(),
    };
    let asked = read::custody(&plain(&answer)).unwrap();
    assert_eq!((asked.custody, asked.certain), (None, false));
    assert_eq!((asked.offers, asked.preselected), (offers, Some(CustodyOffer::Local)));
    assert_eq!((asked.sources, asked.services), (sources, vec!["vidaas".to_owned()]));
}

#[wasm_bindgen_test]
fn a_service_of_before_the_offers_leads_to_the_device() {
    let old =
        JSON::parse(r#"{ "custody": null, "key": null, "options": ["local"], "sources": [] }"#).unwrap();
    let Resolved { offers, certain, .. } = read::custody(&old).unwrap();
    assert_eq!((offers, certain), (vec![CustodyOffer::Local], true));
}

#[wasm_bindgen_test]
fn consents_enrolments_and_permissions_are_read_as_the_contract_says() {
    let text = rubrica_core::wire::ConsentText {
        text_version: "key-custody-1".into(),
        language: "pt-BR".into(),
        text: "Concordo. TEST".into(),
        text_sha256: "ab".repeat(32),
    };
    let texts = read::consent_texts(&plain(&ConsentTextList { items: vec![text] })).unwrap();
    assert_eq!(texts, [consent_text()]);

    for state in EnrolmentState::ALL {
        let seen = read::enrolment(&plain(&enrolment(state))).unwrap();
        assert_eq!(seen.id, "enr_1");
        let is_right = match (state, seen.progress) {
            (
                EnrolmentState::Creating | EnrolmentState::AwaitingCertificate,
                EnrolmentProgress::Open { csr },
            ) => csr.as_deref() == Some("CSR"),
            (EnrolmentState::Completed, EnrolmentProgress::Completed { certificate: seen }) => {
                *seen == certificate()
            }
            (EnrolmentState::Cancelled, EnrolmentProgress::Ended(code)) => code == ErrorCode::Cancelled,
            (EnrolmentState::Failed, EnrolmentProgress::Ended(code)) => code == ErrorCode::TokenAgentFailed,
            _ => false,
        };
        assert!(is_right, "{state:?}");
    }

    for (state, problem, expected) in [
        (AuthorizationState::Requested, None, AuthorizationProgress::Requested),
        (AuthorizationState::Granted, None, AuthorizationProgress::Granted),
        (AuthorizationState::Used, None, AuthorizationProgress::Over),
        (AuthorizationState::Expired, None, AuthorizationProgress::Over),
        (AuthorizationState::Failed, Some(ErrorCode::ProviderRefused), AuthorizationProgress::Refused),
        (
            AuthorizationState::Failed,
            Some(ErrorCode::CertificateWrongPerson),
            AuthorizationProgress::Failed(ErrorCode::CertificateWrongPerson),
        ),
    ] {
        let answer = Authorization {
            id: "aut_1".into(),
            service: "vidaas".into(),
            scope: AuthorizationScope::One,
            state,
            auth_url: Some("https://service.example/permit".into()),
            created_at: at("2026-11-23T12:00:00Z"),
            expires_at: at("2026-11-23T12:10:00Z"),
            problem,
        };
        let AuthorizationSeen { id, progress, auth_url, expires_at } =
            read::authorization(&plain(&answer)).unwrap();
        assert_eq!((id, progress), ("aut_1".to_owned(), expected));
        assert_eq!((auth_url, expires_at), (answer.auth_url, answer.expires_at));
    }
}

#[wasm_bindgen_test]
fn the_bodies_sent_are_those_of_the_contract() {
    let request = CreateSignature {
        document_id: "doc_\"1".into(),
        custody: Custody::Local,
        format: SignatureFormat::Cades,
        level: None,
        policy: SignaturePolicy::None,
        certificate: Some("MIIB".into()),
        authorization_id: Some("aut_1".into()),
    };
    let sent: CreateSignature = parsed(&read::create_signature(&request));
    assert_eq!(format!("{sent:?}"), format!("{request:?}"));

    let sent: CreateAuthorization =
        parsed(&read::create_authorization("vidaas", "doc_1", "https://bank.example/"));
    assert_eq!((&*sent.service, sent.scope), ("vidaas", AuthorizationScope::One));
    assert_eq!(
        (&*sent.document_ids[0], sent.return_url.as_deref()),
        ("doc_1", Some("https://bank.example/"))
    );
    let sent: CompleteAuthorization = parsed(&read::complete_authorization("?state=s%26t&code=a+b&empty="));
    let parameters: Vec<_> = sent.parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(parameters, [("code", "a b"), ("empty", ""), ("state", "s&t")]);
}

#[wasm_bindgen_test]
async fn every_request_has_the_address_and_the_body_of_the_contract() {
    let log = serve(
        "const answers = new Proxy({}, { get: () => [new Response('{}')] });
         globalThis.bodies = [];",
    );
    let body = || {
        let last = js("return globalThis.fakeFetch.last.body ?? null;").as_string().unwrap();
        (last, js("return globalThis.fakeFetch.last.headers.get('idempotency-key');").as_string())
    };
    let ask = async |request: Request| {
        let _answers_are_empty = service("").ask(request).await;
    };
    ask(request::complete_signature("sig_1", "dg==")).await;
    assert_eq!(parsed::<CompleteSignature>(&body().0).signature_value, "dg==");
    ask(request::give_consent(&consent_text())).await;
    let (sent, first_key) = body();
    let sent: CreateConsent = parsed(&sent);
    assert_eq!((&*sent.text_version, &*sent.language), ("key-custody-1", "pt-BR"));
    assert_eq!(sent.text_sha256, "ab".repeat(32));
    ask(request::give_consent(&consent_text())).await;
    assert_ne!(body().1, first_key, "a second agreement is another one");
    ask(request::create_enrolment("cns_1")).await;
    let (sent, key) = body();
    let sent: CreateEnrolment = parsed(&sent);
    assert_eq!((sent.method, &*sent.consent_id), (EnrolmentMethod::Generate, "cns_1"));
    assert_eq!(key.as_deref(), Some("enrolment-cns_1"), "one consent, one key");
    ask(request::certify_enrolment("enr_1", "PEM")).await;
    assert_eq!(parsed::<CertifyEnrolment>(&body().0).certificate, "PEM");
    for look in [
        request::consent_texts(),
        request::look_at_enrolment("enr_1"),
        request::look_at_authorization("aut_1"),
        request::await_signature("sig_1"),
    ] {
        ask(look).await;
    }
    ask(request::complete_authorization("aut_1", "?state=s")).await;
    assert_eq!(
        log.join(" "),
        "POST/v1/signatures/sig_1/complete POST/v1/consents POST/v1/consents POST/v1/enrolments \
         POST/v1/enrolments/enr_1/certificate GET/v1/consents/texts GET/v1/enrolments/enr_1 \
         GET/v1/authorizations/aut_1 GET/v1/signatures/sig_1?wait_ms=20000 \
         POST/v1/authorizations/aut_1/complete"
    );
}

#[wasm_bindgen_test]
fn answers_that_lack_something_are_not_half_read() {
    for missing in ["id", "state", "expires_at"] {
        let value = plain(&signature());
        Reflect::delete_property(value.unchecked_ref::<js_sys::Object>(), &missing.into()).unwrap();
        assert!(read::signature(&value).is_none(), "{missing}");
    }
    for body in [JsValue::NULL, JsValue::UNDEFINED, 7.into(), "text".into(), Array::new().into()] {
        assert!(read::signature(&body).is_none());
    }
}

#[wasm_bindgen_test]
async fn problems_become_codes_and_only_harmless_requests_are_tried_again() {
    let log = serve(
        "const problem = (status, code) => new Response(JSON.stringify({ code }), { status,
           headers: { 'content-type': 'application/problem+json' } });
         const answers = {
           '/a/v1/custody': [problem(503, 'unavailable'), problem(401, 'session_expired')],
           '/b/v1/custody': [problem(418, 'a_code_of_next_year')],
           '/c/v1/custody': [new Response('<html>', { status: 413 })],
           '/d/v1/signatures': [problem(503, 'unavailable'), problem(503, 'unavailable')],
           '/e/v1/custody': [null, null, null],
         };",
    );
    assert_eq!(ask("/a", request::custody()).await.unwrap_err(), ErrorCode::SessionExpired);
    assert_eq!(ask("/b", request::custody()).await.unwrap_err(), ErrorCode::InvalidRequest);
    assert_eq!(ask("/c", request::custody()).await.unwrap_err(), ErrorCode::PayloadTooLarge);
    let request = CreateSignature {
        document_id: "doc_1".into(),
        custody: Custody::Hsm,
        format: SignatureFormat::Pades,
        level: Some(SignatureLevel::B),
        policy: SignaturePolicy::None,
        certificate: None,
        authorization_id: None,
    };
    assert_eq!(ask("/d", request::create_signature(&request)).await.unwrap_err(), ErrorCode::Unavailable);
    assert_eq!(ask("/e", request::custody()).await.unwrap_err(), ErrorCode::NetworkUnreachable);
    assert_eq!(
        log.join(" "),
        "GET/a/v1/custody GET/a/v1/custody GET/b/v1/custody GET/c/v1/custody POST/d/v1/signatures \
         GET/e/v1/custody GET/e/v1/custody GET/e/v1/custody"
    );
}

#[wasm_bindgen_test]
async fn an_upload_carries_name_digest_and_token_but_no_cookie() {
    let _log =
        serve("const answers = { '/u/v1/documents': [new Response(JSON.stringify({ id: 'doc_9' }))] };");
    let upload = request::upload("ação.pdf", "application/pdf", "sha-256=:x:", &blob(b"%PDF-"));
    let reply = ask("/u", upload).await.unwrap();
    assert!(matches!(reply, Reply::Uploaded(id) if id == "doc_9"));
    let seen = js("const { headers, credentials } = globalThis.fakeFetch.last;
         return [headers.get('authorization'), headers.get('rubrica-file-name'), headers.get('content-digest'),
           headers.get('content-type'), credentials].join('|');");
    assert_eq!(
        seen.as_string().unwrap(),
        "Bearer token-TEST|a%C3%A7%C3%A3o.pdf|sha-256=:x:|application/pdf|omit"
    );
}

#[wasm_bindgen_test]
fn a_token_is_not_printed() {
    assert!(!format!("{:?}", Session::read(&"token-TEST".into()).unwrap()).contains("TEST"));
    assert!(Session::read(&JsValue::NULL).is_none());
}

// ---- helpers

fn service(base: &str) -> Service {
    Service {
        base: base.into(),
        session: Session::read(&"token-TEST".into()).unwrap(),
        work: Work::default(),
    }
}

async fn ask(base: &str, request: Request) -> Result<Reply, ErrorCode> {
    service(base).ask(request).await
}

/// A body as the service reads it.
fn parsed<T: DeserializeOwned>(body: &str) -> T {
    serde_wasm_bindgen::from_value(JSON::parse(body).unwrap()).unwrap()
}

fn source(source: Custody, outcome: CustodyOutcome, doubt: Option<CustodyDoubt>) -> CustodySource {
    CustodySource { source, outcome, doubt, duration_ms: 3 }
}

fn consent_text() -> ConsentText {
    ConsentText {
        version: "key-custody-1".into(),
        language: "pt-BR".into(),
        text: "Concordo. TEST".into(),
        sha256: "ab".repeat(32),
    }
}

fn enrolment(state: EnrolmentState) -> Enrolment {
    let is_completed = state == EnrolmentState::Completed;
    Enrolment {
        id: "enr_1".into(),
        method: EnrolmentMethod::Generate,
        state,
        consent_id: Some("cns_1".into()),
        csr: Some("CSR".into()),
        key_id: is_completed.then(|| "key_1".into()),
        certificate: is_completed.then(certificate),
        code: (state == EnrolmentState::Failed).then_some(ErrorCode::TokenAgentFailed),
        created_at: at("2026-11-23T12:00:00Z"),
        expires_at: at("2026-11-30T12:00:00Z"),
    }
}

/// Replaces `fetch` by prepared answers per path; `null` is a network failure. Gives the log of requests.
fn serve(answers: &str) -> Array {
    js(&format!(
        "{answers}
         const log = [];
         globalThis.fakeFetch = {{}};
         globalThis.fetch = async (url, init) => {{
           globalThis.fakeFetch.last = init;
           log.push(init.method + url);
           const answer = answers[url].shift();
           if (!answer) throw new TypeError('Failed to fetch');
           return answer;
         }};
         return log;"
    ))
    .unchecked_into()
}

fn js(body: &str) -> JsValue {
    Function::new_no_args(body).call0(&JsValue::UNDEFINED).unwrap()
}

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).unwrap()
}

fn plain(value: &impl Serialize) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn certificate() -> CertificateView {
    CertificateView {
        holder: SignerView { name: "ANA TEST".into(), identifier_masked: Some("***.982.247-**".into()) },
        issuer: "AC TEST".into(),
        serial: "0a".into(),
        sha256: "ab".repeat(32),
        icp_type: None,
        holder_kind: None,
        policy: None,
        key: None,
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at("2029-01-01T00:00:00Z"),
    }
}

fn artefact(bytes: &[u8]) -> Artefact {
    Artefact {
        name: "contrato-assinado.pdf".into(),
        media_type: "application/pdf".into(),
        size_bytes: bytes.len() as u64,
        sha256: Digest::sha256(bytes).to_hex(),
        released_at: at("2026-11-23T12:00:00.250Z"),
    }
}

fn to_sign() -> ToSign {
    ToSign {
        signed_attributes: "MUswGAYJKoZIhvcNAQkDMQsGCSqGSIb3DQEHATAvBgkqhkiG9w0BCQQxIgQgungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=".into(),
        digest_algorithm: "sha256".into(),
        digest: "AAAA".into(),
        signature_algorithm: "rsa_pkcs1_sha256".into(),
        revision: Some(RevisionToSign { appended: "AAAA".into(), byte_range: [0, 10, 20, 4_294_967_296] }),
    }
}

fn signature() -> Signature {
    Signature {
        id: "sig_1".into(),
        document_id: Some("doc_1".into()),
        order_id: None,
        participant_id: None,
        batch_id: None,
        custody: Custody::Local,
        format: SignatureFormat::Pades,
        level: SignatureLevel::B,
        policy: SignaturePolicy::None,
        state: SignatureState::Failed,
        certificate: certificate(),
        created_at: at("2026-11-23T12:00:00Z"),
        expires_at: at("2026-11-23T12:05:00.007Z"),
        to_sign: None,
        artefact: Some(artefact(b"signed")),
        problem: Some(SignatureProblem { code: ErrorCode::TokenUnavailable, detail: "TEST".into() }),
    }
}
