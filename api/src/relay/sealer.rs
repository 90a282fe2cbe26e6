//! Signs the tree of receipts again when it has grown.
//!
//! What the database holds is not believed: the tree to be signed must contain the one that was signed last. Otherwise nothing is
//! signed any more, which is seen in the log and in receipts that stay pending.

use rubrica_core::Timestamp;
use rubrica_core::merkle::{self, ProofError, TreeHash};
use rubrica_core::receipt::{Checkpoint, NoteError};

use crate::store::checkpoints::{self, CheckpointRow};
use crate::store::{Store, StoreError, log};

use super::LogSigner;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The last checkpoint is not one of ours.
    #[error("the checkpoint of {size} leaves: {cause}")]
    Checkpoint { size: u64, cause: NoteError },
    /// Leaves that were signed are not there, or are others.
    #[error("the tree of {new} leaves does not contain the one of {old} leaves that was signed")]
    Inconsistent { old: u64, new: u64 },
}

/// Signs the tree as it stands, unless that was done.
pub(super) async fn seal(store: &Store, signer: &LogSigner, now: Timestamp) -> Result<(), SealError> {
    let (latest, (size, root)) =
        store.read(|connection| Ok((checkpoints::latest(connection)?, log::root(connection)?))).await?;
    if let Some(latest) = &latest {
        let signed = Checkpoint::open(&latest.note, signer.public())
            .map_err(|cause| SealError::Checkpoint { size: latest.size, cause })?;
        if signed.size == size && signed.root == root && latest.size == size {
            return Ok(());
        }
        check_growth(store, &signed, size, root).await?;
    }
    let row = CheckpointRow { size, note: signer.checkpoint(size, root) };
    Ok(store.write(move |connection| checkpoints::insert(connection, &row, now)).await?)
}

async fn check_growth(
    store: &Store,
    signed: &Checkpoint,
    size: u64,
    root: TreeHash,
) -> Result<(), SealError> {
    let old = signed.size;
    let inconsistent = SealError::Inconsistent { old, new: size };
    let Ok(wanted) = merkle::consistency_nodes(old, size) else { return Err(inconsistent) };
    let found = store.read(move |connection| log::nodes(connection, &wanted)).await?;
    let proof: Result<_, ProofError> = merkle::consistency_proof(old, size, |node| found.get(&node).copied());
    match proof {
        Ok(proof) if merkle::verify_consistency(old, size, signed.root, root, &proof) => Ok(()),
        Ok(_) | Err(_) => Err(inconsistent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::both;
    use crate::store::outbox::tests::{now, released};
    use crate::store::{events, outbox};

    async fn release(store: &Store, numbers: std::ops::Range<u32>) {
        store
            .write(move |connection| {
                let events: Vec<_> = numbers.map(|number| released("a", number)).collect();
                outbox::emit(connection, &events)?;
                events::relay(connection, now())
            })
            .await
            .unwrap();
    }

    async fn sizes(store: &Store) -> Vec<u64> {
        let rows = store.read(|connection| checkpoints::after(connection, None, 100)).await.unwrap();
        rows.iter().map(|row| row.size).collect()
    }

    #[tokio::test]
    async fn a_tree_is_signed_once_and_again_when_it_has_grown() {
        for test in both() {
            let signer = LogSigner::from_seed(&[1; 32]);
            for numbers in [0..0, 0..5, 5..300] {
                if !numbers.is_empty() {
                    release(&test.store, numbers).await;
                }
                seal(&test.store, &signer, now()).await.unwrap();
                seal(&test.store, &signer, now()).await.unwrap();
            }
            assert_eq!(sizes(&test.store).await, [0, 5, 300], "{}", test.name);
        }
    }

    #[tokio::test]
    async fn a_tree_that_lost_or_changed_a_signed_leaf_is_not_signed() {
        for damage in [
            // The tree as it was before its last leaves came.
            "UPDATE log SET (leaves, peaks) = (SELECT leaves, peaks FROM log_before)",
            // Another leaf in the place of one that was signed.
            "UPDATE log_tile SET hashes = (SELECT hashes FROM tile_after) WHERE level = 0",
        ] {
            for test in both() {
                let (store, signer) = (&test.store, LogSigner::from_seed(&[1; 32]));
                release(store, 0..6).await;
                let keep = "CREATE TABLE log_before AS SELECT leaves, peaks FROM log";
                store.write(move |connection| connection.execute(keep, &[])).await.unwrap();
                release(store, 6..12).await;
                seal(store, &signer, now()).await.unwrap();
                release(store, 12..13).await;
                store
                    .write(move |connection| {
                        let tile: Option<Vec<u8>> = connection.query_one(
                            "SELECT hashes FROM log_tile WHERE level = 0",
                            &[],
                            |row| row.get(0),
                        )?;
                        let mut tile = tile.unwrap();
                        tile[11 * 32] ^= 1;
                        connection.execute(
                            "CREATE TABLE tile_after AS SELECT hashes FROM log_tile WHERE level = 9",
                            &[],
                        )?;
                        connection
                            .execute("INSERT INTO tile_after VALUES (?1)", crate::store::params![tile])?;
                        connection.execute(damage, &[])
                    })
                    .await
                    .unwrap();
                let refused = seal(store, &signer, now()).await;
                assert!(
                    matches!(refused, Err(SealError::Inconsistent { old: 12, .. })),
                    "{}: {refused:?}",
                    test.name
                );
                assert_eq!(sizes(store).await, [12]);
            }
        }
    }

    #[tokio::test]
    async fn a_checkpoint_of_another_key_is_not_built_upon() {
        for test in both() {
            seal(&test.store, &LogSigner::from_seed(&[1; 32]), now()).await.unwrap();
            release(&test.store, 0..1).await;
            let refused = seal(&test.store, &LogSigner::from_seed(&[2; 32]), now()).await;
            assert!(
                matches!(refused, Err(SealError::Checkpoint { size: 0, .. })),
                "{}: {refused:?}",
                test.name
            );
        }
    }
}
