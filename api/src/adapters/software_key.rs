//! A private key in memory: the PKCS#12 file of the command line.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256, SHA384};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_SHA256,
};

use crate::objects::sha256;
use crate::ports::SigningKeyError;

/// Modulus of the RSA keys that sign, in bytes: 2048 to 4096 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// One key: a PKCS#12 file has only one.
pub(crate) struct SoftwareKey(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    P384(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareKey(***)")
    }
}

impl SoftwareKey {
    /// Reads a PKCS#8 key (RFC 5208): RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519.
    ///
    /// # Errors
    /// [`SigningKeyError::KeyUnusable`] for any other key.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SigningKeyError> {
        let ec = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map(Box::new);
        if let Ok(pair) = RsaKeyPair::from_pkcs8(pkcs8)
            && RSA_BYTES.contains(&pair.public_modulus_len())
        {
            Ok(Self(Pair::Rsa(Box::new(pair))))
        } else if let Ok(pair) = ec(&ECDSA_P256_SHA256_ASN1_SIGNING) {
            Ok(Self(Pair::P256(pair)))
        } else if let Ok(pair) = ec(&ECDSA_P384_SHA384_ASN1_SIGNING) {
            Ok(Self(Pair::P384(pair)))
        // Files seldom hold the public key beside the private one. That both belong to the certificate shows when the
        // value is verified.
        } else if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8) {
            Ok(Self(Pair::Ed25519(Box::new(pair))))
        } else {
            let what = "it is none of RSA of 2048 to 4096 bits, P-256, P-384 and Ed25519";
            Err(SigningKeyError::KeyUnusable(what.to_owned()))
        }
    }

    /// Signs a message: RSA by PKCS#1 v1.5 and ECDSA, in DER, over its SHA-256; Ed25519 over the message itself.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let unusable = |_| SigningKeyError::KeyUnusable("the key does not sign".to_owned());
        let digest = sha256(message);
        match &self.0 {
            Pair::Rsa(pair) => {
                let digest = Digest::import_less_safe(&digest, &SHA256).expect("SHA-256 has 32 bytes");
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut value).map_err(unusable)?;
                Ok(value)
            }
            Pair::P256(pair) => {
                let digest = Digest::import_less_safe(&digest, &SHA256).expect("SHA-256 has 32 bytes");
                Ok(pair.sign_digest(&digest).map_err(unusable)?.as_ref().to_vec())
            }
            Pair::P384(pair) => {
                // ECDSA signs the digest as a number (FIPS 186-5 §6.4.1). The library offers this curve with SHA-384
                // only; zeros in front make 48 bytes of the same number.
                let mut number = [0; 48];
                number[16..].copy_from_slice(&digest);
                let digest = Digest::import_less_safe(&number, &SHA384).expect("SHA-384 has 48 bytes");
                Ok(pair.sign_digest(&digest).map_err(unusable)?.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(unusable)?.as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P384_SHA256_ASN1, ED25519, KeyPair, UnparsedPublicKey};

    use super::*;

    #[test]
    fn an_ecdsa_value_of_p384_is_one_over_sha256() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        let key = SoftwareKey::from_pkcs8(pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
        let value = key.sign(b"message").unwrap();
        UnparsedPublicKey::new(&ECDSA_P384_SHA256_ASN1, public).verify(b"message", &value).unwrap();
    }

    #[test]
    fn ed25519_keys_with_and_without_their_public_key_sign_the_message() {
        let pair = Ed25519KeyPair::generate().unwrap();
        for pkcs8 in [pair.to_pkcs8().unwrap(), pair.to_pkcs8v1().unwrap()] {
            let value = SoftwareKey::from_pkcs8(pkcs8.as_ref()).unwrap().sign(b"message").unwrap();
            let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
            public.verify(b"message", &value).unwrap();
        }
    }

    #[test]
    fn keys_outside_the_list_are_refused() {
        let curve = EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P521_SHA512_ASN1_SIGNING).unwrap();
        let refused = |pkcs8: &[u8]| {
            assert!(matches!(SoftwareKey::from_pkcs8(pkcs8), Err(SigningKeyError::KeyUnusable(_))));
        };
        refused(curve.to_pkcs8v1().unwrap().as_ref());
        refused(b"");
    }
}
