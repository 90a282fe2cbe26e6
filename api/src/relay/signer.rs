//! The key of the log, which signs checkpoints and nothing else.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use rubrica_core::merkle::TreeHash;
use rubrica_core::receipt::{Checkpoint, LogKey};

use crate::hex;
use crate::objects::sha256;

/// Signs checkpoints (Ed25519).
pub(crate) struct LogSigner {
    pair: Ed25519KeyPair,
    public: LogKey,
}

impl LogSigner {
    /// The key of a seed. Its name is made of the key, so that two logs never have the same.
    ///
    /// # Panics
    /// Never: every seed of 32 bytes is a key.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every seed of 32 bytes is a key");
        let key: [u8; 32] = pair.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes");
        let name = format!("rubrica/{}", hex::encode(&sha256(&key)[..8]));
        let public = LogKey::new(&name, key).expect("a key pair has a point of the curve");
        Self { pair, public }
    }

    /// The public key.
    pub(crate) const fn public(&self) -> &LogKey {
        &self.public
    }

    /// Signs the tree with this many leaves and this root.
    pub(crate) fn checkpoint(&self, size: u64, root: TreeHash) -> String {
        let text = Checkpoint { origin: self.public.name().to_owned(), size, root }.text();
        let signature = self.pair.sign(text.as_bytes());
        let signature = signature.as_ref().try_into().expect("an Ed25519 signature has 64 bytes");
        self.public.note(&text, signature)
    }
}

impl fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSigner").field("public", &self.public.to_string()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_opens_with_the_public_key_and_with_no_other() {
        let signer = LogSigner::from_seed(&[1; 32]);
        let note = signer.checkpoint(7, TreeHash::empty());
        let opened = Checkpoint::open(&note, signer.public()).unwrap();
        assert_eq!((opened.size, opened.root), (7, TreeHash::empty()));
        let text = signer.public().to_string();
        assert_eq!(text.parse::<LogKey>().unwrap(), *signer.public());
        assert!(Checkpoint::open(&note, LogSigner::from_seed(&[2; 32]).public()).is_err());
        assert!(!format!("{signer:?}").contains("0101"));
    }
}
