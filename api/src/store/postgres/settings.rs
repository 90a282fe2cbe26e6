//! Where the server is, and how connections to it are protected.
//!
//! One rule for every host: over a network, TLS with a certificate for the name that was called, unless the operator says
//! `disable` in so many words. A Unix socket does not leave the machine and has no TLS. With SCRAM the password is bound to the
//! certificate (RFC 5929, `tls-server-end-point`), where the server offers that.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use rubrica_core::ErrorCode;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::Failure;
use crate::secret::Secret;

/// What protects connections over a network. The words are libpq's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DatabaseTls {
    /// TLS; the certificate leads to a trusted root and is for the name of the host.
    VerifyFull,
    /// Nothing: for a tunnel that encrypts.
    Disable,
}

/// A server, and how many connections are kept to it.
#[derive(Clone)]
pub(crate) struct PostgresSettings {
    pub(super) address: tokio_postgres::Config,
    pub(super) tls: MakeRustlsConnect,
    /// Connections that write, and as many that read.
    pub(super) connections: usize,
    /// Longest time to connect, and for a statement.
    pub(super) timeout: Duration,
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address prints its password as `_`.
        f.debug_struct("PostgresSettings").field("address", &self.address).finish_non_exhaustive()
    }
}

impl PostgresSettings {
    /// Reads a connection string of libpq (`host=… user=… dbname=…`, or an URL), and the roots that the server's certificate
    /// may lead to: PEM files, or those of the operating system when there are none.
    ///
    /// # Errors
    /// `config_invalid` for an address that cannot be used or has a password, and for a file that is not PEM;
    /// `file_unreadable`.
    pub(crate) fn new(
        url: &str,
        password: Option<&Secret>,
        tls: DatabaseTls,
        roots: &[PathBuf],
        connections: usize,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let mut address: tokio_postgres::Config = url.parse().map_err(not_an_address)?;
        if address.get_password().is_some() {
            return Err(invalid(
                "store.url has a password: give it in RUBRICA_STORE_PASSWORD or store.password_file",
            ));
        }
        if address.get_ssl_mode() != SslMode::Prefer {
            return Err(invalid("store.url has an sslmode: set store.tls"));
        }
        if let Some(password) = password {
            address.password(password.expose());
        }
        address.application_name("rubrica").connect_timeout(timeout);
        let is_local = !address.get_hosts().is_empty() && address.get_hosts().iter().all(is_socket);
        let is_plain = is_local || tls == DatabaseTls::Disable;
        address.ssl_mode(if is_plain { SslMode::Disable } else { SslMode::Require });
        if tls == DatabaseTls::Disable && !address.get_hosts().iter().all(is_this_machine) {
            tracing::warn!(
                "store.tls is `disable`: documents and passwords travel to the database in plain text"
            );
        }
        let roots = if is_plain { RootCertStore::empty() } else { read_roots(roots)? };
        Ok(Self { address, tls: connector(roots), connections, timeout })
    }
}

fn is_socket(host: &Host) -> bool {
    matches!(host, Host::Unix(_))
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    }
}

fn connector(roots: RootCertStore) -> MakeRustlsConnect {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let tls = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("the provider has the suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(tls)
}

fn read_roots(files: &[PathBuf]) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    if files.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    }
    for file in files {
        let pem = std::fs::read(file).map_err(|error| {
            Failure::of(ErrorCode::FileUnreadable, format!("cannot read {}: {error}", file.display()))
        })?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let unusable = |error: String| {
                invalid(format!("{} is not a PEM file of certificates: {error}", file.display()))
            };
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(invalid(format!("{} holds no certificate", file.display())));
        }
    }
    Ok(roots)
}

/// The parser names the key that is wrong, not its value, which may be a secret.
fn not_an_address(error: tokio_postgres::Error) -> Failure {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    invalid(format!("store.url is not a connection string{cause}"))
}

fn invalid(what: impl Into<String>) -> Failure {
    Failure::of(ErrorCode::ConfigInvalid, what)
}
