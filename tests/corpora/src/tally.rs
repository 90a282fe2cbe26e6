//! Counts cases: one that fails, panics or takes too long does not stop the others.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// No single input may keep a reader busy for longer. Bad input is refused within a second by an optimised
/// build on a quiet machine; this one is neither.
pub(crate) const CASE_LIMIT: Duration = Duration::from_secs(5);

/// Cases so far, in the words of libtest, so that one reader counts both.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    module: &'static str,
    begun: Option<Instant>,
    before: u32,
    passed: u32,
    failed: u32,
    slowest: Duration,
    slowest_name: String,
}

impl Tally {
    pub(crate) fn begin(&mut self, module: &'static str) {
        self.module = module;
        self.begun = Some(Instant::now());
        self.before = self.passed + self.failed;
        self.slowest = Duration::ZERO;
    }

    #[expect(clippy::print_stdout, reason = "a test program talks on its terminal")]
    pub(crate) fn end(&self) {
        println!(
            "{}: {} cases in {:.1} s, the slowest took {} ms ({})",
            self.module,
            self.passed + self.failed - self.before,
            self.begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64()),
            self.slowest.as_millis(),
            self.slowest_name
        );
    }

    /// Runs one case. `Err` says what is wrong.
    #[expect(clippy::print_stdout, reason = "a test program talks on its terminal")]
    pub(crate) fn case(&mut self, name: &str, case: impl FnOnce() -> Result<(), String>) {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(case)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Err(format!("panicked: {}", text.or(panic.downcast_ref().copied()).unwrap_or("without a word")))
        });
        let took = begun.elapsed();
        if took > self.slowest {
            self.slowest = took;
            name.clone_into(&mut self.slowest_name);
        }
        let outcome = outcome.and_then(|()| match took <= CASE_LIMIT {
            true => Ok(()),
            false => Err(format!("took {} ms", took.as_millis())),
        });
        match outcome {
            Ok(()) => self.passed += 1,
            Err(why) => {
                self.failed += 1;
                println!("FAILED {}: {name}: {why}", self.module);
            }
        }
    }

    pub(crate) const fn failed(&self) -> u32 {
        self.failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.failed == 0 { "ok" } else { "FAILED" };
        write!(f, "test result: {verdict}. {} passed; {} failed; 0 ignored", self.passed, self.failed)
    }
}

/// A panic is told by the case that it belongs to.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}
