use base64ct::{Base64, Encoding as _};
use der::{Decode, Encode};

use super::*;
use crate::ErrorCode;
use crate::cms::SignedAttributes;
use crate::testing::{self, now};

#[test]
fn a_plan_becomes_a_signature_that_another_reader_understands() {
    for (certificate, sign) in signers() {
        let chain = [testing::ca2(), testing::ca1(), certificate.clone()];
        let plan = plan(
            &Digest::sha256(b"abc"),
            &certificate,
            &chain,
            PlanOptions { signing_time: Some(now()), policy: None },
        )
        .unwrap();
        let der = plan.assemble(&sign(&plan.to_sign())).unwrap();
        assert!(der.len() <= plan.assembled_size_limit_bytes());
        assert!(plan.assembled_size_limit_bytes() - der.len() < 8, "the limit is close");

        let content_info = cms::content_info::ContentInfo::from_der(&der).unwrap();
        assert_eq!(content_info.to_der().unwrap(), der, "the other encoder agrees byte for byte");
        let signed = content_info.content.decode_as::<cms::signed_data::SignedData>().unwrap();
        assert_eq!(signed.version, cms::content_info::CmsVersion::V1);
        assert_eq!(signed.digest_algorithms.len(), 1);
        assert!(signed.digest_algorithms.get(0).unwrap().parameters.is_none());
        assert!(signed.encap_content_info.econtent.is_none());
        assert_eq!(signed.certificates.unwrap().0.len(), 3, "each certificate once");
        let info = signed.signer_infos.0.get(0).unwrap().clone();
        assert_eq!(info.version, cms::content_info::CmsVersion::V1);
        let attributes = info.signed_attrs.unwrap();
        assert_eq!(attributes.to_der().unwrap(), plan.signed_attributes());
        assert_eq!(attributes.len(), 4);
        let null = info.signature_algorithm.parameters.is_some();
        assert_eq!(null, plan.signature_algorithm().is_rsa());
    }
}

#[test]
fn signing_time_is_there_only_when_asked_for() {
    let at = |signing_time| {
        let plan =
            plan(&Digest::sha256(b"abc"), &testing::ana(), &[], PlanOptions { signing_time, policy: None })
                .unwrap();
        SignedAttributes::parse(plan.signed_attributes()).unwrap().signing_time()
    };
    assert_eq!((at(None), at(Some(now()))), (None, Some(now())));
}

#[test]
fn a_value_that_does_not_verify_assembles_nothing() {
    let (ana, padaria) = (testing::ana(), testing::padaria());
    let plan = plan(&Digest::sha256(b"abc"), &ana, &[], PlanOptions::default()).unwrap();
    let right = testing::sign_rsa(&plan.to_sign());
    assert!(plan.assemble(&right).is_ok());
    let of_other_bytes = testing::sign_rsa(&Digest::sha256(plan.signed_attributes().split_last().unwrap().1));
    for wrong in [of_other_bytes, vec![0; 256], vec![], testing::sign_p256(&plan.to_sign())] {
        let error = plan.assemble(&wrong).unwrap_err();
        assert_eq!(error.code(), ErrorCode::SignatureValueInvalid);
    }
    // Same key, other certificate: the value does not carry over, since the reference is signed.
    let other = super::plan(&Digest::sha256(b"abc"), &padaria, &[], PlanOptions::default()).unwrap();
    assert_eq!(other.assemble(&right).unwrap_err().code(), ErrorCode::SignatureValueInvalid);
}

#[test]
fn only_the_digest_of_the_key_and_supported_keys_are_planned() {
    let sha512 = Digest::of(DigestAlgorithm::Sha512, b"abc");
    assert_eq!(plan(&sha512, &testing::ana(), &[], PlanOptions::default()), Err(CmsError::DigestAlgorithm));
    let ed448 = [0x30, 0x43, 0x30, 5, 6, 3, 0x2b, 0x65, 0x71, 3, 0x3a, 0];
    let mut issue = testing::Issue::holder("X", 1, "CA", 2);
    issue.public_key = Some([&ed448[..], &[7; 57]].concat());
    let refused = plan(&Digest::sha256(b"abc"), &issue.certificate(), &[], PlanOptions::default());
    assert_eq!(refused.unwrap_err().code(), ErrorCode::KeyUnsupported);
}

#[test]
fn a_stored_plan_is_the_same_plan() {
    for (certificate, sign) in signers() {
        let plan =
            plan(&Digest::sha256(b"abc"), &certificate, &[testing::ca2()], PlanOptions::default()).unwrap();
        let stored = serde_json::to_string(&plan).unwrap();
        let read: CmsPlan = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, plan);
        let value = sign(&read.to_sign());
        assert_eq!(read.assemble(&value), plan.assemble(&value));
    }
}

#[test]
fn a_stored_plan_that_was_changed_is_refused() {
    let plan = plan(&Digest::sha256(b"abc"), &testing::ana(), &[], PlanOptions::default()).unwrap();
    let stored = serde_json::to_value(&plan).unwrap();
    let padaria = Base64::encode_string(testing::padaria().der());
    for (member, value, expected) in [
        ("version", 3.into(), "the plan has version 3"),
        ("signer", padaria.into(), "refer to another certificate"),
        ("signer", "AAAA".into(), "a certificate cannot be read"),
        ("signed_attributes", "MQA=".into(), "refer to another certificate"),
        ("signed_attributes", "!".into(), "base64"),
        ("chain", serde_json::json!(["MAA="]), "a certificate cannot be read"),
        ("extra", 1.into(), "unknown field"),
    ] {
        let mut changed = stored.clone();
        changed[member] = value;
        let error = serde_json::from_value::<CmsPlan>(changed).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} is not {expected}");
    }
}

type Sign = fn(&Digest) -> Vec<u8>;

fn signers() -> [(Certificate, Sign); 3] {
    [
        (testing::ana(), testing::sign_rsa),
        (testing::bruno(), testing::sign_p256),
        (testing::selo(), testing::sign_p384),
    ]
}
