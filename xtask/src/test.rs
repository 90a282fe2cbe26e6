//! `cargo xtask test`: every suite, one summary line.

use std::process::Command;
use std::time::Instant;

use crate::process::{Outcome, cargo, watch};
use crate::{corpora, demo, node, python, system, tools};

/// What one suite did.
#[derive(Debug, Default)]
struct Count {
    passed: u32,
    failed: u32,
    skipped: u32,
    /// The program's own verdict: a suite may die without counting.
    succeeded: bool,
}

#[derive(Debug)]
struct Suite {
    name: &'static str,
    run: fn() -> Outcome<Count>,
}

const SUITES: &[Suite] = &[
    Suite { name: "rust", run: rust },
    Suite { name: "wasm", run: wasm },
    Suite { name: "npm", run: npm },
    Suite { name: "simulator", run: simulator },
    Suite { name: "corpora", run: foreign_corpora },
    Suite { name: "conformance", run: conformance },
    Suite { name: "matrix", run: matrix },
    Suite { name: "contract", run: contract },
    Suite { name: "e2e", run: e2e },
];

/// Installs what the tests need.
pub(crate) fn set_up() -> Outcome<()> {
    system::ensure(system::FOR_TESTS)?;
    node::ensure()?;
    tools::ensure_wasm_target()?;
    tools::ensure_wasm_bindgen()?;
    python::ensure()?;
    ["npm", "tests"].into_iter().try_for_each(node::install)
}

/// Runs the suites named, or all.
pub(crate) fn run(names: &[String]) -> Outcome<()> {
    let known = SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>().join(" ");
    if let Some(unknown) = names.iter().find(|name| SUITES.iter().all(|suite| suite.name != *name)) {
        return Err(format!("no suite `{unknown}`; there are: {known}").into());
    }
    let start = Instant::now();
    set_up()?;
    let mut total = Count::default();
    let mut parts = Vec::new();
    let mut broken = Vec::new();
    for suite in SUITES.iter().filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name))
    {
        println!("\n== {}", suite.name);
        let count = (suite.run)()?;
        parts.push(format!("{} {}", suite.name, count.passed));
        // A suite that counts nothing has lost its tests, one that skips has lost its tools: both are failures.
        if !count.succeeded || count.failed > 0 || count.skipped > 0 || count.passed == 0 {
            broken.push(suite.name);
        }
        total.passed += count.passed;
        total.failed += count.failed;
        total.skipped += count.skipped;
    }
    println!(
        "\nsummary: {} passed, {} failed, {} skipped ({}) in {} s",
        total.passed,
        total.failed,
        total.skipped,
        parts.join(", "),
        start.elapsed().as_secs()
    );
    if broken.is_empty() { Ok(()) } else { Err(format!("failed: {}", broken.join(", ")).into()) }
}

/// The long form of the suite `contract`.
pub(crate) fn api_fuzz(arguments: &[String]) -> Outcome<()> {
    let minutes = match arguments {
        [] => 10_u64,
        [option, number] if option == "--minutes" => {
            number.parse().map_err(|_| format!("`{number}` is not a number of minutes"))?
        }
        _ => return Err("api-fuzz takes --minutes N and nothing else".into()),
    };
    set_up()?;
    let count =
        whole_system_tests_with("test:contract", &[("RUBRICA_FUZZ_SECONDS", (minutes * 60).to_string())])?;
    if count.succeeded && count.failed == 0 { Ok(()) } else { Err("failed: contract".into()) }
}

fn rust() -> Outcome<Count> {
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.env("RUBRICA_BUCKET_PYTHON", python::ensure_for_buckets()?);
    tests.env("RUBRICA_MAIL_PYTHON", python::ensure_for_mail()?);
    cargo_tests(tests.env("RUBRICA_PYTHON", python::ensure()?))
}

fn wasm() -> Outcome<Count> {
    let bin = tools::ensure_wasm_bindgen()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)))
        .map_err(|error| format!("PATH: {error}"))?;
    let arguments =
        ["test", "--package", "rubrica-sdk", "--target", "wasm32-unknown-unknown", "--no-fail-fast"];
    cargo_tests(cargo(&arguments).env("PATH", path))
}

fn npm() -> Outcome<Count> {
    demo::web()?;
    node_tests(&mut node::script("npm", "test")?)
}

fn simulator() -> Outcome<Count> {
    whole_system_tests("test:simulator")
}

/// What others collected, read by us.
fn foreign_corpora() -> Outcome<Count> {
    let mut tests = cargo(&["run", "--quiet", "--package", "rubrica-corpora", "--"]);
    cargo_tests(tests.arg(corpora::ensure()?).env("RUBRICA_PYTHON", python::ensure()?))
}

fn conformance() -> Outcome<Count> {
    whole_system_tests("test:conformance")
}

/// Every kind of signature, key and document. The result table lies beside the build.
fn matrix() -> Outcome<Count> {
    whole_system_tests("test:matrix")
}

/// The HTTP contract, judged by generated requests.
fn contract() -> Outcome<Count> {
    whole_system_tests("test:contract")
}

fn e2e() -> Outcome<Count> {
    demo::web()?;
    whole_system_tests("test:e2e")
}

fn whole_system_tests(script: &str) -> Outcome<Count> {
    whole_system_tests_with(script, &[])
}

fn whole_system_tests_with(script: &str, variables: &[(&str, String)]) -> Outcome<Count> {
    let mut tests = node::script("tests", script)?;
    tests.envs(variables.iter().map(|(name, value)| (name, value)));
    tests.env("RUBRICA", demo::binary("dev")?).env("RUBRICA_PYTHON", python::ensure()?);
    // Keys of the test PKI: made once, protecting nothing.
    tests.env("RUBRICA_TEST_KEYS", demo::target()?.join("test-keys"));
    tests.env("RUBRICA_MATRIX", demo::target()?.join("conformance-matrix.md"));
    if let Some(chromium) = system::chromium() {
        tests.env("CHROMIUM", chromium);
    }
    node_tests(&mut tests)
}

/// Counts the `test result:` lines of libtest and of wasm-bindgen-test.
fn cargo_tests(tests: &mut Command) -> Outcome<Count> {
    let mut count = Count::default();
    count.succeeded = watch(tests, |line| {
        let Some((_, result)) = line.split_once("test result: ") else { return };
        for part in result.split([';', '.']) {
            add(&mut count, part, ["passed", "failed", "ignored"]);
        }
    })?;
    Ok(count)
}

/// Counts the last lines of `node --test`: `ℹ pass 12` or `# pass 12`.
fn node_tests(tests: &mut Command) -> Outcome<Count> {
    let mut count = Count::default();
    count.succeeded = watch(tests, |line| {
        let Some(rest) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) else { return };
        let Some((word, number)) = rest.split_once(' ') else { return };
        add(&mut count, &format!("{number} {word}"), ["pass", "fail", "skipped"]);
    })?;
    Ok(count)
}

fn add(count: &mut Count, part: &str, [passed, failed, skipped]: [&str; 3]) {
    let Some((number, word)) = part.trim().split_once(' ') else { return };
    let Ok(number) = number.parse::<u32>() else { return };
    let word = word.trim();
    if word == passed {
        count.passed += number;
    } else if word == failed {
        count.failed += number;
    } else if word == skipped {
        count.skipped += number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_both_kinds_of_summary() {
        let mut count = Count::default();
        for part in "ok. 12 passed; 1 failed; 2 ignored; 0 measured; 7 filtered out".split([';', '.']) {
            add(&mut count, part, ["passed", "failed", "ignored"]);
        }
        add(&mut count, "30 pass", ["pass", "fail", "skipped"]);
        assert_eq!((count.passed, count.failed, count.skipped), (42, 1, 2));
    }
}
