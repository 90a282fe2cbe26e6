use serde_json::{Value, json};

use crate::support::{ANA, BRUNO, Client, Instance, ORIGIN};

fn request() -> Value {
    json!({ "signer": { "identifier": ANA.0, "name": ANA.1 }, "origins": [ORIGIN] })
}

#[test]
fn a_backend_opens_a_session_that_shows_no_number() {
    let instance = Instance::start();
    let answer = instance.backend().post("/v1/sessions", &request());
    assert_eq!(answer.status, 201);
    let session = answer.json();
    assert!(session["id"].as_str().unwrap().starts_with("ses_"));
    assert_eq!(session["signer"], json!({ "name": ANA.1, "identifier_masked": "***.982.247-**" }));
    assert!(!session.to_string().contains(ANA.0));
    assert!(session["expires_at"].as_str().unwrap().ends_with('Z'));

    // The token opens the door, and only its hash is kept.
    let token = session["token"].as_str().unwrap();
    assert_eq!(Client::new(instance.url(), Some(token)).get("/v1/custody").status, 200);
    let row: String = instance
        .database()
        .query_row(
            "SELECT concat_ws(' ', hex(token_hash), hex(signer_hash), signer_name, signer_masked) FROM session
             WHERE id = ?1",
            [session["id"].as_str().unwrap()],
            |row| row.get(0),
        )
        .unwrap();
    assert!(row.ends_with("ANA BEATRIZ DE SOUZA TEST ***.982.247-**"), "{row}");
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
    assert!(!row.contains(&hex(token)) && !row.contains(&hex(ANA.0)), "{row}");
}

#[test]
fn a_request_that_is_not_right_names_the_member_at_fault() {
    let instance = Instance::start();
    let backend = instance.backend();
    let check = |change: &dyn Fn(&mut Value), pointer: &str| {
        let mut body = request();
        change(&mut body);
        let problem = backend.post("/v1/sessions", &body).assert_problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(!problem.to_string().contains(ANA.0), "{problem}");
    };
    check(&|body| body["signer"]["identifier"] = json!("529"), "/signer/identifier");
    check(&|body| body["signer"]["identifier"] = json!(52_998_224_725_u64), "/signer/identifier");
    check(&|body| body["signer"]["name"] = json!(" "), "/signer/name");
    check(&|body| body["signer"]["cpf"] = json!("x"), "/signer/cpf");
    check(&|body| body["origins"] = json!([]), "/origins");
    check(&|body| body["origins"] = json!([ORIGIN, "http://bank.example"]), "/origins/1");
    check(&|body| body["origins"] = json!(["https://bank.example/path"]), "/origins/0");
    check(&|body| body["expires_in_seconds"] = json!(59), "/expires_in_seconds");
    check(&|body| body["expires_in_seconds"] = json!(3601), "/expires_in_seconds");
    check(&|body| body["surprise"] = json!(1), "/surprise");
}

#[test]
fn a_session_for_an_order_that_is_not_there_is_refused() {
    let instance = Instance::start();
    let mut body = request();
    body["participant_id"] = json!("par_00112233445566778899aabbccddeeff");
    for order in ["ord_00112233445566778899aabbccddeeff", "nonsense"] {
        body["order_id"] = json!(order);
        instance.backend().post("/v1/sessions", &body).assert_problem(404, "not_found");
    }
}

#[test]
fn only_a_known_key_opens_sessions() {
    let instance = Instance::start();
    let answer = instance.anonymous().post("/v1/sessions", &request());
    answer.assert_problem(401, "unauthorized");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    Client::new(instance.url(), Some("rak_guess"))
        .post("/v1/sessions", &request())
        .assert_problem(401, "unauthorized");
    instance.session(ANA).post("/v1/sessions", &request()).assert_problem(403, "forbidden");
    // And a backend does not act as a signer.
    instance.backend().post("/v1/signatures", &json!({})).assert_problem(403, "forbidden");
}

#[test]
fn an_expired_session_is_told_so() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    instance.database().execute("UPDATE session SET expires_at = created_at", []).unwrap();
    session.get("/v1/custody").assert_problem(401, "session_expired");
}

#[test]
fn a_session_works_only_from_its_origins() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let allowed = session.with("origin", ORIGIN).get("/v1/custody");
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(allowed.header("vary"), "origin");
    assert_eq!(allowed.header("access-control-allow-credentials"), "");

    let other = session.with("origin", "https://evil.example").get("/v1/custody");
    other.assert_problem(403, "origin_not_allowed");
    assert_eq!(other.header("access-control-allow-origin"), "");
    session.with("origin", "null").get("/v1/custody").assert_problem(403, "origin_not_allowed");
    session.with("sec-fetch-site", "cross-site").get("/v1/custody").assert_problem(403, "origin_not_allowed");

    // Problems are readable for the page too.
    let mut stranger = session.with("origin", ORIGIN);
    stranger.token = None;
    let refused = stranger.get("/v1/custody");
    refused.assert_problem(401, "unauthorized");
    assert_eq!(refused.header("access-control-allow-origin"), ORIGIN);
}

#[test]
fn a_preflight_is_answered_for_named_origins_only() {
    let instance = Instance::start();
    let _session = instance.session(BRUNO);
    let preflight = |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        instance.anonymous().send("OPTIONS", "/v1/documents", &headers, None)
    };
    let known = preflight(ORIGIN);
    assert_eq!(known.status, 204);
    assert_eq!(known.header("access-control-allow-origin"), ORIGIN);
    assert!(known.header("access-control-allow-headers").contains("rubrica-file-name"));
    preflight("https://evil.example").assert_problem(403, "origin_not_allowed");
}

#[test]
fn other_media_types_and_large_bodies_are_refused() {
    let instance = Instance::start();
    let backend = instance.backend();
    let text = request().to_string();
    backend
        .send("POST", "/v1/sessions", &[("content-type", "text/plain")], Some(text.as_bytes()))
        .assert_problem(415, "unsupported_media_type");
    let large = format!("{}{text}", " ".repeat(1_048_577));
    backend
        .send("POST", "/v1/sessions", &[("content-type", "application/json")], Some(large.as_bytes()))
        .assert_problem(413, "payload_too_large");
}
