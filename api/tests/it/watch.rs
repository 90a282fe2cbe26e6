//! What ends is announced once per step, whoever looks and however often; what was revoked is stopped.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rubrica_core::wire::{Signature, SignatureFormat};
use serde_json::{Value, json};

use crate::custody::told;
use crate::hsm_signatures::contract;
use crate::support::{ANA, BRUNO, Client, Instance, LocalKey, MovedClock, Options, postgres, rubrica};

const DAY: i64 = 86_400;
/// How long the keys of the template are valid, from about when the tests began.
const LIFE: i64 = 3 * 365;

/// An instance that looks every second with the clock so many days before the keys of the template end.
fn variables(clock: &MovedClock) -> Vec<(&'static str, String)> {
    let mut variables = clock.variables().to_vec();
    variables.push(("RUBRICA_WATCH_EVERY_SECONDS", "1".to_owned()));
    variables
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// How often each step of each key was told.
fn steps(events: &[Value]) -> BTreeMap<(String, i64), usize> {
    let mut steps = BTreeMap::new();
    for event in events {
        let data = &event["data"];
        let key = data["key_id"].as_str().unwrap().to_owned();
        *steps.entry((key, data["days_before"].as_i64().unwrap())).or_insert(0) += 1;
    }
    steps
}

fn keys(backend: &Client) -> usize {
    backend.get("/v1/keys").json()["items"].as_array().unwrap().len()
}

/// Longer than two rounds.
fn let_it_look() {
    std::thread::sleep(Duration::from_millis(3500));
}

#[test]
fn a_step_is_announced_once_across_restarts_and_only_where_things_stand() {
    let clock = MovedClock::new();
    clock.off_by((LIFE - 25) * DAY);
    let variables = variables(&clock);
    let options = Options { variables: &borrowed(&variables) };
    let mut instance = Instance::start_with(&options);
    let keys = keys(&instance.backend());
    told(&instance.backend(), "key.expiring", keys);
    let_it_look();
    for days in [25, 10, 10, -1] {
        instance.terminate();
        clock.off_by((LIFE - days) * DAY);
        instance.run(&options);
        let_it_look();
    }
    let events = told(&instance.backend(), "key.expiring", 3 * keys);
    let steps = steps(&events);
    assert!(steps.values().all(|count| *count == 1), "{steps:?}");
    let days: Vec<i64> =
        steps.keys().map(|(_, days)| *days).filter(|days| [30, 14, 0].contains(days)).collect();
    assert_eq!((days.len(), steps.len()), (3 * keys, 3 * keys), "nothing that was missed: {steps:?}");
    assert!(events.iter().all(|event| event["data"]["signer"].as_str().unwrap().len() == 64), "{events:?}");
    let all = format!("{events:?}");
    assert!(!all.contains(ANA.0) && !all.contains("@"), "no personal data: {all}");
}

#[test]
fn two_instances_on_one_database_announce_once() {
    let address = postgres::shared().database();
    let clock = MovedClock::new();
    clock.off_by((LIFE - 6) * DAY);
    let mut variables = variables(&clock);
    variables.push(("RUBRICA_STORE_URL", address.clone()));
    let options = Options { variables: &borrowed(&variables) };
    let first = Instance::prepare();
    assert_eq!(first.migrate(&address).code, 0);
    let mut both = [first, Instance::prepare()];
    std::thread::scope(|scope| {
        for instance in &mut both {
            scope.spawn(|| instance.run(&options));
        }
    });
    let backend = both[0].backend();
    let keys = keys(&backend);
    told(&backend, "key.expiring", keys);
    let_it_look();
    let steps = steps(&told(&backend, "key.expiring", keys));
    assert_eq!(steps.len(), keys, "{steps:?}");
    assert!(steps.iter().all(|((_, days), count)| *days == 7 && *count == 1), "{steps:?}");
    let rows =
        postgres::psql(&address, "SELECT count(*), min(days_before), max(days_before) FROM validity_step");
    assert_eq!(rows, format!("{keys}|7|7"));
}

#[test]
fn what_ends_within_some_days_is_listed_over_http_and_for_cron() {
    let instance = Instance::start();
    let (backend, data) = (instance.backend(), instance.data());
    let nothing = backend.get("/v1/keys/expiring").json();
    assert_eq!((&nothing["items"], &nothing["others"]), (&json!([]), &json!([])), "{nothing}");
    // A person who signs with a key of their own.
    let local = &LocalKey::all()[0];
    let session = instance.session(BRUNO);
    let body = json!({
        "document_id": session.upload(&contract()), "custody": "local", "format": "cades",
        "certificate": local.certificate,
    });
    let answer = session.post("/v1/signatures", &body);
    assert_eq!(answer.status, 201, "{answer:?}");

    let (mut keys, mut path) = (Vec::new(), "/v1/keys/expiring?within_days=1100&limit=1".to_owned());
    loop {
        let page = backend.get(&path).json();
        assert_eq!(page["others"].is_null(), !keys.is_empty(), "on the first page only: {page}");
        keys.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/keys/expiring?within_days=1100&limit=1&cursor={cursor}");
    }
    let all = backend.get("/v1/keys").json()["items"].as_array().unwrap().len();
    assert_eq!(keys.len(), all);
    assert!(keys.iter().all(|key| (1090..=1095).contains(&key["days_left"].as_i64().unwrap())), "{keys:?}");
    let list = backend.get("/v1/keys/expiring?within_days=3650").json();
    let kinds: Vec<&str> =
        list["others"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(["signer", "intermediate", "anchor"].iter().all(|kind| kinds.contains(kind)), "{list}");
    let signer = list["others"].as_array().unwrap().iter().find(|one| one["kind"] == "signer").unwrap();
    assert_eq!((&signer["custody"], &signer["name"]), (&json!("local"), &json!("***.444.777-**")));
    assert!(!list.to_string().contains(BRUNO.0));
    for bad in ["x", "-1", "3651", ""] {
        backend.get(&format!("/v1/keys/expiring?within_days={bad}")).assert_problem(400, "invalid_request");
    }

    let run = |more: &[&str]| {
        let arguments = [&["keys", "expiring", "--data", data.to_str().unwrap()], more].concat();
        rubrica(&arguments, &[])
    };
    let ran = run(&[]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1), "nothing but the head: {ran:?}");
    let ran = run(&["--within-days", "1100"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stdout.lines().count() > all, "{ran:?}");
    let ran = run(&["--within-days", "1100", "--json"]);
    let listed = ran.json();
    let of_kind = |kind: &str| listed.as_array().unwrap().iter().filter(|one| one["kind"] == kind).count();
    assert_eq!((ran.code, of_kind("key"), of_kind("signer")), (2, all, 1), "{listed}");
    let ran = run(&["--within-days", "1100", "--tenant", "nobody"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1), "{ran:?}");
    run(&["--within-days", "9999"]).assert_error(3, "usage");
}

#[test]
fn a_revoked_key_is_suspended_and_one_about_which_nobody_can_tell_is_not() {
    let mut instance = Instance::start_demo(0);
    let backend = instance.backend();
    let key = instance.session(ANA).get("/v1/custody").json()["key"]["id"].as_str().unwrap().to_owned();
    let outcomes = |instance: &Instance, wanted: &str, count: usize| {
        let begun = Instant::now();
        loop {
            let sql = format!("SELECT count(*) FROM revocation_check WHERE outcome = '{wanted}'");
            let found: usize = instance
                .database()
                .query_row(&sql, [], |row| row.get::<_, i64>(0))
                .unwrap()
                .try_into()
                .unwrap();
            if found >= count {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{wanted}: {found} {}", instance.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let active = backend.get("/v1/keys?state=active").json()["items"].as_array().unwrap().len();
    outcomes(&instance, "good", active);

    // Nobody answers under the addresses of the certificates any more.
    let port: u16 = instance.url().rsplit(':').next().unwrap().parse().unwrap();
    instance.terminate();
    let again = "UPDATE revocation_check SET next_at = 0";
    instance.database().execute(again, []).unwrap();
    let cache = instance.data().join("cache");
    let _ = std::fs::remove_dir_all(&cache);
    instance.run(&Options { variables: &[("RUBRICA_FETCH_TIMEOUT_MS", "2000")] });
    outcomes(&instance, "unknown", active);
    let states = instance.backend().get("/v1/keys?state=suspended").json();
    assert_eq!(states["items"], json!([]), "unknown is not revoked");
    instance.terminate();

    let serial = {
        let path = instance.data().join("pki/revoked");
        let der: Vec<u8> = instance
            .database()
            .query_row("SELECT certificate FROM signing_key WHERE id = ?1", [&key], |row| row.get(0))
            .unwrap();
        let serial = rubrica_core::x509::Certificate::from_der(&der).unwrap().serial_hex();
        std::fs::write(path, format!("{serial}\n")).unwrap();
        serial
    };
    instance.database().execute(again, []).unwrap();
    let _ = std::fs::remove_dir_all(&cache);
    instance.run_demo(port);
    let backend = instance.backend();
    let events = told(&backend, "key.suspended", 1);
    let expected = json!({ "key_id": key, "code": "certificate_revoked" });
    assert_eq!(events.iter().map(|event| &event["data"]).collect::<Vec<_>>(), [&expected], "{serial}");
    let shown = backend.get(&format!("/v1/keys/{key}")).json();
    assert_eq!(
        (&shown["state"], &shown["changed_code"]),
        (&json!("suspended"), &json!("certificate_revoked"))
    );
    outcomes(&instance, "good", active - 1);
}

#[test]
fn the_certificate_of_the_time_stamping_authority_is_watched_as_it_was_seen() {
    let instance = Instance::start_demo(0);
    let (backend, session) = (instance.backend(), instance.session(BRUNO));
    let key = &LocalKey::all()[0];
    let body = json!({
        "document_id": session.upload(&contract()), "custody": "local", "format": "cades", "level": "t",
        "certificate": key.certificate,
    });
    let answer = session.post("/v1/signatures", &body);
    let signature: Signature = serde_json::from_slice(&answer.body).unwrap();
    let value = key.sign(&signature, &contract(), SignatureFormat::Cades);
    let path = format!("/v1/signatures/{}/complete", signature.id);
    let answer = session.post(&path, &json!({ "signature_value": value }));
    assert!(answer.status < 300, "{answer:?}");
    let begun = Instant::now();
    loop {
        let list = backend.get("/v1/keys/expiring?within_days=3650").json();
        let others = list["others"].as_array().unwrap();
        if let Some(tsa) = others.iter().find(|one| one["kind"] == "tsa") {
            assert_eq!(tsa["subject"].as_str().unwrap().len(), 64, "{tsa}");
            assert!(tsa["name"].as_str().unwrap().contains("TEST"), "{tsa}");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{list} {}", instance.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}
