//! Running programs, with one clear line when one fails.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// What went wrong and what to do, for a person at a terminal.
#[derive(Debug)]
pub(crate) struct Failure(String);

pub(crate) type Outcome<T> = Result<T, Failure>;

impl<T: Into<String>> From<T> for Failure {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The top of the checkout.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lies in the workspace").to_path_buf()
}

/// A command that starts in `folder` of the checkout.
pub(crate) fn command(folder: &str, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root().join(folder));
    command
}

/// The same cargo that runs this task.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command("", std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Runs to the end and fails when the program does.
pub(crate) fn execute(command: &mut Command) -> Outcome<()> {
    let line = line_of(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` ended with {status}").into()) }
}

/// Runs to the end, shows every line of standard output and hands it to `look`.
/// Answers whether the program succeeded.
pub(crate) fn watch(command: &mut Command, mut look: impl FnMut(&str)) -> Outcome<bool> {
    let line = line_of(command);
    println!("$ {line}");
    let cannot = |error: std::io::Error| format!("cannot run `{line}`: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(cannot)?;
    let stdout = child.stdout.take().expect("standard output was piped");
    for text in BufReader::new(stdout).split(b'\n') {
        let text = text.map_err(cannot)?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        look(&text);
    }
    Ok(child.wait().map_err(cannot)?.success())
}

/// Standard output of a program that must succeed.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let line = line_of(command);
    let output = command.output().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if !output.status.success() {
        let detail = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{line}` ended with {}\n{detail}", output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program exists and answers with success.
pub(crate) fn answers(program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Looks a program up in `PATH`.
pub(crate) fn find_in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Newest modification time below `path`, without the folders that hold outputs.
pub(crate) fn newest(path: &Path) -> Option<SystemTime> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_dir() {
        return metadata.modified().ok();
    }
    let entries = std::fs::read_dir(path).ok()?.flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            !["node_modules", "dist", "target"].iter().any(|output| name == *output)
        })
        .filter_map(|entry| newest(&entry.path()))
        .max()
}

/// Whether `output` is missing or older than anything in `inputs` (paths in the checkout).
pub(crate) fn stale(output: &str, inputs: &[&str]) -> bool {
    let Some(built) = root().join(output).metadata().ok().and_then(|m| m.modified().ok()) else {
        return true;
    };
    inputs.iter().filter_map(|input| newest(&root().join(input))).any(|changed| changed > built)
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
