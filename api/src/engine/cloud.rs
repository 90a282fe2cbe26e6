//! The use of a key at a cloud service.
//!
//! Every call for a signature is counted and committed before it is made. A permission for one use is therefore never used
//! twice: when nobody knows whether the service acted, the signature ends, and the person is told.

use std::time::Duration;

use rubrica_core::Timestamp;
use rubrica_core::wire::AuthorizationScope;

use super::artefact::SigningFailure;
use super::plan::Plan;
use crate::app::App;
use crate::ports::cloud::CloudError;
use crate::store::signatures::SignatureRow;
use crate::store::tasks::Lease;
use crate::store::{self, StoreError};

/// How long a signature may wait for a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    /// The service is not asked earlier.
    pub(super) pause: Duration,
    /// The permission ends then.
    pub(super) until: Timestamp,
}

/// Before a service that does not answer is asked again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why there is no value.
#[derive(Debug)]
pub(super) enum NoValue {
    /// The same may be tried again later: the key was not used, or may be used again.
    Later {
        failure: SigningFailure,
        wait: Wait,
    },
    /// The signature ends.
    Failed(SigningFailure),
    Store(StoreError),
}

impl From<StoreError> for NoValue {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Has the digest of the plan signed, verifies the value and commits it.
pub(super) async fn sign(
    app: &App,
    lease: &Lease,
    row: &SignatureRow,
    plan: &Plan,
) -> Result<Vec<u8>, NoValue> {
    let failed = |error: CloudError| NoValue::Failed(error.into());
    let id = row.authorization_id.clone();
    let id = id.ok_or(StoreError::Damaged { column: "signature.authorization_id" })?;
    let (of, by, held, now) = (id.clone(), row.id.clone(), lease.clone(), app.clock.now());
    let (permission, documents, begun) = app
        .store
        .write(move |connection| {
            store::tasks::hold(connection, &held)?;
            let begun = store::authorizations::begin_use(connection, &of, &by, now)?;
            let documents = store::authorizations::documents(connection, &of)?;
            Ok((store::authorizations::load(connection, &of)?, documents, begun))
        })
        .await?;
    let permission = permission.ok_or(StoreError::Damaged { column: "signature.authorization_id" })?;
    let is_for_one = permission.scope == AuthorizationScope::One;
    if !begun {
        let is_own = permission.signature_id.as_ref() == Some(&row.id);
        if is_for_one && is_own && permission.uses > 0 && permission.sealed.is_some() {
            end_use(app, &permission).await?;
            let what = "the work on it ended while the service was asked".to_owned();
            return Err(failed(CloudError::AnswerLost(what)));
        }
        return Err(failed(CloudError::Permission("the permission is over or used up")));
    }
    let Some(service) = app.cloud.find(&permission.service, &permission.tenant) else {
        return Err(failed(CloudError::Permission("the service is not configured any more")));
    };
    let wait = |rest: Duration| {
        let age = Duration::from_millis(app.clock.now().unix_ms().saturating_sub(row.created_at.unix_ms()));
        Wait { pause: (age / 4).clamp(FIRST_PAUSE, LONGEST_PAUSE).max(rest), until: permission.expires_at }
    };
    let Some(secret) = app.cloud.open_secret(&permission, &documents) else {
        end_use(app, &permission).await?;
        return Err(failed(CloudError::Permission(
            "the secret was not kept for this person and these documents",
        )));
    };
    match service.sign_hash(&secret, plan.digest()).await {
        Ok(value) => {
            let verified = plan.verify(&value);
            let (used, kept, held) = (permission.clone(), value.clone(), lease.clone());
            let (signature, is_good, now) = (row.id.clone(), verified.is_ok(), app.clock.now());
            app.store
                .write(move |connection| {
                    store::tasks::hold(connection, &held)?;
                    store::authorizations::use_up(connection, &used, now)?;
                    if is_good {
                        store::signatures::keep_value(connection, &signature, &kept)
                    } else {
                        Ok(())
                    }
                })
                .await?;
            verified.map(|()| value).map_err(NoValue::Failed)
        }
        Err(CloudError::Unavailable { what, rest }) => {
            app.store.write(move |connection| store::authorizations::undo_use(connection, &id)).await?;
            Err(NoValue::Later { failure: CloudError::Unavailable { what, rest }.into(), wait: wait(rest) })
        }
        // The same digest again gives the same signature, and this permission allows it.
        Err(error @ CloudError::AnswerLost(_)) if !is_for_one => {
            Err(NoValue::Later { failure: error.into(), wait: wait(Duration::ZERO) })
        }
        Err(error) => {
            end_use(app, &permission).await?;
            Err(failed(error))
        }
    }
}

/// A permission for one use is over, whatever came of it.
async fn end_use(app: &App, permission: &store::authorizations::AuthorizationRow) -> Result<(), StoreError> {
    let (used, now) = (permission.clone(), app.clock.now());
    app.store.write(move |connection| store::authorizations::use_up(connection, &used, now)).await
}
