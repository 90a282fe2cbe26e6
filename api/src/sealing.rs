//! Encryption of what must be read back and not be read by others: AES-256-GCM.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::random;

/// A key for one purpose, derived from a secret of the instance.
pub(crate) struct SealingKey(LessSafeKey);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(***)")
    }
}

impl SealingKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes")))
    }

    /// Encrypts under a random nonce, which goes first. With random nonces of 96 bits one key is good for 2³² texts.
    pub(crate) fn seal(&self, text: &[u8], associated: &[u8]) -> Vec<u8> {
        let nonce = random::bytes::<NONCE_LEN>();
        let mut sealed = text.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(associated), &mut sealed)
            .expect("a text of less than 64 GiB can be encrypted");
        [&nonce[..], &sealed].concat()
    }

    /// Reads what [`Self::seal`] wrote for the same `associated`; `None` for anything else.
    pub(crate) fn open(&self, sealed: &[u8], associated: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.0.open_in_place(nonce, Aad::from(associated), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_the_same_place_open_it() {
        let key = SealingKey::new(&[1; 32]);
        let sealed = key.seal(b"rst_TEST", b"place");
        assert_ne!(sealed, key.seal(b"rst_TEST", b"place"));
        assert!(!sealed.windows(4).any(|part| part == b"TEST"));
        assert_eq!(key.open(&sealed, b"place").as_deref(), Some(&b"rst_TEST"[..]));
        assert_eq!(key.open(&sealed, b"other place"), None);
        assert_eq!(SealingKey::new(&[2; 32]).open(&sealed, b"place"), None);
        for length in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..length], b"place"), None, "{length}");
        }
        let mut changed = sealed.clone();
        changed[NONCE_LEN] ^= 1;
        assert_eq!(key.open(&changed, b"place"), None);
    }
}
