//! A real PostgreSQL server for a test run, in a folder of its own, reached by its socket and, where a test says so, by a port of
//! this machine. The unit tests of the store use this file too.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest time for the server to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running server; it ends with the value, and with the process that started it.
#[derive(Debug)]
pub(crate) struct Server {
    /// `None` once it has crashed.
    folder: Option<TempDir>,
    /// A shell that ends the server when the pipe to it is closed.
    keeper: Child,
    pipe: Option<ChildStdin>,
    /// Names the socket; a port of this machine too when the server listens there.
    port: u16,
}

/// How a server is reached beside its socket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Listen<'a> {
    /// Not at all.
    Nowhere,
    /// By 127.0.0.1, in plain text.
    Plain,
    /// By 127.0.0.1, with this certificate and key (PEM).
    Tls { certificate: &'a Path, key: &'a Path },
}

impl Server {
    /// Makes a cluster and starts it. `durable` syncs to the disk as a production server does.
    pub(crate) fn start(durable: bool) -> Self {
        Self::start_listening(durable, Listen::Nowhere)
    }

    /// As [`Self::start`], reached by the network too: there, it asks for passwords.
    pub(crate) fn start_listening(durable: bool, listen: Listen<'_>) -> Self {
        let folder = super::instance::memory_folder();
        let owner = Owner::of_this_machine();
        owner.owns(folder.path());
        let data = folder.path().join("data");
        let made = owner
            .command(&program("initdb"))
            .args(["--auth=trust", "--username=rubrica", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb runs; PostgreSQL comes with `apt-get install postgresql`");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(
            data.join("pg_hba.conf"),
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
        )
        .expect("the cluster was just made");
        if let Listen::Tls { certificate, key } = listen {
            for (file, name) in [(certificate, "server.crt"), (key, "server.key")] {
                let place = data.join(name);
                std::fs::copy(file, &place).expect("there is a certificate and its key");
                std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
                owner.owns(&place);
            }
        }
        Self::run(folder, durable, listen)
    }

    fn run(folder: TempDir, durable: bool, listen: Listen<'_>) -> Self {
        let fsync = if durable { "on" } else { "off" };
        let (port, listen) = match listen {
            Listen::Nowhere => (5432, "-c listen_addresses="),
            Listen::Plain => (free_port(), "-c listen_addresses=127.0.0.1"),
            Listen::Tls { .. } => (free_port(), "-c listen_addresses=127.0.0.1 -c ssl=on"),
        };
        let script = format!(
            "{} -D data -k \"$PWD\" -p {port} {listen} -c fsync={fsync} -c max_connections=200 >log 2>&1 & \
             server=$!; echo $server >pid; read _; kill -QUIT $server; wait $server",
            program("postgres").display()
        );
        let mut keeper = Owner::of_this_machine()
            .command(Path::new("sh"))
            .args(["-c", &script])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let pipe = keeper.stdin.take();
        let server = Self { folder: Some(folder), keeper, pipe, port };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        while !self.answers() {
            let log = std::fs::read_to_string(self.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < START, "PostgreSQL did not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        Command::new(program("pg_isready"))
            .args(["-q", "-U", "rubrica", "-d", "postgres", "-p", &self.port.to_string(), "-h"])
            .arg(self.path())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// A new, empty database; gives its connection string.
    pub(crate) fn database(&self) -> String {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(&name)
    }

    /// The connection string of a database.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("host={} port={} user=rubrica dbname={name}", self.path().display(), self.port)
    }

    /// The first process of the server's family.
    pub(crate) fn keeper(&self) -> u32 {
        self.keeper.id()
    }

    /// The port of this machine, where it listens at one.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements by `psql` and gives what it prints, columns separated by `|`.
    pub(crate) fn sql(&self, database: &str, statements: &str) -> String {
        psql(&self.address(database), statements)
    }
}

/// A server that was killed; its files are as the crash left them.
#[derive(Debug)]
pub(crate) struct Crashed(TempDir);

impl Server {
    /// Kills the server and all its processes at once, as a power failure does.
    pub(crate) fn crash(mut self) -> Crashed {
        // Every process of the server is a child of the first one, which starts no more of them once it is stopped.
        let pid = self.pid();
        let signal = |name: &str, pids: &[&str]| {
            Command::new("kill")
                .arg(name)
                .args(pids)
                .stderr(Stdio::null())
                .status()
                .expect("kill runs")
                .success()
        };
        assert!(signal("-STOP", &[&pid]), "the server runs");
        let children = Command::new("pgrep").args(["-P", &pid]).output().expect("pgrep runs");
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        assert!(signal("-KILL", &[&pid]), "the server runs");
        let children: Vec<&str> = children.split_whitespace().collect();
        // Some of them end by themselves.
        signal("-KILL", &children);
        // A zombie has no command line any more, and no shared memory.
        let lives =
            |pid: &&str| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty());
        let begun = Instant::now();
        while children.iter().any(lives) {
            assert!(begun.elapsed() < START, "processes of the database outlive it");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.end_keeper();
        Crashed(self.folder.take().expect("a running server has its folder"))
    }

    /// Ends the server, if it runs, and takes its remains.
    fn end_keeper(&mut self) {
        drop(self.pipe.take());
        let _ = self.keeper.wait();
    }

    fn pid(&self) -> String {
        std::fs::read_to_string(self.path().join("pid")).expect("the keeper wrote it").trim().to_owned()
    }

    fn path(&self) -> &Path {
        self.folder.as_ref().expect("a running server has its folder").path()
    }
}

impl Crashed {
    /// Starts it again on the same files.
    pub(crate) fn restart(self) -> Server {
        Server::run(self.0, true, Listen::Nowhere)
    }
}

/// Runs statements by `psql` on a connection string.
pub(crate) fn psql(address: &str, statements: &str) -> String {
    let output = Command::new(program("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", statements])
        .output()
        .expect("psql runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("psql prints UTF-8").trim_end().to_owned()
}

/// The rows of a database, all or of some tables, as text; `None` when its server is gone.
pub(crate) fn dump(address: &str, tables: &[&str]) -> Option<Vec<u8>> {
    let ready = Command::new(program("pg_isready")).args(["-q", "-d", address]).status();
    if !ready.expect("pg_isready runs").success() {
        return None;
    }
    let tables = tables.iter().map(|table| format!("--table={table}"));
    let output = Command::new(program("pg_dump"))
        .args(["--data-only", "--dbname", address])
        .args(tables)
        .output()
        .expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.folder.is_none() {
            return;
        }
        self.end_keeper();
    }
}

/// The server that the tests of one process share. It syncs nothing: these tests are about SQL, not about power failures.
pub(crate) fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(false))
}

/// A port that nobody uses at this moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn of_this_machine() -> Self {
        let number = |arguments: &[&str]| {
            let output = Command::new("id").args(arguments).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if number(&["-u"]) != Some(0) {
            return Self(None);
        }
        let ids = number(&["-u", "postgres"]).zip(number(&["-g", "postgres"]));
        Self(Some(ids.expect("there is a user `postgres`; it comes with `apt-get install postgresql`")))
    }

    fn owns(&self, folder: &Path) {
        if let Some((user, group)) = self.0 {
            std::os::unix::fs::chown(folder, Some(user), Some(group)).expect("root may give a folder away");
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// A program of PostgreSQL: the newest under Debian's folder, or from the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .map(|version| version.path().join("bin").join(name))
        .filter(|program| program.exists())
        .max_by_key(|program| {
            let version = program.iter().nth(4).and_then(|version| version.to_str()?.parse::<u32>().ok());
            version.unwrap_or_default()
        });
    newest.unwrap_or_else(|| PathBuf::from(name))
}
