use super::*;
use crate::custody::told;
use crate::support::{ANA, SELO};

#[test]
fn only_the_person_who_signs_permits_and_only_once() {
    for cloud in services() {
        let (cloud, instance, session, document) = scene_with(cloud);
        let (id, back) = cloud.visit(&session, &document, "one", "refuse=1");
        session.post(&complete(&id), &back).assert_problem(422, "provider_refused");
        assert_eq!(state(&session, &id), "failed");
        session.post(&complete(&id), &back).assert_problem(409, "authorization_invalid");

        let (id, back) = cloud.visit(&session, &document, "one", "permit=1&identity=1");
        session.post(&complete(&id), &back).assert_problem(422, "certificate_wrong_person");
        assert_eq!(state(&session, &id), "failed");

        // What another request brought, which would lend another permission.
        let (_, theirs) = cloud.visit(&session, &document, "one", "permit=1");
        let (id, mut back) = cloud.visit(&session, &document, "one", "permit=1");
        for name in ["session", "code"].into_iter().filter(|name| theirs["parameters"].get(name).is_some()) {
            back["parameters"][name] = theirs["parameters"][name].clone();
        }
        session.post(&complete(&id), &back).assert_problem(422, "provider_refused");

        let (id, mut back) = cloud.visit(&session, &document, "one", "permit=1");
        back["parameters"]["state"] = json!("0".repeat(64));
        session.post(&complete(&id), &back).assert_problem(409, "authorization_invalid");
        assert_eq!(state(&session, &id), "requested", "a guess changes nothing");
        assert_eq!(secrets(&instance), 2, "of the two requests that are open");
    }
}

#[test]
fn whom_the_provider_identified_must_be_the_signer_whatever_the_certificate_says() {
    let (cloud, _instance, session, document) = scene_with(StandIn::psc("base64", "form", &[]));
    let (id, back) = cloud.visit(&session, &document, "one", &format!("permit=1&identified={}", ANA.0));
    session.post(&complete(&id), &back).assert_problem(422, "certificate_wrong_person");
    let (id, back) = cloud.visit(&session, &document, "one", "permit=1&identified=12345");
    session.post(&complete(&id), &back).assert_problem(502, "provider_answer_invalid");
    assert_eq!(state(&session, &id), "failed");
}

#[test]
fn a_permission_is_for_its_session_and_its_documents() {
    let (cloud, instance, session, document) = scene();
    let permission = cloud.permit(&session, &document, "one");
    let other = session.upload(&contract());
    session
        .post("/v1/signatures", &request(&other, "cades", &permission))
        .assert_problem(409, "authorization_invalid");
    let selo = instance.session(SELO);
    let own = selo.upload(&contract());
    selo.post("/v1/signatures", &request(&own, "cades", &permission)).assert_problem(404, "not_found");
    selo.get(&format!("/v1/authorizations/{permission}")).assert_problem(404, "not_found");

    // Whoever writes to the database gains nothing: the secret opens for what it was sealed for.
    let (database, lasting) = (instance.database(), cloud.permit(&session, &document, "session"));
    database.execute("INSERT INTO cloud_authorization_document VALUES (?1, ?2)", [&lasting, &other]).unwrap();
    let id = begin(&session, &other, "cades", &lasting);
    assert_eq!(session.wait(&id)["problem"]["code"], "authorization_invalid");
    let second = cloud.permit(&session, &document, "one");
    database
        .execute(
            "UPDATE cloud_authorization SET sealed = (SELECT sealed FROM cloud_authorization WHERE id = ?1) WHERE id = ?2",
            [&permission, &second],
        )
        .unwrap();
    let id = begin(&session, &document, "cades", &second);
    assert_eq!(session.wait(&id)["problem"]["code"], "authorization_invalid");
    assert_eq!(cloud.count(), (0, 0), "no key was used for any of this");
}

#[test]
fn a_permission_for_one_use_serves_one_signature() {
    let (cloud, _instance, session, document) = scene();
    let permission = cloud.permit(&session, &document, "one");
    cloud.next("slow");
    let ids = [0, 1].map(|_| begin(&session, &document, "cades", &permission));
    let mut ends = ids.map(|id| {
        let signature = session.wait(&id);
        signature["problem"]["code"].as_str().unwrap_or("none").to_owned()
    });
    ends.sort();
    assert_eq!(ends, ["authorization_invalid", "provider_answer_lost"]);
    assert_eq!(cloud.count(), (1, 1));
}

#[test]
fn what_is_over_is_over_and_its_secret_is_gone() {
    let (cloud, instance, session, document) = scene();
    let granted = cloud.permit(&session, &document, "session");
    let (requested, back) = cloud.visit(&session, &document, "one", "permit=1");
    assert_eq!(secrets(&instance), 2);
    instance.database().execute("UPDATE cloud_authorization SET expires_at = 1", []).unwrap();
    session
        .post("/v1/signatures", &request(&document, "cades", &granted))
        .assert_problem(409, "authorization_invalid");
    session.post(&complete(&requested), &back).assert_problem(409, "authorization_invalid");
    told(&instance.backend(), "authorization.expired", 2);
    assert_eq!(secrets(&instance), 0);
    assert_eq!(
        (state(&session, &granted), state(&session, &requested)),
        (json!("expired"), json!("expired"))
    );
    assert_eq!(cloud.count(), (0, 0));
}

#[test]
fn requests_are_checked() {
    let (_cloud, _instance, session, document) = scene();
    let asked = json!({
        "service": "testcloud", "document_ids": [document], "scope": "one", "return_url": "https://bank.example/sign",
    });
    for (member, value) in [
        ("service", json!("nobody")),
        ("document_ids", json!([])),
        ("document_ids", json!([document, document])),
        ("return_url", json!("https://bank.example.evil/sign")),
        ("return_url", json!("https://bank.example/#a")),
    ] {
        let mut wrong = asked.clone();
        wrong[member] = value;
        let problem = session.post("/v1/authorizations", &wrong).assert_problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"));
    }
    let answer = session.post("/v1/authorizations", &asked);
    assert_eq!(answer.status, 201);
    let local = json!({ "document_id": document, "custody": "local", "format": "cades", "authorization_id": answer.json()["id"] });
    session.post("/v1/signatures", &local).assert_problem(400, "invalid_request");
}

#[test]
fn a_person_may_be_asked_on_their_phone_where_the_service_can() {
    let (cloud, instance, session, document) =
        scene_with(StandIn::psc("base64", "form", &["--push-path", "/TEST/authentications"]));
    let asked = json!({ "service": "testcloud", "document_ids": [document], "scope": "one" });
    let nothing = json!({ "parameters": {} });
    let ask = || {
        let opened = session.post("/v1/authorizations", &asked);
        assert_eq!((opened.status, &opened.json()["auth_url"]), (201, &Value::Null), "{opened:?}");
        opened.json()["id"].as_str().unwrap().to_owned()
    };
    let phones = |how: &str| Client::new(cloud.url(), None).get(&format!("/stand-in/phones{how}"));
    let id = ask();
    for _ in 0..2 {
        assert_eq!(session.post(&complete(&id), &nothing).json()["state"], "requested");
    }
    phones("");
    assert_eq!(session.post(&complete(&id), &nothing).json()["state"], "granted");
    let signature = begin(&session, &document, "pades", &id);
    assert_eq!(session.wait(&signature)["state"], "released");
    assert_eq!((cloud.count(), secrets(&instance)), ((1, 1), 0));

    let id = ask();
    phones("?refuse=1");
    session.post(&complete(&id), &nothing).assert_problem(422, "provider_refused");

    let (_cloud, _instance, session, document) = scene();
    let asked = json!({ "service": "testcloud", "document_ids": [document], "scope": "one" });
    let problem = session.post("/v1/authorizations", &asked).assert_problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/return_url");
}
