//! The wall clock of a server jumps by hours, ahead and back, while it works. `libfaketime` moves that clock of a real process
//! and leaves the monotonic one alone.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::batch_faults::{PATIENCE, check, released, rsa_key};
use crate::batches::{manifest, submit, wait};
use crate::hsm_signatures::contract;
use crate::order_ends::ahead;
use crate::support::{ANA, BRUNO, Instance, MovedClock, ORIGIN, Options, Signing, postgres};
use crate::webhooks::receiver::Receiver;

const TOTAL: usize = 1200;
const HOURS: i64 = 3600;

/// Processor time of a process so far, in hundredths of a second.
fn cpu(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_clock_that_jumps_loses_nothing_doubles_nothing_and_ends_nothing() {
    let address = postgres::shared().database();
    let clock = MovedClock::new();
    let variables = clock.variables();
    let mut moved: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let shared = [
        ("RUBRICA_STORE_URL", address.as_str()),
        ("RUBRICA_ENGINE_LEASE_MS", "2000"),
        ("RUBRICA_WEBHOOKS_PRIVATE_HOSTS", "127.0.0.1"),
        ("RUBRICA_WEBHOOKS_RETRIES", "1s,1s,1s,1s,1s,1s"),
    ];
    moved.extend(shared);
    let jumping = Instance::start_moved_to(&address, &Options { variables: &moved });
    let mut steady = Instance::start_with(&Options { variables: &shared });
    let receiver = Receiver::start(|number| (if number < 2 { 500 } else { 204 }, vec![]));
    let backend = jumping.backend();
    let webhook = backend.post("/v1/webhooks", &json!({ "url": receiver.url })).json();
    let session = jumping.session(ANA);
    let document = backend.upload(&contract());
    let change = json!({ "deadline": ahead(2 * 3600), "reminders_hours": [1] });
    let signing = Signing::open(&jumping, &[&document], &[BRUNO], &change);
    let once = backend.with("idempotency-key", "TEST-jump");
    let request = json!({ "signer": { "identifier": ANA.0, "name": ANA.1 }, "origins": [ORIGIN] });
    let first = once.post("/v1/sessions", &request);
    assert_eq!(first.status, 201, "{first:?}");

    let id = submit(&backend, &manifest(&rsa_key(&address), TOTAL));
    let begun = Instant::now();
    while released(&address, &id) < 64 {
        assert!(begun.elapsed() < PATIENCE, "{}", jumping.log());
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut more = Vec::new();
    for off in [3 * HOURS, -3 * HOURS, 3 * HOURS, 0] {
        clock.off_by(off);
        more.push(submit(&backend, &manifest(&rsa_key(&address), 70)));
        // Longer than the timers of orders take to look, and than a worker may be silent.
        std::thread::sleep(Duration::from_millis(2500));
        let again = once.post("/v1/sessions", &request);
        assert_eq!((again.status, &again.body), (201, &first.body), "{off}");
    }

    let batch = wait(&backend, &id);
    assert_eq!(batch["state"], "completed", "{batch} {}", jumping.log());
    for id in &more {
        assert_eq!(wait(&backend, id)["state"], "completed", "{}", jumping.log());
    }
    check(&address, &backend, &id, TOTAL, 20, 70 * more.len());
    for log in [jumping.log(), steady.log()] {
        for theft in ["taking over the tasks", "took this worker for dead", "another worker"] {
            assert!(!log.contains(theft), "{theft}: {log}");
        }
    }
    jumping.log_with("the clock jumped");
    assert_eq!(signing.states().0, "open", "an order does not end because a clock was wrong");
    let ended = backend.get("/v1/events?types=order.expired%2Corder.reminder_due");
    assert_eq!((ended.status, String::from_utf8(ended.body).unwrap().as_str()), (200, ""));
    assert_eq!(session.get("/v1/custody").status, 200);
    // Everything that was told while the clock was ahead arrives now, not in three hours.
    let path = format!("/v1/webhooks/{}/deliveries", webhook["id"].as_str().unwrap());
    let begun = Instant::now();
    loop {
        let pending = backend.get(&format!("{path}?state=pending")).json();
        let head: i64 = postgres::psql(&address, "SELECT events FROM log").parse().unwrap();
        let told: i64 = postgres::psql(&address, "SELECT told FROM webhook").parse().unwrap();
        if pending["items"] == json!([]) && told == head {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{pending} {told} of {head}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(backend.get(&format!("{path}?state=dead")).json()["items"], json!([]));
    steady.kill();
    // At rest it stays at rest, wherever the clock is.
    for off in [3 * HOURS, -3 * HOURS] {
        clock.off_by(off);
        std::thread::sleep(Duration::from_millis(500));
        let (before, begun) = (cpu(jumping.pid()), Instant::now());
        std::thread::sleep(Duration::from_secs(2));
        let used = cpu(jumping.pid()) - before;
        let passed = begun.elapsed().as_millis() / 10;
        assert!(u128::from(used) * 4 < passed, "{used} of {passed} hundredths of a second, off by {off}");
    }
}
