use super::*;
use crate::adapters::object_folder::ObjectFolder;

struct Fixture {
    folder: tempfile::TempDir,
    store: Store,
    objects: Objects,
}

impl Fixture {
    /// Where the large object lies.
    fn place(&self, stored: &Stored) -> PathBuf {
        let name = hex::encode(stored.sha256());
        self.folder.path().join("objects").join(&name[..2]).join(&name[2..])
    }

    /// What a download gets.
    async fn streamed(&self, sha256: [u8; 32]) -> (Result<(), ObjectError>, Vec<u8>) {
        let mut pieces = self.objects.pieces(sha256).await.unwrap();
        let mut bytes = Vec::new();
        loop {
            match pieces.next().await {
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Ok(None) => return (Ok(()), bytes),
                Err(error) => return (Err(error), bytes),
            }
        }
    }
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("objects");
    std::fs::create_dir(&place).unwrap();
    let store = Store::open_sqlite(&folder.path().join("db")).unwrap();
    let objects = Objects::open(&place, Arc::new(ObjectFolder::new(place.clone())), store.clone()).unwrap();
    Fixture { folder, store, objects }
}

async fn receive(fixture: &Fixture, bytes: &[u8]) -> Stored {
    let mut incoming = fixture.objects.receive(10_000_000);
    for piece in bytes.chunks(50_000) {
        incoming.push(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let stored = Arc::new(incoming.finish(None).await.unwrap());
    let kept = Arc::clone(&stored);
    fixture.store.write(move |connection| kept.keep(connection)).await.unwrap();
    Arc::into_inner(stored).unwrap()
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

        let (outcome, streamed) = fixture.streamed(stored.sha256()).await;
        outcome.unwrap();
        assert_eq!(streamed, bytes);
    }
}

#[tokio::test]
async fn a_changed_file_is_never_handed_out() {
    let fixture = fixture();
    let stored = receive(&fixture, &vec![1; 200_000]).await;
    let path = fixture.place(&stored);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(fixture.objects.read(stored.sha256()).await, Err(ObjectError::Damaged(_))));
    // A download breaks off before its end, so that its length tells.
    let (outcome, streamed) = fixture.streamed(stored.sha256()).await;
    assert!(matches!(outcome, Err(ObjectError::Damaged(_))));
    assert!(streamed.len() < 200_000, "{}", streamed.len());
    std::fs::remove_file(&path).unwrap();
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
    let folder = fixture.objects.incoming.clone();
    // The writer ends when it sees that its sender is gone.
    tokio::task::spawn_blocking(move || while std::fs::read_dir(&folder).unwrap().next().is_some() {})
        .await
        .unwrap();
}

#[tokio::test]
async fn bytes_with_another_digest_than_announced_get_no_place() {
    let fixture = fixture();
    for size in [10, 200_000] {
        let mut incoming = fixture.objects.receive(1_000_000);
        incoming.push(vec![0; size].into()).await.unwrap();
        assert!(matches!(incoming.finish(Some([7; 32])).await, Err(ObjectError::OtherDigest)));
    }
    let left: Vec<_> = std::fs::read_dir(fixture.folder.path().join("objects")).unwrap().collect();
    assert_eq!(left.len(), 1, "only the folder of what comes in: {left:?}");
    assert_eq!(std::fs::read_dir(&fixture.objects.incoming).unwrap().count(), 0);
}

#[tokio::test]
async fn what_an_interrupted_upload_left_is_removed_at_the_next_start() {
    let fixture = fixture();
    std::fs::write(fixture.objects.incoming.join("half"), "half").unwrap();
    let place = fixture.folder.path().join("objects");
    Objects::open(&place, Arc::clone(&fixture.objects.large), fixture.store.clone()).unwrap();
    assert_eq!(std::fs::read_dir(&fixture.objects.incoming).unwrap().count(), 0);
}
