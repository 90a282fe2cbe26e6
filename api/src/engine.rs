//! Drives signatures from `accepted` to `released`: those of the token from the start, those of a person from the moment
//! their value is kept.
//!
//! What there is to do stands in the database as tasks; a worker holds a task by a lease, and writes under it alone. Any
//! number of processes may work on one database; what a dead one held is taken over. A crash at any point is taken up from
//! the row: what is pinned is never built again, so there is one artefact whatever happens.
//!
//! Above level b the value is committed before anybody else is asked. An authority that does not answer then costs time,
//! not the signature: the row stays `signing`, and the engine asks again.

pub(crate) mod artefact;
pub(crate) mod batch;
mod cloud;
mod composed;
mod drive;
mod expiry;
mod fair;
mod keys;
pub(crate) mod once;
mod pdf_options;
pub(crate) mod plan;
mod providers;
pub(crate) mod raise;
mod scheduler;
mod strays;
pub(crate) mod target;
mod token;
mod waiters;
pub(crate) mod worker;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinHandle};

use crate::app::App;
use crate::config;
use crate::enrolment;
use crate::ids::SignatureId;
use crate::roles::Roles;
use crate::secret::Secret;
use crate::shed::{Line, Load};
use crate::store;
use crate::store::documents::DocumentRow;
use crate::store::signatures::SignatureRow;
use crate::store::tasks::Lease;

pub(crate) use waiters::Waiters;

/// The engine's side that handlers see.
#[derive(Debug)]
pub(crate) struct Engine {
    queue: mpsc::UnboundedSender<Task>,
    /// Taken by [`run`].
    received: Mutex<Option<mpsc::UnboundedReceiver<Task>>>,
    waiting: AtomicUsize,
    most_waiting: usize,
    memory: Arc<Semaphore>,
    memory_kib: u32,
    /// As many as there are cores: more threads would only push each other off them.
    cores: Semaphore,
    /// Work that waits for a core, and for memory.
    for_core: Arc<Line>,
    for_memory: Arc<Line>,
    /// Signatures that wait for the token.
    for_token: Arc<Line>,
    pub(crate) waiters: Waiters,
    pub(crate) identity: worker::Identity,
    strays: strays::Strays,
    /// Something was added to the queue.
    added: Notify,
}

impl Engine {
    pub(crate) fn new(limits: &config::Limits) -> Self {
        let (queue, received) = mpsc::unbounded_channel();
        let memory_kib = u32::try_from(limits.memory_bytes / 1024).unwrap_or(u32::MAX).max(1);
        Self {
            queue,
            received: Mutex::new(Some(received)),
            waiting: AtomicUsize::new(0),
            most_waiting: limits.queue_length,
            memory: Arc::new(Semaphore::new(memory_kib as usize)),
            memory_kib,
            for_core: Line::new(Duration::from_millis(limits.queue_time_ms)),
            for_memory: Line::new(Duration::from_millis(limits.queue_time_ms)),
            for_token: Line::new(Duration::from_millis(limits.token_queue_time_ms)),
            cores: Semaphore::new(std::thread::available_parallelism().map_or(2, NonZero::get)),
            waiters: Waiters::default(),
            identity: worker::Identity::default(),
            strays: strays::Strays::default(),
            added: Notify::new(),
        }
    }

    /// Whether so much is waiting that a new signature should be refused.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= self.most_waiting || self.for_token.load() > Load::Normal
    }

    /// How much work of requests is waiting, without what waits for the token.
    pub(crate) fn load(&self) -> Load {
        self.for_core.load().max(self.for_memory.load())
    }

    /// Queues a signature whose row and task are committed, held by this worker.
    pub(crate) fn submit(&self, task: Task) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.for_token.join();
        // An engine that has stopped meanwhile gives the lease back with all others.
        let _ = self.queue.send(task);
    }

    /// A signature that was submitted is begun.
    fn taken(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.for_token.leave();
    }

    /// Tells that tasks were added to the queue.
    pub(crate) fn wake(&self) {
        self.added.notify_one();
    }

    async fn woken(&self) {
        self.added.notified().await;
    }

    /// Runs work that takes the processor for a while, off the async threads.
    pub(crate) async fn compute<T, F>(&self, work: F) -> Result<T, JoinError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let waiting = self.for_core.wait();
        let _core = self.cores.acquire().await.expect("the semaphore is never closed");
        drop(waiting);
        tokio::task::spawn_blocking(work).await
    }

    /// Waits until a document of this size may be held in memory, with its signed copy.
    pub(crate) async fn reserve(&self, document_bytes: u64) -> OwnedSemaphorePermit {
        let _waiting = self.for_memory.wait();
        let kib = u32::try_from(document_bytes * 2 / 1024).unwrap_or(u32::MAX).clamp(1, self.memory_kib);
        Arc::clone(&self.memory).acquire_many_owned(kib).await.expect("the semaphore is never closed")
    }
}

/// One signature to work on.
#[derive(Debug)]
pub(crate) enum Task {
    /// Just accepted.
    New(Box<NewTask>),
    /// From the queue, in whatever state, after this many tries that came to no end.
    Left(Lease, SignatureId, i64),
}

/// A signature that was just accepted: its rows are at hand, and the password of its document, which is never stored.
#[derive(Debug)]
pub(crate) struct NewTask {
    pub(crate) lease: Lease,
    pub(crate) row: SignatureRow,
    pub(crate) document: DocumentRow,
    pub(crate) password: Option<Secret>,
}

impl Task {
    const fn id(&self) -> &SignatureId {
        match self {
            Self::New(new) => &new.row.id,
            Self::Left(_, id, _) => id,
        }
    }

    const fn lease(&self) -> &Lease {
        match self {
            Self::New(new) => &new.lease,
            Self::Left(lease, ..) => lease,
        }
    }

    const fn attempts(&self) -> i64 {
        match self {
            Self::New(_) => 0,
            Self::Left(.., attempts) => *attempts,
        }
    }
}

/// A running engine.
#[derive(Debug)]
pub(crate) struct Running {
    app: Arc<App>,
    tasks: Vec<JoinHandle<()>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Running {
    /// Takes nothing new and waits for what is under way. The rest is taken up at the next start.
    pub(crate) async fn stop(self, grace: Duration) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            if tokio::time::timeout(grace, task).await.is_err() {
                tracing::warn!(
                    "signatures are still under way; they are taken up by others or at the next start"
                );
            }
        }
        worker::leave(&self.app).await;
    }
}

/// Registers this process as a worker, takes up what the last one left and starts working; as a sentinel, starts the timers.
pub(crate) async fn run(app: &Arc<App>, roles: Roles) -> Result<Running, store::StoreError> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = Vec::new();
    if roles.engine {
        worker::bury_the_last_run(app).await?;
        enrolment::sweep::end_the_last_run(app).await?;
        worker::join(app).await?;
        let received = app.engine.received.lock().await.take().expect("the engine of an app is run once");
        tasks.push(tokio::spawn(scheduler::run(Arc::clone(app), received, stopped.clone())));
        tasks.push(tokio::spawn(token::watch(Arc::clone(app), stopped.clone())));
        tasks.push(tokio::spawn(worker::watch(Arc::clone(app), stopped.clone())));
        tasks.push(tokio::spawn(enrolment::sweep::watch(Arc::clone(app), stopped.clone())));
    }
    // Whoever answers requests asks the services too.
    tasks.push(tokio::spawn(providers::watch(Arc::clone(app), stopped.clone())));
    if roles.sentinel {
        tasks.push(tokio::spawn(crate::deadlines::watch(Arc::clone(app), stopped.clone())));
        tasks.push(tokio::spawn(batch::intake::watch(Arc::clone(app), stopped.clone())));
        tasks.push(tokio::spawn(expiry::watch(Arc::clone(app), stopped.clone())));
    }
    tasks.extend(crate::watch::start(app, roles, &stopped));
    Ok(Running { app: Arc::clone(app), tasks, stop })
}
