//! Which core does what: a token of hardware has a processor of its own, so the software token gets one.

use std::fs;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Outcome;

/// The core of the token.
pub(crate) const TOKEN: usize = 1;
/// The core of everything else.
pub(crate) const SERVER: usize = 0;

/// Whether there is a core for each.
pub(crate) fn are_two() -> bool {
    std::thread::available_parallelism().is_ok_and(|cores| cores.get() > TOKEN)
}

/// Keeps the calling thread, and what it will start, on one core.
pub(crate) fn keep_this_thread(core: usize) -> Outcome<()> {
    Ok(sched_setaffinity(None, &only(core))?)
}

/// Keeps a server on its core and its token agents, which are its children, on theirs.
pub(crate) fn keep_apart(server: u32) -> Outcome<()> {
    keep(server, SERVER)?;
    children(server)?.into_iter().try_for_each(|agent| keep(agent, TOKEN))
}

/// Keeps a process and those that it started on one core.
pub(crate) fn keep_family(process: u32, core: usize) -> Outcome<()> {
    keep(process, core)?;
    children(process)?.into_iter().try_for_each(|child| keep_family(child, core))
}

fn children(process: u32) -> Outcome<Vec<u32>> {
    let mut children = Vec::new();
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let listed = fs::read_to_string(task?.path().join("children"))?;
        for child in listed.split_whitespace() {
            children.push(child.parse()?);
        }
    }
    Ok(children)
}

fn keep(process: u32, core: usize) -> Outcome<()> {
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = task?.file_name().to_string_lossy().parse::<i32>()?;
        sched_setaffinity(Pid::from_raw(thread), &only(core))?;
    }
    Ok(())
}

fn only(core: usize) -> CpuSet {
    let mut cores = CpuSet::new();
    cores.set(core);
    cores
}
