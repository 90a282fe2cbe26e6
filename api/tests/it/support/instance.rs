//! Running instances. One demo folder is made per test run; each instance gets a copy of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

use super::client::Client;
use super::command::{Ran, command, rubrica};
use super::search::{self, Traces};

/// Longest time a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Longest time to wait for the last lines of a log.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How an instance differs from the template.
#[derive(Debug, Default)]
pub(crate) struct Options<'a> {
    pub(crate) variables: &'a [(&'a str, &'a str)],
}

/// A server with a data folder of its own; it ends with the value.
#[derive(Debug)]
pub(crate) struct Instance {
    folder: TempDir,
    process: Option<Child>,
    url: String,
    /// Every address it had.
    urls: Vec<String>,
    log: Arc<Mutex<String>>,
    /// Connection string of its database, once it ran on PostgreSQL.
    postgres: Option<String>,
    /// Not searched for secrets at its end.
    unsearched: bool,
    /// Reads its log.
    reader: Option<JoinHandle<()>>,
}

impl Instance {
    /// Starts `rubrica serve` on a copy of the template.
    pub(crate) fn start() -> Self {
        Self::start_with(&Options::default())
    }

    pub(crate) fn start_with(options: &Options<'_>) -> Self {
        Self::start_in(memory_folder(), options)
    }

    fn in_folder(folder: TempDir) -> Self {
        Self {
            folder,
            process: None,
            url: String::new(),
            urls: Vec::new(),
            log: Arc::default(),
            postgres: None,
            unsearched: false,
            reader: None,
        }
    }

    /// A copy of the template that no server uses yet.
    pub(crate) fn prepare() -> Self {
        let folder = memory_folder();
        copy(template(), &folder.path().join("data"));
        Self::in_folder(folder)
    }

    /// Starts on a copy of the template whose database was moved to PostgreSQL by `rubrica migrate`.
    pub(crate) fn start_moved_to(address: &str, options: &Options<'_>) -> Self {
        let mut instance = Self::prepare();
        let moved = instance.migrate(address);
        assert_eq!(moved.code, 0, "{moved:?}");
        instance.run(options);
        instance
    }

    /// Moves the database of an instance that does not run to PostgreSQL.
    pub(crate) fn migrate(&self, address: &str) -> Ran {
        let data = self.data();
        rubrica(&["migrate", "--json", "--data", data.to_str().unwrap()], &[("RUBRICA_STORE_URL", address)])
    }

    /// Starts in a folder that the caller has prepared.
    pub(crate) fn start_in(folder: TempDir, options: &Options<'_>) -> Self {
        copy(template(), &folder.path().join("data"));
        let mut instance = Self::in_folder(folder);
        instance.run(options);
        instance
    }

    /// Starts `rubrica serve` with more in its configuration file.
    pub(crate) fn start_with_config(more: &str) -> Self {
        let folder = memory_folder();
        copy(template(), &folder.path().join("data"));
        let mut instance = Self::in_folder(folder);
        let file = instance.data().join("rubrica.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}\n{more}")).unwrap();
        instance.run(&Options::default());
        instance
    }

    /// Starts `rubrica demo`, whose authorities publish lists and stamp times, on a copy of the template. Port 0 takes a
    /// free one.
    pub(crate) fn start_demo(port: u16) -> Self {
        let folder = memory_folder();
        copy(template(), &folder.path().join("data"));
        let mut instance = Self::in_folder(folder);
        instance.run_demo(port);
        instance
    }

    /// As [`Self::start_demo`], with cloud services: the stand-ins of this repository.
    pub(crate) fn start_demo_with_cloud() -> Self {
        let folder = memory_folder();
        copy(template(), &folder.path().join("data"));
        let mut instance = Self::in_folder(folder);
        instance.run_demo_with(0, concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cloud-stand-ins"));
        instance
    }

    /// Starts the demo again on the same data.
    pub(crate) fn run_demo(&mut self, port: u16) {
        self.run_demo_with(port, "/nonexistent");
    }

    fn run_demo_with(&mut self, port: u16, stand_ins: &str) {
        let mut child = command()
            .args(["demo", "--json", "--site", "/nonexistent", "--stand-ins", stand_ins])
            .args(["--port", &port.to_string(), "--data"])
            .arg(self.data())
            .env("RUBRICA_LOG_FORMAT", "json")
            .env("RUBRICA_LOG_LEVEL", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        self.follow(child.stderr.take().unwrap(), None);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}{}", self.log()));
        self.url = told["url"].as_str().unwrap().to_owned();
        self.urls.push(self.url.clone());
        self.process = Some(child);
    }

    /// Starts the server again on the same data.
    pub(crate) fn run(&mut self, options: &Options<'_>) {
        self.run_as(&[], options);
    }

    /// As [`Self::run`], with options of the command.
    pub(crate) fn run_as(&mut self, arguments: &[&str], options: &Options<'_>) {
        let mut child = command()
            .arg("serve")
            .args(arguments)
            .arg("--config")
            .arg(self.data().join("rubrica.toml"))
            .env("RUBRICA_SERVER_LISTEN", "127.0.0.1:0")
            .env("RUBRICA_LOG_FORMAT", "json")
            .env("RUBRICA_LOG_LEVEL", "debug")
            .envs(options.variables.iter().copied())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (started, address) = mpsc::channel();
        self.follow(child.stderr.take().unwrap(), Some(started));
        let address = address.recv_timeout(START).unwrap_or_else(|_| panic!("no start: {}", self.log()));
        self.url = format!("http://{address}");
        self.urls.push(self.url.clone());
        let store = options.variables.iter().find(|(name, _)| *name == "RUBRICA_STORE_URL");
        self.postgres = store.map(|(_, address)| (*address).to_owned()).or(self.postgres.take());
        self.process = Some(child);
    }

    /// Ends the server at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Process id of the server.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Process ids of its token agents.
    pub(crate) fn agents(&self) -> Vec<u32> {
        let is_agent = |pid: &u32| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(b"\0token-agent\0"))
        };
        self.children().into_iter().filter(is_agent).collect()
    }

    /// Process ids of everything it started.
    fn children(&self) -> Vec<u32> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).into_iter().flatten().flatten();
        threads
            .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
            .flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
            .collect()
    }

    /// Asks the server to stop and gives its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let mut process = self.process.take().unwrap();
        let status = std::process::Command::new("kill").arg(process.id().to_string()).status().unwrap();
        assert!(status.success());
        process.wait().unwrap().code()
    }

    /// The server's process.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Everything that was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Everything that was logged, once it holds this.
    #[track_caller]
    pub(crate) fn log_with(&self, text: &str) -> String {
        let begun = std::time::Instant::now();
        loop {
            let log = self.log();
            if log.contains(text) {
                return log;
            }
            assert!(begun.elapsed() < START, "`{text}` was not logged: {log}");
            std::thread::yield_now();
        }
    }

    /// A client without credential.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// The backend of the demo's bank.
    pub(crate) fn backend(&self) -> Client {
        let key = fs::read_to_string(self.data().join("secrets/portal-api-key")).unwrap();
        Client::new(&self.url, Some(key.trim()))
    }

    /// Whoever has this token.
    pub(crate) fn caller(&self, token: Option<&str>) -> Client {
        Client::new(&self.url, token)
    }

    /// A session of this person.
    pub(crate) fn session(&self, (identifier, name): (&str, &str)) -> Client {
        let answer = self.backend().post(
            "/v1/sessions",
            &serde_json::json!({
                "signer": { "identifier": identifier, "name": name },
                "origins": [super::ORIGIN],
            }),
        );
        assert_eq!(answer.status, 201, "{answer:?}");
        Client::new(&self.url, Some(answer.json()["token"].as_str().unwrap()))
    }

    /// The database, for looking and for setting a scene.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.data().join("rubrica.sqlite")).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }
}

impl Instance {
    /// Where its secrets, people and documents were found though they must not be there.
    pub(crate) fn findings(&self) -> Vec<String> {
        self.findings_with(&self.command_lines())
    }

    fn findings_with(&self, command_lines: &[u8]) -> Vec<String> {
        search::findings(&Traces {
            urls: &self.urls,
            data: &self.data(),
            log: &self.log(),
            command_lines,
            postgres: self.postgres.as_deref(),
        })
    }

    /// Says by which connection string its database is looked at, where the server's own needs more than `psql` has.
    pub(crate) fn search_database_at(&mut self, address: String) {
        self.postgres = Some(address);
    }

    /// Says that this test put secrets where they must not be.
    pub(crate) const fn leaks_on_purpose(&mut self) {
        self.unsearched = true;
    }

    /// Command lines of the server and its children.
    fn command_lines(&self) -> Vec<u8> {
        let Some(process) = &self.process else { return Vec::new() };
        std::iter::once(process.id())
            .chain(self.children())
            .filter_map(|pid| fs::read(format!("/proc/{pid}/cmdline")).ok())
            .flatten()
            .collect()
    }

    /// Follows what a process logs, until it and its children have ended.
    fn follow(&mut self, stderr: ChildStderr, started: Option<mpsc::Sender<String>>) {
        let log = Arc::clone(&self.log);
        self.reader = Some(std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(started) = &started
                    && let Ok(entry) = serde_json::from_str::<serde_json::Value>(&line)
                    && let Some(address) = entry["server.address"].as_str()
                {
                    let _ = started.send(address.to_owned());
                }
                log.lock().unwrap().push_str(&format!("{line}\n"));
            }
        }));
    }

    /// Waits until the last line of an ended process was read; what it leaves frozen may hold the pipe for ever.
    fn finish_log(&self) {
        let begun = std::time::Instant::now();
        while self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) && begun.elapsed() < LAST_LINES
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// No secret was written anywhere: every test is a test of that.
impl Drop for Instance {
    fn drop(&mut self) {
        let command_lines = self.command_lines();
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if self.unsearched || std::thread::panicking() {
            return;
        }
        self.finish_log();
        let found = self.findings_with(&command_lines);
        assert!(found.is_empty(), "secrets were found: {found:#?}");
    }
}

/// A demo folder that no server uses: read it, copy it.
pub(crate) fn template() -> &'static Path {
    static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
    TEMPLATE
        .get_or_init(|| {
            let folder = memory_folder();
            let data = folder.path().join("data");
            let mut child = command()
                .args(["demo", "--json", "--port", "0", "--data"])
                .arg(&data)
                .args(["--site", "/nonexistent"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(
                line.contains("proof"),
                "the demo did not start; SoftHSM comes with `apt-get install softhsm2`: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            begin_log_anew(&data.join("rubrica.sqlite"));
            folder
        })
        .path()
}

/// Forgets the events of the sample that the demo signs at its first start: tests count from one.
fn begin_log_anew(database: &Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection
        .execute_batch(
            "DELETE FROM outbox; DELETE FROM event; DELETE FROM checkpoint; DELETE FROM log_tile;
             UPDATE log SET events = 0, leaves = 0, peaks = NULL; UPDATE signature SET release_position = NULL",
        )
        .unwrap();
}

/// A folder in memory where there is one: SoftHSM writes a file for every attribute.
pub(crate) fn memory_folder() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { TempDir::new_in(shm).unwrap() } else { TempDir::new().unwrap() }
}

/// Copies a demo folder; the files that hold its old place are corrected.
fn copy(template: &Path, target: &Path) {
    let old = template.join("data");
    copy_tree(&old, target);
    for file in ["rubrica.toml", "softhsm/softhsm2.conf"] {
        let text = fs::read_to_string(target.join(file)).unwrap();
        let old = fs::canonicalize(&old).unwrap();
        fs::write(target.join(file), text.replace(old.to_str().unwrap(), target.to_str().unwrap())).unwrap();
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
