//! Orders: opened, looked at, listed, and who sees what of them.

use serde_json::{Value, json};

use crate::hsm_signatures::contract;
use crate::support::{ANA, BRUNO, Client, Instance, PADARIA, SELO, Signing, order};

#[test]
fn a_backend_opens_an_order_and_sees_all_of_it() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let signing = Signing::open(
        &instance,
        &[&document],
        &[BRUNO, ANA],
        &json!({
            "reference": "loan-1",
            "metadata": { "branch": "0042" },
            "deadline": "2099-01-01T00:00:00Z",
            "reminders_hours": [24, 72],
            "rules": { "format": "pades", "policy": "ad_rb", "custodies": ["local", "hsm"] },
        }),
    );
    let order = signing.now();
    assert_eq!(order, signing.order);
    assert_eq!((&order["state"], &order["reference"]), (&json!("open"), &json!("loan-1")));
    assert_eq!(order["rules"]["level"], "b");
    assert_eq!(order["reminders_hours"], json!([72, 24]));
    assert_eq!(order["metadata"]["branch"], "0042");
    let bruno = &order["participants"][0];
    assert_eq!(bruno["signer"], json!({ "name": BRUNO.1, "identifier_masked": "***.444.777-**" }));
    assert_eq!((&bruno["state"], &bruno["position"]), (&json!("ready"), &json!(1)));
    assert_eq!(order["participants"][1]["state"], "waiting");
    assert!(!order.to_string().contains(BRUNO.0));
    assert_eq!(signing.events(), ["order.created", "participant.ready"]);
    let told = json!(signing.events_whole()).to_string();
    for personal in [BRUNO.0, BRUNO.1, "0042", "TEST contract"] {
        assert!(!told.contains(personal), "{told}");
    }
    assert!(!instance.log().contains(BRUNO.0) && !instance.log().contains(BRUNO.1));
}

#[test]
fn a_request_that_is_not_right_names_every_member_at_fault() {
    let instance = Instance::start();
    let backend = instance.backend();
    let pdf = backend.upload(&contract());
    let other = backend.send("POST", "/v1/documents", &[], Some(b"TEST")).json()["id"].clone();
    let check = |change: &dyn Fn(&mut Value), pointers: &[&str]| {
        let mut body = order(&[&pdf], &[BRUNO, ANA]);
        change(&mut body);
        let problem = backend.post("/v1/orders", &body).assert_problem(400, "invalid_request");
        let found: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["pointer"].as_str().unwrap())
            .collect();
        assert_eq!(found, pointers, "{problem}");
        assert!(!problem.to_string().contains(BRUNO.0), "{problem}");
    };
    check(&|body| body["title"] = json!(" "), &["/title"]);
    check(&|body| body["reference"] = json!("x".repeat(129)), &["/reference"]);
    check(&|body| body["documents"] = json!([]), &["/documents"]);
    check(&|body| body["documents"] = json!([pdf, pdf]), &["/documents/1"]);
    check(&|body| body["documents"][0] = json!(format!("doc_{}", "0".repeat(32))), &["/documents/0"]);
    check(&|body| body["documents"][0] = json!("x"), &["/documents/0"]);
    check(&|body| body["documents"] = json!([pdf, other]), &["/documents/1"]);
    check(&|body| body["participants"] = json!([]), &["/participants"]);
    check(
        &|body| {
            body["participants"][1]["signer"]["identifier"] = json!("1");
            body["metadata"] = json!({ "": "x" });
        },
        &["/participants/1/signer/identifier", "/metadata"],
    );
    check(&|body| body["participants"][0]["position"] = json!(1), &["/participants/1/position"]);
    check(&|body| body["deadline"] = json!("2001-01-01T00:00:00Z"), &["/deadline"]);
    check(&|body| body["reminders_hours"] = json!([1]), &["/reminders_hours"]);
    check(&|body| body["rules"]["custodies"] = json!([]), &["/rules/custodies"]);
    check(&|body| body["rules"]["level"] = json!("xl"), &["/rules/level"]);
    check(&|body| body["rules"]["surprise"] = json!(1), &["/rules/surprise"]);
    let mut body = order(&[&pdf], &[BRUNO]);
    body["rules"] = json!({ "format": "pades", "policy": "ad_rt", "level": "b" });
    let problem = backend.post("/v1/orders", &body).assert_problem(422, "policy_not_applicable");
    assert_eq!(problem["errors"][0]["pointer"], "/rules/level");
}

#[test]
fn orders_are_listed_page_by_page_and_by_filters() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let ids: Vec<String> = (0..5)
        .map(|number| {
            let change = json!({ "reference": format!("loan {}", number % 2) });
            Signing::open(&instance, &[&document], &[ANA], &change).id()
        })
        .collect();
    let list = |query: &str| {
        let page = backend.get(&format!("/v1/orders?{query}")).json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}")).iter();
        let found: Vec<_> = items.map(|order| order["id"].as_str().unwrap().to_owned()).collect();
        (found, page["next_cursor"].as_str().map(str::to_owned))
    };
    let (mut seen, mut cursor) = list("limit=2");
    while let Some(next) = cursor {
        let (found, after) = list(&format!("limit=2&cursor={next}"));
        seen.extend(found);
        cursor = after;
    }
    let mut sorted = [seen.clone(), ids.clone()];
    sorted.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(sorted[0], sorted[1]);
    assert_eq!(list("reference=loan%201").0.len(), 2);
    assert_eq!(list("state=completed").0.len(), 0);
    assert_eq!(list("state=open&created_after=2020-01-01T00:00:00Z").0, seen);
    assert_eq!(list("created_before=2020-01-01T00:00:00Z").0.len(), 0);
    for query in ["state=lost", "created_after=yesterday", "limit=0", "cursor=ord_x"] {
        backend.get(&format!("/v1/orders?{query}")).assert_problem(400, "invalid_request");
    }
}

#[test]
fn a_participant_sees_the_own_order_and_nothing_else() {
    let instance = Instance::start();
    let backend = instance.backend();
    let (document, stranger) = (backend.upload(&contract()), backend.upload(b"%PDF-1.4 TEST"));
    let change = json!({ "reference": "loan-1", "metadata": { "a": "b" }, "flow": "parallel" });
    let signing = Signing::open(&instance, &[&document], &[BRUNO, ANA], &change);
    let other = Signing::open(&instance, &[&stranger], &[ANA], &json!({}));
    let ana = signing.session(1);

    let view = ana.get(&signing.path()).json();
    let people = view["participants"].as_array().unwrap();
    assert_eq!((people.len(), &people[0]["id"]), (1, &json!(signing.participant(1))));
    assert_eq!((&view["reference"], &view["metadata"]), (&Value::Null, &json!({})));
    assert!(!view.to_string().contains(BRUNO.1), "{view}");

    assert_eq!(ana.get(&format!("/v1/documents/{document}")).json()["id"], json!(document));
    assert_eq!(ana.get(&format!("/v1/documents/{document}/content")).body, contract());
    assert_eq!(signing.content(&ana, &document), contract());
    ana.get(&format!("/v1/documents/{stranger}")).assert_problem(404, "not_found");
    ana.get(&other.path()).assert_problem(404, "not_found");
    ana.get(&format!("{}/documents/{stranger}/content", signing.path())).assert_problem(404, "not_found");
    ana.get(&format!("{}/documents/{document}/content", other.path())).assert_problem(404, "not_found");
    ana.get("/v1/orders").assert_problem(403, "forbidden");
    let upload = [("content-type", "application/pdf")];
    ana.send("POST", "/v1/documents", &upload, Some(&contract())).assert_problem(403, "forbidden");
    let decline = |who| format!("{}/participants/{who}/decline", signing.path());
    ana.post(&decline(signing.participant(0)), &json!({})).assert_problem(404, "not_found");
    // What one participant signed is not the other's to see.
    let id = ana.sign_by_token(&document, "pades");
    ana.wait(&id);
    signing.session(0).get(&format!("/v1/signatures/{id}")).assert_problem(404, "not_found");
    assert_eq!(
        signing.session(1).get(&format!("/v1/signatures/{id}")).status,
        200,
        "a later session of the same"
    );
    assert_eq!(signing.now()["participants"][1]["signatures"][0]["signature_id"], json!(id));
}

#[test]
fn a_session_for_an_order_is_for_its_participant() {
    let instance = Instance::start();
    let backend = instance.backend();
    let document = backend.upload(&contract());
    let signing = Signing::open(&instance, &[&document], &[BRUNO, ANA], &json!({}));
    let check = |change: &dyn Fn(&mut Value), status: u16, code: &str, pointer: Option<&str>| {
        let mut body = signing.session_request(0);
        change(&mut body);
        let problem = backend.post("/v1/sessions", &body).assert_problem(status, code);
        assert_eq!(problem["errors"][0]["pointer"].as_str(), pointer, "{problem}");
    };
    let nobody = json!(format!("par_{}", "0".repeat(32)));
    check(&|body| body["participant_id"] = nobody.clone(), 404, "not_found", None);
    check(&|body| body["order_id"] = json!(format!("ord_{}", "0".repeat(32))), 404, "not_found", None);
    check(
        &|body| drop(body.as_object_mut().unwrap().remove("order_id")),
        400,
        "invalid_request",
        Some("/order_id"),
    );
    check(
        &|body| drop(body.as_object_mut().unwrap().remove("participant_id")),
        400,
        "invalid_request",
        Some("/participant_id"),
    );
    let other = json!(signing.participant(1));
    check(&|body| body["participant_id"] = other.clone(), 400, "invalid_request", Some("/signer/identifier"));
}

#[test]
fn a_signature_obeys_the_order() {
    let instance = Instance::start();
    let backend = instance.backend();
    let (document, other) = (backend.upload(&contract()), backend.upload(&contract()));
    let change = json!({ "participants": [
        { "signer": { "identifier": PADARIA.0, "name": PADARIA.1 }, "custodies": ["hsm"] },
        { "signer": { "identifier": SELO.0, "name": SELO.1 }, "custodies": ["local"] },
    ] });
    let signing = Signing::open(&instance, &[&document], &[PADARIA, SELO], &change);
    let (padaria, selo) = (signing.session(0), signing.session(1));
    let body = json!({ "document_id": document, "custody": "hsm", "format": "pades" });
    let check = |session: &Client, change: &dyn Fn(&mut Value), pointer: &str| {
        let mut body = body.clone();
        change(&mut body);
        let problem = session.post("/v1/signatures", &body).assert_problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    };
    check(&padaria, &|body| body["format"] = json!("cades"), "/format");
    check(&padaria, &|body| body["level"] = json!("t"), "/level");
    check(&padaria, &|body| body["policy"] = json!("ad_rb"), "/policy");
    check(&padaria, &|body| body["custody"] = json!("local"), "/custody");
    check(&padaria, &|body| body["pdf"] = json!({ "certification": "no_changes" }), "/pdf/certification");
    let of_nothing = json!({ "document_id": other, "custody": "hsm", "format": "pades" });
    padaria.post("/v1/signatures", &of_nothing).assert_problem(404, "not_found");
    let problem = selo.post("/v1/signatures", &body).assert_problem(409, "order_state_conflict");
    assert!(problem["detail"].as_str().unwrap().contains("waiting"), "{problem}");

    // Where the key is, is asked among the custodies that are open.
    assert_eq!(padaria.get("/v1/custody").json()["custody"], "hsm");
    let custody = selo.get("/v1/custody").json();
    assert_eq!((&custody["custody"], &custody["options"]), (&Value::Null, &json!(["local"])));

    signing.sign_by_token(&padaria, &document, "pades");
    padaria.post("/v1/signatures", &body).assert_problem(409, "order_state_conflict");
}
