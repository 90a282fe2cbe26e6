//! Claims tasks and works on them: single signatures as they come, runs of batches in turn.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::fair::Turns;
use super::{Task, batch, drive};
use crate::app::App;
use crate::ids::{BatchId, WorkerId};
use crate::store::tasks::{Claimed, Lease, Queue, Work};
use crate::store::{self, StoreError};

/// Single signatures under way at the same time: enough to fill a group commit while the token works.
const MOST_SINGLE: usize = 96;
/// Runs of batches under way at the same time: while one waits for the disk, the next uses the token and a third is verified.
const MOST_RUNS: usize = 4;
/// Single signatures claimed in one turn.
const CLAIMED_AT_ONCE: i64 = 16;
/// The queue is looked at this often even when nobody tells of anything: other instances add tasks, pauses end.
const POLL: Duration = Duration::from_millis(250);
/// What waits in the queue is known for this long.
const QUEUES_KEPT: Duration = Duration::from_millis(100);

/// Before a task whose work panicked is tried again.
const AFTER_PANIC: Duration = Duration::from_secs(5);

/// What a finished piece of work was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    Run,
}

/// Works until `stopped` changes, then lets what is under way end.
pub(super) async fn run(
    app: Arc<App>,
    mut received: mpsc::UnboundedReceiver<Task>,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) {
    let mut scheduler = Scheduler::new(app);
    loop {
        let app = Arc::clone(&scheduler.app);
        tokio::select! {
            biased;
            _ = stopped.changed() => break,
            Some(ended) = scheduler.under_way.join_next(), if !scheduler.under_way.is_empty() => {
                // Panics are caught within: what ends here was begun here.
                if let Ok(kind) = ended {
                    scheduler.ended(kind);
                }
            }
            task = received.recv(), if scheduler.single < MOST_SINGLE => match task {
                Some(task) => {
                    app.engine.taken();
                    scheduler.begin(task);
                }
                None => break,
            },
            () = app.engine.woken() => scheduler.forget_queues(),
            () = tokio::time::sleep(POLL) => scheduler.forget_queues(),
        }
        if let Err(error) = scheduler.fill().await {
            tracing::error!(%error, "the queue cannot be read; trying again");
            scheduler.queues = Some((tokio::time::Instant::now(), Vec::new()));
        }
    }
    while scheduler.under_way.join_next().await.is_some() {}
}

struct Scheduler {
    app: Arc<App>,
    under_way: JoinSet<Kind>,
    single: usize,
    runs: usize,
    tenants: Turns<String>,
    batches: HashMap<String, Turns<BatchId>>,
    singles: Turns<String>,
    queues: Option<(tokio::time::Instant, Vec<Queue>)>,
}

impl Scheduler {
    fn new(app: Arc<App>) -> Self {
        Self {
            app,
            under_way: JoinSet::new(),
            single: 0,
            runs: 0,
            tenants: Turns::new(),
            batches: HashMap::new(),
            singles: Turns::new(),
            queues: None,
        }
    }

    const fn ended(&mut self, kind: Kind) {
        match kind {
            Kind::Single => self.single -= 1,
            Kind::Run => self.runs -= 1,
        }
    }

    /// Works on a task; one that panics is given back, or its lease would last as long as this process.
    fn spawn(&mut self, kind: Kind, lease: Lease, work: impl Future<Output = ()> + Send + 'static) {
        let app = Arc::clone(&self.app);
        self.under_way.spawn(async move {
            if tokio::spawn(work).await.is_err() {
                tracing::error!(
                    task.id = lease.task,
                    "the work on a task ended unexpectedly; it is tried again"
                );
                drive::give_back(&app, &lease, AFTER_PANIC).await;
            }
            kind
        });
    }

    fn begin(&mut self, task: Task) {
        let app = Arc::clone(&self.app);
        self.single += 1;
        self.spawn(Kind::Single, task.lease().clone(), async move { drive::drive(&app, task).await });
    }

    fn begin_claimed(&mut self, claimed: Claimed) {
        match claimed.work {
            Work::Signature(id) => self.begin(Task::Left(claimed.lease, id, claimed.attempts)),
            Work::Items { batch_id, first, last } => {
                let app = Arc::clone(&self.app);
                self.runs += 1;
                let lease = claimed.lease.clone();
                self.spawn(Kind::Run, lease, async move {
                    batch::work(&app, claimed.lease, (batch_id, first, last), claimed.attempts).await;
                });
            }
        }
    }

    fn forget_queues(&mut self) {
        self.queues = None;
    }

    /// Claims as much as there is room for.
    async fn fill(&mut self) -> Result<(), StoreError> {
        self.app.engine.strays.free(&self.app).await;
        let Some(worker) = self.app.engine.identity.id() else { return Ok(()) };
        self.fill_single(&worker).await?;
        self.fill_runs(&worker).await
    }

    async fn fill_single(&mut self, worker: &WorkerId) -> Result<(), StoreError> {
        while self.single < MOST_SINGLE {
            let queues = self.queues().await?;
            let waiting: Vec<String> = queues
                .into_iter()
                .filter(|queue| queue.batch_id.is_none())
                .map(|queue| queue.tenant)
                .collect();
            let Some(tenant) = self.singles.next(&waiting) else { return Ok(()) };
            let room = i64::try_from(MOST_SINGLE - self.single).unwrap_or(1).min(CLAIMED_AT_ONCE);
            let claimed = self.claim(Queue { tenant: tenant.clone(), batch_id: None }, worker, room).await?;
            self.singles.count(&tenant, claimed.len() as u64);
            claimed.into_iter().for_each(|claimed| self.begin_claimed(claimed));
        }
        Ok(())
    }

    async fn fill_runs(&mut self, worker: &WorkerId) -> Result<(), StoreError> {
        while self.runs < MOST_RUNS {
            let queues = self.queues().await?;
            let mut waiting: HashMap<String, Vec<BatchId>> = HashMap::new();
            for queue in queues {
                if let Some(batch_id) = queue.batch_id {
                    waiting.entry(queue.tenant).or_default().push(batch_id);
                }
            }
            self.batches.retain(|tenant, _| waiting.contains_key(tenant));
            let Some(tenant) = self.tenants.next(waiting.keys()) else { return Ok(()) };
            let turns = self.batches.entry(tenant.clone()).or_insert_with(Turns::new);
            let Some(batch_id) = turns.next(&waiting[&tenant]) else { return Ok(()) };
            let queue = Queue { tenant: tenant.clone(), batch_id: Some(batch_id.clone()) };
            let claimed = self.claim(queue, worker, 1).await?;
            for claimed in claimed {
                let items = match &claimed.work {
                    Work::Items { first, last, .. } => u64::try_from(last - first + 1).unwrap_or(1),
                    Work::Signature(_) => 1,
                };
                self.tenants.count(&tenant, items);
                if let Some(turns) = self.batches.get_mut(&tenant) {
                    turns.count(&batch_id, items);
                }
                self.begin_claimed(claimed);
            }
        }
        Ok(())
    }

    /// Claims from a line; one that gives less than was asked for is empty until the next look.
    async fn claim(
        &mut self,
        queue: Queue,
        worker: &WorkerId,
        most: i64,
    ) -> Result<Vec<Claimed>, StoreError> {
        let (line, worker, now) = (queue.clone(), worker.clone(), self.app.clock.now());
        let claimed = self
            .app
            .store
            .write(move |connection| store::tasks::claim(connection, &line, &worker, most, now))
            .await?;
        if i64::try_from(claimed.len()).unwrap_or(most) < most
            && let Some((_, queues)) = &mut self.queues
        {
            queues.retain(|known| *known != queue);
        }
        Ok(claimed)
    }

    async fn queues(&mut self) -> Result<Vec<Queue>, StoreError> {
        if let Some((read_at, queues)) = &self.queues
            && read_at.elapsed() < QUEUES_KEPT
        {
            return Ok(queues.clone());
        }
        let now = self.app.clock.now();
        let queues = self.app.store.read(move |connection| store::tasks::queues(connection, now)).await?;
        self.queues = Some((tokio::time::Instant::now(), queues.clone()));
        Ok(queues)
    }
}
