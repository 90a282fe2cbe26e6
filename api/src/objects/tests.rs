use super::*;

struct Fixture {
    _folder: tempfile::TempDir,
    store: Store,
    objects: Objects,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("objects")).unwrap();
    let store = Store::open_sqlite(&folder.path().join("db")).unwrap();
    let objects = Objects::open(folder.path().join("objects"), store.clone()).unwrap();
    Fixture { _folder: folder, store, objects }
}

async fn receive(fixture: &Fixture, bytes: &[u8]) -> Stored {
    let mut incoming = fixture.objects.receive(10_000_000);
    for piece in bytes.chunks(50_000) {
        incoming.push(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let stored = std::sync::Arc::new(incoming.finish().await.unwrap());
    let kept = std::sync::Arc::clone(&stored);
    fixture.store.write(move |connection| kept.keep(connection)).await.unwrap();
    std::sync::Arc::into_inner(stored).unwrap()
}

#[tokio::test]
async fn small_and_large_objects_read_back() {
    let fixture = fixture();
    for size in [0, 1, LARGEST_ROW, LARGEST_ROW + 1, 1_000_000] {
        let bytes = vec![7; size];
        let stored = receive(&fixture, &bytes).await;
        assert_eq!(stored.sha256(), sha256(&bytes));
        assert_eq!(stored.size_bytes(), size as u64);
        assert_eq!(fixture.objects.read(stored.sha256()).await.unwrap(), bytes);

        let (pieces, mut received) = mpsc::channel(100);
        fixture.objects.stream(stored.sha256(), pieces).await.unwrap();
        let mut streamed = Vec::new();
        while let Some(piece) = received.recv().await {
            streamed.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(streamed, bytes);
    }
}

#[tokio::test]
async fn a_changed_file_is_never_handed_out() {
    let fixture = fixture();
    let stored = receive(&fixture, &vec![1; 200_000]).await;
    let path = place(&fixture.objects.folder, &stored.sha256());
    let mut bytes = fs::read(&path).unwrap();
    bytes[5] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(fixture.objects.read(stored.sha256()).await, Err(ObjectError::Damaged(_))));
    fs::remove_file(&path).unwrap();
    assert!(matches!(fixture.objects.read(stored.sha256()).await, Err(ObjectError::Missing(_))));
}

#[tokio::test]
async fn an_object_over_its_limit_leaves_nothing_behind() {
    let fixture = fixture();
    let mut incoming = fixture.objects.receive(100_000);
    incoming.push(vec![0; 90_000].into()).await.unwrap();
    let refused = incoming.push(vec![0; 90_000].into()).await;
    assert!(matches!(refused, Err(ObjectError::TooLarge { limit_bytes: 100_000 })));
    drop(incoming);
    let folder = fixture.objects.folder.join("incoming");
    // The writer ends when it sees that its sender is gone.
    tokio::task::spawn_blocking(move || while fs::read_dir(&folder).unwrap().next().is_some() {})
        .await
        .unwrap();
}
