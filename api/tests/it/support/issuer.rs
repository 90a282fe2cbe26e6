//! An identity provider of a bank: it serves its discovery document and its keys over HTTP, and really signs.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use base64ct::{Base64UrlUnpadded as Base64Url, Encoding};
use der::Decode;
use serde_json::{Value, json};

/// A key of the provider.
#[derive(Debug)]
pub(crate) enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    /// The public key as the provider publishes it.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(key) => {
                let public = pkcs1::RsaPublicKey::from_der(key.public_key().as_ref()).unwrap();
                let text = |number: pkcs1::UintRef<'_>| Base64Url::encode_string(number.as_bytes());
                json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": text(public.modulus),
                        "e": text(public.public_exponent) })
            }
            Self::P256(key) => {
                let point = &key.public_key().as_ref()[1..];
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": Base64Url::encode_string(&point[..32]),
                        "y": Base64Url::encode_string(&point[32..]) })
            }
            Self::Ed25519(key) => {
                let x = Base64Url::encode_string(key.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x })
            }
        }
    }

    /// What a forger may take for a secret: the public key as everybody can write it.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(key.public_key())
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::P256(_) | Self::Ed25519(_) => panic!("only needed for RSA"),
        }
    }

    /// Signs with an algorithm (RFC 7518 §3.1).
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match (self, algorithm) {
            (Self::Rsa(key), "RS256" | "PS256") => {
                let padding: &dyn signature::RsaEncoding =
                    if algorithm == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
                let mut value = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut value).unwrap();
                value
            }
            (Self::P256(key), "ES256") => key.sign(&random, message).unwrap().as_ref().to_vec(),
            (Self::Ed25519(key), "EdDSA") => key.sign(message).as_ref().to_vec(),
            (key, other) => panic!("{key:?} does not sign {other}"),
        }
    }
}

/// What the provider serves at this moment.
#[derive(Debug, Default)]
struct Served {
    /// `None`: answers 500.
    keys: Option<Vec<Value>>,
}

/// A provider that listens until the test ends.
#[derive(Debug)]
pub(crate) struct Issuer {
    address: SocketAddr,
    served: Arc<Mutex<Served>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    pub(crate) const AUDIENCE: &'static str = "https://rubrica.bank.example";

    /// Starts a provider with these keys.
    pub(crate) fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(Mutex::new(Served { keys: Some(keys.to_vec()) }));
        let asked = Arc::new(AtomicUsize::new(0));
        let (shared, count) = (Arc::clone(&served), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, address, &shared, &count);
            }
        });
        Self { address, served, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Publishes other keys; `None` breaks the provider.
    pub(crate) fn publish(&self, keys: Option<&[Value]>) {
        self.served.lock().unwrap().keys = keys.map(<[Value]>::to_vec);
    }

    /// How often the keys were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The configuration of a server whose people come from here.
    pub(crate) fn config(&self) -> String {
        format!(
            "[oidc]\nissuer = \"{}\"\naudience = \"{}\"\ntenant_claim = \"tenant\"\nroles_claim = \"realm_access.roles\"\n\
             retry_seconds = 1\nrefresh_seconds = 600\n",
            self.url(),
            Self::AUDIENCE
        )
    }

    /// Claims of a person that are right in every respect.
    pub(crate) fn claims(&self, tenant: &str, roles: &[&str]) -> Value {
        let now = now();
        json!({
            "iss": self.url(), "aud": Self::AUDIENCE, "sub": "person-1-TEST", "tenant": tenant,
            "realm_access": { "roles": roles }, "iat": now, "nbf": now, "exp": now + 300,
        })
    }

    /// The token of a person.
    pub(crate) fn token(&self, key: &Key, kid: &str, tenant: &str, roles: &[&str]) -> String {
        let algorithm = match key {
            Key::Rsa(_) => "RS256",
            Key::P256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        };
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": kid });
        token(&header, &self.claims(tenant, roles), |message| key.sign(algorithm, message))
    }
}

/// A token with exactly this header and these claims.
pub(crate) fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| Base64Url::encode_string(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let value = Base64Url::encode_string(&sign(message.as_bytes()));
    format!("{message}.{value}")
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn answer(mut stream: TcpStream, address: SocketAddr, served: &Mutex<Served>, asked: &AtomicUsize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    // To the end of the headers; there is no body.
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let (status, body) = if first.starts_with("GET /.well-known/openid-configuration ") {
        let base = format!("http://{address}");
        ("200 OK", json!({ "issuer": base, "jwks_uri": format!("{base}/keys") }))
    } else if first.starts_with("GET /keys ") {
        asked.fetch_add(1, Ordering::SeqCst);
        match &served.lock().unwrap().keys {
            Some(keys) => ("200 OK", json!({ "keys": keys })),
            None => ("500 Internal Server Error", json!({})),
        }
    } else {
        // Where a token would like its key to be found.
        asked.fetch_add(1000, Ordering::SeqCst);
        ("404 Not Found", json!({}))
    };
    let body = body.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}
