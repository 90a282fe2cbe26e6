//! Makes, imports, completes and destroys keys, in a session that may write.

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use const_oid::db::rfc5912::SECP_256_R_1;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, CertificateType, KeyType, ObjectClass};
use cryptoki::session::Session;
use der::Encode;
use rubrica_core::x509::Certificate;
use zeroize::Zeroize;

use crate::adapters::pkcs11::public_key;
use crate::adapters::pkcs11::return_code::{Problem, classify};
use crate::ports::{KeyAlgorithm, KeyReference, KeyWork};
use crate::random;
use crate::secret::SecretBytes;

/// Bytes that AES key wrap with padding (RFC 5649) adds at most.
const WRAP_OVERHEAD: usize = 16;

/// Does the work. The value is that of [`crate::ports::KeyStore::change`].
pub(super) fn perform(session: &Session, work: &KeyWork) -> Result<Vec<u8>, Problem> {
    match work {
        KeyWork::Generate { key, label } => return generate(session, key, label),
        KeyWork::Import { key, label, pkcs8 } => import(session, key, label, pkcs8)?,
        KeyWork::StoreCertificate { key_id, label, certificate } => {
            store_certificate(session, key_id, label, certificate)?;
        }
        KeyWork::Destroy { key_id } => destroy(session, &[Attribute::Id(key_id.clone())])?,
    }
    Ok(Vec::new())
}

fn generate(session: &Session, key: &KeyReference, label: &str) -> Result<Vec<u8>, Problem> {
    // What an earlier try of the same may have left.
    destroy(session, &[Attribute::Id(key.id.clone())])?;
    let common = [Attribute::Token(true), Attribute::Id(key.id.clone()), Attribute::Label(label.into())];
    let mut public = vec![Attribute::Private(false), Attribute::Verify(true)];
    let mechanism = match key.algorithm {
        KeyAlgorithm::Rsa => {
            public.extend([Attribute::ModulusBits(2048.into()), Attribute::PublicExponent(vec![1, 0, 1])]);
            Mechanism::RsaPkcsKeyPairGen
        }
        KeyAlgorithm::Ec => {
            public.push(Attribute::EcParams(SECP_256_R_1.to_der().expect("an OID can be encoded")));
            Mechanism::EccKeyPairGen
        }
    };
    let (public, _) = session
        .generate_key_pair(
            &mechanism,
            &[common.as_slice(), &public].concat(),
            &[common.as_slice(), &for_signing_only()].concat(),
        )
        .map_err(classify)?;
    let spki = public_key::read(session, public)?.spki;
    spki.to_der().map_err(|_| Problem::Permanent("its public key cannot be encoded".to_owned()))
}

/// What every private key of ours may and may not do.
fn for_signing_only() -> [Attribute; 9] {
    [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::SignRecover(false),
        Attribute::Derive(false),
        Attribute::Modifiable(false),
    ]
}

/// Wraps the key here and unwraps it on the token: no module takes a private key in the clear and keeps it unextractable,
/// and nothing of it is in an object that could be read.
///
/// The wrapping key lives for this call. It is an object of the session, sensitive and unextractable.
fn import(session: &Session, key: &KeyReference, label: &str, pkcs8: &SecretBytes) -> Result<(), Problem> {
    destroy(session, &[Attribute::Id(key.id.clone())])?;
    let mut wrapping = random::bytes::<32>();
    let wrapped = wrap(&wrapping, pkcs8);
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Unwrap(true),
        Attribute::Value(wrapping.to_vec()),
    ];
    wrapping.zeroize();
    let made = session.create_object(&template);
    for attribute in template {
        if let Attribute::Value(mut value) = attribute {
            value.zeroize();
        }
    }
    let unwrapping = made.map_err(classify)?;
    let kind = match key.algorithm {
        KeyAlgorithm::Rsa => KeyType::RSA,
        KeyAlgorithm::Ec => KeyType::EC,
    };
    let template = [
        [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(kind),
            Attribute::Token(true),
            Attribute::Id(key.id.clone()),
            Attribute::Label(label.into()),
        ]
        .as_slice(),
        &for_signing_only(),
    ]
    .concat();
    let imported = session.unwrap_key(&Mechanism::AesKeyWrapPad, unwrapping, &wrapped, &template);
    // The session ends next and takes it along; a token that keeps it longer has nothing to unwrap with it.
    let _ = session.destroy_object(unwrapping);
    imported.map_err(classify)?;
    Ok(())
}

fn wrap(wrapping: &[u8; 32], pkcs8: &SecretBytes) -> Vec<u8> {
    let key = AesKek::new(&AES_256, wrapping).expect("the key has 32 bytes");
    let mut output = vec![0; pkcs8.expose().len() + WRAP_OVERHEAD];
    let length = key
        .wrap_with_padding(pkcs8.expose(), &mut output)
        .expect("a private key within its limit can be wrapped")
        .len();
    output.truncate(length);
    output
}

fn store_certificate(
    session: &Session,
    key_id: &[u8],
    label: &str,
    certificate: &[u8],
) -> Result<(), Problem> {
    let parsed = Certificate::from_der(certificate).map_err(|error| Problem::Permanent(error.to_string()))?;
    destroy(session, &[Attribute::Id(key_id.to_vec()), Attribute::Class(ObjectClass::CERTIFICATE)])?;
    let template = [
        Attribute::Class(ObjectClass::CERTIFICATE),
        Attribute::CertificateType(CertificateType::X_509),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Id(key_id.to_vec()),
        Attribute::Label(label.into()),
        Attribute::Subject(parsed.subject().to_vec()),
        Attribute::Value(certificate.to_vec()),
    ];
    session.create_object(&template).map_err(classify)?;
    Ok(())
}

fn destroy(session: &Session, template: &[Attribute]) -> Result<(), Problem> {
    let found = session.find_objects(&[template, &[Attribute::Token(true)]].concat()).map_err(classify)?;
    for object in found {
        session.destroy_object(object).map_err(classify)?;
    }
    Ok(())
}
