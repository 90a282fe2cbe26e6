//! A foreign program, run within limits: time, output, disk, environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::secret::Secret;

/// Most that is read of each of its two outputs.
const OUTPUT_BYTES: u64 = 64 * 1024;
/// How often it is looked how much it wrote to the disk.
const LOOK: Duration = Duration::from_millis(100);
/// Variables that it gets from ours.
const INHERITED: [&str; 2] = ["PATH", "HOME"];

/// What to run, whatever the arguments.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    /// Variables that are not for everybody's eyes.
    pub(super) secrets: Vec<(&'static str, Secret)>,
    pub(super) timeout: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself, with this code and this standard output.
    Exit(i32, Vec<u8>),
    NotStarted(io::Error),
    Signal(i32),
    /// It was killed at the end of its time.
    TimedOut(Duration),
    /// It was killed because it wrote too much.
    TooMuch,
}

impl Program {
    /// Runs it in `folder`, where it may hold files of `most_bytes` together. Nothing of it is left when this resolves, or is
    /// dropped, but what it put out of its process group itself.
    pub(super) async fn run(&self, arguments: &[OsString], folder: &Path, most_bytes: u64) -> Ended {
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(folder).env_clear().envs(&self.environment);
        command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("LANG", "C.UTF-8").env("TMPDIR", folder);
        command.envs(self.secrets.iter().map(|(name, secret)| (name, secret.expose())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ended::NotStarted(error),
        };
        let mut group = Group(leader(&child));
        let ended = tokio::select! {
            ended = tokio::time::timeout(self.timeout, to_the_end(&mut child)) => {
                ended.unwrap_or(Ended::TimedOut(self.timeout))
            }
            () = grown(folder, most_bytes) => Ended::TooMuch,
        };
        if matches!(ended, Ended::TimedOut(_) | Ended::TooMuch) {
            group.kill();
            // It cannot refuse; and whoever waits takes it off the list of processes.
            let _ = child.wait().await;
        }
        group.0 = None;
        ended
    }
}

async fn to_the_end(child: &mut Child) -> Ended {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // What it writes to its standard error is not documented: it is taken off its hands, and nothing else.
    let Ok((output, _)) = tokio::try_join!(read(stdout), read(stderr)) else { return Ended::TooMuch };
    match child.wait().await {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Ended::Exit(code, output),
            (None, signal) => Ended::Signal(signal.unwrap_or_default()),
        },
        Err(error) => Ended::NotStarted(error),
    }
}

/// More than it may write.
struct TooMuch;

/// All of it.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, TooMuch> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // A broken pipe is its end.
        let _ = pipe.take(OUTPUT_BYTES + 1).read_to_end(&mut bytes).await;
    }
    if bytes.len() as u64 <= OUTPUT_BYTES { Ok(bytes) } else { Err(TooMuch) }
}

/// Resolves when the files of a folder are larger together.
async fn grown(folder: &Path, most_bytes: u64) {
    loop {
        tokio::time::sleep(LOOK).await;
        let sizes = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let sum: u64 = sizes.filter_map(|file| Some(file.metadata().ok()?.len())).sum();
        if sum > most_bytes {
            return;
        }
    }
}

/// Its process group, which is ended with the value. Its leader is not waited for before, so the number stays its own.
struct Group(Option<Pid>);

impl Group {
    fn kill(&self) {
        if let Some(leader) = self.0 {
            // Whoever is gone already needs no signal.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

fn leader(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}
