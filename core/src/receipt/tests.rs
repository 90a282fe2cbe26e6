mod note;

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;

use super::*;
use crate::digest::to_hex;
use crate::merkle::{Frontier, inclusion_proof};
use crate::validation::{Indication, Language, Outcome};
use crate::wire::{Custody, SignatureFormat, SignatureLevel, SignaturePolicy};

const ORIGIN: &str = "log.test/rubrica";
const ARTEFACT: ArtefactSeen = ArtefactSeen { sha256: [0xcd; 32], size_bytes: 1234 };
const DOCUMENT: [u8; 32] = [0xab; 32];

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn log_key() -> LogKey {
    LogKey::new(ORIGIN, signing_key().verifying_key().to_bytes()).unwrap()
}

fn record() -> ReleaseRecord {
    ReleaseRecord {
        version: ReleaseRecord::VERSION,
        event_id: "evt_1".into(),
        tenant: "banco-test".into(),
        signature_id: "sig_1".into(),
        order_id: Some("ord_1".into()),
        participant_id: None,
        batch_id: None,
        document_sha256: to_hex(&DOCUMENT),
        artefact_sha256: to_hex(&ARTEFACT.sha256),
        artefact_size_bytes: ARTEFACT.size_bytes,
        format: SignatureFormat::Pades,
        level: SignatureLevel::B,
        policy: SignaturePolicy::AdRb,
        custody: Custody::Hsm,
        key_id: Some("key_1".into()),
        certificate_sha256: "ef".repeat(32),
        signer: Some("9f".repeat(32)),
        signed_at: "2026-11-23T12:00:00Z".parse().unwrap(),
        released_at: "2026-11-23T12:00:01.500Z".parse().unwrap(),
    }
}

fn checkpoint(size: u64, root: TreeHash) -> String {
    let text = Checkpoint { origin: ORIGIN.into(), size, root }.text();
    log_key().note(&text, &signing_key().sign(text.as_bytes()).to_bytes())
}

/// A receipt of a record among others in a log.
fn receipt_of(record: String) -> Receipt {
    let mut frontier = Frontier::new();
    let mut nodes = std::collections::BTreeMap::new();
    for leaf in ["first", "second", "third", &record, "fifth", "sixth", "seventh"] {
        frontier.append(ReleaseRecord::leaf_hash(leaf), |node, hash| {
            nodes.insert(node, hash);
        });
    }
    Receipt {
        version: Receipt::VERSION,
        record,
        leaf_index: 3,
        inclusion_proof: inclusion_proof(3, 7, |node| nodes.get(&node).copied()).unwrap(),
        checkpoint: checkpoint(7, frontier.root()),
    }
}

fn receipt() -> Receipt {
    receipt_of(record().to_json())
}

fn verify(receipt: &Receipt) -> ReceiptReport {
    verify_receipt(receipt, Some(&log_key()), Some(&ARTEFACT), Some(&DOCUMENT))
}

fn found(report: &ReceiptReport, check: ReceiptCheck) -> (Outcome, Option<ReceiptReason>) {
    let finding = report.findings.iter().find(|finding| finding.check == check).unwrap();
    (finding.outcome, finding.reason)
}

#[test]
fn a_receipt_proves_a_release() {
    let report = verify(&receipt());
    assert_eq!(report.indication, Indication::Passed);
    assert_eq!(report.code, None);
    assert!(report.findings.iter().all(|finding| finding.outcome == Outcome::Passed));
    assert_eq!(report.record, Some(record()));
    assert_eq!(report.checkpoint.unwrap().size, 7);
}

#[test]
fn what_is_not_given_is_not_compared() {
    let report = verify_receipt(&receipt(), Some(&log_key()), None, None);
    assert_eq!(report.indication, Indication::Passed);
    for check in [ReceiptCheck::Artefact, ReceiptCheck::Document] {
        assert_eq!(found(&report, check), (Outcome::NotChecked, None));
    }
}

#[test]
fn without_the_key_of_the_log_nothing_is_decided() {
    let report = verify_receipt(&receipt(), None, Some(&ARTEFACT), Some(&DOCUMENT));
    assert_eq!(report.indication, Indication::Indeterminate);
    assert_eq!(found(&report, ReceiptCheck::Checkpoint), (Outcome::NotChecked, None));
    assert_eq!(found(&report, ReceiptCheck::Inclusion), (Outcome::Passed, None));
    // But what is wrong is wrong.
    let other = ArtefactSeen { size_bytes: 1, ..ARTEFACT };
    assert_eq!(verify_receipt(&receipt(), None, Some(&other), None).indication, Indication::Failed);
    let broken = Receipt { checkpoint: "log\n".into(), ..receipt() };
    assert_eq!(verify_receipt(&broken, None, None, None).indication, Indication::Failed);
}

#[test]
fn a_receipt_that_was_touched_says_where() {
    use ReceiptCheck::{Checkpoint, Inclusion, Record};
    type Touch = fn(&mut Receipt);
    let cases: [(Touch, ReceiptCheck, ReceiptReason); 9] = [
        (|it| it.version = 2, Record, ReceiptReason::UnknownVersion),
        (
            |it| it.record = it.record.replace("\"version\":1", "\"version\":2"),
            Record,
            ReceiptReason::UnknownVersion,
        ),
        (|it| it.record.truncate(20), Record, ReceiptReason::Malformed),
        (|it| it.record = it.record.replace("sig_1", "sig_2"), Inclusion, ReceiptReason::ProofInvalid),
        // Another text of the same content is another leaf.
        (|it| it.record = it.record.replace(",", ", "), Inclusion, ReceiptReason::ProofInvalid),
        (|it| it.leaf_index = 2, Inclusion, ReceiptReason::ProofInvalid),
        (|it| it.inclusion_proof.truncate(2), Inclusion, ReceiptReason::ProofInvalid),
        (
            |it| it.checkpoint = it.checkpoint.replace("\n7\n", "\n8\n"),
            Checkpoint,
            ReceiptReason::SignatureInvalid,
        ),
        (|it| it.checkpoint = it.checkpoint.replace("\n\n", "\n"), Checkpoint, ReceiptReason::Malformed),
    ];
    for (touch, check, reason) in cases {
        let mut receipt = receipt();
        touch(&mut receipt);
        let report = verify(&receipt);
        assert_eq!(report.indication, Indication::Failed, "{receipt:?}");
        assert_eq!(report.code, Some(crate::ErrorCode::ReceiptInvalid));
        assert_eq!(found(&report, check), (Outcome::Failed, Some(reason)), "{receipt:?}");
    }
}

#[test]
fn every_byte_of_a_receipt_counts() {
    let whole = receipt();
    for at in 0..whole.record.len() {
        let mut bytes = whole.record.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(record) = String::from_utf8(bytes) else { continue };
        assert_eq!(
            verify(&Receipt { record, ..whole.clone() }).indication,
            Indication::Failed,
            "record, {at}"
        );
    }
    for at in 0..whole.checkpoint.len() {
        let mut bytes = whole.checkpoint.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(checkpoint) = String::from_utf8(bytes) else { continue };
        let touched = Receipt { checkpoint, ..whole.clone() };
        assert_eq!(
            verify(&touched).indication,
            Indication::Failed,
            "checkpoint, {at}: {}",
            touched.checkpoint
        );
    }
}

#[test]
fn another_log_and_another_key_prove_nothing() {
    let key = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
    for other in [LogKey::new(ORIGIN, key), LogKey::new("log.test/other", log_key_bytes())] {
        let report = verify_receipt(&receipt(), Some(&other.unwrap()), None, None);
        assert_eq!(report.indication, Indication::Failed);
        let expected = (Outcome::Failed, Some(ReceiptReason::OtherKey));
        assert_eq!(found(&report, ReceiptCheck::Checkpoint), expected);
    }
    // A key signs for its own log only, whatever the first line says.
    let text = format!("log.test/other\n1\n{}\n", TreeHash::empty().to_base64());
    let note = log_key().note(&text, &signing_key().sign(text.as_bytes()).to_bytes());
    assert_eq!(Checkpoint::open(&note, &log_key()), Err(NoteError::OtherKey));
}

fn log_key_bytes() -> [u8; 32] {
    signing_key().verifying_key().to_bytes()
}

#[test]
fn another_artefact_and_another_document_are_told() {
    let differs = |artefact: ArtefactSeen, document| {
        let report = verify_receipt(&receipt(), Some(&log_key()), Some(&artefact), Some(document));
        assert_eq!(report.indication, Indication::Failed);
        (found(&report, ReceiptCheck::Artefact).1, found(&report, ReceiptCheck::Document).1)
    };
    let longer = ArtefactSeen { size_bytes: 1235, ..ARTEFACT };
    assert_eq!(differs(longer, &DOCUMENT), (Some(ReceiptReason::SizeDiffers), None));
    let other = ArtefactSeen { sha256: [1; 32], ..ARTEFACT };
    assert_eq!(differs(other, &DOCUMENT), (Some(ReceiptReason::DigestDiffers), None));
    assert_eq!(differs(ARTEFACT, &[1; 32]), (None, Some(ReceiptReason::DigestDiffers)));
}

#[test]
fn the_forms_are_stable() {
    let json = record().to_json();
    let expected = concat!(
        r#"{"version":1,"event_id":"evt_1","tenant":"banco-test","signature_id":"sig_1","order_id":"ord_1","#,
        r#""document_sha256":"abababababababababababababababababababababababababababababababab","#,
        r#""artefact_sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","#,
        r#""artefact_size_bytes":1234,"format":"pades","level":"b","policy":"ad_rb","custody":"hsm","key_id":"key_1","#,
        r#""certificate_sha256":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","#,
        r#""signer":"9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f","#,
        r#""signed_at":"2026-11-23T12:00:00Z","released_at":"2026-11-23T12:00:01.500Z"}"#
    );
    assert_eq!(json, expected);
    assert_eq!(ReleaseRecord::parse(&json), Ok(record()));

    let whole = serde_json::to_value(receipt()).unwrap();
    assert_eq!(whole["record"], json!(expected));
    assert_eq!(whole["inclusion_proof"].as_array().unwrap().len(), 3);
    assert_eq!(serde_json::from_value::<Receipt>(whole).unwrap(), receipt());

    let report =
        serde_json::to_value(verify_receipt(&receipt(), Some(&log_key()), None, Some(&[1; 32]))).unwrap();
    assert_eq!(report["indication"], "failed");
    assert_eq!(report["code"], "receipt_invalid");
    assert_eq!(report["findings"][3], json!({ "check": "artefact", "outcome": "not_checked" }));
    assert_eq!(
        report["findings"][4],
        json!({ "check": "document", "outcome": "failed", "reason": "digest_differs" })
    );
}

#[test]
fn a_record_of_this_version_may_have_members_that_are_not_known_yet() {
    let json = record().to_json().replacen('{', "{\"surprise\":[1],", 1);
    assert_eq!(ReleaseRecord::parse(&json), Ok(record()));
    assert_eq!(verify(&receipt_of(json)).indication, Indication::Passed);
    assert_eq!(ReleaseRecord::parse("{\"version\":1}"), Err(RecordError::Malformed));
    assert_eq!(ReleaseRecord::parse("{\"version\":7}"), Err(RecordError::UnknownVersion));
    assert_eq!(ReleaseRecord::parse("[]"), Err(RecordError::Malformed));
}

#[test]
fn every_sentence_exists_in_both_languages_and_promises_nothing() {
    let mut pairs = Vec::new();
    for check in ReceiptCheck::ALL {
        for outcome in [Outcome::Passed, Outcome::Failed, Outcome::NotChecked] {
            let finding = ReceiptFinding { check, outcome, reason: None };
            pairs.push(Language::ALL.map(|language| finding.sentence(language)));
        }
    }
    pairs.extend(ReceiptReason::ALL.map(|reason| Language::ALL.map(|language| reason.sentence(language))));
    for [portuguese, english] in pairs {
        assert_ne!(portuguese, english);
        for text in [portuguese, english] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
            assert!(
                !["garantid", "segur", "guarantee", "secure"].iter().any(|word| text.contains(word)),
                "{text}"
            );
        }
    }
}

#[test]
fn the_text_says_what_was_recorded_and_what_was_checked() {
    let text =
        verify_receipt(&receipt(), Some(&log_key()), Some(&ARTEFACT), Some(&[1; 32])).to_text(Language::PtBr);
    for line in [
        "Recibo: inválido",
        "  assinatura     sig_1",
        "  liberada em    2026-11-23T12:00:01.500Z",
        "  livro          log.test/rubrica, 7 registros",
        "  ok             o registro consta do livro",
        "  FALHOU         o documento informado não é o que foi assinado",
        "                 o resumo SHA-256 é outro",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(verify(&receipt()).to_text(Language::En).starts_with("Receipt: valid\n"));
    let unknown = verify_receipt(&receipt(), None, None, None).to_text(Language::En);
    assert!(
        unknown.starts_with("Receipt: not conclusive\n")
            && unknown.contains("give the public key of the log")
    );
}
