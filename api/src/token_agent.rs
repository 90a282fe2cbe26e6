//! The token agent: the process that holds a PKCS#11 module, so that the server never does.
//!
//! A module is foreign code that can hang, crash and write where it likes, and none of its calls can be cancelled. Here
//! it does that to a process which holds nothing else: the server ends it at its deadline and starts another one.
//!
//! The agent is this very program with a hidden command. It speaks over its standard input, one end of a pair of sockets
//! that only its server holds: there is no path and no port to protect, and when the server is gone, however it went,
//! the socket ends and the agent with it. It knows keys and digests, neither tenants nor documents. The PIN comes for
//! one login at a time, after the server has decided that there may be one.

mod control;
mod link;
pub(crate) mod protocol;
mod queue;
mod token;
mod workers;

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rubrica_core::ErrorCode;

use crate::config::Log;
use crate::failure::Failure;
use crate::telemetry;
use link::{Link, Received};
use protocol::{AgentSettings, Ending, ToAgent};
use queue::{Queue, Work};
use token::Token;

/// A change of a key, with the number that comes back in its answer.
type Change = (u32, crate::ports::KeyWork);

/// The hidden command.
pub(crate) const COMMAND: &str = "token-agent";

/// How long calls that are under way may take at the end, before the process ends without them.
const END_TIME: Duration = Duration::from_secs(2);

/// Serves the server at the other end of standard input, until that ends.
///
/// # Errors
/// When nobody started it who could be served.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    end_with_the_server();
    let misuse = || Failure::of(ErrorCode::Usage, "a token agent is started by its server only");
    let socket = std::io::stdin().as_fd().try_clone_to_owned().map_err(|_| misuse())?;
    let socket = UnixStream::from(socket);
    if socket.peer_addr().is_err() {
        return Err(misuse());
    }
    let (link, mut received) = Link::over(socket).map_err(|_| misuse())?;
    let Some(ToAgent::Settings(settings)) = received.next() else { return Err(misuse()) };
    telemetry::start(&Log { format: settings.log.format, level: settings.log.level });
    let queue = Arc::new(Queue::default());
    let (changes, to_change) = mpsc::channel();
    let agent = {
        let (link, queue) = (Arc::clone(&link), Arc::clone(&queue));
        thread::Builder::new()
            .name("token".to_owned())
            .spawn(move || serve(settings, &link, &queue, to_change))
            .expect("a new process can start a thread")
    };
    receive(&mut received, &queue, changes);
    // The server is gone, or asks us to go.
    queue.close();
    let deadline = Instant::now() + END_TIME;
    while !agent.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    if !agent.is_finished() {
        // A call hangs in the module: nothing is left to be done in order.
        std::process::exit(1);
    }
    Ok(ExitCode::SUCCESS)
}

/// Hands out what comes in, until the socket ends or something else than a server speaks.
fn receive(received: &mut Received, queue: &Queue, changes: Sender<Change>) {
    while let Some(message) = received.next() {
        match message {
            ToAgent::Sign(items) => queue.push(items.into_iter().map(Work::Sign)),
            ToAgent::Canary { id, sha256 } => queue.push_first(Work::Canary { id, sha256 }),
            ToAgent::Change { id, work } => {
                // Nobody takes it any more when the agent is about to end.
                let _ = changes.send((id, work));
            }
            ToAgent::Pin(pin) => received.hand_over(pin),
            ToAgent::Settings(_) => break,
        }
    }
    received.end();
}

/// Connects and signs until the queue is closed, or tells why it cannot and waits to be ended.
fn serve(settings: AgentSettings, link: &Arc<Link>, queue: &Arc<Queue>, changes: Receiver<Change>) {
    let token = match Token::load(settings, Arc::clone(link)) {
        Ok(token) => Arc::new(token),
        Err(text) => return link.tell_ending(&Ending::Module(text)),
    };
    match token.connect() {
        Ok(()) => {
            let (changing, link_of_changes, queue_of_changes) =
                (Arc::clone(&token), Arc::clone(link), Arc::clone(queue));
            // Making a key takes long: no signature waits behind it.
            let started = thread::Builder::new()
                .name("token-changes".to_owned())
                .spawn(move || workers::change(&changing, &link_of_changes, &queue_of_changes, &changes));
            if let Err(error) = started {
                tracing::error!(%error, "no thread for changes of keys");
            }
            workers::run(&token, link, queue);
        }
        Err(problem) => link.tell_ending(&Ending::Token(problem.into_token_error())),
    }
    token.close();
}

/// The kernel ends us when the server is gone, also when the module hangs or somebody has stopped us.
#[cfg(target_os = "linux")]
fn end_with_the_server() {
    use rustix::process::{Signal, set_parent_process_death_signal};
    // Without it the end of the socket still ends us, only later.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

#[cfg(not(target_os = "linux"))]
fn end_with_the_server() {}
