use super::*;
use crate::cms::{CmsPlan, PlanOptions, SignedAttributes, SignedData, plan};
use crate::testing::{self, now};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_table_holds_each_policy_once_under_the_identifier_of_its_family() {
    assert_eq!(ALL.len(), 36);
    for (index, policy) in ALL.iter().enumerate() {
        let family = match (policy.family, policy.profile) {
            (Family::Cades, profile) => 1 + profile as u32,
            (Family::Pades, Profile::Rb) => 11,
            (Family::Pades, Profile::Rt) => 12,
            (Family::Pades, Profile::Rc) => 13,
            (Family::Pades, Profile::Ra) => 14,
            (Family::Pades, Profile::Rv) => panic!("{policy} does not exist"),
        };
        let version = policy.version.strip_suffix(".0").unwrap_or(policy.version);
        assert_eq!(policy.oid, format!("2.16.76.1.7.1.{family}.{version}"));
        assert_eq!(by_oid(policy.oid), Some(policy));
        assert_ne!(policy.hash, [0; 32]);
        for other in &ALL[..index] {
            assert!(other.oid != policy.oid && other.hash != policy.hash, "{policy} and {other}");
        }
    }
    assert_eq!(by_oid("2.16.76.1.7.1.1.9"), None);
}

#[test]
fn the_policies_to_sign_with_are_those_of_2025() {
    let versions = |family| Profile::ALL.map(|profile| current(family, profile).map(|policy| policy.version));
    assert_eq!(versions(Family::Cades), [Some("2.4"), Some("2.4"), Some("2.4"), Some("2.4"), Some("2.5")]);
    assert_eq!(versions(Family::Pades), [Some("1.3"), Some("1.3"), None, Some("1.4"), Some("1.4")]);
    let rb = current(Family::Cades, Profile::Rb).unwrap();
    assert_eq!(rb.uri(), "http://politicas.icpbrasil.gov.br/PA_AD_RB_v2_4.der");
    let rb = current(Family::Pades, Profile::Rb).unwrap();
    assert_eq!(rb.uri(), "http://politicas.icpbrasil.gov.br/PA_PAdES_AD_RB_v1_3.der");
    assert_eq!(rb.to_string(), "PAdES AD-RB v1.3");
}

#[test]
fn a_policy_stands_differently_at_different_times() {
    for (oid, time, expected) in [
        ("2.16.76.1.7.1.1.2.4", "2025-06-11T23:59:59Z", Standing::NotYet),
        ("2.16.76.1.7.1.1.2.4", "2025-06-12T00:00:00Z", Standing::InForce),
        ("2.16.76.1.7.1.1.2.4", "2037-10-22T23:59:59Z", Standing::InForce),
        ("2.16.76.1.7.1.1.2.4", "2037-10-23T00:00:00Z", Standing::Ended),
        ("2.16.76.1.7.1.1.2.1", "2017-02-25T00:00:00Z", Standing::InForce),
        ("2.16.76.1.7.1.1.2.1", "2017-02-26T00:00:00Z", Standing::Revoked),
        ("2.16.76.1.7.1.1.2", "2012-03-22T00:00:00Z", Standing::InForce),
        ("2.16.76.1.7.1.11.1.2", "2025-07-01T00:00:00Z", Standing::InForce),
        ("2.16.76.1.7.1.11.1.2", "2025-08-01T00:00:00Z", Standing::Replaced),
        ("2.16.76.1.7.1.12.1.1", "2020-02-29T12:00:00Z", Standing::InForce),
    ] {
        assert_eq!(by_oid(oid).unwrap().standing(at(time)), expected, "{oid} at {time}");
    }
}

#[test]
fn days_become_the_right_moments() {
    let policy = by_oid("2.16.76.1.7.1.2.2.3").unwrap();
    assert_eq!(policy.from.unwrap().to_string(), "2018-05-14T00:00:00Z");
    assert_eq!(policy.until.unwrap().to_string(), "2029-03-02T23:59:59.999Z");
}

#[test]
fn a_policy_that_does_not_fit_is_not_signed_under() {
    let rb = current(Family::Cades, Profile::Rb).unwrap();
    let rsa = SignatureAlgorithm::RsaPkcs1Sha256;
    assert_eq!(rb.check_applicable(Family::Cades, rsa, now()), Ok(()));
    let old = by_oid("2.16.76.1.7.1.1.2.3").unwrap();
    for (policy, container, algorithm, time) in [
        (rb, Family::Pades, rsa, now()),
        (rb, Family::Cades, SignatureAlgorithm::EcdsaSha384, now()),
        (rb, Family::Cades, SignatureAlgorithm::RsaPkcs1Sha384, now()),
        (rb, Family::Cades, rsa, at("2025-01-01T00:00:00Z")),
        (rb, Family::Cades, rsa, at("2038-01-01T00:00:00Z")),
        (old, Family::Cades, SignatureAlgorithm::EcdsaSha256, now()),
        (by_oid("2.16.76.1.7.1.11.1.2").unwrap(), Family::Pades, rsa, now()),
        (by_oid("2.16.76.1.7.1.1.2.1").unwrap(), Family::Cades, rsa, now()),
    ] {
        let refused = policy.check_applicable(container, algorithm, time).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::PolicyNotApplicable, "{policy}");
    }
}

/// A signature of ana that declares the policy.
fn signed_under(policy: Option<&'static SignaturePolicy>, signing_time: Option<Timestamp>) -> SignedData {
    let options = PlanOptions { signing_time, policy };
    let plan: CmsPlan = plan(&Digest::sha256(b"abc"), &testing::ana(), &[], options).unwrap();
    SignedData::parse(&plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap()).unwrap()
}

fn breaches(policy: &SignaturePolicy, signed: &SignedData, container: Family, at: Timestamp) -> Vec<Breach> {
    let signer = &signed.signers()[0];
    let attributes = SignedAttributes::parse(signer.signed_attributes.as_ref().unwrap()).unwrap();
    policy.breaches(&Observed { container, signed_data: signed, signer, attributes: &attributes, at })
}

#[test]
fn what_is_signed_under_a_basic_policy_keeps_to_it() {
    for (family, signing_time) in [(Family::Cades, Some(now())), (Family::Cades, None), (Family::Pades, None)]
    {
        let policy = current(family, Profile::Rb).unwrap();
        let signed = signed_under(Some(policy), signing_time);
        assert_eq!(breaches(policy, &signed, family, now()), [], "{policy}");
    }
}

#[test]
fn each_breach_of_a_policy_is_named() {
    let of = |family, profile| current(family, profile).unwrap();
    let cades = of(Family::Cades, Profile::Rb);
    let pades = of(Family::Pades, Profile::Rb);
    let signed = signed_under(Some(cades), Some(now()));

    // A CAdES policy inside a PDF.
    let found = breaches(cades, &signed, Family::Pades, now());
    assert_eq!(found, [Breach::Family { expected: Family::Cades }]);
    // A hash of another policy, and attributes that PDF forbids.
    let found = breaches(pades, &signed, Family::Pades, now());
    assert_eq!(found, [Breach::Hash, Breach::SignedForbidden("signing-time")]);
    // Too early.
    let found = breaches(cades, &signed, Family::Cades, at("2020-01-01T00:00:00Z"));
    assert_eq!(found, [Breach::Period(Standing::NotYet)]);
    // No policy attribute at all.
    let found = breaches(cades, &signed_under(None, None), Family::Cades, now());
    assert_eq!(found, [Breach::Hash, Breach::SignedMissing("signature-policy-identifier")]);
    // Nothing unsigned where a profile asks for it.
    for (profile, expected) in [(Profile::Rt, 1), (Profile::Rv, 4), (Profile::Rc, 6), (Profile::Ra, 5)] {
        let policy = of(Family::Cades, profile);
        let found = breaches(policy, &signed_under(Some(policy), None), Family::Cades, now());
        assert_eq!(found.len(), expected, "{policy}");
        assert!(found.iter().all(|breach| matches!(breach, Breach::UnsignedMissing(_))), "{policy}");
    }
}

#[test]
fn an_algorithm_outside_the_policy_is_a_breach() {
    let signed = SignedData::parse(include_bytes!("../../../testdata/cms/selo-cades.p7s")).unwrap();
    let policy = current(Family::Cades, Profile::Rb).unwrap();
    assert!(breaches(policy, &signed, Family::Cades, now()).contains(&Breach::Algorithm));
}

#[test]
fn a_policy_attribute_that_was_tampered_with_is_a_breach() {
    use crate::oid;
    use crate::tlv::{encode, tag};
    let rb = current(Family::Cades, Profile::Rb).unwrap();
    let revoked = by_oid("2.16.76.1.7.1.1.2.1").unwrap();
    let signed = signed_under(None, None);
    let found = |policy: &SignaturePolicy, algorithm: ObjectIdentifier, hash: &[u8]| {
        let identifier = |id: ObjectIdentifier| encode(tag::OID, &[id.as_bytes()]);
        let algorithm = encode(tag::SEQUENCE, &[&identifier(algorithm)]);
        let hash = encode(tag::SEQUENCE, &[&algorithm, &encode(tag::OCTET_STRING, &[hash])]);
        let value = encode(tag::SEQUENCE, &[&identifier(policy.identifier()), &hash]);
        let attribute =
            encode(tag::SEQUENCE, &[&identifier(oid::SIGNATURE_POLICY), &encode(tag::SET, &[&value])]);
        let signer = &signed.signers()[0];
        let original = signer.signed_attributes.as_ref().unwrap();
        let list = crate::tlv::single(original, tag::SET, "a SET").unwrap().value;
        let attributes = SignedAttributes::parse(&encode(tag::SET, &[list, &attribute])).unwrap();
        let container = Family::Cades;
        policy.breaches(&Observed {
            container,
            signed_data: &signed,
            signer,
            attributes: &attributes,
            at: now(),
        })
    };
    assert_eq!(found(rb, oid::SHA256, &rb.hash), []);
    assert_eq!(found(rb, oid::SHA256, &[0; 32]), [Breach::Hash]);
    assert_eq!(found(rb, oid::SHA512, &[0; 64]), [Breach::Hash]);
    assert_eq!(found(rb, oid::SHA1, &[0; 20]), [Breach::Hash]);
    // The SHA-256 of the policy file, which the list publishes, in place of the hash inside it.
    let of_the_file = "25f148b0828c0ba93695742469566fcc4d1618aa0c20cac56ae72b3419ecee6b";
    let of_the_file: Digest = format!("sha256:{of_the_file}").parse().unwrap();
    assert_eq!(found(rb, oid::SHA256, of_the_file.as_bytes()), [Breach::Hash]);
    assert_eq!(found(revoked, oid::SHA256, &revoked.hash), [Breach::Period(Standing::Revoked)]);
}
