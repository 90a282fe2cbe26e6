//! The processes of the agents: how one is started and ended.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::Settings;
use crate::token_agent;

/// How long an agent may take to log out and finalise its module.
const END_TIME: Duration = Duration::from_secs(3);

/// A running agent.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts an agent and gives our end of the socket.
    pub(super) fn start(settings: &Settings) -> io::Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = Command::new(program()?);
        command
            .arg0("rubrica")
            .arg(token_agent::COMMAND)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null());
        // Ours hold secrets that are not its business, the PIN first of all.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"RUBRICA_") {
                command.env_remove(name);
            }
        }
        let child = command.envs(&settings.environment).spawn()?;
        Ok((Self { child }, ours))
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, whatever it does, and takes its exit code in the background: a process in an uninterruptible
    /// call ends only when that does.
    pub(super) fn kill(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        tokio::spawn(async move {
            while matches!(self.child.try_wait(), Ok(None)) {
                sleep(Duration::from_millis(20)).await;
            }
        });
    }

    /// Lets it end, now that its socket is closed, and ends it when it does not.
    pub(super) async fn end(mut self) {
        let deadline = Instant::now() + END_TIME;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                tracing::warn!(agent.pid = self.id(), "the token agent did not end by itself");
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// How it ended, now that its socket is closed.
    pub(super) async fn exit_text(&mut self) -> String {
        // The kernel closes the socket a little before the process is over.
        for _ in 0..50 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return format!("it ended with {status}");
            }
            sleep(Duration::from_millis(1)).await;
        }
        "it closed its socket".to_owned()
    }
}

/// This very program, also after its file was replaced by the next version.
fn program() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}
