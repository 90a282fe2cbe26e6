use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::tlv::encode;

const PASSWORD: &str = "senha-de-teste";

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../testdata/pkcs12/", $name, ".p12")).as_slice()
    };
}

#[test]
fn files_of_openssl_give_key_and_certificate() {
    let key = include_bytes!("../../testdata/pki/p256.key.der");
    for (file, password) in [
        (sample!("one-round"), PASSWORD),
        (sample!("aes-128-sha-512"), PASSWORD),
        (sample!("aes-192-sha-384"), PASSWORD),
        (sample!("mac-sha-1"), PASSWORD),
        (sample!("accents"), "ção€ TEST"),
    ] {
        let contents = open(file, password, Ciphers::Strong).unwrap();
        assert_eq!(contents.key(), key);
        assert!(contents.certificate().subject_common_name().contains("BRUNO"));
        assert_eq!(contents.chain(), []);
        assert!(!format!("{contents:?}").contains("key"), "no key in a log");
    }
}

#[test]
fn the_chain_goes_from_the_certificate_to_the_root() {
    let contents = open(sample!("chain"), PASSWORD, Ciphers::Strong).unwrap();
    assert_eq!(contents.key(), include_bytes!("../../testdata/pki/rsa.key.der"));
    assert!(contents.certificate().subject_common_name().contains("ANA"));
    let mut issuer = contents.certificate().issuer_common_name();
    assert_eq!(contents.chain().len(), 3);
    for above in contents.chain() {
        assert_eq!(above.subject_common_name(), issuer);
        issuer = above.issuer_common_name();
    }
}

#[test]
fn certificates_that_name_each_other_as_issuer_are_each_used_once() {
    let contents = open(sample!("circle"), PASSWORD, Ciphers::Strong).unwrap();
    assert_eq!(contents.certificate().subject_common_name(), "TEST a");
    assert_eq!(contents.chain().len(), 1);
}

#[test]
fn what_is_wrong_with_a_file_has_its_own_code() {
    use ErrorCode::{P12Malformed, P12SeveralKeys, P12WeakCipher, WrongPassword};
    for (name, file, code) in [
        ("two-keys", sample!("two-keys"), P12SeveralKeys),
        ("rc2-40", sample!("rc2-40"), P12WeakCipher),
        ("rc2-128", sample!("rc2-128"), P12WeakCipher),
        ("triple-des", sample!("triple-des"), P12WeakCipher),
        ("pbes2-triple-des", sample!("pbes2-triple-des"), P12WeakCipher),
        ("rc4", sample!("rc4"), P12WeakCipher),
        ("open-key", sample!("open-key"), P12WeakCipher),
        ("no-mac", sample!("no-mac"), P12Malformed),
        ("no-key", sample!("no-key"), P12Malformed),
        ("a certificate", include_bytes!("../../testdata/pki/bundle.p7b"), P12Malformed),
        ("nothing", b"", P12Malformed),
    ] {
        assert_eq!(open(file, PASSWORD, Ciphers::Strong).unwrap_err().code(), code, "{name}");
    }
    for password in ["", "Senha-de-teste", "senha-de-teste ", &"s".repeat(2000)] {
        let error = open(sample!("chain"), password, Ciphers::Strong).unwrap_err();
        assert_eq!(error.code(), WrongPassword, "{password}");
    }
}

#[test]
fn old_ciphers_are_read_for_whoever_accepts_them() {
    for file in [sample!("rc2-40"), sample!("rc2-128"), sample!("triple-des"), sample!("open-key")] {
        let contents = open(file, PASSWORD, Ciphers::Any).unwrap();
        assert_eq!(contents.key(), include_bytes!("../../testdata/pki/p256.key.der"));
    }
    assert_eq!(open(sample!("rc4"), PASSWORD, Ciphers::Any).unwrap_err().code(), ErrorCode::P12WeakCipher);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn nobody_makes_the_reader_work_for_long() {
    let begun = Instant::now();
    let error = open(sample!("ten-million-rounds"), PASSWORD, Ciphers::Any).unwrap_err();
    assert_eq!(error.code(), ErrorCode::P12Malformed);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

    let large = [sample!("chain"), &vec![0; MAX_BYTES]].concat();
    assert_eq!(open(&large, PASSWORD, Ciphers::Any).unwrap_err().code(), ErrorCode::P12Malformed);

    // Each derivation is cheap; all together are not.
    let key = SHROUDED.get_or_init(|| shrouded(sample!("chain")));
    let many = with_parts(&vec![key.clone(); 65].concat());
    assert_eq!(open(&many, PASSWORD, Ciphers::Any).unwrap_err().code(), ErrorCode::P12Malformed);
    let mut work = Work::new(3000);
    let safe = to_der(&with_parts(&[key.clone(), key.clone()].concat())).unwrap();
    let safe = verified_safe(&safe, PASSWORD, &mut work).unwrap();
    assert_eq!(
        read_safe(safe, PASSWORD, Ciphers::Strong, &mut work).err().map(|error| error.code()),
        Some(ErrorCode::P12Malformed)
    );
}

static SHROUDED: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();

/// The part of a file that has the key.
fn shrouded(file: &[u8]) -> Vec<u8> {
    let file = to_der(file).unwrap();
    let safe = verified_safe(&file, PASSWORD, &mut Work::new(MAX_ROUNDS)).unwrap();
    let mut parts = single(safe, tag::SEQUENCE, "parts").unwrap().reader();
    parts.element().unwrap();
    parts.element().unwrap().raw.to_vec()
}

/// A file of these parts whose MAC holds.
fn with_parts(parts: &[u8]) -> Vec<u8> {
    with_safe(&encode(tag::SEQUENCE, &[parts]))
}

fn with_safe(safe: &[u8]) -> Vec<u8> {
    let oid = |text: &str| {
        let oid = const_oid::ObjectIdentifier::new(text).unwrap();
        encode(tag::OID, &[oid.as_bytes()])
    };
    let content = encode(tag::context_constructed(0), &[&encode(tag::OCTET_STRING, &[safe])]);
    let content = encode(tag::SEQUENCE, &[&oid(DATA), &content]);
    let mac = derive::mac_sha256(PASSWORD, b"TESTSALT", 1, safe);
    let algorithm = encode(tag::SEQUENCE, &[&oid("2.16.840.1.101.3.4.2.1"), &[tag::NULL, 0]]);
    let digest = encode(tag::SEQUENCE, &[&algorithm, &encode(tag::OCTET_STRING, &[&mac])]);
    let mac = encode(tag::SEQUENCE, &[&digest, &encode(tag::OCTET_STRING, &[b"TESTSALT"]), &[2, 1, 1]]);
    encode(tag::SEQUENCE, &[&[2, 1, 3], &content, &mac])
}

/// The AuthenticatedSafe of a file whose keys are derived in one round.
fn safe() -> Vec<u8> {
    let file = to_der(sample!("one-round")).unwrap();
    verified_safe(&file, PASSWORD, &mut Work::new(MAX_ROUNDS)).unwrap().to_vec()
}

#[test]
fn a_file_that_is_put_together_again_opens() {
    assert!(open(&with_safe(&safe()), PASSWORD, Ciphers::Strong).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changed_files_neither_panic_nor_open(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut file = sample!("one-round").to_vec();
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        // Behind the checks of the MAC only parts remain that it does not cover, like the name of its own parameters.
        if let Ok(contents) = open(&file, PASSWORD, Ciphers::Any) {
            prop_assert_eq!(contents.key(), include_bytes!("../../testdata/pki/p256.key.der"));
        }
    }

    #[test]
    fn changed_contents_under_a_mac_that_holds_never_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut safe = safe();
        for (at, byte) in edits {
            let at = at.index(safe.len());
            safe[at] = byte;
        }
        let _ = open(&with_safe(&safe), PASSWORD, Ciphers::Any);
        safe.truncate(cut.index(safe.len()));
        prop_assert!(open(&with_safe(&safe), PASSWORD, Ciphers::Any).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        prop_assert!(open(&bytes, PASSWORD, Ciphers::Any).is_err());
        prop_assert!(open(&with_parts(&bytes), PASSWORD, Ciphers::Any).is_err());
        let mut found = Found::default();
        let _ = read_bags(&mut found, &encode(tag::SEQUENCE, &[&bytes]), Strength::Accepted, PASSWORD, Ciphers::Any, &mut Work::new(100));
    }
}
