//! How a run goes on: a bar on a terminal, a line now and then elsewhere, nothing beside JSON. All of it on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::Output;

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(5);
/// Redrawings of the bar in a second.
const REDRAWINGS: u8 = 10;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Files are read and hashed.
    Reading,
    /// Items are signed and their results written.
    Signing,
}

impl Phase {
    const fn word(self) -> &'static str {
        match self {
            Self::Reading => "Reading",
            Self::Signing => "Signing",
        }
    }
}

/// Tells how far a run is.
#[derive(Debug)]
pub(super) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// Into a file or a pipe.
    Lines(Mutex<Lines>),
    /// Beside JSON.
    Silent,
}

/// What the lines have told.
#[derive(Debug)]
pub(super) struct Lines {
    phase: Phase,
    total: u64,
    told_at: Instant,
    told: u64,
}

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        if output.is_json() {
            return Self::Silent;
        }
        if io::stderr().is_terminal() {
            // Hidden until there is something to show.
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            return Self::Bar(bar.with_style(style()));
        }
        let lines = Lines { phase: Phase::Reading, total: 0, told_at: Instant::now(), told: 0 };
        Self::Lines(Mutex::new(lines))
    }

    /// Begins a phase, of which `done` was done before.
    pub(super) fn begin(&self, phase: Phase, total: u64, done: u64) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(total);
                bar.set_prefix(phase.word());
                bar.set_message("");
                bar.reset();
                bar.set_position(done);
                // The speed is that of this run, not of the one before.
                bar.reset_eta();
                bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWINGS));
            }
            Self::Lines(lines) => {
                *lock(lines) = Lines { phase, total, told_at: Instant::now(), told: done };
            }
            Self::Silent => {}
        }
    }

    /// So many are done.
    pub(super) fn at(&self, done: u64) {
        match self {
            Self::Bar(bar) => bar.set_position(done),
            Self::Lines(lines) => {
                let mut lines = lock(lines);
                let is_due = lines.told_at.elapsed() >= PAUSE || done == lines.total;
                if done > lines.told && is_due {
                    (lines.told, lines.told_at) = (done, Instant::now());
                    write_line(&format!("{}: {done} of {}", lines.phase.word(), lines.total));
                }
            }
            Self::Silent => {}
        }
    }

    /// Says something beside the bar that stays true for a while; empty for nothing.
    pub(super) fn note(&self, text: &str) {
        if let Self::Bar(bar) = self {
            bar.set_message(text.to_owned());
        }
    }

    /// Writes a line that stays.
    pub(super) fn line(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| write_line(text)),
            Self::Lines(_) => write_line(text),
            Self::Silent => {}
        }
    }

    /// Takes the bar away: what is written next has the line for itself.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}

fn style() -> ProgressStyle {
    let template = "{prefix} [{bar:30}] {pos}/{len} {percent}% {per_sec} {eta} {msg}";
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    let per_sec = |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{:.0}/s", state.per_sec());
    };
    let eta = |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
        let seconds = state.eta().as_secs();
        let _ = write!(out, "{}:{:02} left", seconds / 60, seconds % 60);
    };
    style.progress_chars("=> ").with_key("per_sec", per_sec).with_key("eta", eta)
}

fn lock(lines: &Mutex<Lines>) -> std::sync::MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write_line(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}
