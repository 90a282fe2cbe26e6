use super::*;
use crate::digest::Digest;
use crate::revocation::{Reason, SourceKind};

fn time(text: &str) -> Timestamp {
    format!("2026-{text}T00:00:00Z").parse().unwrap()
}

fn source(of: &str) -> Source {
    Source {
        kind: SourceKind::Crl,
        sha256: Digest::sha256(of.as_bytes()),
        this_update: time(of),
        next_update: None,
    }
}

fn revoked(at: &str) -> Status {
    Status::Revoked { at: time(at), reason: Reason::Superseded, source: source("06-01") }
}

fn good() -> Status {
    Status::Good(source("06-01"))
}

/// What comes of answers, the first for now and the others for earlier moments.
fn check(proof: Option<&str>, answers: &[Status], expected: &str) {
    let moments: Vec<_> = (0..answers.len()).map(|day| time(&format!("09-{:02}", 28 - day))).collect();
    let found = standing(proof.map(time), proof.map(time), &moments, |at, not_before| {
        assert_eq!(not_before, proof.map(time));
        let index = moments.iter().position(|moment| *moment == at).unwrap();
        answers[index].clone()
    });
    let name = match found {
        Standing::Good(_) => "good",
        Standing::RevokedLater(..) => "revoked later",
        Standing::Revoked(..) => "revoked",
        Standing::Unknown(_) => "unknown",
    };
    assert_eq!(name, expected, "{proof:?} {answers:?}");
}

#[test]
fn without_a_proof_every_revocation_counts() {
    check(None, &[good()], "good");
    check(None, &[revoked("01-01")], "revoked");
    check(None, &[unknown()], "unknown");
}

#[test]
fn with_a_proof_only_earlier_revocations_count() {
    check(Some("05-01"), &[revoked("04-30")], "revoked");
    check(Some("05-01"), &[revoked("05-01")], "revoked");
    check(Some("05-01"), &[revoked("05-02")], "revoked later");
}

#[test]
fn old_evidence_answers_when_current_evidence_is_silent() {
    check(Some("05-01"), &[unknown(), good()], "good");
    check(Some("05-01"), &[unknown(), unknown(), revoked("05-02")], "revoked later");
    check(Some("05-01"), &[unknown(), unknown()], "unknown");
}

#[test]
fn one_revocation_outweighs_every_good_answer() {
    check(Some("05-01"), &[good(), good(), revoked("04-01")], "revoked");
    check(Some("05-01"), &[good(), revoked("06-01"), revoked("04-01")], "revoked");
}

fn unknown() -> Status {
    Status::Unknown(Why::NothingAtHand)
}
