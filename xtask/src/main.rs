//! Every task of the project. CI calls the same commands as a developer.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks on its terminal")]

mod bench;
mod corpora;
mod demo;
mod faults;
mod fuzz;
mod node;
mod process;
mod python;
mod system;
mod test;
mod tools;
mod verify;

use std::process::ExitCode;

use process::Outcome;

const HELP: &str = "\
cargo xtask <task>

  demo [--port N] [--data DIR]   install what is missing, build, start API and portal on one port
  test [SUITE…]                  install what the tests need and run them: rust wasm npm simulator corpora
                                 conformance matrix contract e2e
  api-fuzz [--minutes N]         the suite `contract` with a longer budget for generated requests; 10 when not told
  faults [--kills N] [--items N] [--seed N]
                                 kill server, token agents and database while a batch is signed; 200 kills over 10000
                                 items when not told
  verify                         format, lints, documentation, licences, types, size budgets
  fuzz [TARGET…] [--runs N | --seconds S]
                                 search for inputs that break a parser; without a budget, the fixed one of CI
  bench [ROW…]                   figures beside their peers, in one run: token pdf verify memory
  build                          build the binary, the npm package and the demo portal
  setup                          only install what is missing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = match task {
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "api-fuzz" => test::api_fuzz(rest),
        "faults" => faults::run(rest),
        "verify" => verify::run(),
        "bench" => bench::run(rest),
        "fuzz" => fuzz::run(rest),
        "build" => demo::build().map(drop),
        "setup" => test::set_up(),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(format!("no task `{other}`\n\n{HELP}").into()),
    };
    report(outcome)
}

fn report(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
