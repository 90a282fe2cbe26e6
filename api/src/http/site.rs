//! Static files of a site, with the headers that protect a page people sign on.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use rubrica_core::ErrorCode;

use super::problem::ApiError;

/// Only our own scripts and Wasm; nobody may frame the page. `blob:` is for downloads and previews.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; frame-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=()"),
];

/// A folder of files.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    folder: Arc<Path>,
}

impl Site {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.into() }
    }

    /// Answers a path that no route of the API took.
    pub(crate) async fn answer(self, request: Request) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return ApiError::new(ErrorCode::MethodNotAllowed, "files are only read").into_response();
        }
        let Some(relative) = relative_path(request.uri().path()) else {
            return ApiError::not_found("file").into_response();
        };
        let folder = Arc::clone(&self.folder);
        let read = tokio::task::spawn_blocking(move || read(&folder, &relative)).await;
        let file = match read {
            Ok(Ok(file)) => file,
            Ok(Err(error)) if is_absent(&error) => return ApiError::not_found("file").into_response(),
            Ok(Err(error)) => return ApiError::internal(error).into_response(),
            Err(error) => return ApiError::internal(error).into_response(),
        };
        let unchanged =
            request.headers().get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == file.tag.as_bytes());
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(Body::from(file.bytes))
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&file.path)));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&file.tag) {
            headers.insert(ETAG, tag);
        }
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

struct SiteFile {
    path: PathBuf,
    bytes: Vec<u8>,
    tag: String,
}

/// The path below the folder; `None` for anything that could leave it.
fn relative_path(path: &str) -> Option<PathBuf> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let relative = PathBuf::from(decoded.trim_start_matches('/'));
    let inside = relative.components().all(|part| {
        matches!(part, Component::Normal(name) if name.to_str().is_some_and(|name| !name.starts_with('.') && !name.contains('\0')))
    });
    inside.then_some(relative)
}

fn read(folder: &Path, relative: &Path) -> io::Result<SiteFile> {
    let mut path = folder.join(relative);
    if path.is_dir() {
        path.push("index.html");
    }
    let metadata = std::fs::metadata(&path)?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let bytes = std::fs::read(&path)?;
    Ok(SiteFile { tag: format!("\"{modified:x}-{:x}\"", bytes.len()), path, bytes })
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
    )
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "pdf" => "application/pdf",
        "txt" | "pem" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_folder() {
        for path in
            ["/../x", "/a/../../x", "/%2e%2e/x", "/a/%2e%2e%2fx", "//etc/../x", "/.git/config", "/a%00b"]
        {
            assert_eq!(relative_path(path), None, "{path}");
        }
        assert_eq!(relative_path("/"), Some(PathBuf::new()));
        assert_eq!(relative_path("//etc/passwd"), Some(PathBuf::from("etc/passwd")));
        assert_eq!(relative_path("/a%20b/c.js"), Some(PathBuf::from("a b/c.js")));
    }
}
