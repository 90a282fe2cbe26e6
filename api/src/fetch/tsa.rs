//! The time-stamping authority: RFC 3161 over HTTP, with the credentials that it asks for.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64ct::{Base64, Encoding};
use rubrica_core::ErrorCode;
use rubrica_core::digest::Digest;
use rubrica_core::tsp::{PolicyId, Request, TimeStampToken, TspError};
use rubrica_core::x509::Certificate;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ureq::http::Uri;
use ureq::tls::{ClientCert, PrivateKey};
use zeroize::Zeroizing;

use super::client::{Call, Client, FetchError, Posted, system_roots, tls};
use super::egress::Rules;
use crate::config;
use crate::failure::Failure;
use crate::ports::Clock;
use crate::random;
use crate::secret::Secret;

/// Largest answer.
const REPLY_BYTES: u64 = 256 * 1024;
/// Certificates of one authority at the same time.
const MOST_SEEN: usize = 16;

/// A time-stamping authority.
pub(crate) struct TimeStamps {
    client: Client,
    url: String,
    /// The value of `authorization`.
    authorization: Option<Secret>,
    /// What to ask for.
    policy: Option<PolicyId>,
    /// Its certificates in the last stamps.
    seen: Mutex<Vec<Certificate>>,
}

/// There is no time stamp.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StampError {
    /// The authority cannot be reached or gives no answer.
    #[error("the time-stamping authority gave no answer: {0}")]
    Unreachable(#[from] FetchError),
    /// It refused, or its answer is not the one to the question.
    #[error(transparent)]
    Answer(#[from] TspError),
}

impl StampError {
    /// The stable code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Unreachable(_) => ErrorCode::TimeStampUnavailable,
            Self::Answer(error) => error.code(),
        }
    }
}

impl fmt::Debug for TimeStamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeStamps").field("url", &self.url).finish_non_exhaustive()
    }
}

impl TimeStamps {
    /// Reads credentials and certificates; `None` when no authority is configured.
    ///
    /// The operator named the host, so that its address may be private.
    ///
    /// # Errors
    /// `config_invalid` and `file_unreadable`.
    pub(crate) fn open(config: &config::Tsa) -> Result<Option<Self>, Failure> {
        if !config.is_configured() {
            return Ok(None);
        }
        let uri: Uri = config.url.parse().map_err(|_| invalid("tsa.url is not a URL"))?;
        let rules = Rules::default().trusting(&uri);
        rules.check(&uri).map_err(|_| invalid("tsa.url must be an http or https URL without a user name"))?;
        let tls = tls_config(config, uri.scheme_str() == Some("https"))?;
        Ok(Some(Self {
            client: Client::new(rules, tls, config.timeout()),
            url: config.url.clone(),
            authorization: authorization(config)?,
            policy: policy(&config.policy)?,
            seen: Mutex::default(),
        }))
    }

    /// A time stamp on a digest, checked: it is what was asked for, made now, and it verifies. Whether its authority is
    /// trusted is for the validation to say.
    ///
    /// # Errors
    /// `time_stamp_unavailable`, `time_stamp_invalid`.
    pub(crate) fn stamp(&self, imprint: Digest, clock: &dyn Clock) -> Result<TimeStampToken, StampError> {
        let nonce = random::bytes::<8>().to_vec();
        let request = Request::new(imprint, Some(nonce), self.policy);
        let sent = clock.now();
        let reply = self.ask(&request.to_der())?;
        let token = TimeStampToken::from_response(&reply, &request)?;
        token.check_time(sent, clock.now())?;
        self.saw(token.verify(&[])?);
        Ok(token)
    }

    /// The certificates of the authority in the stamps since the last call, each once.
    pub(crate) fn take_seen(&self) -> Vec<Certificate> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn saw(&self, certificate: Certificate) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MOST_SEEN && !seen.contains(&certificate) {
            seen.push(certificate);
        }
    }

    /// Sends a DER request and gives the DER answer.
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, FetchError> {
        self.client.call(&Call {
            url: &self.url,
            body: Some(Posted { media_type: "application/timestamp-query", bytes: request }),
            limit_bytes: REPLY_BYTES,
            authorization: self.authorization.as_ref().map(Secret::expose),
        })
    }
}

fn policy(text: &str) -> Result<Option<PolicyId>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| invalid("tsa.policy is not an object identifier"))
}

fn authorization(config: &config::Tsa) -> Result<Option<Secret>, Failure> {
    let secret = |variable: &str, file: &Path| match std::env::var(variable) {
        Ok(value) => Ok(Some(Secret::new(value))),
        Err(_) if file.as_os_str().is_empty() => Ok(None),
        Err(_) => Secret::from_file(file).map(Some),
    };
    let token = secret("RUBRICA_TSA_TOKEN", &config.token_file)?;
    let password = secret("RUBRICA_TSA_PASSWORD", &config.password_file)?;
    match (config.user.as_str(), password, token) {
        ("", None, None) => Ok(None),
        ("", None, Some(token)) => Ok(Some(Secret::new(format!("Bearer {}", token.expose())))),
        (user, Some(password), None) if !user.is_empty() => {
            let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
            Ok(Some(Secret::new(format!("Basic {}", Base64::encode_string(pair.as_bytes())))))
        }
        _ => Err(invalid(
            "the time-stamping authority takes a user with a password, or a token, not parts of both",
        )),
    }
}

fn tls_config(config: &config::Tsa, is_https: bool) -> Result<ureq::tls::TlsConfig, Failure> {
    let mut roots = Vec::new();
    for file in &config.roots {
        let pem = read(file)?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| not_pem(file, error))?;
            roots.push(ureq::tls::Certificate::from_der(&certificate).to_owned());
        }
    }
    if roots.is_empty() && is_https {
        roots = system_roots();
    }
    let tls = tls(roots);
    let named = |path: &Path| !path.as_os_str().is_empty();
    match (named(&config.client_certificate), named(&config.client_key_file)) {
        (false, false) => Ok(tls.build()),
        (true, true) if is_https => {
            let identity = client_identity(&config.client_certificate, &config.client_key_file)?;
            Ok(tls.client_cert(Some(identity)).build())
        }
        _ => Err(invalid("tsa.client_certificate and tsa.client_key_file go together, with an https URL")),
    }
}

/// Reads the client certificate and checks that it belongs to its key: the HTTP client would panic.
fn client_identity(certificate_file: &Path, key_file: &Path) -> Result<ClientCert, Failure> {
    let pem = read(certificate_file)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| certificate.map(CertificateDer::into_owned))
        .collect::<Result<_, _>>()
        .map_err(|error| not_pem(certificate_file, error))?;
    let key_pem = Zeroizing::new(read(key_file)?);
    let key = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|error| not_pem(key_file, error))?;
    let certificates: Vec<_> =
        chain.iter().map(|certificate| ureq::tls::Certificate::from_der(certificate).to_owned()).collect();
    rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_root_certificates(rustls::RootCertStore::empty()).with_client_auth_cert(chain, key)
        })
        .map_err(|error| {
            invalid(&format!("the client certificate of the authority cannot be used: {error}"))
        })?;
    let key = PrivateKey::from_pem(&key_pem).map_err(|error| not_pem(key_file, error))?;
    Ok(ClientCert::new_with_certs(&certificates, key))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| {
        Failure::of(ErrorCode::FileUnreadable, format!("cannot read {}: {error}", file.display()))
    })
}

fn not_pem(file: &Path, error: impl fmt::Display) -> Failure {
    invalid(&format!("{} is not the PEM file that is needed: {error}", file.display()))
}

fn invalid(what: &str) -> Failure {
    Failure::of(ErrorCode::ConfigInvalid, what)
}
