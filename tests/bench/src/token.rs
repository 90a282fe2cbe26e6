//! Signatures through the API, beside the raw C_Sign rate of the same token.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use serde_json::{Value, json};

use crate::table::{Bar, Row, Table};
use crate::{Outcome, cores, samples};

/// Both sides use as many threads as the token has cores.
const TOKEN_THREADS: usize = 2;
/// Requests in flight, as a busy portal would have.
const CLIENTS: usize = 16;
/// Sides alternate, so that a busy neighbour hits both.
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);

/// DigestInfo of SHA-256 in front of a digest (RFC 8017 §9.2 note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 0x04,
    0x20,
];

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let rubrica = std::env::var("RUBRICA").map_err(|_| "RUBRICA must name the rubrica binary")?;
    let folder = memory_folder()?;
    let data = folder.path().join("data");
    drop(Server::start(&rubrica, &data)?);
    let begun = Instant::now();
    let server = Server::start(&rubrica, &data)?;
    table.push(Row {
        what: "second start of the demo, token and store there".to_owned(),
        unit: "starts per second",
        ours: 1.0 / begun.elapsed().as_secs_f64(),
        peer: "limit of 5 s",
        theirs: 0.2,
        bar: Bar::AtLeast(1.0),
    });
    for (format, document) in [("cades", samples::pdf(2_000)), ("pades", samples::pdf(2_000))] {
        let (mut ours, mut raw) = (0.0, 0.0);
        for _ in 0..ROUNDS {
            raw += raw_rate(&data, TOKEN_THREADS, None)?;
            ours += server.rate(format, &document)?;
        }
        table.push(Row {
            what: format!(
                "{} 2 KB through the API, RSA-2048",
                if format == "cades" { "CAdES-B" } else { "PAdES-B" }
            ),
            unit: "signatures per second",
            ours: ours / ROUNDS as f64,
            peer: "raw C_Sign",
            theirs: raw / ROUNDS as f64,
            bar: Bar::AtLeast(0.90),
        });
    }
    Ok(())
}

/// Token and store on a memory file system where there is one: we measure ourselves, not the disk.
pub(crate) fn memory_folder() -> Outcome<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}

/// `rubrica demo` on a free port; ends with the value.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
    agent: ureq::Agent,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself; there is nothing to add to that here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    pub(crate) fn start(rubrica: &str, data: &Path) -> Outcome<Self> {
        Self::start_with(rubrica, data, &[])
    }

    pub(crate) fn start_with(rubrica: &str, data: &Path, variables: &[(&str, &str)]) -> Outcome<Self> {
        let site = data.with_file_name("site");
        fs::create_dir_all(&site)?;
        fs::write(site.join("index.html"), "")?;
        let mut process = Command::new(rubrica)
            .args(["demo", "--port", "0", "--data"])
            .arg(data)
            .arg("--site")
            .arg(&site)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the server has no standard output")?;
        let mut server = Self { process, address: String::new(), agent: ureq::Agent::new_with_defaults() };
        for line in BufReader::new(stdout).lines() {
            if let Some((_, address)) = line?.split_once("http://") {
                server.address = format!("http://{}", address.trim_end_matches('/'));
                return Ok(server);
            }
        }
        Err("the demo ended without printing its address".into())
    }

    /// The server's process, without its token agents.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Outcome<Value> {
        let request = self.agent.get(format!("{}{path}", self.address));
        let mut response = request.header("authorization", format!("Bearer {token}")).call()?;
        Ok(response.body_mut().read_json()?)
    }

    pub(crate) fn send(&self, path: &str, token: &str, media_type: &str, body: &[u8]) -> Outcome<Value> {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", media_type)
            .send(body)?;
        Ok(response.body_mut().read_json()?)
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> Outcome<Value> {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {token}"))
            .send_json(body)?;
        Ok(response.body_mut().read_json()?)
    }

    /// A session of one person with a document; the token of the one and the id of the other.
    pub(crate) fn upload(&self, document: &[u8]) -> Outcome<(String, String)> {
        let session = self.post("/demo/sessions", "", &json!({ "person_id": "ana" }))?;
        let token = session["token"].as_str().ok_or("the session has no token")?;
        let mut response = self
            .agent
            .post(format!("{}/v1/documents", self.address))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/pdf")
            .header("rubrica-file-name", "sample.pdf")
            .send(document)?;
        let uploaded: Value = response.body_mut().read_json()?;
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned).ok_or("an answer lacks a member");
        Ok((text(&session["token"])?, text(&uploaded["id"])?))
    }

    /// Signatures released per second of wall time, each by a request of its own.
    fn rate(&self, format: &str, document: &[u8]) -> Outcome<f64> {
        let (token, document) = self.upload(document)?;
        let token = token.as_str();
        let body = json!({ "document_id": document, "custody": "hsm", "format": format });
        let start = Instant::now();
        let counts = thread::scope(|scope| {
            let clients: Vec<_> =
                (0..CLIENTS).map(|_| scope.spawn(|| self.sign_until(start + ROUND, token, &body))).collect();
            clients
                .into_iter()
                .map(|client| client.join().map_err(|_| "a client panicked".to_owned())?)
                .sum::<Result<u32, String>>()
        })?;
        Ok(f64::from(counts) / start.elapsed().as_secs_f64())
    }

    fn sign_until(&self, end: Instant, token: &str, body: &Value) -> Result<u32, String> {
        let mut released = 0;
        while Instant::now() < end {
            self.sign(token, body).map_err(|error| error.to_string())?;
            released += 1;
        }
        Ok(released)
    }

    fn sign(&self, token: &str, body: &Value) -> Outcome<()> {
        let mut signature = self.post("/v1/signatures", token, body)?;
        while signature["state"] != "released" {
            if signature["state"] == "failed" {
                return Err(format!("a signature failed: {}", signature["problem"]).into());
            }
            let id = signature["id"].as_str().ok_or("the signature has no id")?;
            let mut response = self
                .agent
                .get(format!("{}/v1/signatures/{id}?wait_ms=10000", self.address))
                .header("authorization", format!("Bearer {token}"))
                .call()?;
            signature = response.body_mut().read_json()?;
        }
        Ok(())
    }
}

/// Runs `rubrica-bench raw-sign` with the token's configuration in its environment, on all cores or on one.
pub(crate) fn raw_rate(data: &Path, threads: usize, core: Option<usize>) -> Outcome<f64> {
    let output = Command::new(std::env::current_exe()?)
        .arg("raw-sign")
        .arg(data)
        .arg(threads.to_string())
        .args(core.map(|core| core.to_string()))
        .env("SOFTHSM2_CONF", data.join("softhsm/softhsm2.conf"))
        .output()?;
    if !output.status.success() {
        return Err(format!("raw C_Sign: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// `raw-sign DATA THREADS [CORE]`: prints C_Sign calls per second on the first RSA key of the token in a data folder.
#[expect(clippy::print_stdout, reason = "the figure goes to the parent process")]
pub(crate) fn raw_sign(arguments: &[String]) -> Outcome<()> {
    let data = Path::new(arguments.first().ok_or("raw-sign needs a data folder")?);
    let threads: usize = arguments.get(1).ok_or("raw-sign needs a number of threads")?.parse()?;
    if let Some(core) = arguments.get(2) {
        cores::keep_this_thread(core.parse()?)?;
    }
    let module = std::env::var("RUBRICA_PKCS11_MODULE")
        .unwrap_or_else(|_| "/usr/lib/softhsm/libsofthsm2.so".to_owned());
    let token = Pkcs11::new(module)?;
    token.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    let slot = *token.get_slots_with_initialized_token()?.first().ok_or("the data folder has no token")?;
    let login = token.open_ro_session(slot)?;
    login.login(
        UserType::User,
        Some(&AuthPin::from(fs::read_to_string(data.join("secrets/token-pin"))?.trim().to_owned())),
    )?;
    let wanted = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(KeyType::RSA)];
    let key = *login.find_objects(&wanted)?.first().ok_or("the token holds no RSA key")?;
    let input = [DIGEST_INFO.as_slice(), &[7; 32]].concat();
    let start = Instant::now();
    let count = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                let session = token.open_ro_session(slot);
                let input = &input;
                scope.spawn(move || -> Result<u32, String> {
                    let session = session.map_err(|error| error.to_string())?;
                    let mut count = 0;
                    while start.elapsed() < ROUND {
                        session.sign(&Mechanism::RsaPkcs, key, input).map_err(|error| error.to_string())?;
                        count += 1;
                    }
                    Ok(count)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
            .sum::<Result<u32, String>>()
    })?;
    println!("{:.1}", f64::from(count) / start.elapsed().as_secs_f64());
    Ok(())
}
