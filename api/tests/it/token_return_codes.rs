//! Every return value of the standard, from every function that an agent calls, must end in its class, and never in the
//! death of the process.

use crate::support::agent::{Agent, KEY_UNUSABLE, PIN_LOCKED, PIN_REJECTED, Said, UNAVAILABLE};
use crate::support::{Shim, template, testdata};

const DIGEST: [u8; 32] = [7; 32];

/// Number and class of every return value.
fn table() -> Vec<(u64, String)> {
    let text = std::fs::read_to_string(testdata("return-codes.txt")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split(' ');
            let value = words.next().unwrap().strip_prefix("0x").unwrap();
            (u64::from_str_radix(value, 16).unwrap(), words.next().unwrap().to_owned())
        })
        .collect()
}

/// `CKA_ID` of Ana's RSA key, whose values are the same each time.
pub(crate) fn rsa_key() -> Vec<u8> {
    let database = rusqlite::Connection::open(template().join("data/rubrica.sqlite")).unwrap();
    database
        .query_row("SELECT cka_id FROM signing_key WHERE algorithm = 'rsa' ORDER BY created_at", [], |row| {
            row.get(0)
        })
        .unwrap()
}

fn connected(shim: &Shim) -> Agent {
    let mut agent = Agent::start_shim(shim);
    let said = agent.hear_with_login();
    assert!(matches!(said, Said::Ready { .. }), "{said:?}");
    agent
}

/// The first signature of an agent.
fn sign(agent: &mut Agent, key: &[u8]) -> Said {
    agent.ask(key, &[(1, DIGEST)]);
    loop {
        let said = agent.hear_with_login();
        if !matches!(said, Said::Ready { .. }) {
            return said;
        }
    }
}

fn value_of(said: Said) -> Option<Result<Vec<u8>, u8>> {
    let Said::Answers { answers, .. } = said else { return None };
    answers.into_iter().find(|(id, _)| *id == 1).map(|(_, value)| value)
}

#[test]
fn every_return_value_of_a_signature_ends_in_its_class() {
    let key = rsa_key();
    let shim = Shim::new("");
    let mut agent = connected(&shim);
    let expected = value_of(sign(&mut agent, &key)).unwrap().unwrap();
    for function in ["C_SignInit", "C_Sign"] {
        for (value, class) in table() {
            shim.plan(&format!("{function} rv={value:#x} at=1"));
            let said = sign(&mut agent, &key);
            let case = format!("{function} {value:#x} {class}: {said:?}");
            match class.as_str() {
                "retry" | "reopen" | "log_in" | "reinitialise" => {
                    assert_eq!(value_of(said), Some(Ok(expected.clone())), "{case}");
                }
                "permanent" => assert_eq!(value_of(said), Some(Err(KEY_UNUSABLE)), "{case}"),
                ends => {
                    let number = match ends {
                        "respawn" => UNAVAILABLE,
                        "pin_rejected" => PIN_REJECTED,
                        "pin_locked" => PIN_LOCKED,
                        other => panic!("no class {other}"),
                    };
                    // What was signed before is told first.
                    let said = if matches!(said, Said::Answers { .. }) { agent.hear() } else { said };
                    assert!(matches!(&said, Said::Ending(told, _) if *told == number), "{case}");
                    assert_eq!(agent.end().code(), Some(0), "{case}");
                    shim.plan("");
                    agent = connected(&shim);
                }
            }
        }
    }
}

/// Functions of the start, and whether what they say about a PIN is believed.
fn check_start(functions: &[(&str, bool)]) {
    let key = rsa_key();
    let shim = Shim::new("");
    for (function, is_believed) in functions {
        for (value, class) in table() {
            shim.plan(&format!("{function} rv={value:#x} at=1"));
            let mut agent = Agent::start_shim(&shim);
            let said = agent.hear_with_login();
            let case = format!("{function} {value:#x} {class}: {said:?}");
            match said {
                Said::Ready { .. } => {
                    assert!(!is_believed || !class.starts_with("pin"), "{case}");
                    let value = value_of(sign(&mut agent, &key));
                    assert!(value.is_some(), "{case}: {value:?}");
                }
                Said::Ending(told, text) => {
                    let number = match class.as_str() {
                        "pin_rejected" if *is_believed => PIN_REJECTED,
                        "pin_locked" if *is_believed => PIN_LOCKED,
                        _ => UNAVAILABLE,
                    };
                    assert_eq!(told, number, "{case}: {text}");
                }
                Said::PinWanted { .. } | Said::PinTried(_) | Said::Answers { .. } | Said::Gone => {
                    panic!("{case}")
                }
            }
            assert_eq!(agent.end().code(), Some(0), "{case}");
        }
    }
}

#[test]
fn every_return_value_of_initialise_slots_and_sessions_is_survived() {
    check_start(&[
        ("C_Initialize", true),
        ("C_GetSlotList", true),
        ("C_GetTokenInfo", false),
        ("C_OpenSession", true),
    ]);
}

#[test]
fn every_return_value_of_a_login_is_survived() {
    check_start(&[("C_GetSessionInfo", false), ("C_Login", true)]);
}

#[test]
fn every_return_value_of_a_search_is_survived() {
    check_start(&[("C_FindObjectsInit", true), ("C_FindObjects", true), ("C_GetAttributeValue", true)]);
}
