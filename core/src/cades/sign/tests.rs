use super::*;
use crate::cms::verify_signer;
use crate::digest::DigestAlgorithm;
use crate::icp_brasil::signature_policy::{self, Profile};
use crate::testing::{self, now};
use crate::tlv::{encode, tag};

fn options() -> Options {
    Options::new(now())
}

fn rb() -> Option<&'static SignaturePolicy> {
    signature_policy::current(Family::Cades, Profile::Rb)
}

type Sign = fn(&Digest) -> Vec<u8>;

fn signers() -> [(Certificate, Sign); 3] {
    [
        (testing::ana(), testing::sign_rsa),
        (testing::bruno(), testing::sign_p256),
        (testing::selo(), testing::sign_p384),
    ]
}

fn signed_by_ana(content: &[u8], options: &Options) -> Vec<u8> {
    let plan = prepare(&Digest::sha256(content), &testing::ana(), &[testing::ca2()], options).unwrap();
    plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap()
}

/// Every signer of a file over this content verifies.
fn assert_all_verify(cms: &[u8], content: &[u8]) {
    let signed = SignedData::parse(cms).unwrap();
    for signer in signed.signers() {
        verify_signer(signer, signed.certificates(), Some(oid::DATA.as_bytes()), |algorithm| {
            Digest::of(algorithm, content)
        })
        .unwrap();
    }
}

#[test]
fn content_may_be_inside() {
    for (certificate, sign) in signers() {
        let enveloping = Options { placement: Placement::Enveloping(b"abc".to_vec()), ..options() };
        let plan = prepare(&Digest::sha256(b"abc"), &certificate, &[], &enveloping).unwrap();
        let cms = plan.assemble(&sign(&plan.to_sign())).unwrap();
        let signed = SignedData::parse(&cms).unwrap();
        assert!(!signed.is_ber());
        assert_eq!(signed.content(), Some(&b"abc"[..]));
        assert_all_verify(&cms, b"abc");
    }
    let other = Options { placement: Placement::Enveloping(b"abd".to_vec()), ..options() };
    let error = prepare(&Digest::sha256(b"abc"), &testing::ana(), &[], &other).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DigestMismatch);
}

#[test]
fn the_one_shape_has_what_etsi_and_icp_brasil_ask_for() {
    let signed = SignedData::parse(&signed_by_ana(b"abc", &Options { policy: rb(), ..options() })).unwrap();
    let set = signed.signers()[0].signed_attributes.as_ref().unwrap();
    let attributes = SignedAttributes::parse(set).unwrap();
    let wanted = [
        oid::CONTENT_TYPE,
        oid::SIGNING_TIME,
        oid::MESSAGE_DIGEST,
        oid::SIGNATURE_POLICY,
        oid::SIGNING_CERTIFICATE_V2,
    ];
    assert_eq!(attributes.kinds(), wanted.map(|kind| kind.as_bytes().to_vec()));
    assert_eq!(attributes.signing_certificate().unwrap().references, 1);
    assert_eq!(attributes.signature_policy().unwrap().oid, "2.16.76.1.7.1.1.2.4");
}

#[test]
fn a_policy_that_does_not_apply_is_refused_before_anything_is_signed() {
    let pades = signature_policy::current(Family::Pades, Profile::Rb);
    let old = signature_policy::by_oid("2.16.76.1.7.1.1.2.3");
    let early = Options::new("2025-01-01T00:00:00Z".parse().unwrap());
    for (certificate, options) in [
        (testing::ana(), Options { policy: pades, ..options() }),
        (testing::bruno(), Options { policy: old, ..options() }),
        (testing::ana(), Options { policy: rb(), ..early }),
    ] {
        let error = prepare(&Digest::sha256(b"abc"), &certificate, &[], &options).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PolicyNotApplicable, "{error}");
    }
}

#[test]
fn a_digest_of_another_algorithm_is_our_mistake() {
    let sha512 = Digest::of(DigestAlgorithm::Sha512, b"abc");
    let error = prepare(&sha512, &testing::ana(), &[], &options()).unwrap_err();
    assert_eq!(error, CadesError::Cms(CmsError::DigestAlgorithm));
    assert_eq!(error.code(), ErrorCode::Internal);
}

#[test]
fn others_may_sign_beside_and_nobody_is_disturbed() {
    let mut cms = signed_by_ana(b"abc", &options());
    for (certificate, sign) in signers() {
        let before = cms.clone();
        let plan =
            co_sign(&cms, &Digest::sha256(b"abc"), &certificate, &[testing::ca1()], &options()).unwrap();
        cms = plan.assemble(&sign(&plan.to_sign())).unwrap();
        assert!(cms.len() <= plan.assembled_size_limit_bytes());
        assert_all_verify(&cms, b"abc");
        let (old, new) = (Parts::read(&before).unwrap(), Parts::read(&cms).unwrap());
        for (old, new) in old.signers.iter().zip(&new.signers) {
            assert_eq!(old.fixed, new.fixed);
        }
    }
    let signed = SignedData::parse(&cms).unwrap();
    assert_eq!(signed.signers().len(), 4);
    // ana, bruno, selo and the authorities, each once.
    assert_eq!(signed.certificates().len(), 5);
    assert_eq!(signed.digest_algorithms().len(), 1);
}

#[test]
fn foreign_files_in_ber_and_with_content_can_be_signed_beside() {
    let ber = include_bytes!("../../../testdata/cms/ana-attached-ber.p7m");
    let plan = co_sign(ber, &Digest::sha256(b"abc"), &testing::bruno(), &[], &options()).unwrap();
    let cms = plan.assemble(&testing::sign_p256(&plan.to_sign())).unwrap();
    assert_eq!(SignedData::parse(&cms).unwrap().content(), Some(&b"abc"[..]));
    assert_all_verify(&cms, b"abc");
    let error = co_sign(ber, &Digest::sha256(b"abd"), &testing::bruno(), &[], &options()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DigestMismatch);
}

#[test]
fn a_signature_over_other_content_finds_no_place_beside() {
    let cms = signed_by_ana(b"abc", &options());
    let error = co_sign(&cms, &Digest::sha256(b"abd"), &testing::bruno(), &[], &options()).unwrap_err();
    assert_eq!(error, CadesError::Digest);
    let bundle = include_bytes!("../../../testdata/pki/bundle.p7b");
    let error = co_sign(bundle, &Digest::sha256(b"abc"), &testing::bruno(), &[], &options()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignatureNotExtendable);
    let token = crate::tsp::testing::Authority::new().stamp(&Digest::sha256(b"abc"), now());
    let error = co_sign(&token, &Digest::sha256(b"abc"), &testing::bruno(), &[], &options()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignatureNotExtendable);
}

#[test]
fn a_counter_signature_is_over_the_value_and_has_no_content_type() {
    let cms = signed_by_ana(b"abc", &options());
    let plan = counter_sign(&cms, 0, &testing::bruno(), &[testing::ca2()], &options()).unwrap();
    let stored: CmsPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(stored, plan);
    let signed = stored.assemble(&testing::sign_p256(&plan.to_sign())).unwrap();
    assert_all_verify(&signed, b"abc");

    let read = SignedData::parse(&signed).unwrap();
    let signer = &read.signers()[0];
    let counter = signer.counter_signatures().unwrap();
    assert_eq!(counter.len(), 1);
    let by = verify_signer(&counter[0], read.certificates(), None, |algorithm| {
        Digest::of(algorithm, &signer.value)
    });
    assert_eq!(by.unwrap(), &testing::bruno());
    // Over other bytes it is worth nothing.
    let of_other =
        verify_signer(&counter[0], read.certificates(), None, |algorithm| Digest::of(algorithm, b"x"));
    assert!(of_other.is_err());
    // With a content-type it could be presented as a signature of its own.
    let as_signature =
        verify_signer(&counter[0], read.certificates(), Some(oid::DATA.as_bytes()), |algorithm| {
            Digest::of(algorithm, &signer.value)
        });
    assert!(as_signature.is_err());
}

#[test]
fn counter_signatures_obey_the_rules_of_icp_brasil() {
    let cms = signed_by_ana(b"abc", &options());
    let with_policy = Options { policy: rb(), ..options() };
    let error = counter_sign(&cms, 0, &testing::bruno(), &[], &with_policy).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PolicyNotApplicable);
    let error = counter_sign(&cms, 1, &testing::bruno(), &[], &options()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignatureNotExtendable);

    for archive in [oid::ARCHIVE_TIME_STAMP_V2, oid::ARCHIVE_TIME_STAMP_V3] {
        let mut parts = Parts::read(&cms).unwrap();
        parts.add_unsigned(0, archive, &encode(tag::SEQUENCE, &[])).unwrap();
        let archived = parts.write().unwrap();
        let error = counter_sign(&archived, 0, &testing::bruno(), &[], &options()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::SignatureNotExtendable);
        // A co-signer brings a certificate, which the second version would notice.
        let beside = co_sign(&archived, &Digest::sha256(b"abc"), &testing::bruno(), &[], &options());
        assert_eq!(beside.is_err(), archive == oid::ARCHIVE_TIME_STAMP_V2);
    }
}

#[test]
fn a_wrong_value_changes_no_file() {
    let cms = signed_by_ana(b"abc", &options());
    let plans = [
        co_sign(&cms, &Digest::sha256(b"abc"), &testing::bruno(), &[], &options()).unwrap(),
        counter_sign(&cms, 0, &testing::bruno(), &[], &options()).unwrap(),
    ];
    for plan in plans {
        let error = plan.assemble(&testing::sign_p256(&Digest::sha256(b"other"))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::SignatureValueInvalid);
    }
}

#[test]
fn stored_plans_with_a_damaged_target_are_refused() {
    let cms = signed_by_ana(b"abc", &options());
    let plan = counter_sign(&cms, 0, &testing::bruno(), &[], &options()).unwrap();
    let stored = serde_json::to_value(&plan).unwrap();
    for (member, value, expected) in [
        ("signer", serde_json::json!(1), "no such signer"),
        ("cms", serde_json::json!("MAA="), "SignedData cannot be read"),
        ("kind", serde_json::json!("unknown"), "unknown variant"),
    ] {
        let mut changed = stored.clone();
        changed["target"][member] = value;
        let error = serde_json::from_value::<CmsPlan>(changed).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} is not {expected}");
    }
    // What the first version stored was detached.
    let plan = prepare(&Digest::sha256(b"abc"), &testing::ana(), &[], &options()).unwrap();
    let mut first = serde_json::to_value(&plan).unwrap();
    first["version"] = 1.into();
    first.as_object_mut().unwrap().remove("target");
    assert_eq!(serde_json::from_value::<CmsPlan>(first).unwrap(), plan);
}

#[test]
fn an_ed25519_key_signs_the_attributes_themselves_over_a_sha_512_of_the_content() {
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let algorithm = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    let mut issue = testing::Issue::holder("Eda TEST", 1, "CA TEST", 2);
    issue.public_key = Some([&algorithm[..], key.verifying_key().as_bytes()].concat());
    let certificate = issue.certificate();
    assert_eq!(content_digest_algorithm(&certificate), Ok(DigestAlgorithm::Sha512));

    let content = Digest::of(DigestAlgorithm::Sha512, b"abc");
    let plan = prepare(&content, &certificate, &[], &Options { policy: rb(), ..options() }).unwrap();
    let value = key.sign(plan.signed_attributes()).to_bytes();
    let cms = plan.assemble(&value).unwrap();
    assert_eq!(cms.len(), plan.assembled_size_limit_bytes());
    assert_all_verify(&cms, b"abc");
    let over_the_digest = key.sign(plan.to_sign().as_bytes()).to_bytes();
    assert_eq!(plan.assemble(&over_the_digest).unwrap_err().code(), ErrorCode::SignatureValueInvalid);
    // Beside a signer with another digest.
    let ana = signed_by_ana(b"abc", &options());
    let plan = co_sign(&ana, &content, &certificate, &[], &options()).unwrap();
    let both = plan.assemble(&key.sign(plan.signed_attributes()).to_bytes()).unwrap();
    assert_all_verify(&both, b"abc");
    assert_eq!(SignedData::parse(&both).unwrap().digest_algorithms().len(), 2);
}
