//! `cargo xtask faults`: the long form of the test that kills everything in the middle of a batch.

use crate::process::{Outcome, cargo, watch};
use crate::system;

/// The test; `cargo xtask test` runs it with few kills.
const TEST: &str = "batch_kills::kills_of_api_agents_and_database_lose_nothing_and_double_nothing";

/// `cargo xtask faults [--kills N] [--items N] [--seed N]`.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let figures = read(arguments)?;
    system::ensure(system::FOR_TESTS)?;
    let mut test = cargo(&["test", "--package", "rubrica", "--test", "it", "--"]);
    test.args(["--exact", TEST, "--nocapture"]);
    test.envs(figures.iter().map(|(name, number)| (*name, number.to_string())));
    let mut ran = false;
    let succeeded = watch(&mut test, |line| ran |= line.contains("test result: ok. 1 passed"))?;
    if succeeded && ran { Ok(()) } else { Err("failed: faults".into()) }
}

fn read(arguments: &[String]) -> Outcome<Vec<(&'static str, u64)>> {
    let mut figures = vec![("RUBRICA_FAULTS_KILLS", 200), ("RUBRICA_FAULTS_ITEMS", 10_000)];
    for pair in arguments.chunks(2) {
        let [option, number] = pair else { return Err(format!("{} needs a number", pair[0]).into()) };
        let number = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
        match option.as_str() {
            "--kills" => figures[0].1 = number,
            "--items" => figures[1].1 = number,
            "--seed" => figures.push(("RUBRICA_FAULTS_SEED", number)),
            other => return Err(format!("faults takes --kills, --items and --seed, not `{other}`").into()),
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_replace_the_usual_figures() {
        let read = |text: &str| read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read("").unwrap()[0], ("RUBRICA_FAULTS_KILLS", 200));
        let figures = read("--items 50 --seed 7").unwrap();
        assert_eq!(figures[1..], [("RUBRICA_FAULTS_ITEMS", 50), ("RUBRICA_FAULTS_SEED", 7)]);
        for wrong in ["--kills", "--kills many", "--hours 3"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
