use der::{Decode, Encode};
use proptest::prelude::*;

use super::*;
use crate::digest::{Digest, DigestAlgorithm};
use crate::testing::{self, Issue, basic_constraints, extension, key_usage, name, now};
use crate::tlv::{encode, tag};
use crate::{ErrorCode, oid};

#[test]
fn parts_of_a_certificate_are_those_that_another_reader_finds() {
    for certificate in [testing::root(), testing::ca2(), testing::ana(), testing::bruno(), testing::selo()] {
        let other = x509_cert::Certificate::from_der(certificate.der()).unwrap().tbs_certificate;
        assert_eq!(certificate.issuer(), other.issuer.to_der().unwrap());
        assert_eq!(certificate.subject(), other.subject.to_der().unwrap());
        assert_eq!(certificate.serial(), other.serial_number.to_der().unwrap());
        assert_eq!(certificate.public_key_der(), other.subject_public_key_info.to_der().unwrap());
        assert_eq!(certificate.not_before(), other.validity.not_before.to_date_time().into());
        assert_eq!(certificate.not_after(), other.validity.not_after.to_date_time().into());
    }
}

#[test]
fn a_view_shows_the_masked_holder_and_nothing_personal() {
    let view = testing::ana().view();
    assert_eq!(view.holder.name, "ANA DA SILVA TEST");
    assert_eq!(view.holder.identifier_masked.as_deref(), Some("***.982.247-**"));
    assert_eq!(view.issuer, "AC Segunda TEST");
    assert_eq!(view.icp_type.as_deref(), Some("A3"));
    assert_eq!(view.not_after.to_string(), "2045-01-01T00:00:00Z");
    for (certificate, kind, policy, key) in [
        (testing::ana(), Some("person"), Some("2.16.76.1.2.3.10"), "RSA-2048"),
        (testing::bruno(), Some("person"), Some("2.16.76.1.2.3.13"), "P-256"),
        (testing::padaria(), Some("company"), Some("2.16.76.1.2.1.51"), "RSA-2048"),
        (testing::selo(), Some("seal"), Some("2.16.76.1.2.202.7"), "P-384"),
        (testing::ca1(), None, Some("2.16.76.1.1.0"), "RSA-2048"),
        (testing::root(), None, None, "RSA-2048"),
    ] {
        let view = certificate.view();
        assert_eq!((view.holder_kind.as_deref(), view.policy.as_deref()), (kind, policy));
        assert_eq!(view.key.as_deref(), Some(key));
    }
    assert_eq!(view.sha256, Digest::sha256(testing::ana().der()).to_hex());
    let json = serde_json::to_string(&view).unwrap();
    for personal in ["52998224725", "01011980", "1234567", "ana@"] {
        assert!(!json.contains(personal), "{json}");
    }
}

#[test]
fn serial_numbers_are_shown_without_the_sign_octet() {
    let mut issue = Issue::holder("X", 1, "CA", 2);
    for (serial, expected) in [(0, "00"), (0x7f, "7f")] {
        issue.serial = serial;
        assert_eq!(issue.certificate().serial_hex(), expected);
    }
}

#[test]
fn broken_certificates_are_refused() {
    let good = Issue::holder("X", 1, "CA", 2);
    let twice = good.clone().with(key_usage(0x80));
    let bad_time = Issue { not_before: "2501010000Z00", ..good.clone() };
    let bad_usage = Issue { extensions: vec![extension(oid::KEY_USAGE, true, &[3, 1, 0])], ..good.clone() };
    let v1_with_extensions = {
        let der = good.der();
        let at = der.windows(5).position(|window| window == [0xa0, 3, 2, 1, 2]).unwrap();
        [&der[..at + 4], &[3], &der[at + 5..]].concat()
    };
    let trailing = [good.der(), vec![0]].concat();
    for (der, expected) in [
        (twice.der(), "each extension only once"),
        (bad_time.der(), "a time in UTC"),
        (bad_usage.der(), "a KeyUsage"),
        (v1_with_extensions, "version 1, 2 or 3"),
        (trailing, "bytes behind the end"),
        (vec![], "an element is missing"),
        (good.der()[..40].to_vec(), "ends behind its container"),
    ] {
        let error = Certificate::from_der(&der).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.code(), ErrorCode::CertificateMalformed);
    }
}

#[test]
fn the_algorithm_inside_must_be_the_one_outside() {
    let der = testing::bruno().der().to_vec();
    let sha256_rsa = SignatureAlgorithm::RsaPkcs1Sha256.to_identifier();
    let outer = der.windows(sha256_rsa.len()).rposition(|window| window == sha256_rsa).unwrap();
    let mut swapped = der.clone();
    swapped[outer..outer + sha256_rsa.len()]
        .copy_from_slice(&SignatureAlgorithm::RsaPkcs1Sha512.to_identifier());
    assert!(Certificate::from_der(&der).is_ok());
    let error = Certificate::from_der(&swapped).unwrap_err();
    assert_eq!(error, CertificateError::Malformed("the same signature algorithm inside and outside"));
}

#[test]
fn files_of_certificates_are_read_in_every_form() {
    let pem = |certificate: &Certificate| {
        use base64ct::Encoding;
        let body = base64ct::Base64::encode_string(certificate.der());
        format!("text before\r\n-----BEGIN CERTIFICATE-----\r\n{body}\r\n-----END CERTIFICATE-----\r\nafter")
    };
    let (root, ana) = (testing::root(), testing::ana());
    let both = pem(&root) + &pem(&ana);
    assert_eq!(Certificate::from_pem_or_der(ana.der()).unwrap(), ana);
    assert_eq!(Certificate::from_pem_or_der(pem(&ana).as_bytes()).unwrap(), ana);
    assert!(Certificate::from_pem_or_der(both.as_bytes()).is_err());
    assert_eq!(Certificate::bundle_from_bytes(both.as_bytes()).unwrap(), [root.clone(), ana.clone()]);
    assert_eq!(Certificate::bundle_from_bytes(ana.der()).unwrap(), [ana]);

    let p7b = include_bytes!("../../testdata/pki/bundle.p7b");
    let mut from_p7b = Certificate::bundle_from_bytes(p7b).unwrap();
    from_p7b.sort_by_key(|certificate| certificate.der().len());
    let mut expected = vec![root.clone(), testing::ca1(), testing::ca2()];
    expected.sort_by_key(|certificate| certificate.der().len());
    assert_eq!(from_p7b, expected);
    assert_eq!(TrustAnchors::from_bytes(root.der()).unwrap().certificates(), [root]);

    for bad in [
        &b""[..],
        b"-----BEGIN CERTIFICATE-----\nAAAA",
        b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
        b"\xff\xfe",
        b"\x30\x03\x02\x01\x05",
    ] {
        assert_eq!(Certificate::bundle_from_bytes(bad).unwrap_err().code(), ErrorCode::CertificateMalformed);
    }
}

#[test]
fn only_certificates_for_signing_are_accepted_from_a_signer() {
    let with =
        |extensions: Vec<Vec<u8>>| Issue { extensions, ..Issue::holder("X", 1, "CA", 2) }.certificate();
    let usage = |usages: &[const_oid::ObjectIdentifier], critical| {
        let usages = usages.iter().map(|usage| encode(tag::OID, &[usage.as_bytes()])).collect::<Vec<_>>();
        extension(oid::EXTENDED_KEY_USAGE, critical, &encode(tag::SEQUENCE, &[&usages.concat()]))
    };
    let server = const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
    let time_stamping = const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
    let small_rsa = rsa_spki(&[0xc1; 128], &[1, 0, 1]);
    let small = Issue { public_key: Some(small_rsa), ..Issue::holder("X", 1, "CA", 2) }.certificate();
    let later = "2046-01-01T00:00:00Z".parse().unwrap();
    let earlier = "2024-12-31T23:59:59Z".parse().unwrap();
    for (certificate, at, expected) in [
        (testing::ana(), now(), None),
        (testing::bruno(), now(), None),
        (testing::selo(), now(), None),
        (with(vec![key_usage(0x80)]), now(), None),
        (with(vec![key_usage(0x80), usage(&[server, oid::EMAIL_PROTECTION], false)]), now(), None),
        (testing::ana(), "2045-01-01T00:00:00.999Z".parse().unwrap(), None),
        (testing::ana(), later, Some(ErrorCode::CertificateExpired)),
        (testing::ana(), earlier, Some(ErrorCode::CertificateNotYetValid)),
        (testing::expired(), now(), Some(ErrorCode::CertificateExpired)),
        (testing::not_signer(), now(), Some(ErrorCode::CertificateWrongUsage)),
        (testing::ca2(), now(), Some(ErrorCode::CertificateWrongUsage)),
        (with(vec![]), now(), Some(ErrorCode::CertificateWrongUsage)),
        (with(vec![key_usage(0x40)]), now(), Some(ErrorCode::CertificateWrongUsage)),
        (
            with(vec![key_usage(0x80), basic_constraints(true, None)]),
            now(),
            Some(ErrorCode::CertificateWrongUsage),
        ),
        (with(vec![key_usage(0x80), usage(&[server], false)]), now(), Some(ErrorCode::CertificateWrongUsage)),
        (
            with(vec![key_usage(0x80), usage(&[time_stamping], true)]),
            now(),
            Some(ErrorCode::CertificateWrongUsage),
        ),
        (small, now(), Some(ErrorCode::KeyUnsupported)),
    ] {
        let found = certificate.check_signer(at).err();
        assert_eq!(found.as_ref().map(SignerCertificateError::code), expected, "{found:?}");
    }
}

#[test]
fn keys_of_other_kinds_and_sizes_are_refused() {
    let ec = |curve: &[u8], point: &[u8]| {
        let algorithm = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::EC_PUBLIC_KEY.as_bytes()]), curve]);
        encode(tag::SEQUENCE, &[&algorithm, &encode(tag::BIT_STRING, &[&[0], point])])
    };
    let p256 = encode(tag::OID, &[oid::P256.as_bytes()]);
    let p521 = encode(tag::OID, &[const_oid::ObjectIdentifier::new_unwrap("1.3.132.0.35").as_bytes()]);
    let ed25519 = |key: &[u8]| {
        encode(tag::SEQUENCE, &[&[0x30, 5, 6, 3, 0x2b, 0x65, 0x70], &encode(tag::BIT_STRING, &[&[0], key])])
    };
    for (spki, expected) in [
        (rsa_spki(&[0xc1; 256], &[1, 0, 1]), "ok"),
        (rsa_spki(&[0xc1; 1024], &[1, 0, 1]), "ok"),
        (rsa_spki(&[0xc1; 255], &[1, 0, 1]), "RSA with 2040 bits"),
        (rsa_spki(&[0xc1; 1025], &[1, 0, 1]), "RSA with 8200 bits"),
        (rsa_spki(&[0xc1; 256], &[3]), "RSA with public exponent 3"),
        (rsa_spki(&[0xc1; 256], &[1, 0, 2]), "RSA with public exponent 65538"),
        (ec(&p256, &[4; 65]), "a point on the curve"),
        (ec(&p256, &[2; 33]), "an uncompressed point"),
        (ec(&p521, &[4; 133]), "curve 1.3.132.0.35"),
        (ec(&[], &[4; 65]), "a curve without a name"),
        (ed25519(&[5; 32]), "ok"),
        (ed25519(&[5; 31]), "an Ed25519 key of 32 bytes"),
        (ed25519(&[0; 32]), "a weak point"),
        (rsa_spki(&[&[0xc1; 255][..], &[2]].concat(), &[1, 0, 1]), "an even modulus"),
        (rsa_spki(&[0xc1; 256], &[2, 0, 0, 0, 1]), "RSA with public exponent 8589934593"),
        (rsa_spki(&[0xc1; 256], &[1; 9]), "RSA with public exponent 18446744073709551615"),
        (vec![0x30, 0], "an element is missing"),
    ] {
        let found = match PublicKey::from_spki_der(&spki) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{found} is not {expected}");
    }
}

#[test]
fn rsa_accepts_exactly_one_digest_info() {
    let key = testing::ana().public_key().unwrap();
    let digest = Digest::sha256(b"abc");
    let algorithm = SignatureAlgorithm::RsaPkcs1Sha256;
    let verify = |value: &[u8]| key.verify(algorithm, &digest, value);
    let right = testing::sign_rsa(&digest);
    assert_eq!(verify(&right), Ok(()));

    // A device that adds DigestInfo to one that is there already, or adds none.
    let private = testing::rsa_private_key();
    let prefix = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    let info = [&prefix[..], digest.as_bytes()].concat();
    let raw = |bytes: &[u8]| private.sign(rsa::Pkcs1v15Sign::new_unprefixed(), bytes).unwrap();
    assert_eq!(raw(&info), right);
    for wrong in [
        raw(&[&prefix[..], &info].concat()),
        raw(digest.as_bytes()),
        // NULL parameters left out, and garbage behind the digest.
        raw(&[&[0x30, 0x2f, 0x30, 0x0b], &prefix[4..15], &[4, 0x20], digest.as_bytes()].concat()),
        raw(&[&info[..], b"garbage"].concat()),
        [&[0], &right[..]].concat(),
        right[1..].to_vec(),
        vec![],
        vec![0xff; 256],
    ] {
        assert_eq!(verify(&wrong), Err(VerifyError::Invalid));
    }
    let sha512 = Digest::of(DigestAlgorithm::Sha512, b"abc");
    assert_eq!(key.verify(algorithm, &sha512, &right), Err(VerifyError::AlgorithmMismatch));
    assert_eq!(
        key.verify(SignatureAlgorithm::EcdsaSha256, &digest, &right),
        Err(VerifyError::AlgorithmMismatch)
    );
    assert_eq!(VerifyError::Invalid.code(), ErrorCode::SignatureValueInvalid);
}

#[test]
fn ecdsa_values_of_devices_become_strict_der() {
    // r = 80 11…11, s = 0102 of the fact sheet.
    let r = [&[0x80][..], &[0x11; 31]].concat();
    let s = [&[0; 30][..], &[1, 2]].concat();
    let expected = [&[0x30, 0x27, 0x02, 0x21, 0x00, 0x80][..], &[0x11; 31], &[2, 2, 1, 2]].concat();
    assert_eq!(ecdsa_value_to_der(&[r, s].concat()), expected);
    assert_eq!(ecdsa_value_to_der(&[0; 64]), [0x30, 6, 2, 1, 0, 2, 1, 0]);

    let digest = Digest::sha256(b"abc");
    for (certificate, raw, description) in [
        (testing::bruno(), testing::sign_p256(&digest), "P-256"),
        (testing::selo(), testing::sign_p384(&digest), "P-384"),
    ] {
        let key = certificate.public_key().unwrap();
        assert_eq!(key.describe(), description);
        let verify = |value: &[u8]| key.verify(SignatureAlgorithm::EcdsaSha256, &digest, value);
        let der = key.to_cms_value(&raw);
        assert_eq!(verify(&der), Ok(()));
        assert_eq!(key.to_cms_value(&der), der, "DER stays as it is");
        assert!(der.len() <= key.value_size_limit_bytes());
        for wrong in [
            raw.clone(),
            [&der[..], &[0]].concat(),
            // Length of the SEQUENCE in two octets.
            [&[0x30, 0x81, der[1]], &der[2..]].concat(),
            vec![0x30, 6, 2, 1, 0, 2, 1, 0],
            vec![0x30, 6, 2, 1, 1, 2, 1, 1],
        ] {
            assert_eq!(verify(&wrong), Err(VerifyError::Invalid), "{wrong:02x?}");
        }
    }
}

#[test]
fn algorithms_survive_their_identifiers() {
    for algorithm in SignatureAlgorithm::ALL {
        let der = algorithm.to_identifier();
        let element = crate::tlv::single(&der, tag::SEQUENCE, "an identifier").unwrap();
        let identifier = AlgorithmIdentifier::parse(element).unwrap();
        assert_eq!(SignatureAlgorithm::from_identifier(&identifier), Ok(algorithm));
        assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        // ECDSA with parameters, even NULL, is another thing (RFC 5758 §3.2).
        let null = crate::tlv::single(&[5, 0], tag::NULL, "NULL").unwrap();
        let with_null = AlgorithmIdentifier { parameters: Some(null), ..identifier };
        let tolerated = algorithm.is_rsa() && algorithm.pss_salt_bytes().is_none();
        assert_eq!(SignatureAlgorithm::from_identifier(&with_null).is_ok(), tolerated, "{algorithm:?}");
    }
}

#[test]
fn parameters_of_pss_are_read_strictly() {
    let hash = |oid: const_oid::ObjectIdentifier, parameters: &[u8]| {
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid.as_bytes()]), parameters])
    };
    let wrapped = |context, value: &[u8]| encode(tag::context_constructed(context), &[value]);
    let mgf = |oid: const_oid::ObjectIdentifier, digest: &[u8]| wrapped(1, &hash(oid, digest));
    let integer = |context, value: &[u8]| wrapped(context, &encode(tag::INTEGER, &[value]));
    let sha256 = hash(oid::SHA256, &[]);
    let with_null = hash(oid::SHA256, &[5, 0]);
    let right = [wrapped(0, &sha256), mgf(oid::MGF1, &sha256), integer(2, &[32])];
    let [first, second, third] = &right;
    for (fields, expected) in [
        (right.concat(), Ok(32)),
        ([wrapped(0, &with_null), mgf(oid::MGF1, &with_null), integer(2, &[0, 222])].concat(), Ok(222)),
        ([first.clone(), second.clone()].concat(), Ok(20)),
        ([first.clone(), second.clone(), integer(2, &[0])].concat(), Ok(0)),
        ([right.concat(), integer(3, &[1])].concat(), Ok(32)),
        ([right.concat(), integer(3, &[2])].concat(), Err("another trailer")),
        ([first.clone(), second.clone(), integer(2, &[4, 1])].concat(), Err("too long")),
        ([first.clone(), second.clone(), integer(2, &[0xff])].concat(), Err("cannot be read")),
        (
            [first.clone(), mgf(oid::MGF1, &hash(oid::SHA512, &[])), third.clone()].concat(),
            Err("two different"),
        ),
        ([first.clone(), mgf(oid::SHA256, &sha256), third.clone()].concat(), Err("cannot be read")),
        ([first.clone(), third.clone()].concat(), Err("weak")),
        (vec![], Err("weak")),
        ([wrapped(0, &hash(oid::SHA256, &[4, 0])), second.clone()].concat(), Err("cannot be read")),
        ([third.clone(), first.clone()].concat(), Err("cannot be read")),
    ] {
        let parameters = encode(tag::SEQUENCE, &[&fields]);
        let parameters = crate::tlv::single(&parameters, tag::SEQUENCE, "parameters").unwrap();
        let identifier = AlgorithmIdentifier { oid: oid::RSA_PSS.as_bytes(), parameters: Some(parameters) };
        match (SignatureAlgorithm::from_identifier(&identifier), expected) {
            (Ok(algorithm), Ok(salt)) => {
                assert_eq!(algorithm, SignatureAlgorithm::RsaPssSha256 { salt_bytes: salt });
                assert_eq!(algorithm.as_str(), "rsa_pss_sha256");
            }
            (Err(UnusableAlgorithm::Weak(_)), Err("weak")) => {}
            (Err(UnusableAlgorithm::Unknown(found)), Err(expected)) => {
                assert!(found.contains(expected), "{found} is not {expected}");
            }
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }
    let absent = AlgorithmIdentifier { oid: oid::RSA_PSS.as_bytes(), parameters: None };
    assert!(SignatureAlgorithm::from_identifier(&absent).is_err());
    for salt_bytes in [0, 20, 127, 128, 222, 255, 256, 1024] {
        let algorithm = SignatureAlgorithm::RsaPssSha512 { salt_bytes };
        let der = algorithm.to_identifier();
        let identifier = crate::tlv::single(&der, tag::SEQUENCE, "an identifier").unwrap();
        let identifier = AlgorithmIdentifier::parse(identifier).unwrap();
        assert_eq!(SignatureAlgorithm::from_identifier(&identifier), Ok(algorithm));
    }
}

#[test]
fn names_of_several_string_types_are_shown() {
    for (kind, bytes, expected) in [
        (0x0c, "JOÃO TEST".as_bytes(), "JOÃO TEST"),
        (0x14, b"JO\xc3O TEST", "JOÃO TEST"),
        (0x1e, b"\0J\0O\0\xc3\0O", "JOÃO"),
        (0x13, b"JO\xc3O", "JO\u{fffd}O"),
    ] {
        let pair = [encode(tag::OID, &[oid::COMMON_NAME.as_bytes()]), encode(kind, &[bytes])].concat();
        let mut issue = Issue::holder("X", 1, "CA", 2);
        issue.subject = encode(tag::SEQUENCE, &[&encode(tag::SET, &[&encode(tag::SEQUENCE, &[&pair])])]);
        assert_eq!(issue.certificate().subject_common_name(), expected);
        issue.subject = encode(tag::SEQUENCE, &[]);
        assert_eq!(issue.certificate().subject_common_name(), "");
        issue.subject = name("A");
        assert_eq!(issue.certificate().subject_common_name(), "A");
    }
}

proptest! {
    #[test]
    fn damaged_certificates_never_panic_and_never_keep_their_path(at in 0_usize..1_000_000, bit in 0_u8..8) {
        let mut der = testing::ana().der().to_vec();
        let at = at % der.len();
        der[at] ^= 1 << bit;
        if let Ok(damaged) = Certificate::from_der(&der) {
            let _ = (damaged.view(), damaged.check_signer(now()), damaged.public_key());
            let anchors = TrustAnchors::new(vec![testing::root()]);
            prop_assert!(build_path(&damaged, &[testing::ca1(), testing::ca2()], &anchors, now()).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_are_never_a_certificate_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Certificate::from_pem_or_der(&bytes).is_err());
        prop_assert!(Certificate::bundle_from_bytes(&bytes).is_err());
        let _ = PublicKey::from_spki_der(&bytes);
    }
}

fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key =
        encode(tag::SEQUENCE, &[&encode(tag::INTEGER, &[&[0], modulus]), &encode(tag::INTEGER, &[exponent])]);
    let algorithm = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::RSA_ENCRYPTION.as_bytes()]), &[5, 0]]);
    encode(tag::SEQUENCE, &[&algorithm, &encode(tag::BIT_STRING, &[&[0], &key])])
}
