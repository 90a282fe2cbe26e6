//! Who makes the signatures of a tenant: our own code, or a program or service that the configuration names.

use std::sync::Arc;

use rubrica_core::wire::{PdfOptions, SignatureLevel, SignaturePolicy};
use rubrica_core::x509::{Certificate, SignatureAlgorithm};

use crate::adapters::pki_express::PkiExpress;
use crate::config::{self, ComposerChoice, Config};
use crate::data_folder::DataFolder;
use crate::engine::target::Target;
use crate::failure::Failure;
use crate::ports::composer::{Composer, ComposerError, ComposerName};

/// Those that are configured.
#[derive(Debug)]
pub(crate) struct Composers {
    rules: config::Composer,
    pki_express: Option<Arc<dyn Composer>>,
}

impl Composers {
    /// Opens what the configuration names. What an earlier run left of its work is removed.
    ///
    /// # Errors
    /// `data_folder_unwritable`, `file_unreadable` for a secret.
    pub(crate) fn open(config: &Config, folder: &DataFolder) -> Result<Self, Failure> {
        let pki_express: Option<Arc<dyn Composer>> = if config.composer.names(ComposerChoice::PkiExpress) {
            Some(Arc::new(PkiExpress::open(&config.pki_express, &folder.work("pki-express"))?))
        } else {
            None
        };
        Ok(Self { rules: config.composer.clone(), pki_express })
    }

    /// Who makes a signature of this tenant; `None` for our own code, which also makes whatever the others do not.
    pub(crate) fn of(
        &self,
        tenant: &str,
        target: Target,
        signer: &Certificate,
        pdf: &PdfOptions,
    ) -> Option<&Arc<dyn Composer>> {
        let configured = match self.rules.of(tenant) {
            ComposerChoice::Own => None,
            ComposerChoice::PkiExpress => self.pki_express.as_ref(),
        }?;
        let is_rsa = signer
            .public_key()
            .is_ok_and(|key| key.signature_algorithm() == SignatureAlgorithm::RsaPkcs1Sha256);
        let is_plain = target.level == SignatureLevel::B
            && matches!(target.policy, SignaturePolicy::None | SignaturePolicy::AdRb)
            && *pdf == PdfOptions::default();
        (is_rsa && is_plain).then_some(configured)
    }

    /// The one that began a signature.
    ///
    /// # Errors
    /// It is not configured any more.
    pub(crate) fn named(&self, name: ComposerName) -> Result<&Arc<dyn Composer>, ComposerError> {
        let found = match name {
            ComposerName::PkiExpress => self.pki_express.as_ref(),
        };
        found.ok_or_else(|| ComposerError::Unavailable(format!("{name} is not configured any more")))
    }
}
