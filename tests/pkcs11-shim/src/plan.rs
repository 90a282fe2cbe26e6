//! The plan: one line for each thing that goes wrong.
//!
//! ```text
//! C_Sign rv=0x32 every=100     # return this value at every hundredth call
//! C_Sign corrupt at=3          # change a byte of the third value
//! C_Sign corrupt digests=64    # of the digests whose last byte is a multiple of 64, whenever they come
//! C_Sign delay_ms=5            # wait before each call
//! C_Sign abort once=first      # end the process: by one call of one process, then never again under this name
//! C_Sign segv at=10            # the same, by a signal
//! C_Sign garble at=2           # write nonsense to descriptor 0, as a module might whose memory is damaged
//! C_Sign hang from=10          # never return
//! C_GetTokenInfo flags=0x20000 # set flags of the token
//! ```
//!
//! Calls are counted in each process, from 1, since the plan last changed. The first line that applies is followed; delays
//! add up.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cryptoki_sys::{CK_FLAGS, CK_RV};

/// What is left to do for the function itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Return this instead of calling.
    Return(CK_RV),
    /// Change the result.
    Corrupt,
    /// Set these flags in the result.
    Flags(CK_FLAGS),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Effect(Effect),
    Delay(Duration),
    Abort,
    Segv,
    Garble,
    Hang,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    Always,
    Every(u64),
    At(u64),
    From(u64),
    /// Data whose last byte is a multiple of this.
    Digests(u64),
    /// The first process that makes this file.
    Once(PathBuf),
}

#[derive(Debug)]
struct Line {
    function: String,
    action: Action,
    when: When,
}

#[derive(Debug, Default)]
struct State {
    /// Tells one version of the plan from another.
    version: Option<(u64, i64, i64, u64)>,
    lines: Vec<Line>,
    calls: HashMap<&'static str, u64>,
    log: Option<File>,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(|| {
    let log = std::env::var_os("SHIM_LOG")
        .and_then(|path| OpenOptions::new().append(true).create(true).open(path).ok());
    Mutex::new(State { log, ..State::default() })
});

/// Notes a call and does what the plan says.
pub(crate) fn call(function: &'static str) -> Option<Effect> {
    call_with(function, &[])
}

/// The same for a function that signs these data.
pub(crate) fn call_with(function: &'static str, data: &[u8]) -> Option<Effect> {
    let (mut effect, mut delay, mut end) = (None, Duration::ZERO, None);
    {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        state.refresh();
        if let Some(log) = &mut state.log {
            // One write, so that lines of several processes do not mix. A full disk fails the test by itself.
            let _ = log.write_all(format!("{function} {}\n", std::process::id()).as_bytes());
        }
        let count = state.calls.entry(function).or_default();
        *count += 1;
        let count = *count;
        for line in state.lines.iter().filter(|line| line.function == function) {
            let decided = effect.is_some() || end.is_some();
            if let Action::Delay(time) = line.action {
                if line.when.applies(count, data) {
                    delay += time;
                }
            } else if !decided && line.when.applies(count, data) {
                match line.action {
                    Action::Effect(planned) => effect = Some(planned),
                    other => end = Some(other),
                }
            }
        }
    }
    thread::sleep(delay);
    match end {
        Some(Action::Abort) => std::process::abort(),
        // SAFETY: not safe at all: this is the crash that was asked for.
        Some(Action::Segv) => unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) },
        Some(Action::Garble) => {
            // SAFETY: whoever set this plan knows what descriptor 0 is; it is not closed here.
            let mut zero = ManuallyDrop::new(unsafe { File::from_raw_fd(0) });
            let _ = zero.write_all(&[0xa5; 64]);
        }
        Some(Action::Hang) => loop {
            thread::sleep(Duration::from_secs(3600));
        },
        Some(Action::Effect(_) | Action::Delay(_)) | None => {}
    }
    effect
}

impl State {
    fn refresh(&mut self) {
        let Some(path) = std::env::var_os("SHIM_PLAN").map(PathBuf::from) else { return };
        let version =
            fs::metadata(&path).ok().map(|file| (file.ino(), file.mtime(), file.mtime_nsec(), file.size()));
        if version == self.version {
            return;
        }
        self.version = version;
        self.calls.clear();
        let text = fs::read_to_string(&path).unwrap_or_default();
        self.lines = text.lines().filter_map(|line| read_line(&path, line)).collect();
    }
}

impl When {
    fn applies(&self, count: u64, data: &[u8]) -> bool {
        match self {
            Self::Always => true,
            Self::Every(every) => count.is_multiple_of(*every),
            Self::At(at) => count == *at,
            Self::From(from) => count >= *from,
            Self::Digests(of) => data.last().is_some_and(|last| u64::from(*last).is_multiple_of(*of)),
            Self::Once(mark) => OpenOptions::new().write(true).create_new(true).open(mark).is_ok(),
        }
    }
}

/// A line; `None` for an empty one. A line that cannot be read ends the process: a test must not pass by mistake.
fn read_line(plan: &Path, line: &str) -> Option<Line> {
    let text = line.split('#').next().unwrap_or_default();
    let mut words = text.split_whitespace();
    let function = words.next()?.to_owned();
    let wrong = || -> ! {
        let _ = writeln!(std::io::stderr(), "the plan cannot be read: {line}");
        std::process::abort()
    };
    let (mut action, mut when) = (None, When::Always);
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || {
            let parsed = match value.strip_prefix("0x") {
                Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16),
                None => value.parse(),
            };
            parsed.unwrap_or_else(|_| wrong())
        };
        match name {
            "rv" => action = Some(Action::Effect(Effect::Return(number()))),
            "corrupt" => action = Some(Action::Effect(Effect::Corrupt)),
            "flags" => action = Some(Action::Effect(Effect::Flags(number()))),
            "delay_ms" => action = Some(Action::Delay(Duration::from_millis(number()))),
            "abort" => action = Some(Action::Abort),
            "segv" => action = Some(Action::Segv),
            "garble" => action = Some(Action::Garble),
            "hang" => action = Some(Action::Hang),
            "every" => when = When::Every(number().max(1)),
            "at" => when = When::At(number()),
            "from" => when = When::From(number()),
            "digests" => when = When::Digests(number().max(1)),
            "once" => when = When::Once(plan.with_extension(value)),
            _ => wrong(),
        }
    }
    let action = action.unwrap_or_else(|| wrong());
    Some(Line { function, action, when })
}
