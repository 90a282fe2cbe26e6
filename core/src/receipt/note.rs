//! Signed notes ([C2SP signed-note](https://c2sp.org/signed-note)) with Ed25519.

use core::fmt;
use core::str::FromStr;

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};

use crate::x509::{PublicKey, SignatureAlgorithm};

/// Type of a signature: Ed25519 over the text.
const ED25519: u8 = 1;
/// What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 §4).
const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
/// A note is refused above this: sixteen signatures of witnesses fit many times.
const LARGEST_NOTE: usize = 64 * 1024;

/// The public key of a log, with the name under which it signs.
///
/// **Shape**: as text the verifier key that tools for signed notes use, `name+id+key`: the identifier as eight hexadecimal
/// digits, the key as standard base64 of `0x01` and 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    name: String,
    key: [u8; 32],
    public: PublicKey,
}

/// The text or the bytes are not a key of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a log key of the form name+id+key with an Ed25519 key")]
#[non_exhaustive]
pub struct InvalidLogKey;

impl LogKey {
    /// A key under a name, which has neither spaces nor `+`.
    ///
    /// # Errors
    /// [`InvalidLogKey`]: the name cannot be used, or the bytes are no point of the curve that signs safely.
    pub fn new(name: &str, key: [u8; 32]) -> Result<Self, InvalidLogKey> {
        if !is_name(name) {
            return Err(InvalidLogKey);
        }
        let spki = [&SPKI_HEAD[..], &key].concat();
        let public = PublicKey::from_spki_der(&spki).map_err(|_| InvalidLogKey)?;
        Ok(Self { name: name.to_owned(), key, public })
    }

    /// The name; a checkpoint has it as its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256 over the name, a newline, the type and the key.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new_with_prefix(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key)
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// A text with a signature of this key over it: the note. The text ends in a newline.
    #[must_use]
    pub fn note(&self, text: &str, signature: &[u8; 64]) -> String {
        let value = Base64::encode_string(&[&self.id()[..], signature].concat());
        format!("{text}\n— {} {value}\n", self.name)
    }

    /// The text of a note, once this key's signature on it was verified. Signatures of other keys are ignored.
    ///
    /// # Errors
    /// [`NoteError`]
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let (text, signatures) = split(note)?;
        let mut ours =
            signatures.iter().filter(|one| one.name == self.name && one.id == self.id()).peekable();
        if ours.peek().is_none() {
            return Err(NoteError::OtherKey);
        }
        let verifies = |signature: &NoteSignature<'_>| {
            self.public.verify_message(SignatureAlgorithm::Ed25519, text.as_bytes(), &signature.value).is_ok()
        };
        if ours.all(verifies) { Ok(text) } else { Err(NoteError::SignatureInvalid) }
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Base64::encode_string(&[&[ED25519][..], &self.key].concat());
        write!(out, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id()))
    }
}

impl FromStr for LogKey {
    type Err = InvalidLogKey;

    fn from_str(text: &str) -> Result<Self, InvalidLogKey> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidLogKey);
        };
        let key = Base64::decode_vec(key).map_err(|_| InvalidLogKey)?;
        let Some((&ED25519, key)) = key.split_first() else { return Err(InvalidLogKey) };
        let key = Self::new(name, key.try_into().map_err(|_| InvalidLogKey)?)?;
        if format!("{:08x}", u32::from_be_bytes(key.id())) == id { Ok(key) } else { Err(InvalidLogKey) }
    }
}

/// Why a note is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It does not have the form of a signed note.
    #[error("not a signed note")]
    Malformed,
    /// No signature is by the key that was given.
    #[error("the note is not signed by this key")]
    OtherKey,
    /// The signature of the key does not verify.
    #[error("the signature of the note does not verify")]
    SignatureInvalid,
}

struct NoteSignature<'n> {
    name: &'n str,
    id: [u8; 4],
    value: Vec<u8>,
}

/// The text, with its last newline, and the signatures behind the last empty line.
fn split(note: &str) -> Result<(&str, Vec<NoteSignature<'_>>), NoteError> {
    let allowed = |c: char| c == '\n' || !c.is_ascii_control();
    if note.len() > LARGEST_NOTE || !note.chars().all(allowed) {
        return Err(NoteError::Malformed);
    }
    let end = note.rfind("\n\n").ok_or(NoteError::Malformed)? + 1;
    let lines = note[end + 1..].strip_suffix('\n').ok_or(NoteError::Malformed)?;
    let signatures: Option<Vec<_>> = lines.split('\n').map(parse_signature).collect();
    Ok((&note[..end], signatures.ok_or(NoteError::Malformed)?))
}

/// The text of a note whose signatures nobody verified.
pub(super) fn text_of(note: &str) -> Result<&str, NoteError> {
    Ok(split(note)?.0)
}

fn parse_signature(line: &str) -> Option<NoteSignature<'_>> {
    let (name, value) = line.strip_prefix("— ")?.split_once(' ')?;
    let value = Base64::decode_vec(value).ok()?;
    let (id, value) = value.split_first_chunk::<4>()?;
    (is_name(name) && !value.is_empty()).then(|| NoteSignature { name, id: *id, value: value.to_vec() })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}
