//! What orders do in both databases. The rules themselves are tested in `rubrica_core::order`.

mod scene;

use rubrica_core::event::EventType;
use rubrica_core::wire::{
    CancellationCause, Custody, OrderFlow, OrderState, ParticipantState, SignatureFormat, SignatureState,
};

use super::*;
use crate::ids::SignatureId;
use crate::store::contract;
use crate::store::signatures::SignatureRow;
use scene::{Scene, at};

#[tokio::test]
async fn a_sequence_of_pdf_signatures_grows_one_file_and_completes() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Sequence, SignatureFormat::Pades, 2, 1).await;
        assert_eq!(
            scene.states().await,
            (OrderState::Open, vec![ParticipantState::Ready, ParticipantState::Waiting])
        );
        let early = scene.begin(1, 0, Custody::Local).await;
        assert!(matches!(early, Err(StoreError::OrderConflict { .. })), "{}: {early:?}", test.name);

        let first = scene.begin(0, 0, Custody::Local).await.unwrap();
        scene.release(&first, 0xa1).await.unwrap();
        let grown = scene.revision(0).await;
        assert_eq!((grown.number, grown.parts.len(), grown.parts[1]), (1, 2, [0xa1; 32]));
        let again = scene.begin(0, 0, Custody::Local).await;
        assert!(matches!(again, Err(StoreError::OrderConflict { .. })), "{}: {again:?}", test.name);

        let second = scene.begin(1, 0, Custody::Hsm).await.unwrap();
        assert_eq!(scene.row(&second).await.in_order.unwrap().base, grown);
        scene.sign_and_release(&second, 0xa2).await.unwrap();
        assert_eq!(scene.revision(0).await.parts[1..], [[0xa1; 32], [0xa2; 32]]);
        assert_eq!(
            scene.states().await,
            (OrderState::Completed, vec![ParticipantState::Signed; 2]),
            "{}",
            test.name
        );
        assert_eq!(
            scene.events().await,
            [
                EventType::SignaturePrepared,
                EventType::SignatureReleased,
                EventType::ParticipantSigned,
                EventType::ParticipantReady,
                EventType::SignatureAccepted,
                EventType::SignaturePrepared,
                EventType::SignatureSigning,
                EventType::SignatureReleased,
                EventType::ParticipantSigned,
                EventType::OrderCompleted,
            ]
        );
    }
}

#[tokio::test]
async fn of_two_signatures_over_one_revision_one_is_released_and_the_other_begins_again() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Pades, 2, 1).await;
        let mine = scene.begin(0, 0, Custody::Local).await.unwrap();
        let theirs = scene.begin(1, 0, Custody::Local).await.unwrap();
        let outdated = scene.row(&theirs).await;
        assert_eq!(scene.release(&mine, 0xa1).await.unwrap(), std::slice::from_ref(&theirs), "{}", test.name);

        let ended = scene.row(&theirs).await;
        assert_eq!(ended.state, SignatureState::Failed);
        assert_eq!(ended.problem.unwrap().code, rubrica_core::ErrorCode::OrderStateConflict);
        let late = scene.release(&theirs, 0xa2).await;
        assert!(matches!(late, Err(StoreError::StateConflict { .. })), "{}: {late:?}", test.name);
        let over_the_old = scene.insert(SignatureRow { id: SignatureId::generate(), ..outdated }).await;
        assert!(matches!(over_the_old, Err(StoreError::OrderConflict { .. })), "{over_the_old:?}");

        let again = scene.begin(1, 0, Custody::Local).await.unwrap();
        scene.release(&again, 0xa3).await.unwrap();
        assert_eq!(scene.revision(0).await.parts[1..], [[0xa1; 32], [0xa3; 32]]);
        assert_eq!(scene.states().await.0, OrderState::Completed);
    }
}

#[tokio::test]
async fn a_key_of_the_token_is_not_used_in_vain() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Pades, 3, 1).await;
        let by_device = scene.begin(0, 0, Custody::Local).await.unwrap();
        let by_token = scene.begin(1, 0, Custody::Hsm).await.unwrap();
        let held = scene.begin(2, 0, Custody::Hsm).await;
        assert!(matches!(held, Err(StoreError::OrderConflict { .. })), "{}: {held:?}", test.name);
        let overtaken = scene.release(&by_device, 0xa1).await;
        assert!(matches!(overtaken, Err(StoreError::OrderConflict { .. })), "{}: {overtaken:?}", test.name);
        assert_eq!(scene.row(&by_device).await.state, SignatureState::Prepared, "nothing was changed");
        scene.fail(&by_token).await;
        // The token gave up: whoever waited with a device goes first.
        scene.release(&by_device, 0xa1).await.unwrap();
        let again = scene.begin(1, 0, Custody::Hsm).await.unwrap();
        scene.sign_and_release(&again, 0xa2).await.unwrap();
        assert_eq!(scene.revision(0).await.number, 2);
    }
}

#[tokio::test]
async fn signatures_beside_the_document_wait_for_nobody() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Cades, 2, 2).await;
        let mut all = Vec::new();
        for (participant, document) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            all.push(scene.begin(participant, document, Custody::Hsm).await.unwrap());
        }
        for signature in &all {
            assert!(scene.sign_and_release(signature, 0xa1).await.unwrap().is_empty());
        }
        assert_eq!(scene.revision(0).await.number, 0, "{}", test.name);
        assert_eq!(scene.states().await.0, OrderState::Completed);
    }
}

#[tokio::test]
async fn whoever_begins_again_takes_the_own_signature_back() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Pades, 1, 1).await;
        let first = scene.begin(0, 0, Custody::Local).await.unwrap();
        let second = scene.begin(0, 0, Custody::Local).await.unwrap();
        assert_eq!(scene.row(&first).await.state, SignatureState::Cancelled, "{}", test.name);
        scene.release(&second, 0xa1).await.unwrap();
        let events = scene.events().await;
        assert!(events.contains(&EventType::SignatureCancelled), "{}: {events:?}", test.name);
    }
}

#[tokio::test]
async fn releases_at_the_same_time_complete_the_order_once() {
    for test in contract::both() {
        // Whether two meet is chance: many rounds of them.
        for _ in 0..20 {
            let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Cades, 4, 1).await;
            let mut all = Vec::new();
            for participant in 0..4 {
                all.push(scene.begin(participant, 0, Custody::Local).await.unwrap());
            }
            let releases = all.iter().map(|signature| scene.release(signature, 0xa1));
            for released in futures_util::future::join_all(releases).await {
                released.unwrap();
            }
            assert_eq!(scene.states().await.0, OrderState::Completed, "{}", test.name);
            let completed = scene.events().await.into_iter().filter(|one| *one == EventType::OrderCompleted);
            assert_eq!(completed.count(), 1);
        }
    }
}

#[tokio::test]
async fn a_cancellation_waits_for_the_key_in_use_and_takes_the_rest_back() {
    for test in contract::both() {
        for is_released in [true, false] {
            let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Cades, 3, 1).await;
            let in_use = scene.begin(0, 0, Custody::Hsm).await.unwrap();
            let waits = scene.begin(1, 0, Custody::Local).await.unwrap();
            let queued = scene.begin(2, 0, Custody::Hsm).await.unwrap();
            scene.intend(&in_use).await;
            let mut ended = scene.cancel().await.unwrap();
            ended.sort();
            let mut expected = vec![waits.clone(), queued.clone()];
            expected.sort();
            assert_eq!(ended, expected, "{}", test.name);
            let order = scene.whole().await.order;
            assert_eq!(
                (order.state, order.cancellation.unwrap().cause),
                (OrderState::Open, CancellationCause::Requested)
            );
            assert!(scene.cancel().await.unwrap().is_empty(), "asking twice is asking once");
            assert!(scene.begin(1, 0, Custody::Local).await.is_err());
            assert!(scene.decline(1).await.is_err());

            if is_released {
                scene.release(&in_use, 0xa1).await.unwrap();
            } else {
                scene.fail(&in_use).await;
            }
            let (state, participants) = scene.states().await;
            assert_eq!(state, OrderState::Cancelled);
            let first = if is_released { ParticipantState::Signed } else { ParticipantState::Skipped };
            assert_eq!(participants, [first, ParticipantState::Skipped, ParticipantState::Skipped]);
            assert_eq!(scene.events().await.last(), Some(&EventType::OrderCancelled));
            assert_eq!(scene.whole().await.order.cancellation.unwrap().reason.as_deref(), Some("a reason"));
        }
    }
}

#[tokio::test]
async fn the_last_signature_is_faster_than_a_cancellation_that_waits_for_it() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Cades, 1, 1).await;
        let in_use = scene.begin(0, 0, Custody::Hsm).await.unwrap();
        scene.intend(&in_use).await;
        scene.cancel().await.unwrap();
        scene.release(&in_use, 0xa1).await.unwrap();
        let order = scene.whole().await.order;
        assert_eq!((order.state, order.cancellation), (OrderState::Completed, None), "{}", test.name);
        assert!(scene.cancel().await.is_err());
    }
}

#[tokio::test]
async fn somebody_who_must_sign_ends_the_order_by_declining() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Pades, 2, 1).await;
        let open = scene.begin(1, 0, Custody::Local).await.unwrap();
        assert_eq!(scene.decline(0).await.unwrap(), std::slice::from_ref(&open));
        assert!(scene.decline(0).await.unwrap().is_empty(), "declining twice is declining once");
        assert_eq!(scene.row(&open).await.state, SignatureState::Cancelled, "{}", test.name);
        let whole = scene.whole().await;
        let cancellation = whole.order.cancellation.unwrap();
        assert_eq!(
            (whole.order.state, cancellation.cause),
            (OrderState::Cancelled, CancellationCause::Declined)
        );
        assert_eq!(cancellation.participant_id.as_ref(), Some(&whole.participants[0].id));
        assert_eq!(whole.participants[0].decline_reason.as_deref(), Some("not mine"));
        assert!(scene.cancel().await.is_err());
    }
}

#[tokio::test]
async fn time_reminds_once_and_ends_once_whoever_is_first() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Pades, 1, 1).await;
        let open = scene.begin(0, 0, Custody::Local).await.unwrap();
        assert!(scene.due(at(0)).await.is_empty());
        for (hours, event) in [(50, EventType::OrderReminderDue), (100, EventType::OrderExpired)] {
            assert_eq!(scene.due(at(hours)).await.len(), 1, "{}", test.name);
            let before = scene.events().await.len();
            let everybody = (0..8).map(|_| scene.pass_time(at(hours)));
            for passed in futures_util::future::join_all(everybody).await {
                passed.unwrap();
            }
            let told = scene.events().await.split_off(before);
            assert_eq!(told.iter().filter(|one| **one == event).count(), 1, "{}: {told:?}", test.name);
            // A clock that jumps back, and one that comes again.
            for hours in [0, hours] {
                assert!(scene.due(at(hours)).await.is_empty());
                scene.pass_time(at(hours)).await.unwrap();
            }
            assert_eq!(scene.events().await.len(), before + told.len());
        }
        assert_eq!(scene.row(&open).await.state, SignatureState::Expired);
        assert_eq!(scene.states().await, (OrderState::Expired, vec![ParticipantState::Skipped]));
    }
}

#[tokio::test]
async fn a_key_used_before_the_deadline_counts_after_it() {
    for test in contract::both() {
        let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Cades, 1, 1).await;
        let in_use = scene.begin(0, 0, Custody::Hsm).await.unwrap();
        scene.intend(&in_use).await;
        assert!(scene.due(at(101)).await.is_empty(), "{}", test.name);
        scene.pass_time(at(101)).await.unwrap();
        assert_eq!(scene.states().await.0, OrderState::Open);
        scene.release(&in_use, 0xa1).await.unwrap();
        assert_eq!(scene.states().await.0, OrderState::Completed);
    }
}

#[tokio::test]
async fn a_list_shows_every_order_of_its_tenant_once() {
    for test in contract::both() {
        let mut all = Vec::new();
        for _ in 0..5 {
            let scene = Scene::open(&test.store, OrderFlow::Parallel, SignatureFormat::Pades, 1, 1).await;
            all.push(scene.order.clone());
        }
        // All were created at the same instant: identifiers put them in order.
        all.sort_by(|a, b| b.cmp(a));
        use super::page as page_of;
        let page = |after: Option<OrderId>, tenant: &'static str, filter: Filter| {
            let read = move |connection: &Connection| {
                let found = page_of(connection, tenant, &filter, after.as_ref(), 2)?;
                Ok(found.into_iter().map(|whole| whole.order.id).collect::<Vec<_>>())
            };
            test.store.read(read)
        };
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let found = page(after, "bank", Filter::default()).await.unwrap();
            after = found.last().cloned();
            if after.is_none() {
                break;
            }
            seen.extend(found);
        }
        assert_eq!(seen, all, "{}", test.name);
        assert_eq!(page(None, "other", Filter::default()).await.unwrap(), []);
        let open =
            Filter { state: Some(OrderState::Open), reference: Some("r-1".to_owned()), ..Filter::default() };
        assert_eq!(page(None, "bank", open).await.unwrap(), all[..2]);
        let earlier = Filter { created_before: Some(at(0)), ..Filter::default() };
        assert_eq!(page(None, "bank", earlier).await.unwrap(), []);
        let since = Filter { created_after: Some(at(0)), ..Filter::default() };
        assert_eq!(page(None, "bank", since).await.unwrap(), all[..2]);
        let id = all[0].clone();
        let other =
            test.store.read(move |connection| find(connection, &id, &Scope::Tenant("other".to_owned())));
        assert!(other.await.unwrap().is_none());
    }
}

#[test]
fn the_words_in_sql_are_the_words_in_rust() {
    let schema = include_str!("../../../migrations/20261123210000_create_orders/up.sql");
    let check = |words: &[&str], column: &str| {
        let words = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
        assert!(schema.contains(&format!("CHECK ({column} IN ({words}))")), "{column} {words}");
    };
    check(&OrderState::ALL.map(OrderState::as_str), "state");
    check(&ParticipantState::ALL.map(ParticipantState::as_str), "state");
    check(&OrderFlow::ALL.map(OrderFlow::as_str), "flow");
    check(&[CancellationCause::Requested.as_str(), CancellationCause::Declined.as_str()], "cancel_cause");
}
