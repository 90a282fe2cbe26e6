use serde_json::{Value, json};

use super::*;
use crate::ErrorCode;
use crate::wire::{
    BatchCounts, BatchState, CancellationCause, Custody, CustodyOutcome, CustodySource, EnrolmentMethod,
    NoticeKind, OrderFlow, SignatureFormat, SignatureLevel, SignaturePolicy, WatchedKind,
};

/// One of every event, with every optional member when `whole`, else with none.
fn samples(whole: bool) -> Vec<EventData> {
    let text = |text: &str| text.to_owned();
    let some = |value: &str| whole.then(|| value.to_owned());
    let time = Timestamp::from_unix_ms(1_795_435_200_000).unwrap();
    let participant = || ParticipantMoved {
        order_id: text("ord_1"),
        participant_id: text("par_1"),
        position: 1,
        must_sign: true,
        signer: text("9f"),
    };
    let moved = || SignatureMoved {
        signature_id: text("sig_1"),
        order_id: some("ord_1"),
        participant_id: some("par_1"),
        batch_id: some("bat_1"),
        document_id: some("doc_1"),
        custody: Custody::Hsm,
        format: SignatureFormat::Cades,
        level: SignatureLevel::B,
        policy: SignaturePolicy::None,
        key_id: some("key_1"),
        signer: some("9f"),
    };
    let enrolment = || EnrolmentMoved {
        enrolment_id: text("enr_1"),
        method: EnrolmentMethod::Generate,
        signer: some("9f"),
        key_id: some("key_1"),
    };
    let batch = || BatchMoved { batch_id: text("bat_1"), reference: some("r") };
    let ended = |state| BatchEnded {
        batch_id: text("bat_1"),
        reference: some("r"),
        state,
        total: 1,
        counts: BatchCounts { released: 1, ..BatchCounts::default() },
    };
    vec![
        EventData::OrderCreated(OrderCreated {
            order_id: text("ord_1"),
            reference: some("r"),
            documents: 1,
            participants: 1,
            flow: OrderFlow::Sequence,
            format: SignatureFormat::Pades,
            level: SignatureLevel::B,
            policy: SignaturePolicy::AdRb,
            deadline: whole.then_some(time),
        }),
        EventData::OrderCompleted(OrderCompleted {
            order_id: text("ord_1"),
            reference: some("r"),
            signed: 1,
            skipped: 0,
        }),
        EventData::OrderCancelled(OrderCancelled {
            order_id: text("ord_1"),
            reference: some("r"),
            cause: CancellationCause::Declined,
            participant_id: some("par_1"),
        }),
        EventData::OrderExpired(OrderExpired {
            order_id: text("ord_1"),
            reference: some("r"),
            deadline: time,
            missing: vec![text("par_1")],
        }),
        EventData::OrderReminderDue(OrderReminderDue {
            order_id: text("ord_1"),
            reference: some("r"),
            hours_before: 24,
            deadline: time,
            participants: vec![text("par_1")],
        }),
        EventData::ParticipantReady(participant()),
        EventData::ParticipantSigned(participant()),
        EventData::ParticipantDeclined(participant()),
        EventData::SignatureAccepted(moved()),
        EventData::SignaturePrepared(moved()),
        EventData::SignatureSigning(moved()),
        EventData::SignatureReleased(SignatureReleased {
            signature_id: text("sig_1"),
            order_id: some("ord_1"),
            participant_id: some("par_1"),
            batch_id: some("bat_1"),
            document_id: some("doc_1"),
            custody: Custody::Local,
            format: SignatureFormat::Pades,
            level: SignatureLevel::Lta,
            policy: SignaturePolicy::AdRa,
            key_id: some("key_1"),
            signer: some("9f"),
            certificate_sha256: "ef".repeat(32),
            document_sha256: "ab".repeat(32),
            artefact_sha256: "cd".repeat(32),
            artefact_size_bytes: 1234,
            signed_at: time,
        }),
        EventData::SignatureFailed(SignatureFailed {
            signature_id: text("sig_1"),
            order_id: some("ord_1"),
            participant_id: some("par_1"),
            batch_id: some("bat_1"),
            custody: Custody::Hsm,
            key_id: some("key_1"),
            signer: some("9f"),
            code: ErrorCode::TokenUnavailable,
        }),
        EventData::SignatureExpired(moved()),
        EventData::SignatureCancelled(moved()),
        EventData::BatchCreated(BatchCreated {
            batch_id: text("bat_1"),
            reference: some("r"),
            key_id: text("key_1"),
            format: SignatureFormat::Cades,
            level: SignatureLevel::T,
            policy: SignaturePolicy::AdRt,
            total: 100_000,
        }),
        EventData::BatchStarted(batch()),
        EventData::BatchPaused(batch()),
        EventData::BatchResumed(batch()),
        EventData::BatchCancelled(ended(BatchState::Cancelled)),
        EventData::BatchCompleted(ended(BatchState::CompletedWithErrors)),
        EventData::ConsentGiven(ConsentGiven {
            consent_id: text("cns_1"),
            signer: text("9f"),
            text_version: text("key-custody-1"),
            language: text("pt-BR"),
            text_sha256: text("00"),
        }),
        EventData::ConsentWithdrawn(ConsentWithdrawn { consent_id: text("cns_1"), signer: text("9f") }),
        EventData::EnrolmentCreated(enrolment()),
        EventData::EnrolmentCompleted(enrolment()),
        EventData::EnrolmentCancelled(enrolment()),
        EventData::EnrolmentFailed(EnrolmentFailed {
            enrolment_id: text("enr_1"),
            method: EnrolmentMethod::Generate,
            signer: some("9f"),
            code: ErrorCode::TokenUnavailable,
        }),
        EventData::KeyStored(KeyStored {
            key_id: text("key_1"),
            enrolment_id: text("enr_1"),
            custody: Custody::Hsm,
            method: EnrolmentMethod::Generate,
            signer: text("9f"),
            certificate_sha256: text("00"),
            not_after: time,
        }),
        EventData::AuthorizationRequested(authorization()),
        EventData::AuthorizationGranted(authorization()),
        EventData::AuthorizationUsed(authorization()),
        EventData::AuthorizationExpired(authorization()),
        EventData::AuthorizationFailed(AuthorizationFailed {
            authorization_id: text("aut_1"),
            service: text("vidaas"),
            signer: text("00"),
            code: ErrorCode::ProviderRefused,
        }),
        EventData::KeySuspended(KeySuspended {
            key_id: text("key_1"),
            code: whole.then_some(ErrorCode::CertificateExpired),
        }),
        EventData::KeyResumed(KeyMoved { key_id: text("key_1") }),
        EventData::KeyRetired(KeyMoved { key_id: text("key_1") }),
        EventData::KeyExpiring(KeyExpiring {
            key_id: text("key_1"),
            days_before: 30,
            not_after: time,
            signer: text("9f"),
            renewed: false,
        }),
        EventData::CertificateExpiring(CertificateExpiring {
            kind: WatchedKind::Signer,
            subject: text("9f"),
            days_before: 0,
            not_after: time,
            custody: whole.then_some(Custody::Local),
        }),
        EventData::NoticeSent(NoticeSent {
            notice_id: text("ntc_1"),
            notice: NoticeKind::Expiring,
            subject: text("key_1"),
            attempts: 2,
        }),
        EventData::NoticeFailed(NoticeFailed {
            notice_id: text("ntc_1"),
            notice: NoticeKind::Revoked,
            subject: text("key_1"),
            attempts: 1,
            status: whole.then_some(550),
        }),
        EventData::CustodyResolved(CustodyResolved {
            session_id: text("ses_1"),
            order_id: some("ord_1"),
            participant_id: some("par_1"),
            signer: text("9f"),
            custody: whole.then_some(Custody::Hsm),
            certain: true,
            sources: vec![CustodySource {
                source: Custody::Hsm,
                outcome: CustodyOutcome::Yes,
                doubt: None,
                duration_ms: 1,
            }],
        }),
        EventData::TokenUnavailable(TokenUnavailable {
            token: text("bank"),
            code: ErrorCode::TokenAgentFailed,
        }),
        EventData::TokenAvailable(TokenAvailable { token: text("bank"), unavailable_ms: 1500 }),
        EventData::ProviderUnavailable(ProviderUnavailable { service: text("vidaas") }),
        EventData::ProviderAvailable(ProviderAvailable { service: text("vidaas"), unavailable_ms: 1500 }),
        EventData::WebhookDisabled(WebhookDisabled {
            webhook_id: text("whk_1"),
            cause: DisabledCause::Failing,
        }),
        EventData::ApiKeyCreated(ApiKeyCreated {
            api_key_id: text("apk_1"),
            scopes: vec![text("orders")],
            expires_at: whole.then_some(time),
        }),
        EventData::ApiKeyRevoked(ApiKeyRevoked { api_key_id: text("apk_1") }),
    ]
}

fn members(data: &EventData) -> Vec<String> {
    let Value::Object(members) = serde_json::to_value(data).unwrap() else { panic!("data is an object") };
    members.keys().cloned().collect()
}

#[test]
fn the_catalogue_lists_every_event_with_exactly_its_members() {
    let listed: Vec<_> = catalogue().iter().map(|entry| entry.event_type).collect();
    assert_eq!(listed, EventType::ALL);
    for (whole, required_only) in [(true, false), (false, true)] {
        let samples = samples(whole);
        let types: Vec<_> = samples.iter().map(EventData::event_type).collect();
        assert_eq!(types, EventType::ALL, "one sample of every event");
        for (entry, data) in catalogue().iter().zip(&samples) {
            let mut expected: Vec<_> = entry
                .members
                .iter()
                .filter(|member| member.required || !required_only)
                .map(|member| member.name.to_owned())
                .collect();
            expected.sort();
            let mut found = members(data);
            found.sort();
            assert_eq!(found, expected, "{}", entry.event_type);
        }
    }
}

#[test]
fn every_line_of_the_catalogue_is_a_sentence() {
    for entry in catalogue() {
        let sentences = entry.members.iter().map(|member| member.meaning).chain([entry.meaning]);
        for sentence in sentences {
            assert!(
                sentence.ends_with('.') && !sentence.starts_with(' '),
                "{}: {sentence}",
                entry.event_type
            );
        }
    }
}

#[test]
fn names_read_back_and_are_in_the_past() {
    for event_type in EventType::ALL {
        let name = event_type.as_str();
        assert_eq!(name.parse(), Ok(*event_type));
        assert_eq!(serde_json::from_str::<EventType>(&format!("\"{name}\"")).unwrap(), *event_type);
        let (thing, fact) = name.split_once('.').unwrap();
        assert!([thing, fact].iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
    assert_eq!("signature.Released".parse::<EventType>(), Err(UnknownEventType));
    assert!(serde_json::from_str::<EventType>("\"order.exploded\"").is_err());
}

#[test]
fn the_subject_is_the_order_else_the_batch_else_the_thing_itself() {
    let mut moved = SignatureMoved {
        signature_id: "sig_1".into(),
        order_id: Some("ord_1".into()),
        participant_id: None,
        batch_id: None,
        document_id: None,
        custody: Custody::Local,
        format: SignatureFormat::Pades,
        level: SignatureLevel::B,
        policy: SignaturePolicy::None,
        key_id: None,
        signer: None,
    };
    assert_eq!(EventData::SignaturePrepared(moved.clone()).subject(), "ord_1");
    moved.order_id = None;
    assert_eq!(EventData::SignaturePrepared(moved.clone()).subject(), "sig_1");
    moved.batch_id = Some("bat_1".into());
    assert_eq!(EventData::SignaturePrepared(moved).subject(), "bat_1");
    assert!(samples(false).iter().all(|data| !data.subject().is_empty()));
}

#[test]
fn the_envelope_is_cloud_events() {
    let event = Event {
        id: "evt_1".into(),
        time: "2026-11-23T12:00:00.007Z".parse().unwrap(),
        tenant: Some("banco-test".into()),
        data: EventData::BatchStarted(BatchMoved { batch_id: "bat_1".into(), reference: None }),
    };
    let told = serde_json::to_value(event.envelope(42)).unwrap();
    assert_eq!(
        told,
        json!({
            "specversion": "1.0",
            "id": "evt_1",
            "source": "/rubrica",
            "type": "batch.started",
            "subject": "bat_1",
            "time": "2026-11-23T12:00:00.007Z",
            "tenant": "banco-test",
            "sequence": "00000000000000000042",
            "datacontenttype": "application/json",
            "data": { "batch_id": "bat_1" },
        })
    );
    // Attribute names: lower-case letters and digits (CloudEvents 1.0 §3.1).
    let Value::Object(attributes) = &told else { panic!("an object") };
    assert!(attributes.keys().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())));

    let kept: Value = serde_json::from_str(r#"{"batch_id":"bat_1"}"#).unwrap();
    let again = Envelope::new("evt_1", "batch.started", "bat_1", event.time, Some("banco-test"), 42, &kept);
    assert_eq!(serde_json::to_value(again).unwrap(), told);
}

#[test]
fn later_sequences_come_later_as_text() {
    let event = Event {
        id: "evt_1".into(),
        time: Timestamp::MAX,
        tenant: None,
        data: EventData::ApiKeyRevoked(ApiKeyRevoked { api_key_id: "apk_1".into() }),
    };
    let text = |sequence| {
        let told = serde_json::to_value(event.envelope(sequence)).unwrap();
        assert_eq!(told.get("tenant"), None);
        told["sequence"].as_str().unwrap().to_owned()
    };
    let order = [1, 9, 10, 99, 100, 1_000_000, u64::MAX];
    assert!(order.windows(2).all(|pair| text(pair[0]) < text(pair[1])));
}

fn authorization() -> AuthorizationMoved {
    AuthorizationMoved { authorization_id: "aut_1".into(), service: "vidaas".into(), signer: "00".into() }
}
