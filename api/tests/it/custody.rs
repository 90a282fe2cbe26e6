use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{ANA, BRUNO, Client, Instance, Options, PADARIA, SELO};

#[test]
fn a_signer_with_a_key_here_is_sent_to_the_token() {
    let instance = Instance::start();
    for (person, masked) in [(ANA, "***.982.247-**"), (PADARIA, "**.222.333/****-**")] {
        let answer = instance.session(person).get("/v1/custody").json();
        assert_eq!(answer["custody"], "hsm");
        assert_eq!(answer["options"], json!([]));
        assert_eq!(answer["sources"][0]["source"], "hsm");
        assert_eq!(answer["sources"][0]["outcome"], "yes");
        let holder = &answer["key"]["certificate"]["holder"];
        assert_eq!(*holder, json!({ "name": person.1, "identifier_masked": masked }));
        assert!(!answer.to_string().contains(person.0));
    }
}

#[test]
fn a_signer_without_one_may_use_the_device() {
    let instance = Instance::start();
    for person in [BRUNO, SELO] {
        let answer = instance.session(person).get("/v1/custody").json();
        assert_eq!(answer["custody"], json!(null));
        assert_eq!(answer["options"], json!(["hsm", "local"]));
        assert_eq!(answer["sources"][0]["outcome"], "no");
    }
}

#[test]
fn a_key_that_is_suspended_or_ended_does_not_count() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    for change in ["state = 'suspended'", "state = 'active', not_after = 1"] {
        instance.database().execute(&format!("UPDATE signing_key SET {change}"), []).unwrap();
        assert_eq!(session.get("/v1/custody").json()["sources"][0]["outcome"], "no");
    }
}

#[test]
fn a_source_that_cannot_tell_is_unknown() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    instance.database().execute("UPDATE signing_key SET certificate = x'00'", []).unwrap();
    let answer = session.get("/v1/custody").json();
    assert_eq!(answer["sources"][0]["outcome"], "unknown");
    assert_eq!(answer["sources"][0]["doubt"], "failed");
    assert_eq!((&answer["certain"], &answer["options"]), (&json!(false), &json!(["local"])));
}

#[test]
fn without_a_token_there_is_only_the_device() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_TOKEN_LABEL", "")] });
    let session = instance.session(ANA);
    let answer = session.get("/v1/custody").json();
    assert_eq!((&answer["sources"], &answer["options"]), (&json!([]), &json!(["local"])));
    let document = session.upload(b"%PDF-");
    let body = json!({ "document_id": document, "custody": "hsm", "format": "cades" });
    session.post("/v1/signatures", &body).assert_problem(422, "key_not_found");
}

#[test]
fn a_backend_asks_about_anybody_by_number() {
    let instance = Instance::start();
    let backend = instance.backend();
    let ask = |number: &str| backend.get(&format!("/v1/custody?identifier={number}"));
    for person in [ANA, PADARIA] {
        let answer = ask(person.0).json();
        assert_eq!((&answer["custody"], &answer["certain"]), (&json!("hsm"), &json!(true)));
        assert!(!answer.to_string().contains(person.0));
    }
    // An alphanumeric CNPJ of somebody unknown.
    assert_eq!(ask("12ABC34501DE35").json()["options"], json!(["hsm", "local"]));
    ask("52998224724").assert_problem(422, "cpf_invalid");
    ask("12ABC34501DE36").assert_problem(422, "cnpj_invalid");
    ask("529").assert_problem(400, "invalid_request");
    backend.get("/v1/custody").assert_problem(400, "invalid_request");
    let session = instance.session(ANA);
    session.get(&format!("/v1/custody?identifier={}", BRUNO.0)).assert_problem(400, "invalid_request");
    for number in [ANA.0, PADARIA.0, "52998224724", "12ABC34501DE36", BRUNO.0] {
        assert!(!instance.log().contains(number), "{number}");
    }
}

#[test]
fn numbers_with_wrong_digits_are_refused_with_their_own_code_wherever_they_stand() {
    let instance = Instance::start();
    let backend = instance.backend();
    for (number, code) in [("52998224724", "cpf_invalid"), ("12ABC34501DE36", "cnpj_invalid")] {
        let signer = json!({ "identifier": number, "name": "ANA TEST" });
        let body = json!({ "signer": signer, "origins": ["https://bank.example"] });
        let answer = backend.post("/v1/sessions", &body);
        answer.assert_problem(422, code);
        assert_eq!(answer.json()["errors"][0]["pointer"], "/signer/identifier");
        let order = json!({ "title": "TEST", "documents": [], "participants": [{ "signer": signer }],
                            "flow": "parallel", "rules": { "format": "pades" } });
        let problem = backend.post("/v1/orders", &order).json();
        let faults = problem["errors"].as_array().unwrap();
        let at = |fault: &&Value| fault["pointer"] == "/participants/0/signer/identifier";
        assert_eq!(faults.iter().find(at).unwrap()["code"], code, "{problem}");
        assert!(!problem.to_string().contains(number));
    }
}

#[test]
fn a_tenant_offers_what_its_basis_permits_and_nothing_while_a_source_is_silent() {
    let rules = "[custody.tenants.demo-portal]\nbasis = \"private_ca\"\n\
                 offers = [\"hsm_generate\", \"hsm_import\", \"local\"]\npreselected = \"hsm_generate\"\n";
    let instance = Instance::start_with_config(rules);
    let session = instance.session(BRUNO);
    let answer = session.get("/v1/custody").json();
    assert_eq!(answer["offers"], json!(["hsm_generate", "hsm_import", "local"]));
    assert_eq!(
        (&answer["options"], &answer["preselected"]),
        (&json!(["hsm", "local"]), &json!("hsm_generate"))
    );
    // There may be a key, so nobody is asked to make another.
    instance.database().execute("ALTER TABLE signing_key RENAME TO away", []).unwrap();
    let answer = session.get("/v1/custody").json();
    assert_eq!((&answer["offers"], &answer["preselected"]), (&json!(["local"]), &Value::Null));
    assert_eq!(answer["certain"], false);
    instance.database().execute("ALTER TABLE away RENAME TO signing_key", []).unwrap();
    assert_eq!(session.get("/v1/custody").json()["certain"], true);
}

#[test]
fn a_bank_that_is_not_accredited_offers_its_customers_no_place_in_its_module() {
    let rules = "[custody.tenants.demo-portal]\nbasis = \"company\"\noffers = [\"hsm_generate\", \"local\"]\n\
                 own_companies = [\"12ABC34501DE35\"]\n";
    let instance = Instance::start_with_config(rules);
    let offers = |number: &str| {
        let answer = instance.backend().get(&format!("/v1/custody?identifier={number}")).json();
        answer["offers"].clone()
    };
    assert_eq!(offers(BRUNO.0), json!(["local"]), "a customer");
    assert_eq!(offers("00000000000191"), json!(["local"]), "a company that is a customer");
    assert_eq!(offers("12ABC34501DE35"), json!(["hsm_generate", "local"]), "the bank itself");
}

/// The events of this type, oldest first, once there are so many.
pub(crate) fn told(backend: &Client, event_type: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let answer = backend.get(&format!("/v1/events?types={event_type}"));
        let text = String::from_utf8(answer.body).unwrap();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if events.len() >= count {
            return events;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{event_type}: {events:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_result_is_told_once_in_a_session_and_again_when_it_is_another() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    for _ in 0..3 {
        session.get("/v1/custody");
    }
    instance.database().execute("UPDATE signing_key SET state = 'suspended'", []).unwrap();
    for _ in 0..2 {
        session.get("/v1/custody");
    }
    instance.backend().get(&format!("/v1/custody?identifier={}", BRUNO.0));
    let told = told(&instance.backend(), "custody.resolved", 2);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((&told[0]["data"]["custody"], &told[1]["data"]["custody"]), (&json!("hsm"), &Value::Null));
    assert_eq!(told[1]["data"]["sources"][0]["outcome"], "no");
    assert!(!json!(told).to_string().contains(ANA.0));
}
