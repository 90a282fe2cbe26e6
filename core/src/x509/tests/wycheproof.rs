//! Known answers of Project Wycheproof: forged paddings, loose encodings, edge cases of the arithmetic.

use super::*;

#[test]
fn verdicts_are_those_of_wycheproof() {
    for (algorithm, raw, vectors) in [
        (
            SignatureAlgorithm::RsaPkcs1Sha256,
            false,
            include_str!("../../../testdata/wycheproof/rsa_signature_2048_sha256.txt"),
        ),
        (
            SignatureAlgorithm::EcdsaSha256,
            false,
            include_str!("../../../testdata/wycheproof/ecdsa_secp256r1_sha256.txt"),
        ),
        (
            SignatureAlgorithm::EcdsaSha256,
            true,
            include_str!("../../../testdata/wycheproof/ecdsa_secp256r1_sha256_p1363.txt"),
        ),
        (
            SignatureAlgorithm::EcdsaSha384,
            false,
            include_str!("../../../testdata/wycheproof/ecdsa_secp384r1_sha384.txt"),
        ),
    ] {
        let mut key = None;
        for (number, line) in vectors.lines().enumerate() {
            let [result, rest @ ..] = &line.split(' ').collect::<Vec<_>>()[..] else { unreachable!() };
            let fields = rest.iter().map(|hex| bytes(hex)).collect::<Vec<_>>();
            if *result == "key" {
                key = Some(PublicKey::from_spki_der(&fields[0]));
                continue;
            }
            let key = match key.as_ref().unwrap() {
                Ok(key) => key,
                Err(KeyError::Unsupported(reason)) => {
                    assert_eq!(reason, "RSA with public exponent 3", "line {}", number + 1);
                    continue;
                }
                Err(KeyError::Malformed(expected)) => {
                    panic!("{expected} was expected in line {}", number + 1)
                }
            };
            let digest = Digest::of(algorithm.digest_algorithm(), &fields[0]);
            let value = if raw { key.to_cms_value(&fields[1]) } else { fields[1].clone() };
            // "acceptable" is a padding without NULL, which PKCS#1 v1.5 verifiers may refuse: we do.
            let accepted = key.verify(algorithm, &digest, &value).is_ok();
            assert_eq!(accepted, *result == "valid", "{algorithm:?}, line {}", number + 1);
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.trim_matches('-');
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
