//! Random orders and random histories, held against rules that are written a second time, from the history alone.

#![expect(clippy::wildcard_enum_match_arm, reason = "an order tells a few of the events there are")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{HOUR_MS, at, open, request};
use crate::Timestamp;
use crate::event::{EventData, EventType};
use crate::order::{OrderInput, OrderProgress, OrderRefusal, OrderStep};
use crate::wire::{CreateOrder, OrderFlow, OrderState, ParticipantState};

#[derive(Debug, Clone)]
enum Move {
    Sign(usize, usize),
    Decline(usize),
    Cancel,
    Wait(u64),
}

/// Participants 5 and documents 3 do not exist in any order: strangers are part of life.
fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        24 => (0..6_usize, 0..4_usize).prop_map(|(participant, document)| Move::Sign(participant, document)),
        1 => (0..6_usize).prop_map(Move::Decline),
        1 => Just(Move::Cancel),
        4 => (0..30 * HOUR_MS).prop_map(Move::Wait),
    ]
}

fn orders() -> impl Strategy<Value = CreateOrder> {
    let participants = prop::collection::vec((1..4_u32, prop::bool::weighted(0.7)), 0..4);
    let reminders = prop::collection::btree_set(1..100_u32, 0..4);
    let deadline = prop::option::of(1..96 * HOUR_MS);
    (any::<bool>(), participants, 1..4_usize, 1..4_u32, reminders, deadline).prop_map(
        |(sequence, mut participants, documents, last, reminders, deadline)| {
            let flow = if sequence { OrderFlow::Sequence } else { OrderFlow::Parallel };
            // One must sign at the end, as every order that is accepted has it.
            participants.push((last.max(participants.iter().map(|one| one.0).max().unwrap_or(1)), true));
            let mut order = request(flow, &participants, documents);
            order.deadline = deadline.map(at);
            if order.deadline.is_some() {
                order.reminders_hours = reminders.into_iter().collect();
            }
            order
        },
    )
}

/// What was accepted so far, and what follows from it.
#[derive(Default)]
struct History {
    signed: BTreeSet<(String, String)>,
    declined: BTreeSet<String>,
    cancelled: bool,
    expired: bool,
    reminders: Vec<u32>,
}

impl History {
    fn has_signed_all(&self, progress: &OrderProgress, id: &str) -> bool {
        progress.documents.iter().all(|document| self.signed.contains(&(id.to_owned(), document.clone())))
    }

    fn order_state(&self, progress: &OrderProgress) -> OrderState {
        let required = || progress.participants.iter().filter(|one| one.must_sign);
        if required().all(|one| self.has_signed_all(progress, &one.id)) {
            OrderState::Completed
        } else if self.cancelled || required().any(|one| self.declined.contains(&one.id)) {
            OrderState::Cancelled
        } else if self.expired {
            OrderState::Expired
        } else {
            OrderState::Open
        }
    }

    fn participant_state(&self, progress: &OrderProgress, index: usize) -> ParticipantState {
        let participant = &progress.participants[index];
        if self.has_signed_all(progress, &participant.id) {
            return ParticipantState::Signed;
        }
        if self.declined.contains(&participant.id) {
            return ParticipantState::Declined;
        }
        if self.order_state(progress) != OrderState::Open {
            return ParticipantState::Skipped;
        }
        let is_before =
            |other: &&super::ParticipantProgress| other.must_sign && other.position < participant.position;
        let blocked = progress.flow == OrderFlow::Sequence
            && progress
                .participants
                .iter()
                .filter(is_before)
                .any(|one| !self.has_signed_all(progress, &one.id));
        if blocked { ParticipantState::Waiting } else { ParticipantState::Ready }
    }

    fn accept(&mut self, input: &OrderInput, step: &OrderStep) {
        match input {
            OrderInput::DocumentSigned { participant_id, document_id } => {
                assert!(self.signed.insert((participant_id.clone(), document_id.clone())), "signed twice");
            }
            OrderInput::Declined { participant_id } => {
                assert!(self.declined.insert(participant_id.clone()), "declined twice");
            }
            OrderInput::Cancelled => self.cancelled = true,
            OrderInput::TimePassed => {
                for event in &step.events {
                    match event {
                        EventData::OrderExpired(_) => self.expired = true,
                        EventData::OrderReminderDue(due) => self.reminders.push(due.hours_before),
                        other => panic!("time alone does not tell {other:?}"),
                    }
                }
            }
        }
    }
}

/// The events that a difference of states has to tell, whatever led to it.
fn expected_events(before: &OrderProgress, after: &OrderProgress) -> BTreeMap<(EventType, String), usize> {
    let mut expected = BTreeMap::new();
    for (old, new) in before.participants.iter().zip(&after.participants) {
        assert!(!old.state.is_final() || old.state == new.state, "{} left {:?}", old.id, old.state);
        let event = match (old.state, new.state) {
            (old, new) if old == new => continue,
            (ParticipantState::Waiting, ParticipantState::Ready) => EventType::ParticipantReady,
            (ParticipantState::Ready, ParticipantState::Signed) => EventType::ParticipantSigned,
            (ParticipantState::Ready, ParticipantState::Declined) => EventType::ParticipantDeclined,
            (ParticipantState::Waiting | ParticipantState::Ready, ParticipantState::Skipped) => continue,
            other => panic!("no such edge: {other:?}"),
        };
        expected.insert((event, new.id.clone()), 1);
    }
    if before.state != after.state {
        assert_eq!(before.state, OrderState::Open);
        let event = match after.state {
            OrderState::Open => unreachable!("it was open before"),
            OrderState::Completed => EventType::OrderCompleted,
            OrderState::Cancelled => EventType::OrderCancelled,
            OrderState::Expired => EventType::OrderExpired,
        };
        expected.insert((event, after.id.clone()), 1);
    }
    expected
}

fn told(step: &OrderStep) -> BTreeMap<(EventType, String), usize> {
    let mut told = BTreeMap::new();
    for event in &step.events {
        let whom = match event {
            EventData::ParticipantReady(moved)
            | EventData::ParticipantSigned(moved)
            | EventData::ParticipantDeclined(moved) => moved.participant_id.clone(),
            EventData::OrderReminderDue(_) => continue,
            other => other.subject().to_owned(),
        };
        *told.entry((event.event_type(), whom)).or_default() += 1;
    }
    told
}

fn check(progress: &OrderProgress, history: &History, now: Timestamp) {
    assert_eq!(progress.state, history.order_state(progress));
    for (index, participant) in progress.participants.iter().enumerate() {
        assert_eq!(participant.state, history.participant_state(progress, index), "{}", participant.id);
        for document in &progress.documents {
            let may = progress.may_sign(&participant.id, document, now).is_ok();
            let in_time = progress.deadline.is_none_or(|deadline| now < deadline);
            let has_signed = history.signed.contains(&(participant.id.clone(), document.clone()));
            let expected = participant.state == ParticipantState::Ready && in_time && !has_signed;
            assert_eq!(may, expected, "{} {document}", participant.id);
        }
    }
    if progress.state == OrderState::Open {
        let mut required = progress.participants.iter().filter(|one| one.must_sign);
        assert!(required.any(|one| one.state == ParticipantState::Ready), "an open order waits for somebody");
    }
    let hours = &history.reminders;
    assert!(
        hours.windows(2).all(|pair| pair[0] > pair[1]),
        "reminders come closer and none twice: {hours:?}"
    );
}

/// Waking earlier than asked does nothing; waking then does something.
fn check_wake(progress: &OrderProgress) {
    let Some(wake) = progress.next_wake() else { return };
    let before = Timestamp::from_unix_ms(wake.unix_ms() - 1).unwrap();
    let step = progress.clone().handle(&OrderInput::TimePassed, before).unwrap();
    assert_eq!((step.events.len(), step.moved.len(), &step.progress), (0, 0, progress));
    let step = progress.clone().handle(&OrderInput::TimePassed, wake).unwrap();
    assert_eq!(step.events.len(), 1);
}

fn live(order: &CreateOrder, moves: &[Move]) -> OrderState {
    let mut now = at(0);
    let step = open(order);
    let mut progress = step.progress;
    let mut history = History::default();
    check(&progress, &history, now);
    for next in moves {
        let input = match next {
            Move::Sign(participant, document) => OrderInput::DocumentSigned {
                participant_id: format!("par_{participant}"),
                document_id: format!("doc_{document}"),
            },
            Move::Decline(participant) => {
                OrderInput::Declined { participant_id: format!("par_{participant}") }
            }
            Move::Cancel => OrderInput::Cancelled,
            Move::Wait(ms) => {
                now = Timestamp::from_unix_ms(now.unix_ms() + ms).unwrap();
                OrderInput::TimePassed
            }
        };
        let before = progress.clone();
        match progress.handle(&input, now) {
            Ok(step) => {
                assert!(!before.state.is_final(), "nothing is accepted after the end");
                history.accept(&input, &step);
                assert_eq!(told(&step), expected_events(&before, &step.progress));
                let moved: BTreeSet<_> = step.moved.iter().collect();
                let pairs = before.participants.iter().zip(&step.progress.participants);
                let changed: BTreeSet<_> =
                    pairs.filter(|(old, new)| old.state != new.state).map(|(_, new)| &new.id).collect();
                assert_eq!((moved, step.moved.len()), (changed.clone(), changed.len()));
                progress = step.progress;
            }
            Err(refusal) => {
                assert_eq!(before.state.is_final(), matches!(refusal, OrderRefusal::Ended(_)), "{refusal:?}");
                progress = before;
            }
        }
        check(&progress, &history, now);
        check_wake(&progress);
    }
    progress.state
}

#[test]
fn five_thousand_histories_keep_the_rules_and_reach_every_end() {
    let config = ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() };
    let ends = std::cell::RefCell::new(BTreeMap::<&str, usize>::new());
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&(orders(), prop::collection::vec(moves(), 0..40)), |(order, moves)| {
            *ends.borrow_mut().entry(live(&order, &moves).as_str()).or_default() += 1;
            Ok(())
        })
        .unwrap();
    let ends = ends.into_inner();
    assert!(
        OrderState::ALL.iter().all(|state| ends.get(state.as_str()).is_some_and(|n| *n > 100)),
        "{ends:?}"
    );
}
