//! The threads that call the module: each takes a share of what waits, signs it, and sends the values while the others
//! still work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::control::{Control, WINDOW_MS, WINDOW_SIGNATURES, Window};
use super::link::Link;
use super::protocol::{AnswerFrame, Ending, Vitals};
use super::queue::{Queue, Taken, Work};
use super::token::{Failed, Token};
use crate::ports::KeyWork;

/// Values are sent at least this often while there are any: whoever waits for the first need not wait for all.
const SEND_EVERY: Duration = Duration::from_millis(5);
/// Digests that a worker takes at once, at most.
const MOST_TAKEN: usize = 32;
/// Signatures that were alone in the module, for the usual time of one.
const ALONE: usize = 15;

/// What the workers of one agent share.
#[derive(Debug)]
struct Shared {
    token: Arc<Token>,
    link: Arc<Link>,
    queue: Arc<Queue>,
    /// Calls that are in the module now.
    calling: AtomicUsize,
    pace: Mutex<Pace>,
}

/// What is measured, and the number of sessions that follows from it.
#[derive(Debug)]
struct Pace {
    control: Control,
    begun: Instant,
    /// Times in microseconds, with the length of the value: it tells the kinds of key apart.
    times: Vec<(usize, u32)>,
    /// Times of signatures that were alone in the module, by length of the value.
    alone: Vec<(usize, Vec<u32>)>,
    /// Threads that were started.
    threads: usize,
}

/// Signs until the queue is closed.
pub(super) fn run(token: &Arc<Token>, link: &Arc<Link>, queue: &Arc<Queue>) {
    let control = Control::new(token.most_sessions());
    let shared = Arc::new(Shared {
        token: Arc::clone(token),
        link: Arc::clone(link),
        queue: Arc::clone(queue),
        calling: AtomicUsize::new(0),
        pace: Mutex::new(Pace {
            control,
            begun: Instant::now(),
            times: Vec::new(),
            alone: Vec::new(),
            threads: 1,
        }),
    });
    let sessions = shared.pace.lock().unwrap_or_else(PoisonError::into_inner).control.sessions();
    shared.use_sessions(sessions);
    work(0, &shared);
    // The others leave as well; one that hangs in the module is not waited for here.
}

/// Changes keys, one at a time, until the server is gone or the token cannot be used any more.
pub(super) fn change(token: &Token, link: &Link, queue: &Queue, changes: &Receiver<(u32, KeyWork)>) {
    let mut out = Vec::new();
    while let Ok((id, work)) = changes.recv() {
        let result = match token.change(&work) {
            Ok(value) => Ok(value),
            Err(Failed::Digest(error)) => Err(error),
            Err(Failed::Agent(error)) => {
                queue.close();
                return link.tell_ending(&Ending::Token(error));
            }
        };
        out.clear();
        let (epoch, retries) = token.vitals();
        let sessions = queue.active();
        AnswerFrame::begin(&mut out, Vitals { sessions, epoch, retries }).push(id, result.as_deref());
        link.send(&out);
    }
}

impl Shared {
    fn use_sessions(self: &Arc<Self>, sessions: usize) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        while pace.threads < sessions {
            let (worker, shared) = (pace.threads, Arc::clone(self));
            let started =
                thread::Builder::new().name(format!("token-{worker}")).spawn(move || work(worker, &shared));
            if let Err(error) = started {
                tracing::warn!(%error, "no thread for a further session");
                pace.control.limit(worker);
                break;
            }
            pace.threads += 1;
        }
        self.queue.set_active(pace.control.sessions());
    }

    /// Takes note of what a worker measured, and changes the number of sessions when a window is over.
    fn note(self: &Arc<Self>, taken: Taken, measured: &mut Vec<Measured>) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pace.control.sessions();
        if let Some(limit) = self.token.session_limit() {
            pace.control.limit(limit);
        }
        for it in measured.drain(..) {
            if it.alone {
                pace.note_alone(it.length, it.micros);
            }
            pace.times.push((it.length, it.micros));
        }
        if (taken == Taken::Some { backlog: false }) {
            // Sessions that wait for work say nothing about how many are needed.
            pace.times.clear();
            pace.begun = Instant::now();
        } else if let Some(window) = pace.window() {
            pace.control.step(window);
            pace.times.clear();
            pace.begun = Instant::now();
        }
        let sessions = pace.control.sessions();
        drop(pace);
        if sessions != before {
            tracing::debug!(agent.pid = std::process::id(), sessions, "sessions that sign");
            self.use_sessions(sessions);
        }
    }

    fn vitals(&self) -> Vitals {
        let (epoch, retries) = self.token.vitals();
        let sessions = self.pace.lock().unwrap_or_else(PoisonError::into_inner).control.sessions();
        Vitals { sessions: u16::try_from(sessions).unwrap_or(u16::MAX), epoch, retries }
    }
}

impl Pace {
    fn note_alone(&mut self, length: usize, micros: u32) {
        let place = self.alone.iter().position(|(known, _)| *known == length).unwrap_or_else(|| {
            self.alone.push((length, Vec::with_capacity(ALONE)));
            self.alone.len() - 1
        });
        let samples = &mut self.alone[place].1;
        if samples.len() < ALONE {
            samples.push(micros);
            samples.sort_unstable();
        }
    }

    /// The usual time of one signature that is alone.
    fn usual(&self, length: usize) -> Option<f64> {
        let (_, samples) = self.alone.iter().find(|(known, _)| *known == length)?;
        (samples.len() == ALONE).then(|| f64::from(samples[ALONE / 2].max(1)))
    }

    fn window(&self) -> Option<Window> {
        let elapsed = self.begun.elapsed();
        if self.times.len() < WINDOW_SIGNATURES || elapsed < Duration::from_millis(WINDOW_MS) {
            return None;
        }
        let mut ratios: Vec<f64> = self
            .times
            .iter()
            .filter_map(|(length, micros)| Some(f64::from(*micros) / self.usual(*length)?))
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let slowest = ratios.get((ratios.len() * 99 / 100).min(ratios.len().saturating_sub(1))).copied();
        #[expect(clippy::cast_precision_loss, reason = "a count of signatures")]
        let rate = self.times.len() as f64 / elapsed.as_secs_f64();
        Some(Window { rate, slowest })
    }
}

/// One signature, as a worker saw it.
#[derive(Debug)]
struct Measured {
    length: usize,
    micros: u32,
    alone: bool,
}

fn work(worker: usize, shared: &Arc<Shared>) {
    let mut taken = Vec::with_capacity(MOST_TAKEN);
    let mut measured = Vec::with_capacity(MOST_TAKEN);
    let mut out = Vec::new();
    // How many fit into the time after which values are sent.
    let mut most = 1;
    loop {
        let share = shared.queue.take(worker, most, &mut taken);
        if share == Taken::Nothing {
            return;
        }
        let begun = Instant::now();
        let count = taken.len();
        let result = sign_share(worker, shared, &mut taken, &mut measured, &mut out);
        if !out.is_empty() {
            shared.link.send(&out);
            out.clear();
        }
        if let Err(error) = result {
            shared.queue.close();
            shared.link.tell_ending(&Ending::Token(error));
            return;
        }
        let each = begun.elapsed().max(Duration::from_micros(1)) / u32::try_from(count).unwrap_or(1);
        let fitting = SEND_EVERY.as_nanos() / each.as_nanos().max(1);
        most = usize::try_from(fitting).unwrap_or(MOST_TAKEN).clamp(1, MOST_TAKEN);
        shared.note(share, &mut measured);
    }
}

fn sign_share(
    worker: usize,
    shared: &Shared,
    taken: &mut Vec<Work>,
    measured: &mut Vec<Measured>,
    out: &mut Vec<u8>,
) -> Result<(), crate::ports::SigningKeyError> {
    let vitals = shared.vitals();
    let mut work = taken.drain(..);
    let mut next = work.next();
    while next.is_some() {
        let mut frame = AnswerFrame::begin(out, vitals);
        let sent = Instant::now();
        while let Some(item) = next {
            let begun = Instant::now();
            let others = shared.calling.fetch_add(1, Ordering::Relaxed);
            let (id, result) = match &item {
                Work::Sign(item) => (item.id, shared.token.sign(worker, &item.key, &item.sha256)),
                Work::Canary { id, sha256 } => (*id, shared.token.sign_canary(worker, sha256)),
            };
            let still = shared.calling.fetch_sub(1, Ordering::Relaxed);
            let now = Instant::now();
            match result {
                Ok(value) => {
                    measured.push(Measured {
                        length: value.len(),
                        micros: u32::try_from((now - begun).as_micros()).unwrap_or(u32::MAX),
                        alone: others == 0 && still == 1,
                    });
                    frame.push(id, Ok(&value));
                }
                Err(Failed::Digest(error)) => frame.push(id, Err(&error)),
                // The server gives what is unanswered to another agent.
                Err(Failed::Agent(error)) => return Err(error),
            }
            next = work.next();
            if now - sent > SEND_EVERY {
                break;
            }
        }
        drop(frame);
        if next.is_some() {
            shared.link.send(out);
            out.clear();
        }
    }
    Ok(())
}
