use ed25519_dalek::Signer as _;
use proptest::prelude::*;

use super::{ORIGIN, checkpoint, log_key, signing_key};
use crate::merkle::TreeHash;
use crate::receipt::{Checkpoint, InvalidLogKey, LogKey, NoteError, ReleaseRecord};

/// Key and note of the documentation of golang.org/x/mod/sumdb/note.
const FOREIGN_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const FOREIGN_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const FOREIGN_SIGNATURE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn a_foreign_note_verifies() {
    let key: LogKey = FOREIGN_KEY.parse().unwrap();
    assert_eq!((key.name(), key.id()), ("PeterNeumann", [0xc7, 0x4f, 0x20, 0xa3]));
    let note = format!("{FOREIGN_TEXT}\n{FOREIGN_SIGNATURE}");
    assert_eq!(key.open(&note), Ok(FOREIGN_TEXT));
    let touched = note.replace("answer", "Answer");
    assert_eq!(key.open(&touched), Err(NoteError::SignatureInvalid));
}

#[test]
fn a_key_reads_back_from_its_text() {
    // The key of the Go checksum database.
    let foreign = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    for text in [FOREIGN_KEY, foreign, &log_key().to_string()] {
        assert_eq!(text.parse::<LogKey>().unwrap().to_string(), text);
    }
    let ours = log_key().to_string();
    for text in [
        "",
        "a+b",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        // Type 2.
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        &ours[..ours.len() - 4],
        &ours.replace(ORIGIN, "log test"),
        &format!("{ours}\n"),
    ] {
        assert_eq!(text.parse::<LogKey>(), Err(InvalidLogKey), "{text}");
    }
    // A point of small order would verify anything.
    assert_eq!(LogKey::new("log", [0; 32]), Err(InvalidLogKey));
    assert_eq!(LogKey::new("", signing_key().verifying_key().to_bytes()), Err(InvalidLogKey));
}

#[test]
fn signatures_of_others_are_ignored_and_ours_must_all_verify() {
    let note = checkpoint(0, TreeHash::empty());
    let with_witness = format!("{note}{FOREIGN_SIGNATURE}");
    assert!(log_key().open(&with_witness).is_ok());
    let wrong = log_key().note("x\n", &signing_key().sign(b"y\n").to_bytes());
    let wrong = wrong.strip_prefix("x\n\n").unwrap();
    assert_eq!(log_key().open(&format!("{note}{wrong}")), Err(NoteError::SignatureInvalid));
    let (text, _) = note.split_once("\n\n").unwrap();
    let only_witness = format!("{text}\n\n{FOREIGN_SIGNATURE}");
    assert_eq!(log_key().open(&only_witness), Err(NoteError::OtherKey));
}

#[test]
fn what_is_not_a_note_is_refused() {
    let note = checkpoint(0, TreeHash::empty());
    let long = format!("{}\n{FOREIGN_SIGNATURE}", "x\n".repeat(40_000));
    for malformed in [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n\n\n",
        &note[..note.len() - 1],
        &note.replace("— ", "- "),
        &note.replace("log.test", "log\ttest"),
        &note.replace('\n', "\r\n"),
        &note.replace(&format!("— {ORIGIN} "), &format!("— {ORIGIN}+ ")),
        &note.replace("=\n\n— ", "=\n\n—  "),
        &format!("{note}— {ORIGIN} AAAA\n"),
        &format!("{note}\n"),
        &long,
    ] {
        assert_eq!(log_key().open(malformed), Err(NoteError::Malformed), "{malformed:?}");
    }
}

#[test]
fn a_checkpoint_has_three_lines() {
    let root = TreeHash::of_leaf(b"x");
    let sign = |text: &str| log_key().note(text, &signing_key().sign(text.as_bytes()).to_bytes());
    let read = Checkpoint::open(&checkpoint(12, root), &log_key()).unwrap();
    assert_eq!(read, Checkpoint { origin: ORIGIN.into(), size: 12, root });
    assert_eq!(read.text(), format!("{ORIGIN}\n12\n{}\n", root.to_base64()));
    let base64 = root.to_base64();
    assert!(Checkpoint::open(&sign(&format!("{ORIGIN}\n12\n{base64}\nextension\n")), &log_key()).is_ok());
    for text in [
        format!("{ORIGIN}\n12\n"),
        format!("{ORIGIN}\n012\n{base64}\n"),
        format!("{ORIGIN}\n+12\n{base64}\n"),
        format!("{ORIGIN}\n\n{base64}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{base64}\n"),
        format!("{ORIGIN}\n12\n{}\n", &base64[..40]),
        format!("{ORIGIN}\n12\n{base64}\n\nextension\n"),
        format!("\n12\n{base64}\n"),
    ] {
        assert_eq!(Checkpoint::open(&sign(&text), &log_key()), Err(NoteError::Malformed), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_read_panics(text in "(?s).{0,80}", at in any::<prop::sample::Index>()) {
        let mut note = checkpoint(3, TreeHash::of_leaf(b"x"));
        let places: Vec<_> = note.char_indices().map(|(place, _)| place).collect();
        note.insert_str(places[at.index(places.len())], &text);
        let opened = Checkpoint::open(&note, &log_key());
        prop_assert!(text.is_empty() || opened.is_err());
        for text in [&text, &note] {
            prop_assert!(text.parse::<LogKey>().is_err());
            prop_assert!(ReleaseRecord::parse(text).is_err());
            let _ = Checkpoint::read_unverified(text);
        }
    }
}
