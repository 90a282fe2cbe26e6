//! The files of a batch: each written in one step as soon as its item has ended, none twice.

use std::path::Path;
use std::sync::Arc;

use rubrica_core::wire::{BatchResult, SignatureState};
use tokio::task::JoinSet;

use super::plan::{Item, Place, Plan};
use super::{NotSigned, of_artefact, of_object, of_store};
use crate::app::App;
use crate::cli::output::{Draft, unwritable};
use crate::engine::batch::Context;
use crate::engine::batch::results::artefacts;
use crate::failure::Failure;
use crate::ids::BatchId;
use crate::input::Input;
use crate::objects::{Part, Parts};
use crate::store::batches::items::{self, ItemArtefact, ItemRow};

/// Items that are read and put together at once.
const AT_ONCE: usize = 64;
/// Files that are written side by side: most of the time goes into waiting for the disk.
const FILES: usize = 8;

/// Which items have their file.
#[derive(Debug)]
pub(super) struct Results<'a> {
    app: &'a Arc<App>,
    context: Arc<Context>,
    place: &'a Place,
    plan: &'a Plan,
    /// By position, from 1: whether nothing is left to do.
    done: Vec<bool>,
    /// Up to which position all are done.
    done_up_to: usize,
    count: u64,
    pub(super) not_signed: Vec<NotSigned>,
}

impl<'a> Results<'a> {
    pub(super) fn new(app: &'a Arc<App>, context: Arc<Context>, place: &'a Place, plan: &'a Plan) -> Self {
        let done = vec![false; plan.items.len()];
        Self { app, context, place, plan, done, done_up_to: 0, count: 0, not_signed: Vec::new() }
    }

    /// Items that are done.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Whose they are.
    pub(super) fn batch_id(&self) -> BatchId {
        self.context.row.id.clone()
    }

    /// Writes what has ended since the last time. Tells items that ended without a file as they come.
    pub(super) async fn write(&mut self, tell: impl Fn(&NotSigned)) -> Result<(), Failure> {
        let (id, first) = (self.context.row.id.clone(), position(self.done_up_to));
        let ended =
            self.app.store.read(move |connection| items::ended_positions(connection, &id, first)).await;
        let ended = ended.map_err(|error| of_store(&error))?;
        let new: Vec<i64> = ended.into_iter().filter(|position| !self.done[index(*position)]).collect();
        for some in new.chunks(AT_ONCE) {
            let (id, positions) = (self.context.row.id.clone(), some.to_vec());
            let rows = self.app.store.read(move |connection| items::at(connection, &id, &positions)).await;
            let rows = rows.map_err(|error| of_store(&error))?;
            let made = artefacts(self.app, &self.context, rows).await.map_err(|error| of_artefact(&error))?;
            self.write_files(&made).await?;
            for (row, _) in made {
                self.done[index(row.position)] = true;
                self.count += 1;
                if row.state != SignatureState::Released {
                    let item = NotSigned { reference: row.reference, problem: row.problem };
                    tell(&item);
                    self.not_signed.push(item);
                }
            }
        }
        while self.done.get(self.done_up_to) == Some(&true) {
            self.done_up_to += 1;
        }
        Ok(())
    }

    async fn write_files(&self, made: &[(ItemRow, Option<Vec<Part>>)]) -> Result<(), Failure> {
        let mut writing = JoinSet::new();
        for (row, parts) in made {
            let (Some(artefact), Some(parts)) = (&row.artefact, parts) else { continue };
            if writing.len() == FILES {
                joined(writing.join_next().await)?;
            }
            let target = self.place.folder().join(&self.item(row).file);
            let (app, artefact, parts) = (Arc::clone(self.app), artefact.clone(), parts.clone());
            writing.spawn(async move { write_file(&app, &target, &artefact, parts).await });
        }
        while let Some(ended) = writing.join_next().await {
            joined(Some(ended))?;
        }
        Ok(())
    }

    /// The line of the plan for an item.
    fn item(&self, row: &ItemRow) -> &Item {
        &self.plan.items[index(row.position)]
    }

    /// Writes the listing of all items.
    pub(super) async fn write_listing(&self) -> Result<(), Failure> {
        let path = self.place.results();
        let mut draft = Draft::beside(&path)?;
        let mut after = 0;
        loop {
            let id = self.context.row.id.clone();
            let page = self.app.store.read(move |connection| items::page(connection, &id, after, 256)).await;
            let page = page.map_err(|error| of_store(&error))?;
            let Some(last) = page.last() else { break };
            after = last.position;
            let mut lines = String::new();
            for row in page {
                let file =
                    row.artefact.is_some().then(|| self.item(&row).file.to_string_lossy().into_owned());
                let result = BatchResult { file, item: row.to_wire() };
                lines.push_str(
                    &serde_json::to_string(&result).expect("a result has only strings and numbers"),
                );
                lines.push('\n');
            }
            draft.write(lines.as_bytes())?;
        }
        draft.finish()
    }
}

fn index(position: i64) -> usize {
    usize::try_from(position - 1).expect("positions count from 1")
}

fn position(index: usize) -> i64 {
    i64::try_from(index).expect("a batch has at most 100 000 items") + 1
}

fn joined(ended: Option<Result<Result<(), Failure>, tokio::task::JoinError>>) -> Result<(), Failure> {
    match ended {
        None => Ok(()),
        Some(Ok(result)) => result,
        Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Writes a file, unless the right one is there.
async fn write_file(
    app: &App,
    target: &Path,
    artefact: &ItemArtefact,
    parts: Vec<Part>,
) -> Result<(), Failure> {
    if tokio::task::block_in_place(|| is_there(target, artefact)) {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    let mut draft = Draft::beside(target)?;
    let mut pieces = Parts::open(&app.objects, parts).await.map_err(|error| of_object(&error, target))?;
    while let Some(piece) = pieces.next().await.map_err(|error| of_object(&error, target))? {
        tokio::task::block_in_place(|| draft.write(&piece))?;
    }
    tokio::task::block_in_place(|| draft.finish())
}

/// Whether a run before this one has written it. What is there with other bytes is written anew.
fn is_there(target: &Path, artefact: &ItemArtefact) -> bool {
    let has_size = target.metadata().is_ok_and(|file| file.is_file() && file.len() == artefact.size_bytes);
    has_size
        && Input::open(target).is_ok_and(|file| file.sha256().is_ok_and(|sha256| sha256 == artefact.sha256))
}
