//! Worker threads, each with a session of its own, behind one bounded queue.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;

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

/// The workers. They end when the pool is dropped.
#[derive(Debug)]
pub(super) struct Pool {
    queue: mpsc::SyncSender<(Work, Reply)>,
}

impl Pool {
    pub(super) fn start(token: &Arc<Token>, workers: usize) -> Self {
        let (queue, jobs) = mpsc::sync_channel(QUEUE_LENGTH);
        let jobs = Arc::new(Mutex::new(jobs));
        for worker in 0..workers {
            let (token, jobs) = (Arc::clone(token), Arc::clone(&jobs));
            thread::Builder::new()
                .name(format!("token-{worker}"))
                .spawn(move || work(worker, &token, &jobs))
                .expect("the system can start as many threads as sessions are configured");
        }
        Self { queue }
    }

    /// Queues work; the receiver resolves when it is done.
    pub(super) fn submit(
        &self,
        work: Work,
    ) -> Result<oneshot::Receiver<Result<Vec<u8>, SigningKeyError>>, SigningKeyError> {
        let (reply, answer) = oneshot::channel();
        self.queue
            .try_send((work, reply))
            .map_err(|_| SigningKeyError::Unavailable("too many calls wait for the token".to_owned()))?;
        Ok(answer)
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
