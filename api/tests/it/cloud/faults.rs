use std::time::{Duration, Instant};

use super::*;
use crate::support::Options;

#[test]
fn a_permission_for_one_use_is_used_once_whatever_becomes_of_the_answer() {
    for cloud in [StandIn::cloudhub(), StandIn::psc("base64", "form", &[])] {
        let (cloud, instance, session, document) = scene_with(cloud);
        for (fault, code) in [
            ("lost", "provider_answer_lost"),
            ("half", "provider_answer_lost"),
            ("slow", "provider_answer_lost"),
            ("large", "provider_answer_lost"),
            ("garbage", "provider_answer_invalid"),
            ("wrong_value", "signature_value_invalid"),
        ] {
            let before = cloud.count();
            let permission = cloud.permit(&session, &document, "one");
            cloud.next(fault);
            let id = begin(&session, &document, "cades", &permission);
            let signature = session.wait(&id);
            assert_eq!(signature["problem"]["code"], code, "{fault}: {signature}");
            assert_eq!(cloud.count(), (before.0 + 1, before.1 + 1), "{fault}");
            assert_eq!(state(&session, &permission), "used", "{fault}");
            session
                .post("/v1/signatures", &request(&document, "cades", &permission))
                .assert_problem(409, "authorization_invalid");
        }
        assert_eq!(secrets(&instance), 0);
    }
}

#[test]
fn a_program_that_ends_while_the_service_acts_does_not_use_the_key_again() {
    let (cloud, mut instance, session, document) = scene();
    let permission = cloud.permit(&session, &document, "one");
    cloud.next("slow");
    let id = begin(&session, &document, "cades", &permission);
    let begun = Instant::now();
    while cloud.count().1 == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", instance.log());
    }
    instance.kill();
    instance.run(&Options::default());
    let token = session.token.clone();
    let session = instance.caller(token.as_deref());
    let signature = session.wait(&id);
    assert_eq!(signature["problem"]["code"], "provider_answer_lost", "{signature}");
    assert_eq!(cloud.count(), (1, 1));
    assert_eq!((state(&session, &permission), secrets(&instance)), (json!("used"), 0));
}

#[test]
fn what_was_lost_is_asked_again_where_the_permission_lasts() {
    let (cloud, _instance, session, document) = scene();
    let permission = cloud.permit(&session, &document, "session");
    cloud.next("lost");
    let id = begin(&session, &document, "cades", &permission);
    let signature = session.wait(&id);
    assert_eq!(signature["state"], "released", "{signature}");
    assert_eq!(cloud.count(), (2, 2));
}

#[test]
fn a_provider_that_asks_for_time_gets_it_and_the_permission_is_not_spent() {
    let (cloud, _instance, session, document) = scene();
    for (fault, least_ms) in [("busy", 1000), ("away", 400)] {
        let (before, permission) = (cloud.count(), cloud.permit(&session, &document, "one"));
        cloud.next(fault);
        let begun = Instant::now();
        let id = begin(&session, &document, "cades", &permission);
        assert_eq!(session.wait(&id)["state"], "released", "{fault}");
        assert!(begun.elapsed() >= Duration::from_millis(least_ms), "{fault}: it was left alone");
        assert_eq!(cloud.count(), (before.0 + 2, before.1 + 1), "{fault}: asked once in vain, and once more");
    }
}

#[test]
fn what_only_reads_is_asked_once_more() {
    let (cloud, _instance, session, document) = scene();
    let (id, back) = cloud.visit(&session, &document, "one", "permit=1");
    cloud.next_on("certificate", "lost", 1);
    assert_eq!(session.post(&complete(&id), &back).status, 200);
    assert_eq!(cloud.log()["calls"]["certificate"], 2);

    // What does not answer at all is told, and the person may come back with the same.
    let (id, back) = cloud.visit(&session, &document, "one", "permit=1");
    cloud.next_on("certificate", "away", 2);
    session.post(&complete(&id), &back).assert_problem(503, "provider_unavailable");
    assert_eq!(session.post(&complete(&id), &back).json()["state"], "granted");
}

#[test]
fn a_code_is_exchanged_once_even_when_the_answer_was_lost() {
    let (cloud, _instance, session, document) = scene_with(StandIn::psc("base64", "form", &[]));
    let (id, back) = cloud.visit(&session, &document, "one", "permit=1");
    cloud.next_on("token", "lost", 1);
    session.post(&complete(&id), &back).assert_problem(503, "provider_unavailable");
    assert_eq!(cloud.log()["calls"]["token"], 1);
    let problem = session.post(&complete(&id), &back).assert_problem(422, "provider_refused");
    assert!(problem["detail"].as_str().unwrap().contains("invalid_grant"), "{problem}");
}
