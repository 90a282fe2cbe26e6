use crate::support::{Instance, Options};

#[test]
fn a_working_instance_is_live_and_ready() {
    let instance = Instance::start();
    let client = instance.anonymous();
    assert_eq!(client.get("/health/live").json()["status"], "ok");
    let ready = client.get("/health/ready");
    assert_eq!(ready.status, 200);
    let health = ready.json();
    let names: Vec<_> = health["checks"].as_array().unwrap().iter().map(|check| &check["name"]).collect();
    assert_eq!(names, ["store", "objects", "token"]);
}

#[test]
fn a_token_that_is_not_there_makes_the_instance_unready_and_not_dead() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_TOKEN_LABEL", "no-such-token")] });
    let client = instance.anonymous();
    assert_eq!(client.get("/health/live").status, 200);
    let ready = client.get("/health/ready");
    assert_eq!(ready.status, 503);
    let health = ready.json();
    assert_eq!(health["status"], "failing");
    assert_eq!(health["checks"][2]["ok"], false);
    assert!(
        health["checks"][2]["detail"].as_str().unwrap().contains("no token labelled `no-such-token`"),
        "{health}"
    );
}
