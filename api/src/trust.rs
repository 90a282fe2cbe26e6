//! Which certificates may sign: trust anchors, paths, and whose certificate it is.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rubrica_core::validation::Context;
use rubrica_core::x509::{
    Certificate, CertificateError, PathError, SignerCertificateError, TrustAnchors, build_path,
};
use rubrica_core::{ErrorCode, Timestamp};

use crate::config;
use crate::failure::Failure;
use crate::lookup::{LookupKey, SignerHash};

const ICP_BRASIL: &str = include_str!("../trust/icp-brasil.pem");

/// A path is built again after this time, even when its certificates last longer.
const PATH_KEPT: Duration = Duration::from_mins(10);
/// Paths kept at most; then all are forgotten and built again as they are needed.
const MOST_PATHS: usize = 10_000;

/// The configured trust.
#[derive(Debug)]
pub(crate) struct Trust {
    anchors: TrustAnchors,
    intermediates: Vec<Certificate>,
    paths: Mutex<HashMap<[u8; 32], KnownPath>>,
}

#[derive(Debug, Clone)]
struct KnownPath {
    until: Timestamp,
    chain: Arc<[Certificate]>,
}

/// Why a certificate may not sign here. The texts name no subject.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Refusal {
    /// Expired, not valid yet, not for signing, or with a key that is not supported.
    #[error(transparent)]
    Certificate(#[from] SignerCertificateError),
    /// No path to a trusted root.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Another person's certificate, or one that names nobody.
    #[error("the CPF or CNPJ of the certificate is not the one of the session")]
    WrongPerson,
}

impl Refusal {
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Certificate(error) => error.code(),
            Self::Path(error) => error.code(),
            Self::WrongPerson => ErrorCode::CertificateWrongPerson,
        }
    }
}

impl Trust {
    /// Reads the configured files.
    pub(crate) fn load(config: &config::Trust) -> Result<Self, Failure> {
        let mut anchors = if config.icp_brasil { icp_brasil_roots() } else { Vec::new() };
        anchors.extend(read_certificates(&config.anchors)?);
        Ok(Self::new(anchors, read_certificates(&config.intermediates)?))
    }

    pub(crate) fn new(anchors: Vec<Certificate>, intermediates: Vec<Certificate>) -> Self {
        Self { anchors: TrustAnchors::new(anchors), intermediates, paths: Mutex::default() }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    pub(crate) fn anchor_count(&self) -> usize {
        self.anchors.certificates().len()
    }

    /// Accepts a certificate for a signature of `signer` now. Gives the certificates between signer and root.
    pub(crate) fn accept(
        &self,
        certificate: &Certificate,
        signer: &SignerHash,
        lookup: &LookupKey,
        now: Timestamp,
    ) -> Result<Arc<[Certificate]>, Refusal> {
        certificate.check_signer(now)?;
        let chain = self.chain(certificate, now)?;
        let holder = certificate.identity().identifier.map(|identifier| lookup.hash(&identifier));
        if holder != Some(*signer) {
            return Err(Refusal::WrongPerson);
        }
        Ok(chain)
    }

    /// The certificates between a signer and a trusted root, without both.
    pub(crate) fn chain(
        &self,
        certificate: &Certificate,
        now: Timestamp,
    ) -> Result<Arc<[Certificate]>, PathError> {
        if let Some(chain) = self.known_chain(certificate, now) {
            return Ok(chain);
        }
        let path = build_path(certificate, &self.intermediates, &self.anchors, now)?;
        let until = path.iter().map(Certificate::not_after).min().unwrap_or(now).min(now.plus(PATH_KEPT));
        let between = path.len().saturating_sub(1).max(1);
        let chain: Arc<[Certificate]> = path[1..between].into();
        let mut paths = self.paths();
        if paths.len() >= MOST_PATHS {
            paths.clear();
        }
        paths.insert(path_key(certificate), KnownPath { until, chain: Arc::clone(&chain) });
        Ok(chain)
    }

    /// Whether [`Trust::chain`] and [`Trust::accept`] verify no signature for this certificate.
    pub(crate) fn knows_path(&self, certificate: &Certificate, now: Timestamp) -> bool {
        self.known_chain(certificate, now).is_some()
    }

    fn known_chain(&self, certificate: &Certificate, now: Timestamp) -> Option<Arc<[Certificate]>> {
        let paths = self.paths();
        let known = paths.get(&path_key(certificate)).filter(|known| now < known.until)?;
        Some(Arc::clone(&known.chain))
    }

    /// What the validation of a new signature relies on: its signer, whose path to a root is known or built now.
    ///
    /// A path costs more than all other checks of a signature together, and it is the same for every signature of a key.
    ///
    /// # Errors
    /// The path is not valid at this time.
    pub(crate) fn context_for(&self, signer: &Certificate, at: Timestamp) -> Result<Context, PathError> {
        self.chain(signer, at)?;
        Ok(Context::new(TrustAnchors::new(vec![signer.clone()]), at).without_revocation())
    }

    /// The trusted roots.
    pub(crate) fn anchors(&self) -> TrustAnchors {
        self.anchors.clone()
    }

    /// The configured certificates between signers and roots.
    pub(crate) fn intermediates(&self) -> Vec<Certificate> {
        self.intermediates.clone()
    }

    fn paths(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], KnownPath>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path_key(certificate: &Certificate) -> [u8; 32] {
    certificate.sha256().as_bytes().try_into().expect("a certificate's digest is SHA-256")
}

/// The roots of ICP-Brasil for people and companies, v5 and v12.
pub(crate) fn icp_brasil_roots() -> Vec<Certificate> {
    Certificate::bundle_from_bytes(ICP_BRASIL.as_bytes()).expect("a test reads the compiled-in roots")
}

/// Reads the certificates of PEM, DER or PKCS#7 files.
pub(crate) fn read_certificates(files: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut certificates = Vec::new();
    for file in files {
        certificates.extend(read_bundle(file)?);
    }
    Ok(certificates)
}

fn read_bundle(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let bytes = std::fs::read(file).map_err(|error| {
        Failure::new(
            ErrorCode::FileUnreadable,
            format!("cannot read the certificates in {}: {error}", file.display()),
            "Check the path and its permissions",
        )
    })?;
    Certificate::bundle_from_bytes(&bytes).map_err(|error: CertificateError| {
        Failure::new(
            error.code(),
            format!("{}: {error}", file.display()),
            "Give a file of certificates, PEM or DER",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_roots_are_those_of_the_policies() {
        let fingerprints: Vec<_> = icp_brasil_roots().iter().map(|root| root.sha256().to_hex()).collect();
        assert_eq!(
            fingerprints,
            [
                "caa53fc6091c6951887c976e378f6ef89aa6377c55d97b6475422b71ed7e9b17",
                "d8478e37ce19c690cf657381e68fe600e4e1a042536830f06847e03e554c4b01",
            ]
        );
    }
}
