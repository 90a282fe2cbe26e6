//! `cargo xtask fuzz`: libFuzzer on the pinned toolchain.
//!
//! The sanitizers need a nightly compiler; the coverage counters that libFuzzer steers by do not. `core` has no
//! unsafe code, so what there is to find are panics, overflows, endless loops and broken promises.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::demo;
use crate::process::{Outcome, cargo, execute, root};
use crate::{system, tools};

/// What the compiler puts in for libFuzzer: counters, their places, comparisons.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// One input may take this long, in seconds, and this much memory, in MiB: more is a finding.
const LIMITS: &[&str] = &["-timeout=5", "-rss_limit_mb=512", "-malloc_limit_mb=128"];

/// CI walks the same way at every run.
const SEED: &str = "-seed=20261123";

#[derive(Debug)]
struct Target {
    name: &'static str,
    /// Inputs in CI: some seconds of work.
    runs: u32,
    /// Longest input, in bytes.
    max_len: u32,
    /// Folders of the checkout that hold good inputs.
    seeds: &'static [&'static str],
    /// File in `fuzz/dictionaries`.
    dictionary: Option<&'static str>,
}

const TARGETS: &[Target] = &[
    Target::new("certificate", 200_000, 4_096, &["core/testdata/pki"]),
    Target::new("bundle", 50_000, 8_192, &["core/testdata/pki"]),
    Target::new("crl", 50_000, 4_096, &["core/testdata/revocation"]),
    Target::new("ocsp", 20_000, 4_096, &["core/testdata/revocation"]),
    Target::new("time_stamp", 50_000, 8_192, &["core/testdata/tsp"]),
    Target::new("pkcs12", 5_000, 8_192, &["core/testdata/pkcs12"]),
    Target::new("appearance", 5_000, 16_384, &["fuzz/seeds/appearance"]),
    Target::new("cms", 100_000, 8_192, &["core/testdata/cms"]),
    Target::new("cms_validation", 20_000, 8_192, &["core/testdata/cms"]),
    Target::new("pdf", 20_000, 65_536, &["core/testdata/pdf", "api/testdata"]).with("pdf.dict"),
    Target::new("pdf_objects", 50_000, 8_192, &["fuzz/seeds/pdf_objects"]).with("pdf.dict"),
    Target::new("pdf_changes", 10_000, 8_192, &["fuzz/seeds/pdf_changes"]).with("pdf.dict"),
    Target::new("plans", 50_000, 16_384, &[]),
    Target::new("client_messages", 50_000, 4_096, &["fuzz/seeds/client_messages"]),
];

impl Target {
    const fn new(name: &'static str, runs: u32, max_len: u32, seeds: &'static [&'static str]) -> Self {
        Self { name, runs, max_len, seeds, dictionary: None }
    }

    const fn with(self, dictionary: &'static str) -> Self {
        Self { dictionary: Some(dictionary), ..self }
    }
}

/// How long each target runs.
#[derive(Debug, Clone, Copy)]
enum Budget {
    /// The fixed number of inputs of CI, from the seeds alone: the same work at every run.
    Fixed,
    /// So many inputs, from what earlier searches found.
    Runs(u32),
    /// So many seconds, from what earlier searches found.
    Seconds(u32),
}

/// `cargo xtask fuzz [TARGET…] [--runs N | --seconds S]`.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let (budget, names) = read(arguments)?;
    let known = TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(" ");
    if let Some(unknown) = names.iter().find(|name| TARGETS.iter().all(|target| target.name != *name)) {
        return Err(format!("no target `{unknown}`; there are: {known}").into());
    }
    system::ensure(&[system::C_COMPILER, system::CXX_COMPILER])?;
    let programs = build()?;
    let wanted: Vec<&Target> =
        TARGETS.iter().filter(|t| names.is_empty() || names.iter().any(|name| name == t.name)).collect();
    let start = Instant::now();
    for target in &wanted {
        search(target, &programs, budget)?;
    }
    println!("fuzz: {} targets, nothing found, {} s", wanted.len(), start.elapsed().as_secs());
    Ok(())
}

fn read(arguments: &[String]) -> Outcome<(Budget, Vec<String>)> {
    let mut names = Vec::new();
    let mut budget = Budget::Fixed;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut number = || {
            let number = rest.next().and_then(|text| text.parse::<u32>().ok());
            number.ok_or_else(|| format!("{argument} needs a number"))
        };
        match argument.as_str() {
            "--runs" => budget = Budget::Runs(number()?),
            "--seconds" => budget = Budget::Seconds(number()?),
            name => names.push(name.to_owned()),
        }
    }
    Ok((budget, names))
}

/// Builds every target with coverage; answers the folder of the programs.
fn build() -> Outcome<PathBuf> {
    let folder = demo::target()?.join("fuzz");
    let host = host()?;
    // Naming the target keeps the flags away from build scripts and macros.
    let mut build =
        cargo(&["build", "--quiet", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--target", &host]).env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", COVERAGE);
    execute(&mut build)?;
    Ok(folder.join(host).join("release"))
}

fn host() -> Outcome<String> {
    let version = crate::process::output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc names no host".into())
}

fn search(target: &Target, programs: &Path, budget: Budget) -> Outcome<()> {
    let findings = tools::cache().join("fuzz/findings").join(target.name);
    let (corpus, amount) = match budget {
        Budget::Fixed => {
            (demo::target()?.join("fuzz/corpus").join(target.name), format!("-runs={}", target.runs))
        }
        Budget::Runs(runs) => (kept_corpus(target), format!("-runs={runs}")),
        Budget::Seconds(seconds) => (kept_corpus(target), format!("-max_total_time={seconds}")),
    };
    if matches!(budget, Budget::Fixed) && corpus.exists() {
        std::fs::remove_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    }
    for folder in [&corpus, &findings] {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut program = Command::new(programs.join(target.name));
    program.args(LIMITS).arg(amount).arg(format!("-max_len={}", target.max_len));
    program.args(["-verbosity=0", "-print_funcs=0"]);
    program.arg(format!("-artifact_prefix={}/", findings.display()));
    if matches!(budget, Budget::Fixed) {
        program.arg(SEED);
    }
    if let Some(dictionary) = target.dictionary {
        program.arg(format!("-dict={}", root().join("fuzz/dictionaries").join(dictionary).display()));
    }
    program.arg(&corpus).args(target.seeds.iter().map(|seeds| root().join(seeds)));
    execute(program.current_dir(root()))
        .map_err(|error| format!("{error}\nthe input lies in {}", findings.display()).into())
}

/// What searches without a fixed budget found interesting, kept for the next one.
fn kept_corpus(target: &Target) -> PathBuf {
    tools::cache().join("fuzz/corpus").join(target.name)
}
