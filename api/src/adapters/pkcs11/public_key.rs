//! Public keys on a token, read from their attributes.

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectHandle};
use cryptoki::session::Session;
use der::asn1::{AnyRef, BitString, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode, Encode};
use spki::{AlgorithmIdentifier, AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::return_code::{Problem, classify};

/// A public key of a token.
#[derive(Debug, Clone)]
pub(crate) struct TokenPublicKey {
    /// `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    pub(crate) spki: SubjectPublicKeyInfoOwned,
}

/// Reads a public key object.
pub(crate) fn read(session: &Session, object: ObjectHandle) -> Result<TokenPublicKey, Problem> {
    let wanted = [
        AttributeType::KeyType,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
        AttributeType::EcParams,
        AttributeType::EcPoint,
    ];
    let mut key_type = None;
    let (mut modulus, mut exponent, mut parameters, mut point) = (None, None, None, None);
    for attribute in session.get_attributes(object, &wanted).map_err(classify)? {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only the attributes asked for come back")]
        match attribute {
            Attribute::KeyType(value) => key_type = Some(value),
            Attribute::Modulus(value) => modulus = Some(value),
            Attribute::PublicExponent(value) => exponent = Some(value),
            Attribute::EcParams(value) => parameters = Some(value),
            Attribute::EcPoint(value) => point = Some(value),
            _ => {}
        }
    }
    let malformed = |_| Problem::Permanent("the public key on the token is malformed".to_owned());
    if key_type == Some(KeyType::RSA) {
        let spki =
            rsa_spki(&modulus.unwrap_or_default(), &exponent.unwrap_or_default()).map_err(malformed)?;
        return Ok(TokenPublicKey { spki });
    }
    if key_type == Some(KeyType::EC) {
        let spki = ec_spki(&parameters.unwrap_or_default(), &point.unwrap_or_default()).map_err(malformed)?;
        return Ok(TokenPublicKey { spki });
    }
    Err(Problem::Permanent("the key on the token is neither RSA nor EC".to_owned()))
}

fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> der::Result<SubjectPublicKeyInfoOwned> {
    let key =
        pkcs1::RsaPublicKey { modulus: UintRef::new(modulus)?, public_exponent: UintRef::new(exponent)? };
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifier {
            oid: const_oid::db::rfc5912::RSA_ENCRYPTION,
            parameters: Some(AnyRef::NULL.into()),
        },
        subject_public_key: BitString::from_bytes(&key.to_der()?)?,
    })
}

fn ec_spki(parameters: &[u8], point: &[u8]) -> der::Result<SubjectPublicKeyInfoOwned> {
    // The standard asks for an OCTET STRING around the point; some vendors give the bare point.
    let point = OctetStringRef::from_der(point).map_or(point, |inner| inner.as_bytes());
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned {
            oid: const_oid::db::rfc5912::ID_EC_PUBLIC_KEY,
            parameters: Some((&ObjectIdentifier::from_der(parameters)?).into()),
        },
        subject_public_key: BitString::from_bytes(point)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_with_and_without_its_octet_string() {
        let curve = const_oid::db::rfc5912::SECP_256_R_1.to_der().unwrap();
        let bare = [[4].as_slice(), &[7; 64]].concat();
        let wrapped = [[4, 65].as_slice(), &bare].concat();
        assert_eq!(ec_spki(&curve, &bare).unwrap(), ec_spki(&curve, &wrapped).unwrap());
    }
}
