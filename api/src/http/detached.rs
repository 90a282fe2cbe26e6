//! Work that is done to its end although its client goes away, and the handler with it.

use super::problem::{ApiError, ApiResult};

/// Does `work` to its end. A handler is dropped wherever it waits when its client goes; between a commit and what has to follow
/// it that must not happen.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = ApiResult<T>> + Send + 'static,
) -> ApiResult<T> {
    tokio::spawn(work).await.map_err(ApiError::internal)?
}
