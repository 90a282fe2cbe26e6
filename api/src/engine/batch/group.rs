//! A group of items through all steps.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::context::Ending;
use super::{Context, Stop, compose, prepare, seal, values};
use crate::app::App;
use crate::engine::drive;
use crate::ids::DocumentId;
use crate::store;
use crate::store::StoreError;
use crate::store::batches::items::{self, ItemRow, Outcome};
use crate::store::documents::DocumentRow;
use crate::store::tasks::Lease;

/// Documents held in memory for one group, together: a group is never so large that another one could not start.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Items with their documents, unless they are signed by their digests.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) items: Vec<(ItemRow, Option<DocumentRow>)>,
    bytes: u64,
}

/// Cuts items into groups whose documents fit into memory together, or lets each go `alone`.
pub(super) async fn by_memory(
    app: &App,
    context: &Context,
    items: Vec<ItemRow>,
    alone: bool,
) -> Result<Vec<Group>, Stop> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    if !alone && items.iter().all(|item| context.by_digest(item)) {
        let items = items.into_iter().map(|item| (item, None)).collect();
        return Ok(vec![Group { items, bytes: 0 }]);
    }
    let ids: Vec<Option<DocumentId>> = items.iter().map(|item| item.document_id.clone()).collect();
    let documents = app
        .store
        .read(move |connection| {
            ids.iter()
                .map(|id| match id {
                    Some(id) => store::documents::load(connection, id),
                    None => Ok(None),
                })
                .collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    let mut groups: Vec<Group> = Vec::new();
    for (item, document) in items.into_iter().zip(documents) {
        let size = document.as_ref().map_or(0, |document| document.size_bytes);
        match groups.last_mut() {
            Some(group) if !alone && group.bytes + size <= MOST_BYTES => {
                group.bytes += size;
                group.items.push((item, document));
            }
            _ => groups.push(Group { items: vec![(item, document)], bytes: size }),
        }
    }
    Ok(groups)
}

/// As [`sign`]; an item that goes `alone` and that our code does not survive ends.
pub(super) async fn sign_or_end(
    app: &Arc<App>,
    lease: &Lease,
    context: &Arc<Context>,
    group: Group,
    alone: bool,
) -> Result<(Vec<Ending>, bool), Stop> {
    let single = group.items.first().map(|(item, _)| item.clone()).filter(|_| alone);
    match (sign(app, lease, context, group).await, single) {
        (Err(Stop::Panicked), Some(item)) => {
            Ok((vec![(item, Outcome::Failed(drive::unexpected()), None)], false))
        }
        (result, _) => result,
    }
}

/// Signs a group. Gives how its items end, and whether some wait for a token, an authority or a composer.
async fn sign(
    app: &Arc<App>,
    lease: &Lease,
    context: &Arc<Context>,
    group: Group,
) -> Result<(Vec<Ending>, bool), Stop> {
    let _memory: OwnedSemaphorePermit = app.engine.reserve(group.bytes).await;
    let (pinned, new, mut ended) = prepare::prepare(app, context, group.items).await?;
    let (new, refused, delayed) = compose::begin(app, context, new).await;
    ended.extend(refused);
    let mut ready = pinned;
    ready.extend(intend(app, lease, context, new).await?);
    let (signed, failed, waiting) = values::sign(app, lease, context, ready).await?;
    ended.extend(failed);
    let (sealed, unfinished) = seal::seal(app, context, signed).await?;
    ended.extend(sealed);
    Ok((ended, delayed || waiting || unfinished))
}

/// Commits the intents; items that were cancelled meanwhile drop out.
async fn intend(
    app: &App,
    lease: &Lease,
    context: &Arc<Context>,
    new: Vec<prepare::Prepared>,
) -> Result<Vec<prepare::Prepared>, Stop> {
    if new.is_empty() {
        return Ok(new);
    }
    let plans: Vec<_> =
        new.iter().map(|prepared| (prepared.item.clone(), prepared.pinned(), prepared.signed_at)).collect();
    let (lease, held, now) = (lease.clone(), Arc::clone(context), app.clock.now());
    let moved = app
        .store
        .write(move |connection| {
            items::intend(connection, &lease, (&held.row, &held.signer_hash), &plans, now)
        })
        .await?;
    Ok(new.into_iter().zip(moved).filter_map(|(prepared, moved)| moved.then_some(prepared)).collect())
}
