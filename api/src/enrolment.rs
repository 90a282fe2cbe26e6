//! How a key comes into the token: made there and certified, or imported.
//!
//! The row of an enrolment is committed before the token hears of it and names the key's `CKA_ID`. So whatever a failure or a
//! crash leaves on the token stands in the database, and the sweep destroys it. A key is registered, and can sign, only when
//! its certificate fits the person and a challenge signed with it verifies.

mod csr;
mod import;
pub(crate) mod sweep;

use std::time::{Duration, Instant};

use rubrica_core::ErrorCode;
use rubrica_core::custody::{Authority, Holder as KeyHolder};
use rubrica_core::icp_brasil::Identifier;
use rubrica_core::wire::{CustodyOffer, Enrolment, EnrolmentMethod, EnrolmentState};
use rubrica_core::x509::{Certificate, PublicKey};

use crate::app::App;
use crate::ids::{ConsentId, EnrolmentId, KeyId, SessionId};
use crate::lookup::SignerHash;
use crate::objects::sha256;
use crate::ports::{DigestToSign, KeyAlgorithm, KeyReference, KeyStore, KeyWork, SigningKeyError};
use crate::random;
use crate::store::enrolments::EnrolmentRow;
use crate::store::keys::{KeyRow, KeyState};
use crate::store::{self, Connection, StoreError};

/// How long a certificate is awaited: some authorities verify the person face to face.
const CERTIFICATE_AWAITED: Duration = Duration::from_hours(30 * 24);
/// How long a new key may take to show everywhere on the token.
const SHOWS_WITHIN: Duration = Duration::from_secs(10);
const LOOKED_FOR_EVERY: Duration = Duration::from_millis(50);
/// What is signed to prove the key begins with this, so that it can be nothing else.
const CHALLENGE: &[u8] = b"Rubrica: proof of possession of an enrolled key\n";

/// Why an enrolment did not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EnrolmentError {
    /// It may not go on like this. The text names nobody.
    #[error("{detail}")]
    Refused { code: ErrorCode, detail: String },
    /// The token did not do it.
    #[error(transparent)]
    Token(#[from] SigningKeyError),
    /// The database did not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EnrolmentError {
    fn refused(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Refused { code, detail: detail.into() }
    }

    /// What the row says about a failure.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Token(error) => crate::http::problem::token_error_code(error),
            Self::Store(_) => ErrorCode::DatabaseUnavailable,
        }
    }
}

pub(crate) use import::{Opened, import};

/// An enrolment as the API shows it, with the certificate of its key when there is one.
pub(crate) fn view(row: &EnrolmentRow, certificate: Option<&Certificate>) -> Enrolment {
    Enrolment {
        id: row.id.to_string(),
        method: row.method,
        state: row.state,
        consent_id: row.consent_id.as_ref().map(ToString::to_string),
        csr: row.csr.as_deref().map(csr::to_pem),
        key_id: row.key_id.as_ref().map(ToString::to_string),
        certificate: certificate.map(Certificate::view),
        code: row.code,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}

/// Whose key comes in, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) tenant: String,
    pub(crate) signer_hash: SignerHash,
    /// As in the request for a certificate.
    pub(crate) name: String,
    /// `None` at the command line.
    pub(crate) session_id: Option<SessionId>,
    /// `None` for keys of the tenant's own.
    pub(crate) consent_id: Option<ConsentId>,
}

/// Has the token make a key and request its certificate. `with` joins the transaction that ends it.
pub(crate) async fn generate(
    app: &App,
    holder: Holder,
    algorithm: KeyAlgorithm,
    with: impl FnOnce(&Connection, &EnrolmentRow) -> Result<(), StoreError> + Send + 'static,
) -> Result<EnrolmentRow, EnrolmentError> {
    let keys = token(app)?;
    let name = holder.name.clone();
    let row = begin(app, holder, EnrolmentMethod::Generate, algorithm).await?;
    let made = async {
        let work = KeyWork::Generate { key: row.reference.clone(), label: row.id.to_string() };
        let spki = keys.change(work).await?;
        let request = csr::Request::new(&name, &spki).ok_or_else(|| {
            EnrolmentError::refused(ErrorCode::KeyUnsupported, "its public key is not supported")
        })?;
        let value = sign(keys, &row.reference, &spki, request.to_be_signed()).await?;
        let csr = request.signed(&value);
        let begun = row.clone();
        let done = app.store.write(move |connection| {
            let Some(row) = store::enrolments::made(connection, &begun, &spki, &csr)? else {
                return Ok(None);
            };
            with(connection, &row)?;
            Ok(Some(row))
        });
        done.await?
            .ok_or_else(|| EnrolmentError::refused(ErrorCode::ConsentRequired, "it was taken back meanwhile"))
    };
    end_if_failed(app, &row, made.await).await
}

/// Takes the certificate of a key that the token made, has the key prove itself, and registers it.
///
/// A refusal changes nothing: another certificate may be brought.
pub(crate) async fn certify(
    app: &App,
    row: EnrolmentRow,
    certificates: &[Certificate],
) -> Result<EnrolmentRow, EnrolmentError> {
    match row.state {
        EnrolmentState::AwaitingCertificate => {}
        EnrolmentState::Creating
        | EnrolmentState::Completed
        | EnrolmentState::Cancelled
        | EnrolmentState::Failed => {
            return Err(conflict());
        }
    }
    if row.expires_at <= app.clock.now() {
        return Err(EnrolmentError::refused(ErrorCode::EnrolmentExpired, "begin another enrolment"));
    }
    let public_key = row.public_key.as_deref().unwrap_or_default();
    let certificate = certificates
        .iter()
        .find(|certificate| certificate.public_key_der() == public_key)
        .ok_or_else(|| {
            EnrolmentError::refused(
                ErrorCode::CertificateKeyMismatch,
                "none of the certificates is for the key of this enrolment",
            )
        })?;
    check(app, &row.tenant, &row.signer_hash, certificate)?;
    register(app, row, certificate, |_, _| Ok(())).await
}

/// Takes an enrolment back whose certificate did not come, and destroys its key.
pub(crate) async fn cancel(app: &App, row: &EnrolmentRow) -> Result<EnrolmentRow, EnrolmentError> {
    let (id, tenant, now) = (row.id.clone(), row.tenant.clone(), app.clock.now());
    let after = app.store.write(move |connection| {
        store::enrolments::cancel(connection, &id, now)?;
        store::enrolments::find(connection, &id, &tenant, None)
    });
    let after = after.await?.ok_or(StoreError::Damaged { column: "enrolment.id" })?;
    if after.state != EnrolmentState::Cancelled {
        return Err(conflict());
    }
    // At another process, or later, when this one cannot.
    sweep::round(app).await;
    Ok(after)
}

fn conflict() -> EnrolmentError {
    EnrolmentError::refused(
        ErrorCode::EnrolmentStateConflict,
        "only an enrolment that waits for its certificate can go on, or be taken back",
    )
}

fn token(app: &App) -> Result<&dyn KeyStore, EnrolmentError> {
    app.keys.as_deref().ok_or_else(|| {
        EnrolmentError::refused(ErrorCode::TokenUnavailable, "this process works without a token")
    })
}

async fn begin(
    app: &App,
    holder: Holder,
    method: EnrolmentMethod,
    algorithm: KeyAlgorithm,
) -> Result<EnrolmentRow, EnrolmentError> {
    let now = app.clock.now();
    let row = EnrolmentRow {
        id: EnrolmentId::generate(),
        tenant: holder.tenant,
        signer_hash: holder.signer_hash,
        session_id: holder.session_id,
        consent_id: holder.consent_id,
        method,
        state: EnrolmentState::Creating,
        reference: KeyReference { id: random::bytes::<20>().to_vec(), algorithm },
        public_key: None,
        csr: None,
        key_id: None,
        code: None,
        created_at: now,
        expires_at: now.plus(CERTIFICATE_AWAITED),
    };
    let new = row.clone();
    if app.store.write(move |connection| store::enrolments::insert(connection, &new)).await? {
        return Ok(row);
    }
    Err(EnrolmentError::refused(ErrorCode::ConsentRequired, "the consent was taken back"))
}

/// Whether the certificate is this person's, may sign, and may be kept.
fn check(
    app: &App,
    tenant: &str,
    signer: &SignerHash,
    certificate: &Certificate,
) -> Result<(), EnrolmentError> {
    app.trust
        .accept(certificate, signer, &app.lookup, app.clock.now())
        .map_err(|refusal| EnrolmentError::refused(refusal.code(), refusal.to_string()))?;
    let identity = certificate.identity();
    let is_company = matches!(identity.identifier, Some(Identifier::Cnpj(_)));
    // What carries a policy of ICP-Brasil counts as ICP-Brasil, whoever issued it.
    let authority = if identity.icp_type.is_some() { Authority::IcpBrasil } else { Authority::Private };
    permit(app, tenant, signer, is_company, authority)
}

/// Whether the tenant may keep a key of this person or company.
fn permit(
    app: &App,
    tenant: &str,
    signer: &SignerHash,
    is_company: bool,
    authority: Authority,
) -> Result<(), EnrolmentError> {
    let holder = match is_company {
        _ if app.is_own_company(tenant, signer) => KeyHolder::OwnCompany,
        true => KeyHolder::OtherCompany,
        false => KeyHolder::Person,
    };
    if app.config.custody.rules(tenant).basis.permits(holder, authority) {
        return Ok(());
    }
    Err(EnrolmentError::refused(
        ErrorCode::AccreditationRequired,
        "on the ground of `custody.basis` keys of this holder may not be kept",
    ))
}

/// Whether a person may bring a key in this way: the tenant offers it, and may keep it as far as is known before there is a
/// certificate.
pub(crate) fn offered(
    app: &App,
    holder: &Holder,
    is_company: bool,
    method: EnrolmentMethod,
) -> Result<(), EnrolmentError> {
    let offer = match method {
        EnrolmentMethod::Generate => CustodyOffer::HsmGenerate,
        EnrolmentMethod::Import => CustodyOffer::HsmImport,
    };
    if !app.config.custody.rules(&holder.tenant).offers.contains(&offer) {
        return Err(EnrolmentError::refused(ErrorCode::Forbidden, "`custody.offers` has no such way"));
    }
    permit(app, &holder.tenant, &holder.signer_hash, is_company, Authority::NotKnownYet)
}

/// Whether the tenant may keep a key of this company, as far as is known before there is a certificate.
pub(crate) fn permit_company(app: &App, holder: &Holder) -> Result<(), EnrolmentError> {
    permit(app, &holder.tenant, &holder.signer_hash, true, Authority::NotKnownYet)
}

/// Has the key prove itself, puts its certificate beside it, and registers it. `with` joins the transaction that does.
async fn register(
    app: &App,
    row: EnrolmentRow,
    certificate: &Certificate,
    with: impl FnOnce(&Connection, &EnrolmentRow) -> Result<(), StoreError> + Send + 'static,
) -> Result<EnrolmentRow, EnrolmentError> {
    let keys = token(app)?;
    let challenge = [CHALLENGE, &random::bytes::<32>()].concat();
    sign(keys, &row.reference, certificate.public_key_der(), &challenge).await?;
    let work = KeyWork::StoreCertificate {
        key_id: row.reference.id.clone(),
        label: row.id.to_string(),
        certificate: certificate.der().to_vec(),
    };
    keys.change(work).await?;
    let key = KeyRow {
        id: KeyId::generate(),
        tenant: row.tenant.clone(),
        signer_hash: row.signer_hash,
        reference: row.reference.clone(),
        certificate: certificate.der().to_vec(),
        state: KeyState::Active,
        not_after: certificate.not_after(),
        created_at: app.clock.now(),
        changed_at: None,
        changed_code: None,
    };
    let (key_id, enrolment_id) = (key.id.clone(), row.id.clone());
    let done = app.store.write(move |connection| {
        let done = store::enrolments::complete(connection, &row, &key)?;
        done.as_ref().map_or(Ok(()), |done| with(connection, done))?;
        Ok(done)
    });
    let done = done.await?.ok_or_else(conflict)?;
    app.custody.forget(&done.tenant, &done.signer_hash);
    tracing::info!(enrolment.id = %enrolment_id, key.id = %key_id, "a key was enrolled");
    Ok(done)
}

/// Signs with a key of the token and verifies the value with its public key. Gives the value as certificates have it.
async fn sign(
    keys: &dyn KeyStore,
    reference: &KeyReference,
    spki: &[u8],
    message: &[u8],
) -> Result<Vec<u8>, EnrolmentError> {
    let public_key = PublicKey::from_spki_der(spki)
        .map_err(|error| EnrolmentError::refused(error.code(), error.to_string()))?;
    let work = [DigestToSign { key: reference.clone(), sha256: sha256(message) }];
    let begun = Instant::now();
    let value = loop {
        match keys.sign_digests(&work).await.pop().unwrap_or(Err(SigningKeyError::KeyMissing)) {
            // It is there: another process of ours, or another member of the cluster, made it just now.
            Err(SigningKeyError::KeyMissing) if begun.elapsed() < SHOWS_WITHIN => {
                tokio::time::sleep(LOOKED_FOR_EVERY).await;
            }
            result => break result?,
        }
    };
    let value = public_key.to_cms_value(&value);
    public_key.verify_message(public_key.signature_algorithm(), message, &value).map_err(|error| {
        EnrolmentError::refused(error.code(), "the key of the token is not the one of the certificate")
    })?;
    Ok(value)
}

/// Ends the enrolment when its work failed, and clears the token.
async fn end_if_failed(
    app: &App,
    row: &EnrolmentRow,
    result: Result<EnrolmentRow, EnrolmentError>,
) -> Result<EnrolmentRow, EnrolmentError> {
    if let Err(error) = &result {
        tracing::warn!(enrolment.id = %row.id, %error, "an enrolment failed");
        let (id, code, now) = (row.id.clone(), error.code(), app.clock.now());
        let failed =
            app.store.write(move |connection| store::enrolments::fail(connection, &id, code, now)).await;
        match failed {
            Ok(()) => sweep::round(app).await,
            // The row is still `creating`: the sweep ends it later.
            Err(error) => {
                tracing::error!(enrolment.id = %row.id, %error, "a failed enrolment could not be ended")
            }
        }
    }
    result
}
