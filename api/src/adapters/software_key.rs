//! A private key in memory: the PKCS#12 file of the command line.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};

use crate::ports::{KeyReference, PortFuture, SigningKeyError, SigningKeys};

/// One key, whatever reference is asked for: a PKCS#12 file has only one.
pub(crate) struct SoftwareKey(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareKey(***)")
    }
}

impl SoftwareKey {
    /// Reads a PKCS#8 key (RFC 5208): RSA from 2048 bits, or P-256.
    ///
    /// # Errors
    /// [`SigningKeyError::KeyUnusable`] for any other key.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SigningKeyError> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(pkcs8) {
            return Ok(Self(Pair::Rsa(Box::new(pair))));
        }
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8)
            .map(|pair| Self(Pair::Ec(Box::new(pair))))
            .map_err(|_| {
                SigningKeyError::KeyUnusable("it is neither RSA of 2048 to 8192 bits nor P-256".to_owned())
            })
    }

    /// Signs a SHA-256 digest: PKCS#1 v1.5 for RSA, DER for ECDSA.
    pub(crate) fn sign(&self, sha256: &[u8; 32]) -> Result<Vec<u8>, SigningKeyError> {
        let unusable = |_| SigningKeyError::KeyUnusable("the key does not sign".to_owned());
        let digest = Digest::import_less_safe(sha256, &SHA256).expect("SHA-256 has 32 bytes");
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut value).map_err(unusable)?;
                Ok(value)
            }
            Pair::Ec(pair) => Ok(pair.sign_digest(&digest).map_err(unusable)?.as_ref().to_vec()),
        }
    }
}

impl SigningKeys for SoftwareKey {
    fn sign_digest<'a>(
        &'a self,
        _key: &'a KeyReference,
        sha256: &'a [u8; 32],
    ) -> PortFuture<'a, Result<Vec<u8>, SigningKeyError>> {
        Box::pin(async { self.sign(sha256) })
    }

    fn check(&self) -> PortFuture<'_, Result<(), SigningKeyError>> {
        Box::pin(async { self.sign(&[0; 32]).map(drop) })
    }
}
