//! Who may call what, and who sees what: every operation of the document, with every kind of credential. A new route is
//! covered as soon as it is documented; a new kind of identifier needs a fixture here, or the test fails.

use std::collections::BTreeMap;

use rubrica_core::digest::Digest;
use serde_json::{Value, json};

use crate::support::cloud::StandIn;
use crate::support::{ANA, BRUNO, Client, Instance, Issuer, Key, Signing, testdata};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// The example of the document: what the handler takes.
    Example,
    /// What no handler takes, so that nothing comes of it.
    Empty,
}

/// An operation of the document.
#[derive(Debug)]
struct Operation {
    id: String,
    method: String,
    path: String,
    value: Value,
}

impl Operation {
    /// Every one that needs a credential.
    fn all(document: &Value) -> Vec<Self> {
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, value)| Self {
                id: value["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                value: value.clone(),
            })
        });
        let guarded: Vec<_> = operations.filter(|operation| operation.value["security"].is_array()).collect();
        assert!(guarded.len() >= 14, "{}", guarded.len());
        guarded
    }

    /// The scope that this kind of credential needs: `None` when it is of no use here.
    fn needs(&self, scheme: &str) -> Option<String> {
        let way = self.value["security"].as_array().unwrap().iter().find_map(|way| way.get(scheme))?;
        Some(way[0].as_str().unwrap_or_default().to_owned())
    }

    /// The kinds of identifiers in the path, by parameter.
    fn identifiers(&self) -> Vec<(String, String)> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        parameters
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| {
                let kind = parameter["schema"]["$ref"].as_str().unwrap_or_else(|| {
                    panic!("{}: give the path parameter the type of its identifier", self.id)
                });
                (parameter["name"].as_str().unwrap().to_owned(), kind.rsplit('/').next().unwrap().to_owned())
            })
            .collect()
    }

    /// Calls with identifiers of these kinds, and with the body of the example or with one that does nothing.
    fn call(&self, caller: &Client, ids: &BTreeMap<&str, String>, body: Body) -> u16 {
        let path = self.identifiers().iter().fold(self.path.clone(), |path, (name, kind)| {
            let id = ids.get(kind.as_str()).unwrap_or_else(|| panic!("{}: no fixture for {kind}", self.id));
            path.replace(&format!("{{{name}}}"), id)
        });
        let answer = match self.value["requestBody"]["content"].as_object() {
            None => caller.send(&self.method, &path, &[], None),
            Some(content) => {
                let (kind, described) = content
                    .get_key_value("application/json")
                    .unwrap_or_else(|| content.iter().next().expect("a body has a media type"));
                let bytes = match (body, kind.as_str()) {
                    (Body::Empty, _) => b"{}".to_vec(),
                    (Body::Example, "application/json") => {
                        assert!(described["example"].is_object(), "{}: give the body an example", self.id);
                        described["example"].to_string().into_bytes()
                    }
                    (Body::Example, _) => b"TEST".to_vec(),
                };
                caller.send(&self.method, &path, &[("content-type", kind)], Some(&bytes))
            }
        };
        assert!(
            self.value["responses"].get(answer.status.to_string()).is_some(),
            "{}: {} is not documented: {}",
            self.id,
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        answer.status
    }
}

/// A client of the configuration, whose name is its key.
fn client(name: &str, tenant: &str, scopes: Option<&[&str]>) -> String {
    let hash = Digest::sha256(name.as_bytes()).to_hex();
    let scopes = scopes.map_or_else(String::new, |scopes| format!("scopes = {scopes:?}\n"));
    format!("[[clients]]\nname = \"{name}\"\ntenant = \"{tenant}\"\nkey_sha256 = \"{hash}\"\n{scopes}\n")
}

/// What each role may do, written a second time: the table of the program has to say the same.
fn roles_with(scope: &str) -> Vec<&'static str> {
    let mut roles = Vec::new();
    if scope.ends_with(":read") {
        roles.push("auditor");
    }
    if ["signatures:read", "orders:read", "batches:read", "events:read"].contains(&scope) {
        roles.push("analyst");
    }
    let operator = [
        "documents:write",
        "orders:write",
        "batches:write",
        "validations:write",
        "webhooks:read",
        "custody:read",
        "keys:read",
        "enrolments:read",
        "enrolments:write",
        "documents:read",
        "signatures:read",
        "orders:read",
        "batches:read",
        "events:read",
    ];
    if operator.contains(&scope) {
        roles.push("operator");
    }
    if scope != "sessions:write" {
        roles.push("admin");
    }
    roles
}

#[test]
fn every_operation_takes_exactly_the_credentials_that_it_documents() {
    let document: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let operations = Operation::all(&document);
    let mut scopes: Vec<String> =
        operations.iter().filter_map(|operation| operation.needs("api_key")).collect();
    scopes.sort();
    scopes.dedup();
    assert!(scopes.iter().all(|scope| !scope.is_empty()), "an API key always needs a scope: {scopes:?}");

    let key = Key::p256();
    let issuer = Issuer::start(&[key.jwk("k")]);
    let mut config = issuer.config();
    for scope in &scopes {
        let others: Vec<&str> = scopes.iter().map(String::as_str).filter(|other| other != scope).collect();
        config.push_str(&client(&format!("only {scope}"), "demo-portal", Some(&[scope])));
        config.push_str(&client(&format!("all but {scope}"), "demo-portal", Some(&others)));
    }
    let instance = Instance::start_with_config(&config);
    let session = instance.session(ANA);
    let nothing: BTreeMap<&str, String> =
        KINDS.map(|(kind, prefix)| (kind, format!("{prefix}_{}", "0".repeat(32)))).into();

    let check = |operation: &Operation, who: &str, caller: &Client, allowed: bool| {
        let status = operation.call(caller, &nothing, Body::Empty);
        assert_ne!(status, 401, "{}: {who} is known", operation.id);
        assert_eq!(status != 403, allowed, "{}: {who} got {status}", operation.id);
    };
    for operation in &operations {
        check(operation, "a session", &session, operation.needs("session").is_some());
        let scope = operation.needs("api_key");
        for (who, has_it) in [("only", true), ("all but", false)] {
            let name = format!("{who} {}", scope.as_deref().unwrap_or(&scopes[0]));
            let caller = Client::new(instance.url(), Some(&name));
            check(operation, &name, &caller, has_it && scope.is_some());
        }
        let for_people = operation.needs("person");
        if let Some(scope) = &for_people {
            assert_eq!(Some(scope), operation.needs("api_key").as_ref(), "{}", operation.id);
        }
        for role in ["operator", "analyst", "auditor", "admin"] {
            let person = Client::new(instance.url(), Some(&issuer.token(&key, "k", "demo-portal", &[role])));
            let allowed = for_people.as_deref().is_some_and(|scope| roles_with(scope).contains(&role));
            check(operation, role, &person, allowed);
            if role == "auditor" && operation.method != "GET" {
                assert!(!allowed, "{}: an auditor changes nothing", operation.id);
            }
        }
    }
}

#[test]
fn what_belongs_to_another_tenant_or_session_does_not_exist() {
    let document: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let key = Key::p256();
    let issuer = Issuer::start(&[key.jwk("k")]);
    let cloud = StandIn::cloudhub();
    let instance = cloud.instance(&[issuer.config(), client("south", "south", None)].concat());

    // Everything that the first tenant has.
    let owner = instance.backend();
    let document_id = owner.upload(&std::fs::read(testdata("contract.pdf")).unwrap());
    let order = Signing::open(&instance, &[&document_id], &[ANA, BRUNO], &json!({ "flow": "parallel" }));
    let session = order.session(0);
    let signature_id = session.sign_by_token(&document_id, "pades");
    assert_eq!(session.wait(&signature_id)["state"], "released");
    let api_key = owner.post("/v1/api-keys", &json!({ "name": "TEST", "scopes": ["orders:read"] })).json();
    crate::receipts::record(&instance, &signature_id);
    crate::receipts::receipt(&session, &signature_id);
    let consent = crate::enrolments::consent(&session);
    let enrolment = crate::enrolments::begin_under(&session, &consent, "ec");
    let webhook = owner.post("/v1/webhooks", &json!({ "url": "https://1.1.1.1/" })).json();
    let authorization = cloud.ask(&session, &document_id, "one").json();
    let ids: BTreeMap<&str, String> = [
        ("DocumentId", document_id),
        ("SignatureId", signature_id),
        ("KeyId", crate::batches::rsa_key(&instance)),
        ("ApiKeyId", api_key["id"].as_str().unwrap().to_owned()),
        ("OrderId", order.id()),
        ("ParticipantId", order.participant(0)),
        ("WebhookId", webhook["id"].as_str().unwrap().to_owned()),
        ("ConsentId", consent),
        ("EnrolmentId", enrolment["id"].as_str().unwrap().to_owned()),
        ("AuthorizationId", authorization["id"].as_str().unwrap().to_owned()),
        ("EventId", format!("evt_{}", "0".repeat(32))),
        (
            "BatchId",
            crate::batches::submit(&owner, &crate::batches::manifest(&crate::batches::rsa_key(&instance), 1)),
        ),
    ]
    .into();

    let south = Client::new(instance.url(), Some("south"));
    let person =
        |tenant: &str| Client::new(instance.url(), Some(&issuer.token(&key, "k", tenant, &["admin"])));
    let south_session = {
        let body =
            json!({ "signer": { "identifier": ANA.0, "name": ANA.1 }, "origins": ["https://south.example"] });
        let answer = south.post("/v1/sessions", &body);
        assert_eq!(answer.status, 201);
        Client::new(instance.url(), Some(answer.json()["token"].as_str().unwrap()))
    };
    let strangers = [
        ("session", "a session of another tenant, same person", south_session),
        ("session", "another session of the same tenant", instance.session(BRUNO)),
        ("session", "a session of the same person for nothing of this", instance.session(ANA)),
        ("api_key", "a backend of another tenant", south),
        ("person", "an admin of another tenant", person("south")),
    ];
    let mut tried = 0;
    for operation in Operation::all(&document).iter().filter(|operation| operation.path.contains('{')) {
        for (scheme, who, caller) in &strangers {
            // These are the person's own, so that they go on in any session of theirs.
            let of_person =
                operation.identifiers().iter().any(|(_, kind)| OF_PERSON.contains(&kind.as_str()));
            if of_person && who.starts_with("a session of the same person") {
                continue;
            }
            let expected = if operation.needs(scheme).is_some() { 404 } else { 403 };
            assert_eq!(operation.call(caller, &ids, Body::Example), expected, "{}: {who}", operation.id);
            tried += usize::from(expected == 404);
        }
        // The fixture is there for those whose it is: else all of this would prove nothing.
        for (scheme, caller) in
            [("session", &session), ("api_key", &owner), ("person", &person("demo-portal"))]
        {
            if operation.method == "GET" && operation.needs(scheme).is_some() {
                assert_eq!(operation.call(caller, &ids, Body::Example), 200, "{}: {scheme}", operation.id);
            }
        }
    }
    assert!(tried >= 25, "{tried}");
    assert_eq!(owner.get(&format!("/v1/api-keys/{}", ids["ApiKeyId"])).json()["revoked_at"], Value::Null);
}

/// What belongs to a person and not to a session.
const OF_PERSON: [&str; 2] = ["ConsentId", "EnrolmentId"];

/// Identifiers that may stand in a path, with their prefixes.
const KINDS: [(&str, &str); 12] = [
    ("KeyId", "key"),
    ("DocumentId", "doc"),
    ("SignatureId", "sig"),
    ("ApiKeyId", "apk"),
    ("OrderId", "ord"),
    ("ParticipantId", "par"),
    ("WebhookId", "whk"),
    ("EventId", "evt"),
    ("BatchId", "bat"),
    ("ConsentId", "cns"),
    ("EnrolmentId", "enr"),
    ("AuthorizationId", "aut"),
];
