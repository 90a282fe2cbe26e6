//! The conversation with one agent process, from its start to its end.

mod flights;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroize;

use super::login::Login;
use super::pace::{self, Rate};
use super::process::Process;
use super::state::{Change, Check, Item, Shared};
use crate::ports::{AgentState, KeyAlgorithm, KeyReference, KeyWork, SigningKeyError};
use crate::random;
use crate::token_agent::protocol::{
    self, Answers, Ending, PinFlags, Ready, ToServer, first_frame, put_canary, put_change, put_pin,
    put_settings, put_sign,
};
use flights::{Flight, Flights};

/// An agent may take this many deadlines to load its module, initialise it and find its keys.
const CONNECT_DEADLINES: u32 = 3;
/// Making a key may take this many deadlines: RSA is a search for primes, and some devices are slow at it.
pub(super) const CHANGE_DEADLINES: u32 = 6;
/// Read at once.
const READ_BYTES: usize = 64 * 1024;

/// Why a process is gone.
#[derive(Debug)]
pub(super) struct End {
    pub(super) error: SigningKeyError,
    pub(super) up_since: Option<Instant>,
    /// Of the process that is gone; 0 when none was started.
    pub(super) pid: u32,
}

/// One agent process and what is said.
#[derive(Debug)]
pub(super) struct Talk<'a> {
    shared: &'a Shared,
    index: usize,
    stream: UnixStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The outbox holds a PIN.
    outbox_is_secret: bool,
    flights: Flights,
    rate: Rate,
    taken: Vec<Item>,
    sessions: u16,
    retries: u32,
    ready: Option<Ready>,
    up_since: Option<Instant>,
    /// `None` while it waits for its turn to log in, and once it is up.
    connect_by: Option<Instant>,
    next_canary: Option<Instant>,
    /// Held from the moment that the PIN goes out until its fate is known.
    login: Option<OwnedMutexGuard<Login>>,
}

/// Waiting for the turn to log in.
type Turn = Pin<Box<dyn Future<Output = OwnedMutexGuard<Login>> + Send>>;

impl<'a> Talk<'a> {
    /// Starts a process and talks to it until it is gone; `None` when the server stops.
    pub(super) async fn hold(shared: &'a Shared, index: usize) -> Option<End> {
        let failed = |error: std::io::Error| End {
            error: SigningKeyError::AgentFailed(format!("it cannot be started: {error}")),
            up_since: None,
            pid: 0,
        };
        let started = Process::start(&shared.settings)
            .and_then(|(process, socket)| Ok((process, UnixStream::from_std(socket)?)));
        let (mut process, stream) = match started {
            Ok(started) => started,
            Err(error) => return Some(failed(error)),
        };
        shared.update(index, |agent| agent.pid = Some(process.id()));
        let mut talk = Self {
            shared,
            index,
            stream,
            inbox: Vec::with_capacity(2 * READ_BYTES),
            outbox: Vec::with_capacity(READ_BYTES),
            outbox_is_secret: false,
            flights: Flights::default(),
            rate: Rate::default(),
            taken: Vec::new(),
            sessions: 0,
            retries: 0,
            ready: None,
            up_since: None,
            connect_by: Some(Instant::now() + shared.settings.call_timeout * CONNECT_DEADLINES),
            next_canary: None,
            login: None,
        };
        put_settings(&mut talk.outbox, &shared.settings.agent);
        let result = talk.run(process.id()).await;
        let (flights, up_since) = (std::mem::take(&mut talk.flights), talk.up_since);
        if let Some(mut login) = talk.login.take() {
            login.untold += 1;
        }
        let Err(mut error) = result else {
            // The end of the socket tells the agent to end.
            drop(talk);
            process.end().await;
            return None;
        };
        if let SigningKeyError::AgentFailed(text) = &mut error
            && text.is_empty()
        {
            *text = process.exit_text().await;
        }
        let pid = process.id();
        process.kill();
        drop(talk);
        if error.is_about_the_pin() {
            shared.latch(&error);
        }
        let (items, checks, changes) = flights.into_parts();
        for reply in changes {
            // Whoever asked has gone.
            let _ = reply.send(Err(error.clone()));
        }
        for check in checks {
            // Whoever asked has gone.
            let _ = check.send(Err(error.clone()));
        }
        // Before they are queued again, so that this agent does not count as one that could take them.
        shared.set_state(index, AgentState::Starting, Some(error.clone()));
        shared.take_back(items, &error);
        Some(End { error, up_since, pid })
    }

    /// Talks until the server stops (`Ok`) or the agent has to go.
    async fn run(&mut self, pid: u32) -> Result<(), SigningKeyError> {
        let mut scratch = vec![0; READ_BYTES];
        let mut turn: Option<(PinFlags, Turn)> = None;
        loop {
            self.feed();
            self.write()?;
            let interest = if self.outbox.is_empty() {
                Interest::READABLE
            } else {
                Interest::READABLE | Interest::WRITABLE
            };
            let timer = tokio::time::Instant::from_std(self.next_look());
            tokio::select! {
                ready = self.stream.ready(interest) => {
                    let ready = ready.map_err(|error| broken(&error))?;
                    if ready.is_readable() {
                        self.read(&mut scratch)?;
                        if let Some(flags) = self.understand(pid)? {
                            // Whoever logs in now may take long: this agent is not to blame.
                            self.connect_by = None;
                            turn = Some((flags, Box::pin(Arc::clone(&self.shared.login).lock_owned())));
                        }
                    }
                }
                guard = async { (&mut turn.as_mut().expect("checked by the guard").1).await }, if turn.is_some() => {
                    let flags = turn.take().map(|(flags, _)| flags).unwrap_or_default();
                    self.decide(flags, guard)?;
                }
                () = self.shared.work.notified(), if self.wants_work() => {}
                () = tokio::time::sleep_until(timer) => self.look()?,
                () = self.shared.stopped() => return Ok(()),
            }
        }
    }

    fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    fn wants_work(&self) -> bool {
        self.is_up() && self.flights.len() <= self.window() / 2
    }

    fn window(&self) -> usize {
        pace::window(self.rate.per_second(), self.sessions)
    }

    /// Sends what the agent can take.
    fn feed(&mut self) {
        // Nothing joins a secret in the outbox: growing would leave a copy of it behind.
        if !self.is_up() || self.outbox_is_secret {
            return;
        }
        if let Some(change) = self.shared.take_change() {
            self.send_change(change);
            // Another agent takes what else waits.
            self.shared.work.notify_one();
            return;
        }
        for check in self.shared.take_checks() {
            self.send_canary(Some(check));
        }
        if !self.wants_work() {
            return;
        }
        let most = self.window() - self.flights.len();
        self.shared.take(most, &mut self.taken);
        if self.taken.is_empty() {
            return;
        }
        let now = Instant::now();
        self.rate.note(now, 0, self.flights.len() + self.taken.len());
        let mut keys: Vec<&KeyReference> = Vec::new();
        let mut digests = Vec::with_capacity(self.taken.len());
        for item in &self.taken {
            let (key, sha256) = item.digest();
            let place = keys.iter().rposition(|known| *known == key).unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            });
            let place = u16::try_from(place).expect("a frame has at most 256 keys");
            digests.push((self.flights.board(Flight::Digest(item.clone()), now), place, sha256));
        }
        put_sign(&mut self.outbox, &keys, digests.into_iter());
        self.taken.clear();
    }

    fn send_change(&mut self, Change { work, reply }: Change) {
        let deadlines = self.shared.settings.call_timeout * (CHANGE_DEADLINES - 1);
        let id = self.flights.board(Flight::Change(reply), Instant::now() + deadlines);
        self.outbox_is_secret = matches!(work, KeyWork::Import { .. });
        if self.outbox_is_secret {
            self.outbox.reserve(READ_BYTES);
        }
        put_change(&mut self.outbox, id, &work);
    }

    fn send_canary(&mut self, check: Option<Check>) {
        let message = random::bytes::<32>();
        let hash = digest(&SHA256, &message);
        let sha256 = hash.as_ref().try_into().expect("SHA-256 has 32 bytes");
        let now = Instant::now();
        let id = self.flights.board(Flight::Canary { message, check }, now);
        self.rate.note(now, 0, self.flights.len());
        put_canary(&mut self.outbox, id, &sha256);
        self.next_canary = Some(now + self.shared.settings.canary_interval);
    }

    /// Writes as much as goes without waiting.
    fn write(&mut self) -> Result<(), SigningKeyError> {
        while !self.outbox.is_empty() {
            match self.stream.try_write(&self.outbox) {
                Ok(written) if written == self.outbox.len() => {
                    if self.outbox_is_secret {
                        self.outbox.zeroize();
                        self.outbox_is_secret = false;
                    }
                    self.outbox.clear();
                }
                Ok(written) => {
                    self.outbox.drain(..written);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(broken(&error)),
            }
        }
        Ok(())
    }

    fn read(&mut self, scratch: &mut [u8]) -> Result<(), SigningKeyError> {
        match self.stream.try_read(scratch) {
            Ok(0) => Err(SigningKeyError::AgentFailed(String::new())),
            Ok(count) => {
                self.inbox.extend_from_slice(&scratch[..count]);
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(broken(&error)),
        }
    }

    /// Acts on every whole frame; gives the flags of the token when the agent wants to log in.
    fn understand(&mut self, pid: u32) -> Result<Option<PinFlags>, SigningKeyError> {
        let mut wanted = None;
        let inbox = std::mem::take(&mut self.inbox);
        let mut rest = inbox.as_slice();
        while let Some((frame, length)) = first_frame(rest).map_err(malformed)? {
            match ToServer::decode(frame).map_err(malformed)? {
                ToServer::PinWanted(flags) => wanted = Some(flags),
                ToServer::PinTried(result) => self.settle_login(result)?,
                ToServer::Ready(ready) => self.note_ready(ready, pid),
                ToServer::Answers(answers) => self.take_answers(answers)?,
                ToServer::Ending(Ending::Token(error)) => return Err(error),
                ToServer::Ending(Ending::Module(text)) => {
                    self.shared.note_module_problem(text.clone());
                    return Err(SigningKeyError::Unavailable(text));
                }
            }
            rest = &rest[length..];
        }
        let left = rest.len();
        let used = inbox.len() - left;
        self.inbox = inbox;
        self.inbox.drain(..used);
        Ok(wanted)
    }

    /// It is this agent's turn to log in: lets it, or ends it.
    fn decide(&mut self, flags: PinFlags, guard: OwnedMutexGuard<Login>) -> Result<(), SigningKeyError> {
        if let Some(error) = self.shared.latched() {
            return Err(error);
        }
        guard.may_try(flags)?;
        if self.ready.is_none() {
            self.connect_by = Some(Instant::now() + self.shared.settings.call_timeout * CONNECT_DEADLINES);
        }
        self.login = Some(guard);
        // So that no copy is left behind by growing.
        self.outbox.reserve(super::super::LONGEST_TEXT + 64);
        put_pin(&mut self.outbox, Some(&self.shared.settings.pin));
        self.outbox_is_secret = true;
        Ok(())
    }

    fn settle_login(&mut self, result: Result<(), SigningKeyError>) -> Result<(), SigningKeyError> {
        let Some(mut login) = self.login.take() else {
            return Err(malformed(protocol::ProtocolError("it tells of a login that was not allowed")));
        };
        match result {
            Ok(()) => login.proven = true,
            Err(error) if error.is_about_the_pin() => {
                // Before the turn passes on.
                self.shared.latch(&error);
                return Err(error);
            }
            // The agent goes on to say what follows from it.
            Err(_) => {}
        }
        Ok(())
    }

    fn note_ready(&mut self, ready: Ready, pid: u32) {
        self.connect_by = None;
        let canary = ready.canary.is_some();
        tracing::debug!(
            agent.number = self.index,
            agent.pid = pid,
            keys = ready.keys,
            "a token agent is connected"
        );
        self.ready = Some(ready);
        if canary {
            // No traffic before a real signature.
            self.send_canary(None);
        } else {
            let missing = "the token has no canary key; `rubrica doctor --fix` makes one";
            self.come_up(Some(SigningKeyError::KeyUnusable(missing.to_owned())));
        }
    }

    fn come_up(&mut self, problem: Option<SigningKeyError>) {
        if self.is_up() {
            self.shared.update(self.index, |agent| agent.problem = problem);
            return;
        }
        self.up_since = Some(Instant::now());
        self.shared.set_state(self.index, AgentState::Up, problem);
    }

    fn take_answers(&mut self, mut answers: Answers<'_>) -> Result<(), SigningKeyError> {
        let vitals = answers.vitals;
        let mut count = 0;
        while let Some((id, result)) = answers.next().map_err(malformed)? {
            let flight = self
                .flights
                .land(id)
                .ok_or_else(|| malformed(protocol::ProtocolError("an answer to nothing we asked")))?;
            match flight {
                Flight::Digest(item) => self.shared.answer(&item, result.map(<[u8]>::to_vec)),
                Flight::Canary { message, check } => self.judge_canary(&message, result, check)?,
                Flight::Change(reply) => {
                    // Whoever asked has gone.
                    let _ = reply.send(result.map(<[u8]>::to_vec));
                }
            }
            count += 1;
        }
        self.rate.note(Instant::now(), count, self.flights.len());
        if vitals.retries != self.retries {
            self.shared.count_retries(vitals.retries.saturating_sub(self.retries));
            self.retries = vitals.retries;
        }
        if vitals.sessions != self.sessions {
            self.sessions = vitals.sessions;
            self.shared.update(self.index, |agent| agent.sessions = vitals.sessions);
        }
        Ok(())
    }

    /// A value that does not verify ends the agent: its next values would be no better.
    fn judge_canary(
        &mut self,
        message: &[u8],
        result: Result<&[u8], SigningKeyError>,
        check: Option<Check>,
    ) -> Result<(), SigningKeyError> {
        let judged = match result {
            Ok(value) if self.verifies(message, value) => Ok(()),
            Ok(_) => Err(SigningKeyError::Unavailable(
                "the token gave a signature that does not verify".to_owned(),
            )),
            Err(SigningKeyError::KeyMissing) => Err(SigningKeyError::KeyUnusable(
                "the token has no canary key; `rubrica doctor --fix` makes one".to_owned(),
            )),
            Err(error) => Err(error),
        };
        if let Some(check) = check {
            // Whoever asked has gone.
            let _ = check.send(judged.clone());
        }
        match judged {
            Ok(()) => {
                self.shared.update(self.index, |agent| agent.last_canary = Some(Instant::now()));
                self.come_up(None);
                Ok(())
            }
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                self.come_up(Some(error));
                Ok(())
            }
        }
    }

    fn verifies(&self, message: &[u8], value: &[u8]) -> bool {
        let Some(key) = self.ready.as_ref().and_then(|ready| ready.canary.as_ref()) else { return false };
        let verify = |algorithm: &'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(algorithm, &key.public_key).verify(message, value).is_ok()
        };
        match key.algorithm {
            KeyAlgorithm::Rsa => verify(&RSA_PKCS1_2048_8192_SHA256),
            KeyAlgorithm::Ec => verify(&ECDSA_P256_SHA256_FIXED) || verify(&ECDSA_P256_SHA256_ASN1),
        }
    }

    /// When there is something to look at, if nothing happens before.
    fn next_look(&self) -> Instant {
        let now = Instant::now();
        let flying = (!self.flights.is_empty()).then(|| now + self.shared.settings.call_timeout / 8);
        // Far enough: everything else wakes us.
        let idle = now + Duration::from_secs(3600);
        [self.connect_by, self.next_canary, flying].into_iter().flatten().min().unwrap_or(idle)
    }

    /// Looks at the deadlines.
    fn look(&mut self) -> Result<(), SigningKeyError> {
        let now = Instant::now();
        let timeout = self.shared.settings.call_timeout;
        if self.connect_by.is_some_and(|by| now >= by) {
            return Err(SigningKeyError::AgentFailed(format!(
                "it was not ready in {} ms",
                (timeout * CONNECT_DEADLINES).as_millis()
            )));
        }
        if self.flights.oldest().is_some_and(|sent| now.saturating_duration_since(sent) >= timeout) {
            return Err(SigningKeyError::AgentFailed(format!("no answer in {} ms", timeout.as_millis())));
        }
        if self.next_canary.is_some_and(|at| now >= at) {
            self.send_canary(None);
        }
        Ok(())
    }
}

fn broken(error: &std::io::Error) -> SigningKeyError {
    SigningKeyError::AgentFailed(format!("its socket: {error}"))
}

fn malformed(error: protocol::ProtocolError) -> SigningKeyError {
    SigningKeyError::AgentFailed(format!("it cannot be understood: {error}"))
}
