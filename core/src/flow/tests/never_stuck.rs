//! Whatever happens in whatever order, the person can always go on or get out.

#![expect(clippy::wildcard_enum_match_arm, reason = "the generator names what it treats specially")]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// One blind step. The numbers pick among what is possible at that moment.
#[derive(Debug, Clone)]
enum Blow {
    /// A good answer to a call, recent or long forgotten.
    Good(usize, usize),
    /// A failure of a call.
    Bad(usize, usize),
    /// A reply of the wrong kind.
    Wrong(usize),
    Timer(usize),
    Act(usize),
    Marker,
    Visible,
    CameBack,
    /// Time passes, in seconds.
    Wait(u64),
}

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![
        8 => (0..2usize, 0..5usize).prop_map(|(call, pick)| Blow::Good(call, pick)),
        2 => (0..6usize, 0..ErrorCode::ALL.len()).prop_map(|(call, code)| Blow::Bad(call, code)),
        1 => (0..6usize).prop_map(Blow::Wrong),
        2 => (0..Timer::ALL.len()).prop_map(Blow::Timer),
        6 => (0..19usize).prop_map(Blow::Act),
        1 => Just(Blow::Marker),
        1 => Just(Blow::Visible),
        1 => Just(Blow::CameBack),
        1 => (0..400u64).prop_map(Blow::Wait),
    ]
}

fn action(index: usize) -> Action {
    match index {
        0 => Action::Start(job()),
        1 => Action::Start(Job { remembered: Some("MINE".into()), format: SignatureFormat::Cades, ..job() }),
        2 => Action::Choose { thumbprint: "MINE".into(), remember: true },
        3 => Action::Choose { thumbprint: "OLD".into(), remember: false },
        4 | 5 => Action::Confirm,
        6 => Action::Back,
        7 => Action::UseLocal,
        8 => Action::Refresh,
        9 => Action::KeepWaiting,
        10 => Action::Cancel(CancelledBy::User),
        11 => Action::Take(Way::Enrol),
        12 => Action::Take(Way::Device),
        13 => Action::Take(Way::Service("vidaas".into())),
        14 => Action::OtherWay,
        15 => Action::Agree { text_sha256: consent_text().sha256 },
        16 => Action::Continue,
        17 => Action::OpenAgain,
        _ => Action::Retry,
    }
}

fn good_reply(effect: &Effect, pick: usize) -> Reply {
    match effect {
        Effect::ReadDocument { .. } => document(),
        Effect::ResolveCustody { .. } => match pick {
            0 => custody(Some(Custody::Hsm)),
            1 => custody(Some(Custody::Lacuna)),
            2 => offer(&[CustodyOffer::HsmGenerate, CustodyOffer::Local], true),
            3 => offer(&[CustodyOffer::Local], true),
            _ => offer(&[CustodyOffer::Local], false),
        },
        Effect::FetchConsentTexts { .. } => Reply::ConsentTexts(vec![consent_text()]),
        Effect::GiveConsent { .. } => Reply::ConsentGiven("cns_1".into()),
        Effect::RequestCertificate { .. } => match pick {
            3 => Reply::CertificateElsewhere,
            _ => Reply::CertificateIssued("PEM".into()),
        },
        Effect::CreateEnrolment { .. } | Effect::CertifyEnrolment { .. } | Effect::LookAtEnrolment { .. } => {
            enrolment(match pick {
                0 => certified(),
                1 => EnrolmentProgress::Ended(ErrorCode::Cancelled),
                2 => EnrolmentProgress::Open { csr: None },
                _ => EnrolmentProgress::Open { csr: Some("CSR".into()) },
            })
        }
        Effect::RequestAuthorization { .. } => authorization(AuthorizationProgress::Requested),
        Effect::VisitService { .. } => match pick {
            0 => Reply::Window(WindowEnd::Blocked),
            1 => Reply::Window(WindowEnd::Closed),
            _ => came_back(),
        },
        Effect::CompleteAuthorization { .. } | Effect::LookAtAuthorization { .. } => {
            authorization(match pick {
                0 => AuthorizationProgress::Requested,
                1 => AuthorizationProgress::Refused,
                2 => AuthorizationProgress::Over,
                _ => AuthorizationProgress::Granted,
            })
        }
        Effect::GetExtensionVersion { .. } => {
            Reply::ExtensionVersion(if pick == 3 { "1.0" } else { "2.17.1" }.into())
        }
        Effect::Initialize { .. } => match pick {
            3 => Reply::Initialized(Initialized::NativeMissing),
            2 => native("Windows", "2.0.0"),
            _ => native("Linux", "2.12.1"),
        },
        Effect::PollNative { .. } => Reply::NativeFound,
        Effect::ListCertificates { .. } => Reply::Certificates(if pick == 3 { Vec::new() } else { list() }),
        Effect::ReadCertificate { thumbprint, .. } => {
            Reply::Certificate { certificate: "MIIB".into(), thumbprint: thumbprint.clone() }
        }
        Effect::SignHash { .. } => Reply::HashSigned("dmFsdWU=".into()),
        Effect::Upload { .. } => Reply::Uploaded("doc_1".into()),
        Effect::CreateSignature { request, .. } => {
            let state = match request.custody {
                Custody::Local => SignatureState::Prepared,
                Custody::Hsm | Custody::Lacuna => SignatureState::Accepted,
            };
            signature(state)
        }
        Effect::CheckToSign { .. } => Reply::ToSignChecked,
        Effect::AwaitRelease { .. } | Effect::Complete { .. } => {
            let state = if pick == 3 { SignatureState::Failed } else { SignatureState::Released };
            signature(state)
        }
        _ => Reply::Fetched,
    }
}

/// The event of a blow, or nothing when no call was ever made.
fn event_of(blow: &Blow, run: &mut Run) -> Option<Event> {
    let asked: Vec<_> = run.effects.iter().rev().filter(|effect| effect.call().is_some()).cloned().collect();
    let nth =
        |index: usize| asked.get(index).or(asked.first()).and_then(|effect| Some((effect.call()?, effect)));
    Some(match blow {
        Blow::Good(index, pick) => {
            let (call, effect) = nth(*index)?;
            Event::Answer { call, result: Ok(good_reply(effect, *pick)) }
        }
        Blow::Bad(index, code) => Event::Answer { call: nth(*index)?.0, result: Err(ErrorCode::ALL[*code]) },
        Blow::Wrong(index) => {
            let (call, effect) = nth(*index)?;
            let reply = match effect {
                Effect::Fetch { .. } => Reply::ToSignChecked,
                _ => Reply::Fetched,
            };
            Event::Answer { call, result: Ok(reply) }
        }
        Blow::Timer(index) => Event::Timer(Timer::ALL[*index]),
        Blow::Act(index) => Event::Act(action(*index)),
        Blow::Marker => Event::MarkerFound,
        Blow::Visible => Event::PageVisible,
        Blow::CameBack => Event::CameBack { query: Query("?state=s".into()) },
        Blow::Wait(seconds) => {
            run.now = run.now.plus(core::time::Duration::from_secs(*seconds));
            Event::PageVisible
        }
    })
}

/// Safety: what the device is asked, and when.
struct Watcher {
    checked: bool,
    open_at_device: Option<CallId>,
    /// The person agreed to a text, and nothing was made under it yet.
    agreed: bool,
    window: bool,
}

impl Watcher {
    fn see(&mut self, event: &Event, effects: &[Effect]) {
        match event {
            Event::Answer { result: Ok(Reply::ToSignChecked), .. } => self.checked = true,
            Event::Act(Action::Start(_)) => self.checked = false,
            Event::Act(Action::Agree { .. }) => self.agreed = true,
            _ => {}
        }
        if let Event::Answer { call, .. } = event
            && self.open_at_device == Some(*call)
        {
            self.open_at_device = None;
        }
        for effect in effects {
            if let Effect::SignHash { call, .. } = effect {
                assert!(self.checked, "the device was asked to sign something unchecked");
                assert!(self.open_at_device.is_none(), "two windows at once");
                self.open_at_device = Some(*call);
            }
            match effect {
                Effect::CreateEnrolment { .. } => assert!(self.agreed, "a key was made without consent"),
                Effect::OpenWindow => {
                    assert!(
                        matches!(event, Event::Act(Action::Confirm | Action::OpenAgain)),
                        "a window was opened outside of a click"
                    );
                    self.window = true;
                }
                Effect::CloseWindow => self.window = false,
                _ => {}
            }
        }
    }
}

/// Blind steps seldom get far, so some sequences start further on.
fn start(from: usize) -> Run {
    match from {
        0 => Run { flow: Flow::new(Platform::Desktop), effects: Vec::new(), now: now() },
        1 => Run::listing(),
        2 => Run::choosing(),
        3 => Run::authorizing(),
        4 => Run { flow: Flow::new(Platform::Mobile), effects: Vec::new(), now: now() },
        5 => Run::consenting(),
        6 => Run::certifying(),
        _ => Run::approving(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_leaves_a_state_without_an_exit(from in 0..8usize, blows in vec(blow(), 1..60)) {
        let mut run = start(from);
        let mut watcher = Watcher {
            checked: from == 3,
            open_at_device: (from == 3).then(|| run.call_of(is_sign)),
            agreed: from == 6,
            window: from == 7,
        };
        for blow in &blows {
            let Some(event) = event_of(blow, &mut run) else { continue };
            let before = run.flow.view();
            match run.flow.clone().handle(event.clone(), run.now) {
                Ok((flow, effects)) => {
                    watcher.see(&event, &effects);
                    run.flow = flow;
                    run.effects.extend(effects);
                }
                Err(refusal) => {
                    prop_assert!(matches!(event, Event::Act(_)), "only a wish is refused: {refusal:?}");
                    prop_assert_eq!(run.flow.view(), before);
                }
            }
            let may_have_window = matches!(
                run.flow.step(),
                Step::Preparing | Step::Redirecting | Step::WaitingApproval
            );
            prop_assert!(may_have_window || !watcher.window, "a window stays open that nobody needs");
            has_an_exit(&run)?;
        }
    }
}

/// From every resting state a document can be given; from every other one the person can get out, and what got
/// out can go on.
fn has_an_exit(run: &Run) -> Result<(), TestCaseError> {
    let mut end = run.clone();
    if !end.flow.step().is_resting() {
        end.act(Action::Cancel(CancelledBy::User));
        prop_assert_eq!(end.flow.step(), Step::Cancelled);
        let mut again = end.clone();
        again.act(Action::Retry);
        prop_assert_ne!(again.flow.step(), Step::Cancelled);
    }
    end.act(Action::Start(job()));
    prop_assert_eq!(end.flow.step(), Step::Resolving);
    Ok(())
}

/// The property above is worth what it visits.
#[test]
fn blind_sequences_reach_every_screen() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for round in 0..2_500 {
        let blows = vec(blow(), 20..60).new_tree(&mut runner).unwrap().current();
        let mut run = start(round % 8);
        for blow in &blows {
            let Some(event) = event_of(blow, &mut run) else { continue };
            if let Ok((flow, effects)) = run.flow.clone().handle(event, run.now) {
                run.flow = flow;
                run.effects.extend(effects);
                seen.insert(run.flow.step());
            }
        }
    }
    let missing: Vec<_> = Step::ALL.iter().filter(|step| !seen.contains(step)).collect();
    assert_eq!(missing, Vec::<&Step>::new());
}
