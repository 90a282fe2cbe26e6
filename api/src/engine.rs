//! Drives signatures from `accepted` to `released`.
//!
//! For `hsm` everything happens here, one task per signature: prepare, pin, commit the intent, use the key, verify,
//! release. A crash at any point is taken up at the next start: what is pinned is never built again, so there is one
//! artefact whatever happens. For `local` the handlers call the same steps; above level b the engine takes over once the
//! value is kept.
//!
//! Above level b the value is committed before anybody else is asked. An authority that does not answer then costs time,
//! not the signature: the row stays `signing`, and the engine asks again.

pub(crate) mod artefact;
mod drive;
mod expiry;
pub(crate) mod once;
mod pdf_options;
pub(crate) mod plan;
pub(crate) mod raise;
pub(crate) mod target;
mod waiters;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use crate::app::App;
use crate::config;
use crate::ids::SignatureId;
use crate::secret::Secret;
use crate::shed::{Line, Load};
use crate::store;
use crate::store::documents::DocumentRow;
use crate::store::signatures::SignatureRow;

pub(crate) use waiters::Waiters;

/// Signatures under way at the same time: enough to fill a group commit while the token works.
const MOST_UNDER_WAY: usize = 96;

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

    /// Queues a signature whose row is committed.
    pub(crate) fn submit(&self, task: Task) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.for_token.join();
        // Without a running engine the row waits for the next start.
        let _ = self.queue.send(task);
    }

    /// Queues a signature again after a while.
    pub(crate) fn submit_later(app: &Arc<App>, id: SignatureId, pause: Duration) {
        let app = Arc::clone(app);
        tokio::spawn(async move {
            let mut stopping = app.stopping.subscribe();
            tokio::select! {
                () = tokio::time::sleep(pause) => app.engine.submit(Task::Left(id)),
                // The next start takes it up.
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        });
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
    /// Just accepted: its rows are at hand, and the password of its document, which is never stored.
    New(Box<SignatureRow>, Box<DocumentRow>, Option<Secret>),
    /// Left by the last run, in whatever state.
    Left(SignatureId),
}

impl Task {
    fn id(&self) -> &SignatureId {
        match self {
            Self::New(row, ..) => &row.id,
            Self::Left(id) => id,
        }
    }

    fn password(&self) -> Option<&Secret> {
        match self {
            Self::New(_, _, password) => password.as_ref(),
            Self::Left(_) => None,
        }
    }
}

/// A running engine.
#[derive(Debug)]
pub(crate) struct Running {
    tasks: Vec<JoinHandle<()>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Running {
    /// Takes nothing new and waits for what is under way. The rest is taken up at the next start.
    pub(crate) async fn stop(self, grace: Duration) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            if tokio::time::timeout(grace, task).await.is_err() {
                tracing::warn!("signatures are still under way; they continue at the next start");
            }
        }
    }
}

/// Takes up what the last process left and starts working.
pub(crate) async fn run(app: &Arc<App>) -> Result<Running, store::StoreError> {
    let left = app.store.read(store::signatures::under_way).await?;
    if !left.is_empty() {
        tracing::info!(signatures = left.len(), "taking up signatures of the last run");
    }
    for id in left {
        app.engine.submit(Task::Left(id));
    }
    let received = app.engine.received.lock().await.take().expect("the engine of an app is run once");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let tasks = vec![
        tokio::spawn(work(Arc::clone(app), received, stopped.clone())),
        tokio::spawn(crate::deadlines::watch(Arc::clone(app), stopped.clone())),
        tokio::spawn(expiry::watch(Arc::clone(app), stopped)),
    ];
    Ok(Running { tasks, stop })
}

async fn work(
    app: Arc<App>,
    mut received: mpsc::UnboundedReceiver<Task>,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) {
    let mut under_way = JoinSet::new();
    loop {
        let next = tokio::select! {
            biased;
            _ = stopped.changed() => break,
            Some(_) = under_way.join_next(), if !under_way.is_empty() => continue,
            next = received.recv(), if under_way.len() < MOST_UNDER_WAY => next,
        };
        let Some(task) = next else { break };
        app.engine.waiting.fetch_sub(1, Ordering::Relaxed);
        app.engine.for_token.leave();
        let app = Arc::clone(&app);
        under_way.spawn(async move { drive::drive(&app, task).await });
    }
    while under_way.join_next().await.is_some() {}
}
