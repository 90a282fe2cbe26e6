//! The stand-ins for cloud services (TEST), processes of their own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::client::Answer;
use super::{Client, Instance, ORIGIN, template};

/// A running stand-in; ends with the value.
#[derive(Debug)]
pub(crate) struct StandIn {
    process: Child,
    told: Value,
    arguments: Vec<String>,
    /// What its service says beside name and URL.
    config: String,
}

/// Name of the service in the configuration of [`StandIn::instance`].
pub(crate) const SERVICE: &str = "testcloud";

impl StandIn {
    /// Cloudhub.
    pub(crate) fn cloudhub() -> Self {
        let config = "kind = \"cloudhub\"\nservice = \"TestCloud\"\napi_key_file = \"secrets/cloud\"\n";
        Self::start(&["cloudhub.js"], config.to_owned())
    }

    /// A provider that reads hashes and token requests like this, with more arguments.
    pub(crate) fn psc(hash: &str, token_body: &str, more: &[&str]) -> Self {
        let mut arguments = vec!["psc.js", "--hash", hash, "--token-body", token_body];
        arguments.extend(more);
        let value_of = |name: &str| more.iter().skip_while(|one| **one != name).nth(1).copied();
        let push_path = value_of("--push-path").unwrap_or_default();
        let base_path = value_of("--base-path").unwrap_or("/v0/oauth");
        let config = format!(
            "kind = \"psc\"\nclient_id = \"TEST-bank\"\nclient_secret_file = \"secrets/cloud\"\n\
             base_path = \"{base_path}\"\nhash_encoding = \"{hash}\"\ntoken_body = \"{token_body}\"\n\
             push_path = \"{push_path}\"\n"
        );
        Self::start(&arguments, config)
    }

    fn start(arguments: &[&str], config: String) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
        let (process, told) = spawn(&arguments, &[]);
        Self { process, told, arguments, config }
    }

    pub(crate) fn url(&self) -> &str {
        self.told["url"].as_str().unwrap()
    }

    /// What a caller shows it.
    pub(crate) fn secret(&self) -> &str {
        self.told["secret"].as_str().unwrap()
    }

    /// The table of a service for it.
    pub(crate) fn service(&self, more: &str) -> String {
        let url = self.url();
        format!(
            "[[lacuna.services]]\nname = \"{SERVICE}\"\nurl = \"{url}\"\ntimeout_ms = 2000\n{}{more}\n",
            self.config
        )
    }

    /// An instance that knows it, with more in its configuration.
    pub(crate) fn instance(&self, more: &str) -> Instance {
        self.instance_with(&format!("{}{more}", self.service("")))
    }

    /// An instance with this in its configuration, and the secret where [`Self::service`] says.
    pub(crate) fn instance_with(&self, config: &str) -> Instance {
        self.instance_under(config, &[])
    }

    /// As [`Self::instance_with`], with variables of the environment.
    pub(crate) fn instance_under(&self, config: &str, variables: &[(&str, &str)]) -> Instance {
        let mut instance = Instance::prepare();
        self.prepare(&instance, config);
        instance.run(&super::Options { variables });
        instance
    }

    /// Writes the configuration and the secret of an instance that does not run.
    pub(crate) fn prepare(&self, instance: &Instance, config: &str) {
        let data = instance.data();
        std::fs::write(data.join("secrets/cloud"), self.secret()).unwrap();
        let file = data.join("rubrica.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n{config}")).unwrap();
    }

    /// What happens to the next call for a signature.
    #[track_caller]
    pub(crate) fn next(&self, fault: &str) {
        self.next_on("sign", fault, 1);
    }

    /// What happens to the next calls of a kind.
    #[track_caller]
    pub(crate) fn next_on(&self, on: &str, fault: &str, times: u32) {
        let wanted = json!({ "fault": fault, "on": on, "times": times });
        let answer = Client::new(self.url(), None).post("/stand-in/next", &wanted);
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// What happened.
    #[track_caller]
    pub(crate) fn log(&self) -> Value {
        Client::new(self.url(), None).get("/stand-in/log").json()
    }

    /// How often it was asked to sign, and how often a key was used.
    #[track_caller]
    pub(crate) fn count(&self) -> (u64, u64) {
        let log = self.log();
        (log["asked"].as_u64().unwrap(), log["used"].as_u64().unwrap())
    }

    /// Asks for a permission.
    pub(crate) fn ask(&self, session: &Client, document: &str, scope: &str) -> Answer {
        let asked = json!({
            "service": SERVICE, "document_ids": [document], "scope": scope, "return_url": format!("{ORIGIN}/sign?step=2"),
        });
        session.post("/v1/authorizations", &asked)
    }

    /// Opens a permission and has the person act on the page of the provider; gives it with what they come back with.
    #[track_caller]
    pub(crate) fn visit(&self, session: &Client, document: &str, scope: &str, how: &str) -> (String, Value) {
        let answer = self.ask(session, document, scope);
        assert_eq!(answer.status, 201, "{answer:?}");
        let opened = answer.json();
        assert_eq!(opened["state"], "requested");
        let page = opened["auth_url"].as_str().unwrap().strip_prefix(self.url()).unwrap();
        let back = Client::new(self.url(), None).get(&format!("{page}&{how}"));
        assert_eq!(back.status, 302, "{back:?}");
        let back = back.header("location").to_owned();
        assert!(back.starts_with(&format!("{ORIGIN}/sign?")), "{back}");
        (opened["id"].as_str().unwrap().to_owned(), parameters(&back))
    }

    /// A permission that was granted.
    #[track_caller]
    pub(crate) fn permit(&self, session: &Client, document: &str, scope: &str) -> String {
        let (id, back) = self.visit(session, document, scope, "permit=1");
        let answer = session.post(&format!("/v1/authorizations/{id}/complete"), &back);
        assert_eq!((answer.status, answer.json()["state"].as_str()), (200, Some("granted")), "{answer:?}");
        id
    }

    /// Ends it, as an outage does.
    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again at the same address and with the same secret. What it knew is gone.
    pub(crate) fn start_again(&mut self) {
        let port = self.url().rsplit(':').next().unwrap().to_owned();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.secret()).unwrap();
        let more = ["--port", &port, "--secret-file", file.path().to_str().unwrap()];
        (self.process, self.told) = spawn(&self.arguments, &more);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a page sends on when the person came back to this URL.
pub(crate) fn parameters(url: &str) -> Value {
    let (_, query) = url.split_once('?').unwrap();
    let parameters: serde_json::Map<_, _> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({ "parameters": parameters })
}

fn spawn(arguments: &[String], more: &[&str]) -> (Child, Value) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cloud-stand-ins");
    let mut process = Command::new("node")
        .current_dir(folder)
        .args(arguments)
        .args(more)
        .arg("--identities")
        .arg(template().join("data/pki/simulator.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the stand-in needs node");
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (process, told)
}
