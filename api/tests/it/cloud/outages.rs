use std::time::{Duration, Instant};

use super::*;
use crate::custody::told;

#[test]
fn a_service_that_is_away_is_told_once_left_alone_and_told_when_it_is_back() {
    let (mut cloud, instance, session, document) = scene();
    let backend = instance.backend();
    cloud.stop();
    let begun = Instant::now();
    let mut refused = 0;
    let problem = loop {
        let answer = cloud.ask(&session, &document, "one");
        answer.assert_problem(503, "provider_unavailable");
        refused += 1;
        if answer.json()["detail"].as_str().unwrap().contains("left alone") {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{answer:?}");
    };
    assert_eq!(refused, 6, "five failed, and then it is left alone");
    assert!(problem.header("retry-after").parse::<u64>().unwrap() <= 3, "{problem:?}");
    let away = told(&backend, "provider.unavailable", 1);
    assert_eq!(away[0]["data"]["service"], "testcloud");

    cloud.start_again();
    wait_for_an_answer(&cloud, &session, &document);
    let back = told(&backend, "provider.available", 1);
    assert!(back[0]["data"]["unavailable_ms"].as_u64().unwrap() > 0);
    assert_eq!(told(&backend, "provider.unavailable", 1).len(), 1);
    assert_eq!(told(&backend, "provider.available", 1).len(), 1);
}

/// The rest is over after a while.
fn wait_for_an_answer(cloud: &StandIn, session: &Client, document: &str) {
    let begun = Instant::now();
    while cloud.ask(session, document, "one").status != 201 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn calls_are_paced_and_as_many_at_once_as_the_service_allows() {
    let cloud = StandIn::cloudhub();
    let service = cloud.service("calls_at_once = 1\ncalls_per_second = 5\n");
    let instance = cloud.instance_with(&service);
    let session = instance.session(BRUNO);
    let document = session.upload(&contract());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(cloud.ask(&session, &document, "one").status, 201));
        }
    });
    assert!(begun.elapsed() >= Duration::from_millis(5 * 200), "{:?}", begun.elapsed());
    assert_eq!(cloud.log()["most_at_once"], 1);
}
