//! An initialised library with a login, the handles of its keys and one session per worker.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::super::error::{Problem, classify};
use super::super::public_key::{self, TokenPublicKey};
use super::super::{Settings, module};
use super::SHA256_DIGEST_INFO;
use crate::ports::KeyAlgorithm;
use crate::{hex, random};

/// Text of the problem that a key is not on the token.
pub(super) const MISSING: &str = "no such key";

/// One connection to the token, from initialise to finalise.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) epoch: u64,
    library: Pkcs11,
    slot: Slot,
    /// Holds the login: it belongs to the process and ends with its last session. Never used for signing.
    anchor: Mutex<Session>,
    sessions: Vec<Mutex<Option<Session>>>,
    keys: RwLock<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    /// Handles by `CKA_ID`: searching a token is a linear scan, so it happens once per login.
    handles: HashMap<Vec<u8>, ObjectHandle>,
    canary: Option<(ObjectHandle, TokenPublicKey)>,
}

impl Context {
    pub(super) fn connect(library: &Pkcs11, settings: &Settings, epoch: u64) -> Result<Self, Problem> {
        let slot = module::find_slot(library, &settings.label, &settings.serial)?;
        let anchor = library.open_ro_session(slot).map_err(classify)?;
        let context = Self {
            epoch,
            library: library.clone(),
            slot,
            anchor: Mutex::new(anchor),
            sessions: (0..settings.sessions).map(|_| Mutex::new(None)).collect(),
            keys: RwLock::default(),
        };
        context.log_in_and_list(settings)?;
        Ok(context)
    }

    /// Logs in, unless the process is, and lists the keys again.
    pub(super) fn log_in_and_list(&self, settings: &Settings) -> Result<(), Problem> {
        let anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let pin = AuthPin::from(settings.pin.expose().to_owned());
        match anchor.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(classify(error)),
        }
        let keys = list_keys(&anchor, &settings.canary_label)?;
        tracing::info!(token.label = settings.label, keys = keys.handles.len(), "logged in to the token");
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    pub(super) fn handle(&self, id: &[u8]) -> Result<ObjectHandle, Problem> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if keys.handles.is_empty() {
            // A token that lost its back end finds nothing and reports no error.
            return Err(Problem::Device("the token shows no keys".to_owned()));
        }
        keys.handles.get(id).copied().ok_or_else(|| Problem::Key(MISSING.to_owned()))
    }

    /// Lends the session of `worker`, which is thrown away after any failure.
    pub(super) fn with_session<T>(
        &self,
        worker: usize,
        call: impl FnOnce(&Session) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut place = self.sessions[worker].lock().unwrap_or_else(PoisonError::into_inner);
        let session = match place.take() {
            Some(session) => session,
            None => self.library.open_ro_session(self.slot).map_err(classify)?,
        };
        let result = call(&session);
        if result.is_ok() {
            *place = Some(session);
        }
        result
    }

    /// Signs a random challenge with the canary key and verifies the value outside the token.
    pub(super) fn check_canary(&self, worker: usize) -> Result<(), Problem> {
        let canary = self.keys.read().unwrap_or_else(PoisonError::into_inner).canary.clone();
        let Some((handle, public_key)) = canary else {
            return Err(Problem::Key(
                "the token has no canary key; `rubrica doctor --fix` makes one".to_owned(),
            ));
        };
        self.with_session(worker, |session| sign_and_verify(session, handle, &public_key))
    }

    /// No traffic before a real signature, when there is a key to make it with.
    pub(super) fn check_after_connect(&self) -> Result<(), Problem> {
        let has_canary = self.keys.read().unwrap_or_else(PoisonError::into_inner).canary.is_some();
        if has_canary { self.check_canary(0) } else { Ok(()) }
    }

    /// Closes every session; failures do not matter, the library is finalised next.
    pub(super) fn close(self) {
        for session in self.sessions {
            drop(session);
        }
        drop(self.anchor);
    }
}

fn list_keys(session: &Session, canary_label: &str) -> Result<Keys, Problem> {
    let mut keys = Keys::default();
    let private = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true)];
    for handle in session.find_objects(&private).map_err(classify)? {
        let Some(key) = describe(session, handle)? else { continue };
        if key.label == canary_label.as_bytes() {
            keys.canary = find_public(session, &key.id)?.map(|public_key| (handle, public_key));
        }
        if keys.handles.insert(key.id.clone(), handle).is_some() {
            tracing::warn!(
                key.cka_id = hex::encode(&key.id),
                "two private keys share one CKA_ID; the last is used"
            );
        }
    }
    Ok(keys)
}

struct Described {
    id: Vec<u8>,
    label: Vec<u8>,
}

/// Reads a private key's attributes; `None` when it must not be used.
fn describe(session: &Session, handle: ObjectHandle) -> Result<Option<Described>, Problem> {
    let wanted = [
        AttributeType::Id,
        AttributeType::Label,
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::AlwaysSensitive,
        AttributeType::NeverExtractable,
    ];
    let mut key = Described { id: Vec::new(), label: Vec::new() };
    let (mut sensitive, mut extractable, mut always, mut never) = (false, true, false, false);
    for attribute in session.get_attributes(handle, &wanted).map_err(classify)? {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only the attributes asked for come back")]
        match attribute {
            Attribute::Id(value) => key.id = value,
            Attribute::Label(value) => key.label = value,
            Attribute::Sensitive(value) => sensitive = value,
            Attribute::Extractable(value) => extractable = value,
            Attribute::AlwaysSensitive(value) => always = value,
            Attribute::NeverExtractable(value) => never = value,
            _ => {}
        }
    }
    let cka_id = hex::encode(&key.id);
    if key.id.is_empty() || !sensitive || extractable {
        tracing::error!(
            key.cka_id = cka_id,
            sensitive,
            extractable,
            "a private key is refused: it could leave the token"
        );
        return Ok(None);
    }
    if !always || !never {
        tracing::warn!(key.cka_id = cka_id, "a private key was once outside the token");
    }
    Ok(Some(key))
}

fn find_public(session: &Session, id: &[u8]) -> Result<Option<TokenPublicKey>, Problem> {
    let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Id(id.to_owned())];
    match session.find_objects(&template).map_err(classify)?.first() {
        Some(object) => public_key::read(session, *object).map(Some),
        None => Ok(None),
    }
}

fn sign_and_verify(
    session: &Session,
    handle: ObjectHandle,
    public_key: &TokenPublicKey,
) -> Result<(), Problem> {
    let challenge = random::bytes::<32>();
    let hash = digest(&SHA256, &challenge);
    let (algorithm, value): (&'static dyn VerificationAlgorithm, _) = match public_key.algorithm {
        KeyAlgorithm::Rsa => (
            &RSA_PKCS1_2048_8192_SHA256,
            session.sign(&Mechanism::RsaPkcs, handle, &[&SHA256_DIGEST_INFO, hash.as_ref()].concat()),
        ),
        KeyAlgorithm::Ec => {
            (&ECDSA_P256_SHA256_FIXED, session.sign(&Mechanism::Ecdsa, handle, hash.as_ref()))
        }
    };
    let value = value.map_err(classify)?;
    UnparsedPublicKey::new(algorithm, public_key.spki.subject_public_key.raw_bytes())
        .verify(&challenge, &value)
        .map_err(|_| Problem::Device("the token gave a signature that does not verify".to_owned()))
}
