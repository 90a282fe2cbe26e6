use super::*;
use crate::validation::{Check, SubIndication};

#[test]
fn the_verdict_is_one_of_three_words() {
    let words = |language| Indication::ALL.map(|indication| indication.word(language));
    assert_eq!(words(Language::PtBr), ["válida", "inconclusiva", "inválida"]);
    assert_eq!(words(Language::En), ["valid", "not conclusive", "invalid"]);
}

#[test]
fn every_text_exists_in_both_languages_and_promises_nothing() {
    let mut texts = Vec::new();
    for language in Language::ALL {
        texts.extend(SubIndication::ALL.iter().map(|reason| reason.sentence(language)));
        texts.extend(SignatureNature::ALL.iter().map(|nature| nature.sentence(language)));
        texts.extend(TimeStampKind::ALL.iter().map(|kind| kind.title(language)));
        for check in Check::ALL {
            texts.push(check.title(language));
            for outcome in Outcome::ALL {
                let finding =
                    Finding { check: *check, outcome, sub_indication: None, evidence: String::new() };
                texts.push(finding.sentence(language));
            }
        }
    }
    for text in texts {
        assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
        for promise in ["validade jurídica", "garantid", "segur", "legally", "guarantee", "secure"] {
            assert!(!text.contains(promise), "{text}");
        }
    }
}

#[test]
fn portuguese_and_english_are_not_the_same_text() {
    for reason in SubIndication::ALL {
        assert_ne!(reason.sentence(Language::PtBr), reason.sentence(Language::En));
    }
    for check in Check::ALL {
        assert_ne!(check.title(Language::PtBr), check.title(Language::En));
    }
}

#[test]
fn qualified_is_said_of_icp_brasil_only() {
    for nature in SignatureNature::ALL {
        for (language, word) in [(Language::PtBr, "qualificada"), (Language::En, "qualified")] {
            assert_eq!(nature.sentence(language).contains(word), nature == SignatureNature::IcpBrasil);
        }
    }
    let seal = SignatureNature::IcpBrasilSeal.sentence(Language::PtBr);
    assert!(seal.starts_with("selo eletrônico") && !seal.contains("assinatura"), "{seal}");
}

#[test]
fn the_members_of_the_json_are_stable() {
    use crate::validation::report::Record;
    let mut signature = SignatureReport::new(SignatureFormat::Cades);
    signature.findings.failed(Check::MessageDigest, SubIndication::HashFailure, "seen");
    signature.time_stamps.push(TimeStampReport::new(TimeStampKind::ArchiveV3));
    signature.conclude();
    let report = Report::new("2026-11-23T12:00:00Z".parse().unwrap(), vec![signature]);
    let time_stamp = serde_json::json!({
        "kind": "archive_v3", "time": null, "indication": "indeterminate", "sub_indication": "GENERIC",
        "authority": null, "path": [], "policy": null, "accredited": false, "covers_whole_file": null,
        "findings": [],
    });
    let signature = serde_json::json!({
        "field": null, "format": "cades", "indication": "failed", "sub_indication": "HASH_FAILURE",
        "integrity": "altered", "signer": null, "path": [], "nature": "electronic",
        "signature_algorithm": null, "claimed_time": null, "proven_time": null, "level": null,
        "icp_brasil_profile": null, "policy": null, "covers_whole_file": null,
        "findings": [{
            "check": "message_digest", "outcome": "failed", "sub_indication": "HASH_FAILURE",
            "evidence": "seen",
        }],
        "time_stamps": [time_stamp], "counter_signatures": [],
    });
    let expected = serde_json::json!({
        "version": 2, "at": "2026-11-23T12:00:00Z", "indication": "failed", "signatures": [signature],
        "time_stamps": [],
    });
    assert_eq!(serde_json::to_value(&report).unwrap(), expected);
}
