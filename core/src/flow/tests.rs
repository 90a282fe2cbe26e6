use std::collections::BTreeSet;

use super::protocol::MINIMUM;
use super::*;
use crate::ErrorCode;
use crate::wire::{
    Artefact, CertificateView, Custody, CustodyDoubt, CustodyOffer, CustodyOutcome, CustodySource,
    SignatureFormat, SignatureState, SignerView, ToSign,
};

mod cloud;
mod enrolment;
mod never_stuck;
mod run;

use run::*;

#[test]
fn a_returning_person_signs_in_the_hsm_after_one_confirmation() {
    let mut run = Run::start(Platform::Desktop);
    run.read_document();
    run.answer(|effect| matches!(effect, Effect::ResolveCustody { .. }), Ok(custody(Some(Custody::Hsm))));
    assert_eq!(run.flow.step(), Step::Confirming);
    assert!(
        !run.has(|effect| matches!(effect, Effect::Upload { .. })),
        "nothing leaves before the person agrees"
    );

    run.act(Action::Confirm);
    run.answer(|effect| matches!(effect, Effect::Upload { .. }), Ok(Reply::Uploaded("doc_1".into())));
    run.answer(is_create, Ok(signature(SignatureState::Accepted)));
    assert_eq!(run.flow.step(), Step::Signing);
    run.answer(is_await, Ok(signature(SignatureState::Signing)));
    assert_eq!(run.flow.step(), Step::Signing);
    run.answer(is_await, Ok(signature(SignatureState::Released)));
    run.answer(is_fetch, Ok(Reply::Fetched));
    assert_eq!(run.flow.step(), Step::Done);
}

#[test]
fn a_certificate_of_the_device_signs_what_was_checked() {
    let mut run = Run::choosing();
    run.act(Action::Choose { thumbprint: "MINE".into(), remember: true });
    assert!(run.has(|effect| matches!(effect, Effect::Remember { thumbprint } if thumbprint == "MINE")));
    run.confirm_local();
    assert_eq!(run.flow.step(), Step::Preparing);
    assert!(!run.has(is_sign), "the device is not asked before the check");
    run.answer(is_check, Ok(Reply::ToSignChecked));
    assert_eq!(run.flow.step(), Step::Authorizing);
    run.answer(is_sign, Ok(Reply::HashSigned("dmFsdWU=".into())));
    run.answer(is_complete, Ok(signature(SignatureState::Released)));
    run.answer(is_fetch, Ok(Reply::Fetched));
    let View::Done { result, .. } = run.flow.view() else { panic!("not done") };
    assert_eq!(result.name, "contrato-assinado.pdf");
}

#[test]
fn something_else_than_the_document_is_never_sent_to_the_device() {
    let mut run = Run::choosing();
    run.act(Action::Choose { thumbprint: "MINE".into(), remember: false });
    run.confirm_local();
    run.answer(is_check, Err(ErrorCode::ToSignMismatch));
    assert_eq!(run.failure(), (ErrorCode::ToSignMismatch, NextStep::ContactSupport));
    assert!(!run.has(is_sign));
    assert_eq!(run.refused(Action::Retry), ErrorCode::StepRefused);
}

#[test]
fn another_certificate_than_the_chosen_one_does_not_get_into_a_signature() {
    let mut run = Run::choosing();
    run.act(Action::Choose { thumbprint: "MINE".into(), remember: false });
    run.act(Action::Confirm);
    let reply = Reply::Certificate { certificate: "MIIB".into(), thumbprint: "OTHER".into() };
    run.answer(|effect| matches!(effect, Effect::ReadCertificate { .. }), Ok(reply));
    assert_eq!(run.failure().0, ErrorCode::ClientProtocol);
}

#[test]
fn an_unusable_certificate_stays_in_the_list_with_its_reason() {
    let run = Run::choosing();
    let View::Choosing { certificates, .. } = run.flow.view() else { panic!("not choosing") };
    let reasons: Vec<_> = certificates.iter().map(|entry| (entry.id.as_str(), entry.unusable)).collect();
    assert_eq!(
        reasons,
        [
            ("MINE", None),
            ("OLD", Some(Unusable::Expired)),
            ("NEW", Some(Unusable::NotYetValid)),
            ("THEIRS", Some(Unusable::WrongPerson)),
            ("TLS", Some(Unusable::WrongUsage)),
        ]
    );
    for id in ["OLD", "NEW", "THEIRS", "TLS", "UNHEARD OF"] {
        let choice = Action::Choose { thumbprint: id.into(), remember: false };
        assert_eq!(run.refused(choice), ErrorCode::StepRefused, "{id}");
    }
}

#[test]
fn a_remembered_certificate_goes_straight_to_the_confirmation() {
    let mut run = Run::start_with(Job { remembered: Some("MINE".into()), ..job() }, Platform::Desktop);
    run.resolve_local();
    run.handshake();
    run.answer(is_list, Ok(Reply::Certificates(list())));
    assert_eq!(run.flow.step(), Step::Confirming);
    run.act(Action::Back);
    assert_eq!(run.flow.step(), Step::Choosing);
}

#[test]
fn guidance_comes_early_and_a_late_client_still_wins() {
    let mut run = Run::start(Platform::Desktop);
    run.resolve_local();
    assert_eq!(run.flow.step(), Step::Probing);
    run.timer(Timer::MarkerSoon);
    assert!(matches!(run.flow.view(), View::Absent { provisional: true, .. }));
    run.timer(Timer::MarkerFinal);
    assert!(matches!(run.flow.view(), View::Absent { provisional: false, .. }));
    run.event(Event::MarkerFound);
    run.handshake();
    assert_eq!(run.flow.step(), Step::Listing);
}

#[test]
fn old_parts_are_named_with_the_version_they_need() {
    let mut run = Run::start(Platform::Desktop);
    run.resolve_local();
    run.event(Event::MarkerFound);
    run.answer(is_version, Ok(Reply::ExtensionVersion("2.12.9".into())));
    assert!(matches!(run.flow.view(), View::Outdated { part: Part::Extension, required, .. }
        if required == MINIMUM.extension));

    run.event(Event::PageVisible);
    run.answer(is_version, Ok(Reply::ExtensionVersion("2.17.1".into())));
    run.answer(is_initialize, Ok(native("Linux", "2.8.9")));
    assert!(matches!(run.flow.view(), View::Outdated { part: Part::Native, required, .. }
        if required == MINIMUM.linux));

    run.answer(is_poll, Ok(Reply::NativeFound));
    assert_eq!(run.flow.step(), Step::Outdated, "guidance stays until the answer is known");
    run.answer(is_initialize, Ok(native("Linux", "2.12.1")));
    assert_eq!(run.flow.step(), Step::Listing);
}

#[test]
fn a_missing_native_part_is_waited_for_even_by_an_extension_that_cannot_wait() {
    let mut run = Run::start(Platform::Desktop);
    run.resolve_local();
    run.event(Event::MarkerFound);
    run.answer(is_version, Ok(Reply::ExtensionVersion("2.17.1".into())));
    run.answer(is_initialize, Ok(Reply::Initialized(Initialized::NativeMissing)));
    assert!(matches!(run.flow.view(), View::Blocked { reason: Blocked::NativeMissing, .. }));
    run.answer(is_poll, Err(ErrorCode::ClientOutdated));
    run.timer(Timer::Recheck);
    run.answer(is_initialize, Ok(native("Windows", "2.12.6")));
    assert_eq!(run.flow.step(), Step::Listing);
}

#[test]
fn a_slow_handshake_shows_help_and_still_counts() {
    let mut run = Run::start(Platform::Desktop);
    run.resolve_local();
    run.event(Event::MarkerFound);
    run.timer(Timer::Handshake);
    assert!(matches!(run.flow.view(), View::Blocked { reason: Blocked::NoResponse, .. }));
    run.answer(is_version, Ok(Reply::ExtensionVersion("2.17.1".into())));
    run.answer(is_initialize, Ok(native("Darwin", "2.12.0")));
    assert_eq!(run.flow.step(), Step::Listing);
}

#[test]
fn a_site_without_licence_is_told_so() {
    let mut run = Run::listing();
    run.answer(is_list, Err(ErrorCode::ClientLicence));
    assert!(matches!(run.flow.view(), View::Blocked { reason: Blocked::Licence, .. }));
}

#[test]
fn a_client_that_falls_silent_is_asked_once_more_and_then_the_person_is() {
    let mut run = Run::listing();
    run.answer(is_list, Err(ErrorCode::ClientNoResponse));
    assert_eq!(run.flow.step(), Step::Lost);
    run.timer(Timer::LostRetry);
    run.handshake();
    run.answer(is_list, Err(ErrorCode::ClientNoResponse));
    assert!(matches!(run.flow.view(), View::Blocked { reason: Blocked::NoResponse, .. }));
}

#[test]
fn a_phone_is_told_that_it_cannot_before_anything_is_installed() {
    let mut run = Run::start(Platform::Mobile);
    run.resolve_local();
    assert_eq!(run.flow.step(), Step::Unsupported);
}

#[test]
fn an_empty_list_is_looked_at_again_until_a_token_is_there() {
    let mut run = Run::listing();
    run.answer(is_list, Ok(Reply::Certificates(Vec::new())));
    assert_eq!(run.flow.step(), Step::NoCertificate);
    run.timer(Timer::CertificatePoll);
    run.answer(is_list, Ok(Reply::Certificates(Vec::new())));
    run.timer(Timer::CertificatePoll);
    run.answer(is_list, Ok(Reply::Certificates(list())));
    assert_eq!(run.flow.step(), Step::Choosing);
}

#[test]
fn refusing_in_the_window_of_the_client_leads_back_to_the_decision_without_a_second_upload() {
    let mut run = Run::authorizing();
    run.answer(is_sign, Err(ErrorCode::UserCancelled));
    assert!(matches!(run.flow.view(), View::Confirming { refused_in_client: true, .. }));
    run.effects.clear();
    run.act(Action::Confirm);
    assert_eq!(run.flow.step(), Step::Authorizing);
    assert!(run.has(is_sign) && !run.has(|effect| matches!(effect, Effect::Upload { .. })));
}

#[test]
fn a_request_that_is_about_to_expire_is_prepared_again() {
    let mut run = Run::authorizing();
    run.answer(is_sign, Err(ErrorCode::UserCancelled));
    run.now = run.now.plus(core::time::Duration::from_secs(290));
    run.act(Action::Confirm);
    assert_eq!(run.flow.step(), Step::Preparing);
}

#[test]
fn cancelling_with_the_window_open_abandons_and_the_next_request_waits() {
    let mut run = Run::authorizing();
    let open = run.call_of(is_sign);
    run.act(Action::Cancel(CancelledBy::User));
    assert_eq!(run.flow.view(), View::Cancelled { by: CancelledBy::User, abandoned: true });

    run.effects.clear();
    run.act(Action::Retry);
    run.act(Action::Confirm);
    assert!(matches!(run.flow.view(), View::Authorizing { waits_for_previous: true, .. }));
    assert!(!run.has(is_sign));

    // The value of the abandoned request is thrown away; the new request goes out.
    run.event(Event::Answer { call: open, result: Ok(Reply::HashSigned("b2xk".into())) });
    assert!(matches!(run.flow.view(), View::Authorizing { waits_for_previous: false, .. }));
    assert!(run.has(is_sign));
    assert!(!run.has(is_complete));
}

#[test]
fn a_person_who_does_not_answer_is_helped_then_asked_then_let_go() {
    let mut run = Run::authorizing();
    run.timer(Timer::AuthorizeHelp);
    assert!(matches!(run.flow.view(), View::Authorizing { patience: Patience::Helped, .. }));
    run.timer(Timer::AuthorizeLimit);
    assert!(matches!(run.flow.view(), View::Authorizing { patience: Patience::Overdue, .. }));
    run.act(Action::KeepWaiting);
    run.timer(Timer::AuthorizeAbandon);
    assert!(matches!(run.flow.view(), View::Authorizing { patience: Patience::Helped, .. }));
    run.timer(Timer::AuthorizeLimit);
    run.timer(Timer::AuthorizeAbandon);
    assert_eq!(run.flow.view(), View::Cancelled { by: CancelledBy::Time, abandoned: true });
}

#[test]
fn a_lost_network_after_the_pin_does_not_ask_for_the_pin_again() {
    let mut run = Run::authorizing();
    run.answer(is_sign, Ok(Reply::HashSigned("dmFsdWU=".into())));
    run.answer(is_complete, Err(ErrorCode::NetworkUnreachable));
    assert_eq!(run.failure(), (ErrorCode::NetworkUnreachable, NextStep::TryAgain));
    run.effects.clear();
    run.act(Action::Retry);
    assert_eq!(run.flow.step(), Step::Finishing);
    assert!(run.has(|effect| matches!(effect, Effect::Complete { value, .. } if value == "dmFsdWU=")));
}

#[test]
fn a_file_that_is_not_a_pdf_fails_before_anything_is_sent() {
    let mut run = Run::start(Platform::Desktop);
    let read = DocumentRead { sha256: "00".into(), starts_as_pdf: false };
    run.answer(|effect| matches!(effect, Effect::ReadDocument { .. }), Ok(Reply::Document(read)));
    assert_eq!(run.failure(), (ErrorCode::NotAPdf, NextStep::ChooseAnotherDocument));
}

#[test]
fn a_second_document_is_refused_while_the_first_runs() {
    let run = Run::choosing();
    assert_eq!(run.refused(Action::Start(job())), ErrorCode::Busy);
}

#[test]
fn nobody_without_a_key_and_without_a_device_is_left_waiting() {
    let mut run = Run::start(Platform::Desktop);
    run.read_document();
    let Reply::Custody(mut resolved) = custody(None) else { panic!("not a custody") };
    resolved.offers = Vec::new();
    run.answer(|effect| matches!(effect, Effect::ResolveCustody { .. }), Ok(Reply::Custody(resolved)));
    assert_eq!(run.failure().0, ErrorCode::KeyNotFound);
}

#[test]
fn the_drawing_names_the_states_of_the_code() {
    let drawing = include_str!("../../../docs/flow.md");
    let drawn: BTreeSet<&str> = drawing
        .lines()
        .filter_map(|line| line.trim().strip_prefix("state "))
        .map(|rest| rest.split_whitespace().next_back().unwrap_or_default())
        .collect();
    let described: BTreeSet<&str> = drawing
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|rest| rest.split('`').next())
        .collect();
    let code: BTreeSet<&str> = Step::ALL.iter().map(|step| step.as_str()).collect();
    assert_eq!(drawn, code, "the diagram");
    assert_eq!(described, code, "the table");
}
