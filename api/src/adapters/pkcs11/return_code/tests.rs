use cryptoki::context::Function;
use cryptoki::error::Rv;

use super::*;

/// Every return value of the standard: number, class, name.
fn table() -> impl Iterator<Item = (u64, &'static str)> {
    let lines = include_str!("../../../../testdata/return-codes.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| {
        let mut words = line.split(' ');
        let value = words.next().unwrap().strip_prefix("0x").unwrap();
        (u64::from_str_radix(value, 16).unwrap(), words.next().unwrap())
    })
}

fn class(value: u64) -> &'static str {
    let Rv::Error(value) = Rv::from(value) else { panic!("CKR_OK is no failure") };
    let problem = classify(Error::Pkcs11(value, Function::Sign));
    if let Problem::Mend(_, text) | Problem::Permanent(text) = &problem {
        assert!(text.contains("Function::Sign"), "the function stays in the text: {text}");
    }
    match problem {
        Problem::Mend(Remedy::Retry, _) => "retry",
        Problem::Mend(Remedy::Reopen, _) => "reopen",
        Problem::Mend(Remedy::LogIn, _) => "log_in",
        Problem::Mend(Remedy::Reinitialise, _) => "reinitialise",
        Problem::Mend(Remedy::Respawn, _) => "respawn",
        Problem::Permanent(_) => "permanent",
        Problem::Operator(SigningKeyError::PinRejected) => "pin_rejected",
        Problem::Operator(SigningKeyError::PinLocked) => "pin_locked",
        problem @ (Problem::Operator(_) | Problem::KeyMissing) => panic!("{problem:?} is no return value"),
    }
}

#[test]
fn every_return_value_of_the_standard_has_its_class() {
    for (value, expected) in table() {
        assert_eq!(class(value), expected, "{value:#x}");
    }
    assert_eq!(table().count(), 105);
}

#[test]
fn what_nobody_has_defined_is_a_device_error() {
    for value in (1..0x400).filter(|value| table().all(|(known, _)| known != *value)) {
        assert_eq!(class(value), "reinitialise", "{value:#x}");
    }
}

#[test]
fn each_remedy_is_followed_by_a_stronger_one_up_to_another_process() {
    let mut remedy = Remedy::Retry;
    let mut steps = 0;
    while remedy != Remedy::Respawn {
        assert!(remedy.stronger() > remedy);
        remedy = remedy.stronger();
        steps += 1;
    }
    assert_eq!(steps, 4);
}
