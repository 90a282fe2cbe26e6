//! TLS servers: their certificates are looked at a few times a day, as any client would see them.
//!
//! Nothing is sent to them and nothing they say is trusted: the handshake ends when the certificate has come, whoever issued it.

use std::net::TcpStream;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rubrica_core::wire::WatchedKind;
use rubrica_core::x509::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use tokio::sync::watch::Receiver;
use ureq::http::Uri;

use crate::app::App;
use crate::config::{Config, SmtpTls, host_and_port};
use crate::store;
use crate::store::validity::SeenCertificate;

const EVERY: Duration = Duration::from_hours(6);
/// Longest time for a connection, and for each answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Looks at all endpoints, until `stopped` changes.
pub(super) async fn run(app: Arc<App>, mut stopped: Receiver<bool>) {
    let endpoints = endpoints(&app.config);
    loop {
        look_at_all(&app, &endpoints).await;
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// The servers of the configuration that speak TLS, each once.
fn endpoints(config: &Config) -> Vec<String> {
    let mut endpoints = config.watch.endpoints.clone();
    let urls = [&config.tsa.url, &config.oidc.issuer, &config.objects.endpoint];
    let services = config.lacuna.services.iter().map(|service| &service.url);
    endpoints.extend(urls.into_iter().chain(services).filter_map(|url| endpoint_of(url)));
    if config.smtp.is_configured() && config.smtp.tls == SmtpTls::Implicit {
        endpoints.push(format!("{}:{}", config.smtp.host, config.smtp.port));
    }
    endpoints.sort();
    endpoints.dedup();
    endpoints
}

fn endpoint_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https"))?;
    Some(format!("{host}:{}", uri.port_u16().unwrap_or(443)))
}

async fn look_at_all(app: &Arc<App>, endpoints: &[String]) {
    let mut seen = Vec::new();
    for endpoint in endpoints {
        let of = endpoint.clone();
        match tokio::task::spawn_blocking(move || look(&of)).await {
            Ok(Ok(certificate)) => seen.push(SeenCertificate {
                kind: WatchedKind::Tls,
                tenant: None,
                subject: endpoint.clone(),
                custody: None,
                certificate: certificate.der().to_vec(),
                not_after: certificate.not_after(),
            }),
            Ok(Err(error)) => {
                tracing::warn!(endpoint, error, "the TLS certificate of an endpoint was not seen");
            }
            Err(error) => tracing::error!(%error, "looking at an endpoint ended badly"),
        }
    }
    let (now, kept) = (app.clock.now(), endpoints.to_vec());
    let write = move |connection: &store::Connection| {
        store::validity::keep_endpoints(connection, &kept)?;
        seen.iter().try_for_each(|seen| store::validity::saw(connection, seen, now))
    };
    if let Err(error) = app.store.write(write).await {
        tracing::warn!(%error, "the TLS certificates of endpoints were not kept");
    }
}

/// The certificate that a server shows. Blocks.
fn look(endpoint: &str) -> Result<Certificate, String> {
    let (host, port) = host_and_port(endpoint).ok_or("not `host:port`")?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let onlooker = Arc::new(Onlooker::default());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&onlooker) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let address = addresses.next().ok_or("the host has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(|error| error.to_string())?;
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(TIMEOUT)).map_err(|error| error.to_string())?;
    }
    let ended = connection.complete_io(&mut stream);
    match onlooker.take() {
        Some(der) => Certificate::from_der(&der).map_err(|error| error.to_string()),
        None => Err(ended.err().map_or_else(|| "no certificate came".to_owned(), |error| error.to_string())),
    }
}

/// Looks at the certificate of a server and accepts none: no connection is ever made by it.
#[derive(Debug, Default)]
struct Onlooker(Mutex<Option<Vec<u8>>>);

impl Onlooker {
    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms: WebPkiSupportedAlgorithms =
            rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_that_speak_tls_are_looked_at() {
        assert_eq!(endpoint_of("https://tsa.test.invalid/stamp").as_deref(), Some("tsa.test.invalid:443"));
        assert_eq!(endpoint_of("https://[::1]:8443/").as_deref(), Some("[::1]:8443"));
        for url in ["http://tsa.test.invalid/", "", "/x"] {
            assert_eq!(endpoint_of(url), None, "{url}");
        }
    }
}
