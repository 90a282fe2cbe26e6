//! Agents that die, freeze and crash, and modules that lie: signatures are made all the same, and the server never notices
//! more than a delay.

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use rubrica_core::validation::{Indication, validate_pdf};

use crate::hsm_signatures::{context, contract};
use crate::support::{ANA, Client, Instance, Options, PADARIA, Shim, rubrica};

/// An answer about health never waits for a token. A busy machine delays some answers, a wait for the token all of them.
const HEALTH_LIMIT: Duration = Duration::from_millis(100);
/// For whatever must happen.
const PATIENCE: Duration = Duration::from_secs(120);

fn start(shim: &Shim, more: &[(&str, &str)]) -> Instance {
    let variables = shim.variables();
    let mut all: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend_from_slice(more);
    Instance::start_with(&Options { variables: &all })
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(sent.success());
}

fn exists(pid: u32) -> bool {
    // A zombie has no memory map any more.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[track_caller]
fn eventually(what: &str, instance: &Instance, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: {}", instance.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn begin(session: &Client, count: usize) -> Vec<String> {
    let document = session.upload(&contract());
    (0..count).map(|_| session.sign_by_token(&document, "pades")).collect()
}

/// All are released, each with an artefact that validates.
#[track_caller]
fn all_released(instance: &Instance, session: &Client, ids: &[String]) {
    for id in ids {
        let signature = session.wait(id);
        assert_eq!(signature["state"], "released", "{signature} {}", instance.log());
    }
    let last = ids.last().unwrap();
    let report = validate_pdf(&session.content(last), &context()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{}", report);
}

#[test]
fn agents_that_are_killed_while_they_sign_cost_no_signature() {
    // 10 ms each, so that there is always something under way.
    let shim = Shim::new("C_Sign delay_ms=10");
    let instance = start(&shim, &[]);
    let (server, first) = (instance.pid(), instance.agents());
    assert_eq!(first.len(), 2);
    let session = instance.session(ANA);
    let ids = begin(&session, 60);
    signal("KILL", first[0]);
    eventually("another agent starts", &instance, || {
        instance.agents().len() == 2 && !instance.agents().contains(&first[0])
    });
    signal("KILL", first[1]);
    all_released(&instance, &session, &ids);
    eventually("both agents are others", &instance, || {
        let now: HashSet<u32> = instance.agents().into_iter().collect();
        now.len() == 2 && first.iter().all(|old| !now.contains(old))
    });
    assert_eq!(instance.pid(), server);
    assert_eq!(instance.anonymous().get("/health/live").status, 200);
    eventually("it is ready", &instance, || instance.anonymous().get("/health/ready").status == 200);
}

#[test]
fn a_frozen_agent_is_ended_at_its_deadline_while_the_other_signs_and_health_answers() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_TOKEN_CALL_TIMEOUT_MS", "700")] });
    let session = instance.session(ANA);
    let frozen = instance.agents()[0];
    signal("STOP", frozen);
    let ids = begin(&session, 30);
    let client = instance.anonymous();
    let mut fastest = Duration::MAX;
    eventually("the frozen agent ends", &instance, || {
        let asked = Instant::now();
        assert_eq!(client.get("/health/ready").status, 200);
        fastest = fastest.min(asked.elapsed());
        !exists(frozen)
    });
    assert!(fastest < HEALTH_LIMIT, "{fastest:?}");
    all_released(&instance, &session, &ids);
    instance.log_with("no answer in 700 ms");
}

#[test]
fn when_all_agents_freeze_the_server_says_so_at_once_and_recovers() {
    let variables = [("RUBRICA_TOKEN_CALL_TIMEOUT_MS", "500"), ("RUBRICA_TOKEN_CANARY_SECONDS", "1")];
    let instance = Instance::start_with(&Options { variables: &variables });
    let frozen = instance.agents();
    frozen.iter().for_each(|pid| signal("STOP", *pid));
    let session = instance.session(ANA);
    let ids = begin(&session, 4);
    let client = instance.anonymous();
    let (mut was_unready, mut fastest) = (false, Duration::MAX);
    eventually("frozen agents end", &instance, || {
        let asked = Instant::now();
        was_unready |= client.get("/health/ready").status == 503;
        fastest = fastest.min(asked.elapsed());
        was_unready && frozen.iter().all(|pid| !exists(*pid))
    });
    assert!(fastest < HEALTH_LIMIT, "{fastest:?}");
    all_released(&instance, &session, &ids);
    eventually("it is ready", &instance, || client.get("/health/ready").status == 200);
}

#[test]
fn a_module_that_crashes_takes_nothing_along() {
    for crash in ["abort", "segv"] {
        let shim = Shim::new("");
        let instance = start(&shim, &[]);
        let session = instance.session(ANA);
        shim.plan(&format!("C_Sign delay_ms=3\nC_Sign {crash} once=first"));
        let ids = begin(&session, 20);
        all_released(&instance, &session, &ids);
        instance.log_with("a token agent is gone");
        instance.log_with("digests of a token agent that is gone go to another one");
        eventually("the agent is replaced", &instance, || instance.agents().len() == 2);
        assert_eq!(instance.anonymous().get("/health/live").status, 200);
    }
}

#[test]
fn an_agent_that_talks_nonsense_is_ended_and_its_work_is_done_by_others() {
    let shim = Shim::new("");
    let instance = start(&shim, &[]);
    let session = instance.session(ANA);
    shim.plan("C_Sign delay_ms=3\nC_Sign garble once=first");
    let ids = begin(&session, 20);
    all_released(&instance, &session, &ids);
    instance.log_with("it cannot be understood");
    eventually("the agent is replaced", &instance, || instance.agents().len() == 2);
}

#[test]
fn a_module_that_always_crashes_is_told_and_signs_again_when_it_is_mended() {
    let shim = Shim::new("");
    let instance = start(&shim, &[("RUBRICA_SIGNATURES_TOKEN_PATIENCE_MS", "300")]);
    let session = instance.session(ANA);
    shim.plan("C_Sign segv");
    let failed = session.wait(&begin(&session, 1)[0]);
    assert_eq!(failed["state"], "failed", "{failed}");
    assert_eq!(failed["problem"]["code"], "token_agent_failed", "{failed}");
    instance.log_with("token.unavailable");
    assert_eq!(instance.anonymous().get("/health/ready").status, 503);
    shim.plan("");
    eventually("it is ready", &instance, || instance.anonymous().get("/health/ready").status == 200);
    let log = instance.log_with("token.available");
    assert_eq!(log.matches("token.unavailable").count(), 1, "told once: {log}");
    all_released(&instance, &session, &begin(&session, 2));
}

#[test]
fn corrupted_values_are_never_released() {
    let shim = Shim::new("");
    let instance = start(&shim, &[]);
    let (ana, padaria) = (instance.session(ANA), instance.session(PADARIA));
    shim.plan("C_Sign corrupt every=4");
    for session in [&ana, &padaria] {
        let ids = begin(session, 12);
        for id in &ids {
            let signature = session.wait(id);
            assert_eq!(signature["state"], "released", "{signature} {}", instance.log());
            let report = validate_pdf(&session.content(id), &context()).unwrap();
            assert_eq!(report.overall(), Indication::Passed, "{}", report);
        }
    }
    instance.log_with("values of the token do not verify; none was released");
    shim.plan("C_Sign corrupt");
    let failed = ana.wait(&begin(&ana, 1)[0]);
    assert_eq!(failed["state"], "failed", "{failed}");
    assert_eq!(failed["problem"]["code"], "signature_value_invalid", "{failed}");
}

#[test]
fn an_agent_whose_canary_lies_gets_no_work() {
    let shim = Shim::new("C_Sign corrupt");
    let instance = start(&shim, &[("RUBRICA_SIGNATURES_TOKEN_PATIENCE_MS", "300")]);
    let ready = instance.anonymous().get("/health/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.json().to_string().contains("does not verify"), "{}", ready.json());
    let session = instance.session(ANA);
    let failed = session.wait(&begin(&session, 1)[0]);
    assert_eq!(failed["problem"]["code"], "token_unavailable", "{failed}");
}

#[test]
fn a_refused_pin_is_tried_once_by_all_agents_together() {
    for (plan, code, logins) in [
        ("C_Login rv=0xa0", "token_pin_rejected", 1),
        ("C_Login rv=0xa4", "token_pin_locked", 1),
        // One try is left: not ours. And locked already.
        ("C_GetTokenInfo flags=0x20000", "token_pin_rejected", 0),
        ("C_GetTokenInfo flags=0x40000", "token_pin_locked", 0),
    ] {
        let mut instance = Instance::start();
        instance.terminate();
        let shim = Shim::new(plan);
        let config = instance.data().join("rubrica.toml");
        let variables = shim.variables();
        let mut all: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend([("RUBRICA_SERVER_LISTEN", "127.0.0.1:0"), ("RUBRICA_LOG_LEVEL", "error")]);
        rubrica(&["serve", "--config", config.to_str().unwrap()], &all).assert_error(1, code);
        assert_eq!(shim.calls("C_Login"), logins, "{plan}");
    }
}

#[test]
fn a_pin_that_is_refused_later_is_not_tried_again() {
    let shim = Shim::new("");
    let instance = start(&shim, &[]);
    assert_eq!(shim.calls("C_Login"), 2);
    let session = instance.session(ANA);
    shim.plan("C_Login rv=0xa0");
    let old = instance.agents();
    signal("KILL", old[0]);
    instance.log_with("no agent logs in to the token any more until the next start");
    assert_eq!(shim.calls("C_Login"), 3);
    // The other one is still logged in.
    all_released(&instance, &session, &begin(&session, 3));
    signal("KILL", old[1]);
    let failed = session.wait(&begin(&session, 1)[0]);
    assert_eq!(failed["problem"]["code"], "token_pin_rejected", "{failed}");
    let ready = instance.anonymous().get("/health/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.json().to_string().contains("PIN"), "{}", ready.json());
    // A second is longer than the first pauses.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(shim.calls("C_Login"), 3, "neither again, nor by the other agent");
    assert_eq!(instance.agents(), [0_u32; 0]);
}

#[test]
fn a_token_with_few_sessions_signs_with_what_it_has() {
    // The first session of a process holds its login, and there is no other.
    let shim = Shim::new("C_OpenSession rv=0xb1 from=2");
    let instance = start(&shim, &[]);
    let session = instance.session(ANA);
    all_released(&instance, &session, &begin(&session, 10));
    assert!(instance.log().contains("the token opens no more sessions"));
}

#[test]
fn stale_handles_and_lost_logins_are_mended_in_place() {
    let shim = Shim::new("");
    let instance = start(&shim, &[]);
    let agents = instance.agents();
    let session = instance.session(ANA);
    for rv in ["0x82", "0x101", "0xb3", "0x30", "0x90"] {
        shim.plan(&format!("C_SignInit rv={rv} every=5"));
        all_released(&instance, &session, &begin(&session, 10));
    }
    assert_eq!(instance.agents(), agents, "{}", instance.log());
}

#[test]
fn a_key_that_is_deleted_on_the_device_is_missing_and_others_sign() {
    let instance = Instance::start();
    let (ana, padaria) = (instance.session(ANA), instance.session(PADARIA));
    all_released(&instance, &ana, &begin(&ana, 1));
    let id: String = instance
        .database()
        .query_row("SELECT lower(hex(cka_id)) FROM signing_key WHERE algorithm = 'rsa'", [], |row| row.get(0))
        .unwrap();
    let secret = |name: &str| std::fs::read_to_string(instance.data().join("secrets").join(name)).unwrap();
    let module = std::env::var("RUBRICA_PKCS11_MODULE");
    let deleted = Command::new("pkcs11-tool")
        .args(["--module", module.as_deref().unwrap_or("/usr/lib/softhsm/libsofthsm2.so")])
        .args(["--token-label", secret("token-label").trim(), "--login", "--pin", secret("token-pin").trim()])
        .args(["--delete-object", "--type", "privkey", "--id", &id])
        .env("SOFTHSM2_CONF", instance.data().join("softhsm/softhsm2.conf"))
        .output()
        .expect("pkcs11-tool comes with `apt-get install opensc`");
    assert!(deleted.status.success(), "{deleted:?}");
    let agents = instance.agents();
    let failed = ana.wait(&begin(&ana, 1)[0]);
    assert_eq!(failed["problem"]["code"], "key_not_found", "{failed} {}", instance.log());
    all_released(&instance, &padaria, &begin(&padaria, 3));
    assert_eq!(instance.agents(), agents, "no process has to end for it");
}

#[test]
fn agents_end_with_their_server_also_when_they_are_frozen() {
    let mut instance = Instance::start();
    let agents = instance.agents();
    signal("STOP", agents[0]);
    instance.kill();
    let begun = Instant::now();
    while agents.iter().any(|pid| exists(*pid)) {
        assert!(begun.elapsed() < PATIENCE, "agents outlive their server");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn agents_share_the_work() {
    let shim = Shim::new("");
    let instance = start(&shim, &[]);
    let agents = instance.agents();
    let session = instance.session(ANA);
    shim.plan("C_Sign delay_ms=20");
    let ids = begin(&session, 40);
    all_released(&instance, &session, &ids);
    for agent in agents {
        // Their canaries are among them.
        let signed = shim.calls_of("C_Sign", agent);
        assert!(signed >= 8, "{agent} signed {signed} of 40");
    }
}

#[test]
fn nobody_but_a_server_starts_an_agent() {
    rubrica(&["token-agent"], &[]).assert_error(3, "usage");
}
