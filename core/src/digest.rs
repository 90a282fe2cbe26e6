//! Message digests: SHA-256 is written, SHA-384 and SHA-512 are read too (RFC 5754 §2).

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::oid;

/// A digest algorithm that is accepted. SHA-1 and MD5 are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestAlgorithm {
    /// SHA-256, the only one that is written.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The wire name: `sha256`, `sha384` or `sha512`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the digest in bytes.
    #[must_use]
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    pub(crate) const fn oid(self) -> const_oid::ObjectIdentifier {
        match self {
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    pub(crate) fn from_oid(contents: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.oid().as_bytes() == contents)
    }
}

/// A digest that knows its algorithm.
///
/// **Shape**: as text and in JSON `sha256:` and lower-case hexadecimal.
#[derive(Clone, Copy)]
pub struct Digest {
    algorithm: DigestAlgorithm,
    bytes: [u8; 64],
}

/// The text or length does not make a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: sha256, sha384 or sha512 with its exact length is expected")]
#[non_exhaustive]
pub struct InvalidDigest;

impl Digest {
    /// SHA-256 of bytes in memory.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Self {
        let mut stream = Sha256Stream::new();
        stream.update(bytes);
        stream.finish()
    }

    /// Digest of bytes in memory.
    #[must_use]
    pub fn of(algorithm: DigestAlgorithm, bytes: &[u8]) -> Self {
        let mut stream = DigestStream::new(algorithm);
        stream.update(bytes);
        stream.finish()
    }

    /// Takes over a digest that was computed elsewhere.
    ///
    /// # Errors
    /// The length is not the one of the algorithm.
    pub fn from_bytes(algorithm: DigestAlgorithm, bytes: &[u8]) -> Result<Self, InvalidDigest> {
        if bytes.len() != algorithm.size_bytes() {
            return Err(InvalidDigest);
        }
        let mut padded = [0; 64];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { algorithm, bytes: padded })
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The digest: 32, 48 or 64 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.size_bytes()]
    }

    /// Lower-case hexadecimal without the name of the algorithm.
    #[must_use]
    pub fn to_hex(&self) -> String {
        to_hex(self.as_bytes())
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Digest {}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (name, hex) = text.split_once(':').ok_or(InvalidDigest)?;
        let algorithm = DigestAlgorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
        let algorithm = algorithm.ok_or(InvalidDigest)?;
        Self::from_bytes(algorithm, &from_hex(hex).ok_or(InvalidDigest)?)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// SHA-256 over bytes that arrive in pieces. A clone goes on from the same place.
#[derive(Clone, Default)]
pub struct Sha256Stream {
    state: Sha256,
    length: u64,
}

impl Sha256Stream {
    /// Starts over no bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// Number of bytes taken so far.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.length
    }

    /// The digest of everything taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        digest(DigestAlgorithm::Sha256, &self.state.finalize())
    }
}

impl fmt::Debug for Sha256Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha256Stream").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Any accepted digest over bytes that arrive in pieces. A clone goes on from the same place.
///
/// [`Sha256Stream`] is the one to use where only SHA-256 can occur: it keeps the browser module small.
#[derive(Clone)]
pub struct DigestStream(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl DigestStream {
    /// Starts over no bytes.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            DigestAlgorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of everything taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => digest(DigestAlgorithm::Sha256, &state.finalize()),
            State::Sha384(state) => digest(DigestAlgorithm::Sha384, &state.finalize()),
            State::Sha512(state) => digest(DigestAlgorithm::Sha512, &state.finalize()),
        }
    }
}

impl fmt::Debug for DigestStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Sha256(_) => "DigestStream(sha256)",
            State::Sha384(_) => "DigestStream(sha384)",
            State::Sha512(_) => "DigestStream(sha512)",
        })
    }
}

/// SHA-1, for the places where old standards use it as a name: it decides which object is meant among those
/// at hand, and never whether something was signed.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(bytes).into()
}

/// Lower-case hexadecimal.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibble = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 0x0f)]).collect()
}

/// A SHA-256 of the wire: 64 lower-case hexadecimal digits and nothing else.
pub(crate) fn sha256_from_hex(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    from_hex(text)?.try_into().ok()
}

/// Bytes of a hexadecimal text of even length, either case.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn digest(algorithm: DigestAlgorithm, bytes: &[u8]) -> Digest {
    Digest::from_bytes(algorithm, bytes).expect("the hash function gives its own length")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn abc_has_the_digests_of_fips_180() {
        for (algorithm, expected) in [
            (DigestAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                DigestAlgorithm::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                DigestAlgorithm::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            assert_eq!(Digest::of(algorithm, b"abc").to_hex(), expected);
        }
    }

    #[test]
    fn abc_has_the_sha_1_of_fips_180() {
        assert_eq!(to_hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn text_without_its_algorithm_or_length_is_refused() {
        for text in
            ["", "sha256", "sha256:", "sha256:00", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "é"]
        {
            assert_eq!(text.parse::<Digest>(), Err(InvalidDigest), "{text}");
        }
    }

    proptest! {
        #[test]
        fn pieces_give_the_digest_of_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0_usize..400) {
            let cut = cut.min(bytes.len());
            let mut stream = Sha256Stream::new();
            stream.update(&bytes[..cut]);
            stream.clone().update(b"a clone does not disturb");
            stream.update(&bytes[cut..]);
            prop_assert_eq!(stream.size_bytes(), bytes.len() as u64);
            prop_assert_eq!(stream.finish(), Digest::sha256(&bytes));
        }

        #[test]
        fn a_digest_survives_json(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            for algorithm in DigestAlgorithm::ALL {
                let digest = Digest::of(algorithm, &bytes);
                let json = serde_json::to_string(&digest).unwrap();
                prop_assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
            }
        }
    }
}
