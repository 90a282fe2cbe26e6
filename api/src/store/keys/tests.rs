use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::*;
use crate::store::contract::both;

fn at(ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000 + ms).unwrap()
}

fn key(tenant: &str) -> KeyRow {
    KeyRow {
        id: KeyId::generate(),
        tenant: tenant.to_owned(),
        signer_hash: SignerHash([1; 32]),
        reference: KeyReference { id: crate::random::bytes::<8>().to_vec(), algorithm: KeyAlgorithm::Ec },
        certificate: b"certificate".to_vec(),
        state: KeyState::Active,
        not_after: at(1_000_000),
        created_at: at(0),
        changed_at: None,
        changed_code: None,
    }
}

#[test]
fn a_key_moves_only_along_these_edges() {
    use KeyMove::{Resume, Retire, Suspend};
    use KeyState::{Active, Retired, Suspended};
    for (from, to, state) in [
        (Active, Suspend, Some(Suspended)),
        (Active, Resume, Some(Active)),
        (Active, Retire, Some(Retired)),
        (Suspended, Suspend, Some(Suspended)),
        (Suspended, Resume, Some(Active)),
        (Suspended, Retire, Some(Retired)),
        (Retired, Suspend, None),
        (Retired, Resume, None),
        (Retired, Retire, Some(Retired)),
    ] {
        assert_eq!(to.from(from), state, "{from:?} {to:?}");
    }
}

#[tokio::test]
async fn only_an_active_key_of_the_tenant_may_be_about_to_be_used() {
    for test in both() {
        let (store, row) = (&test.store, key("bank"));
        let id = row.id.clone();
        store.write(move |connection| insert(connection, &row)).await.unwrap();
        let change_by = async |tenant: &'static str, to, ms| {
            let id = id.clone();
            store.write(move |connection| change(connection, &id, Some(tenant), to, "TEST", at(ms))).await
        };
        let held = async || {
            let id = id.clone();
            store.write(move |connection| hold_active(connection, &id)).await
        };
        held().await.unwrap();
        assert!(change_by("other", KeyMove::Suspend, 1).await.unwrap().is_none(), "{}", test.name);
        held().await.unwrap();
        let row = change_by("bank", KeyMove::Suspend, 2).await.unwrap().unwrap();
        assert_eq!((row.state, row.changed_at), (KeyState::Suspended, Some(at(2))));
        assert!(matches!(held().await, Err(StoreError::KeyState { state: KeyState::Suspended })));
        // The same again is nothing new.
        let row = change_by("bank", KeyMove::Suspend, 3).await.unwrap().unwrap();
        assert_eq!(row.changed_at, Some(at(2)));
        change_by("bank", KeyMove::Resume, 4).await.unwrap();
        held().await.unwrap();
        let code = ErrorCode::CertificateRevoked;
        let of = id.clone();
        store.write(move |connection| suspend(connection, &of, code, at(5))).await.unwrap();
        let of = id.clone();
        let row = store.read(move |connection| load(connection, &of)).await.unwrap().unwrap();
        assert_eq!((row.state, row.changed_code), (KeyState::Suspended, Some(code)));
        change_by("bank", KeyMove::Retire, 6).await.unwrap();
        let refused = change_by("bank", KeyMove::Resume, 7).await;
        assert!(matches!(refused, Err(StoreError::KeyState { state: KeyState::Retired })), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_suspends_a_key_waits_for_those_that_are_about_to_use_it() {
    for test in both() {
        let (store, row) = (test.store.clone(), key("bank"));
        let id = row.id.clone();
        store.write(move |connection| insert(connection, &row)).await.unwrap();
        let (tell, held) = mpsc::channel();
        let committed = Arc::new(AtomicBool::new(false));
        let (user, of, done) = (store.clone(), id.clone(), Arc::clone(&committed));
        let intent = tokio::spawn(async move {
            user.write(move |connection| {
                hold_active(connection, &of)?;
                tell.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(150));
                done.store(true, Ordering::SeqCst);
                Ok(())
            })
            .await
        });
        tokio::task::spawn_blocking(move || held.recv()).await.unwrap().unwrap();
        let code = ErrorCode::CertificateRevoked;
        store.write(move |connection| suspend(connection, &id, code, at(1))).await.unwrap();
        assert!(committed.load(Ordering::SeqCst), "{}", test.name);
        intent.await.unwrap().unwrap();
    }
}
