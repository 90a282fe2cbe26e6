//! `GET /v1/custody`: the sequential check, for the signer of a session or for anybody a backend asks about.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use rubrica_core::ErrorCode;
use rubrica_core::custody::{Holder, Wanted};
use rubrica_core::event::{CustodyResolved, EventData};
use rubrica_core::icp_brasil::{Identifier, InvalidIdentifier};
use rubrica_core::wire::{Custody, CustodyAnswer};

use super::auth::{SessionCaller, SessionOr};
use super::documents::parameter;
use super::json::Json;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::custody::Checked;
use crate::lookup::SignerHash;
use crate::permission::needs;
use crate::ports::CustodyQuestion;
use crate::{hex, store};

/// Finds where the key of a signer lives.
///
/// A page asks about the signer of its session, a backend about a CPF or CNPJ. The sources are asked in order, up to the first
/// that has a key; each is listed with its outcome and its time. A source that fails or is slow is `unknown`, never `no`: then
/// nobody is offered to enrol. In an order only the custodies that are open to the participant count.
#[utoipa::path(
    get,
    path = "/v1/custody",
    tag = "custody",
    security(("session" = []), ("api_key" = ["custody:read"]), ("person" = ["custody:read"])),
    params(
        ("identifier" = Option<String>, Query, example = "52998224725", description = "CPF (11 digits) or CNPJ (14 characters) \
            without punctuation. A backend must give it, a session must not: it has its own signer"),
    ),
    extensions(("x-error-codes" = json!([ErrorCode::CpfInvalid, ErrorCode::CnpjInvalid]))),
    responses((status = 200, description = "Where to sign, or what the person may choose from", body = CustodyAnswer)),
)]
pub(super) async fn show_custody(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::CustodyRead>,
    query: RawQuery,
) -> ApiResult<Json<CustodyAnswer>> {
    let named = parameter(&query, "identifier");
    let (question, is_company, order) = match (caller.session(), named) {
        (Some(session), None) => (of_session(&app, session), session.0.signer_is_company(), Some(session)),
        (None, Some(text)) => {
            let identifier: Identifier = text.parse().map_err(|invalid: InvalidIdentifier| {
                ApiError::new(invalid.code(), format!("identifier is {invalid}"))
            })?;
            let is_company = matches!(identifier, Identifier::Cnpj(_));
            let (tenant, signer) = (caller.tenant().to_owned(), app.lookup.hash(&identifier));
            (CustodyQuestion { tenant, signer, identifier: Some(identifier) }, is_company, None)
        }
        (Some(_), Some(_)) => {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "leave `identifier` out: a session asks about its own signer",
            ));
        }
        (None, None) => {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "`identifier` is a CPF of 11 digits or a CNPJ of 14 characters",
            ));
        }
    };
    let holder = match is_company {
        _ if app.is_own_company(&question.tenant, &question.signer) => Holder::OwnCompany,
        true => Holder::OtherCompany,
        false => Holder::Person,
    };
    let open = open_custodies(&app, &question.tenant, order).await?;
    let rules = app.config.custody.rules(&question.tenant);
    let wanted = Wanted { holder, open };
    let checked = app.custody.check(&rules, app.config.custody.cache(), &wanted, &question).await;
    if let Some(session) = order {
        tell(&app, session, &checked).await;
    }
    Ok(Json(answer(checked)))
}

fn answer(checked: Checked) -> CustodyAnswer {
    let options = checked.decision.options();
    CustodyAnswer {
        custody: checked.decision.custody,
        key: checked.key.filter(|_| checked.decision.custody == Some(Custody::Hsm)),
        services: match checked.decision.custody {
            Some(Custody::Lacuna) => checked.services,
            _ => Vec::new(),
        },
        options,
        offers: checked.decision.offers,
        preselected: checked.decision.preselected,
        certain: checked.decision.certain,
        sources: checked.decision.sources,
    }
}

fn of_session(app: &App, session: &SessionCaller) -> CustodyQuestion {
    CustodyQuestion {
        tenant: session.0.tenant.clone(),
        signer: session.0.signer_hash,
        identifier: session.0.identifier(&app.signer_sealing),
    }
}

/// Custodies that this instance has for the tenant and that the order, when there is one, opens to its participant.
async fn open_custodies(app: &App, tenant: &str, session: Option<&SessionCaller>) -> ApiResult<Vec<Custody>> {
    let mut open = app.custody.custodies(tenant);
    open.push(Custody::Local);
    if let Some(order) = session.and_then(|session| session.0.order.clone()) {
        let participant = app
            .store
            .read(move |connection| {
                store::orders::find_participant(connection, &order.order_id, &order.participant_id)
            })
            .await?;
        let allowed = participant.ok_or_else(|| ApiError::not_found("participant"))?.custodies;
        open.retain(|custody| allowed.contains(custody));
    }
    Ok(open)
}

/// Tells the result once in a session, and again when it is another one. The page does not wait for what cannot be told.
async fn tell(app: &App, session: &SessionCaller, checked: &Checked) {
    let decision = &checked.decision;
    let sources: Vec<_> = decision.sources.iter().map(|one| (one.source, one.outcome)).collect();
    let result = serde_json::to_string(&(decision.custody, &sources)).expect("enums are JSON");
    let (id, asked) = (session.0.id.clone(), result.clone());
    let is_told = app.store.read(move |connection| store::sessions::custody_is_told(connection, &id, &asked));
    if is_told.await.unwrap_or(false) {
        return;
    }
    let SignerHash(signer) = session.0.signer_hash;
    let order = session.0.order.as_ref();
    let data = EventData::CustodyResolved(CustodyResolved {
        session_id: session.0.id.to_string(),
        order_id: order.map(|order| order.order_id.to_string()),
        participant_id: order.map(|order| order.participant_id.to_string()),
        signer: hex::encode(signer),
        custody: decision.custody,
        certain: decision.certain,
        sources: decision.sources.clone(),
    });
    let event = store::outbox::event(Some(&session.0.tenant), app.clock.now(), data);
    let id = session.0.id.clone();
    let told = app
        .store
        .write(move |connection| store::sessions::tell_custody(connection, &id, &result, &event))
        .await;
    if let Err(error) = told {
        tracing::warn!(session.id = %session.0.id, %error, "the result of a custody check was not told");
    }
}
