//! A cloud service as a source: it is asked by the number itself.

use std::sync::Arc;

use rubrica_core::wire::Custody;

use crate::ports::cloud::{CloudKeys, Holds};
use crate::ports::{CustodyQuestion, CustodySource, CustodySourceError, Found, PortFuture};

/// One service of the configuration.
#[derive(Debug)]
pub(crate) struct CloudKeysSource {
    name: String,
    /// Nobody named is everybody.
    tenants: Vec<String>,
    service: Arc<dyn CloudKeys>,
}

impl CloudKeysSource {
    pub(crate) fn new(name: String, tenants: Vec<String>, service: Arc<dyn CloudKeys>) -> Self {
        Self { name, tenants, service }
    }

    async fn find(&self, question: &CustodyQuestion) -> Result<Found, CustodySourceError> {
        let unknown = |what: &str| CustodySourceError(what.to_owned());
        let identifier = question.identifier.as_ref();
        let identifier = identifier.ok_or_else(|| unknown("the number of the signer is not known"))?;
        match self.service.holds(identifier).await {
            Ok(Holds::Yes) => Ok(Found::Services { holding: vec![self.name.clone()], in_doubt: false }),
            Ok(Holds::No) => Ok(Found::Nothing),
            Ok(Holds::Unknown) => Ok(Found::Services { holding: Vec::new(), in_doubt: true }),
            Err(error) => Err(CustodySourceError(error.to_string())),
        }
    }
}

impl CustodySource for CloudKeysSource {
    fn custody(&self) -> Custody {
        Custody::Lacuna
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn serves(&self, tenant: &str) -> bool {
        self.tenants.is_empty() || self.tenants.iter().any(|one| one == tenant)
    }

    fn needs_identifier(&self) -> bool {
        true
    }

    fn look<'a>(
        &'a self,
        question: &'a CustodyQuestion,
    ) -> PortFuture<'a, Result<Found, CustodySourceError>> {
        Box::pin(self.find(question))
    }
}
