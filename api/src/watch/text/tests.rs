use super::*;

fn content(reader: Reader, kind: WatchedKind) -> Content {
    Content {
        reader,
        kind,
        subject: "key_00112233445566778899aabbccddeeff".to_owned(),
        name: "***.982.247-**".to_owned(),
        tenant: Some("banco <TEST>".to_owned()),
        custody: Some(Custody::Hsm),
        not_after: "2026-12-23T12:00:00Z".parse().unwrap(),
        renewal_url: "https://bank.example/renew?a=1&b=2".to_owned(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_holder_is_told_when_what_and_where_to_renew_in_both_languages() {
    let content = content(Reader::Holder, WatchedKind::Key);
    let now = at("2026-11-23T11:00:00Z");
    let text = write(NoticeKind::Expiring, Language::PtBr, &content, now);
    assert_eq!(text.subject, "Seu certificado digital vence em 30 dias, em 23/12/2026 12:00 UTC");
    assert!(text.text.contains("Titular: ***.982.247-**\r\nGuarda: no HSM do banco\r\n"), "{}", text.text);
    assert!(text.text.contains("Renovar o certificado: https://bank.example/renew?a=1&b=2"));
    assert!(text.html.contains("<a href=\"https://bank.example/renew?a=1&amp;b=2\">"), "{}", text.html);
    assert!(
        !text.text.contains("key_") && !text.html.contains("TEST"),
        "nothing that only an operator needs"
    );
    let text = write(NoticeKind::Expiring, Language::En, &content, now);
    assert_eq!(text.subject, "Your digital certificate expires in 30 days, on 2026-12-23 12:00 UTC");
    assert!(text.html.starts_with("<!doctype html><html lang=\"en\">"));
}

#[test]
fn the_text_says_how_things_stand_when_it_is_sent() {
    let content = content(Reader::Operator, WatchedKind::Tsa);
    for (now, pt, en) in [
        ("2026-12-16T11:00:00Z", "vence em 7 dias, em", "expires in 7 days, on"),
        ("2026-12-22T11:00:00Z", "vence em 1 dia, em", "expires in 1 day, on"),
        ("2026-12-22T13:00:00Z", "vence hoje ou amanhã, em", "expires within a day, on"),
        ("2026-12-23T12:00:01Z", "venceu em", "expired on"),
    ] {
        let subject = |language| write(NoticeKind::Expiring, language, &content, at(now)).subject;
        let expected = format!("O certificado da autoridade de carimbo do tempo {pt} 23/12/2026 12:00 UTC");
        assert_eq!(subject(Language::PtBr), expected);
        let expected = format!("A certificate of the time-stamping authority {en} 2026-12-23 12:00 UTC");
        assert_eq!(subject(Language::En), expected);
    }
}

#[test]
fn every_kind_has_its_words_and_every_value_is_escaped() {
    let now = at("2026-11-23T11:00:00Z");
    for language in [Language::PtBr, Language::En] {
        let mut subjects: Vec<_> = WatchedKind::ALL
            .map(|kind| write(NoticeKind::Expiring, language, &content(Reader::Operator, kind), now))
            .into_iter()
            .map(|text| {
                assert!(text.html.contains("banco &lt;TEST&gt;") && !text.html.contains("<TEST>"));
                assert!(!text.text.contains("renew"), "an operator renews nothing for others");
                text.subject
            })
            .collect();
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), WatchedKind::ALL.len(), "{subjects:?}");
    }
    let revoked =
        |reader| write(NoticeKind::Revoked, Language::PtBr, &content(reader, WatchedKind::Key), now);
    assert_eq!(revoked(Reader::Holder).subject, "Seu certificado digital foi revogado");
    assert!(revoked(Reader::Operator).subject.ends_with("key_00112233445566778899aabbccddeeff"));
}
