//! `/v1/documents`: upload, look, download.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64ct::{Base64, Encoding};
use percent_encoding::percent_decode_str;
use rubrica_core::ErrorCode;
use rubrica_core::wire::Document;

use super::auth::SessionOr;
use super::body::Pieces;
use super::detached::to_the_end;
use super::download::{CONTENT_DIGEST, Download};
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::Json;
use super::openapi::Bytes;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::ids::DocumentId;
use crate::objects::{Part, sha256};
use crate::permission::needs;
use crate::store;
use crate::store::documents::{DocumentRow, Scope};

/// Percent-encoded UTF-8 file name; a header, so that it does not end up in the logs of proxies.
const FILE_NAME: HeaderName = HeaderName::from_static("rubrica-file-name");
const LONGEST_NAME: usize = 255;

/// Uploads a document: the body is the file.
///
/// What does not have the announced digest is refused. A backend uploads documents of orders; the page of a session, what its
/// signer is to sign.
#[utoipa::path(
    post,
    path = "/v1/documents",
    tag = "documents",
    security(("session" = []), ("api_key" = ["documents:write"]), ("person" = ["documents:write"])),
    params(
        ("content-digest" = Option<String>, Header, description = "Announces the bytes (RFC 9530)",
            pattern = r"^sha-256=:[A-Za-z0-9+/]{43}=:$"),
        ("rubrica-file-name" = Option<String>, Header, description = "Name of the file, percent-encoded UTF-8"),
        ("name" = Option<String>, Query, description = "The same, for clients that cannot send the header"),
    ),
    request_body(
        description = "The bytes of the file",
        content((Bytes = "application/pdf"), (Bytes = "application/octet-stream")),
    ),
    responses((status = 201, description = "The document", body = Document)),
    extensions(("x-idempotent" = json!(true)), ("x-error-codes" = json!([ErrorCode::DigestMismatch]))),
)]
pub(super) async fn create_document(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::DocumentsWrite>,
    key: IdempotencyKey,
    request: Request,
) -> ApiResult<Answer> {
    let session = caller.session();
    if session.is_some_and(|session| session.0.order.is_some()) {
        return Err(ApiError::new(ErrorCode::Forbidden, "this session signs the documents of its order"));
    }
    let (tenant, session_id) = (caller.tenant().to_owned(), session.map(|session| session.0.id.clone()));
    let headers = request.headers();
    let media_type = media_type(headers)?;
    let announced = announced_digest(headers)?;
    let name = file_name(headers, request.uri().query(), media_type)?;
    let limit_bytes = app.config.limits.document_bytes;
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit_bytes) {
        return Err(ApiError::new(
            ErrorCode::PayloadTooLarge,
            format!("a document has at most {limit_bytes} bytes"),
        ));
    }

    let mut pieces = Pieces::new(request.into_body());
    let mut incoming = app.objects.receive(limit_bytes);
    while let Some(piece) = pieces.next().await? {
        incoming.push(piece).await?;
    }
    let principal = caller.principal();
    // A client may go now: what arrived whole gets its row, so that no file stays without one.
    to_the_end(async move {
        let stored = incoming.finish(announced).await?;
        if stored.size_bytes() == 0 {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "the document is empty; send its bytes as the body",
            ));
        }
        let row = DocumentRow {
            id: DocumentId::generate(),
            tenant,
            session_id,
            name,
            media_type: media_type.to_owned(),
            size_bytes: stored.size_bytes(),
            sha256: stored.sha256(),
            parts: vec![stored.sha256()],
            created_at: app.clock.now(),
        };
        let matters = [&row.sha256[..], media_type.as_bytes(), b"\0", row.name.as_bytes()].concat();
        let work = async |kept: Kept| {
            let document: Document = row.to_wire();
            let answer = Answer::json(StatusCode::CREATED, &document);
            let kept_answer = answer.clone();
            app.store
                .write(move |connection| {
                    kept.keep(connection, &kept_answer)?;
                    stored.keep(connection)?;
                    store::documents::insert(connection, &row)
                })
                .await?;
            Ok(answer)
        };
        key.run(&app, principal, "create_document", sha256(&matters), work).await
    })
    .await
}

/// Shows a document.
#[utoipa::path(
    get,
    path = "/v1/documents/{id}",
    tag = "documents",
    security(("session" = []), ("api_key" = ["documents:read"]), ("person" = ["documents:read"])),
    params(("id" = DocumentId, Path, description = "The document")),
    responses((status = 200, description = "The document", body = Document)),
)]
pub(super) async fn show_document(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::DocumentsRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Document>> {
    Ok(Json(find(&app, &id, caller.scope()).await?.to_wire()))
}

/// Downloads the bytes of a document.
#[utoipa::path(
    get,
    path = "/v1/documents/{id}/content",
    tag = "documents",
    security(("session" = []), ("api_key" = ["documents:read"]), ("person" = ["documents:read"])),
    params(("id" = DocumentId, Path, description = "The document")),
    responses(
        (status = 200, description = "The bytes", headers(
            ("content-disposition" = String, description = "The name of the file (RFC 6266)"),
            ("content-digest" = String, description = "SHA-256 of the bytes (RFC 9530)"),
        ), content((Bytes = "application/pdf"), (Bytes = "application/octet-stream"))),
    ),
)]
pub(super) async fn download_document(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::DocumentsRead>,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let row = find(&app, &id, caller.scope()).await?;
    let download = Download {
        parts: vec![Part::Object(row.sha256)],
        name: row.name,
        media_type: row.media_type,
        size_bytes: row.size_bytes,
        sha256: row.sha256,
    };
    download.start(&app).await
}

/// The document, if it exists for this scope.
pub(super) async fn find(app: &App, id: &str, scope: Scope) -> ApiResult<DocumentRow> {
    let not_found = || ApiError::not_found("document");
    let id: DocumentId = id.parse().map_err(|_| not_found())?;
    app.store
        .read(move |connection| store::documents::find(connection, &id, &scope))
        .await?
        .ok_or_else(not_found)
}

fn media_type(headers: &HeaderMap) -> ApiResult<&'static str> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/pdf" => Ok("application/pdf"),
        "" | "application/octet-stream" => Ok("application/octet-stream"),
        _ => Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "send the file itself as application/pdf or application/octet-stream",
        )),
    }
}

/// The SHA-256 of `Content-Digest: sha-256=:…:` (RFC 9530); other algorithms are ignored, as the RFC asks.
fn announced_digest(headers: &HeaderMap) -> ApiResult<Option<[u8; 32]>> {
    let Some(value) = headers.get(CONTENT_DIGEST) else { return Ok(None) };
    let malformed =
        || ApiError::new(ErrorCode::InvalidRequest, "write content-digest as `sha-256=:base64:` (RFC 9530)");
    for item in value.to_str().map_err(|_| malformed())?.split(',') {
        let (algorithm, digest) = item.trim().split_once('=').ok_or_else(malformed)?;
        if algorithm.eq_ignore_ascii_case("sha-256") {
            let text =
                digest.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or_else(malformed)?;
            let bytes = Base64::decode_vec(text).map_err(|_| malformed())?;
            return Ok(Some(bytes.try_into().map_err(|_| malformed())?));
        }
    }
    Ok(None)
}

/// The name from the header or from `?name=`, without folders.
fn file_name(headers: &HeaderMap, query: Option<&str>, media_type: &str) -> ApiResult<String> {
    let header = headers.get(FILE_NAME).map(|value| value.to_str().unwrap_or("%FF"));
    let parameter = query.and_then(|query| {
        query.split('&').find_map(|pair| pair.strip_prefix("name=")).filter(|name| !name.is_empty())
    });
    let Some(encoded) = header.or(parameter) else {
        return Ok(if media_type == "application/pdf" { "document.pdf" } else { "document" }.to_owned());
    };
    let name = percent_decode_str(encoded).decode_utf8().map_err(|_| {
        ApiError::new(ErrorCode::InvalidRequest, "the file name must be percent-encoded UTF-8")
    })?;
    let name: String =
        name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let name = name.trim();
    if name.is_empty() || name == "." || name == ".." || name.len() > LONGEST_NAME {
        return Err(ApiError::new(
            ErrorCode::InvalidRequest,
            format!("a file name has 1 to {LONGEST_NAME} bytes and is not a folder"),
        ));
    }
    Ok(name.to_owned())
}

/// The value of a query parameter, undecoded.
pub(super) fn parameter<'a>(query: &'a RawQuery, name: &str) -> Option<&'a str> {
    query
        .0
        .as_deref()?
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &str) -> Option<String> {
        let headers = [(FILE_NAME, header.parse().unwrap())].into_iter().collect();
        file_name(&headers, None, "application/pdf").ok()
    }

    #[test]
    fn file_names_lose_their_folders_and_nothing_else() {
        assert_eq!(named("contrato%20n%C2%BA%201.pdf").as_deref(), Some("contrato nº 1.pdf"));
        assert_eq!(named("..%2F..%2Fetc%2Fpasswd").as_deref(), Some("passwd"));
        assert_eq!(named("C%3A%5Cx%5Ca%0Ab.pdf").as_deref(), Some("ab.pdf"));
        assert_eq!(named("%FF"), None);
        assert_eq!(named("a%2F"), None);
        assert_eq!(file_name(&HeaderMap::new(), Some("x=1&name=b.pdf"), "").unwrap(), "b.pdf");
        assert_eq!(file_name(&HeaderMap::new(), None, "application/pdf").unwrap(), "document.pdf");
    }

    #[test]
    fn the_announced_digest_is_read_from_among_others() {
        let digest = |value: &str| {
            announced_digest(&[(CONTENT_DIGEST, value.parse().unwrap())].into_iter().collect()).ok()
        };
        let base64 = Base64::encode_string(&[7; 32]);
        assert_eq!(digest(&format!("sha-512=:AA==:, sha-256=:{base64}:")), Some(Some([7; 32])));
        assert_eq!(digest("sha-512=:AA==:"), Some(None));
        assert_eq!(digest("sha-256=:AA==:"), None);
        assert_eq!(digest("nonsense"), None);
    }
}
