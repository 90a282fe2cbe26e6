//! What a person's device does: it holds a key and signs digests.

use std::fs;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use rubrica_core::digest::Sha256Stream;
use rubrica_core::to_sign::{self, Agreed};
use rubrica_core::wire::{Signature, SignatureFormat};
use rubrica_core::x509::Certificate;
use serde_json::Value;

/// A key of the demo's Web PKI simulator.
#[derive(Debug)]
pub(crate) struct LocalKey {
    key: KeyPair,
    /// DER in standard base64, as the API takes it.
    pub(crate) certificate: String,
}

impl LocalKey {
    /// The identities of the simulator, in its order: bruno, selo, bruno's expired one, a stranger's.
    pub(crate) fn all() -> Vec<Self> {
        let json = fs::read(super::template().join("data/pki/simulator.json")).unwrap();
        serde_json::from_slice::<Vec<Value>>(&json).unwrap().iter().map(Self::read).collect()
    }

    fn read(identity: &Value) -> Self {
        let number = |name: &str| {
            Base64UrlUnpadded::decode_vec(identity["private_key"][name].as_str().unwrap()).unwrap()
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: number("n"), e: number("e") },
            d: number("d"),
            p: number("p"),
            q: number("q"),
            dP: number("dp"),
            dQ: number("dq"),
            qInv: number("qi"),
        };
        Self {
            key: KeyPair::from_components(&components).unwrap(),
            certificate: identity["certificate"].as_str().unwrap().to_owned(),
        }
    }

    /// Checks what the server asks for, as the SDK does, and signs it.
    pub(crate) fn sign(&self, signature: &Signature, document: &[u8], format: SignatureFormat) -> String {
        let certificate = Certificate::from_der(&Base64::decode_vec(&self.certificate).unwrap()).unwrap();
        let mut stream = Sha256Stream::new();
        stream.update(document);
        let agreed =
            Agreed { document: &stream, format, certificate_sha256: certificate.sha256().as_bytes() };
        let digest = to_sign::check(signature.to_sign.as_ref().unwrap(), &agreed).unwrap();
        self.sign_hash(digest.as_bytes())
    }

    /// Signs a digest, given in standard base64, without asking what it is of.
    pub(crate) fn sign_digest(&self, digest: &str) -> String {
        self.sign_hash(&Base64::decode_vec(digest).unwrap())
    }

    fn sign_hash(&self, digest: &[u8]) -> String {
        let digest = Digest::import_less_safe(digest, &SHA256).unwrap();
        let mut value = vec![0; self.key.public_modulus_len()];
        self.key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut value).unwrap();
        Base64::encode_string(&value)
    }
}
