//! Parameters of RSASSA-PSS.

use super::{AlgorithmIdentifier, SignatureAlgorithm, UnusableAlgorithm};
use crate::digest::DigestAlgorithm;
use crate::oid;
use crate::tlv::{Malformed, Tlv, encode, single, tag};

/// No key read here leaves room for a longer salt.
const MAX_SALT_BYTES: u32 = 8192 / 8;

/// ```text
/// RSASSA-PSS-params ::= SEQUENCE {
///   hashAlgorithm    [0] HashAlgorithm DEFAULT sha1,
///   maskGenAlgorithm [1] MaskGenAlgorithm DEFAULT mgf1SHA1,
///   saltLength       [2] INTEGER DEFAULT 20,
///   trailerField     [3] INTEGER DEFAULT 1 }
/// ```
pub(super) fn encode_parameters(digest: DigestAlgorithm, salt_bytes: u16) -> Vec<u8> {
    let hash = encode(tag::SEQUENCE, &[&encode(tag::OID, &[digest.oid().as_bytes()]), &[tag::NULL, 0]]);
    let mgf = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::MGF1.as_bytes()]), &hash]);
    let [high, low] = salt_bytes.to_be_bytes();
    let salt = match (high, low) {
        (0, 0..=0x7f) => vec![low],
        (0, _) | (0..=0x7f, _) => vec![high, low],
        (_, _) => vec![0, high, low],
    };
    let salt = encode(tag::INTEGER, &[&salt]);
    encode(
        tag::SEQUENCE,
        &[
            &encode(tag::context_constructed(0), &[&hash]),
            &encode(tag::context_constructed(1), &[&mgf]),
            &encode(tag::context_constructed(2), &[&salt]),
        ],
    )
}

/// The algorithm that the parameters state. Nothing is assumed: the defaults are all of SHA-1, one digest
/// must serve both places, and the trailer has one value only.
pub(super) fn from_parameters(parameters: Option<Tlv<'_>>) -> Result<SignatureAlgorithm, UnusableAlgorithm> {
    let unknown =
        |what: &str| UnusableAlgorithm::Unknown(format!("{} {what}", oid::to_text(oid::RSA_PSS.as_bytes())));
    let Some(parameters) = parameters.filter(|parameters| parameters.tag == tag::SEQUENCE) else {
        return Err(unknown("without parameters"));
    };
    let stated = Stated::parse(parameters).map_err(|_| unknown("with parameters that cannot be read"))?;
    let digest_of = |hash: Option<&[u8]>| {
        // The default is SHA-1.
        let hash = hash.unwrap_or(oid::SHA1.as_bytes());
        DigestAlgorithm::from_oid(hash).ok_or_else(|| {
            let weak = [oid::SHA1, oid::MD5].iter().any(|weak| weak.as_bytes() == hash);
            let text = format!("{} with {}", oid::to_text(oid::RSA_PSS.as_bytes()), oid::to_text(hash));
            if weak { UnusableAlgorithm::Weak(text) } else { UnusableAlgorithm::Unknown(text) }
        })
    };
    let digest = digest_of(stated.hash)?;
    if digest_of(stated.mgf_hash)? != digest {
        return Err(unknown("with two different digests"));
    }
    if stated.trailer != 1 {
        return Err(unknown("with another trailer"));
    }
    let salt_bytes = u16::try_from(stated.salt_bytes.min(MAX_SALT_BYTES + 1)).unwrap_or(u16::MAX);
    if u32::from(salt_bytes) > MAX_SALT_BYTES {
        return Err(unknown("with a salt that is too long"));
    }
    Ok(match digest {
        DigestAlgorithm::Sha256 => SignatureAlgorithm::RsaPssSha256 { salt_bytes },
        DigestAlgorithm::Sha384 => SignatureAlgorithm::RsaPssSha384 { salt_bytes },
        DigestAlgorithm::Sha512 => SignatureAlgorithm::RsaPssSha512 { salt_bytes },
    })
}

/// The parameters; hashes as contents octets of their identifiers, `None` for the default.
struct Stated<'a> {
    hash: Option<&'a [u8]>,
    mgf_hash: Option<&'a [u8]>,
    salt_bytes: u32,
    trailer: u32,
}

impl<'a> Stated<'a> {
    fn parse(parameters: Tlv<'a>) -> Result<Self, Malformed> {
        let mut reader = parameters.reader();
        let hash = match reader.optional(tag::context_constructed(0))? {
            Some(wrapped) => {
                Some(hash_identifier(single(wrapped.value, tag::SEQUENCE, "a digest algorithm")?)?)
            }
            None => None,
        };
        let mgf_hash = match reader.optional(tag::context_constructed(1))? {
            Some(wrapped) => {
                let mgf = single(wrapped.value, tag::SEQUENCE, "a mask generation function")?;
                let mgf = AlgorithmIdentifier::parse(mgf)?;
                let digest = mgf.parameters.filter(|inner| inner.tag == tag::SEQUENCE);
                match digest {
                    Some(digest) if mgf.oid == oid::MGF1.as_bytes() => Some(hash_identifier(digest)?),
                    Some(_) | None => return Err(Malformed("MGF1 with its digest")),
                }
            }
            None => None,
        };
        let mut number =
            |context: u8, default: u32| match reader.optional(tag::context_constructed(context))? {
                Some(wrapped) => single(wrapped.value, tag::INTEGER, "a number")?.small_unsigned(),
                None => Ok(default),
            };
        let (salt_bytes, trailer) = (number(2, 20)?, number(3, 1)?);
        reader.end()?;
        Ok(Self { hash, mgf_hash, salt_bytes, trailer })
    }
}

/// Identifier of a digest algorithm, whose parameters are absent or NULL (RFC 4055 §2.1).
fn hash_identifier<'a>(identifier: Tlv<'a>) -> Result<&'a [u8], Malformed> {
    let identifier = AlgorithmIdentifier::parse(identifier)?;
    match identifier.parameters {
        None => Ok(identifier.oid),
        Some(parameters) if parameters.raw == [tag::NULL, 0] => Ok(identifier.oid),
        Some(_) => Err(Malformed("a digest without parameters")),
    }
}
