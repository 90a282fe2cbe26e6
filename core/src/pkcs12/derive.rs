//! Keys from passwords: the method of PKCS#12 (RFC 7292 Appendix B) and PBKDF2 (RFC 8018 §5.2), and the MAC of a file.

use hmac::digest::block_buffer::Eager;
use hmac::digest::core_api::{BlockSizeUser, BufferKindUser, CoreProxy, FixedOutputCore, UpdateCore};
use hmac::digest::typenum::{IsLess, Le, NonZero, U256};
use hmac::digest::{Digest, HashMarker};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::{Zeroize, Zeroizing};

use super::Pkcs12Error;
use crate::oid;
use crate::tlv::{Malformed, Reader, Tlv, tag};

/// Longest salt, in bytes.
const MAX_SALT_BYTES: usize = 1024;

/// `hmacWithSHA1`, `…SHA256`, `…SHA384`, `…SHA512` (RFC 8018 Appendix B.1).
const HMAC_SHA1: &str = "1.2.840.113549.2.7";
const HMAC_SHA256: &str = "1.2.840.113549.2.9";
const HMAC_SHA384: &str = "1.2.840.113549.2.10";
const HMAC_SHA512: &str = "1.2.840.113549.2.11";

/// Rounds that may still be spent on a file.
#[derive(Debug)]
pub(super) struct Work(u32);

impl Work {
    pub(super) const fn new(rounds: u32) -> Self {
        Self(rounds)
    }

    /// Takes what a derivation costs, before it begins.
    fn take(&mut self, rounds: &Tlv<'_>) -> Result<u32, Malformed> {
        let rounds = rounds.small_unsigned()?;
        if rounds == 0 || rounds > self.0 {
            return Err(Malformed("at most two million rounds of key derivation"));
        }
        self.0 -= rounds;
        Ok(rounds)
    }
}

/// What a derived key is for (RFC 7292 Appendix B.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    InitialisationVector = 2,
    Mac = 3,
}

#[derive(Debug, Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Checks the MAC of a file, and so the password.
///
/// `MacData ::= SEQUENCE { mac SEQUENCE { digestAlgorithm SEQUENCE, digest OCTET STRING }, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }`
pub(super) fn check_mac(
    mac: &Tlv<'_>,
    content: &[u8],
    password: &str,
    work: &mut Work,
) -> Result<(), Pkcs12Error> {
    let mut mac = mac.reader();
    let mut digest_info = mac.expect(tag::SEQUENCE, "the DigestInfo of a MAC")?.reader();
    let mut algorithm = digest_info.expect(tag::SEQUENCE, "the algorithm of a MAC")?.reader();
    let algorithm = algorithm.expect(tag::OID, "the algorithm of a MAC")?;
    let expected = digest_info.expect(tag::OCTET_STRING, "the value of a MAC")?;
    digest_info.end()?;
    let salt = salt(&mut mac)?;
    let rounds = mac.optional(tag::INTEGER)?.map_or(Ok(1), |rounds| work.take(&rounds))?;
    mac.end()?;
    let hash = [
        (oid::SHA1, Hash::Sha1),
        (oid::SHA256, Hash::Sha256),
        (oid::SHA384, Hash::Sha384),
        (oid::SHA512, Hash::Sha512),
    ]
    .into_iter()
    .find_map(|(oid, hash)| (oid.as_bytes() == algorithm.value).then_some(hash))
    .ok_or(Malformed("a MAC with SHA-1 or SHA-2"))?;
    let password = in_utf16(password);
    let holds = match hash {
        Hash::Sha1 => mac_holds::<Sha1>(&password, salt, rounds, content, expected.value),
        Hash::Sha256 => mac_holds::<Sha256>(&password, salt, rounds, content, expected.value),
        Hash::Sha384 => mac_holds::<Sha384>(&password, salt, rounds, content, expected.value),
        Hash::Sha512 => mac_holds::<Sha512>(&password, salt, rounds, content, expected.value),
    };
    if holds { Ok(()) } else { Err(Pkcs12Error::WrongPassword) }
}

/// A key with its length by the method of PKCS#12 with SHA-1, which the ciphers of its Appendix C use.
///
/// `pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }`
pub(super) struct Pkcs12Parameters<'a> {
    salt: &'a [u8],
    rounds: u32,
}

impl<'a> Pkcs12Parameters<'a> {
    pub(super) fn read(parameters: &Tlv<'a>, work: &mut Work) -> Result<Self, Malformed> {
        let mut parameters = parameters.reader();
        let salt = salt(&mut parameters)?;
        let rounds = work.take(&parameters.expect(tag::INTEGER, "the rounds of a key derivation")?)?;
        parameters.end()?;
        Ok(Self { salt, rounds })
    }

    pub(super) fn derive(&self, password: &str, purpose: Purpose, length: usize) -> Zeroizing<Vec<u8>> {
        pkcs12::<Sha1>(&in_utf16(password), self.salt, self.rounds, purpose, length)
    }
}

/// A key with its length by PBKDF2.
///
/// `PBKDF2-params ::= SEQUENCE { salt OCTET STRING, iterationCount INTEGER, keyLength INTEGER OPTIONAL, prf SEQUENCE DEFAULT hmacWithSHA1 }`
pub(super) fn pbkdf2(
    parameters: &Tlv<'_>,
    password: &str,
    length: usize,
    work: &mut Work,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let mut parameters = parameters.reader();
    let salt = salt(&mut parameters)?;
    let rounds = work.take(&parameters.expect(tag::INTEGER, "the rounds of a key derivation")?)?;
    if let Some(named) = parameters.optional(tag::INTEGER)?
        && usize::try_from(named.small_unsigned()?) != Ok(length)
    {
        return Err(Malformed("a key as long as its cipher needs"));
    }
    let prf = parameters.optional(tag::SEQUENCE)?;
    parameters.end()?;
    let hash = match prf {
        None => Hash::Sha1,
        Some(prf) => {
            let kind = prf.reader().expect(tag::OID, "the function of a key derivation")?;
            [
                (HMAC_SHA1, Hash::Sha1),
                (HMAC_SHA256, Hash::Sha256),
                (HMAC_SHA384, Hash::Sha384),
                (HMAC_SHA512, Hash::Sha512),
            ]
            .into_iter()
            .find_map(|(oid, hash)| super::is(&kind, oid).then_some(hash))
            .ok_or(Malformed("PBKDF2 with SHA-1 or SHA-2"))?
        }
    };
    let mut key = Zeroizing::new(vec![0; length]);
    let password = password.as_bytes();
    match hash {
        Hash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut key),
        Hash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut key),
        Hash::Sha384 => pbkdf2::pbkdf2_hmac::<Sha384>(password, salt, rounds, &mut key),
        Hash::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut key),
    }
    Ok(key)
}

fn salt<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let salt = reader.expect(tag::OCTET_STRING, "a salt")?.value;
    if salt.len() > MAX_SALT_BYTES { Err(Malformed("a salt of at most 1024 bytes")) } else { Ok(salt) }
}

/// Big-endian UTF-16 with two zeros behind (RFC 7292 Appendix B.1).
fn in_utf16(password: &str) -> Zeroizing<Vec<u8>> {
    // As large as it can become: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
    for unit in password.encode_utf16().chain([0]) {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

fn mac_holds<H>(password: &[u8], salt: &[u8], rounds: u32, content: &[u8], expected: &[u8]) -> bool
where
    H: Digest + BlockSizeUser + CoreProxy,
    H::Core: HashMarker + UpdateCore + FixedOutputCore + BufferKindUser<BufferKind = Eager> + Default + Clone,
    <H::Core as BlockSizeUser>::BlockSize: IsLess<U256>,
    Le<<H::Core as BlockSizeUser>::BlockSize, U256>: NonZero,
{
    let key = pkcs12::<H>(password, salt, rounds, Purpose::Mac, <H as Digest>::output_size());
    let mac = <Hmac<H> as Mac>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.chain_update(content).verify_slice(expected).is_ok()
}

/// RFC 7292 Appendix B.2, with its names.
fn pkcs12<H: Digest + BlockSizeUser>(
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    purpose: Purpose,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let v = H::block_size();
    let repeated = |bytes: &[u8]| -> Zeroizing<Vec<u8>> {
        let length = v * bytes.len().div_ceil(v);
        Zeroizing::new(bytes.iter().copied().cycle().take(length).collect())
    };
    let (s, p) = (repeated(salt), repeated(password));
    let mut i = Zeroizing::new([s.as_slice(), p.as_slice()].concat());
    let mut key = Zeroizing::new(Vec::with_capacity(length + <H as Digest>::output_size()));
    while key.len() < length {
        let mut a = H::new().chain_update(vec![purpose as u8; v]).chain_update(&*i).finalize();
        for _ in 1..rounds {
            a = H::digest(&a);
        }
        key.extend_from_slice(&a);
        let b: Zeroizing<Vec<u8>> = Zeroizing::new(a.iter().copied().cycle().take(v).collect());
        a[..].zeroize();
        for block in i.chunks_exact_mut(v) {
            let mut carry = 1;
            for (byte, other) in block.iter_mut().zip(b.iter()).rev() {
                carry += u16::from(*byte) + u16::from(*other);
                [_, *byte] = carry.to_be_bytes();
                carry >>= 8;
            }
        }
    }
    key.truncate(length);
    key
}

/// The MAC of a file that a test writes.
#[cfg(test)]
pub(super) fn mac_sha256(password: &str, salt: &[u8], rounds: u32, content: &[u8]) -> Vec<u8> {
    let key = pkcs12::<Sha256>(&in_utf16(password), salt, rounds, Purpose::Mac, 32);
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.chain_update(content).finalize().into_bytes().to_vec()
}
