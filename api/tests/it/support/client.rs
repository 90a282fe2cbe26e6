//! A small HTTP client that keeps every answer, also the bad ones.

use std::time::Duration;

use serde_json::{Value, json};

use super::{contract, search};
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// Boundary of the forms that are sent here.
pub(crate) const BOUNDARY: &str = "X-RUBRICA-TEST";

/// One caller.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
    pub(crate) token: Option<String>,
    /// Sent with every request.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a problem with this code, complete and consistent.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["type"].as_str().unwrap().ends_with(&format!("/{code}")));
        for member in ["title", "detail", "instance"] {
            assert!(!problem[member].as_str().unwrap().is_empty(), "{problem}");
        }
        problem
    }
}

impl Client {
    pub(crate) fn new(base: &str, token: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        if let Some(token) = token {
            search::remember(base, token);
        }
        Self {
            agent: config.into(),
            base: base.to_owned(),
            token: token.map(ToOwned::to_owned),
            headers: Vec::new(),
        }
    }

    /// The same caller with another header.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        self.try_send(method, path, headers, body).unwrap()
    }

    /// As [`Self::post`]; `None` when the server went away.
    pub(crate) fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let headers = [("content-type", "application/json")];
        self.try_send("POST", path, &headers, Some(body.to_string().as_bytes())).ok()
    }

    /// As [`Self::send`]; fails when the server went away.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            search::remember_body(&self.base, body);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let (parts, mut body) = response?.into_parts();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.with_config().limit(1 << 30).read_to_vec()?,
        };
        search::remember_body(&self.base, &answer.body);
        contract::check(method, path, &answer);
        Ok(answer)
    }

    /// Asks for a validation, as a form with these parts.
    pub(crate) fn post_form(&self, parts: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let head = format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}.bin\"\r\n\
                 content-type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.send("POST", "/v1/validations", &[("content-type", &kind)], Some(&body))
    }

    /// Uploads a document and gives its id.
    #[track_caller]
    pub(crate) fn upload(&self, bytes: &[u8]) -> String {
        let headers =
            [("content-type", "application/pdf"), ("rubrica-file-name", "contrato%20n%C2%BA%201.pdf")];
        let answer = self.send("POST", "/v1/documents", &headers, Some(bytes));
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Begins a signature with a key of the token and gives its id.
    #[track_caller]
    pub(crate) fn sign_by_token(&self, document: &str, format: &str) -> String {
        let body = json!({ "document_id": document, "custody": "hsm", "format": format });
        let answer = self.post("/v1/signatures", &body);
        assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
        let signature = answer.json();
        assert_eq!(signature["state"], "accepted");
        let id = signature["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("location"), format!("/v1/signatures/{id}"));
        id
    }

    /// Waits for the end of a signature.
    #[track_caller]
    pub(crate) fn wait(&self, signature: &str) -> Value {
        let answer = self.get(&format!("/v1/signatures/{signature}?wait_ms=20000"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The released bytes.
    #[track_caller]
    pub(crate) fn content(&self, signature: &str) -> Vec<u8> {
        let answer = self.get(&format!("/v1/signatures/{signature}/content"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }
}
