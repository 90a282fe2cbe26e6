//! Worker threads, each with a session of its own, behind one bounded queue.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::token::Token;
use crate::ports::{KeyReference, SigningKeyError};

/// Calls that wait for a worker; above it the caller is told at once.
const QUEUE_LENGTH: usize = 1024;

/// What a worker is asked for.
#[derive(Debug)]
pub(super) enum Work {
    /// Sign a digest.
    Sign { key: KeyReference, sha256: [u8; 32] },
    /// Make and verify a signature with the canary key.
    Canary,
}

type Reply = oneshot::Sender<Result<Vec<u8>, SigningKeyError>>;

/// Time that a drop waits for the workers: long enough to log out in order, short enough for one that hangs.
const END_TIME: Duration = Duration::from_secs(3);

/// The workers. They end with the pool, and with them the login.
#[derive(Debug)]
pub(super) struct Pool {
    /// `None` only while dropping.
    queue: Option<mpsc::SyncSender<(Work, Reply)>>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    pub(super) fn start(token: Arc<Token>, workers: usize) -> Self {
        let (queue, jobs) = mpsc::sync_channel(QUEUE_LENGTH);
        let jobs = Arc::new(Mutex::new(jobs));
        let start = |worker| {
            let (token, jobs) = (Arc::clone(&token), Arc::clone(&jobs));
            thread::Builder::new()
                .name(format!("token-{worker}"))
                .spawn(move || work(worker, &token, &jobs))
                .expect("the system can start as many threads as sessions are configured")
        };
        Self { queue: Some(queue), workers: (0..workers).map(start).collect() }
    }

    /// Queues work; the receiver resolves when it is done.
    pub(super) fn submit(
        &self,
        work: Work,
    ) -> Result<oneshot::Receiver<Result<Vec<u8>, SigningKeyError>>, SigningKeyError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().expect("the queue is there until the drop");
        queue
            .try_send((work, reply))
            .map_err(|_| SigningKeyError::Unavailable("too many calls wait for the token".to_owned()))?;
        Ok(answer)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.queue.take());
        let deadline = Instant::now() + END_TIME;
        for worker in self.workers.drain(..) {
            while !worker.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            if worker.is_finished() {
                let _ = worker.join();
            }
        }
    }
}

fn work(worker: usize, token: &Token, jobs: &Mutex<mpsc::Receiver<(Work, Reply)>>) {
    loop {
        let next = jobs.lock().expect("no worker panics while it waits for work").recv();
        let Ok((work, reply)) = next else { return };
        // The caller's deadline passed while the call waited: using the key now would help nobody.
        if reply.is_closed() {
            continue;
        }
        let result = match work {
            Work::Sign { key, sha256 } => token.sign(worker, &key, &sha256),
            Work::Canary => token.canary(worker).map(|()| Vec::new()),
        };
        let _ = reply.send(result);
    }
}
