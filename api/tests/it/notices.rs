//! Notices reach people by a real mail server: over TLS, once, later when it is down, and never when it refuses for good.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::custody::told;
use crate::support::mail::{MailServer, PASSWORD, TestAuthority, USER, free_port, header};
use crate::support::{ANA, Instance, MovedClock, Options};

const DAY: i64 = 86_400;
const LIFE: i64 = 3 * 365;
const OPERATOR: &str = "plantao@bank.test.invalid";

/// What tells an instance of a mail server; the clock stands so many days before the keys end.
fn variables(
    clock: &MovedClock,
    port: u16,
    days: i64,
    more: &[(&'static str, &str)],
) -> Vec<(&'static str, String)> {
    clock.off_by((LIFE - days) * DAY);
    let mut variables = clock.variables().to_vec();
    let port = port.to_string();
    let usual = [
        ("RUBRICA_WATCH_EVERY_SECONDS", "1"),
        ("RUBRICA_WATCH_OPERATORS", OPERATOR),
        ("RUBRICA_WATCH_RENEWAL_URL", "https://bank.test.invalid/renovar"),
        ("RUBRICA_SMTP_HOST", "localhost"),
        ("RUBRICA_SMTP_PORT", &port),
        ("RUBRICA_SMTP_TLS", "disable"),
        ("RUBRICA_SMTP_FROM", "Assinaturas TEST <assinaturas@bank.test.invalid>"),
        ("RUBRICA_SMTP_RETRIES", "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s"),
    ];
    for (name, value) in usual.into_iter().chain(more.iter().copied()) {
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value.to_owned()));
    }
    variables
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn keys(instance: &Instance) -> usize {
    instance.backend().get("/v1/keys").json()["items"].as_array().unwrap().len()
}

/// State, attempts and last error of every notice.
fn rows(instance: &Instance) -> Vec<(String, i64, Option<String>, bool)> {
    let database = instance.database();
    let sql = "SELECT state, attempts, last_error, recipient IS NOT NULL FROM notice ORDER BY id";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn operators_and_holders_are_told_once_over_starttls() {
    // What moves the clock of the instance moves it for TLS too.
    let authority = TestAuthority::new(u32::try_from(LIFE).unwrap() + 30);
    let server = authority.server("starttls");
    let clock = MovedClock::new();
    let (file, roots) = (authority.path("password"), authority.path("ca.pem"));
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let more = [
        ("RUBRICA_SMTP_TLS", "starttls"),
        ("RUBRICA_SMTP_USER", USER),
        ("RUBRICA_SMTP_PASSWORD_FILE", file.to_str().unwrap()),
        ("RUBRICA_SMTP_ROOTS", roots.to_str().unwrap()),
        ("RUBRICA_WATCH_HOLDER_DAYS", "30,7"),
    ];
    let variables = variables(&clock, server.port, 25, &more);
    let options = Options { variables: &borrowed(&variables) };
    let mut instance = Instance::start_with(&options);
    let keys = keys(&instance);
    let messages = server.told_at_least(2 * keys);
    instance.terminate();
    instance.run(&options);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(server.told().len(), 2 * keys, "a restart announces nothing twice");

    assert!(messages.iter().all(|message| message["encrypted"] == true && message["authenticated"] == true));
    let ids: BTreeSet<&str> = messages.iter().map(|message| header(message, "Message-ID")).collect();
    assert_eq!(ids.len(), 2 * keys);
    let (operator, holder): (Vec<_>, Vec<_>) =
        messages.iter().partition(|message| message["recipients"] == json!([OPERATOR]));
    assert_eq!((operator.len(), holder.len()), (keys, keys));
    let ana =
        holder.iter().find(|message| message["text"].as_str().unwrap().contains("***.982.247-**")).unwrap();
    assert!(header(ana, "To").ends_with("@demo-test.invalid"), "{ana}");
    assert!(header(ana, "Subject").starts_with("Seu certificado digital vence em 2"), "{ana}");
    assert!(header(ana, "From").contains("assinaturas@bank.test.invalid"));
    for part in ["text", "html"] {
        assert!(ana[part].as_str().unwrap().contains("https://bank.test.invalid/renovar"), "{ana}");
    }
    let text = operator[0]["text"].as_str().unwrap();
    assert!(text.contains("Identificador: key_") && text.contains("Unidade: demo-portal"), "{text}");
    for message in &messages {
        let told = message.to_string();
        assert!(!told.contains(ANA.0) && !told.contains("ANA BEATRIZ"), "masked, without a name: {told}");
    }

    let events = told(&instance.backend(), "notice.sent", 2 * keys);
    assert_eq!(events.len(), 2 * keys);
    let told = format!("{events:?}{}", instance.log());
    assert!(
        !told.contains("@demo-test.invalid") && !told.contains(OPERATOR),
        "no address in events and logs"
    );
    assert!(!told.contains(PASSWORD));
    assert!(rows(&instance).iter().all(|row| row.0 == "sent" && !row.3), "{:?}", rows(&instance));
}

#[test]
fn a_server_that_is_down_or_busy_gets_the_notice_later() {
    let port = free_port();
    let clock = MovedClock::new();
    let variables = variables(&clock, port, 10, &[]);
    let instance = Instance::start_with(&Options { variables: &borrowed(&variables) });
    let keys = keys(&instance);
    let begun = Instant::now();
    while rows(&instance).iter().filter(|row| row.1 > 0).count() < keys {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", rows(&instance));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(rows(&instance).iter().all(|row| row.0 == "pending"), "{:?}", rows(&instance));
    let busy = ["451 4.7.1 try again later", "421 too many connections"];
    let server = MailServer::start_with(&json!({ "port": port, "answers": busy }));
    let all = server.told_at_least(keys + busy.len());
    let events = told(&instance.backend(), "notice.sent", keys);
    let refused = all.iter().filter(|one| one["refused"].is_string()).count();
    assert_eq!((all.len(), refused, events.len()), (keys + 2, 2, keys), "{all:?}");
    // Not a step of holders, so that only the operator is told.
    assert!(
        all.iter()
            .filter(|one| one["recipients"].is_array())
            .all(|one| one["recipients"] == json!([OPERATOR]))
    );
    assert!(events.iter().all(|event| event["data"]["attempts"].as_i64().unwrap() >= 2), "{events:?}");
}

#[test]
fn what_the_server_refuses_for_good_is_given_up_and_told() {
    let refusal = format!("550 5.1.1 <{OPERATOR}> unknown");
    let server = MailServer::start(&[&refusal]);
    let clock = MovedClock::new();
    let variables = variables(&clock, server.port, 10, &[]);
    let instance = Instance::start_with(&Options { variables: &borrowed(&variables) });
    let keys = keys(&instance);
    let failed = told(&instance.backend(), "notice.failed", 1);
    let sent = told(&instance.backend(), "notice.sent", keys - 1);
    assert_eq!((failed.len(), sent.len()), (1, keys - 1));
    let data = &failed[0]["data"];
    assert_eq!(
        (&data["status"], &data["attempts"], &data["notice"]),
        (&json!(550), &json!(1), &json!("expiring"))
    );
    let dead: Vec<_> = rows(&instance).into_iter().filter(|row| row.0 == "dead").collect();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].2.as_deref().unwrap().contains("p***@bank.test.invalid") && !dead[0].3, "{dead:?}");
    let told = format!("{failed:?}{}", instance.log());
    assert!(!told.contains(OPERATOR), "{told}");
}

#[test]
fn nothing_is_sent_to_a_server_whose_certificate_is_not_trusted_or_without_starttls() {
    let authority = TestAuthority::new(u32::try_from(LIFE).unwrap() + 30);
    let stranger = TestAuthority::new(u32::try_from(LIFE).unwrap() + 30);
    let roots = stranger.path("ca.pem");
    let file = authority.path("password");
    std::fs::write(&file, PASSWORD).unwrap();
    for (server, text) in
        [(authority.server("starttls"), "certificate"), (MailServer::start(&[]), "STARTTLS")]
    {
        let clock = MovedClock::new();
        let more = [
            ("RUBRICA_SMTP_TLS", "starttls"),
            ("RUBRICA_SMTP_USER", USER),
            ("RUBRICA_SMTP_PASSWORD_FILE", file.to_str().unwrap()),
            ("RUBRICA_SMTP_ROOTS", roots.to_str().unwrap()),
            ("RUBRICA_SMTP_RETRIES", "1s"),
        ];
        let variables = variables(&clock, server.port, 10, &more);
        let instance = Instance::start_with(&Options { variables: &borrowed(&variables) });
        let keys = keys(&instance);
        let failed = told(&instance.backend(), "notice.failed", keys);
        assert!(failed.iter().all(|event| event["data"]["attempts"] == 2), "{failed:?}");
        let errors: Vec<Option<String>> = rows(&instance).into_iter().map(|row| row.2).collect();
        assert!(errors.iter().flatten().any(|error| error.contains(text)), "{errors:?}");
        assert_eq!(server.told(), Vec::<Value>::new());
    }
}

#[test]
fn the_tls_certificate_of_an_endpoint_is_watched() {
    let authority = TestAuthority::new(20);
    let server = authority.server("implicit");
    let endpoint = format!("localhost:{}", server.port);
    let roots = authority.path("ca.pem");
    let instance = Instance::start_with(&Options {
        variables: &[
            ("RUBRICA_WATCH_EVERY_SECONDS", "1"),
            ("RUBRICA_WATCH_OPERATORS", OPERATOR),
            ("RUBRICA_WATCH_LANGUAGE", "en"),
            ("RUBRICA_SMTP_HOST", "localhost"),
            ("RUBRICA_SMTP_PORT", &server.port.to_string()),
            ("RUBRICA_SMTP_TLS", "implicit"),
            ("RUBRICA_SMTP_FROM", "assinaturas@bank.test.invalid"),
            ("RUBRICA_SMTP_USER", USER),
            ("RUBRICA_SMTP_PASSWORD", PASSWORD),
            ("RUBRICA_SMTP_ROOTS", roots.to_str().unwrap()),
        ],
    });
    let backend = instance.backend();
    let events = told(&backend, "certificate.expiring", 1);
    let data = &events[0]["data"];
    assert_eq!(
        (&data["kind"], &data["subject"], &data["days_before"]),
        (&json!("tls"), &json!(endpoint), &json!(30))
    );
    assert!(events[0]["tenant"].is_null(), "of the whole instance: {}", events[0]);
    let message = &server.told_at_least(1)[0];
    assert!(header(message, "Subject").starts_with("A TLS certificate expires in 19 days"), "{message}");
    let list = backend.get("/v1/keys/expiring?within_days=21").json();
    assert_eq!(list["others"][0]["subject"], endpoint.as_str(), "{list}");
}
