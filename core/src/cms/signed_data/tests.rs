use proptest::prelude::*;

use super::*;
use crate::ErrorCode;
use crate::digest::Digest;
use crate::testing;

const ANA: &[u8] = include_bytes!("../../../testdata/cms/ana-cades.p7s");

#[test]
fn a_signature_by_openssl_is_read() {
    let signed = SignedData::parse(ANA).unwrap();
    assert!(!signed.is_ber() && signed.content().is_none());
    assert_eq!(signed.content_type(), oid::DATA.as_bytes());
    assert_eq!(signed.certificates().len(), 3);
    let signer = &signed.signers()[0];
    assert_eq!(signed.certificate_of(&signer.id), Some(&testing::ana()));
    assert_eq!(signer.signature_algorithm(), Ok(SignatureAlgorithm::RsaPkcs1Sha256));
    assert_eq!(signer.value.len(), 256);
    assert!(signer.unsigned_attributes().is_empty());
}

#[test]
fn indefinite_lengths_are_read_and_remembered() {
    let ber = include_bytes!("../../../testdata/cms/ana-attached-ber.p7m");
    assert_eq!(ber[..2], [0x30, 0x80]);
    let signed = SignedData::parse(ber).unwrap();
    assert!(signed.is_ber());
    assert_eq!(signed.content(), Some(&b"abc"[..]));
    assert_eq!(signed.certificate_of(&signed.signers()[0].id), Some(&testing::ana()));
}

#[test]
fn zeros_may_follow_only_where_a_pdf_pads() {
    let ber: &[u8] = include_bytes!("../../../testdata/cms/ana-attached-ber.p7m");
    for file in [ANA, ber] {
        let padded = [file, &[0; 9]].concat();
        assert!(SignedData::parse(&padded).is_err());
        assert_eq!(SignedData::parse_zero_padded(&padded).unwrap().certificates().len(), 3);
        let dirty = [file, &[0, 0, 1, 0]].concat();
        assert!(SignedData::parse_zero_padded(&dirty).is_err());
        assert!(SignedData::parse_zero_padded(&file[..file.len() - 1]).is_err());
    }
}

#[test]
fn rsa_encryption_takes_the_digest_beside_it() {
    for (file, expected) in [
        (include_bytes!("../../../testdata/cms/ana-plain.p7s").as_slice(), Ok("rsa_pkcs1_sha256")),
        (include_bytes!("../../../testdata/cms/ana-sha512.p7s"), Ok("rsa_pkcs1_sha512")),
        (include_bytes!("../../../testdata/cms/selo-cades.p7s"), Ok("ecdsa_sha384")),
        (
            include_bytes!("../../../testdata/cms/ana-sha1.p7s"),
            Err(UnusableAlgorithm::Weak("1.3.14.3.2.26".to_owned())),
        ),
        (include_bytes!("../../../testdata/cms/ana-pss.p7s"), Ok("rsa_pss_sha256")),
    ] {
        let signed = SignedData::parse(file).unwrap();
        assert_eq!(signed.signers()[0].signature_algorithm().map(SignatureAlgorithm::as_str), expected);
    }
}

#[test]
fn a_signer_may_be_named_by_key_identifier() {
    let signed = SignedData::parse(include_bytes!("../../../testdata/cms/ana-keyid.p7s")).unwrap();
    let signer = &signed.signers()[0];
    assert!(matches!(signer.id, SignerId::SubjectKeyId(_)));
    assert_eq!(signed.certificate_of(&signer.id), Some(&testing::ana()));
    assert!(!signer.id.names(&testing::bruno()), "a certificate without the extension has no such name");
}

#[test]
fn structures_that_are_something_else_are_refused() {
    let data = [0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    for (bytes, expected) in [
        (&b""[..], "one ContentInfo"),
        (b"%PDF-1.7", "one ContentInfo"),
        (&data, "the content type id-signedData"),
        (testing::ana().der(), "the content type"),
        (&[0x30, 0x80, 0, 0], "an element is missing"),
    ] {
        let error = SignedData::parse(bytes).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} is not {expected}");
        assert_eq!(error.code(), ErrorCode::CmsMalformed);
    }
}

proptest! {
    #[test]
    fn damaged_files_never_panic(at in 0_usize..1_000_000, bit in 0_u8..8, cut in 0_usize..1_000_000) {
        for file in [ANA, include_bytes!("../../../testdata/cms/ana-attached-ber.p7m")] {
            let mut damaged = file.to_vec();
            let at = at % damaged.len();
            damaged[at] ^= 1 << bit;
            let _ = SignedData::parse(&damaged);
            damaged.truncate(cut % file.len());
            prop_assert!(SignedData::parse(&damaged).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(SignedData::parse(&bytes).is_err());
        let _ = SignedData::parse_zero_padded(&bytes);
    }

    #[test]
    fn what_is_assembled_is_read_back(content in proptest::collection::vec(any::<u8>(), 0..50)) {
        let ana = testing::ana();
        let plan = crate::cms::plan(&Digest::sha256(&content), &ana, &[testing::ca2()], crate::cms::PlanOptions::default()).unwrap();
        let value = testing::sign_rsa(&plan.to_sign());
        let signed = SignedData::parse(&plan.assemble(&value).unwrap()).unwrap();
        let signer = &signed.signers()[0];
        prop_assert_eq!(signer.signed_attributes.as_deref(), Some(plan.signed_attributes()));
        prop_assert_eq!(&signer.value, &value);
        prop_assert_eq!(signed.certificate_of(&signer.id), Some(&ana));
    }
}
