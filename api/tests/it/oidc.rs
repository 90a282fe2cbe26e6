//! People of the bank: tokens of a real provider, and every way to forge one that we know of.

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::support::issuer::{self, now};
use crate::support::{Client, Instance, Issuer, Key};

fn caller(instance: &Instance, token: &str) -> Client {
    Client::new(instance.url(), Some(token))
}

#[test]
fn people_come_in_with_every_algorithm_that_is_accepted_and_their_roles_decide() {
    let (rsa, p256, ed25519) = (Key::rsa(), Key::p256(), Key::ed25519());
    let issuer = Issuer::start(&[rsa.jwk("r"), p256.jwk("p"), ed25519.jwk("e")]);
    let instance = Instance::start_with_config(&issuer.config());
    for (key, kid) in [(&rsa, "r"), (&p256, "p"), (&ed25519, "e")] {
        let token = issuer.token(key, kid, "north", &["auditor", "offline_access"]);
        let person = caller(&instance, &token);
        assert_eq!(person.get("/v1/api-keys").status, 200, "{kid}");
        person.post("/v1/api-keys", &json!({})).assert_problem(403, "forbidden");
    }
    let header = json!({ "alg": "PS256", "kid": "r" });
    let pss =
        issuer::token(&header, &issuer.claims("north", &["admin"]), |message| rsa.sign("PS256", message));
    assert_eq!(caller(&instance, &pss).get("/v1/api-keys").status, 200);

    for (roles, status) in [(&["admin"][..], 200), (&["analyst"], 403), (&[], 403), (&["root"], 403)] {
        let person = caller(&instance, &issuer.token(&rsa, "r", "north", roles));
        assert_eq!(person.get("/v1/api-keys").status, status, "{roles:?}");
    }
    assert_eq!(issuer.asked(), 1, "the keys are asked for once");
}

#[test]
fn no_forged_token_is_accepted() {
    let (rsa, p256, stranger) = (Key::rsa(), Key::p256(), Key::rsa());
    let issuer = Issuer::start(&[rsa.jwk("r"), p256.jwk("p"), stranger.jwk("../../keys/r")]);
    let instance = Instance::start_with_config(&issuer.config());
    let good = issuer.claims("north", &["admin"]);
    let header = |alg: &str| json!({ "alg": alg, "typ": "JWT", "kid": "r" });
    let with = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims[member] = value;
        issuer::token(&header("RS256"), &claims, |message| rsa.sign("RS256", message))
    };
    let headed = |more: Value| {
        let mut header = header("RS256");
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        header
    };
    let hmac = |secret: &[u8]| {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        issuer::token(&header("HS256"), &good, |message| hmac::sign(&secret, message).as_ref().to_vec())
    };
    let right = with("sub", json!("person-1-TEST"));
    let (body, value) = right.rsplit_once('.').unwrap();
    let (_, payload) = body.split_once('.').unwrap();
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("exp");
    let pem = rsa.public_der();
    let by_stranger =
        |header: &Value| issuer::token(header, &good, |message| stranger.sign("RS256", message));
    let elsewhere = format!("{}/elsewhere", issuer.url());

    let other_header = issuer::token(&json!({ "alg": "RS256", "kid": "r" }), &good, |_| Vec::new());

    let forged = [
        ("alg none", issuer::token(&header("none"), &good, |_| Vec::new())),
        ("alg None", issuer::token(&header("None"), &good, |_| Vec::new())),
        ("signature cut off", format!("{body}.")),
        ("signature changed", format!("{body}.{}AAAA", &value[..value.len() - 4])),
        ("header of another", format!("{}.{payload}.{value}", other_header.split_once('.').unwrap().0)),
        ("HS256 with the public key", hmac(&pem)),
        ("HS256 with nothing", hmac(b"")),
        ("ES256 with an RSA key", issuer::token(&header("ES256"), &good, |m| p256.sign("ES256", m))),
        (
            "RS256 with an EC key",
            issuer::token(&json!({ "alg": "RS256", "kid": "p" }), &good, |m| rsa.sign("RS256", m)),
        ),
        ("a key of nobody", by_stranger(&header("RS256"))),
        ("its own key", by_stranger(&headed(json!({ "jwk": stranger.jwk("r") })))),
        ("its own key, elsewhere", by_stranger(&headed(json!({ "jku": elsewhere, "x5u": elsewhere })))),
        ("its own certificate", by_stranger(&headed(json!({ "x5c": ["MAA="] })))),
        ("an unknown key", by_stranger(&headed(json!({ "kid": "x" })))),
        ("kid as a path", by_stranger(&headed(json!({ "kid": "../r" })))),
        ("kid as SQL", by_stranger(&headed(json!({ "kid": "r' OR '1'='1" })))),
        ("kid as number", by_stranger(&headed(json!({ "kid": 1 })))),
        ("no kid", issuer::token(&json!({ "alg": "RS256" }), &good, |m| rsa.sign("RS256", m))),
        (
            "critical extension",
            issuer::token(&headed(json!({ "crit": ["b64"], "b64": true })), &good, |m| rsa.sign("RS256", m)),
        ),
        ("wrong audience", with("aud", json!("https://other.bank.example"))),
        ("wrong audiences", with("aud", json!(["a", "b"]))),
        ("no audience", with("aud", Value::Null)),
        ("wrong issuer", with("iss", json!("https://evil.example"))),
        ("issuer with a slash", with("iss", json!(format!("{}/", issuer.url())))),
        ("no issuer", with("iss", Value::Null)),
        ("expired", with("exp", json!(now() - 120))),
        ("without end", issuer::token(&header("RS256"), &without, |m| rsa.sign("RS256", m))),
        ("end as text", with("exp", json!("2999-01-01"))),
        ("not yet valid", with("nbf", json!(now() + 120))),
        ("issued in the future", with("iat", json!(now() + 120))),
        ("no subject", with("sub", Value::Null)),
        ("no tenant", with("tenant", Value::Null)),
        ("two parts", body.to_owned()),
        ("five parts", format!("{right}.AA.AA")),
        ("too long", format!("{right}{}", "A".repeat(17_000))),
        ("not base64", "a!.b!.c!".to_owned()),
    ];
    for (what, token) in &forged {
        let answer = caller(&instance, token).get("/v1/api-keys");
        assert_eq!(answer.status, 401, "{what}: {}", String::from_utf8_lossy(&answer.body));
        answer.assert_problem(401, "unauthorized");
    }
    assert_eq!(
        caller(&instance, &right).get("/v1/api-keys").status,
        200,
        "the right one is good all the time"
    );
    assert!(
        issuer.asked() < 10,
        "nothing was fetched from where a token said, and the keys not for each: {}",
        issuer.asked()
    );
    // What is refused is not written down.
    assert!(!instance.log().contains(value) && !instance.log().contains(payload));
}

#[test]
fn keys_change_without_a_restart_and_an_unknown_name_is_asked_for_but_not_each_time() {
    let (old, new) = (Key::p256(), Key::p256());
    let issuer = Issuer::start(&[old.jwk("old")]);
    let instance = Instance::start_with_config(&issuer.config());
    let old_token = issuer.token(&old, "old", "north", &["auditor"]);
    let new_token = issuer.token(&new, "new", "north", &["auditor"]);
    let status = |token: &str| caller(&instance, token).get("/v1/api-keys").status;
    assert_eq!((status(&old_token), status(&new_token)), (200, 401));
    let asked = issuer.asked();
    for _ in 0..50 {
        assert_eq!(status(&new_token), 401);
    }
    assert!(issuer.asked() <= asked + 2, "{} times for 50 tokens", issuer.asked() - asked);

    // The provider rotates: both keys, then the new one alone.
    issuer.publish(Some(&[old.jwk("old"), new.jwk("new")]));
    until(|| status(&new_token) == 200);
    assert_eq!(status(&old_token), 200);
    issuer.publish(Some(&[new.jwk("new")]));
    let unknown = issuer.token(&new, "another", "north", &["auditor"]);
    until(|| status(&unknown) == 401 && status(&old_token) == 401);
    assert_eq!(status(&new_token), 200);

    // A provider that is down takes nobody's access away.
    issuer.publish(None);
    let asked = issuer.asked();
    until(|| status(&unknown) == 401 && issuer.asked() > asked);
    assert_eq!(status(&new_token), 200);
}

#[test]
fn a_provider_that_was_never_reached_is_a_503_and_not_a_401() {
    let key = Key::p256();
    let issuer = Issuer::start(&[]);
    issuer.publish(None);
    let instance = Instance::start_with_config(&issuer.config());
    let token = issuer.token(&key, "k", "north", &["auditor"]);
    let answer = caller(&instance, &token).get("/v1/api-keys");
    answer.assert_problem(503, "unavailable");
    assert!(!answer.header("retry-after").is_empty());
    // Backends and sessions do not depend on it.
    assert_eq!(instance.backend().get("/v1/api-keys").status, 200);
    issuer.publish(Some(&[key.jwk("k")]));
    until(|| caller(&instance, &token).get("/v1/api-keys").status == 200);
}

/// Tries again until it holds: keys are asked for at most once a second here.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came to hold");
        std::thread::sleep(Duration::from_millis(50));
    }
}
