//! An order and the people who sign it.

use std::time::{Duration, Instant};

use rubrica_core::wire::{Signature, SignatureFormat};
use serde_json::{Value, json};

use super::{Client, Instance, LocalKey, ORIGIN};

/// Longest time for something to happen by itself on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open order.
#[derive(Debug)]
pub(crate) struct Signing<'a> {
    instance: &'a Instance,
    people: Vec<(&'static str, &'static str)>,
    pub(crate) order: Value,
}

impl<'a> Signing<'a> {
    /// Opens an order for PDFs in sequence; `change` replaces members.
    #[track_caller]
    pub(crate) fn open(
        instance: &'a Instance,
        documents: &[&str],
        people: &[(&'static str, &'static str)],
        change: &Value,
    ) -> Self {
        let mut body = order(documents, people);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = instance.backend().post("/v1/orders", &body);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        let order = answer.json();
        assert_eq!(answer.header("location"), format!("/v1/orders/{}", order["id"].as_str().unwrap()));
        Self { instance, people: people.to_vec(), order }
    }

    /// An order that was opened before.
    pub(crate) fn of(instance: &'a Instance, order: Value) -> Self {
        Self { instance, people: Vec::new(), order }
    }

    pub(crate) fn id(&self) -> String {
        self.order["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self) -> String {
        format!("/v1/orders/{}", self.id())
    }

    pub(crate) fn participant(&self, index: usize) -> String {
        self.order["participants"][index]["id"].as_str().unwrap().to_owned()
    }

    /// The order as the backend sees it now.
    #[track_caller]
    pub(crate) fn now(&self) -> Value {
        let answer = self.instance.backend().get(&self.path());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// State of the order and of its participants.
    #[track_caller]
    pub(crate) fn states(&self) -> (String, Vec<String>) {
        let order = self.now();
        let word = |value: &Value| value["state"].as_str().unwrap().to_owned();
        (word(&order), order["participants"].as_array().unwrap().iter().map(word).collect())
    }

    /// Waits until there is an event of this type.
    #[track_caller]
    pub(crate) fn wait_for_event(&self, name: &str) -> Value {
        let begun = Instant::now();
        loop {
            let events = self.events_whole();
            if let Some(event) = events.iter().find(|event| event["type"] == name) {
                return event.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "no `{name}`: {events:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a backend sends to open the session of a participant.
    pub(crate) fn session_request(&self, index: usize) -> Value {
        let (identifier, name) = self.people[index];
        json!({
            "signer": { "identifier": identifier, "name": name },
            "origins": [ORIGIN],
            "order_id": self.id(),
            "participant_id": self.participant(index),
        })
    }

    /// A session of a participant.
    #[track_caller]
    pub(crate) fn session(&self, index: usize) -> Client {
        let answer = self.instance.backend().post("/v1/sessions", &self.session_request(index));
        assert_eq!(answer.status, 201, "{answer:?}");
        Client::new(self.instance.url(), Some(answer.json()["token"].as_str().unwrap()))
    }

    /// The bytes of a document as the participants sign it now.
    #[track_caller]
    pub(crate) fn content(&self, session: &Client, document: &str) -> Vec<u8> {
        let answer = session.get(&format!("{}/documents/{document}/content", self.path()));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Signs a document of the order with a key of the token.
    #[track_caller]
    pub(crate) fn sign_by_token(&self, session: &Client, document: &str, format: &str) -> String {
        let id = session.sign_by_token(document, format);
        let signature = session.wait(&id);
        assert_eq!(signature["state"], "released", "{signature}");
        id
    }

    /// Begins a signature with a key of the person.
    #[track_caller]
    pub(crate) fn begin(&self, session: &Client, document: &str, format: &str, key: &LocalKey) -> Value {
        let body = json!({
            "document_id": document, "custody": "local", "format": format, "certificate": key.certificate,
        });
        let answer = session.post("/v1/signatures", &body);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// Signs a document of the order as the SDK does: what is asked for is checked against the bytes that were fetched.
    #[track_caller]
    pub(crate) fn sign_by_person(
        &self,
        session: &Client,
        document: &str,
        format: &str,
        key: &LocalKey,
    ) -> String {
        let bytes = self.content(session, document);
        let signature = self.begin(session, document, format, key);
        let value = value(&signature, &bytes, format, key);
        let id = signature["id"].as_str().unwrap().to_owned();
        let answer =
            session.post(&format!("/v1/signatures/{id}/complete"), &json!({ "signature_value": value }));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["state"], "released");
        id
    }

    /// Types of the events of the order so far, but those of its signatures.
    pub(crate) fn events(&self) -> Vec<String> {
        let events = self.events_whole().into_iter().map(|event| event["type"].as_str().unwrap().to_owned());
        events.filter(|name| !name.starts_with("signature.")).collect()
    }

    /// The events of the order so far, from the outbox and from the log.
    pub(crate) fn events_whole(&self) -> Vec<Value> {
        let database = self.instance.database();
        let mut rows = database
            .prepare("SELECT position, events FROM outbox UNION SELECT position, events FROM event ORDER BY position")
            .unwrap();
        let lines = rows.query_map([], |row| row.get::<_, String>(1)).unwrap();
        let lines: Vec<String> = lines.map(Result::unwrap).collect();
        let events = lines.iter().flat_map(|lines| lines.lines());
        events
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|event| event["subject"] == self.order["id"])
            .collect()
    }
}

/// What a backend sends to open an order.
pub(crate) fn order(documents: &[&str], people: &[(&str, &str)]) -> Value {
    let people = people
        .iter()
        .map(|(identifier, name)| json!({ "signer": { "identifier": identifier, "name": name } }));
    json!({
        "title": "TEST contract",
        "documents": documents,
        "participants": people.collect::<Vec<_>>(),
        "flow": "sequence",
        "rules": { "format": "pades" },
    })
}

/// What the person's key makes of a prepared signature over these bytes.
pub(crate) fn value(signature: &Value, bytes: &[u8], format: &str, key: &LocalKey) -> String {
    let typed: Signature = serde_json::from_value(signature.clone()).unwrap();
    let format = if format == "pades" { SignatureFormat::Pades } else { SignatureFormat::Cades };
    key.sign(&typed, bytes, format)
}
