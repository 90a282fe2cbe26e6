//! The ciphers of a file: PBES2 with AES (RFC 8018 §6.2), and those of RFC 7292 Appendix C for whoever accepts them.

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, InnerIvInit, KeyIvInit};
use des::TdesEde3;
use rc2::Rc2;
use zeroize::Zeroizing;

use super::derive::{Pkcs12Parameters, Purpose, Work, pbkdf2};
use super::{Ciphers, Pkcs12Error, is};
use crate::tlv::{Malformed, Tlv, tag};

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const AES_128_CBC: &str = "2.16.840.1.101.3.4.1.2";
const AES_192_CBC: &str = "2.16.840.1.101.3.4.1.22";
const AES_256_CBC: &str = "2.16.840.1.101.3.4.1.42";
const DES_CBC: &str = "1.3.14.3.2.7";
const TRIPLE_DES_CBC: &str = "1.2.840.113549.3.7";
const RC2_CBC: &str = "1.2.840.113549.3.2";
/// `pbeWithSHAAnd…` of RFC 7292 Appendix C, with what they are called.
const RC4_128: &str = "1.2.840.113549.1.12.1.1";
const RC4_40: &str = "1.2.840.113549.1.12.1.2";
const TRIPLE_DES: &str = "1.2.840.113549.1.12.1.3";
const TRIPLE_DES_2: &str = "1.2.840.113549.1.12.1.4";
const RC2_128: &str = "1.2.840.113549.1.12.1.5";
const RC2_40: &str = "1.2.840.113549.1.12.1.6";
/// `pbeWith…` of PKCS#5 version 1.5 (RFC 8018 Appendix A.3).
const PBES1: [&str; 6] = [
    "1.2.840.113549.1.5.1",
    "1.2.840.113549.1.5.4",
    "1.2.840.113549.1.5.3",
    "1.2.840.113549.1.5.6",
    "1.2.840.113549.1.5.10",
    "1.2.840.113549.1.5.11",
];

/// What was enciphered.
type Clear = Result<Zeroizing<Vec<u8>>, Pkcs12Error>;

/// What is around the bags of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// Anybody reads them.
    None,
    /// A cipher that the caller accepts.
    Accepted,
}

/// Deciphers a value. `algorithm` is an `AlgorithmIdentifier`.
pub(super) fn decipher(
    algorithm: &Tlv<'_>,
    value: &[u8],
    password: &str,
    ciphers: Ciphers,
    work: &mut Work,
) -> Result<(Zeroizing<Vec<u8>>, Strength), Pkcs12Error> {
    let mut algorithm = algorithm.reader();
    let kind = algorithm.expect(tag::OID, "a cipher")?;
    if is(&kind, PBES2) {
        let parameters = algorithm.expect(tag::SEQUENCE, "the parameters of PBES2")?;
        algorithm.end()?;
        return Ok((pbes2(&parameters, value, password, work)?, Strength::Accepted));
    }
    let weak = weak_name(&kind).ok_or(Malformed("PBES2 with AES"))?;
    if ciphers == Ciphers::Strong {
        return Err(Pkcs12Error::WeakCipher(weak));
    }
    let parameters = algorithm.expect(tag::SEQUENCE, "the parameters of a cipher")?;
    algorithm.end()?;
    let parameters = Pkcs12Parameters::read(&parameters, work)?;
    let iv = parameters.derive(password, Purpose::InitialisationVector, 8);
    let key = |length| parameters.derive(password, Purpose::Key, length);
    let clear = if is(&kind, TRIPLE_DES) {
        cbc::<Decryptor<TdesEde3>>(&key(24), &iv, value)?
    } else if is(&kind, RC2_128) {
        rc2(&key(16), &iv, value)?
    } else if is(&kind, RC2_40) {
        rc2(&key(5), &iv, value)?
    } else {
        return Err(Pkcs12Error::WeakCipher(weak));
    };
    Ok((clear, Strength::Accepted))
}

fn weak_name(kind: &Tlv<'_>) -> Option<&'static str> {
    if PBES1.iter().any(|oid| is(kind, oid)) {
        return Some("DES or RC2");
    }
    let known = [
        (TRIPLE_DES, "Triple DES"),
        (TRIPLE_DES_2, "Triple DES"),
        (RC2_128, "RC2"),
        (RC2_40, "RC2"),
        (RC4_128, "RC4"),
        (RC4_40, "RC4"),
    ];
    known.iter().find(|(oid, _)| is(kind, oid)).map(|(_, name)| *name)
}

/// `PBES2-params ::= SEQUENCE { keyDerivationFunc SEQUENCE, encryptionScheme SEQUENCE { OID, iv OCTET STRING } }`
fn pbes2(parameters: &Tlv<'_>, value: &[u8], password: &str, work: &mut Work) -> Clear {
    let mut parameters = parameters.reader();
    let mut derivation = parameters.expect(tag::SEQUENCE, "a key derivation")?.reader();
    let mut scheme = parameters.expect(tag::SEQUENCE, "an encryption scheme")?.reader();
    parameters.end()?;
    if !is(&derivation.expect(tag::OID, "a key derivation")?, PBKDF2) {
        return Err(Pkcs12Error::Malformed("PBKDF2"));
    }
    let cipher = scheme.expect(tag::OID, "a cipher")?;
    let weak = [(DES_CBC, "DES"), (TRIPLE_DES_CBC, "Triple DES"), (RC2_CBC, "RC2")];
    if let Some((_, name)) = weak.iter().find(|(oid, _)| is(&cipher, oid)) {
        return Err(Pkcs12Error::WeakCipher(name));
    }
    let open: fn(&[u8], &[u8], &[u8]) -> Clear;
    let length;
    if is(&cipher, AES_128_CBC) {
        (length, open) = (16, cbc::<Decryptor<Aes128>>);
    } else if is(&cipher, AES_192_CBC) {
        (length, open) = (24, cbc::<Decryptor<Aes192>>);
    } else if is(&cipher, AES_256_CBC) {
        (length, open) = (32, cbc::<Decryptor<Aes256>>);
    } else {
        return Err(Pkcs12Error::Malformed("PBES2 with AES"));
    }
    let iv = scheme.expect(tag::OCTET_STRING, "an initialisation vector")?;
    scheme.end()?;
    let parameters = derivation.expect(tag::SEQUENCE, "the parameters of PBKDF2")?;
    derivation.end()?;
    let key = pbkdf2(&parameters, password, length, work)?;
    open(&key, iv.value, value)
}

fn cbc<C: KeyIvInit + BlockDecryptMut>(key: &[u8], iv: &[u8], value: &[u8]) -> Clear {
    let cipher =
        C::new_from_slices(key, iv).map_err(|_| Malformed("an initialisation vector of one block"))?;
    open(cipher, value)
}

/// RC2, whose effective length is that of its key.
fn rc2(key: &[u8], iv: &[u8], value: &[u8]) -> Clear {
    let cipher = Rc2::new_with_eff_key_len(key, 8 * key.len());
    let cipher = Decryptor::inner_iv_slice_init(cipher, iv)
        .map_err(|_| Malformed("an initialisation vector of one block"))?;
    open(cipher, value)
}

/// The password fits by the MAC; a part that it does not open has another one.
fn open(cipher: impl BlockDecryptMut, value: &[u8]) -> Clear {
    let mut bytes = Zeroizing::new(value.to_vec());
    let length =
        cipher.decrypt_padded_mut::<Pkcs7>(&mut bytes).map_err(|_| Pkcs12Error::WrongPassword)?.len();
    bytes.truncate(length);
    Ok(bytes)
}
