//! Our hardware security module as a source: what the database says of its keys.

use std::sync::Arc;

use rubrica_core::wire::{Custody, KeyView};
use rubrica_core::x509::Certificate;

use crate::ports::{Clock, CustodyQuestion, CustodySource, CustodySourceError, Found, PortFuture};
use crate::store::{self, Store};

/// The active keys of the token whose certificates are valid now.
#[derive(Debug)]
pub(crate) struct HsmKeys {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl HsmKeys {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    async fn find(&self, question: &CustodyQuestion) -> Result<Found, CustodySourceError> {
        let (tenant, signer, now) = (question.tenant.clone(), question.signer, self.clock.now());
        let row = self
            .store
            .read(move |connection| store::keys::find_active(connection, &tenant, &signer, now))
            .await
            .map_err(|error| CustodySourceError(error.to_string()))?;
        let Some(row) = row else { return Ok(Found::Nothing) };
        let certificate = Certificate::from_der(&row.certificate).map_err(|error| {
            CustodySourceError(format!("the certificate of the key {} cannot be read: {error}", row.id))
        })?;
        let view = KeyView { id: row.id.to_string(), certificate: certificate.view() };
        Ok(if view.certificate.not_before <= now { Found::Key(Box::new(view)) } else { Found::Nothing })
    }
}

impl CustodySource for HsmKeys {
    fn custody(&self) -> Custody {
        Custody::Hsm
    }

    fn name(&self) -> &'static str {
        "hsm"
    }

    fn serves(&self, _tenant: &str) -> bool {
        true
    }

    fn needs_identifier(&self) -> bool {
        false
    }

    fn look<'a>(
        &'a self,
        question: &'a CustodyQuestion,
    ) -> PortFuture<'a, Result<Found, CustodySourceError>> {
        Box::pin(self.find(question))
    }
}
