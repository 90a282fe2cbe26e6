//! Encrypted files: the standard security handler (ISO 32000-2 §7.6) with RC4, AES-128 and AES-256.
//!
//! Strings and streams are decrypted when their object is read and encrypted when one is written. Three kinds
//! of bytes are always clear: cross-reference streams, the encryption dictionary itself, and `/Contents` of a
//! signature. Strings inside an object stream are encrypted with the stream and not once more.
//!
//! **Initialisation vectors without randomness.** AES-CBC needs a vector that nobody can foresee and that is
//! not used for two different texts. `core` draws no randomness, and preparing twice must give the same bytes.
//! So the vector is the start of SHA-256 over file key, object, position in the object, text, and a seed of
//! the caller: unforeseeable without the file key, different for different texts, and equal only when the same
//! text is written in the same place of the same update, which tells an observer nothing that the equal file
//! does not. RC4 has no vector: an object that is replaced under its number uses its key stream again. That is
//! a weakness of RC4 in PDF, which every writer shares.

mod cipher;
mod password;
#[cfg(test)]
mod tests;

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;

use md5::Md5;
use sha2::{Digest as _, Sha256};

use self::cipher::{BLOCK_BYTES, decrypt_aes, encrypt_aes, rc4, unwrap_aes256};
use self::password::Parameters;
use super::filter::filters;
use super::{Dictionary, Object, PdfError, Reference};

/// How strings or streams are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Identity,
    Rc4,
    Aes128,
    Aes256,
}

/// What the document's permission bits allow (ISO 32000-2 §7.6.4.2, table 22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permissions {
    /// Existing fields may be filled in, and existing signature fields signed.
    pub(crate) fill_fields: bool,
    /// Annotations may be added, and so may a new signature field.
    pub(crate) annotate: bool,
}

impl Permissions {
    /// Without encryption, and for the owner, everything is allowed.
    pub(crate) const ALL: Self = Self { fill_fields: true, annotate: true };
}

/// An encrypted document that was opened.
pub(crate) struct Security {
    key: Vec<u8>,
    filters: BTreeMap<Vec<u8>, Method>,
    strings: Method,
    streams: Method,
    embedded_files: Method,
    encrypt_metadata: bool,
    /// The object of the encryption dictionary, if it has one of its own.
    dictionary: Option<Reference>,
    pub(crate) permissions: Permissions,
}

impl fmt::Debug for Security {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Security")
            .field("strings", &self.strings)
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}

impl Security {
    /// Opens with a password; `None` tries the empty one, with which most encrypted files can be read.
    ///
    /// `dictionary` is the encryption dictionary and `reference` its object, `identifier` the first part of
    /// `/ID`.
    ///
    /// # Errors
    /// [`PdfError::Encrypted`] without the password that is needed, [`PdfError::PasswordWrong`] with another
    /// one, [`PdfError::Unsupported`] for other handlers, [`PdfError::Damaged`].
    pub(super) fn open(
        dictionary: &Dictionary,
        reference: Option<Reference>,
        identifier: &[u8],
        password: Option<&str>,
    ) -> Result<Self, PdfError> {
        if !dictionary.has_name(b"Filter", b"Standard") {
            return Err(PdfError::unsupported(
                "encryption for certificates or by another handler than the standard one",
            ));
        }
        if dictionary.get(b"KDFSalt").is_some() {
            return Err(PdfError::unsupported(
                "encryption with a message authentication code (ISO/TS 32004)",
            ));
        }
        let version = integer(dictionary, b"V").unwrap_or(0);
        let revision = integer(dictionary, b"R").unwrap_or(0);
        let known = matches!((version, revision), (1, 2 | 3) | (2, 3) | (4, 4) | (5, 5 | 6));
        if !known {
            return Err(PdfError::unsupported("an encryption version that is not read here"));
        }
        let encrypt_metadata =
            version < 4 || dictionary.get(b"EncryptMetadata") != Some(&Object::Boolean(false));
        let parameters = parameters(dictionary, version, revision, encrypt_metadata, identifier)
            .ok_or(PdfError::damaged(0, "the encryption dictionary cannot be read"))?;
        let opened = password::open(&parameters, password.unwrap_or_default()).ok_or(match password {
            None => PdfError::Encrypted,
            Some(_) => PdfError::PasswordWrong,
        })?;
        if version == 5 {
            check_permissions(dictionary, &opened.key, &parameters)?;
        }
        let bit = |number: u32| parameters.permissions >> (number - 1) & 1 == 1;
        let permissions = if opened.is_owner {
            Permissions::ALL
        } else {
            Permissions { fill_fields: bit(6) || revision >= 3 && bit(9), annotate: bit(6) }
        };
        let filters = crypt_filters(dictionary, version)?;
        let method = |key: &[u8]| match dictionary.get(key) {
            _ if version < 4 => Ok(Some(Method::Rc4)),
            None => Ok(None),
            Some(name) => named(&filters, name.as_name().unwrap_or_default()).map(Some),
        };
        let streams = method(b"StmF")?.unwrap_or(Method::Identity);
        Ok(Self {
            key: opened.key,
            strings: method(b"StrF")?.unwrap_or(Method::Identity),
            streams,
            embedded_files: method(b"EFF")?.unwrap_or(streams),
            filters,
            encrypt_metadata,
            dictionary: reference,
            permissions,
        })
    }

    /// Decrypts the strings of a plain object in place.
    pub(super) fn decrypt(&self, reference: Reference, object: &mut Object) -> Result<(), PdfError> {
        self.each_string(reference, object, &mut |text| {
            *text = self.decrypt_bytes(self.strings, reference, text)?;
            Ok(())
        })
    }

    /// Encrypts the strings of an object that is to be written as a plain one.
    pub(super) fn encrypt(&self, reference: Reference, seed: &[u8], object: &mut Object) {
        let mut position = 0;
        let result = self.each_string(reference, object, &mut |text| {
            position += 1;
            *text = self.encrypt_bytes(self.strings, reference, position, seed, text);
            Ok(())
        });
        result.expect("encrypting does not fail");
    }

    /// Decrypts the body of a stream.
    pub(super) fn decrypt_stream<'b>(
        &self,
        reference: Reference,
        dictionary: &Dictionary,
        body: Cow<'b, [u8]>,
    ) -> Result<Cow<'b, [u8]>, PdfError> {
        match self.stream_method(dictionary)? {
            Method::Identity => Ok(body),
            method @ (Method::Rc4 | Method::Aes128 | Method::Aes256) => {
                self.decrypt_bytes(method, reference, &body).map(Cow::Owned)
            }
        }
    }

    /// Encrypts the body of a stream that we write. A crypt filter that the file does not have is never named
    /// there.
    pub(super) fn encrypt_stream<'b>(
        &self,
        reference: Reference,
        seed: &[u8],
        dictionary: &Dictionary,
        body: Cow<'b, [u8]>,
    ) -> Cow<'b, [u8]> {
        match self.stream_method(dictionary).unwrap_or(self.streams) {
            Method::Identity => body,
            method @ (Method::Rc4 | Method::Aes128 | Method::Aes256) => {
                self.encrypt_bytes(method, reference, 0, seed, &body).into()
            }
        }
    }

    fn stream_method(&self, dictionary: &Dictionary) -> Result<Method, PdfError> {
        if dictionary.has_name(b"Type", b"XRef") {
            return Ok(Method::Identity);
        }
        let crypt = filters(dictionary).and_then(|all| all.into_iter().find(|(name, _)| *name == b"Crypt"));
        if let Some((_, parameters)) = crypt {
            let name = parameters.and_then(|parameters| parameters.get(b"Name")).and_then(Object::as_name);
            return named(&self.filters, name.unwrap_or(b"Identity"));
        }
        Ok(match dictionary.get(b"Type").and_then(Object::as_name) {
            Some(b"Metadata") if !self.encrypt_metadata => Method::Identity,
            Some(b"EmbeddedFile") => self.embedded_files,
            _ => self.streams,
        })
    }

    /// Visits the strings that are encrypted.
    fn each_string(
        &self,
        reference: Reference,
        object: &mut Object,
        visit: &mut impl FnMut(&mut Vec<u8>) -> Result<(), PdfError>,
    ) -> Result<(), PdfError> {
        let is_clear = object.as_dictionary().is_some_and(|dictionary| dictionary.has_name(b"Type", b"XRef"));
        if self.strings == Method::Identity || self.dictionary == Some(reference) || is_clear {
            return Ok(());
        }
        visit_strings(object, visit)
    }

    fn decrypt_bytes(&self, method: Method, reference: Reference, data: &[u8]) -> Result<Vec<u8>, PdfError> {
        let key = self.object_key(method, reference);
        match method {
            Method::Identity => Ok(data.to_vec()),
            Method::Rc4 => {
                let mut data = data.to_vec();
                rc4(&key, &mut data);
                Ok(data)
            }
            // Some writers leave empty strings alone.
            Method::Aes128 | Method::Aes256 if data.is_empty() => Ok(Vec::new()),
            Method::Aes128 | Method::Aes256 => decrypt_aes(&key, data)
                .ok_or(PdfError::damaged(0, "an encrypted string or stream cannot be decrypted")),
        }
    }

    fn encrypt_bytes(
        &self,
        method: Method,
        reference: Reference,
        position: u32,
        seed: &[u8],
        data: &[u8],
    ) -> Vec<u8> {
        let key = self.object_key(method, reference);
        match method {
            Method::Identity => data.to_vec(),
            Method::Rc4 => {
                let mut data = data.to_vec();
                rc4(&key, &mut data);
                data
            }
            Method::Aes128 | Method::Aes256 => {
                let mut hash = Sha256::new();
                hash.update(b"Rubrica PDF initialisation vector");
                for part in [&self.key[..], seed, data] {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
                hash.update(reference.number.to_be_bytes());
                hash.update(reference.generation.to_be_bytes());
                hash.update(position.to_be_bytes());
                let mut iv = [0; BLOCK_BYTES];
                iv.copy_from_slice(&hash.finalize()[..BLOCK_BYTES]);
                encrypt_aes(&key, &iv, data)
            }
        }
    }

    /// Algorithm 1: the key of one object. AES-256 uses the file key itself.
    fn object_key(&self, method: Method, reference: Reference) -> Vec<u8> {
        if matches!(method, Method::Aes256 | Method::Identity) {
            return self.key.clone();
        }
        let mut hash = Md5::new();
        hash.update(&self.key);
        hash.update(&reference.number.to_le_bytes()[..3]);
        hash.update(reference.generation.to_le_bytes());
        if method == Method::Aes128 {
            hash.update(b"sAlT");
        }
        let mut key = hash.finalize().to_vec();
        key.truncate((self.key.len() + 5).min(16));
        key
    }
}

/// A signature dictionary's `/Contents` stays clear: it is filled in after the file was encrypted.
fn visit_strings(
    object: &mut Object,
    visit: &mut impl FnMut(&mut Vec<u8>) -> Result<(), PdfError>,
) -> Result<(), PdfError> {
    match object {
        Object::String(text) => visit(text),
        Object::Array(items) => items.iter_mut().try_for_each(|item| visit_strings(item, visit)),
        Object::Dictionary(dictionary) => {
            let is_signature = dictionary.get(b"ByteRange").is_some();
            dictionary
                .values_mut()
                .filter(|(key, _)| !(is_signature && *key == b"Contents"))
                .try_for_each(|(_, value)| visit_strings(value, visit))
        }
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::Reference(_) => Ok(()),
    }
}

fn integer(dictionary: &Dictionary, key: &[u8]) -> Option<i64> {
    dictionary.get(key).and_then(Object::as_integer)
}

fn parameters(
    dictionary: &Dictionary,
    version: i64,
    revision: i64,
    encrypt_metadata: bool,
    identifier: &[u8],
) -> Option<Parameters> {
    let string = |key: &[u8], length: usize| {
        // Some writers pad with zeros to 127 bytes.
        dictionary
            .get(key)
            .and_then(Object::as_string)
            .and_then(|text| text.get(..length))
            .map(<[u8]>::to_vec)
    };
    let check_bytes = if version == 5 { 48 } else { 32 };
    let wrapped = |key: &[u8]| if version == 5 { string(key, 32) } else { Some(Vec::new()) };
    let key_bytes = match version {
        1 => 5,
        5 => 32,
        4 => 16,
        _ => {
            let bits = dictionary.get(b"Length").map_or(Some(40), Object::as_integer)?;
            usize::try_from(bits / 8).ok().filter(|bytes| (5..=16).contains(bytes))?
        }
    };
    // Written as a signed number by most, as an unsigned one by some.
    let permissions = integer(dictionary, b"P")?;
    let permissions = u32::try_from(permissions)
        .ok()
        .or_else(|| i32::try_from(permissions).ok().map(i32::cast_unsigned))?;
    Some(Parameters {
        revision,
        key_bytes,
        owner: string(b"O", check_bytes)?,
        user: string(b"U", check_bytes)?,
        owner_key: wrapped(b"OE")?,
        user_key: wrapped(b"UE")?,
        permissions,
        encrypt_metadata,
        identifier: identifier.to_vec(),
    })
}

/// `/Perms` repeats permissions and EncryptMetadata under the file key, so that nobody changes them outside.
fn check_permissions(dictionary: &Dictionary, key: &[u8], parameters: &Parameters) -> Result<(), PdfError> {
    let wrong = PdfError::damaged(0, "the permissions of the encryption dictionary contradict each other");
    let stored =
        dictionary.get(b"Perms").and_then(Object::as_string).and_then(|text| text.get(..BLOCK_BYTES));
    let key: &[u8; 32] = key.try_into().map_err(|_| wrong.clone())?;
    let clear = stored.and_then(|stored| unwrap_aes256(key, stored)).ok_or(wrong.clone())?;
    let metadata = if parameters.encrypt_metadata { b'T' } else { b'F' };
    if clear[..4] == parameters.permissions.to_le_bytes() && clear[8] == metadata && &clear[9..12] == b"adb" {
        Ok(())
    } else {
        Err(wrong)
    }
}

/// The crypt filters of version 4 and 5 by name.
fn crypt_filters(dictionary: &Dictionary, version: i64) -> Result<BTreeMap<Vec<u8>, Method>, PdfError> {
    let mut filters = BTreeMap::new();
    let Some(all) = dictionary.get(b"CF").and_then(Object::as_dictionary).filter(|_| version >= 4) else {
        return Ok(filters);
    };
    for (name, filter) in all.entries() {
        let method = filter.as_dictionary().and_then(|filter| filter.get(b"CFM")).and_then(Object::as_name);
        let method = match (version, method) {
            (4, Some(b"V2")) => Method::Rc4,
            (4, Some(b"AESV2")) => Method::Aes128,
            (5, Some(b"AESV3")) => Method::Aes256,
            _ => return Err(PdfError::unsupported("a crypt filter that is not read here")),
        };
        filters.insert(name.to_vec(), method);
    }
    Ok(filters)
}

fn named(filters: &BTreeMap<Vec<u8>, Method>, name: &[u8]) -> Result<Method, PdfError> {
    match filters.get(name) {
        Some(method) => Ok(*method),
        None if name == b"Identity" => Ok(Method::Identity),
        None => Err(PdfError::damaged(0, "a crypt filter is missing")),
    }
}
