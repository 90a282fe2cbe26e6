//! API keys: what they may do, how they come and go.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{ANA, Client, Instance, ORIGIN, rubrica};

fn with(instance: &Instance, secret: &str) -> Client {
    Client::new(instance.url(), Some(secret))
}

/// A key with these scopes, as the API shows it to whoever made it.
#[track_caller]
fn made(caller: &Client, scopes: &[&str]) -> Value {
    let answer = caller.post("/v1/api-keys", &json!({ "name": "TEST", "scopes": scopes }));
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let key = answer.json();
    assert_eq!(answer.header("location"), format!("/v1/api-keys/{}", key["id"].as_str().unwrap()));
    key
}

fn session_request() -> Value {
    json!({ "signer": { "identifier": ANA.0, "name": ANA.1 }, "origins": [ORIGIN] })
}

#[test]
fn a_key_does_what_its_scopes_say_and_is_shown_once() {
    let instance = Instance::start();
    let backend = instance.backend();
    let key = made(&backend, &["sessions:write", "api_keys:read"]);
    let secret = key["secret"].as_str().unwrap();
    assert!(secret.starts_with("rbk_") && secret.len() == 68);
    let holder = with(&instance, secret);
    assert_eq!(holder.post("/v1/sessions", &session_request()).status, 201);
    let refused = holder.post("/v1/api-keys", &json!({ "name": "x", "scopes": ["sessions:write"] }));
    assert!(refused.assert_problem(403, "forbidden")["detail"].as_str().unwrap().contains("api_keys:write"));
    holder.get("/v1/custody").assert_problem(403, "forbidden");

    let shown = holder.get(&format!("/v1/api-keys/{}", key["id"].as_str().unwrap())).json();
    assert_eq!(shown.get("secret"), None);
    assert_eq!(shown["prefix"], secret[..12]);
    let list = holder.get("/v1/api-keys?limit=1").json();
    assert_eq!(list["items"][0]["id"], key["id"]);

    // Only the hash is kept, and nothing of the secret is logged.
    let kept: String = instance
        .database()
        .query_row(
            "SELECT concat_ws(' ', id, name, prefix, hex(key_sha256), created_by) FROM api_key",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(kept.ends_with("client:demo-portal"), "{kept}");
    assert!(!kept.to_lowercase().contains(&secret[12..]) && !instance.log().contains(&secret[12..]));
}

#[test]
fn nobody_gives_more_than_they_have() {
    let instance = Instance::start();
    let key = made(&instance.backend(), &["api_keys:write", "orders:read"]);
    let holder = with(&instance, key["secret"].as_str().unwrap());
    made(&holder, &["orders:read"]);
    let refused =
        holder.post("/v1/api-keys", &json!({ "name": "x", "scopes": ["orders:read", "orders:write"] }));
    assert!(refused.assert_problem(403, "forbidden")["detail"].as_str().unwrap().contains("orders:write"));
    for (body, pointer) in [
        (json!({ "name": "", "scopes": ["orders:read"] }), "/name"),
        (json!({ "name": "x", "scopes": [] }), "/scopes"),
        (json!({ "name": "x", "scopes": ["everything"] }), "/scopes/0"),
        (
            json!({ "name": "x", "scopes": ["orders:read"], "expires_at": "2020-01-01T00:00:00Z" }),
            "/expires_at",
        ),
    ] {
        let problem = holder.post("/v1/api-keys", &body).assert_problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[test]
fn a_revoked_key_opens_nothing_from_the_answer_on() {
    let instance = Instance::start();
    let backend = instance.backend();
    let key = made(&backend, &["api_keys:read"]);
    let holder = with(&instance, key["secret"].as_str().unwrap());
    let path = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
    assert_eq!(holder.get(&path).status, 200);
    let revoke = || backend.send("DELETE", &path, &[], None);
    let first = revoke();
    assert_eq!(first.status, 200);
    holder.get(&path).assert_problem(401, "unauthorized");
    assert_eq!(revoke().json()["revoked_at"], first.json()["revoked_at"]);
    assert!(backend.get(&path).json()["revoked_at"].is_string());
}

#[test]
fn an_expired_key_opens_nothing() {
    let instance = Instance::start();
    let key = made(&instance.backend(), &["api_keys:read"]);
    let changed = instance
        .database()
        .execute(
            "UPDATE api_key SET expires_at = created_at + 1 WHERE id = ?1",
            [key["id"].as_str().unwrap()],
        )
        .unwrap();
    assert_eq!(changed, 1);
    with(&instance, key["secret"].as_str().unwrap()).get("/v1/api-keys").assert_problem(401, "unauthorized");
}

#[test]
fn keys_of_the_configuration_have_a_tenant_scopes_and_an_end() {
    use rubrica_core::digest::Digest;
    let client = |name: &str, more: &str| {
        let hash = Digest::sha256(name.as_bytes()).to_hex();
        format!("[[clients]]\nname = \"{name}\"\nkey_sha256 = \"{hash}\"\n{more}\n")
    };
    let config = [
        client("reader", "tenant = \"demo-portal\"\nscopes = [\"api_keys:read\"]"),
        client("over", "tenant = \"demo-portal\"\nexpires_at = \"2020-01-01T00:00:00Z\""),
        client("other", ""),
    ]
    .concat();
    let instance = Instance::start_with_config(&config);
    let key = made(&instance.backend(), &["orders:read"]);
    let path = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
    let reader = with(&instance, "reader");
    assert_eq!(reader.get(&path).status, 200, "the same tenant");
    reader.post("/v1/sessions", &session_request()).assert_problem(403, "forbidden");
    with(&instance, "over").get(&path).assert_problem(401, "unauthorized");
    with(&instance, "other").get(&path).assert_problem(404, "not_found");
    assert_eq!(with(&instance, "other").get("/v1/api-keys").json()["items"], json!([]));
}

#[test]
fn the_command_line_makes_lists_and_revokes_keys_of_a_running_server() {
    let instance = Instance::start();
    let data = instance.data();
    let data = data.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let all = [&["--json", "api-keys"], arguments, &["--tenant", "demo-portal", "--data", data]].concat();
        let ran = rubrica(&all, &[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.json()
    };
    let key = run(&["create", "--name", "batch", "--scope", "api_keys:read", "--scope", "batches:write"]);
    let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    let holder = with(&instance, secret);
    assert_eq!(holder.get("/v1/api-keys").status, 200);
    let list = run(&["list"]);
    assert_eq!((list[0]["id"].as_str(), list[0].get("secret")), (Some(id), None));
    run(&["revoke", id]);
    let begun = Instant::now();
    while holder.get("/v1/api-keys").status != 401 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the server believes the key for too long");
        std::thread::sleep(Duration::from_millis(100));
    }

    let create = ["api-keys", "create", "--tenant", "demo-portal", "--name", "x", "--data", data];
    let refused = rubrica(&[&create[..], &["--scope", "everything"]].concat(), &[]);
    refused.assert_error(3, "usage");
    assert!(refused.stderr.contains("/scopes/0: one of sessions:write"), "{refused:?}");
}
