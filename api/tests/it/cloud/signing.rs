use rubrica_core::validation::{Content, Indication, validate_cms, validate_pdf};

use super::*;
use crate::hsm_signatures::context;
use crate::orders_signed::assert_signed;
use crate::support::{Options, postgres};

/// openssl verifies a detached CMS with the demo's root.
fn openssl_accepts(cms: &[u8], content: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let (signature, file) = (folder.path().join("a.p7s"), folder.path().join("a"));
    std::fs::write(&signature, cms).unwrap();
    std::fs::write(&file, content).unwrap();
    let output = std::process::Command::new("openssl")
        .args(["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-out", "/dev/null", "-in"])
        .arg(&signature)
        .arg("-content")
        .arg(&file)
        .arg("-CAfile")
        .arg(crate::support::template().join("data/pki/root.pem"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A PDF with a permission for one use, files with one that lasts; judged by us, poppler and openssl.
fn signs(cloud: &StandIn, session: &Client, document: &str) -> Value {
    let (first, back) = cloud.visit(session, document, "one", "permit=1");
    let answer = session.post(&complete(&first), &back);
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = begin(session, document, "pades", &first);
    let signature = session.wait(&id);
    assert_eq!(signature["state"], "released", "{signature}");
    let pdf = session.content(&id);
    assert_signed(&pdf, 1);
    let report = validate_pdf(&pdf, &context()).unwrap();
    assert_eq!(report.signatures[0].signer.as_ref().unwrap().holder.name, BRUNO.1);
    assert_eq!(state(session, &first), "used");

    let lasting = cloud.permit(session, document, "session");
    for _ in 0..2 {
        let id = begin(session, document, "cades", &lasting);
        assert_eq!(session.wait(&id)["state"], "released");
        let cms = session.content(&id);
        let report = validate_cms(&cms, Content::Bytes(&contract()), &context()).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{report}");
        openssl_accepts(&cms, &contract());
    }
    assert_eq!(state(session, &lasting), "granted");
    assert_eq!(cloud.count(), (3, 3));
    back
}

#[test]
fn a_pdf_and_files_are_signed_at_every_kind_of_service_and_their_secrets_are_nowhere() {
    for cloud in services() {
        let (cloud, instance, session, document) = scene_with(cloud);
        let back = signs(&cloud, &session, &document);
        assert_eq!(secrets(&instance), 1, "only that of the permission that lasts");
        let events = instance.backend().get("/v1/events?after=0");
        let files = ["rubrica.sqlite", "rubrica.sqlite-wal"]
            .map(|file| std::fs::read(instance.data().join(file)).unwrap());
        let parameters = back["parameters"].as_object().unwrap();
        let hidden =
            parameters.iter().filter(|(name, _)| *name != "step").map(|(_, value)| value.as_str().unwrap());
        let told = String::from_utf8_lossy(&events.body).into_owned();
        assert!(!instance.log().contains(BRUNO.0) && !told.contains(BRUNO.0));
        for hidden in hidden.chain([cloud.secret()]) {
            assert!(!instance.log().contains(hidden));
            assert!(!told.contains(hidden));
            for bytes in &files {
                assert!(!bytes.windows(hidden.len()).any(|part| part == hidden.as_bytes()), "{hidden}");
            }
        }
        for name in ["authorization.requested", "authorization.granted", "authorization.used"] {
            assert!(told.contains(name), "{told}");
        }
    }
}

#[test]
fn it_is_the_same_on_postgresql() {
    let address = postgres::shared().database();
    let cloud = StandIn::psc("base64", "form", &[]);
    let mut instance = Instance::prepare();
    cloud.prepare(&instance, &cloud.service(""));
    let moved = instance.migrate(&address);
    assert_eq!(moved.code, 0, "{moved:?}");
    let variables = [("RUBRICA_STORE_URL", address.as_str())];
    instance.run(&Options { variables: &variables });
    let session = instance.session(BRUNO);
    let document = session.upload(&contract());
    assert_eq!(session.get("/v1/custody").json()["services"], json!(["testcloud"]));
    signs(&cloud, &session, &document);

    let permission = cloud.permit(&session, &document, "one");
    cloud.next("lost");
    let id = begin(&session, &document, "cades", &permission);
    assert_eq!(session.wait(&id)["problem"]["code"], "provider_answer_lost");
    assert_eq!(cloud.count(), (4, 4));
    let ask = |sql: &str| postgres::psql(&address, sql);
    assert_eq!(ask("SELECT count(*) FROM cloud_authorization WHERE sealed IS NOT NULL"), "1");
    ask("UPDATE cloud_authorization SET expires_at = 1 WHERE sealed IS NOT NULL");
    crate::custody::told(&instance.backend(), "authorization.expired", 1);
    assert_eq!(ask("SELECT count(*) FROM cloud_authorization WHERE sealed IS NOT NULL"), "0");
}

#[test]
fn somebody_of_the_demo_signs_with_a_certificate_in_the_cloud() {
    let instance = Instance::start_demo_with_cloud();
    let anybody = instance.anonymous();
    let opened = anybody.post("/demo/sessions", &json!({ "person_id": "elisa" })).json();
    let origin = instance.url().replace("127.0.0.1", "localhost");
    let session = instance.caller(opened["token"].as_str()).with("origin", &origin);
    let custody = session.get("/v1/custody").json();
    assert_eq!(custody["services"], json!(["demo-cloudhub", "demo-psc"]), "{custody}");
    for service in ["demo-cloudhub", "demo-psc"] {
        let document = session.upload(&contract());
        let asked = json!({
            "service": service, "document_ids": [document], "scope": "one", "return_url": format!("{origin}/"),
        });
        let opened = session.post("/v1/authorizations", &asked);
        assert_eq!(opened.status, 201, "{opened:?}");
        let (host, page) = opened.json()["auth_url"].as_str().map(split).unwrap();
        let provider = Client::new(&host, None);
        let shown = provider.get(&page);
        assert!(String::from_utf8_lossy(&shown.body).contains("stand-in (TEST)"), "{shown:?}");
        let back = provider.get(&format!("{page}&permit=1"));
        let parameters = crate::support::cloud::parameters(back.header("location"));
        let id = opened.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(session.post(&complete(&id), &parameters).json()["state"], "granted");
        let id = begin(&session, &document, "pades", &id);
        assert_eq!(session.wait(&id)["state"], "released");
        assert_signed(&session.content(&id), 1);
    }
}

/// Scheme and authority, and the rest of a URL.
fn split(url: &str) -> (String, String) {
    let at = "http://".len() + url["http://".len()..].find('/').unwrap();
    (url[..at].to_owned(), url[at..].to_owned())
}
