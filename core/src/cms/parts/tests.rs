use proptest::prelude::*;

use super::*;
use crate::cms::{SignedData, SignerInfo};
use crate::digest::Digest;
use crate::testing;

const ANA: &[u8] = include_bytes!("../../../testdata/cms/ana-cades.p7s");
const BER: &[u8] = include_bytes!("../../../testdata/cms/ana-attached-ber.p7m");
const TWO: &[u8] = include_bytes!("../../../testdata/cms/ana-and-bruno.p7s");
const NO_ATTRIBUTES: &[u8] = include_bytes!("../../../testdata/cms/ana-noattr.p7s");

#[test]
fn nothing_added_gives_the_very_same_bytes() {
    for file in [ANA, BER, TWO, NO_ATTRIBUTES] {
        let mut parts = Parts::read(file).unwrap();
        assert_eq!(parts.write().unwrap(), file);
        // A certificate that is there already changes nothing either.
        let known = SignedData::parse(file).unwrap().certificates()[0].clone();
        assert!(!parts.add_certificate(known.der()));
        assert_eq!(parts.write().unwrap(), file);
    }
}

#[test]
fn additions_leave_everything_that_was_signed() {
    let response = encode(tag::SEQUENCE, &[&[0x0a, 1, 6]]);
    let crl = encode(tag::SEQUENCE, &[b"not read here"]);
    for file in [ANA, BER, TWO] {
        let mut parts = Parts::read(file).unwrap();
        let before = parts.clone();
        parts.add_unsigned(0, oid::SIGNATURE_TIME_STAMP, &encode(tag::SEQUENCE, &[b"one"])).unwrap();
        parts.add_unsigned(0, oid::SIGNATURE_TIME_STAMP, &encode(tag::SEQUENCE, &[b"two"])).unwrap();
        assert!(parts.add_certificate(testing::selo().der()));
        assert!(parts.add_crl(&crl));
        assert!(parts.add_ocsp_response(&response) && !parts.add_ocsp_response(&response));
        let written = parts.write().unwrap();

        let (old, new) = (SignedData::parse(file).unwrap(), SignedData::parse(&written).unwrap());
        assert!(!new.is_ber(), "the outer layers are in DER now");
        assert_eq!(new.content(), old.content());
        assert_eq!(new.crls(), core::slice::from_ref(&crl));
        assert_eq!(new.ocsp_responses(), core::slice::from_ref(&response));
        assert_eq!(new.certificates().len(), old.certificates().len() + 1);
        assert!(old.certificates().iter().all(|certificate| new.certificates().contains(certificate)));
        let fixed =
            |parts: &Parts<'_>| parts.signers.iter().map(|signer| signer.fixed.to_vec()).collect::<Vec<_>>();
        assert_eq!(fixed(&Parts::read(&written).unwrap()), fixed(&before));
        let signer = &new.signers()[0];
        assert_eq!(signer.unsigned_attributes().len(), 2);
        assert_eq!(signer.unsigned_attributes()[0].kind(), oid::SIGNATURE_TIME_STAMP.to_string());
        assert_signature_verifies(signer, &new);
    }
}

#[test]
fn another_program_reads_what_was_added() {
    use der::{Decode, Encode};
    let mut parts = Parts::read(ANA).unwrap();
    parts.add_unsigned(0, oid::SIGNATURE_TIME_STAMP, &encode(tag::SEQUENCE, &[b"token"])).unwrap();
    parts.add_unsigned(0, oid::CERTIFICATE_VALUES, &encode(tag::SEQUENCE, &[])).unwrap();
    parts.add_certificate(testing::bruno().der());
    let written = parts.write().unwrap();
    let content_info = cms::content_info::ContentInfo::from_der(&written).unwrap();
    assert_eq!(content_info.to_der().unwrap(), written, "the other encoder agrees byte for byte");
    let signed = content_info.content.decode_as::<cms::signed_data::SignedData>().unwrap();
    assert_eq!(signed.version, cms::content_info::CmsVersion::V1);
    assert_eq!(signed.signer_infos.0.get(0).unwrap().unsigned_attrs.as_ref().unwrap().len(), 2);
}

#[test]
fn an_order_that_is_not_der_is_left_as_it_is() {
    let two = Parts::read(TWO).unwrap();
    let order = two.signers.iter().map(|signer| signer.fixed.to_vec()).collect::<Vec<_>>();
    let mut parts = two.clone();
    // The second signer becomes longer or shorter than the first: positions stay.
    parts.add_unsigned(0, oid::SIGNATURE_TIME_STAMP, &encode(tag::OCTET_STRING, &[&[0; 500]])).unwrap();
    let written = parts.write().unwrap();
    let after = Parts::read(&written).unwrap();
    assert_eq!(after.signers.iter().map(|signer| signer.fixed.to_vec()).collect::<Vec<_>>(), order);
    assert!(
        after.signers[0].has(oid::SIGNATURE_TIME_STAMP) && !after.signers[1].has(oid::SIGNATURE_TIME_STAMP)
    );

    let mut set: Set<'_> = vec![Cow::Borrowed(&[4, 1, 9]), Cow::Borrowed(&[4, 1, 3])];
    insert(&mut set, vec![4, 1, 5]);
    assert_eq!(set.last().unwrap()[..], [4, 1, 5]);
}

#[test]
fn a_signer_that_does_not_exist_cannot_be_extended() {
    let mut parts = Parts::read(ANA).unwrap();
    let error = parts.add_unsigned(1, oid::SIGNATURE_TIME_STAMP, &[5, 0]).unwrap_err();
    assert_eq!(error.code(), crate::ErrorCode::SignatureNotExtendable);
    assert!(parts.signer(7).is_err());
}

#[test]
fn structures_beyond_the_limits_are_refused() {
    let deep = [0x30, 0x80].repeat(1_000_000);
    let lying = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06];
    for bytes in [&deep[..], &lying, b"", &[0x30, 0x80], &vec![0x30; 65 << 20]] {
        assert!(Parts::read(bytes).is_err());
        assert!(SignedData::parse(bytes).is_err());
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_again(at in 0_usize..1_000_000, bit in 0_u8..8) {
        for file in [ANA, BER] {
            let mut damaged = file.to_vec();
            let at = at % damaged.len();
            damaged[at] ^= 1 << bit;
            if let Ok(mut parts) = Parts::read(&damaged) {
                prop_assert_eq!(parts.write().unwrap(), damaged.clone());
                if parts.add_unsigned(0, oid::SIGNATURE_TIME_STAMP, &[5, 0]).is_ok()
                    && let Ok(written) = parts.write()
                {
                    let again = Parts::read(&written).unwrap();
                    prop_assert_eq!(&again.signers[0].fixed, &Parts::read(&damaged).unwrap().signers[0].fixed);
                }
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Parts::read(&bytes).is_err());
    }
}

fn assert_signature_verifies(signer: &SignerInfo, signed: &SignedData) {
    let verified =
        crate::cms::verify_signer(signer, signed.certificates(), Some(oid::DATA.as_bytes()), |algorithm| {
            Digest::of(algorithm, b"abc")
        });
    assert!([testing::ana(), testing::bruno()].contains(verified.unwrap()));
}
