use super::*;

fn line(json: &str) -> BatchLine {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_line_signs_a_digest_or_a_document() {
    let sha256 = "ab".repeat(32);
    let digest = line(&format!(r#"{{"reference":"1","sha256":"{sha256}","name":"contrato.txt"}}"#));
    assert_eq!(digest.content(SignatureFormat::Cades), Ok(BatchContent::Digest([0xab; 32])));
    let document = line(r#"{"reference":"2","document_id":"doc_1"}"#);
    for format in [SignatureFormat::Cades, SignatureFormat::Pades] {
        assert_eq!(document.content(format), Ok(BatchContent::Document("doc_1".to_owned())));
    }
}

#[test]
fn a_line_that_cannot_be_used_names_the_member() {
    let sha256 = "ab".repeat(32);
    let upper = "AB".repeat(32);
    let long = "x".repeat(129);
    let name = "x".repeat(256);
    let cades = [
        (r#"{"reference":"","document_id":"d"}"#.to_owned(), BatchLineError::Reference),
        (format!(r#"{{"reference":"{long}","document_id":"d"}}"#), BatchLineError::Reference),
        (r#"{"reference":"1"}"#.to_owned(), BatchLineError::Content),
        (format!(r#"{{"reference":"1","document_id":"d","sha256":"{sha256}"}}"#), BatchLineError::Content),
        (format!(r#"{{"reference":"1","sha256":"{upper}"}}"#), BatchLineError::Sha256),
        (r#"{"reference":"1","sha256":"ab"}"#.to_owned(), BatchLineError::Sha256),
        (r#"{"reference":"1","sha256":"é"}"#.to_owned(), BatchLineError::Sha256),
        (r#"{"reference":"1","document_id":"d","name":"a/b"}"#.to_owned(), BatchLineError::Name),
        (r#"{"reference":"1","document_id":"d","name":"a\nb"}"#.to_owned(), BatchLineError::Name),
        (format!(r#"{{"reference":"1","document_id":"d","name":"{name}"}}"#), BatchLineError::Name),
    ];
    for (json, expected) in cades {
        assert_eq!(line(&json).content(SignatureFormat::Cades), Err(expected), "{json}");
    }
    let digest = line(&format!(r#"{{"reference":"1","sha256":"{sha256}"}}"#));
    assert_eq!(digest.content(SignatureFormat::Pades), Err(BatchLineError::DigestOfPdf));
}

#[test]
fn unknown_members_of_a_line_and_of_the_header_are_refused() {
    assert!(serde_json::from_str::<BatchLine>(r#"{"reference":"1","sha_256":""}"#).is_err());
    let header = r#"{"key_id":"key_1","format":"cades"}"#;
    let read = serde_json::from_str::<BatchHeader>(header).unwrap();
    assert_eq!((read.level, read.policy), (None, SignaturePolicy::None));
    assert!(serde_json::from_str::<BatchLine>(header).is_err());
    assert!(serde_json::from_str::<BatchHeader>(r#"{"reference":"1","document_id":"d"}"#).is_err());
}

#[test]
fn counts_add_up_to_the_total_and_decide_the_end() {
    let mut counts = BatchCounts::default();
    for state in SignatureState::ALL {
        counts.add(state, 2);
    }
    // `expired` is no state of an item.
    assert_eq!(counts.total(), 12);
    assert_eq!(counts.outcome(), None);
    let released = BatchCounts { released: 3, ..BatchCounts::default() };
    assert_eq!(released.outcome(), Some(BatchState::Completed));
    let failed = BatchCounts { failed: 1, ..released };
    assert_eq!(failed.outcome(), Some(BatchState::CompletedWithErrors));
}

#[test]
fn a_batch_that_ended_does_not_move() {
    for from in BatchState::ALL {
        let leads_on = BatchState::ALL.iter().any(|&to| from.may_become(to));
        assert_eq!(leads_on, !from.is_final(), "{}", from.as_str());
        assert!(!from.may_become(from));
    }
}
