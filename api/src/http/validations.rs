//! `POST /v1/validations`: a signed file in, a report out. Nothing is stored.
//!
//! For backends only: a page validates nothing that its backend did not choose.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;
use rubrica_core::validation::{Context, Language};
use rubrica_core::wire::Validation;
use rubrica_core::{ErrorCode, Timestamp};
use utoipa::ToSchema;

use super::auth::Granted;
use super::body::Pieces;
use super::documents::parameter;
use super::json::Json;
use super::openapi::Bytes;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::hex;
use crate::input::Input;
use crate::objects::Unkept;
use crate::permission::needs;
use crate::validating::{Unreadable, Validated, validate};

/// What was sent.
struct Upload {
    file: Unkept,
    /// The content of a detached signature.
    content: Option<Unkept>,
}

/// The parts of a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `receive_form` reads part by part")]
struct ValidationForm {
    /// The signed file.
    #[schema(value_type = Bytes)]
    file: Vec<u8>,
    /// The content of a detached signature.
    #[schema(value_type = Option<Bytes>)]
    content: Option<Vec<u8>>,
}

/// What the query asks for.
struct Question {
    at: Option<Timestamp>,
    language: Option<Language>,
}

/// Validates a signed file. Nothing of it is kept.
///
/// A PDF, a CMS with its content, or a form with a detached signature (`file`) and what it signs (`content`). A file that
/// can be read has a report, whatever the verdict.
#[utoipa::path(
    post,
    path = "/v1/validations",
    tag = "validations",
    security(("api_key" = ["validations:write"]), ("person" = ["validations:write"])),
    params(
        ("at" = Option<Timestamp>, Query, description = "The time the question is asked for; now when absent"),
        ("language" = Option<String>, Query, description = "Asks for the report in words: `pt-BR` or `en`",
            pattern = "^(pt-BR|en)$"),
    ),
    request_body(description = "The signed file", content(
        (Bytes = "application/pdf"),
        (Bytes = "application/pkcs7-signature"),
        (Bytes = "application/pkcs7-mime"),
        (Bytes = "application/octet-stream"),
        (ValidationForm = "multipart/form-data"),
    )),
    responses((status = 200, description = "The report", body = Validation)),
    extensions(("x-error-codes" = json!([
        ErrorCode::NotSigned,
        ErrorCode::CmsMalformed,
        ErrorCode::ContentRequired,
        ErrorCode::NotAPdf,
        ErrorCode::PdfDamaged,
        ErrorCode::PdfEncrypted,
        ErrorCode::PdfUnsupported,
        ErrorCode::PdfPasswordWrong,
        ErrorCode::LimitExceeded,
    ]))),
)]
pub(super) async fn create_validation(
    State(app): State<Arc<App>>,
    _: Granted<needs::ValidationsWrite>,
    query: RawQuery,
    request: Request,
) -> ApiResult<Json<Validation>> {
    let question = question(&query)?;
    let upload = receive(&app, request).await?;
    let size_bytes = upload.file.size_bytes;
    let file_sha256 = hex::encode(upload.file.sha256);
    let _memory = app.engine.reserve(size_bytes).await;
    let worker = Arc::clone(&app);
    let work = move || {
        let at = question.at.unwrap_or_else(|| worker.clock.now());
        let context =
            Context::new(worker.trust.anchors(), at).with_intermediates(worker.trust.intermediates());
        let file = Input::from_upload(&upload.file.bytes)?;
        let content = upload.content.as_ref().map(|part| Input::from_upload(&part.bytes)).transpose()?;
        let validated = validate(&file, content.as_ref(), &context, worker.fetcher.as_ref())?;
        let text = question.language.map(|language| validated.report.to_text(language));
        let Validated { report, failures: not_fetched, .. } = validated;
        Ok::<_, Unreadable>(Validation { file_sha256, report, text, not_fetched })
    };
    // Most of the time is the network's: other threads than those that sign.
    let _turn = app.validations.acquire().await.map_err(ApiError::internal)?;
    let validation = tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)??;
    tracing::info!(
        file.size_bytes = size_bytes,
        report.indication = ?validation.report.overall(),
        report.signatures = validation.report.signatures.len(),
        "file validated"
    );
    Ok(Json(validation))
}

fn question(query: &RawQuery) -> ApiResult<Question> {
    let at = parameter(query, "at").map(|text| {
        let text = percent_decode_str(text).decode_utf8_lossy();
        text.parse().map_err(|_| {
            ApiError::new(ErrorCode::InvalidRequest, "at is a time such as 2026-11-23T12:00:00Z")
        })
    });
    let language = parameter(query, "language").map(|text| match text.to_ascii_lowercase().as_str() {
        "pt-br" => Ok(Language::PtBr),
        "en" => Ok(Language::En),
        _ => Err(ApiError::new(ErrorCode::InvalidRequest, "language is pt-BR or en")),
    });
    Ok(Question { at: at.transpose()?, language: language.transpose()? })
}

/// Takes the body: the signed file alone, or a form with it and its content.
async fn receive(app: &App, request: Request) -> ApiResult<Upload> {
    let unsupported = || {
        ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "send the signed file itself (application/pdf, application/pkcs7-signature, application/pkcs7-mime or \
             application/octet-stream), or multipart/form-data with the parts `file` and `content`",
        )
    };
    let kind = media_type(request.headers());
    match kind.as_str() {
        "application/pdf"
        | "application/pkcs7-signature"
        | "application/pkcs7-mime"
        | "application/x-pkcs7-signature"
        | "application/x-pkcs7-mime"
        | "application/octet-stream"
        | "" => {
            let mut pieces = Pieces::new(request.into_body());
            let mut incoming = app.objects.receive(app.config.limits.document_bytes);
            while let Some(piece) = pieces.next().await? {
                incoming.push(piece).await?;
            }
            Ok(Upload { file: not_empty(incoming.finish_unkept().await?)?, content: None })
        }
        "multipart/form-data" => {
            let header = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let boundary =
                header.and_then(|header| multer::parse_boundary(header).ok()).ok_or_else(unsupported)?;
            receive_form(app, request.into_body(), boundary).await
        }
        _ => Err(unsupported()),
    }
}

async fn receive_form(app: &App, body: Body, boundary: String) -> ApiResult<Upload> {
    let broken = |error: multer::Error| {
        ApiError::new(ErrorCode::InvalidRequest, "the form cannot be read to its end; send it again")
            .because(error)
    };
    let mut form = multer::Multipart::new(body.into_data_stream(), boundary);
    let (mut file, mut content) = (None, None);
    while let Some(mut part) = form.next_field().await.map_err(broken)? {
        let slot = match part.name() {
            Some("file") => &mut file,
            Some("content") => &mut content,
            _ => {
                return Err(ApiError::new(
                    ErrorCode::InvalidRequest,
                    "the form has the parts `file` and `content` only",
                ));
            }
        };
        if slot.is_some() {
            return Err(ApiError::new(ErrorCode::InvalidRequest, "each part of the form may come once"));
        }
        let mut incoming = app.objects.receive(app.config.limits.document_bytes);
        while let Some(piece) = part.chunk().await.map_err(broken)? {
            incoming.push(piece).await?;
        }
        *slot = Some(incoming.finish_unkept().await?);
    }
    let file =
        file.ok_or_else(|| ApiError::new(ErrorCode::InvalidRequest, "the form lacks the part `file`"))?;
    Ok(Upload { file: not_empty(file)?, content })
}

fn not_empty(file: Unkept) -> ApiResult<Unkept> {
    if file.size_bytes == 0 {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "the signed file is empty; send its bytes"));
    }
    Ok(file)
}

fn media_type(headers: &HeaderMap) -> String {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

impl From<Unreadable> for ApiError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Validation(error) => Self::new(error.code(), error.to_string()),
            Unreadable::Io(error) => Self::internal(error),
        }
    }
}
