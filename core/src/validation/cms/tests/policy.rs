//! Declared policies: kept, not kept, not known. What ICP-Brasil asks of a path.

use super::revoked::ROOT;
use super::*;
use crate::icp_brasil::signature_policy::{Family, Profile, by_oid, current};
use crate::testing::extension;
use crate::validation::IcpBrasilProfile;
use crate::validation::testing::authority;

/// signature-policy-identifier with any content.
fn declared(oid: &str, hash_algorithm: const_oid::ObjectIdentifier, hash: &[u8]) -> Vec<u8> {
    let oid_der = |oid: const_oid::ObjectIdentifier| encode(tag::OID, &[oid.as_bytes()]);
    let algorithm = encode(tag::SEQUENCE, &[&oid_der(hash_algorithm)]);
    let hash = encode(tag::SEQUENCE, &[&algorithm, &encode(tag::OCTET_STRING, &[hash])]);
    let policy = oid_der(const_oid::ObjectIdentifier::new_unwrap(oid));
    let value = encode(tag::SEQUENCE, &[&policy, &hash]);
    let kind = oid_der(oid::SIGNATURE_POLICY);
    encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&value])])
}

fn with_policy(attribute: Vec<u8>) -> Forged {
    let mut forged = Forged::new();
    forged.list().push(attribute);
    forged
}

fn right(oid: &str) -> Vec<u8> {
    declared(oid, oid::SHA256, by_oid(oid).unwrap().digest().as_bytes())
}

const AD_RB: &str = "2.16.76.1.7.1.1.2.4";
const AD_RT: &str = "2.16.76.1.7.1.2.2.4";

#[test]
fn a_policy_that_is_kept_is_declared_and_not_yet_fulfilled_under_a_test_root() {
    let report = with_policy(right(AD_RB)).report(&Forged::context());
    assert_eq!(verdict(&report), "passed", "{report:#?}");
    let policy = report.policy.as_ref().unwrap();
    assert_eq!((policy.oid.as_str(), policy.name.as_deref()), (AD_RB, Some("AD-RB v2.4")));
    assert!(!policy.fulfilled);
    assert_eq!(report.icp_brasil_profile, Some(IcpBrasilProfile::AdRb));
    for check in [Check::PolicyIdentifier, Check::PolicyHash, Check::PolicyPeriod, Check::PolicyAttributes] {
        assert!(report.has_passed(check), "{check:?}");
    }
    assert!(!report.has_passed(Check::PolicyTrust));
    let text = Report::new(now(), vec![report]).to_text(Language::PtBr);
    assert!(text.contains("política       declarada: AD-RB v2.4; não se provou atendida"), "{text}");
    assert!(!text.contains("ICP-Brasil (assinatura"), "{text}");
}

#[test]
fn every_trap_of_a_policy_attribute_is_noticed() {
    let of = |oid: &str| by_oid(oid).unwrap().digest().as_bytes().to_vec();
    let pades = current(Family::Pades, Profile::Rb).unwrap().oid;
    for (name, attribute, expected) in [
        ("zero hash", declared(AD_RB, oid::SHA256, &[0; 32]), "indeterminate POLICY_PROCESSING_ERROR"),
        (
            "another hash algorithm",
            declared(AD_RB, oid::SHA512, &[1; 64]),
            "indeterminate POLICY_PROCESSING_ERROR",
        ),
        ("SHA-1", declared(AD_RB, oid::SHA1, &[1; 20]), "indeterminate POLICY_PROCESSING_ERROR"),
        (
            "hash of another policy",
            declared(AD_RB, oid::SHA256, &of(AD_RT)),
            "indeterminate POLICY_PROCESSING_ERROR",
        ),
        ("a PAdES policy in CAdES", right(pades), "indeterminate SIG_CONSTRAINTS_FAILURE"),
        ("a revoked policy", right("2.16.76.1.7.1.1.2.1"), "indeterminate SIG_CONSTRAINTS_FAILURE"),
        ("AD-RT without a time stamp", right(AD_RT), "indeterminate SIG_CONSTRAINTS_FAILURE"),
        (
            "a policy nobody knows",
            declared("1.2.3.4", oid::SHA256, &[1; 32]),
            "indeterminate SIGNATURE_POLICY_NOT_AVAILABLE",
        ),
        (
            "no hash at all",
            {
                let kind = encode(tag::OID, &[oid::SIGNATURE_POLICY.as_bytes()]);
                encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&[tag::NULL, 0]])])
            },
            "indeterminate POLICY_PROCESSING_ERROR",
        ),
    ] {
        let report = with_policy(attribute.clone()).report(&Forged::context());
        assert_eq!(verdict(&report), expected, "{name}: {report:#?}");
        assert!(report.policy.is_none_or(|policy| !policy.fulfilled), "{name}");
        let free = with_policy(attribute).report(&Forged::context().without_icp_brasil_rules());
        assert!(free.indication == Indication::Passed || name == "no hash at all", "{name}: {free:#?}");
    }
}

#[test]
fn a_cades_policy_in_a_pdf_is_noticed() {
    let der = with_policy(right(AD_RB)).der();
    let signed = SignedData::parse(&der).unwrap();
    let subject = Subject {
        signed: &signed,
        signer: &signed.signers()[0],
        content: ABC,
        role: Role::Pades,
        file: None,
    };
    let report = signature_report(subject, &Setting::new(&Forged::context()));
    assert_eq!(verdict(&report), "indeterminate SIG_CONSTRAINTS_FAILURE");
    assert!(!report.has_passed(Check::PolicyIdentifier));
}

#[test]
fn the_period_is_judged_for_the_claimed_time() {
    let plan_at = |claimed: &str| {
        let signing_time = Some(claimed.parse().unwrap());
        let policy = current(Family::Cades, Profile::Rb);
        let options = PlanOptions { signing_time, policy };
        let plan = plan(&Digest::sha256(b"abc"), &testing::ana(), &[], options).unwrap();
        let cms = plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap();
        validate_cms(&cms, ABC, &context()).unwrap().signatures.remove(0)
    };
    assert!(plan_at("2026-01-01T00:00:00Z").has_passed(Check::PolicyPeriod));
    let before = plan_at("2025-06-11T00:00:00Z");
    assert_eq!(verdict(&before), "indeterminate SIG_CONSTRAINTS_FAILURE");
    assert!(!before.has_passed(Check::PolicyPeriod));
}

#[test]
fn icp_brasil_has_at_most_two_authorities_in_a_path() {
    let policies = |policy: &str| {
        let policy = encode(tag::OID, &[const_oid::ObjectIdentifier::new_unwrap(policy).as_bytes()]);
        extension(
            oid::CERTIFICATE_POLICIES,
            false,
            &encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&policy])]),
        )
    };
    let under = |name, key, issuer, issuer_key| Issue {
        issuer: testing::name(issuer),
        issuer_key,
        ..authority(name, key)
    };
    let chain =
        [under("A TEST", 4, ROOT, 1), under("B TEST", 5, "A TEST", 4), under("C TEST", 6, "B TEST", 5)]
            .map(|authority| authority.certificate())
            .to_vec();
    let (a3, foreign) = ("2.16.76.1.2.3.99", "1.2.3.4");
    for (issuer, key, policy, expected) in [
        ("B TEST", 5, a3, "passed"),
        ("C TEST", 6, foreign, "passed"),
        ("C TEST", 6, a3, "indeterminate CHAIN_CONSTRAINTS_FAILURE"),
    ] {
        let holder = Issue::holder("Holder TEST", 2, issuer, key).with(policies(policy)).certificate();
        let forged = Forged::by(&holder, 2);
        let context = Forged::context().with_intermediates(chain.clone());
        assert_eq!(verdict(&forged.report(&context)), expected, "{issuer} {policy}");
        assert_eq!(verdict(&forged.report(&context.without_icp_brasil_rules())), "passed");
    }
}
