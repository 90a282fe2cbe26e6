//! The keys that a provider publishes (RFC 7517), each with the algorithms that belong to it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::fetch::FetchError;

/// Providers publish two or three.
const MOST_KEYS: usize = 64;

/// A public key of the provider.
pub(super) struct VerificationKey {
    pub(super) key: DecodingKey,
    /// What may be verified with it: never a symmetric algorithm, never `none`.
    pub(super) algorithms: Vec<Algorithm>,
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

/// Keys by name.
#[derive(Debug, Default)]
pub(super) struct KeySet(HashMap<String, Arc<VerificationKey>>);

impl KeySet {
    /// Reads a key set. Keys of other kinds, without a name or for encryption are passed over: providers publish those too.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FetchError> {
        let malformed = |what: &str| FetchError::Malformed(format!("the key set {what}"));
        let set: Value = serde_json::from_slice(bytes).map_err(|_| malformed("is not JSON"))?;
        let keys = set["keys"].as_array().ok_or_else(|| malformed("has no keys"))?;
        let mut known = HashMap::new();
        for key in keys.iter().take(MOST_KEYS) {
            let Some((name, key)) = serde_json::from_value(key.clone()).ok().and_then(|jwk| usable(&jwk))
            else {
                continue;
            };
            known.insert(name, Arc::new(key));
        }
        if known.is_empty() { Err(malformed("has no key that verifies tokens")) } else { Ok(Self(known)) }
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<VerificationKey>> {
        self.0.get(name).map(Arc::clone)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign, growing enum: what is not listed is not taken"
)]
fn usable(jwk: &Jwk) -> Option<(String, VerificationKey)> {
    if jwk.common.public_key_use.as_ref().is_some_and(|key_use| *key_use != PublicKeyUse::Signature) {
        return None;
    }
    let algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => match jwk.common.key_algorithm {
            None => vec![Algorithm::RS256, Algorithm::PS256],
            Some(KeyAlgorithm::RS256) => vec![Algorithm::RS256],
            Some(KeyAlgorithm::PS256) => vec![Algorithm::PS256],
            Some(_) => return None,
        },
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![Algorithm::ES256],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            vec![Algorithm::EdDSA]
        }
        // Other curves, symmetric keys, and what the crate learns later.
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some((jwk.common.key_id.clone()?, VerificationKey { key, algorithms }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7517 §A.1 and RFC 8037 §A.2, and kinds that are not for us.
    const SET: &str = r#"{"keys":[
        {"kty":"EC","crv":"P-256","kid":"ec","use":"sig","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},
        {"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty":"EC","crv":"P-256","kid":"for-encryption","use":"enc","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},
        {"kty":"oct","kid":"secret","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},
        {"kty":"EC","crv":"P-384","kid":"another-curve","x":"AA","y":"AA"},
        {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},
        {"kty":"LMS","kid":"of-tomorrow"}
    ]}"#;

    #[test]
    fn only_named_keys_that_sign_are_taken_each_with_its_own_algorithm() {
        let keys = KeySet::read(SET.as_bytes()).unwrap();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys.find("ec").unwrap().algorithms, [Algorithm::ES256]);
        assert_eq!(keys.find("ed").unwrap().algorithms, [Algorithm::EdDSA]);
        for name in ["for-encryption", "secret", "another-curve", "of-tomorrow", ""] {
            assert!(keys.find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_set_without_usable_keys_is_not_a_set() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"oct","kid":"x","k":"AA"}]}"#,
        ] {
            assert!(KeySet::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
