use proptest::prelude::*;

use super::super::{Indication, Language, Outcome, RevocationMode};
use super::*;
use crate::cms::{CmsPlan, PlanOptions, plan};
use crate::digest::{Digest, DigestAlgorithm};
use crate::testing::{self, Issue, context, key_usage, now};
use crate::tlv::{encode, encode_set_of, tag};
use crate::x509::{SignatureAlgorithm, TrustAnchors};
use crate::{ErrorCode, oid};

mod archive;
mod counter;
mod forged;
mod long_term;
mod policy;
mod revoked;
mod stamps;
use forged::{Forged, signer_id};

const ABC: Content<'static> = Content::Bytes(b"abc");

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/cms/", $name)).as_slice()
    };
}

#[test]
fn signatures_by_openssl_get_their_verdict() {
    for (name, file, content, expected) in [
        ("ana-cades", fixture!("ana-cades.p7s"), ABC, "passed"),
        ("bruno-cades", fixture!("bruno-cades.p7s"), ABC, "passed"),
        ("selo-cades", fixture!("selo-cades.p7s"), ABC, "passed"),
        ("ana-sha512", fixture!("ana-sha512.p7s"), ABC, "passed"),
        ("ana-attached-ber", fixture!("ana-attached-ber.p7m"), Content::Inside, "passed"),
        ("ana-attached-ber", fixture!("ana-attached-ber.p7m"), ABC, "passed"),
        ("ana-keyid", fixture!("ana-keyid.p7s"), ABC, "passed"),
        ("other content", fixture!("ana-cades.p7s"), Content::Bytes(b"abd"), "failed HASH_FAILURE"),
        ("other content", fixture!("ana-attached-ber.p7m"), Content::Bytes(b"abd"), "failed HASH_FAILURE"),
        ("ana-plain", fixture!("ana-plain.p7s"), ABC, "indeterminate SIG_CONSTRAINTS_FAILURE"),
        ("ana-noattr", fixture!("ana-noattr.p7s"), ABC, "failed FORMAT_FAILURE"),
        ("ana-sha1", fixture!("ana-sha1.p7s"), ABC, "indeterminate CRYPTO_CONSTRAINTS_FAILURE"),
        ("ana-pss", fixture!("ana-pss.p7s"), ABC, "passed"),
        ("ana-and-bruno", fixture!("ana-and-bruno.p7s"), ABC, "passed"),
    ] {
        let report = validate_cms(file, content, &context()).unwrap();
        for signature in &report.signatures {
            assert_eq!(verdict(signature), expected, "{name}:\n{report}");
        }
    }
    let two = validate_cms(fixture!("ana-and-bruno.p7s"), ABC, &context()).unwrap();
    assert_eq!(two.signatures.len(), 2);
}

#[test]
fn our_own_signatures_pass_with_every_kind_of_key() {
    for (certificate, sign) in [
        (testing::ana(), testing::sign_rsa as fn(&Digest) -> Vec<u8>),
        (testing::bruno(), testing::sign_p256),
        (testing::selo(), testing::sign_p384),
    ] {
        let plan = cades(&certificate);
        let cms = plan.assemble(&sign(&plan.to_sign())).unwrap();
        for content in [ABC, Content::Pieces(&[b"a", b"", b"bc"]), Content::Digest(&Digest::sha256(b"abc"))] {
            let report = validate_cms(&cms, content, &context()).unwrap();
            let signature = &report.signatures[0];
            assert_eq!(verdict(signature), "passed", "{report}");
            assert_eq!(signature.signer, Some(certificate.view()));
            assert_eq!(signature.path.len(), 4);
            assert_eq!(signature.claimed_time, Some(now()));
            assert_eq!(signature.signature_algorithm.as_deref(), Some(plan.signature_algorithm().as_str()));
        }
    }
}

#[test]
fn what_is_not_known_makes_it_indeterminate() {
    let plan = cades(&testing::ana());
    let cms = plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap();
    let at = |time: &str| context().asked_for(time.parse().unwrap());
    let nothing_trusted = Context { anchors: TrustAnchors::default(), ..context() };
    let elsewhere = Issue::authority("Elsewhere TEST", 1, "Elsewhere TEST", 1).certificate();
    let other_root = Context { anchors: TrustAnchors::new(vec![elsewhere]), ..context() };
    let sha512 = Digest::of(DigestAlgorithm::Sha512, b"abc");
    for (context, content, expected) in [
        (nothing_trusted, ABC, "indeterminate NO_CERTIFICATE_CHAIN_FOUND"),
        (other_root, ABC, "indeterminate NO_CERTIFICATE_CHAIN_FOUND"),
        (at("2045-01-01T00:00:01Z"), ABC, "indeterminate OUT_OF_BOUNDS_NO_POE"),
        (at("2024-12-31T23:59:59Z"), ABC, "indeterminate OUT_OF_BOUNDS_NO_POE"),
        (context(), Content::Digest(&sha512), "indeterminate SIGNED_DATA_NOT_FOUND"),
    ] {
        let report = validate_cms(&cms, content, &context).unwrap();
        assert_eq!(verdict(&report.signatures[0]), expected, "{report}");
    }
    // The leaf alone: not yet valid, under authorities that are.
    let root = Issue::authority("Root TEST", 1, "Root TEST", 1);
    let early = Issue { not_before: "270101000000Z", ..Issue::holder("X", 2, "Root TEST", 1) };
    let context = Context { anchors: TrustAnchors::new(vec![root.certificate()]), ..context() };
    let report = Forged::by(&early.certificate(), 2).report(&context);
    assert_eq!(verdict(&report), "indeterminate NOT_YET_VALID");
}

#[test]
fn an_expired_certificate_without_time_stamp_is_not_conclusive() {
    let plan = plan(&Digest::sha256(b"abc"), &testing::expired(), &[], PlanOptions::default()).unwrap();
    let cms = plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap();
    let report = validate_cms(&cms, ABC, &context()).unwrap();
    assert_eq!(verdict(&report.signatures[0]), "indeterminate OUT_OF_BOUNDS_NO_POE");
    assert!(report.signatures[0].has_passed(Check::SignatureValue));
}

#[test]
fn a_failure_outweighs_what_is_not_known() {
    let context = Context { anchors: TrustAnchors::default(), ..context() };
    let report = validate_cms(fixture!("ana-cades.p7s"), Content::Bytes(b"abd"), &context).unwrap();
    assert_eq!(verdict(&report.signatures[0]), "failed HASH_FAILURE");
    assert_eq!(report.overall(), Indication::Failed);
}

#[test]
fn files_without_signature_or_content_are_told_apart() {
    let bundle = include_bytes!("../../../testdata/pki/bundle.p7b");
    for (file, content, expected) in [
        (&bundle[..], ABC, ErrorCode::NotSigned),
        (fixture!("ana-cades.p7s"), Content::Inside, ErrorCode::ContentRequired),
        (b"not a signature", ABC, ErrorCode::CmsMalformed),
    ] {
        assert_eq!(validate_cms(file, content, &context()).unwrap_err().code(), expected);
    }
}

#[test]
fn revocation_is_never_silently_left_out() {
    let report = validate_cms(fixture!("ana-cades.p7s"), ABC, &context()).unwrap();
    let finding = report.signatures[0].findings.iter().find(|finding| finding.check == Check::Revocation);
    assert_eq!(finding.unwrap().outcome, Outcome::NotChecked);
    let json = serde_json::to_value(&report).unwrap();
    let findings = json["signatures"][0]["findings"].as_array().unwrap().clone();
    assert!(findings.iter().any(|f| f["check"] == "revocation" && f["outcome"] == "not_checked"));
    assert!(
        report.to_string().starts_with("Result: valid\nAttention: revocation was not checked\n"),
        "{report}"
    );
}

#[test]
fn revocation_that_is_required_and_unknown_is_not_conclusive() {
    let required = Context { revocation: RevocationMode::Required, ..context() };
    let report = validate_cms(fixture!("ana-cades.p7s"), ABC, &required).unwrap();
    assert_eq!(verdict(&report.signatures[0]), "indeterminate TRY_LATER");
    let fresh = Context::new(context().anchors, now()).with_evidence(context().evidence);
    assert_eq!(validate_cms(fixture!("ana-cades.p7s"), ABC, &fresh).unwrap(), report);
}

#[test]
fn a_digest_that_is_not_accepted_is_not_conclusive() {
    let only_sha512 = context().with_digests(&[DigestAlgorithm::Sha512]);
    for (file, expected) in [
        (fixture!("ana-cades.p7s"), "indeterminate CRYPTO_CONSTRAINTS_FAILURE"),
        (fixture!("ana-sha512.p7s"), "passed"),
    ] {
        let report = validate_cms(file, ABC, &only_sha512).unwrap();
        assert_eq!(verdict(&report.signatures[0]), expected, "{report}");
    }
}

#[test]
fn a_report_survives_json_and_holds_nothing_personal() {
    let report = validate_cms(fixture!("ana-cades.p7s"), Content::Bytes(b"abd"), &context()).unwrap();
    let json = serde_json::to_string_pretty(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    assert!(json.contains(r#""sub_indication": "HASH_FAILURE""#), "{json}");
    for personal in ["52998224725", "01011980"] {
        assert!(!json.contains(personal));
        assert!(Language::ALL.iter().all(|language| !report.to_text(*language).contains(personal)));
    }
}

#[test]
fn the_text_answers_in_both_languages_and_names_every_check() {
    let report = validate_cms(fixture!("ana-cades.p7s"), Content::Bytes(b"abd"), &context()).unwrap();
    for (language, lines) in [
        (
            Language::En,
            [
                "Result: invalid\n",
                "1 signature checked for 2026-11-23T12:00:00Z\n",
                "Signature 1 (CAdES): invalid\n",
                "  reason         the content was changed after the signature [HASH_FAILURE]\n",
                "  integrity      the content or the signature was altered\n",
                "  signer         ANA DA SILVA TEST (***.982.247-**)\n",
                "  FAILED         content: the content is not what was signed\n",
                "                 details: the content has sha256:",
                "  ok             signature value: the signature was made with this certificate's key\n",
                "  not checked    revocation: this check was not made\n",
            ],
        ),
        (
            Language::PtBr,
            [
                "Resultado: inválida\n",
                "1 assinatura verificada para 2026-11-23T12:00:00Z\n",
                "Assinatura 1 (CAdES): inválida\n",
                "  motivo         o conteúdo foi alterado depois da assinatura [HASH_FAILURE]\n",
                "  integridade    o conteúdo ou a assinatura foi alterado\n",
                "  signatário     ANA DA SILVA TEST (***.982.247-**)\n",
                "  FALHOU         conteúdo: o conteúdo não é o que foi assinado\n",
                "                 detalhes: the content has sha256:",
                "  ok             valor da assinatura: a assinatura foi feita com a chave deste certificado\n",
                "  não feito      revogação: esta verificação não foi feita\n",
            ],
        ),
    ] {
        let text = report.to_text(language);
        for line in lines {
            assert!(text.contains(line), "{line:?} is missing in\n{text}");
        }
    }
}

// The traps of CMS. Each forged signature has a right value by the right key over its attributes.

#[test]
fn an_honest_forgery_passes() {
    for key_usage_bits in [0x80, 0x40] {
        let report = Forged::with_usage(key_usage_bits).report(&Forged::context());
        assert_eq!(verdict(&report), "passed", "{report:#?}");
    }
}

#[test]
fn every_trap_of_cms_is_noticed() {
    let other = Issue { serial: 2, ..Issue::holder("Holder TEST", 2, "Root TEST", 1) }.certificate();
    let der =
        |oid: const_oid::ObjectIdentifier| encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid.as_bytes()])]);
    let attribute = |oid: const_oid::ObjectIdentifier, value: &[u8]| {
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid.as_bytes()]), &encode(tag::SET, &[value])])
    };
    let octets = |bytes: &[u8]| encode(tag::OCTET_STRING, &[bytes]);
    let digest_attribute = attribute(oid::MESSAGE_DIGEST, &octets(Digest::sha256(b"abc").as_bytes()));
    let format = "failed FORMAT_FAILURE";

    trap("attributes absent", format, |forged| forged.attributes = None);
    trap("message-digest absent", format, |forged| forged.remove(oid::MESSAGE_DIGEST));
    trap("content-type absent", format, |forged| forged.remove(oid::CONTENT_TYPE));
    trap("message-digest twice", format, |forged| forged.list().push(digest_attribute.clone()));
    trap("message-digest with two values", format, |forged| {
        forged.remove(oid::MESSAGE_DIGEST);
        let both = [octets(Digest::sha256(b"abc").as_bytes()), octets(&[0; 32])].concat();
        forged.list().push(attribute(oid::MESSAGE_DIGEST, &both));
    });
    trap("message-digest only among the unsigned", format, |forged| {
        forged.remove(oid::MESSAGE_DIGEST);
        forged.unsigned = Some(digest_attribute.clone());
    });
    trap("message-digest of other bytes", "failed HASH_FAILURE", |forged| {
        forged.remove(oid::MESSAGE_DIGEST);
        forged.list().push(attribute(oid::MESSAGE_DIGEST, &octets(Digest::sha256(b"abd").as_bytes())));
    });
    trap("message-digest cut short", "failed HASH_FAILURE", |forged| {
        forged.remove(oid::MESSAGE_DIGEST);
        forged.list().push(attribute(oid::MESSAGE_DIGEST, &octets(&Digest::sha256(b"abc").as_bytes()[..31])));
    });
    trap("content-type of another kind", format, |forged| {
        forged.remove(oid::CONTENT_TYPE);
        forged.list().push(attribute(oid::CONTENT_TYPE, &encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()])));
    });
    trap("content of another kind", format, |forged| forged.content_type = oid::SIGNED_DATA);
    trap("digest algorithm not listed", format, |forged| forged.listed_digests = vec![der(oid::SHA512)]);
    trap("digest algorithms not listed at all", format, |forged| forged.listed_digests = vec![]);
    trap("digest and signature algorithm differ", format, |forged| {
        forged.digest_algorithm = der(oid::SHA512)
    });
    trap("weak digest beside a strong algorithm", format, |forged| forged.digest_algorithm = der(oid::SHA1));
    trap("algorithm protection differs", format, |forged| {
        forged
            .list()
            .push(attribute(oid::CMS_ALGORITHM_PROTECTION, &encode(tag::SEQUENCE, &[&der(oid::SHA512)])));
    });
    trap("algorithm protection agrees", "passed", |forged| {
        let ecdsa =
            encode(tag::context_constructed(1), &[&encode(tag::OID, &[oid::ECDSA_WITH_SHA256.as_bytes()])]);
        let value = encode(tag::SEQUENCE, &[&der(oid::SHA256), &ecdsa]);
        forged.list().push(attribute(oid::CMS_ALGORITHM_PROTECTION, &value));
    });
    trap("an algorithm for a key of another kind", "failed SIG_CRYPTO_FAILURE", |forged| {
        forged.signature_algorithm = SignatureAlgorithm::RsaPkcs1Sha256.to_identifier();
    });
    trap("an algorithm nobody knows", "indeterminate GENERIC", |forged| {
        forged.signature_algorithm = der(const_oid::ObjectIdentifier::new_unwrap("1.3.101.113"));
    });
    trap("reference to another certificate", "indeterminate SIG_CONSTRAINTS_FAILURE", |forged| {
        forged.remove(oid::SIGNING_CERTIFICATE_V2);
        let hash = encode(tag::SEQUENCE, &[&octets(other.sha256().as_bytes())]);
        let value = encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&hash])]);
        forged.list().push(attribute(oid::SIGNING_CERTIFICATE_V2, &value));
    });
    trap("a key nobody knows", "indeterminate GENERIC", |forged| {
        let ed448 = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x71, 3, 0x21, 0][..], &[7; 32]].concat();
        let holder = Issue::holder("Holder TEST", 2, "Root TEST", 1);
        let holder = Issue { public_key: Some(ed448), ..holder }.certificate();
        forged.certificates = vec![holder.der().to_vec()];
        forged.remove(oid::SIGNING_CERTIFICATE_V2);
        let hash = encode(tag::SEQUENCE, &[&octets(holder.sha256().as_bytes())]);
        let value = encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&hash])]);
        forged.list().push(attribute(oid::SIGNING_CERTIFICATE_V2, &value));
    });
    trap("reference absent", "indeterminate SIG_CONSTRAINTS_FAILURE", |forged| {
        forged.remove(oid::SIGNING_CERTIFICATE_V2);
    });
    trap("certificate with the same key in its place", "indeterminate SIG_CONSTRAINTS_FAILURE", |forged| {
        forged.signer_id = signer_id(&other);
        forged.certificates = vec![other.der().to_vec()];
    });
    trap(
        "same issuer and serial number, other certificate",
        "indeterminate SIG_CONSTRAINTS_FAILURE",
        |forged| {
            let twin = Issue::holder("Twin TEST", 2, "Root TEST", 1).certificate();
            forged.certificates = vec![twin.der().to_vec()];
        },
    );
    trap(
        "two certificates with the name of the signer",
        "indeterminate NO_SIGNING_CERTIFICATE_FOUND",
        |forged| {
            let twin = Issue::holder("Twin TEST", 2, "Root TEST", 1).certificate();
            forged.certificates.push(twin.der().to_vec());
        },
    );
    trap("no certificates", "indeterminate NO_SIGNING_CERTIFICATE_FOUND", |forged| {
        forged.certificates.clear()
    });
    trap("a certificate that cannot be read beside the right one", "passed", |forged| {
        forged.certificates.push(vec![0x30, 0]);
    });
    trap("attributes unsorted, signed as stored", "passed", |forged| forged.sorted = Some(false));
    trap("attributes unsorted, signed in order", "passed", |forged| forged.sorted = None);
    trap("value by another key", "failed SIG_CRYPTO_FAILURE", |forged| forged.key = 3);
    trap("value of nothing", "failed SIG_CRYPTO_FAILURE", |forged| forged.value = Some(vec![]));
}

#[test]
fn attributes_presented_as_content_do_not_verify() {
    // The signature value of an honest file is over the SET; without attributes that SET is the content.
    let honest = Forged::new();
    let set = encode_set_of(tag::SET, honest.attributes.clone().unwrap());
    let mut forged = Forged::new();
    forged.value = Some(honest.value_over(&set));
    forged.attributes = None;
    let report = validate_cms(&forged.der(), Content::Bytes(&set), &Forged::context()).unwrap();
    assert_eq!(verdict(&report.signatures[0]), "failed FORMAT_FAILURE");
}

#[test]
fn a_signature_in_a_pdf_has_one_signer_and_no_content() {
    let pades = |file: &[u8]| {
        let signed = SignedData::parse(file).unwrap();
        let subject = Subject {
            signed: &signed,
            signer: &signed.signers()[0],
            content: ABC,
            role: Role::Pades,
            file: None,
        };
        let report = signature_report(subject, &Setting::new(&context()));
        assert_eq!(report.format, SignatureFormat::Pades);
        verdict(&report)
    };
    assert_eq!(pades(fixture!("ana-cades.p7s")), "passed");
    assert_eq!(pades(fixture!("ana-and-bruno.p7s")), "failed FORMAT_FAILURE");
    assert_eq!(pades(fixture!("ana-attached-ber.p7m")), "failed FORMAT_FAILURE");
}

#[test]
fn certificates_that_are_not_for_signing_are_noticed() {
    let report = Forged::with_usage(0x20).report(&Forged::context());
    assert_eq!(verdict(&report), "indeterminate SIG_CONSTRAINTS_FAILURE");
}

#[test]
fn a_claimed_time_is_a_warning_at_most() {
    for (claimed, warned) in
        [("2026-11-23T12:00:00Z", false), ("2026-11-23T12:00:01Z", true), ("2024-01-01T00:00:00Z", true)]
    {
        let claimed = claimed.parse().unwrap();
        let plan = plan(
            &Digest::sha256(b"abc"),
            &testing::ana(),
            &[],
            PlanOptions { signing_time: Some(claimed), policy: None },
        )
        .unwrap();
        let cms = plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap();
        let report = validate_cms(&cms, ABC, &context()).unwrap();
        assert_eq!(verdict(&report.signatures[0]), "passed");
        assert_eq!(report.signatures[0].has_passed(Check::SigningTime), !warned);
    }
}

#[test]
fn no_flipped_bit_of_attributes_or_value_passes() {
    // The signer itself is trusted and alone in the file, which saves the time of the path.
    let context = Context { anchors: TrustAnchors::new(vec![testing::ana()]), ..context() };
    let plan = plan(
        &Digest::sha256(b"abc"),
        &testing::ana(),
        &[],
        PlanOptions { signing_time: Some(now()), policy: None },
    )
    .unwrap();
    let cms = plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap();
    let verdict_of = |cms: &[u8]| validate_cms(cms, ABC, &context).ok().map(|report| report.overall());
    assert_eq!(verdict_of(&cms), Some(Indication::Passed));
    let attributes = &plan.signed_attributes()[1..];
    let start = cms.windows(attributes.len()).position(|window| window == attributes).unwrap();
    // Attributes without their tag, then algorithm and value: everything to the end of the file.
    for position in start..cms.len() {
        for bit in 0..8 {
            let mut damaged = cms.clone();
            damaged[position] ^= 1 << bit;
            assert_ne!(verdict_of(&damaged), Some(Indication::Passed), "byte {position}, bit {bit}");
        }
    }
}

proptest! {
    #[test]
    fn no_flipped_bit_of_the_digest_passes(at in 0_usize..32, bit in 0_u8..8) {
        let mut bytes = Digest::sha256(b"abc").as_bytes().to_vec();
        bytes[at] ^= 1 << bit;
        let digest = Digest::from_bytes(DigestAlgorithm::Sha256, &bytes).unwrap();
        let report = validate_cms(fixture!("ana-cades.p7s"), Content::Digest(&digest), &context()).unwrap();
        prop_assert_eq!(verdict(&report.signatures[0]), "failed HASH_FAILURE");
    }

    #[test]
    fn a_flipped_bit_anywhere_changes_no_statement(at in 0_usize..1_000_000, bit in 0_u8..8) {
        let mut damaged = fixture!("ana-cades.p7s").to_vec();
        let at = at % damaged.len();
        damaged[at] ^= 1 << bit;
        if let Ok(report) = validate_cms(&damaged, ABC, &context()) {
            for signature in report.signatures {
                // What nobody signed may change: the other certificates, version numbers.
                let passed = signature.indication == Indication::Passed;
                prop_assert!(!passed || signature.signer == Some(testing::ana().view()));
            }
        }
    }

    #[test]
    fn no_other_content_passes(content in proptest::collection::vec(any::<u8>(), 0..20)) {
        prop_assume!(content != b"abc");
        assert_never_passed(fixture!("bruno-cades.p7s"), Content::Bytes(&content));
    }
}

fn assert_never_passed(cms: &[u8], content: Content<'_>) {
    if let Ok(report) = validate_cms(cms, content, &context()) {
        assert_ne!(report.overall(), Indication::Passed, "{report}");
    }
}

fn trap(name: &str, expected: &str, set: impl FnOnce(&mut Forged)) {
    let mut forged = Forged::new();
    set(&mut forged);
    let report = forged.report(&Forged::context());
    assert_eq!(verdict(&report), expected, "{name}: {report:#?}");
}

fn cades(certificate: &Certificate) -> CmsPlan {
    plan(
        &Digest::sha256(b"abc"),
        certificate,
        &[testing::ca2(), testing::ca1()],
        PlanOptions { signing_time: Some(now()), policy: None },
    )
    .unwrap()
}

fn verdict(report: &SignatureReport) -> String {
    let indication = serde_json::to_value(report.indication).unwrap();
    let reason = report.sub_indication.map_or(String::new(), |reason| format!(" {}", reason.as_str()));
    format!("{}{reason}", indication.as_str().unwrap())
}
