mod faults;
mod model;

use serde_json::json;

use super::*;
use crate::event::EventType;
use crate::wire::{SignatureFormat, SignatureLevel};

const HOUR_MS: u64 = 3_600_000;

pub(super) fn at(ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_435_200_000 + ms).unwrap()
}

/// A request with these participants, as position and whether they must sign.
pub(super) fn request(flow: OrderFlow, participants: &[(u32, bool)], documents: usize) -> CreateOrder {
    let participants: Vec<_> = participants
        .iter()
        .map(|(position, must_sign)| {
            let mut participant = json!({
                "signer": { "identifier": "52998224725", "name": "ANA TEST" },
                "must_sign": must_sign,
            });
            if flow == OrderFlow::Sequence {
                participant["position"] = json!(position);
            }
            participant
        })
        .collect();
    serde_json::from_value(json!({
        "title": "Contrato TEST",
        "reference": "c-1",
        "documents": (0..documents).map(|number| format!("doc_{number}")).collect::<Vec<_>>(),
        "participants": participants,
        "flow": flow,
        "rules": { "format": SignatureFormat::Pades },
    }))
    .unwrap()
}

pub(super) fn open(request: &CreateOrder) -> OrderStep {
    let who =
        (0..request.participants.len()).map(|number| (format!("par_{number}"), format!("hash_{number}")));
    OrderProgress::open("ord_1".into(), request, who.collect(), SignatureLevel::B, at(0))
}

fn signed(participant: usize, document: usize) -> OrderInput {
    OrderInput::DocumentSigned {
        participant_id: format!("par_{participant}"),
        document_id: format!("doc_{document}"),
    }
}

fn declined(participant: usize) -> OrderInput {
    OrderInput::Declined { participant_id: format!("par_{participant}") }
}

/// Types and, for participants, whose.
fn told(step: &OrderStep) -> Vec<String> {
    let tell = |event: &EventData| match serde_json::to_value(event).unwrap().get("participant_id") {
        Some(id) => format!("{} {}", event.event_type(), id.as_str().unwrap()),
        None => event.event_type().to_string(),
    };
    step.events.iter().map(tell).collect()
}

fn states(progress: &OrderProgress) -> Vec<&'static str> {
    progress.participants.iter().map(|participant| participant.state.as_str()).collect()
}

#[test]
fn in_a_sequence_one_position_follows_the_other() {
    let step = open(&request(OrderFlow::Sequence, &[(1, true), (2, true), (2, true)], 1));
    assert_eq!(told(&step), ["order.created", "participant.ready par_0"]);
    assert_eq!(step.moved, ["par_0"]);
    let refused = step.progress.clone().handle(&signed(1, 0), at(1)).unwrap_err();
    assert_eq!(refused, OrderRefusal::NotReady(ParticipantState::Waiting));
    assert_eq!(refused.code(), ErrorCode::OrderStateConflict);
    assert_eq!(refused.to_string(), "it is not this participant's turn: they are `waiting`");

    let step = step.progress.handle(&signed(0, 0), at(1)).unwrap();
    assert_eq!(
        told(&step),
        ["participant.signed par_0", "participant.ready par_1", "participant.ready par_2"]
    );
    let step = step.progress.handle(&signed(2, 0), at(2)).unwrap();
    assert_eq!(told(&step), ["participant.signed par_2"]);
    let step = step.progress.handle(&signed(1, 0), at(3)).unwrap();
    assert_eq!(told(&step), ["participant.signed par_1", "order.completed"]);
    assert_eq!(step.progress.state, OrderState::Completed);
}

#[test]
fn in_parallel_the_order_waits_for_every_document_of_everybody_who_must() {
    let step = open(&request(OrderFlow::Parallel, &[(1, true), (1, true), (1, false)], 2));
    assert_eq!(step.events.len(), 4);
    assert_eq!(states(&step.progress), ["ready", "ready", "ready"]);
    let mut progress = step.progress;
    for (participant, document) in [(0, 0), (1, 1), (2, 0), (1, 0)] {
        let step = progress.handle(&signed(participant, document), at(1)).unwrap();
        progress = step.progress;
    }
    assert_eq!(states(&progress), ["ready", "signed", "ready"]);
    let again = progress.clone().handle(&signed(0, 0), at(1)).unwrap_err();
    assert_eq!(again, OrderRefusal::AlreadySigned);
    let step = progress.handle(&signed(0, 1), at(1)).unwrap();
    assert_eq!(states(&step.progress), ["signed", "signed", "skipped"]);
    assert_eq!(step.moved, ["par_0", "par_2"]);
    let EventData::OrderCompleted(completed) = &step.events[1] else { panic!("{:?}", step.events) };
    assert_eq!((completed.signed, completed.skipped), (2, 1));
}

#[test]
fn who_need_not_sign_holds_up_nobody_and_may_decline() {
    let step = open(&request(OrderFlow::Sequence, &[(1, false), (2, true), (3, true)], 1));
    assert_eq!(states(&step.progress), ["ready", "ready", "waiting"]);
    let step = step.progress.handle(&declined(0), at(1)).unwrap();
    assert_eq!(told(&step), ["participant.declined par_0"]);
    assert_eq!(step.progress.state, OrderState::Open);
    let step = step.progress.handle(&declined(1), at(1)).unwrap();
    assert_eq!(told(&step), ["participant.declined par_1", "order.cancelled par_1"]);
    assert_eq!(states(&step.progress), ["declined", "declined", "skipped"]);
    let EventData::OrderCancelled(cancelled) = &step.events[1] else { panic!("{:?}", step.events) };
    assert_eq!(cancelled.cause, CancellationCause::Declined);
}

#[test]
fn an_order_that_ended_refuses_everything() {
    let open = open(&request(OrderFlow::Parallel, &[(1, true)], 1)).progress;
    let step = open.clone().handle(&OrderInput::Cancelled, at(1)).unwrap();
    assert_eq!(told(&step), ["order.cancelled"]);
    assert_eq!(states(&step.progress), ["skipped"]);
    for input in [signed(0, 0), declined(0), OrderInput::Cancelled, OrderInput::TimePassed] {
        let refused = step.progress.clone().handle(&input, at(2)).unwrap_err();
        assert_eq!(refused, OrderRefusal::Ended(OrderState::Cancelled));
    }
    assert_eq!(step.progress.next_wake(), None);
    let refused = step.progress.may_sign("par_0", "doc_0", at(2)).unwrap_err();
    assert_eq!(refused.to_string(), "the order is `cancelled`");
}

#[test]
fn strangers_are_not_found() {
    let progress = open(&request(OrderFlow::Parallel, &[(1, true)], 1)).progress;
    for (input, expected) in [
        (signed(7, 0), OrderRefusal::UnknownParticipant),
        (declined(7), OrderRefusal::UnknownParticipant),
        (signed(0, 7), OrderRefusal::UnknownDocument),
    ] {
        let refused = progress.clone().handle(&input, at(1)).unwrap_err();
        assert_eq!((refused.code(), refused), (ErrorCode::NotFound, expected));
    }
}

#[test]
fn the_deadline_ends_the_order_but_not_a_signature_on_its_way() {
    let mut request = request(OrderFlow::Sequence, &[(1, true), (2, true)], 1);
    request.deadline = Some(at(10 * HOUR_MS));
    let progress = open(&request).progress;
    assert_eq!(progress.next_wake(), Some(at(10 * HOUR_MS)));
    assert_eq!(progress.may_sign("par_0", "doc_0", at(10 * HOUR_MS - 1)), Ok(()));
    let late = at(10 * HOUR_MS);
    assert_eq!(progress.may_sign("par_0", "doc_0", late), Err(OrderRefusal::DeadlinePassed));

    let early = progress.clone().handle(&OrderInput::TimePassed, at(10 * HOUR_MS - 1)).unwrap();
    assert_eq!((early.events.len(), &early.progress), (0, &progress));
    let step = progress.clone().handle(&OrderInput::TimePassed, late).unwrap();
    assert_eq!(told(&step), ["order.expired"]);
    assert_eq!(states(&step.progress), ["skipped", "skipped"]);
    let EventData::OrderExpired(expired) = &step.events[0] else { panic!("{:?}", step.events) };
    assert_eq!(expired.missing, ["par_0", "par_1"]);
    // Nobody has expired it yet: the key was used in time.
    assert!(progress.handle(&signed(0, 0), late).is_ok());
}

#[test]
fn reminders_come_once_each_and_only_the_latest_of_those_missed() {
    let mut request = request(OrderFlow::Sequence, &[(1, true), (2, true)], 1);
    request.deadline = Some(at(48 * HOUR_MS));
    request.reminders_hours = vec![24, 12, 72, 1];
    let progress = open(&request).progress;
    // 72 hours before the deadline was before the order.
    assert_eq!(progress.next_wake(), Some(at(24 * HOUR_MS)));
    #[expect(clippy::wildcard_enum_match_arm, reason = "any other event is wrong here")]
    let remind = |progress: OrderProgress, hour: u64| {
        let step = progress.handle(&OrderInput::TimePassed, at(hour * HOUR_MS)).unwrap();
        let hours: Vec<_> = step
            .events
            .iter()
            .map(|event| match event {
                EventData::OrderReminderDue(due) => (due.hours_before, due.participants.join(" ")),
                other => panic!("{other:?}"),
            })
            .collect();
        (step.progress, hours)
    };
    let (progress, hours) = remind(progress, 23);
    assert_eq!(hours, []);
    let (progress, hours) = remind(progress, 24);
    assert_eq!(hours, [(24, "par_0".to_owned())]);
    let (progress, hours) = remind(progress, 25);
    assert_eq!(hours, []);
    assert_eq!(progress.next_wake(), Some(at(36 * HOUR_MS)));
    let progress = progress.handle(&signed(0, 0), at(30 * HOUR_MS)).unwrap().progress;
    let (progress, hours) = remind(progress, 47);
    assert_eq!(hours, [(1, "par_1".to_owned())]);
    assert_eq!(progress.next_wake(), Some(at(48 * HOUR_MS)));
}

#[test]
fn events_tell_who_by_hash_only() {
    let step = open(&request(OrderFlow::Parallel, &[(1, true)], 1));
    let text = serde_json::to_string(&step.events).unwrap();
    assert!(text.contains("hash_0") && text.contains("c-1"));
    for personal in ["52998224725", "ANA TEST", "Contrato TEST"] {
        assert!(!text.contains(personal), "{text}");
    }
    assert_eq!(step.events[0].event_type(), EventType::OrderCreated);
    assert!(step.events.iter().all(|event| event.subject() == "ord_1"));
}
