//! That a token is away, and back, in the log of events: once each, whoever sees it and whatever else is away.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, Instance, Options, Shim, postgres};

/// For whatever must happen.
const PATIENCE: Duration = Duration::from_secs(180);
/// Crashes every agent at its first signature, which its canary is.
const BROKEN: &str = "C_Sign segv";
/// Agents notice by themselves, within a second.
const CANARY: (&str, &str) = ("RUBRICA_TOKEN_CANARY_SECONDS", "1");

fn start(shim: &Shim, more: &[(&str, &str)]) -> Instance {
    let variables = shim.variables();
    let mut all: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.push(CANARY);
    all.extend_from_slice(more);
    Instance::start_with(&Options { variables: &all })
}

/// The events about tokens, in their order.
fn told(client: &Client) -> Vec<Value> {
    let answer = client.get("/v1/events?types=token.unavailable%2Ctoken.available");
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = String::from_utf8(answer.body).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[track_caller]
fn eventually(what: &str, instance: &Instance, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: {}", instance.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How often a process has noticed that its token is there, and that it is away.
fn noticed(instance: &Instance) -> (usize, usize) {
    let log = instance.log();
    let count = |text: &str| log.matches(text).count();
    (count("token.available"), count("token.unavailable"))
}

/// Longer than a return has to last.
const SETTLED: Duration = Duration::from_millis(1700);

fn ready(instance: &Instance) -> bool {
    instance.anonymous().get("/health/ready").status == 200
}

#[test]
fn a_token_that_goes_away_and_comes_back_is_told_once_each_to_every_tenant() {
    let shim = Shim::new("");
    let mut instance = start(&shim, &[]);
    let backend = instance.backend();
    shim.plan(BROKEN);
    eventually("the absence is told", &instance, || told(&backend).len() == 1);
    // A server that starts while the token is away has nothing new to say.
    instance.terminate();
    let variables = shim.variables();
    let mut all: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.push(CANARY);
    instance.run(&Options { variables: &all });
    let backend = instance.backend();
    // A token that answers at the start is worth a line of the log, and no event.
    eventually("it notices", &instance, || noticed(&instance) == (1, 2));
    shim.plan("");
    eventually("the return is told", &instance, || told(&backend).len() == 2);
    eventually("it is ready", &instance, || ready(&instance));
    std::thread::sleep(SETTLED);
    let events = told(&backend);
    assert_eq!(types(&events), ["token.unavailable", "token.available"], "{}", instance.log());
    let label = std::fs::read_to_string(instance.data().join("secrets/token-label")).unwrap();
    for event in &events {
        assert_eq!(event["subject"], label.trim());
        assert_eq!(event.get("tenant"), None, "it concerns every tenant: {event}");
    }
    assert_eq!(events[0]["data"], json!({ "token": label.trim(), "code": "token_agent_failed" }));
    assert!(events[1]["data"]["unavailable_ms"].as_u64().unwrap() > 0, "{}", events[1]);
}

#[test]
fn a_token_that_comes_and_goes_makes_no_storm_of_events() {
    let shim = Shim::new("");
    let instance = start(&shim, &[]);
    let backend = instance.backend();
    let begun = Instant::now();
    // Agents need some time to start again, so that both plans are met.
    while begun.elapsed() < Duration::from_secs(8) {
        for plan in [BROKEN, ""] {
            shim.plan(plan);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    shim.plan(BROKEN);
    eventually("the last absence is told", &instance, || {
        told(&backend).last().is_some_and(|event| event["type"] == "token.unavailable")
    });
    shim.plan("");
    eventually("the last return is told", &instance, || {
        told(&backend).last().is_some_and(|event| event["type"] == "token.available")
    });
    let events = told(&backend);
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!(events.len() <= 2 * (seconds + 1), "{} events in {seconds} s", events.len());
    for (index, event) in events.iter().enumerate() {
        let expected = ["token.unavailable", "token.available"][index % 2];
        assert_eq!(event["type"], expected, "{:?}", types(&events));
    }
}

#[test]
fn instances_tell_it_together_and_an_absence_during_that_of_the_database_is_not_lost() {
    let mut database = Some(postgres::Server::start(true));
    let address = database.as_ref().unwrap().database();
    let shared = [("RUBRICA_STORE_URL", address.as_str()), ("RUBRICA_ENGINE_LEASE_MS", "2000")];
    let shims = [Shim::new(""), Shim::new("")];
    let first = start(&shims[0], &shared);
    // The second works on the keys, secrets and the token of the first: they are copies.
    let mut second = start(&shims[1], &shared);
    let backend = first.backend();
    // What an instance sees and the event that follows from it are one transaction.
    let sees = |instance: &Instance| {
        let named = format!("name LIKE '% {}' AND token IS NOT NULL", instance.pid());
        postgres::psql(&address, &format!("SELECT count(*) FROM worker WHERE {named}")) == "1"
    };
    eventually("both see it", &first, || sees(&first) && sees(&second));
    shims[0].plan(BROKEN);
    eventually("the first is without", &first, || !sees(&first));
    assert_eq!(types(&told(&backend)), [""; 0], "the other instance still signs");
    shims[1].plan(BROKEN);
    eventually("both are without", &first, || told(&backend).len() == 1);
    shims[0].plan("");
    eventually("one has it again", &first, || told(&backend).len() == 2);
    // The only one that has it dies.
    shims[1].plan("");
    eventually("the second has it again", &second, || sees(&second));
    shims[0].plan(BROKEN);
    eventually("the first is without again", &first, || !sees(&first));
    assert_eq!(told(&backend).len(), 2);
    second.kill();
    eventually("its death is noticed", &first, || told(&backend).len() == 3);
    // Back and away again, while there is no database.
    let crashed = database.take().unwrap().crash();
    shims[0].plan("");
    let waiting = |available: bool| {
        let told = |line: &&str| {
            line.contains("a change of the token is to be told")
                && line.contains(&format!("\"available\":{available}"))
        };
        first.log().lines().filter(told).count()
    };
    eventually("its return waits", &first, || waiting(true) == 3);
    shims[0].plan(BROKEN);
    eventually("its absence waits", &first, || waiting(false) == 3);
    database = Some(crashed.restart());
    eventually("both changes are told", &first, || told(&first.backend()).len() == 5);
    let events = told(&first.backend());
    let [away, back] = ["token.unavailable", "token.available"];
    assert_eq!(types(&events), [away, back, away, back, away], "{}", first.log());
    drop(database);
}
