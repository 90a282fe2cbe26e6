//! A key at a cloud service.

use super::*;

#[test]
fn a_person_permits_at_the_service_and_the_service_signs() {
    let mut run = Run::start(Platform::Mobile);
    run.read_document();
    run.answer(is_resolve, Ok(custody(Some(Custody::Lacuna))));
    assert!(matches!(run.flow.view(), View::Confirming { custody: Custody::Lacuna, certificate: None, .. }));
    assert!(!run.has(|effect| matches!(effect, Effect::OpenWindow)));
    run.act(Action::Confirm);
    assert!(run.has(|effect| matches!(effect, Effect::OpenWindow)), "the window is opened in the click");
    run.answer(|effect| matches!(effect, Effect::Upload { .. }), Ok(Reply::Uploaded("doc_1".into())));
    assert_eq!(run.flow.step(), Step::Redirecting);
    run.answer(is_permission, Ok(authorization(AuthorizationProgress::Requested)));
    assert!(matches!(run.flow.view(), View::WaitingApproval { window: ServiceWindow::Open, .. }));
    run.answer(is_visit, Ok(came_back()));
    assert!(!run.has(is_create), "what the window says is no permission");
    run.answer(is_completion, Ok(authorization(AuthorizationProgress::Granted)));
    assert_eq!(run.flow.step(), Step::Preparing);
    assert!(run.has(
        |effect| matches!(effect, Effect::CreateSignature { request, .. } if request.authorization_id.as_deref() == Some("aut_1"))
    ));
    run.answer(is_create, Ok(signature(SignatureState::Accepted)));
    assert_eq!(run.flow.step(), Step::Signing);
    assert!(run.has(|effect| matches!(effect, Effect::CloseWindow)));
}

#[test]
fn a_blocked_window_is_opened_by_another_click() {
    let mut run = Run::approving();
    run.answer(is_visit, Ok(Reply::Window(WindowEnd::Blocked)));
    assert!(matches!(run.flow.view(), View::WaitingApproval { window: ServiceWindow::Blocked, .. }));
    run.effects.clear();
    run.act(Action::OpenAgain);
    assert!(run.has(|effect| matches!(effect, Effect::OpenWindow)) && run.has(is_visit));
    run.answer(is_visit, Ok(came_back()));
    assert_eq!(run.refused(Action::OpenAgain), ErrorCode::StepRefused);
}

#[test]
fn a_closed_window_ends_nothing_before_the_service_says_so() {
    let mut run = Run::approving();
    run.answer(is_visit, Ok(Reply::Window(WindowEnd::Closed)));
    assert!(matches!(run.flow.view(), View::WaitingApproval { window: ServiceWindow::Closed, .. }));
    run.answer(is_permission_look, Ok(authorization(AuthorizationProgress::Requested)));
    assert_eq!(run.flow.step(), Step::WaitingApproval);
    run.timer(Timer::ApprovalPoll);
    run.answer(is_permission_look, Ok(authorization(AuthorizationProgress::Refused)));
    assert_eq!(run.flow.view(), View::Cancelled { by: CancelledBy::Service, abandoned: false });
    run.act(Action::Retry);
    assert_eq!(run.flow.step(), Step::Confirming);
}

#[test]
fn a_window_that_was_lost_sight_of_still_brings_the_person_back() {
    let mut run = Run::approving();
    run.answer(is_visit, Ok(Reply::Window(WindowEnd::Closed)));
    // Another tab's: the service does not know it, and we go on waiting.
    run.event(Event::CameBack { query: Query("?state=other".into()) });
    run.answer(is_completion, Err(ErrorCode::AuthorizationInvalid));
    assert_eq!(run.flow.step(), Step::WaitingApproval);
    run.event(Event::CameBack { query: Query("?state=s&code=c".into()) });
    run.answer(is_completion, Ok(authorization(AuthorizationProgress::Granted)));
    assert_eq!(run.flow.step(), Step::Preparing);
}

#[test]
fn an_approval_elsewhere_is_found_by_looking_less_and_less_often() {
    let mut run = Run::approving();
    let pause = |run: &Run| {
        run.effects.iter().rev().find_map(|effect| {
            let Effect::SetTimer { timer: Timer::ApprovalPoll, after_ms } = effect else { return None };
            Some(*after_ms)
        })
    };
    let mut pauses = vec![pause(&run).unwrap()];
    for _ in 0..6 {
        run.timer(Timer::ApprovalPoll);
        run.answer(is_permission_look, Err(ErrorCode::NetworkUnreachable));
        pauses.push(pause(&run).unwrap());
    }
    assert_eq!(pauses, [2_000, 3_000, 4_500, 6_750, 10_000, 10_000, 10_000]);
    run.timer(Timer::ApprovalPoll);
    run.answer(is_permission_look, Ok(authorization(AuthorizationProgress::Granted)));
    assert_eq!(run.flow.step(), Step::Preparing);
}

#[test]
fn what_the_person_came_back_with_survives_a_lost_network() {
    let mut run = Run::approving();
    run.answer(is_visit, Ok(came_back()));
    run.answer(is_completion, Err(ErrorCode::NetworkUnreachable));
    assert_eq!(run.failure().1, NextStep::TryAgain);
    run.effects.clear();
    run.act(Action::Retry);
    assert!(run.has(is_completion) && !run.has(|effect| matches!(effect, Effect::OpenWindow)));
}

#[test]
fn time_at_the_service_is_over_when_the_service_says_so() {
    let mut run = Run::approving();
    run.timer(Timer::ApprovalPoll);
    run.answer(is_permission_look, Ok(authorization(AuthorizationProgress::Over)));
    assert_eq!(run.flow.view(), View::Cancelled { by: CancelledBy::Time, abandoned: false });
}

#[test]
fn two_services_are_a_choice() {
    let mut run = Run::start(Platform::Desktop);
    run.read_document();
    let Reply::Custody(mut found) = custody(Some(Custody::Lacuna)) else { panic!("not a custody") };
    found.services = vec!["vidaas".into(), "birdid".into()];
    run.answer(is_resolve, Ok(Reply::Custody(found)));
    assert_eq!(run.flow.step(), Step::Offer);
    run.act(Action::Take(Way::Service("birdid".into())));
    assert!(matches!(run.flow.view(), View::Confirming { service: Some(name), .. } if name == "birdid"));
}

#[test]
fn secrets_of_the_way_back_are_not_printed() {
    let mut run = Run::approving();
    run.answer(is_visit, Ok(Reply::Window(WindowEnd::Returned(Query("?state=s&code=SECRET".into())))));
    assert!(!format!("{:?}", run.flow).contains("SECRET"));
}
