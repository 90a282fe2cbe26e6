use super::*;
use crate::support::ANA;

/// Right check digits, and nobody's.
const NOBODY: &str = "12345678909";

#[test]
fn the_check_names_the_services_that_hold_a_certificate() {
    for cloud in services() {
        let instance = cloud.instance("");
        let answer = instance.session(BRUNO).get("/v1/custody").json();
        assert_eq!(
            (&answer["custody"], &answer["services"]),
            (&json!("lacuna"), &json!(["testcloud"])),
            "{answer}"
        );
        assert_eq!(answer["sources"][1]["outcome"], "yes");
        let ask = |number: &str| instance.backend().get(&format!("/v1/custody?identifier={number}")).json();
        let answer = ask(NOBODY);
        assert_eq!((&answer["custody"], &answer["certain"]), (&Value::Null, &json!(true)), "{answer}");
        assert_eq!(answer["sources"][1]["outcome"], "no");
        let asked = cloud.log()["calls"]["holds"].clone();
        assert_eq!(ask(ANA.0)["custody"], "hsm");
        assert_eq!(cloud.log()["calls"]["holds"], asked, "a key here was found first");
        for number in [BRUNO.0, NOBODY] {
            assert!(!instance.log().contains(number));
        }
    }
}

#[test]
fn a_service_that_fails_in_whatever_way_is_never_a_no() {
    for cloud in [StandIn::cloudhub(), StandIn::psc("base64", "form", &[])] {
        let variables =
            [("RUBRICA_CUSTODY_CACHE_SECONDS", "0"), ("RUBRICA_CUSTODY_LACUNA_TIMEOUT_MS", "1000")];
        let instance = cloud.instance_under(&cloud.service(""), &variables);
        let session = instance.session(BRUNO);
        let ask = || session.get("/v1/custody").json();
        for fault in ["away", "error", "redirect", "garbage", "half", "lost", "large", "slow", "busy"] {
            cloud.next_on("holds", fault, 2);
            let answer = ask();
            assert_eq!(answer["sources"][1]["outcome"], "unknown", "{fault}: {answer}");
            assert_eq!((&answer["certain"], &answer["custody"]), (&json!(false), &Value::Null), "{fault}");
            cloud.next_on("holds", "none", 0);
            let begun = std::time::Instant::now();
            while ask()["custody"] != "lacuna" {
                assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{fault}: {}", instance.log());
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        }
    }
}

#[test]
fn a_service_is_there_for_its_tenants_alone() {
    let cloud = StandIn::cloudhub();
    let instance = cloud.instance_with(&cloud.service("tenants = [\"south\"]\n"));
    let session = instance.session(BRUNO);
    let answer = session.get("/v1/custody").json();
    assert_eq!(answer["sources"].as_array().unwrap().len(), 1, "{answer}");
    let document = session.upload(&contract());
    cloud.ask(&session, &document, "one").assert_problem(400, "invalid_request");
    assert_eq!(cloud.log()["calls"], json!({}));
}

#[test]
fn the_end_of_the_certificate_of_a_permission_is_watched() {
    let (cloud, instance, session, document) = scene();
    cloud.permit(&session, &document, "one");
    let list = instance.backend().get("/v1/keys/expiring?within_days=3650").json();
    let others = list["others"].as_array().unwrap();
    let signers: Vec<_> = others.iter().filter(|one| one["kind"] == "signer").collect();
    assert_eq!(signers.len(), 1, "{list}");
    assert_eq!(signers[0]["custody"], "lacuna", "{list}");
    assert!(signers[0]["name"].as_str().unwrap().starts_with("***."), "{list}");
}
