//! `GET /v1/batches/{id}/content`: all results of a batch as one ZIP, made while it is sent.
//!
//! Pages of items come from the database, artefacts from their objects, and what the client takes makes room for more: neither
//! the batch nor a file of it is ever held, and no connection of the database waits for the client.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use rubrica_core::ErrorCode;
use rubrica_core::wire::BatchResult;
use tokio::sync::mpsc;

use super::find;
use crate::app::App;
use crate::engine::batch::Context;
use crate::engine::batch::names::Names;
use crate::engine::batch::results::{ArtefactError, artefacts};
use crate::http::auth::Granted;
use crate::http::download::{Streamed, attachment};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::zip::{Archive, Entry};
use crate::ids::BatchId;
use crate::objects::{ObjectError, Part, Parts};
use crate::permission::needs;
use crate::store::StoreError;
use crate::store::batches::items::{self, ItemArtefact, ItemRow};

/// Name of the entry that lists all items.
const LISTING: &str = "results.ndjson";
/// Items that are read and put together at once.
const PAGE: i64 = 64;
/// Pieces that wait for the client, and bytes of one, unless it is one of a large document.
const WAITING: (usize, usize) = (4, 64 * 1024);
/// Up to this size an artefact is in memory for a moment; a larger one is read twice, for its CRC stands before it.
const LARGEST_WHOLE: u64 = 1024 * 1024;

/// Downloads all results of a batch as a ZIP.
///
/// Each released artefact is an entry, in the order of the manifest and uncompressed. Its name is that of the item's reference, with what
/// no file system takes replaced by `_`, with `.p7s` behind it or ending in `.pdf`; a number tells names apart that would be equal. The last
/// entry, `results.ndjson`, has one line for every item of the manifest: the item as `GET /v1/batches/{id}/items` shows it, and its `file`
/// in the archive, `null` for one that ended without artefact.
///
/// There is an archive only once the batch has ended, so that none is ever mistaken for the whole: until then the answer is
/// `batch_state_conflict`, and single artefacts can be had by `GET /v1/signatures/{id}/content`. The archive is made while it is sent, so
/// its size is not told before; a body that breaks off is no archive.
#[utoipa::path(
    get,
    path = "/v1/batches/{id}/content",
    tag = "batches",
    security(("api_key" = ["batches:read"]), ("person" = ["batches:read"])),
    params(("id" = BatchId, Path, description = "The batch")),
    responses((status = 200, description = "The archive", headers(
        ("content-disposition" = String, description = "The name of the file (RFC 6266)"),
    ), content((crate::http::openapi::Bytes = "application/zip")))),
    extensions(("x-error-codes" = json!([ErrorCode::BatchStateConflict]))),
)]
pub(in crate::http) async fn download_batch(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesRead>,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let row = find(&app, &id, caller.tenant()).await?;
    if row.ended_at.is_none() {
        return Err(ApiError::new(
            ErrorCode::BatchStateConflict,
            format!(
                "the batch is `{}` and has not ended; there is an archive once it has",
                row.state.as_str()
            ),
        ));
    }
    let context = Context::load(&app, &row.id).await?;
    let (sender, pieces) = mpsc::channel(WAITING.0);
    tokio::spawn(async move {
        let mut archive = Sending { app, context, sender, waiting: Vec::new(), archive: Archive::default() };
        match archive.send_all().await {
            Ok(()) => {}
            Err(Stop::Gone) => {
                tracing::debug!(batch.id = %archive.context.row.id, "nobody takes the archive any more")
            }
            Err(error) => {
                tracing::error!(batch.id = %archive.context.row.id, %error, "the archive of a batch broke off");
                // The body breaks off, which the client sees by its missing end.
                let _ = archive.sender.send(Err(io::Error::other("an artefact cannot be read"))).await;
            }
        }
    });
    let mut response = Response::new(Body::new(Streamed::new(pieces)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&attachment(&format!("{}.zip", row.id))) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Why an archive breaks off.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// Nobody needs the rest.
    #[error("the client has gone")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// An archive on its way.
struct Sending {
    app: Arc<App>,
    context: Arc<Context>,
    sender: mpsc::Sender<io::Result<Bytes>>,
    /// Small pieces, until they are worth sending.
    waiting: Vec<u8>,
    archive: Archive,
}

impl Sending {
    async fn send_all(&mut self) -> Result<(), Stop> {
        let mut names = Names::new(self.context.target.format);
        let mut pages = Pages::of(&self.context.row.id);
        while let Some(page) = pages.next(&self.app).await? {
            for (item, parts) in artefacts(&self.app, &self.context, page).await? {
                let (Some(parts), Some(artefact)) = (parts, &item.artefact) else { continue };
                let name = names.of_reference(&item.reference, item.position);
                self.send_artefact(name, artefact, parts).await?;
            }
        }
        self.send_listing().await?;
        for piece in std::mem::take(&mut self.archive).end() {
            self.send(&piece).await?;
        }
        self.flush().await
    }

    async fn send_artefact(
        &mut self,
        name: String,
        artefact: &ItemArtefact,
        parts: Vec<Part>,
    ) -> Result<(), Stop> {
        let (time, size_bytes) = (artefact.released_at, artefact.size_bytes);
        let again = (size_bytes > LARGEST_WHOLE).then(|| parts.clone());
        let mut crc32 = crc32fast::Hasher::new();
        let mut whole = Vec::new();
        let mut pieces = Parts::open(&self.app.objects, parts).await?;
        while let Some(piece) = pieces.next().await? {
            crc32.update(&piece);
            if again.is_none() {
                whole.extend_from_slice(&piece);
            }
        }
        let header = self.archive.begin(Entry { name, time, size_bytes, crc32: crc32.finalize() });
        self.send(&header).await?;
        self.send(&whole).await?;
        let Some(parts) = again else { return Ok(()) };
        let mut pieces = Parts::open(&self.app.objects, parts).await?;
        while let Some(piece) = pieces.next().await? {
            self.send(&piece).await?;
        }
        Ok(())
    }

    /// The listing is written twice too: first to nowhere, for its size and its CRC.
    async fn send_listing(&mut self) -> Result<(), Stop> {
        let (mut size_bytes, mut crc32) = (0, crc32fast::Hasher::new());
        let mut listing = Listing::of(&self.context);
        while let Some(lines) = listing.next(&self.app).await? {
            size_bytes += lines.len() as u64;
            crc32.update(lines.as_bytes());
        }
        let row = &self.context.row;
        let entry = Entry {
            name: LISTING.to_owned(),
            time: row.ended_at.unwrap_or(row.created_at),
            size_bytes,
            crc32: crc32.finalize(),
        };
        let header = self.archive.begin(entry);
        self.send(&header).await?;
        let mut listing = Listing::of(&self.context);
        while let Some(lines) = listing.next(&self.app).await? {
            self.send(lines.as_bytes()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= WAITING.1 { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        let piece = Bytes::from(std::mem::take(&mut self.waiting));
        self.sender.send(Ok(piece)).await.map_err(|_| Stop::Gone)
    }
}

/// The lines about all items, page by page. What has ended does not change: they are the same each time.
struct Listing {
    names: Names,
    pages: Pages,
}

impl Listing {
    fn of(context: &Context) -> Self {
        Self { names: Names::new(context.target.format), pages: Pages::of(&context.row.id) }
    }

    async fn next(&mut self, app: &App) -> Result<Option<String>, StoreError> {
        let Some(page) = self.pages.next(app).await? else { return Ok(None) };
        let mut lines = String::new();
        for item in page {
            let file =
                item.artefact.is_some().then(|| self.names.of_reference(&item.reference, item.position));
            let result = BatchResult { file, item: item.to_wire() };
            lines.push_str(&serde_json::to_string(&result).expect("a result has only strings and numbers"));
            lines.push('\n');
        }
        Ok(Some(lines))
    }
}

/// The items of a batch, page by page.
struct Pages {
    id: BatchId,
    after: i64,
}

impl Pages {
    fn of(id: &BatchId) -> Self {
        Self { id: id.clone(), after: 0 }
    }

    async fn next(&mut self, app: &App) -> Result<Option<Vec<ItemRow>>, StoreError> {
        let (id, after) = (self.id.clone(), self.after);
        let page = app.store.read(move |connection| items::page(connection, &id, after, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.position;
        Ok(Some(page))
    }
}
