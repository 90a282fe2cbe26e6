//! Software keys of the Web PKI simulator, in the form that WebCrypto imports (RFC 7517, RFC 7518 §6.3).

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeyPair;
use base64ct::{Base64UrlUnpadded, Encoding};
use der::Decode;
use serde::{Deserialize, Serialize};

/// An RSA private key with its CRT members, base64url without padding.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RsaJwk {
    kty: String,
    n: String,
    e: String,
    d: String,
    p: String,
    q: String,
    dp: String,
    dq: String,
    qi: String,
}

impl RsaJwk {
    pub(super) fn of(key: &KeyPair) -> der::Result<Self> {
        let pkcs8 = key.as_der().expect("a fresh RSA key can be encoded");
        let info = pkcs8::PrivateKeyInfo::from_der(pkcs8.as_ref())?;
        let key = pkcs1::RsaPrivateKey::from_der(info.private_key)?;
        let text = |number: der::asn1::UintRef<'_>| Base64UrlUnpadded::encode_string(number.as_bytes());
        Ok(Self {
            kty: "RSA".to_owned(),
            n: text(key.modulus),
            e: text(key.public_exponent),
            d: text(key.private_exponent),
            p: text(key.prime1),
            q: text(key.prime2),
            dp: text(key.exponent1),
            dq: text(key.exponent2),
            qi: text(key.coefficient),
        })
    }
}

impl std::fmt::Debug for RsaJwk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaJwk(***)")
    }
}
