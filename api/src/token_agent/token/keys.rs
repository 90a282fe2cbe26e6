//! The private keys of a token, found once per login: searching a token is a linear scan.

use std::collections::HashMap;

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use crate::adapters::pkcs11::public_key::{self, TokenPublicKey};
use crate::adapters::pkcs11::return_code::{Problem, classify};
use crate::hex;
use crate::ports::KeyAlgorithm;
use crate::token_agent::protocol::{CanaryKey, Ready};

/// A private key in this login.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenKey {
    pub(super) handle: ObjectHandle,
    pub(super) algorithm: KeyAlgorithm,
}

/// The private keys that may be used, by `CKA_ID`.
#[derive(Debug, Default)]
pub(super) struct Keys {
    by_id: HashMap<Vec<u8>, TokenKey>,
    canary: Option<(TokenKey, TokenPublicKey)>,
}

impl Keys {
    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<TokenKey> {
        self.by_id.get(id).copied()
    }

    pub(super) fn add(&mut self, id: &[u8], key: TokenKey) {
        self.by_id.insert(id.to_vec(), key);
    }

    pub(super) fn forget(&mut self, id: &[u8]) {
        self.by_id.remove(id);
    }

    pub(super) fn canary(&self) -> Option<TokenKey> {
        self.canary.as_ref().map(|(key, _)| *key)
    }

    pub(super) fn ready(&self) -> Ready {
        Ready {
            keys: u32::try_from(self.by_id.len()).unwrap_or(u32::MAX),
            canary: self.canary.as_ref().map(|(key, public)| CanaryKey {
                algorithm: key.algorithm,
                public_key: public.spki.subject_public_key.raw_bytes().to_vec(),
            }),
        }
    }
}

/// Lists the private keys that can sign and cannot leave the token.
pub(super) fn list(session: &Session, canary_label: &str) -> Result<Keys, Problem> {
    let mut keys = Keys::default();
    let private = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true)];
    for handle in session.find_objects(&private).map_err(classify)? {
        let Some(described) = describe(session, handle)? else { continue };
        let key = TokenKey { handle, algorithm: described.algorithm };
        if described.label == canary_label.as_bytes() {
            keys.canary = find_public(session, &described.id)?.map(|public_key| (key, public_key));
        }
        let cka_id = hex::encode(&described.id);
        if keys.by_id.insert(described.id, key).is_some() {
            tracing::warn!(key.cka_id = cka_id, "two private keys share one CKA_ID; the last is used");
        }
    }
    Ok(keys)
}

/// The private key with this `CKA_ID`, if it may be used.
pub(super) fn look_for(session: &Session, id: &[u8]) -> Result<Option<TokenKey>, Problem> {
    let wanted =
        [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true), Attribute::Id(id.to_vec())];
    for handle in session.find_objects(&wanted).map_err(classify)? {
        if let Some(described) = describe(session, handle)? {
            return Ok(Some(TokenKey { handle, algorithm: described.algorithm }));
        }
    }
    Ok(None)
}

struct Described {
    id: Vec<u8>,
    label: Vec<u8>,
    algorithm: KeyAlgorithm,
}

/// Reads a private key's attributes; `None` when it must not or cannot be used.
fn describe(session: &Session, handle: ObjectHandle) -> Result<Option<Described>, Problem> {
    let wanted = [
        AttributeType::Id,
        AttributeType::Label,
        AttributeType::KeyType,
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::AlwaysSensitive,
        AttributeType::NeverExtractable,
    ];
    let (mut id, mut label, mut key_type) = (Vec::new(), Vec::new(), None);
    let (mut sensitive, mut extractable, mut always, mut never) = (false, true, false, false);
    for attribute in session.get_attributes(handle, &wanted).map_err(classify)? {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only the attributes asked for come back")]
        match attribute {
            Attribute::Id(value) => id = value,
            Attribute::Label(value) => label = value,
            Attribute::KeyType(value) => key_type = Some(value),
            Attribute::Sensitive(value) => sensitive = value,
            Attribute::Extractable(value) => extractable = value,
            Attribute::AlwaysSensitive(value) => always = value,
            Attribute::NeverExtractable(value) => never = value,
            _ => {}
        }
    }
    let cka_id = hex::encode(&id);
    let algorithm = match key_type {
        Some(KeyType::RSA) => KeyAlgorithm::Rsa,
        Some(KeyType::EC) => KeyAlgorithm::Ec,
        _ => {
            tracing::info!(key.cka_id = cka_id, "a private key is left alone: it is neither RSA nor EC");
            return Ok(None);
        }
    };
    if id.is_empty() || !sensitive || extractable {
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
    Ok(Some(Described { id, label, algorithm }))
}

fn find_public(session: &Session, id: &[u8]) -> Result<Option<TokenPublicKey>, Problem> {
    let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Id(id.to_owned())];
    match session.find_objects(&template).map_err(classify)?.first() {
        Some(object) => public_key::read(session, *object).map(Some),
        None => Ok(None),
    }
}
