//! What a new signature is about: a document of the session, or one of its order under the rules of the order.

use rubrica_core::Timestamp;
use rubrica_core::wire::{
    Custody, PdfCertification, PdfOptions, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureRequest,
};

use crate::app::App;
use crate::engine::target::Target;
use crate::http::auth::SessionCaller;
use crate::http::documents;
use crate::http::problem::{ApiError, ApiResult};
use crate::ids::DocumentId;
use crate::store;
use crate::store::documents::DocumentRow;
use crate::store::orders::{InOrder, OrderRow};
use crate::store::sessions::SessionOrder;

/// What is signed, and how.
#[derive(Debug)]
pub(super) struct Subject {
    /// What is signed; in an order, the present revision.
    pub(super) document: DocumentRow,
    pub(super) target: Target,
    pub(super) in_order: Option<InOrder>,
    /// When the order expires.
    pub(super) deadline: Option<Timestamp>,
}

impl Subject {
    /// Finds the document and checks what is asked for.
    ///
    /// # Errors
    /// `invalid_request`, `policy_not_applicable`, `not_found` and, in an order, `order_state_conflict`.
    pub(super) async fn of(
        app: &App,
        session: &SessionCaller,
        request: &SignatureRequest,
    ) -> ApiResult<Self> {
        let subject = match &session.0.order {
            Some(order) => Self::in_order(app, session, request, order).await?,
            None => {
                let target = check_target(app, request.format, request.level, request.policy, "")?;
                let document = documents::find(app, &request.document_id, session.scope()).await?;
                Self { document, target, in_order: None, deadline: None }
            }
        };
        if let Some(pdf) = &request.pdf {
            check_pdf_options(pdf, &subject)?;
        }
        Ok(subject)
    }

    /// A document of the order, if it is the participant's turn.
    async fn in_order(
        app: &App,
        session: &SessionCaller,
        request: &SignatureRequest,
        order: &SessionOrder,
    ) -> ApiResult<Self> {
        let not_found = || ApiError::not_found("document");
        let id: DocumentId = request.document_id.parse().map_err(|_| not_found())?;
        let mut document = documents::find(app, &request.document_id, session.scope()).await?;
        let (of, now) = (order.clone(), app.clock.now());
        let place = app
            .store
            .read(move |connection| store::orders::place(connection, &of, &id, now))
            .await?
            .ok_or_else(not_found)?;
        check_rules(&place.order, &place.participant.custodies, request)?;
        let target =
            check_target(app, request.format, Some(place.order.level), place.order.rules.policy, "")?;
        document.apply(&place.revision);
        let in_order = InOrder {
            order_id: order.order_id.clone(),
            participant_id: order.participant_id.clone(),
            base: place.revision,
        };
        Ok(Self { document, target, in_order: Some(in_order), deadline: place.order.deadline })
    }
}

/// What is asked for must be what the order asks for. What is left out is the order's.
fn check_rules(order: &OrderRow, custodies: &[Custody], request: &SignatureRequest) -> ApiResult<()> {
    let rules = &order.rules;
    let other = |pointer: &str, what: &str| {
        Err(ApiError::member(
            pointer,
            format!("the order has another {what}; leave it out or use the order's"),
        ))
    };
    if request.format != rules.format {
        return other("/format", "format");
    }
    if request.level.is_some_and(|level| level != order.level) {
        return other("/level", "level");
    }
    if request.policy != SignaturePolicy::None && request.policy != rules.policy {
        return other("/policy", "policy");
    }
    if !custodies.contains(&request.custody) {
        return Err(ApiError::member("/custody", "the order does not open this custody to the participant"));
    }
    Ok(())
}

/// Level and policy, which have to fit each other and what this instance can do. `within` is the pointer of the object that
/// holds them.
pub(in crate::http) fn check_target(
    app: &App,
    format: SignatureFormat,
    level: Option<SignatureLevel>,
    policy: SignaturePolicy,
    within: &str,
) -> ApiResult<Target> {
    let target = Target::new(format, level, policy).map_err(|error| {
        ApiError::new(error.code(), error.to_string()).at(&format!("{within}{}", error.pointer()))
    })?;
    let pointer = format!("{within}{}", if level.is_some() { "/level" } else { "/policy" });
    if target.needs_time_stamp() && app.time_stamps.is_none() {
        return Err(ApiError::member(
            pointer,
            "no time-stamping authority is configured; only level `b` can be signed",
        ));
    }
    if target.needs_evidence() && app.fetcher.is_none() {
        return Err(ApiError::member(
            pointer,
            "revocation data are not fetched; levels up to `t` can be signed",
        ));
    }
    Ok(target)
}

/// What core cannot tell apart any more.
fn check_pdf_options(pdf: &PdfOptions, subject: &Subject) -> ApiResult<()> {
    if subject.target.format == SignatureFormat::Cades {
        return Err(ApiError::member("/pdf", "only for the format `pades`"));
    }
    if pdf.field.is_some() && pdf.new_field.is_some() {
        return Err(ApiError::member("/pdf/new_field", "give `field` or `new_field`, not both"));
    }
    if subject.in_order.is_some() && pdf.certification == Some(PdfCertification::NoChanges) {
        return Err(ApiError::member("/pdf/certification", "it would lock out the next participant"));
    }
    Ok(())
}
