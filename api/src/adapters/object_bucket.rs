//! Large objects in a bucket that speaks the S3 API.
//!
//! An object is uploaded under its digest once all of it is here and its digest is known: nothing of an upload that broke
//! off or was refused ever reaches the bucket, and uploading again is harmless. Larger ones go in parts; when that fails the
//! parts are given up at once. Parts that a crash leaves are invisible and cost space: let a lifecycle rule of the bucket
//! (`AbortIncompleteMultipartUpload`, one day) remove them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::path::Path;
use object_store::{ClientOptions, MultipartUpload, ObjectStoreExt, RetryConfig};
use rubrica_core::ErrorCode;
use tempfile::NamedTempFile;
use tokio::task::JoinSet;

use crate::config;
use crate::failure::Failure;
use crate::hex;
use crate::ports::{LargeObjectError, LargeObjects, ObjectPieces, PortFuture};

/// Size of a part (the smallest that S3 takes), and how many are under way: what an upload holds in memory.
const PART: usize = 5 << 20;
const MOST_PARTS: usize = 3;
/// Written to see whether anything can be.
const CHECK: &str = "rubrica-check";

/// A bucket.
#[derive(Clone)]
pub(crate) struct ObjectBucket {
    client: Arc<AmazonS3>,
    prefix: Path,
}

impl fmt::Debug for ObjectBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client holds credentials.
        f.debug_struct("ObjectBucket").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl ObjectBucket {
    /// Puts the client together; nothing is called yet.
    ///
    /// # Errors
    /// `config_invalid`.
    pub(crate) fn new(settings: &config::Objects) -> Result<Self, Failure> {
        let invalid = |what: String| {
            Failure::new(ErrorCode::ConfigInvalid, what, "Correct the section [objects] of the configuration")
        };
        let timeout = Duration::from_millis(settings.timeout_ms);
        let plain = settings.endpoint.starts_with("http://");
        let options = ClientOptions::new()
            .with_allow_http(plain)
            .with_connect_timeout(timeout)
            // A large object takes its time; silence is what ends it.
            .with_timeout_disabled()
            .with_read_timeout(timeout);
        let retry = RetryConfig { max_retries: 3, retry_timeout: timeout, ..RetryConfig::default() };
        // Starts from the variables and services that hand out credentials where this runs.
        let mut builder = AmazonS3Builder::from_env()
            .with_client_options(options)
            .with_retry(retry)
            .with_checksum_algorithm(Checksum::SHA256)
            .with_bucket_name(&settings.bucket);
        if !settings.region.is_empty() {
            builder = builder.with_region(&settings.region);
        }
        if !settings.endpoint.is_empty() {
            builder = builder.with_endpoint(settings.endpoint.trim_end_matches('/'));
        }
        if let Some(secret) = settings.secret_key()? {
            builder =
                builder.with_access_key_id(&settings.access_key_id).with_secret_access_key(secret.expose());
        }
        let client =
            builder.build().map_err(|error| invalid(format!("the bucket cannot be used: {error}")))?;
        if plain {
            tracing::warn!(
                "documents travel to the bucket without TLS: objects.endpoint begins with http://"
            );
        }
        let prefix = Path::parse(settings.prefix.trim_matches('/'))
            .map_err(|error| invalid(format!("objects.prefix: {error}")))?;
        Ok(Self { client: Arc::new(client), prefix })
    }

    fn place(&self, sha256: &[u8; 32]) -> Path {
        let name = hex::encode(sha256);
        self.prefix.clone().join(&name[..2]).join(&name[2..])
    }
}

impl LargeObjects for ObjectBucket {
    fn keep(&self, file: NamedTempFile, sha256: [u8; 32]) -> PortFuture<'_, Result<(), LargeObjectError>> {
        let (client, place) = (Arc::clone(&self.client), self.place(&sha256));
        // A task of its own: whoever waits for it may go, and parts are not left behind.
        let upload = tokio::spawn(async move { keep(&client, file, &place).await });
        Box::pin(
            async move { upload.await.map_err(|error| LargeObjectError::Unavailable(error.to_string()))? },
        )
    }

    fn open(&self, sha256: [u8; 32]) -> PortFuture<'_, Result<Box<dyn ObjectPieces>, LargeObjectError>> {
        Box::pin(async move {
            let found = self.client.get(&self.place(&sha256)).await?;
            Ok(Box::new(BucketPieces(found.into_stream())) as Box<dyn ObjectPieces>)
        })
    }

    fn check(&self) -> PortFuture<'_, Result<(), LargeObjectError>> {
        Box::pin(async {
            self.client.put(&self.prefix.clone().join(CHECK), Bytes::from_static(b"ok").into()).await?;
            Ok(())
        })
    }
}

async fn keep(client: &AmazonS3, file: NamedTempFile, place: &Path) -> Result<(), LargeObjectError> {
    let size_bytes = file.as_file().metadata()?.len();
    match client.head(place).await {
        Ok(found) if found.size == size_bytes => return Ok(()),
        Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut file = file.reopen()?;
    if size_bytes <= PART as u64 {
        let (_, whole) = next_part(file).await?;
        client.put(place, whole.into()).await?;
        return Ok(());
    }
    let mut upload = client.put_multipart(place).await?;
    let mut under_way = JoinSet::new();
    let sent = async {
        loop {
            let (rest, part) = next_part(file).await?;
            file = rest;
            if part.is_empty() {
                break;
            }
            if under_way.len() == MOST_PARTS {
                finish_one(&mut under_way).await?;
            }
            under_way.spawn(upload.put_part(part.into()));
        }
        while !under_way.is_empty() {
            finish_one(&mut under_way).await?;
        }
        Ok(())
    };
    if let Err(error) = sent.await {
        under_way.shutdown().await;
        give_up(upload).await;
        return Err(error);
    }
    upload.complete().await?;
    Ok(())
}

type Parts = JoinSet<object_store::Result<()>>;

async fn finish_one(under_way: &mut Parts) -> Result<(), LargeObjectError> {
    match under_way.join_next().await {
        None => Ok(()),
        Some(done) => Ok(done.map_err(|error| LargeObjectError::Unavailable(error.to_string()))??),
    }
}

async fn give_up(mut upload: Box<dyn MultipartUpload>) {
    if let Err(error) = upload.abort().await {
        tracing::warn!(%error, "parts of an upload stay in the bucket until its lifecycle rule removes them");
    }
}

/// Reads up to a part.
async fn next_part(mut file: File) -> Result<(File, Bytes), LargeObjectError> {
    let read = move || -> io::Result<(File, Bytes)> {
        let mut part = Vec::with_capacity(PART);
        (&mut file).take(PART as u64).read_to_end(&mut part)?;
        Ok((file, part.into()))
    };
    let part = tokio::task::spawn_blocking(read).await;
    Ok(part.map_err(|error| LargeObjectError::Unavailable(error.to_string()))??)
}

struct BucketPieces(BoxStream<'static, object_store::Result<Bytes>>);

impl ObjectPieces for BucketPieces {
    fn next(&mut self) -> PortFuture<'_, Result<Option<Bytes>, LargeObjectError>> {
        Box::pin(async { Ok(self.0.next().await.transpose()?) })
    }
}

impl From<object_store::Error> for LargeObjectError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            Self::Missing
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}
