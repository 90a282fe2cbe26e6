//! The lists that TypeScript repeats are those of the code.

use rubrica_core::ErrorCode;
use rubrica_core::flow::{NextStep, Step};

#[test]
fn the_package_knows_every_error_code_and_no_other() {
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(list("errorCodes", include_str!("../../npm/src/error-codes.ts")), codes);
}

#[test]
fn the_package_knows_every_next_step_and_no_other() {
    let steps: Vec<_> = NextStep::ALL.iter().map(|step| step.as_str()).collect();
    assert_eq!(list("nextSteps", include_str!("../../npm/src/error-codes.ts")), steps);
}

#[test]
fn the_package_knows_every_step_of_the_flow_and_no_other() {
    let steps: Vec<_> = Step::ALL.iter().map(|step| step.as_str()).collect();
    assert_eq!(list("steps", include_str!("../../npm/src/snapshot.ts")), steps);
}

/// The strings of `export const NAME = [ … ]`.
fn list<'a>(name: &str, source: &'a str) -> Vec<&'a str> {
    let (_, rest) = source.split_once(&format!("export const {name} = [")).expect("the list is exported");
    let (body, _) = rest.split_once(']').expect("the list ends");
    body.split('"').skip(1).step_by(2).collect()
}
