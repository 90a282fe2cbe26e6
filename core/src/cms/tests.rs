//! Traps of CMS that are met at reading. Those that need a verdict are in `validation`.

use super::*;
use crate::digest::Digest;
use crate::oid;
use crate::testing::{self, Issue, extension, now};
use crate::tlv::{encode, tag};
use crate::x509::Certificate;

const ANA: &[u8] = include_bytes!("../../testdata/cms/ana-cades.p7s");

fn verify(signed: &SignedData) -> Result<Certificate, SignerError> {
    let content_type = Some(oid::DATA.as_bytes());
    let digest = |algorithm| Digest::of(algorithm, b"abc");
    verify_signer(&signed.signers()[0], signed.certificates(), content_type, digest).cloned()
}

/// A signature of a certificate with the P-256 test key 2.
fn signed_by(certificate: &Certificate) -> Vec<u8> {
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    let options = PlanOptions { signing_time: Some(now()), policy: None };
    let plan = plan(&Digest::sha256(b"abc"), certificate, &[], options).unwrap();
    let value: p256::ecdsa::DerSignature =
        testing::test_key(2).sign_prehash(plan.to_sign().as_bytes()).unwrap();
    plan.assemble(value.as_bytes()).unwrap()
}

#[test]
fn attributes_that_must_be_signed_are_marked_where_they_are_not() {
    let mut parts = Parts::read(ANA).unwrap();
    let digest = encode(tag::OCTET_STRING, &[Digest::sha256(b"another").as_bytes()]);
    parts.add_unsigned(0, oid::MESSAGE_DIGEST, &digest).unwrap();
    parts.add_unsigned(0, oid::SIGNATURE_TIME_STAMP, &[5, 0]).unwrap();
    let signed = SignedData::parse(&parts.write().unwrap()).unwrap();
    assert_eq!(signed.signers()[0].misplaced_attributes(), [oid::MESSAGE_DIGEST.to_string()]);
    // The signature is what it was: what is not signed decides nothing.
    assert_eq!(verify(&signed), Ok(testing::ana()));
    assert!(SignedData::parse(ANA).unwrap().signers()[0].misplaced_attributes().is_empty());
}

#[test]
fn a_signature_without_attributes_is_none() {
    let without = include_bytes!("../../testdata/cms/ana-noattr.p7s");
    let refused = verify(&SignedData::parse(without).unwrap()).unwrap_err();
    assert_eq!(refused, SignerError::Attributes("there are no signed attributes".to_owned()));
}

#[test]
fn weak_algorithms_and_missing_references_are_named() {
    let sha1 = verify(&SignedData::parse(include_bytes!("../../testdata/cms/ana-sha1.p7s")).unwrap());
    assert_eq!(sha1, Err(SignerError::Algorithm("1.3.14.3.2.26".to_owned())));
    let plain = verify(&SignedData::parse(include_bytes!("../../testdata/cms/ana-plain.p7s")).unwrap());
    assert_eq!(plain, Err(SignerError::Reference));
}

#[test]
fn a_key_identifier_that_two_certificates_share_names_none() {
    let id = extension(oid::SUBJECT_KEY_IDENTIFIER, false, &encode(tag::OCTET_STRING, &[&[7; 20]]));
    let issue = |subject: &str| Issue::holder(subject, 2, "CA TEST", 1).with(id.clone()).certificate();
    let (holder, twin) = (issue("Holder TEST"), issue("Twin TEST"));
    let by_key_id = SignerId::SubjectKeyId(vec![7; 20]);
    assert_eq!(by_key_id.find(core::slice::from_ref(&holder)), Some(&holder));
    assert_eq!(by_key_id.find(&[holder.clone(), twin]), None);
    assert_eq!(by_key_id.find(&[holder.clone(), holder.clone()]), Some(&holder), "the same one twice is one");
}

#[test]
fn a_certificate_exchanged_for_one_with_the_same_key_or_name_does_not_fit() {
    let holder = Issue::holder("Holder TEST", 2, "CA TEST", 1);
    let cms = signed_by(&holder.certificate());
    let with = |certificate: &Certificate| {
        let mut parts = Parts::read(&cms).unwrap();
        parts.replace_certificates(&[certificate.der()]);
        SignedData::parse(&parts.write().unwrap()).unwrap()
    };
    assert_eq!(verify(&with(&holder.certificate())), Ok(holder.certificate()));
    // Same name and serial number, same key, other certificate: another authority could issue it.
    let twin = Issue { not_after: "460101000000Z", ..holder.clone() }.certificate();
    assert_eq!(verify(&with(&twin)), Err(SignerError::Reference));
    let renewed = Issue { serial: 9, ..holder }.certificate();
    assert_eq!(verify(&with(&renewed)), Err(SignerError::CertificateMissing));
}

#[test]
fn a_certificate_in_an_unsigned_place_is_not_taken() {
    let holder = Issue::holder("Holder TEST", 2, "CA TEST", 1).certificate();
    let cms = signed_by(&holder);
    let mut parts = Parts::read(&cms).unwrap();
    parts.replace_certificates(&[]);
    parts.add_unsigned(0, oid::CERTIFICATE_VALUES, &encode(tag::SEQUENCE, &[holder.der()])).unwrap();
    let signed = SignedData::parse(&parts.write().unwrap()).unwrap();
    assert_eq!(verify(&signed), Err(SignerError::CertificateMissing));
}

#[test]
fn loose_encodings_are_refused() {
    let content_info = |rest: &[u8]| {
        let id = encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]);
        encode(tag::SEQUENCE, &[&id, rest])
    };
    for (rest, what) in [
        (&[0xa0, 0x81, 0x02, 0x30, 0x00][..], "a length in more octets than needed"),
        (&[0xbf, 0x21, 0x02, 0x30, 0x00], "a tag of several octets"),
        (&[0xa0, 0x85, 0, 0, 0, 0, 2, 0x30, 0], "a length of five octets"),
        (&[0x80, 0x02, 0x30, 0x00], "a primitive tag"),
        (&[0xa0, 0x02, 0x31, 0x00], "a SET for a SEQUENCE"),
    ] {
        let bytes = content_info(rest);
        assert!(SignedData::parse(&bytes).is_err() && Parts::read(&bytes).is_err(), "{what}");
    }
}

#[test]
fn counts_beyond_the_limits_are_refused_and_the_limit_is_named() {
    let certificate = encode(tag::SEQUENCE, &[]);
    let attribute = |kind: const_oid::ObjectIdentifier, values: &[u8]| {
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[kind.as_bytes()]), &encode(tag::SET, &[values])])
    };
    let unsigned = attribute(oid::SIGNATURE_TIME_STAMP, &[5, 0]);
    let many_values = attribute(oid::SIGNATURE_TIME_STAMP, &[5, 0].repeat(101));
    let original = Parts::read(ANA).unwrap();
    let info = |unsigned: &[u8]| {
        encode(
            tag::SEQUENCE,
            &[&original.signers[0].fixed, &encode(tag::context_constructed(1), &[unsigned])],
        )
    };
    let sha256 = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SHA256.as_bytes()])]);
    let signed_data = |certificates: usize, crls: usize, infos: &[u8]| {
        let data = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::DATA.as_bytes()])]);
        let signed_data = encode(
            tag::SEQUENCE,
            &[
                &[tag::INTEGER, 1, 1],
                &encode(tag::SET, &[&sha256]),
                &data,
                &encode(tag::context_constructed(0), &[&certificate.repeat(certificates)]),
                &encode(tag::context_constructed(1), &[&certificate.repeat(crls)]),
                &encode(tag::SET, &[infos]),
            ],
        );
        let signed_data = encode(tag::context_constructed(0), &[&signed_data]);
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]), &signed_data])
    };
    assert!(SignedData::parse(&signed_data(1000, 1000, &info(&unsigned.repeat(500)))).is_ok());
    for (bytes, expected) in [
        (signed_data(1001, 0, &info(&unsigned)), "at most 1000 certificates"),
        (signed_data(0, 1001, &info(&unsigned)), "at most 1000 pieces of revocation data"),
        (signed_data(0, 0, &info(&unsigned).repeat(101)), "at most 100 signers"),
        (signed_data(0, 0, &info(&unsigned.repeat(501))), "at most 500 unsigned attributes"),
        (signed_data(0, 0, &info(&many_values)), "at most 100 values per unsigned attribute"),
    ] {
        let error = SignedData::parse(&bytes).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} is not {expected}");
        assert_eq!(error.code(), ErrorCode::LimitExceeded);
    }
    for (bytes, expected) in [
        (vec![0x30; (64 << 20) + 1], "at most 64 MiB"),
        ([0x30, 0x80].repeat(1_000_000), "at most 32 levels"),
    ] {
        for error in [SignedData::parse(&bytes).unwrap_err(), Parts::read(&bytes).unwrap_err()] {
            assert!(error.to_string().contains(expected), "{error} is not {expected}");
            assert_eq!(error.code(), ErrorCode::LimitExceeded);
        }
    }
}

#[test]
fn a_hundred_signed_attributes_are_enough() {
    let attribute = |number: u8| {
        let kind = encode(tag::OID, &[&[0x2a, 3, number]]);
        encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&[5, 0]])])
    };
    let set = |count: u8| encode(tag::SET, &[&(0..count).map(attribute).collect::<Vec<_>>().concat()]);
    assert!(SignedAttributes::parse(&set(100)).is_ok());
    let error = SignedAttributes::parse(&set(101)).unwrap_err();
    assert_eq!((error.to_string().contains("at most 100"), error.code()), (true, ErrorCode::LimitExceeded));
}
