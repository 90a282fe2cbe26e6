//! `/v1/enrolments`: begin, look, certify, take back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64ct::{Base64, Encoding};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{
    CertifyEnrolment, CreateEnrolment, Enrolment, EnrolmentAlgorithm, EnrolmentList, EnrolmentMethod,
};
use rubrica_core::x509::Certificate;

use super::auth::{SessionCaller, SessionOr};
use super::consents::{self, signer};
use super::detached::to_the_end;
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::{Hashed, Json};
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::enrolment::{self, EnrolmentError, Holder, Opened, view};
use crate::ids::{EnrolmentId, KeyId};
use crate::lookup::SignerHash;
use crate::permission::needs;
use crate::ports::KeyAlgorithm;
use crate::secret::{Secret, SecretBytes};
use crate::store;
use crate::store::enrolments::EnrolmentRow;

/// Begins to bring a key of the session's person into the token, under their consent.
///
/// With `generate` the token makes the key, and the answer has the request for its certificate. The key signs nothing before the
/// certificate has come to `…/certificate`. With `import` key and certificate come in a PKCS#12 file, and the enrolment is complete
/// with this answer; file and password are kept nowhere. Another key that the person has stays as it is: it is retired by an act of
/// its own.
#[utoipa::path(
    post,
    path = "/v1/enrolments",
    tag = "enrolments",
    security(("session" = [])),
    request_body(content = CreateEnrolment, example = json!({
        "method": "generate",
        "consent_id": "cns_00112233445566778899aabbccddeeff",
        "algorithm": "rsa",
    })),
    extensions(
        ("x-idempotent" = json!(true)),
        ("x-error-codes" = json!([
            ErrorCode::ConsentRequired, ErrorCode::NotFound, ErrorCode::AccreditationRequired, ErrorCode::P12Malformed,
            ErrorCode::WrongPassword, ErrorCode::P12WeakCipher, ErrorCode::P12SeveralKeys, ErrorCode::KeyUnsupported,
            ErrorCode::CertificateKeyMismatch, ErrorCode::CertificateMalformed, ErrorCode::CertificateExpired,
            ErrorCode::CertificateNotYetValid, ErrorCode::CertificateWrongUsage, ErrorCode::CertificateUntrusted,
            ErrorCode::CertificateWrongPerson, ErrorCode::SignatureValueInvalid, ErrorCode::TokenUnavailable, ErrorCode::TokenAgentFailed,
        ])),
    ),
    responses((status = 201, description = "The enrolment", body = Enrolment, headers(
        ("location" = String, description = "Path of the enrolment"),
    ))),
)]
pub(super) async fn create_enrolment(
    State(app): State<Arc<App>>,
    session: SessionCaller,
    key: IdempotencyKey,
    request: Hashed<CreateEnrolment>,
) -> ApiResult<Answer> {
    let work = async |kept| begin(&app, &session, request.value, kept).await;
    key.run(&app, session.principal(), "create_enrolment", request.sha256, work).await
}

async fn begin(
    app: &Arc<App>,
    session: &SessionCaller,
    request: CreateEnrolment,
    kept: Kept,
) -> ApiResult<Answer> {
    let consent =
        consents::find(app, &request.consent_id, &session.0.tenant, Some(session.0.signer_hash)).await?;
    if consent.withdrawn_at.is_some() {
        return Err(ApiError::new(ErrorCode::ConsentRequired, "this consent was withdrawn"));
    }
    let holder = Holder {
        tenant: session.0.tenant.clone(),
        signer_hash: session.0.signer_hash,
        name: session.0.signer_name.clone(),
        session_id: Some(session.0.id.clone()),
        consent_id: Some(consent.id),
    };
    enrolment::offered(app, &holder, session.0.signer_is_company(), request.method)?;
    let app = Arc::clone(app);
    if let Some(given) = pkcs12_of(&request)? {
        let opened = Opened::from_file(given.file, given.password).await?;
        let certificate = opened.certificate().clone();
        return to_the_end(async move {
            let shown = certificate.clone();
            let keep = move |connection: &store::Connection, row: &EnrolmentRow| {
                kept.keep(connection, &created(&view(row, Some(&shown))))
            };
            let row = enrolment::import(&app, holder, opened, keep).await?;
            Ok(created(&view(&row, Some(&certificate))))
        })
        .await;
    }
    let algorithm = match request.algorithm.unwrap_or_default() {
        EnrolmentAlgorithm::Rsa => KeyAlgorithm::Rsa,
        EnrolmentAlgorithm::Ec => KeyAlgorithm::Ec,
    };
    // A client that hangs up leaves no key behind that nobody looks after.
    to_the_end(async move {
        let keep = move |connection: &store::Connection, row: &EnrolmentRow| {
            kept.keep(connection, &created(&view(row, None)))
        };
        let row = enrolment::generate(&app, holder, algorithm, keep).await?;
        Ok(created(&view(&row, None)))
    })
    .await
}

/// A file that came in.
struct Given {
    file: SecretBytes,
    password: Secret,
}

/// The file of an import; `None` when the key is to be made.
fn pkcs12_of(request: &CreateEnrolment) -> ApiResult<Option<Given>> {
    match (request.method, &request.pkcs12, request.algorithm) {
        (EnrolmentMethod::Generate, None, _) => Ok(None),
        (EnrolmentMethod::Generate, Some(_), _) => {
            Err(ApiError::member("/pkcs12", "a key that the token makes comes in no file"))
        }
        (EnrolmentMethod::Import, None, _) => {
            Err(ApiError::member("/pkcs12", "the file of the key is missing"))
        }
        (EnrolmentMethod::Import, Some(_), Some(_)) => {
            Err(ApiError::member("/algorithm", "a key that is imported has its kind"))
        }
        (EnrolmentMethod::Import, Some(given), None) => {
            let file = Base64::decode_vec(given.file.expose().trim())
                .map_err(|_| ApiError::member("/pkcs12/file", "not standard base64"))?;
            let password = Secret::new(given.password.expose().to_owned());
            Ok(Some(Given { file: SecretBytes::new(file), password }))
        }
    }
}

fn created(enrolment: &Enrolment) -> Answer {
    Answer::json(StatusCode::CREATED, enrolment).at(format!("/v1/enrolments/{}", enrolment.id))
}

/// Lists enrolments, the latest first: for a session those of its person, so that a page goes on where it was.
#[utoipa::path(
    get,
    path = "/v1/enrolments",
    tag = "enrolments",
    security(("session" = []), ("api_key" = ["enrolments:read"]), ("person" = ["enrolments:read"])),
    responses((status = 200, description = "At most 50", body = EnrolmentList)),
)]
pub(super) async fn list_enrolments(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::EnrolmentsRead>,
) -> ApiResult<Json<EnrolmentList>> {
    let (tenant, signer) = (caller.tenant().to_owned(), signer(&caller));
    let rows = app
        .store
        .read(move |connection| store::enrolments::list(connection, &tenant, signer.as_ref()))
        .await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        items.push(look(&app, row).await?);
    }
    Ok(Json(EnrolmentList { items }))
}

/// Shows an enrolment.
#[utoipa::path(
    get,
    path = "/v1/enrolments/{id}",
    tag = "enrolments",
    security(("session" = []), ("api_key" = ["enrolments:read"]), ("person" = ["enrolments:read"])),
    params(("id" = EnrolmentId, Path, description = "The enrolment")),
    responses((status = 200, description = "The enrolment", body = Enrolment)),
)]
pub(super) async fn show_enrolment(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::EnrolmentsRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Enrolment>> {
    let row = find(&app, &id, caller.tenant(), signer(&caller)).await?;
    look(&app, &row).await.map(Json)
}

/// Brings the certificate of a key that the token made.
///
/// It must be for this key and for this person. The key then signs a challenge, and is registered when the value verifies: from
/// then on it signs documents. A certificate that is refused changes nothing.
#[utoipa::path(
    post,
    path = "/v1/enrolments/{id}/certificate",
    tag = "enrolments",
    security(("session" = []), ("api_key" = ["enrolments:write"]), ("person" = ["enrolments:write"])),
    params(("id" = EnrolmentId, Path, description = "The enrolment")),
    request_body(content = CertifyEnrolment, example = json!({ "certificate": "-----BEGIN CERTIFICATE-----\nMIIG…\n-----END CERTIFICATE-----\n" })),
    extensions(("x-error-codes" = json!([
        ErrorCode::EnrolmentStateConflict, ErrorCode::EnrolmentExpired, ErrorCode::CertificateMalformed,
        ErrorCode::CertificateKeyMismatch, ErrorCode::CertificateExpired, ErrorCode::CertificateNotYetValid,
        ErrorCode::CertificateWrongUsage, ErrorCode::CertificateUntrusted, ErrorCode::CertificateWrongPerson,
        ErrorCode::AccreditationRequired, ErrorCode::ConsentRequired, ErrorCode::SignatureValueInvalid,
        ErrorCode::TokenUnavailable, ErrorCode::TokenAgentFailed,
    ]))),
    responses((status = 200, description = "The enrolment, completed", body = Enrolment)),
)]
pub(super) async fn certify_enrolment(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::EnrolmentsWrite>,
    Path(id): Path<String>,
    Json(request): Json<CertifyEnrolment>,
) -> ApiResult<Json<Enrolment>> {
    let row = find(&app, &id, caller.tenant(), signer(&caller)).await?;
    let certificates = read_certificates(&request.certificate)?;
    to_the_end(async move {
        let row = enrolment::certify(&app, row, &certificates).await?;
        look(&app, &row).await.map(Json)
    })
    .await
}

/// Takes an enrolment back that waits for its certificate, and destroys its key.
///
/// The same call again gives the same answer.
#[utoipa::path(
    post,
    path = "/v1/enrolments/{id}/cancel",
    tag = "enrolments",
    security(("session" = []), ("api_key" = ["enrolments:write"]), ("person" = ["enrolments:write"])),
    params(("id" = EnrolmentId, Path, description = "The enrolment")),
    extensions(("x-error-codes" = json!([ErrorCode::EnrolmentStateConflict]))),
    responses((status = 200, description = "The enrolment, cancelled", body = Enrolment)),
)]
pub(super) async fn cancel_enrolment(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::EnrolmentsWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Enrolment>> {
    let row = find(&app, &id, caller.tenant(), signer(&caller)).await?;
    to_the_end(async move {
        let row = enrolment::cancel(&app, &row).await?;
        look(&app, &row).await.map(Json)
    })
    .await
}

async fn find(app: &App, id: &str, tenant: &str, signer: Option<SignerHash>) -> ApiResult<EnrolmentRow> {
    let id: EnrolmentId = id.parse().map_err(|_| ApiError::not_found("enrolment"))?;
    let tenant = tenant.to_owned();
    let found = app
        .store
        .read(move |connection| store::enrolments::find(connection, &id, &tenant, signer.as_ref()))
        .await?;
    found.ok_or_else(|| ApiError::not_found("enrolment"))
}

fn read_certificates(text: &str) -> ApiResult<Vec<Certificate>> {
    let der = Base64::decode_vec(text.trim());
    let bytes = der.as_deref().unwrap_or(text.as_bytes());
    let certificates = Certificate::bundle_from_bytes(bytes);
    certificates.map_err(|error| ApiError::new(error.code(), error.to_string()).at("/certificate"))
}

async fn look(app: &App, row: &EnrolmentRow) -> ApiResult<Enrolment> {
    let certificate = match row.key_id.clone() {
        Some(key) => Some(certificate_of(app, key).await?),
        None => None,
    };
    Ok(view(row, certificate.as_ref()))
}

async fn certificate_of(app: &App, key: KeyId) -> ApiResult<Certificate> {
    let found = app.store.read(move |connection| store::keys::load(connection, &key)).await?;
    let found = found.ok_or_else(|| ApiError::internal("an enrolment names a key that is not there"))?;
    Certificate::from_der(&found.certificate).map_err(ApiError::internal)
}

impl From<EnrolmentError> for ApiError {
    fn from(error: EnrolmentError) -> Self {
        match error {
            EnrolmentError::Refused { code, detail } => Self::new(code, detail),
            EnrolmentError::Token(error) => {
                let code = super::problem::token_error_code(&error);
                Self::new(code, "the token did not answer; try again").because(error)
            }
            EnrolmentError::Store(error) => error.into(),
        }
    }
}
