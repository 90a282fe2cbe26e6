//! A key that comes in a PKCS#12 file.
//!
//! Everything that can be wrong with the file is found before anything of it is on the token: whether it opens, whether key and
//! certificate belong together, whose the certificate is. File and password are in memory alone and wiped.

use rubrica_core::ErrorCode;
use rubrica_core::pkcs12::{self, Ciphers};
use rubrica_core::wire::EnrolmentMethod;
use rubrica_core::x509::{Certificate, PublicKey};
use tokio::sync::Semaphore;

use super::{CHALLENGE, EnrolmentError, Holder, begin, check, end_if_failed, register, token};
use crate::adapters::software_key::SoftwareKey;
use crate::app::App;
use crate::ports::{KeyAlgorithm, KeyWork};
use crate::secret::{Secret, SecretBytes};
use crate::store::enrolments::EnrolmentRow;
use crate::store::{Connection, StoreError};

/// Files that are opened at the same time: deriving keys from passwords is made to cost a lot.
static TURNS: Semaphore = Semaphore::const_new(2);

/// What a file holds, proven to belong together.
pub(crate) struct Opened {
    certificate: Certificate,
    algorithm: KeyAlgorithm,
    pkcs8: SecretBytes,
}

impl Opened {
    /// Opens a file.
    ///
    /// # Errors
    /// `p12_malformed`, `wrong_password`, `p12_weak_cipher`, `p12_several_keys`, `certificate_malformed`, `key_unsupported`,
    /// `certificate_key_mismatch`.
    pub(crate) async fn from_file(file: SecretBytes, password: Secret) -> Result<Self, EnrolmentError> {
        let _turn = TURNS.acquire().await.expect("the semaphore is never closed");
        let opened = tokio::task::spawn_blocking(move || read(&file, &password)).await;
        opened.map_err(|_| EnrolmentError::refused(ErrorCode::Internal, "the file could not be opened"))?
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

fn read(file: &SecretBytes, password: &Secret) -> Result<Opened, EnrolmentError> {
    let contents = pkcs12::open(file.expose(), password.expose(), Ciphers::Strong)
        .map_err(|error| EnrolmentError::refused(error.code(), error.to_string()))?;
    let unsupported =
        || EnrolmentError::refused(ErrorCode::KeyUnsupported, "the token takes RSA, P-256 and P-384");
    let certificate = contents.certificate();
    let public_key = certificate.public_key().map_err(|_| unsupported())?;
    let algorithm = algorithm_of(&public_key).ok_or_else(unsupported)?;
    let key = SoftwareKey::from_pkcs8(contents.key()).map_err(|_| unsupported())?;
    let value = key.sign(CHALLENGE).map_err(|_| unsupported())?;
    public_key.verify_message(public_key.signature_algorithm(), CHALLENGE, &value).map_err(|_| {
        let detail = "the certificate in the file is for another key";
        EnrolmentError::refused(ErrorCode::CertificateKeyMismatch, detail)
    })?;
    let pkcs8 = SecretBytes::new(contents.key().to_vec());
    Ok(Opened { certificate: certificate.clone(), algorithm, pkcs8 })
}

fn algorithm_of(key: &PublicKey) -> Option<KeyAlgorithm> {
    let kind = key.describe();
    if kind.starts_with("RSA") {
        return Some(KeyAlgorithm::Rsa);
    }
    kind.starts_with("P-").then_some(KeyAlgorithm::Ec)
}

/// Brings the key into the token, has it prove itself there, and registers it. `with` joins the transaction that does.
pub(crate) async fn import(
    app: &App,
    holder: Holder,
    opened: Opened,
    with: impl FnOnce(&Connection, &EnrolmentRow) -> Result<(), StoreError> + Send + 'static,
) -> Result<EnrolmentRow, EnrolmentError> {
    let Opened { certificate, algorithm, pkcs8 } = opened;
    let keys = token(app)?;
    check(app, &holder.tenant, &holder.signer_hash, &certificate)?;
    let row = begin(app, holder, EnrolmentMethod::Import, algorithm).await?;
    let done = async {
        let work = KeyWork::Import { key: row.reference.clone(), label: row.id.to_string(), pkcs8 };
        keys.change(work).await?;
        register(app, row.clone(), &certificate, with).await
    };
    end_if_failed(app, &row, done.await).await
}
