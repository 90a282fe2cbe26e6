//! PKCS#12 files: one private key, its certificate, and certificates above it (RFC 7292).
//!
//! Whoever hands in a file may be anybody, and it costs its reader work: its size, the rounds of its key derivations and its
//! parts are limited, and the MAC is checked before anything in it is deciphered. What is secret is wiped when it is dropped.
//! Files in the public-key mode, and files without a MAC, are not read.

mod cipher;
mod derive;

use zeroize::Zeroizing;

use crate::ErrorCode;
use crate::cms::ber;
use crate::tlv::{Malformed, Reader, Tlv, single, tag};
use crate::x509::{Certificate, CertificateError};
use cipher::{Strength, decipher};
use derive::Work;

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// Longest password, in bytes of UTF-8.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Rounds of key derivation that one file may cost: OpenSSL writes 2048 for each of three, others up to 600 000.
const MAX_ROUNDS: u32 = 2_000_000;
/// Parts of an AuthenticatedSafe, and bags of a part.
const MAX_PARTS: usize = 64;
/// Longest chain above the certificate.
const MAX_CHAIN: usize = 8;

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
const KEY_BAG: &str = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG: &str = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG: &str = "1.2.840.113549.1.12.10.1.3";
const X509_CERTIFICATE: &str = "1.2.840.113549.1.9.22.1";
const LOCAL_KEY_ID: &str = "1.2.840.113549.1.9.21";

/// Which ciphers may protect the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ciphers {
    /// PBES2 with AES alone (RFC 8018).
    Strong,
    /// Also RC2 and Triple DES of RFC 7292 Appendix C, and keys that are not encrypted: for files that stay with their owner.
    Any,
}

/// What a file holds.
pub struct Contents {
    key: Zeroizing<Vec<u8>>,
    certificate: Certificate,
    chain: Vec<Certificate>,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// It is no PKCS#12 file, or not one that is read here; the text says what was expected.
    #[error("the file cannot be read as PKCS#12: {0} was expected")]
    Malformed(&'static str),
    /// The password does not fit.
    #[error("the password does not open the file")]
    WrongPassword,
    /// It is protected by ciphers that are not accepted.
    #[error("the file is protected by {0}; export it again with AES")]
    WeakCipher(&'static str),
    /// It holds more than one private key.
    #[error("the file holds several private keys; export the one for signing alone")]
    SeveralKeys,
    /// One of its certificates cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl Pkcs12Error {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::P12Malformed,
            Self::WrongPassword => ErrorCode::WrongPassword,
            Self::WeakCipher(_) => ErrorCode::P12WeakCipher,
            Self::SeveralKeys => ErrorCode::P12SeveralKeys,
            Self::Certificate(error) => error.code(),
        }
    }
}

impl From<Malformed> for Pkcs12Error {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.0)
    }
}

impl Contents {
    /// The private key: DER of `PrivateKeyInfo` (RFC 5208 §5). Wiped with the contents.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The certificate that goes with the key, as far as the file says so: only a signature proves it.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Certificates above it, each the issuer of the one before, at most eight.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }
}

impl core::fmt::Debug for Contents {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Contents").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Opens a file.
///
/// # Errors
/// [`Pkcs12Error`], with the codes `p12_malformed`, `wrong_password`, `p12_weak_cipher`, `p12_several_keys` and
/// `certificate_malformed`.
pub fn open(file: &[u8], password: &str, ciphers: Ciphers) -> Result<Contents, Pkcs12Error> {
    if file.len() > MAX_BYTES {
        return Err(Pkcs12Error::Malformed("a file of at most 256 KiB"));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Pkcs12Error::WrongPassword);
    }
    let mut work = Work::new(MAX_ROUNDS);
    let file = to_der(file)?;
    let safe = verified_safe(&file, password, &mut work)?;
    let found = read_safe(safe, password, ciphers, &mut work)?;
    found.choose()
}

/// ```text
/// PFX ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo, macData MacData OPTIONAL }
/// MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }
/// ```
fn verified_safe<'a>(file: &'a [u8], password: &str, work: &mut Work) -> Result<&'a [u8], Pkcs12Error> {
    let mut pfx = single(file, tag::SEQUENCE, "a PFX")?.reader();
    if pfx.expect(tag::INTEGER, "the version of a PFX")?.small_unsigned()? != 3 {
        return Err(Pkcs12Error::Malformed("version 3 of a PFX"));
    }
    let content = pfx.expect(tag::SEQUENCE, "the ContentInfo of a PFX")?;
    let mac = pfx.optional(tag::SEQUENCE)?.ok_or(Malformed("a MAC"))?;
    pfx.end()?;
    let mut content = content.reader();
    if !is(&content.expect(tag::OID, "the type of the content")?, DATA) {
        return Err(Pkcs12Error::Malformed("a file that is protected by a password"));
    }
    let safe = octets(&content.expect(tag::context_constructed(0), "the content of a PFX")?)?;
    content.end()?;
    derive::check_mac(&mac, safe, password, work)?;
    Ok(safe)
}

/// What was found, in the order of the file.
#[derive(Default)]
struct Found {
    keys: Vec<Bag<Zeroizing<Vec<u8>>>>,
    certificates: Vec<Bag<Certificate>>,
}

/// A value with its `localKeyId`.
struct Bag<T> {
    value: T,
    local_key_id: Option<Vec<u8>>,
}

/// `AuthenticatedSafe ::= SEQUENCE OF ContentInfo`, each with a `SafeContents`.
fn read_safe(safe: &[u8], password: &str, ciphers: Ciphers, work: &mut Work) -> Result<Found, Pkcs12Error> {
    let safe = to_der(safe)?;
    let mut parts = single(&safe, tag::SEQUENCE, "an AuthenticatedSafe")?.reader();
    let (mut found, mut count) = (Found::default(), 0);
    while !parts.is_empty() {
        count_one(&mut count)?;
        let mut part = parts.expect(tag::SEQUENCE, "a ContentInfo")?.reader();
        let kind = part.expect(tag::OID, "the type of a part")?;
        let content = part.expect(tag::context_constructed(0), "the content of a part")?;
        part.end()?;
        if is(&kind, DATA) {
            let bags = octets(&content)?;
            read_bags(&mut found, bags, Strength::None, password, ciphers, work)?;
        } else if is(&kind, ENCRYPTED_DATA) {
            let (algorithm, value) = encrypted_data(&content)?;
            let (bags, strength) = decipher(&algorithm, &value, password, ciphers, work)?;
            read_bags(&mut found, &bags, strength, password, ciphers, work)?;
        } else {
            return Err(Pkcs12Error::Malformed("a part that is protected by a password"));
        }
    }
    Ok(found)
}

/// ```text
/// EncryptedData ::= SEQUENCE { version INTEGER, encryptedContentInfo EncryptedContentInfo, unprotectedAttrs [1] OPTIONAL }
/// EncryptedContentInfo ::= SEQUENCE { contentType OID, contentEncryptionAlgorithm SEQUENCE, encryptedContent [0] IMPLICIT OCTET STRING }
/// ```
fn encrypted_data<'a>(content: &Tlv<'a>) -> Result<(Tlv<'a>, Vec<u8>), Pkcs12Error> {
    let mut data = single(content.value, tag::SEQUENCE, "an EncryptedData")?.reader();
    data.expect(tag::INTEGER, "the version of an EncryptedData")?;
    let mut info = data.expect(tag::SEQUENCE, "an EncryptedContentInfo")?.reader();
    if !is(&info.expect(tag::OID, "the type of encrypted content")?, DATA) {
        return Err(Pkcs12Error::Malformed("encrypted content of type data"));
    }
    let algorithm = info.expect(tag::SEQUENCE, "the algorithm of encrypted content")?;
    let value = info.element()?;
    info.end()?;
    // In pieces when the writer did not know the length beforehand.
    let value = if value.tag == tag::context(0) {
        value.value.to_vec()
    } else if value.tag == tag::context_constructed(0) {
        let (mut pieces, mut whole) = (value.reader(), Vec::new());
        while !pieces.is_empty() {
            whole.extend_from_slice(pieces.expect(tag::OCTET_STRING, "a piece of encrypted content")?.value);
        }
        whole
    } else {
        return Err(Pkcs12Error::Malformed("encrypted content"));
    };
    Ok((algorithm, value))
}

/// ```text
/// SafeContents ::= SEQUENCE OF SafeBag
/// SafeBag ::= SEQUENCE { bagId OID, bagValue [0] EXPLICIT ANY, bagAttributes SET OF Attribute OPTIONAL }
/// ```
fn read_bags(
    found: &mut Found,
    bags: &[u8],
    around: Strength,
    password: &str,
    ciphers: Ciphers,
    work: &mut Work,
) -> Result<(), Pkcs12Error> {
    let bags = to_der(bags)?;
    let (mut bags, mut count) = (single(&bags, tag::SEQUENCE, "a SafeContents")?.reader(), 0);
    while !bags.is_empty() {
        count_one(&mut count)?;
        let mut bag = bags.expect(tag::SEQUENCE, "a SafeBag")?.reader();
        let kind = bag.expect(tag::OID, "the type of a bag")?;
        let value = bag.expect(tag::context_constructed(0), "the value of a bag")?;
        let local_key_id = bag.optional(tag::SET)?.map(|set| local_key_id(&set)).transpose()?.flatten();
        bag.end()?;
        if is(&kind, KEY_BAG) {
            if around == Strength::None && ciphers == Ciphers::Strong {
                return Err(Pkcs12Error::WeakCipher("nothing at all"));
            }
            found.add_key(Zeroizing::new(value.value.to_vec()), local_key_id)?;
        } else if is(&kind, SHROUDED_KEY_BAG) {
            let mut shrouded = single(value.value, tag::SEQUENCE, "an EncryptedPrivateKeyInfo")?.reader();
            let algorithm = shrouded.expect(tag::SEQUENCE, "the algorithm of an encrypted key")?;
            let encrypted = shrouded.expect(tag::OCTET_STRING, "an encrypted key")?;
            shrouded.end()?;
            let (key, _) = decipher(&algorithm, encrypted.value, password, ciphers, work)?;
            found.add_key(key, local_key_id)?;
        } else if is(&kind, CERTIFICATE_BAG) {
            let mut bag = single(value.value, tag::SEQUENCE, "a CertBag")?.reader();
            let is_x509 = is(&bag.expect(tag::OID, "the type of a certificate")?, X509_CERTIFICATE);
            let certificate = bag.expect(tag::context_constructed(0), "a certificate")?;
            bag.end()?;
            if is_x509 {
                let value = Certificate::from_der(octets(&certificate)?)?;
                found.certificates.push(Bag { value, local_key_id });
            }
        }
        // CRLs and other secrets are of no use here.
    }
    Ok(())
}

impl Found {
    fn add_key(
        &mut self,
        value: Zeroizing<Vec<u8>>,
        local_key_id: Option<Vec<u8>>,
    ) -> Result<(), Pkcs12Error> {
        // `PrivateKeyInfo ::= SEQUENCE { version INTEGER, … }`; what is in it is for whoever signs.
        single(&value, tag::SEQUENCE, "a PrivateKeyInfo")?
            .reader()
            .expect(tag::INTEGER, "the version of a PrivateKeyInfo")?;
        self.keys.push(Bag { value, local_key_id });
        Ok(())
    }

    fn choose(self) -> Result<Contents, Pkcs12Error> {
        let mut keys = self.keys.into_iter();
        let key = keys.next().ok_or(Malformed("a private key"))?;
        if keys.next().is_some() {
            return Err(Pkcs12Error::SeveralKeys);
        }
        let mut others = self.certificates;
        let named =
            others.iter().position(|bag| key.local_key_id.is_some() && bag.local_key_id == key.local_key_id);
        let place = match named {
            Some(place) => place,
            None if others.len() == 1 => 0,
            None => return Err(Pkcs12Error::Malformed("the certificate of the private key")),
        };
        let certificate = others.swap_remove(place).value;
        let mut chain: Vec<Certificate> = Vec::new();
        // Each certificate is used once, so those that name each other as issuer end somewhere.
        while chain.len() < MAX_CHAIN {
            let below = chain.last().unwrap_or(&certificate);
            if below.subject() == below.issuer() {
                break;
            }
            let above = others.iter().position(|bag| bag.value.subject() == below.issuer());
            let Some(above) = above else { break };
            chain.push(others.swap_remove(above).value);
        }
        Ok(Contents { key: key.value, certificate, chain })
    }
}

/// `Attribute ::= SEQUENCE { type OID, values SET OF ANY }`; the value is an OCTET STRING.
fn local_key_id(attributes: &Tlv<'_>) -> Result<Option<Vec<u8>>, Pkcs12Error> {
    let (mut attributes, mut count) = (attributes.reader(), 0);
    while !attributes.is_empty() {
        count_one(&mut count)?;
        let mut attribute = attributes.expect(tag::SEQUENCE, "an attribute of a bag")?.reader();
        let kind = attribute.expect(tag::OID, "the type of an attribute")?;
        let values = attribute.expect(tag::SET, "the values of an attribute")?;
        attribute.end()?;
        if is(&kind, LOCAL_KEY_ID) {
            return Ok(Some(
                single(values.value, tag::OCTET_STRING, "one local key identifier")?.value.to_vec(),
            ));
        }
    }
    Ok(None)
}

/// The OCTET STRING in an explicit tag.
fn octets<'a>(explicit: &Tlv<'a>) -> Result<&'a [u8], Malformed> {
    Ok(single(explicit.value, tag::OCTET_STRING, "an OCTET STRING")?.value)
}

/// In DER, whatever of BER the writer used.
fn to_der(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let (der, length) = ber::to_der(bytes)?;
    let der = Zeroizing::new(der);
    Reader::new(&bytes[length..]).end()?;
    Ok(der)
}

fn is(element: &Tlv<'_>, oid: &str) -> bool {
    const_oid::ObjectIdentifier::new(oid).is_ok_and(|oid| oid.as_bytes() == element.value)
}

fn count_one(count: &mut usize) -> Result<(), Malformed> {
    *count += 1;
    if *count > MAX_PARTS { Err(Malformed("at most 64 parts")) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
