//! Secrets are looked for when an instance ends: in what it logged, in the command lines of its processes, in its events and in its
//! database. What a test gave it or got from it (tokens, passwords, key files, its own `secrets` folder) stands in none of them; the
//! CPF of a person and the bytes of a document stand in neither log nor events.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use super::postgres;

/// Members of requests and answers that hold a secret, wherever they stand.
const SECRETS: [&str; 7] = ["token", "secret", "password", "pin", "pkcs12", "access_token", "code_verifier"];
/// Tables whose rows are events, or become them.
const EVENTS: [&str; 3] = ["event", "outbox", "delivery"];
/// How a PDF begins, as it is and in base64.
const DOCUMENTS: [&str; 2] = ["%PDF-1", "JVBERi0x"];
/// What is shorter stands everywhere by chance.
const SHORTEST: usize = 8;

/// What must not be found of an instance.
#[derive(Debug, Default, Clone)]
struct Told {
    secrets: BTreeSet<String>,
    people: BTreeSet<String>,
}

/// By the address of the instance.
static TOLD: LazyLock<Mutex<HashMap<String, Told>>> = LazyLock::new(Mutex::default);

/// Remembers a secret that the instance at this address knows.
pub(super) fn remember(base: &str, secret: &str) {
    if secret.len() >= SHORTEST {
        TOLD.lock().unwrap().entry(base.to_owned()).or_default().secrets.insert(secret.to_owned());
    }
}

/// Remembers the secrets and the people of a JSON body that went to the instance or came from it.
pub(super) fn remember_body(base: &str, body: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        remember_value(base, &value);
    }
}

fn remember_value(base: &str, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(text) if SECRETS.contains(&name.as_str()) => remember(base, text),
            Some(text) if is_cpf(text) => {
                TOLD.lock().unwrap().entry(base.to_owned()).or_default().people.insert(text.to_owned());
            }
            _ => remember_value(base, value),
        }
    }
    for value in value.as_array().into_iter().flatten() {
        remember_value(base, value);
    }
}

fn is_cpf(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// As people write it.
fn formatted(cpf: &str) -> String {
    format!("{}.{}.{}-{}", &cpf[..3], &cpf[3..6], &cpf[6..9], &cpf[9..])
}

/// Where an instance left its traces.
pub(super) struct Traces<'a> {
    /// Every address it had.
    pub(super) urls: &'a [String],
    pub(super) data: &'a Path,
    pub(super) log: &'a str,
    /// Command lines of its processes.
    pub(super) command_lines: &'a [u8],
    /// Connection string of its database in PostgreSQL.
    pub(super) postgres: Option<&'a str>,
}

/// What was found, without the secret itself: where, and how it begins.
pub(super) fn findings(traces: &Traces<'_>) -> Vec<String> {
    let told = told(traces);
    let (database, events) = match traces.postgres {
        Some(address) => postgres_texts(address),
        None => sqlite_texts(&traces.data.join("rubrica.sqlite")),
    };
    let places: [(&str, &[u8]); 4] = [
        ("the log", traces.log.as_bytes()),
        ("a command line", traces.command_lines),
        ("the database", &database),
        ("the events", &events),
    ];
    let mut found = Vec::new();
    for (place, text) in places {
        // PostgreSQL dumps bytes as hexadecimal digits.
        let written = |secret: &&String| contains(text, secret) || contains(text, &hex(secret));
        let secrets = told.secrets.iter().filter(written);
        found.extend(secrets.map(|secret| format!("{place}: a secret, {}…", &secret[..SHORTEST / 2])));
        if place == "the database" {
            continue;
        }
        let written = |cpf: &&String| contains(text, cpf) || contains(text, &formatted(cpf));
        found
            .extend(told.people.iter().filter(written).map(|cpf| format!("{place}: the CPF {}…", &cpf[..3])));
        let documents = DOCUMENTS.iter().filter(|begin| contains(text, begin));
        found.extend(documents.map(|begin| format!("{place}: a document, {begin}")));
    }
    found
}

fn told(traces: &Traces<'_>) -> Told {
    let mut all = Told::default();
    let told = TOLD.lock().unwrap();
    for told in traces.urls.iter().filter_map(|url| told.get(url)) {
        all.secrets.extend(told.secrets.iter().cloned());
        all.people.extend(told.people.iter().cloned());
    }
    for entry in fs::read_dir(traces.data.join("secrets")).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        all.secrets.extend(text.lines().take(1).filter(|line| line.len() >= SHORTEST / 2).map(str::to_owned));
    }
    // Events name the token by its label.
    if let Ok(label) = fs::read_to_string(traces.data.join("secrets/token-label")) {
        all.secrets.remove(label.trim());
    }
    all
}

fn contains(text: &[u8], wanted: &str) -> bool {
    memchr::memmem::find(text, wanted.as_bytes()).is_some()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// All bytes of the database, and the rows of its events.
fn sqlite_texts(file: &Path) -> (Vec<u8>, Vec<u8>) {
    let Ok(mut all) = fs::read(file) else { return Default::default() };
    all.extend(fs::read(file.with_extension("sqlite-wal")).unwrap_or_default());
    let mut events = Vec::new();
    // A crash leaves what was committed in the log of the database: it is read with it.
    let connection = rusqlite::Connection::open(file).unwrap();
    for table in EVENTS {
        let Ok(mut statement) = connection.prepare(&format!("SELECT * FROM {table}")) else { continue };
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Ok(Some(row)) = rows.next() {
            for column in 0..columns {
                if let Ok(Some(bytes)) = row.get_ref(column).unwrap().as_bytes_or_null() {
                    events.extend_from_slice(bytes);
                    events.push(b'\n');
                }
            }
        }
    }
    (all, events)
}

/// A dump of the database, and the part of it that is about events. A server that has gone leaves nothing to look at.
fn postgres_texts(address: &str) -> (Vec<u8>, Vec<u8>) {
    let Some(all) = postgres::dump(address, &[]) else { return Default::default() };
    (all, postgres::dump(address, &EVENTS).unwrap_or_default())
}
