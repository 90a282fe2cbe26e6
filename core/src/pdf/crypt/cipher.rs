//! The ciphers that PDF encryption uses, over bytes in memory.

use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use aes::{Aes128, Aes256};

/// Block and initialisation vector of AES, in bytes.
pub(super) const BLOCK_BYTES: usize = 16;

/// RC4, which is its own inverse. Only old files have it, and only they get more of it.
pub(super) fn rc4(key: &[u8], data: &mut [u8]) {
    let mut state: [u8; 256] = core::array::from_fn(|i| i.to_le_bytes()[0]);
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    for byte in data {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        let at = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        *byte ^= state[usize::from(at)];
    }
}

/// Decrypts AES-CBC with PKCS#7 padding. The first block is the initialisation vector. The key has 16 or 32
/// bytes. `None` when length or padding is wrong.
pub(super) fn decrypt_aes(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let (iv, data) = data.split_at_checked(BLOCK_BYTES)?;
    match key.len() {
        16 => cbc::Decryptor::<Aes128>::new_from_slices(key, iv)
            .ok()?
            .decrypt_padded_vec_mut::<Pkcs7>(data)
            .ok(),
        _ => cbc::Decryptor::<Aes256>::new_from_slices(key, iv)
            .ok()?
            .decrypt_padded_vec_mut::<Pkcs7>(data)
            .ok(),
    }
}

/// Encrypts with AES-CBC and PKCS#7 padding, behind the initialisation vector.
pub(super) fn encrypt_aes(key: &[u8], iv: &[u8; BLOCK_BYTES], data: &[u8]) -> Vec<u8> {
    const LENGTHS: &str = "file keys have 16 or 32 bytes";
    let encrypted = if key.len() == 16 {
        cbc::Encryptor::<Aes128>::new_from_slices(key, iv)
            .expect(LENGTHS)
            .encrypt_padded_vec_mut::<Pkcs7>(data)
    } else {
        cbc::Encryptor::<Aes256>::new_from_slices(key, iv)
            .expect(LENGTHS)
            .encrypt_padded_vec_mut::<Pkcs7>(data)
    };
    [&iv[..], &encrypted].concat()
}

/// Decrypts one key or block with AES-256-CBC, a zero vector and no padding: for one block that is ECB.
pub(super) fn unwrap_aes256(key: &[u8; 32], data: &[u8]) -> Option<Vec<u8>> {
    cbc::Decryptor::<Aes256>::new(key.into(), &[0; BLOCK_BYTES].into())
        .decrypt_padded_vec_mut::<NoPadding>(data)
        .ok()
}

/// AES-128-CBC without padding over whole blocks.
pub(super) fn encrypt_aes128_blocks(key: &[u8], iv: &[u8], data: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes128>::new_from_slices(key, iv)
        .expect("key and vector are halves of a hash")
        .encrypt_padded_vec_mut::<NoPadding>(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rc4_gives_the_key_streams_of_rfc_6229() {
        for (key, expected) in [
            (&[1, 2, 3, 4, 5][..], [0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27]),
            (
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
                [0x9a, 0xc7, 0xcc, 0x9a, 0x60, 0x9d, 0x1e, 0xf7],
            ),
        ] {
            let mut stream = [0; 8];
            rc4(key, &mut stream);
            assert_eq!(stream, expected);
        }
    }

    #[test]
    fn aes_reads_back_what_it_writes_and_refuses_what_was_cut() {
        for key in [&[7; 16][..], &[9; 32]] {
            for length in [0, 1, 15, 16, 17, 1000] {
                let data = vec![3; length];
                let encrypted = encrypt_aes(key, &[5; 16], &data);
                assert_eq!(encrypted.len(), 16 + (length / 16 + 1) * 16);
                assert_eq!(decrypt_aes(key, &encrypted), Some(data));
                assert_eq!(decrypt_aes(key, &encrypted[..encrypted.len() - 1]), None);
            }
            assert_eq!(decrypt_aes(key, &[]), None);
            assert_eq!(decrypt_aes(key, &[0; 16]), None);
        }
    }
}
