//! TLS to PostgreSQL, against a real server: the right authority and the right name, or no connection at all.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::postgres::{Listen, Server};
use crate::support::{Instance, Options, Ran, memory_folder, rubrica, template};

const PASSWORD: &str = "senha-TEST-1";

/// An authority, and a certificate of it for `localhost`.
struct Authority(TempDir);

impl Authority {
    fn new() -> Self {
        let authority = Self(memory_folder());
        let config = "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = TEST database\n\
                      [ca]\nbasicConstraints = critical, CA:TRUE\n\
                      [server]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = DNS:localhost\n";
        std::fs::write(authority.path("openssl.cnf"), config).unwrap();
        authority.make("ca", &[]);
        authority.make("server", &["-CA", "ca.pem", "-CAkey", "ca.key"]);
        authority
    }

    fn make(&self, name: &str, issuer: &[&str]) {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-config", "openssl.cnf", "-extensions", name, "-days", "2", "-nodes"])
            .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-keyout", &key, "-out", &certificate])
            .args(issuer)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn roots(&self) -> String {
        self.path("ca.pem").to_str().unwrap().to_owned()
    }

    /// A server with the certificate, which asks for a password.
    fn server(&self) -> Server {
        let server = Server::start_listening(
            false,
            Listen::Tls { certificate: &self.path("server.pem"), key: &self.path("server.key") },
        );
        set_password(&server);
        server
    }
}

fn set_password(server: &Server) {
    server.sql("postgres", &format!("ALTER USER rubrica PASSWORD '{PASSWORD}'"));
}

/// The connection string by the network.
fn address(server: &Server, host: &str) -> String {
    // Without channel binding there would be no connection: that it is used is part of these tests.
    format!("host={host} port={} user=rubrica dbname=postgres channel_binding=require", server.port())
}

/// Runs a command that uses the database.
fn list(data: &Path, variables: &[(&str, &str)]) -> Ran {
    let variables = [&[("RUBRICA_STORE_PASSWORD", PASSWORD)], variables].concat();
    let data = data.to_str().unwrap();
    rubrica(&["api-keys", "list", "--data", data, "--tenant", "banco-test"], &variables)
}

fn data() -> PathBuf {
    template().join("data")
}

#[test]
fn an_instance_works_with_a_server_that_proves_its_name() {
    let authority = Authority::new();
    let server = authority.server();
    let (address, roots) = (address(&server, "localhost"), authority.roots());
    let variables = [
        ("RUBRICA_STORE_URL", address.as_str()),
        ("RUBRICA_STORE_PASSWORD", PASSWORD),
        ("RUBRICA_STORE_ROOTS", &roots),
    ];
    let mut instance = Instance::start_with(&Options { variables: &variables });
    instance.search_database_at(server.address("postgres"));
    let session = instance.session(crate::support::ANA);
    session.upload(b"%PDF-1.7 TEST");
    let versions =
        "SELECT count(DISTINCT pid), min(version) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                    WHERE application_name = 'rubrica' AND ssl";
    let seen = server.sql("postgres", versions);
    assert!(seen.ends_with("|TLSv1.3") && !seen.starts_with("0|"), "{seen}");
    assert!(!instance.log().contains(PASSWORD));
}

#[test]
fn another_authority_another_name_and_a_server_without_tls_are_refused_before_anything_is_sent() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = authority.server();
    let (right, by_number) = (address(&server, "localhost"), address(&server, "127.0.0.1"));
    let plain = Server::start_listening(false, Listen::Plain);
    set_password(&plain);
    let without = address(&plain, "localhost");
    for (address, roots, cause) in [
        (&right, other.roots(), "invalid peer certificate"),
        (&by_number, authority.roots(), "not valid for name"),
        (&without, authority.roots(), "server does not support TLS"),
    ] {
        let ran = list(&data(), &[("RUBRICA_STORE_URL", address), ("RUBRICA_STORE_ROOTS", &roots)]);
        ran.assert_error(3, "database_unavailable");
        assert!(ran.stderr.contains("cannot be protected") && ran.stderr.contains(cause), "{ran:?}");
        assert!(ran.stderr.contains("store.roots"), "{ran:?}");
    }
    // The roots of the operating system do not have an authority of a test.
    list(&data(), &[("RUBRICA_STORE_URL", &right)]).assert_error(3, "database_unavailable");
    list(&data(), &[("RUBRICA_STORE_URL", &right), ("RUBRICA_STORE_ROOTS", "/nonexistent/TEST.pem")])
        .assert_error(3, "file_unreadable");
}

#[test]
fn plain_text_over_a_network_is_the_operators_own_word() {
    let server = Server::start_listening(false, Listen::Plain);
    set_password(&server);
    let address = format!("host=localhost port={} user=rubrica dbname=postgres", server.port());
    list(&data(), &[("RUBRICA_STORE_URL", &address)]).assert_error(3, "database_unavailable");
    let ran = list(&data(), &[("RUBRICA_STORE_URL", &address), ("RUBRICA_STORE_TLS", "disable")]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn an_address_says_neither_password_nor_sslmode() {
    for (address, expected) in [
        ("host=localhost user=rubrica password=senha-TEST-1", "RUBRICA_STORE_PASSWORD"),
        ("postgresql://rubrica:senha-TEST-1@localhost/rubrica", "RUBRICA_STORE_PASSWORD"),
        ("host=localhost user=rubrica sslmode=disable", "store.tls"),
        ("host=localhost user=rubrica sslmode=require", "store.tls"),
        ("host=localhost user=rubrica sslmode=verify-full", "sslmode"),
        ("host=localhost colour=red", "colour"),
    ] {
        let ran = rubrica(&["config", "check"], &[("RUBRICA_STORE_URL", address)]);
        ran.assert_error(3, "config_invalid");
        assert!(ran.stderr.contains(expected), "{ran:?}");
        assert!(!ran.stderr.contains("senha"), "{ran:?}");
    }
    rubrica(&["config", "check"], &[("RUBRICA_STORE_TLS", "require")]).assert_error(3, "config_invalid");
}
