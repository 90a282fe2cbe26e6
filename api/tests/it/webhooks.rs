//! Webhooks against receivers of the test. Signatures are verified by Python's `hmac`, which has seen none of our code.

pub(crate) mod receiver;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::events::{TENANT, tell};
use crate::support::{ANA, Client, Instance, Options};
use receiver::{Message, Receiver};

/// Longest time for anything to happen on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// An instance that may post to receivers here, and tries again after a moment.
fn instance(more: &[(&str, &str)]) -> Instance {
    let retries = ("RUBRICA_WEBHOOKS_RETRIES", "100ms,200ms,300ms");
    let variables = [&[("RUBRICA_WEBHOOKS_PRIVATE_HOSTS", "127.0.0.1"), retries], more].concat();
    Instance::start_with(&Options { variables: &variables })
}

fn create(client: &Client, url: &str, more: &Value) -> Value {
    let mut body = json!({ "url": url });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = client.post("/v1/webhooks", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    let webhook = answer.json();
    assert_eq!(answer.header("location"), format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap()));
    webhook
}

fn id(webhook: &Value) -> &str {
    webhook["id"].as_str().unwrap()
}

/// Asks again until it is as expected.
#[track_caller]
fn eventually(client: &Client, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let found = serde_json::from_slice(&client.get(path).body).unwrap_or_default();
        if holds(&found) {
            return found;
        }
        assert!(begun.elapsed() < SOON, "{path}: {found}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether one of the signatures of a message is by this secret, as Python sees it.
fn verifies(message: &Message, secret: &str) -> bool {
    const PROGRAM: &str = "
import base64, hashlib, hmac, json, sys
m = json.load(sys.stdin)
key = base64.b64decode(m['secret'].removeprefix('whsec_'))
signed = f\"{m['id']}.{m['timestamp']}.{m['body']}\".encode()
wanted = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
sys.exit(0 if any(hmac.compare_digest(wanted, s) for s in m['signature'].split(' ')) else 1)
";
    let input = json!({
        "secret": secret,
        "id": message.header("webhook-id"),
        "timestamp": message.header("webhook-timestamp"),
        "signature": message.header("webhook-signature"),
        "body": message.body,
    });
    let mut python =
        Command::new("python3").args(["-c", PROGRAM]).stdin(Stdio::piped()).spawn().expect("python3 runs");
    python.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    python.wait().unwrap().success()
}

#[test]
fn events_arrive_signed_and_only_those_that_are_wanted() {
    let (instance, receiver) = (instance(&[]), Receiver::start(|_| (204, vec![])));
    let (backend, database) = (instance.backend(), instance.database());
    tell(&database, Some(TENANT), &["before"]);
    eventually(&backend, "/v1/events?limit=1", |event| event["subject"] == "before");
    let webhook = create(&backend, &receiver.url, &json!({ "event_types": ["batch.started"] }));
    create(&backend, &receiver.url, &json!({ "event_types": ["order.created"] }));
    let secret = webhook["secret"].as_str().unwrap();
    let shown = backend.get(&format!("/v1/webhooks/{}", id(&webhook))).json();
    assert_eq!((shown.get("secret"), &shown["state"]), (None, &json!("active")));

    tell(&database, Some("another"), &["not-ours"]);
    tell(&database, Some(TENANT), &["1", "2"]);
    tell(&database, None, &["3"]);
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let message = receiver.next(SOON);
        assert_eq!((message.method.as_str(), message.header("content-type")), ("POST", "application/json"));
        assert!(verifies(&message, secret), "{message:?}");
        let mut other = message.clone();
        other.body.push(' ');
        assert!(!verifies(&other, secret));
        let event: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(event["id"], message.header("webhook-id"));
        seen.push(event["subject"].as_str().unwrap().to_owned());
    }
    seen.sort();
    assert_eq!(seen, ["1", "2", "3"]);
    let path = format!("/v1/webhooks/{}/deliveries", id(&webhook));
    let all = eventually(&backend, &format!("{path}?state=delivered"), |list| {
        list["items"].as_array().is_some_and(|items| items.len() == 3)
    });
    assert_eq!((&all["items"][0]["last_status"], &all["items"][0]["attempts"]), (&json!(204), &json!(1)));
    receiver.is_quiet();

    // The same event once more, with the same id.
    let again = backend.post(&format!("{path}/evt_2/retry"), &json!({}));
    again.assert_problem(404, "not_found");
    let database_id = "evt_00112233445566778899aabbccddeeff";
    backend.post(&format!("{path}/{database_id}/retry"), &json!({})).assert_problem(404, "not_found");
}

#[test]
fn a_failing_address_is_tried_again_until_the_event_is_dead_and_can_be_retried() {
    let receiver = Receiver::start(|number| if number < 4 { (500, vec![]) } else { (200, vec![]) });
    let instance = instance(&[]);
    let (backend, database) = (instance.backend(), instance.database());
    let webhook = create(&backend, &receiver.url, &json!({}));
    let event = "00112233445566778899aabbccddeeff";
    tell(&database, Some(TENANT), &[event]);
    let attempts: Vec<Message> = (0..4).map(|_| receiver.next(SOON)).collect();
    assert!(attempts.iter().all(|message| message.header("webhook-id") == format!("evt_{event}")));
    for (pair, pause) in attempts.windows(2).zip([100, 200, 300]) {
        let waited = pair[1].at - pair[0].at;
        assert!(waited >= Duration::from_millis(pause), "{waited:?} after {pause} ms");
    }
    let path = format!("/v1/webhooks/{}/deliveries", id(&webhook));
    let dead = eventually(&backend, &format!("{path}?state=dead"), |list| list["items"][0].is_object());
    let dead = &dead["items"][0];
    assert_eq!((&dead["attempts"], &dead["last_status"]), (&json!(4), &json!(500)), "{dead}");
    assert_eq!(dead["last_error"], "the address answered 500");
    receiver.is_quiet();
    assert_eq!(backend.post(&format!("{path}/evt_{event}/retry"), &json!({})).status, 202);
    assert_eq!(receiver.next(SOON).header("webhook-id"), format!("evt_{event}"));
    eventually(&backend, &format!("{path}?state=delivered"), |list| list["items"][0].is_object());
}

#[test]
fn redirects_are_not_followed_and_slow_answers_are_given_up() {
    let trap = Receiver::start(|_| (200, vec![]));
    let target = trap.url.clone();
    let redirecting = Receiver::start(move |_| (302, vec![("location", target.clone())]));
    let slow = Receiver::start(|_| {
        std::thread::sleep(Duration::from_secs(3));
        (200, vec![])
    });
    let instance = instance(&[("RUBRICA_WEBHOOKS_TIMEOUT_MS", "300")]);
    let (backend, database) = (instance.backend(), instance.database());
    let webhooks = [&redirecting, &slow].map(|receiver| create(&backend, &receiver.url, &json!({})));
    tell(&database, Some(TENANT), &["1"]);
    for (webhook, expected) in webhooks.iter().zip(["redirects are not followed", "no answer within 300 ms"])
    {
        let path = format!("/v1/webhooks/{}/deliveries?state=dead", id(webhook));
        let dead = eventually(&backend, &path, |list| list["items"][0].is_object());
        let error = dead["items"][0]["last_error"].as_str().unwrap();
        assert!(error.contains(expected), "{error}");
    }
    trap.is_quiet();
    let tested = backend.post(&format!("/v1/webhooks/{}/test", id(&webhooks[0])), &json!({})).json();
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(false), &json!(302)), "{tested}");
}

#[test]
fn an_address_that_asks_for_time_gets_it() {
    let receiver = Receiver::start(|number| match number {
        0 => (429, vec![("retry-after", "2".to_owned())]),
        _ => (200, vec![]),
    });
    let instance = instance(&[]);
    create(&instance.backend(), &receiver.url, &json!({}));
    tell(&instance.database(), Some(TENANT), &["1"]);
    let waited = receiver.next(SOON).at;
    let waited = receiver.next(SOON).at - waited;
    assert!(waited >= Duration::from_millis(1900), "{waited:?}");
}

#[test]
fn an_address_that_is_gone_or_fails_for_too_long_is_disabled_and_goes_on_where_it_stood() {
    for (status, patience, cause) in [(410, "3600", "gone"), (500, "0", "failing")] {
        let receiver =
            Receiver::start(move |number| if number == 0 { (status, vec![]) } else { (200, vec![]) });
        let instance = instance(&[("RUBRICA_WEBHOOKS_PATIENCE_SECONDS", patience)]);
        let (backend, database) = (instance.backend(), instance.database());
        let webhook = create(&backend, &receiver.url, &json!({ "event_types": ["batch.started"] }));
        let path = format!("/v1/webhooks/{}", id(&webhook));
        tell(&database, Some(TENANT), &["1"]);
        receiver.next(SOON);
        let disabled = eventually(&backend, &path, |webhook| webhook["state"] == "disabled");
        assert!(disabled["disabled_at"].is_string());
        let told =
            eventually(&backend, "/v1/events?types=webhook.disabled&limit=1&wait_ms=5000", Value::is_object);
        assert_eq!((&told["data"]["webhook_id"], &told["data"]["cause"]), (&webhook["id"], &json!(cause)));
        tell(&database, Some(TENANT), &["2"]);
        receiver.is_quiet();
        assert_eq!(backend.post(&format!("{path}/enable"), &json!({})).json()["state"], "active");
        let mut body: Value = serde_json::from_str(&receiver.next(SOON).body).unwrap();
        if body["subject"] == "1" {
            body = serde_json::from_str(&receiver.next(SOON).body).unwrap();
        }
        assert_eq!(body["subject"], "2");
        assert_eq!(backend.post(&format!("{path}/disable"), &json!({})).json()["state"], "disabled");
    }
}

#[test]
fn after_a_rotation_messages_are_signed_with_both_secrets_for_a_while() {
    let receiver = Receiver::start(|_| (200, vec![]));
    for (overlap, old_verifies) in [("3600", true), ("0", false)] {
        let instance = instance(&[("RUBRICA_WEBHOOKS_OVERLAP_SECONDS", overlap)]);
        let backend = instance.backend();
        let webhook = create(&backend, &receiver.url, &json!({}));
        let path = format!("/v1/webhooks/{}", id(&webhook));
        let rotated = backend.post(&format!("{path}/rotate-secret"), &json!({})).json();
        let (old, new) = (webhook["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
        assert_ne!(old, new);
        let tested = backend.post(&format!("{path}/test"), &json!({})).json();
        assert_eq!((&tested["delivered"], &tested["status"]), (&json!(true), &json!(200)), "{tested}");
        let message = receiver.next(SOON);
        assert!(verifies(&message, new));
        assert_eq!(verifies(&message, old), old_verifies);
        let event: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!((&event["type"], &event["subject"]), (&json!("webhook.tested"), &webhook["id"]));
        // Neither is readable in the database.
        let kept: Vec<u8> =
            instance.database().query_row("SELECT secret FROM webhook", [], |row| row.get(0)).unwrap();
        assert_eq!(kept.len(), 12 + 32 + 16);
        assert!(!instance.log().contains("whsec_"));
    }
}

#[test]
fn what_leads_into_the_bank_is_refused_and_so_is_what_belongs_to_others() {
    let instance = Instance::start();
    let backend = instance.backend();
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]:8080/",
        "https://localhost/",
        "https://user:secret@example.com/",
        "https://name.invalid/",
        "nonsense",
    ] {
        let problem = backend.post("/v1/webhooks", &json!({ "url": url }));
        let problem = problem.assert_problem(422, "webhook_address_refused");
        assert_eq!(problem["errors"][0]["pointer"], "/url", "{url}");
    }
    for (body, pointer) in [
        (json!({ "url": "https://1.1.1.1/", "event_types": [] }), "/event_types"),
        (json!({ "url": "https://1.1.1.1/", "event_types": ["order.exploded"] }), "/event_types/0"),
        (json!({ "url": "https://1.1.1.1/", "description": "x".repeat(201) }), "/description"),
    ] {
        let problem = backend.post("/v1/webhooks", &body).assert_problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    // An address that was public when it was kept is checked again when it is called.
    let webhook = create(&backend, "https://1.1.1.1/", &json!({}));
    let database = instance.database();
    database.execute("UPDATE webhook SET url = 'https://127.0.0.1:1/'", []).unwrap();
    let path = format!("/v1/webhooks/{}", id(&webhook));
    let tested = backend.post(&format!("{path}/test"), &json!({})).json();
    assert_eq!(tested["error"], "the host has an address that is not public");

    database.execute("UPDATE webhook SET tenant = 'another'", []).unwrap();
    for suffix in ["", "/deliveries"] {
        backend.get(&format!("{path}{suffix}")).assert_problem(404, "not_found");
    }
    for suffix in ["/test", "/rotate-secret", "/enable", "/disable", "/deliveries/evt_0/retry"] {
        backend.post(&format!("{path}{suffix}"), &json!({})).assert_problem(404, "not_found");
    }
    backend.send("DELETE", &path, &[], None).assert_problem(404, "not_found");
    assert_eq!(backend.get("/v1/webhooks").json()["items"], json!([]));
    instance.session(ANA).get("/v1/webhooks").assert_problem(403, "forbidden");
}

#[test]
fn webhooks_are_listed_page_by_page_and_removed() {
    let instance = Instance::start();
    let backend = instance.backend();
    let made: Vec<Value> =
        (0..5).map(|_| create(&backend, "https://1.1.1.1/", &json!({}))["id"].clone()).collect();
    let (mut found, mut query) = (Vec::new(), String::new());
    loop {
        let page = backend.get(&format!("/v1/webhooks?limit=2{query}")).json();
        found.extend(page["items"].as_array().unwrap().iter().map(|webhook| webhook["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("&cursor={cursor}");
    }
    let sorted = |mut ids: Vec<Value>| {
        ids.sort_by_key(Value::to_string);
        ids
    };
    assert_eq!(sorted(found), sorted(made.clone()));
    for query in ["limit=0", "limit=201", "cursor=x"] {
        backend.get(&format!("/v1/webhooks?{query}")).assert_problem(400, "invalid_request");
    }
    let path = format!("/v1/webhooks/{}", made[0].as_str().unwrap());
    for query in ["state=x", "cursor=x", "limit=x"] {
        backend.get(&format!("{path}/deliveries?{query}")).assert_problem(400, "invalid_request");
    }
    assert_eq!(backend.send("DELETE", &path, &[], None).status, 204);
    backend.get(&path).assert_problem(404, "not_found");
    for _ in 4..50 {
        create(&backend, "https://1.1.1.1/", &json!({}));
    }
    let refused = backend.post("/v1/webhooks", &json!({ "url": "https://1.1.1.1/" }));
    refused.assert_problem(422, "limit_exceeded");
}

#[test]
fn nothing_is_lost_between_a_receiver_that_fails_half_the_time_and_a_server_that_is_killed() {
    let receiver = Receiver::start(|number| if number % 2 == 0 { (503, vec![]) } else { (200, vec![]) });
    let retries = [100; 30].map(|ms| format!("{ms}ms")).join(",");
    let variables = [
        ("RUBRICA_WEBHOOKS_PRIVATE_HOSTS", "127.0.0.1"),
        ("RUBRICA_WEBHOOKS_RETRIES", retries.as_str()),
        ("RUBRICA_WEBHOOKS_TIMEOUT_MS", "500"),
    ];
    let options = Options { variables: &variables };
    let mut instance = Instance::start_with(&options);
    let webhook = create(&instance.backend(), &receiver.url, &json!({}));
    let names: Vec<String> = (0..300).map(|number| format!("{number:032x}")).collect();
    for (index, names) in names.chunks(30).enumerate() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        tell(&instance.database(), Some(TENANT), &names);
        if index % 4 == 1 {
            receiver.next(SOON);
            instance.kill();
            instance.run(&options);
        }
    }
    let path = format!("/v1/webhooks/{}/deliveries", id(&webhook));
    let backend = instance.backend();
    let begun = Instant::now();
    loop {
        let delivered: i64 = instance
            .database()
            .query_row("SELECT count(*) FROM delivery WHERE state = 'delivered'", [], |row| row.get(0))
            .unwrap();
        if delivered == 300 {
            break;
        }
        assert!(begun.elapsed() < SOON * 3, "{delivered} of 300; {}", backend.get(&path).json());
        std::thread::sleep(Duration::from_millis(50));
    }
    let accepted = receiver.accepted();
    for name in &names {
        assert!(accepted.contains(&format!("evt_{name}")), "{name} never arrived");
    }
}
