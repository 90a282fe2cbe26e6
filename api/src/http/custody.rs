//! `GET /v1/custody`: the sequential check for the session's signer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use rubrica_core::wire::{Custody, CustodyAnswer, CustodyOutcome, CustodySource, KeyView};
use rubrica_core::x509::Certificate;

use super::auth::SessionCaller;
use super::json::Json;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::store;
use crate::store::keys::KeyRow;

/// Finds where the key of the session's signer lives.
///
/// The sources are asked in order, up to the first that has one; each is listed with its outcome. A source that cannot
/// tell is `unknown`, never `no`. In an order only the custodies that are open to the participant count.
#[utoipa::path(
    get,
    path = "/v1/custody",
    tag = "custody",
    security(("session" = [])),
    responses((status = 200, description = "Where to sign, or what the person may choose from", body = CustodyAnswer)),
)]
pub(super) async fn show_custody(
    State(app): State<Arc<App>>,
    session: SessionCaller,
) -> ApiResult<Json<CustodyAnswer>> {
    let open = open_custodies(&app, &session).await?;
    let begun = Instant::now();
    let (outcome, key) = if app.has_token() && open.contains(&Custody::Hsm) {
        find_key(&app, &session).await
    } else {
        (CustodyOutcome::No, None)
    };
    let source = CustodySource {
        source: Custody::Hsm,
        outcome,
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let local = [Custody::Local].into_iter().filter(|custody| key.is_none() && open.contains(custody));
    let options = local.collect();
    Ok(Json(CustodyAnswer {
        custody: key.is_some().then_some(Custody::Hsm),
        key,
        options,
        sources: vec![source],
    }))
}

/// Custodies that may be used: those that the order opens to its participant, or all.
async fn open_custodies(app: &App, session: &SessionCaller) -> ApiResult<Vec<Custody>> {
    let Some(order) = session.0.order.clone() else { return Ok(vec![Custody::Hsm, Custody::Local]) };
    let participant = app
        .store
        .read(move |connection| {
            store::orders::find_participant(connection, &order.order_id, &order.participant_id)
        })
        .await?;
    Ok(participant.ok_or_else(|| ApiError::not_found("participant"))?.custodies)
}

/// A source that cannot tell is *unknown*: the person is not told that there is no key.
async fn find_key(app: &App, session: &SessionCaller) -> (CustodyOutcome, Option<KeyView>) {
    let (tenant, signer, now) = (session.0.tenant.clone(), session.0.signer_hash, app.clock.now());
    let found =
        app.store.read(move |connection| store::keys::find_active(connection, &tenant, &signer, now)).await;
    match found {
        Ok(None) => (CustodyOutcome::No, None),
        Ok(Some(row)) => match view(&row) {
            Ok(view) => (CustodyOutcome::Yes, Some(view)),
            Err(error) => {
                tracing::error!(key.id = %row.id, error = error.cause(), "the certificate of a key cannot be read");
                (CustodyOutcome::Unknown, None)
            }
        },
        Err(error) => {
            tracing::error!(%error, "the keys cannot be read");
            (CustodyOutcome::Unknown, None)
        }
    }
}

fn view(row: &KeyRow) -> ApiResult<KeyView> {
    let certificate = Certificate::from_der(&row.certificate).map_err(ApiError::internal)?;
    Ok(KeyView { id: row.id.to_string(), certificate: certificate.view() })
}
