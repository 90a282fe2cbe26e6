//! The first key in the bank's module.

use super::*;

const BOTH: [CustodyOffer; 2] = [CustodyOffer::HsmGenerate, CustodyOffer::Local];

#[test]
fn somebody_without_a_key_is_offered_both_ways_and_signs_with_the_new_key() {
    let mut run = Run::offered(Platform::Desktop, &BOTH);
    let View::Offer { ways, certain, .. } = run.flow.view() else { panic!("not offered") };
    assert_eq!((ways, certain), (vec![Way::Enrol, Way::Device], true));

    run.act(Action::Take(Way::Enrol));
    assert!(matches!(run.flow.view(), View::Consent { texts, .. } if texts.is_empty()));
    run.answer(is_texts, Ok(Reply::ConsentTexts(vec![consent_text()])));
    run.act(Action::Agree { text_sha256: consent_text().sha256 });
    run.answer(is_consent, Ok(Reply::ConsentGiven("cns_1".into())));
    let open = EnrolmentProgress::Open { csr: Some("CSR".into()) };
    run.answer(is_enrol, Ok(enrolment(open)));
    assert!(matches!(run.flow.view(), View::Enrolling { stage: EnrolmentStage::Requesting, .. }));
    run.answer(is_request, Ok(Reply::CertificateIssued("PEM".into())));
    run.answer(is_certify, Ok(enrolment(certified())));
    assert_eq!(run.flow.step(), Step::Stored);
    assert!(!run.has(is_create), "nothing is signed before the person says so");

    run.act(Action::Continue);
    assert!(matches!(run.flow.view(), View::Confirming { custody: Custody::Hsm, may_use_local: true, .. }));
    run.act(Action::Confirm);
    run.answer(|effect| matches!(effect, Effect::Upload { .. }), Ok(Reply::Uploaded("doc_1".into())));
    run.answer(is_create, Ok(signature(SignatureState::Accepted)));
    assert_eq!(run.flow.step(), Step::Signing);
}

#[test]
fn nothing_is_made_before_the_person_agrees_to_a_text_that_was_shown() {
    let mut run = Run::consenting();
    let refused = run.refused(Action::Agree { text_sha256: "00".repeat(32) });
    assert_eq!(refused, ErrorCode::StepRefused);
    assert!(!run.has(is_consent) && !run.has(is_enrol));
    run.act(Action::Back);
    assert_eq!(run.flow.step(), Step::Offer);
    run.act(Action::Take(Way::Device));
    assert_eq!(run.flow.step(), Step::Probing);
    assert!(!run.has(is_consent) && !run.has(is_enrol));
}

#[test]
fn a_text_with_another_digest_is_not_shown() {
    let mut run = Run::offered(Platform::Desktop, &BOTH);
    run.act(Action::Take(Way::Enrol));
    let forged = ConsentText { text: "I agree to everything. TEST".into(), ..consent_text() };
    run.answer(is_texts, Ok(Reply::ConsentTexts(vec![consent_text(), forged])));
    assert_eq!(run.failure().0, ErrorCode::DigestMismatch);
    run.act(Action::Retry);
    assert_eq!(run.flow.step(), Step::Offer);
}

#[test]
fn unknown_is_not_no() {
    let mut run = Run::start(Platform::Desktop);
    run.read_document();
    run.answer(is_resolve, Ok(offer(&[CustodyOffer::Local], false)));
    let View::Offer { ways, certain, sources, .. } = run.flow.view() else { panic!("not offered") };
    assert_eq!((ways, certain), (vec![Way::Device], false));
    assert!(sources.iter().any(|source| source.outcome == CustodyOutcome::Unknown));
    run.act(Action::Refresh);
    assert_eq!(run.flow.step(), Step::Resolving);
}

#[test]
fn a_remembered_certificate_is_asked_for_before_anything_is_offered() {
    let mut run = Run::start_with(Job { remembered: Some("MINE".into()), ..job() }, Platform::Desktop);
    run.read_document();
    run.answer(is_resolve, Ok(offer(&BOTH, true)));
    assert_eq!(run.flow.step(), Step::Probing);
    run.act(Action::OtherWay);
    assert_eq!(run.flow.step(), Step::Offer);
}

#[test]
fn a_phone_is_not_offered_the_certificate_of_a_computer() {
    let run = Run::offered(Platform::Mobile, &[CustodyOffer::Local, CustodyOffer::HsmGenerate]);
    assert!(matches!(run.flow.view(), View::Offer { ways, .. } if ways == [Way::Enrol]));
    assert_eq!(run.refused(Action::Take(Way::Device)), ErrorCode::StepRefused);
    assert_eq!(Run::offered(Platform::Mobile, &[CustodyOffer::Local]).flow.step(), Step::Unsupported);
}

#[test]
fn a_lost_network_goes_on_where_it_was() {
    let mut run = Run::certifying();
    run.answer(is_request, Ok(Reply::CertificateIssued("PEM".into())));
    run.answer(is_certify, Err(ErrorCode::NetworkUnreachable));
    assert_eq!(run.failure().1, NextStep::TryAgain);
    run.effects.clear();
    run.act(Action::Retry);
    assert!(run.has(is_certify) && !run.has(is_consent) && !run.has(is_enrol) && !run.has(is_request));
}

#[test]
fn a_refused_enrolment_leads_back_to_the_ways() {
    let mut run = Run::certifying();
    run.answer(is_request, Ok(Reply::CertificateIssued("PEM".into())));
    run.answer(is_certify, Err(ErrorCode::CertificateWrongPerson));
    assert_eq!(run.failure().0, ErrorCode::CertificateWrongPerson);
    assert!(run.flow.may_take_other_way());
    run.act(Action::OtherWay);
    assert_eq!(run.flow.step(), Step::Offer);
}

#[test]
fn a_certificate_that_somebody_else_brings_is_waited_for() {
    let mut run = Run::certifying();
    run.answer(is_request, Ok(Reply::CertificateElsewhere));
    run.timer(Timer::EnrolmentSlow);
    assert!(matches!(run.flow.view(), View::Enrolling { stage: EnrolmentStage::Awaiting, slow: true, .. }));
    run.timer(Timer::EnrolmentPoll);
    run.answer(is_enrolment_look, Err(ErrorCode::NetworkUnreachable));
    run.timer(Timer::EnrolmentPoll);
    run.answer(is_enrolment_look, Ok(enrolment(EnrolmentProgress::Open { csr: Some("CSR".into()) })));
    run.timer(Timer::EnrolmentPoll);
    run.answer(is_enrolment_look, Ok(enrolment(certified())));
    assert_eq!(run.flow.step(), Step::Stored);
}

#[test]
fn guidance_for_the_client_has_a_way_round() {
    let mut run = Run::offered(Platform::Desktop, &BOTH);
    run.act(Action::Take(Way::Device));
    run.timer(Timer::MarkerSoon);
    assert_eq!(run.flow.step(), Step::Absent);
    assert!(run.flow.may_take_other_way());
    run.act(Action::OtherWay);
    assert_eq!(run.flow.step(), Step::Offer);
    // A client that appears meanwhile takes nobody away from their decision.
    run.event(Event::MarkerFound);
    assert_eq!(run.flow.step(), Step::Offer);
}
