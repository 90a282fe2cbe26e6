use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ports::{KeyWork, MOST_DIGESTS};
use crate::secret::SecretBytes;

fn key() -> impl Strategy<Value = KeyReference> {
    (vec(any::<u8>(), 0..60), any::<bool>()).prop_map(|(id, rsa)| KeyReference {
        id,
        algorithm: if rsa { KeyAlgorithm::Rsa } else { KeyAlgorithm::Ec },
    })
}

fn error() -> impl Strategy<Value = SigningKeyError> {
    prop_oneof![
        Just(SigningKeyError::KeyMissing),
        ".{0,80}".prop_map(SigningKeyError::KeyUnusable),
        ".{0,80}".prop_map(SigningKeyError::Unavailable),
        ".{0,80}".prop_map(SigningKeyError::AgentFailed),
        Just(SigningKeyError::PinRejected),
        Just(SigningKeyError::PinLocked),
        Just(SigningKeyError::PinFinalTry),
    ]
}

fn value() -> impl Strategy<Value = Result<Vec<u8>, SigningKeyError>> {
    prop_oneof![vec(any::<u8>(), 0..600).prop_map(Ok), error().prop_map(Err)]
}

/// Whatever is said about a frame, walking through it ends and does not panic.
fn read_everything(frame: &[u8]) {
    let _ = ToAgent::decode(frame);
    if let Ok(ToServer::Answers(mut answers)) = ToServer::decode(frame) {
        let mut count = 0;
        while let Ok(Some(_)) = answers.next() {
            count += 1;
            assert!(count <= frame.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn garbage_is_refused_without_harm(bytes in vec(any::<u8>(), 0..2000)) {
        let _ = first_frame(&bytes);
        read_everything(&bytes);
    }

    #[test]
    fn garbage_behind_a_known_kind_is_refused_without_harm(kind in 0_u8..24, bytes in vec(any::<u8>(), 0..300)) {
        read_everything(&[&[kind], bytes.as_slice()].concat());
    }

    #[test]
    fn digests_come_through_and_a_damaged_frame_does_no_harm(
        keys in vec(key(), 1..5),
        digests in vec((any::<u32>(), any::<prop::sample::Index>(), any::<[u8; 32]>()), 5..40),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let borrowed: Vec<&KeyReference> = keys.iter().collect();
        let digests: Vec<_> =
            digests.iter().map(|(id, key, sha256)| (*id, key.index(keys.len()), *sha256)).collect();
        let mut out = vec![9; 3];
        put_sign(&mut out, &borrowed, digests.iter().map(|(id, key, sha)| (*id, u16::try_from(*key).unwrap(), sha)));
        let (frame, length) = first_frame(&out[3..]).unwrap().unwrap();
        prop_assert_eq!(length, out.len() - 3);
        let ToAgent::Sign(items) = ToAgent::decode(frame).unwrap() else { panic!("digests were sent") };
        let expected: Vec<_> = digests
            .iter()
            .map(|(id, key, sha256)| SignItem { id: *id, key: Arc::new(keys[*key].clone()), sha256: *sha256 })
            .collect();
        prop_assert_eq!(items, expected);

        let mut damaged = frame.to_vec();
        *place.get_mut(&mut damaged) = byte;
        read_everything(&damaged);
        read_everything(&frame[..place.index(frame.len())]);
    }

    #[test]
    fn answers_come_through_and_a_damaged_frame_does_no_harm(
        values in vec((any::<u32>(), value()), 0..30),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let vitals = Vitals { sessions: 3, epoch: 70_000, retries: 5 };
        let mut out = Vec::new();
        let mut frame = AnswerFrame::begin(&mut out, vitals);
        for (id, value) in &values {
            frame.push(*id, value.as_deref());
        }
        drop(frame);
        let (frame, _) = first_frame(&out).unwrap().unwrap();
        let ToServer::Answers(mut answers) = ToServer::decode(frame).unwrap() else { panic!("answers were sent") };
        prop_assert_eq!(answers.vitals, vitals);
        for (id, value) in &values {
            prop_assert_eq!(answers.next().unwrap(), Some((*id, value.as_deref().map_err(Clone::clone))));
        }
        prop_assert_eq!(answers.next(), Ok(None));

        let mut damaged = frame.to_vec();
        *place.get_mut(&mut damaged) = byte;
        read_everything(&damaged);
        read_everything(&frame[..place.index(frame.len())]);
    }
}

fn settings() -> AgentSettings {
    AgentSettings {
        module: "/usr/lib/módulo.so".into(),
        label: "prod 1".to_owned(),
        serial: String::new(),
        canary_label: "canary".to_owned(),
        sessions: 30,
        log: LogSettings { format: LogFormat::Json, level: LogLevel::Warn },
    }
}

#[test]
fn settings_and_pin_come_through() {
    let mut out = Vec::new();
    put_settings(&mut out, &settings());
    put_pin(&mut out, Some(&Secret::new("12 34é".to_owned())));
    put_pin(&mut out, None);
    put_canary(&mut out, 7, &[3; 32]);
    let mut rest = out.as_slice();
    let mut next = || {
        let (frame, length) = first_frame(rest).unwrap().unwrap();
        rest = &rest[length..];
        ToAgent::decode(frame).unwrap()
    };
    assert!(matches!(next(), ToAgent::Settings(read) if read == settings()));
    assert!(matches!(next(), ToAgent::Pin(Some(pin)) if pin.expose() == "12 34é"));
    assert!(matches!(next(), ToAgent::Pin(None)));
    assert!(matches!(next(), ToAgent::Canary { id: 7, sha256: [3, ..] }));
    assert!(first_frame(rest).unwrap().is_none());
}

#[test]
fn what_an_agent_tells_comes_through() {
    let flags = PinFlags { count_low: true, final_try: false, locked: true };
    let ready = |canary| Ready { keys: 12, canary };
    let key = CanaryKey { algorithm: KeyAlgorithm::Ec, public_key: vec![4; 65] };
    let mut out = Vec::new();
    put_pin_wanted(&mut out, flags);
    put_pin_tried(&mut out, &Ok(()));
    put_pin_tried(&mut out, &Err(SigningKeyError::PinLocked));
    put_ready(&mut out, &ready(None));
    put_ready(&mut out, &ready(Some(key.clone())));
    put_ending(&mut out, &Ending::Module("no such file".to_owned()));
    put_ending(&mut out, &Ending::Token(SigningKeyError::Unavailable("é".repeat(4000))));
    let mut rest = out.as_slice();
    let mut next = || {
        let (frame, length) = first_frame(rest).unwrap().unwrap();
        rest = &rest[length..];
        ToServer::decode(frame).unwrap()
    };
    assert_eq!(next(), ToServer::PinWanted(flags));
    assert_eq!(next(), ToServer::PinTried(Ok(())));
    assert_eq!(next(), ToServer::PinTried(Err(SigningKeyError::PinLocked)));
    assert_eq!(next(), ToServer::Ready(ready(None)));
    assert_eq!(next(), ToServer::Ready(ready(Some(key))));
    assert_eq!(next(), ToServer::Ending(Ending::Module("no such file".to_owned())));
    let ToServer::Ending(Ending::Token(SigningKeyError::Unavailable(text))) = next() else {
        panic!("the ending was sent")
    };
    assert_eq!(text, "é".repeat(LONGEST_TEXT / 2), "cut at a character");
}

#[test]
fn changes_of_keys_come_through_and_damaged_ones_do_no_harm() {
    let key = KeyReference { id: vec![7; 20], algorithm: KeyAlgorithm::Ec };
    let label = "enr_TEST é".to_owned();
    let all = [
        KeyWork::Generate { key: key.clone(), label: label.clone() },
        KeyWork::Import {
            key: key.clone(),
            label: label.clone(),
            pkcs8: SecretBytes::new(vec![5; LONGEST_PKCS8]),
        },
        KeyWork::StoreCertificate {
            key_id: key.id.clone(),
            label: label.clone(),
            certificate: vec![6; LONGEST_CERTIFICATE],
        },
        KeyWork::Destroy { key_id: key.id.clone() },
    ];
    let parts = |work: &KeyWork| match work {
        KeyWork::Generate { key, label } => {
            (1, key.id.clone(), Some(key.algorithm), label.clone(), Vec::new())
        }
        KeyWork::Import { key, label, pkcs8 } => {
            (2, key.id.clone(), Some(key.algorithm), label.clone(), pkcs8.expose().to_vec())
        }
        KeyWork::StoreCertificate { key_id, label, certificate } => {
            (3, key_id.clone(), None, label.clone(), certificate.clone())
        }
        KeyWork::Destroy { key_id } => (4, key_id.clone(), None, String::new(), Vec::new()),
    };
    for work in all {
        let mut out = Vec::new();
        put_change(&mut out, 70_000, &work);
        let (frame, length) = first_frame(&out).unwrap().unwrap();
        assert_eq!(length, out.len());
        let ToAgent::Change { id, work: read } = ToAgent::decode(frame).unwrap() else { panic!("{work:?}") };
        assert_eq!((id, parts(&read)), (70_000, parts(&work)));
        assert!(!format!("{work:?}").contains("5, 5"), "a private key is not printed");
        for end in 0..frame.len() {
            assert!(ToAgent::decode(&frame[..end]).is_err(), "{work:?} {end}");
        }
    }
    assert_eq!(ToAgent::decode(&[5, 0, 0, 0, 1, 9]).unwrap_err(), ProtocolError("unknown change of a key"));
}

#[test]
fn limits_hold() {
    for header in [[0, 0, 0, 0], [0, 0x10, 0, 1], [255; 4]] {
        assert_eq!(frame_length(header), Err(ProtocolError("a frame of no length we know")));
        assert!(first_frame(&header).is_err());
    }
    assert_eq!(first_frame(&[0, 0, 0, 2, 1]), Ok(None), "not whole yet");
    // 257 keys.
    assert_eq!(ToAgent::decode(&[3, 1, 1]).unwrap_err(), ProtocolError("too many at once"));
    // A key id of 1025 bytes.
    assert_eq!(ToAgent::decode(&[3, 0, 1, 1, 4, 1]).unwrap_err(), ProtocolError("a member is too long"));
    // A digest with a key that the frame does not have.
    let frame = [&[3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0][..], &[0; 32]].concat();
    assert_eq!(ToAgent::decode(&frame).unwrap_err(), ProtocolError("no such key in the frame"));
    // Something behind the end.
    assert_eq!(ToAgent::decode(&[2, 0, 0]).unwrap_err(), ProtocolError("bytes after the end of a message"));
    let out = {
        let mut out = Vec::new();
        AnswerFrame::begin(&mut out, Vitals::default()).push(1, Ok(&[0; LONGEST_VALUE + 1]));
        out
    };
    let ToServer::Answers(mut answers) = ToServer::decode(&out[4..]).unwrap() else {
        panic!("answers were sent")
    };
    assert!(matches!(answers.next(), Ok(Some((1, Err(SigningKeyError::KeyUnusable(_)))))));
}

#[test]
fn the_longest_frames_fit() {
    let key = KeyReference { id: vec![7; LONGEST_KEY_ID], algorithm: KeyAlgorithm::Rsa };
    let keys = vec![&key; MOST_DIGESTS];
    let mut out = Vec::new();
    put_sign(&mut out, &keys, (0..MOST_DIGESTS).map(|id| (u32::try_from(id).unwrap(), 0, &[0; 32])));
    assert!(first_frame(&out).unwrap().is_some());
    out.clear();
    let mut frame = AnswerFrame::begin(&mut out, Vitals::default());
    for id in 0..MOST_DIGESTS {
        frame.push(u32::try_from(id).unwrap(), Ok(&[0; LONGEST_VALUE]));
    }
    drop(frame);
    assert!(first_frame(&out).unwrap().is_some());
}
