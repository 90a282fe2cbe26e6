//! A mail server of the bank: a real one, `tests/lib/mail.py`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{memory_folder, python};

pub(crate) const USER: &str = "rubrica-TEST";
pub(crate) const PASSWORD: &str = "senha-do-correio-TEST";

/// A running server; ends with the value.
#[derive(Debug)]
pub(crate) struct MailServer {
    process: Child,
    pub(crate) port: u16,
    told: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    /// Starts without TLS and login, on a free port.
    pub(crate) fn start(answers: &[&str]) -> Self {
        Self::start_with(&json!({ "port": free_port(), "answers": answers }))
    }

    pub(crate) fn start_with(options: &Value) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/lib/mail.py");
        let mut process = Command::new(python::for_mail())
            .args([script, &options.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the server starts").unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        let port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { process, port, told }
    }

    /// Everything that came so far: messages and recipients that were refused.
    pub(crate) fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap().clone()
    }

    /// Everything that came, once it is as much.
    #[track_caller]
    pub(crate) fn told_at_least(&self, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let told = self.told();
            if told.len() >= count {
                return told;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{count}: {told:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port of this machine that nobody listens at.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A header of a message.
pub(crate) fn header<'a>(message: &'a Value, name: &str) -> &'a str {
    let headers = message["headers"].as_array().unwrap();
    let mut found = headers.iter().filter(|header| header[0] == name);
    let value = found.next().unwrap_or_else(|| panic!("no {name}: {message}"))[1].as_str().unwrap();
    assert!(found.next().is_none(), "{name} twice");
    value
}

/// An authority, and a certificate of it for `localhost` that lasts so many days.
#[derive(Debug)]
pub(crate) struct TestAuthority(TempDir);

impl TestAuthority {
    pub(crate) fn new(days: u32) -> Self {
        let authority = Self(memory_folder());
        let config = "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = TEST mail\n\
                      [ca]\nbasicConstraints = critical, CA:TRUE\n\
                      [server]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = DNS:localhost\n";
        std::fs::write(authority.path("openssl.cnf"), config).unwrap();
        authority.make("ca", days, &[]);
        authority.make("server", days, &["-CA", "ca.pem", "-CAkey", "ca.key"]);
        authority
    }

    fn make(&self, name: &str, days: u32, issuer: &[&str]) {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-config", "openssl.cnf", "-extensions", name, "-nodes"])
            .args(["-days", &days.to_string(), "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-keyout", &key, "-out", &certificate])
            .args(issuer)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A server with this certificate that asks for a login.
    pub(crate) fn server(&self, tls: &str) -> MailServer {
        let file = |path: &Path| path.to_str().unwrap().to_owned();
        MailServer::start_with(&json!({
            "port": free_port(), "tls": tls, "user": USER, "password": PASSWORD,
            "certificate": file(&self.path("server.pem")), "key": file(&self.path("server.key")),
        }))
    }
}
