//! From a password to the file key (ISO 32000-2 §7.6.4).

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::cipher::{encrypt_aes128_blocks, rc4, unwrap_aes256};

/// Fills up passwords that are shorter (ISO 32000-2 §7.6.4.3.2).
const PADDING: [u8; 32] = [
    0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56, 0xff, 0xfa, 0x01, 0x08, 0x2e,
    0x2e, 0x00, 0xb6, 0xd0, 0x68, 0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
];
/// Passwords of revision 5 and 6 are cut here, in bytes of UTF-8.
const MAX_PASSWORD_BYTES: usize = 127;

/// What the encryption dictionary says about passwords.
#[derive(Debug)]
pub(super) struct Parameters {
    /// `/R`: 2, 3, 4, 5 or 6.
    pub(super) revision: i64,
    /// Length of the file key in bytes.
    pub(super) key_bytes: usize,
    /// `/O`: 32 bytes, from revision 5 on 48.
    pub(super) owner: Vec<u8>,
    /// `/U`: as long as `/O`.
    pub(super) user: Vec<u8>,
    /// `/OE` and `/UE`: the file key, wrapped; empty before revision 5.
    pub(super) owner_key: Vec<u8>,
    pub(super) user_key: Vec<u8>,
    /// `/P`.
    pub(super) permissions: u32,
    pub(super) encrypt_metadata: bool,
    /// First part of `/ID`.
    pub(super) identifier: Vec<u8>,
}

/// A password that opened the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) key: Vec<u8>,
    /// It is the owner's: permissions do not bind.
    pub(super) is_owner: bool,
}

/// Tries a password as the owner's and as the user's.
pub(super) fn open(parameters: &Parameters, password: &str) -> Option<Opened> {
    let candidates = candidates(parameters.revision, password);
    candidates.iter().find_map(|password| {
        if parameters.revision >= 5 {
            open_aes256(parameters, password)
        } else {
            open_md5(parameters, password)
        }
    })
}

/// The bytes that a password may stand for. Revisions 2 to 4 use PDFDocEncoding, which is Latin-1 for the
/// characters of our languages; some writers take UTF-8. Revisions 5 and 6 use UTF-8 after SASLprep
/// (RFC 4013); some writers leave SASLprep out.
fn candidates(revision: i64, password: &str) -> Vec<Vec<u8>> {
    let plain = password.as_bytes().to_vec();
    let prepared = if revision >= 5 {
        stringprep::saslprep(password).ok().map(|text| text.as_bytes().to_vec())
    } else {
        password.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
    };
    let mut all: Vec<Vec<u8>> = prepared.into_iter().chain([plain]).collect();
    if revision >= 5 {
        all.iter_mut().for_each(|bytes| bytes.truncate(MAX_PASSWORD_BYTES));
    }
    all.dedup();
    all
}

fn padded(password: &[u8]) -> [u8; 32] {
    let mut padded = PADDING;
    let length = password.len().min(32);
    padded[..length].copy_from_slice(&password[..length]);
    padded[length..].copy_from_slice(&PADDING[..32 - length]);
    padded
}

/// Revisions 2 to 4: algorithms 2, 6 and 7.
fn open_md5(parameters: &Parameters, password: &[u8]) -> Option<Opened> {
    let as_user = |user: &[u8], is_owner| {
        let key = md5_key(parameters, user);
        (user_check(parameters, &key) == parameters.user[..check_bytes(parameters)])
            .then_some(Opened { key, is_owner })
    };
    as_user(&padded(&user_from_owner(parameters, password)), true)
        .or_else(|| as_user(&padded(password), false))
}

/// From revision 3 on only half of `/U` is a check; the rest is arbitrary.
const fn check_bytes(parameters: &Parameters) -> usize {
    if parameters.revision >= 3 { 16 } else { 32 }
}

/// Algorithm 2: the file key of a padded user password.
fn md5_key(parameters: &Parameters, user: &[u8]) -> Vec<u8> {
    let mut hash = Md5::new();
    hash.update(user);
    hash.update(&parameters.owner);
    hash.update(parameters.permissions.to_le_bytes());
    hash.update(&parameters.identifier);
    if parameters.revision >= 4 && !parameters.encrypt_metadata {
        hash.update([0xff; 4]);
    }
    stretched(parameters, hash)
}

/// Fifty further rounds from revision 3 on, then the length of the key.
fn stretched(parameters: &Parameters, hash: Md5) -> Vec<u8> {
    let mut key = hash.finalize().to_vec();
    key.truncate(parameters.key_bytes);
    if parameters.revision >= 3 {
        for _ in 0..50 {
            key = Md5::digest(&key).to_vec();
            key.truncate(parameters.key_bytes);
        }
    }
    key
}

/// Algorithms 4 and 5: what `/U` holds for a file key.
fn user_check(parameters: &Parameters, key: &[u8]) -> Vec<u8> {
    let mut check = if parameters.revision == 2 {
        PADDING.to_vec()
    } else {
        let mut hash = Md5::new();
        hash.update(PADDING);
        hash.update(&parameters.identifier);
        hash.finalize().to_vec()
    };
    for round in 0..rounds(parameters) {
        rc4_round(key, round, &mut check);
    }
    check
}

/// Algorithm 7: the user password that the owner password leads to, padded.
fn user_from_owner(parameters: &Parameters, owner: &[u8]) -> Vec<u8> {
    let mut hash = Md5::new();
    hash.update(padded(owner));
    let key = stretched(parameters, hash);
    let mut user = parameters.owner.clone();
    for round in (0..rounds(parameters)).rev() {
        rc4_round(&key, round, &mut user);
    }
    user
}

const fn rounds(parameters: &Parameters) -> u8 {
    if parameters.revision == 2 { 1 } else { 20 }
}

fn rc4_round(key: &[u8], round: u8, data: &mut [u8]) {
    let key: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
    rc4(&key, data);
}

/// Revisions 5 and 6: algorithm 2.A. `/O` and `/U` hold a hash and two salts.
fn open_aes256(parameters: &Parameters, password: &[u8]) -> Option<Opened> {
    let hash = |salt: &[u8], user: &[u8]| hash_aes256(parameters.revision, password, salt, user);
    let (owner, user) = (&parameters.owner, &parameters.user);
    let (is_owner, wrapped, key) = if hash(&owner[32..40], user) == owner[..32] {
        (true, &parameters.owner_key, hash(&owner[40..48], user))
    } else if hash(&user[32..40], &[]) == user[..32] {
        (false, &parameters.user_key, hash(&user[40..48], &[]))
    } else {
        return None;
    };
    Some(Opened { key: unwrap_aes256(&key, wrapped)?, is_owner })
}

/// Algorithm 2.B; revision 5, which Adobe withdrew, stops at the first hash.
fn hash_aes256(revision: i64, password: &[u8], salt: &[u8], user: &[u8]) -> [u8; 32] {
    let mut key = Sha256::digest([password, salt, user].concat()).to_vec();
    for round in 1_u32.. {
        if revision < 6 {
            break;
        }
        let once = [password, &key, user].concat();
        let encrypted = encrypt_aes128_blocks(&key[..16], &key[16..32], &once.repeat(64));
        // 256 is 1 modulo 3, so the sum of the bytes stands for the number that they write.
        key = match encrypted[..16].iter().map(|byte| u32::from(*byte)).sum::<u32>() % 3 {
            0 => Sha256::digest(&encrypted).to_vec(),
            1 => Sha384::digest(&encrypted).to_vec(),
            _ => Sha512::digest(&encrypted).to_vec(),
        };
        let last = encrypted.last().copied().map_or(0, u32::from);
        if round >= 64 && last + 32 <= round {
            break;
        }
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(&key[..32]);
    hash
}
