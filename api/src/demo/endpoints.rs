//! `/demo/*`: the backend of the demo's bank. A real bank's backend would call the API from its own server.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use der::{Decode, DecodePem, Encode, EncodePem};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{CreateSession, SessionSigner};
use rubrica_core::x509::PublicKey;
use serde::{Deserialize, Serialize};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::request::CertReq;

use super::authorities::StoredAuthority;
use super::create::SimulatorIdentity;
use super::files::PORTAL;
use super::people::{Description, Profile, everybody, find};
use super::{DemoFiles, pki};
use crate::app::App;
use crate::failure::Failure;
use crate::http::idempotency::Kept;
use crate::http::json::Json;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::sessions;

/// Host names of this machine: the demo answers to no other, so that no foreign page can reach it by a DNS trick.
const LOCAL_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// A person as the portal shows them.
#[derive(Debug, Serialize)]
struct PersonView {
    id: &'static str,
    name: &'static str,
    profile: Profile,
    custody_hint: &'static str,
    description: Description,
}

/// `POST /demo/sessions`: who logs in to the portal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    person_id: String,
}

/// `POST /demo/certificates`: the demo's authority issues from a request. It believes whoever asks, as no real one may.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueCertificate {
    person_id: String,
    /// PKCS#10 in PEM.
    csr: String,
}

/// What was issued.
#[derive(Debug, Serialize)]
struct IssuedCertificate {
    /// PEM.
    certificate: String,
}

/// Routes of the demo, for a server on `address`.
#[expect(clippy::disallowed_methods, reason = "the demo's own backend is no part of the contract")]
pub(crate) fn routes(files: &DemoFiles, address: SocketAddr) -> Result<Router<Arc<App>>, Failure> {
    let read = |path: std::path::PathBuf| {
        std::fs::read(&path).map_err(|error| {
            Failure::of(ErrorCode::DataFolderUnknown, format!("{}: {error}", path.display()))
        })
    };
    let trust: Arc<[u8]> = read(files.root_pem())?.into();
    let identities: Vec<SimulatorIdentity> = serde_json::from_slice(&read(files.simulator())?)
        .map_err(|_| Failure::of(ErrorCode::DataFolderUnknown, "pki/simulator.json is damaged"))?;
    let identities = Arc::new(identities);
    // A folder of an older demo has kept no keys of its authorities: then none issues.
    let authorities = if files.authorities().exists() { read(files.authorities())? } else { b"[]".to_vec() };
    let authorities: Arc<Vec<StoredAuthority>> = serde_json::from_slice(&authorities)
        .map(Arc::new)
        .map_err(|_| Failure::of(ErrorCode::DataFolderUnknown, "pki/authorities.json is damaged"))?;
    let origins: Arc<[String]> =
        LOCAL_NAMES.iter().map(|name| format!("http://{name}:{}", address.port())).collect();
    let hosts: Arc<[String]> = LOCAL_NAMES.iter().map(|name| format!("{name}:{}", address.port())).collect();

    Ok(Router::new()
        .route("/demo/people", get(list_people))
        .route(
            "/demo/sessions",
            post(move |app: axum::extract::State<Arc<App>>, body: Json<LogIn>| {
                create_session(app, body, origins)
            }),
        )
        .route(
            "/demo/certificates",
            post(async move |app: axum::extract::State<Arc<App>>, body: Json<IssueCertificate>| {
                issue_certificate(&app, &body.0, &authorities)
            }),
        )
        .route("/demo/simulator/identities", get(async move || Json(identities.to_vec())))
        .route("/demo/trust.pem", get(async move || pem(&trust)))
        .layer(from_fn(move |request: Request, next: Next| only_local(request, next, Arc::clone(&hosts)))))
}

async fn list_people() -> Json<Vec<PersonView>> {
    let view = |person: &super::people::Person| PersonView {
        id: person.id,
        name: person.name,
        profile: person.profile,
        custody_hint: person.keeps.as_str(),
        description: person.description,
    };
    Json(everybody().map(view).collect())
}

async fn create_session(
    axum::extract::State(app): axum::extract::State<Arc<App>>,
    Json(log_in): Json<LogIn>,
    origins: Arc<[String]>,
) -> ApiResult<Response> {
    let person = find(&log_in.person_id)
        .ok_or_else(|| ApiError::member("/person_id", "see GET /demo/people for the people"))?;
    let request = CreateSession {
        signer: SessionSigner { identifier: person.identifier.to_owned(), name: person.name.to_owned() },
        origins: origins.to_vec(),
        expires_in_seconds: None,
        order_id: None,
        participant_id: None,
    };
    let session = sessions::open(&app, PORTAL, request, Kept::none()).await?;
    Ok((StatusCode::CREATED, Json(session)).into_response())
}

fn issue_certificate(
    app: &App,
    request: &IssueCertificate,
    authorities: &[StoredAuthority],
) -> ApiResult<Response> {
    let person = find(&request.person_id)
        .ok_or_else(|| ApiError::member("/person_id", "see GET /demo/people for the people"))?;
    let spki = read_request(&request.csr)
        .ok_or_else(|| ApiError::member("/csr", "a PKCS#10 request in PEM, signed by its key"))?;
    let issuer = authorities.iter().find(|authority| authority.name == pki::HOLDERS);
    let der = issuer.and_then(|issuer| pki::issue_by(issuer, person, spki, app.clock.now()));
    let der = der.ok_or_else(|| ApiError::internal("the demo's authority cannot issue"))?;
    let certificate = x509_cert::Certificate::from_der(&der)
        .ok()
        .and_then(|certificate| certificate.to_pem(der::pem::LineEnding::LF).ok())
        .ok_or_else(|| ApiError::internal("a certificate of the demo cannot be written"))?;
    Ok((StatusCode::CREATED, Json(IssuedCertificate { certificate })).into_response())
}

/// The key of a request that proves its possession.
fn read_request(pem: &str) -> Option<SubjectPublicKeyInfoOwned> {
    let request = CertReq::from_pem(pem).ok()?;
    let spki = request.info.public_key.to_der().ok()?;
    let key = PublicKey::from_spki_der(&spki).ok()?;
    let signed = request.info.to_der().ok()?;
    key.verify_message(key.signature_algorithm(), &signed, request.signature.raw_bytes()).ok()?;
    Some(request.info.public_key)
}

fn pem(trust: &[u8]) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/x-pem-file"))], trust.to_vec()).into_response()
}

async fn only_local(request: Request, next: Next, hosts: Arc<[String]>) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if hosts.iter().any(|known| known == host) {
        return next.run(request).await;
    }
    ApiError::new(ErrorCode::Forbidden, "open the demo under localhost").into_response()
}
