use std::collections::BTreeSet;

use super::super::openapi::DOCUMENT;
use super::*;

#[test]
fn every_link_within_the_page_has_its_target_and_every_operation_its_place() {
    let (html, _) = render(&DOCUMENT);
    let of = |mark: &str| -> BTreeSet<String> {
        html.split(mark).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
    };
    let (links, targets) = (of("href=\"#"), of(" id=\""));
    let lost: Vec<_> = links.difference(&targets).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let operations = members(&DOCUMENT["paths"]).flat_map(|(_, item)| members(item));
    for (_, operation) in operations {
        assert!(targets.contains(string(&operation["operationId"])), "{operation}");
    }
    for (name, _) in members(&DOCUMENT["components"]["schemas"]) {
        assert!(targets.contains(&format!("schema-{name}")), "{name}");
    }
    for code in ErrorCode::ALL {
        assert!(targets.contains(&format!("error-{code}")), "{code}");
    }
}

#[test]
fn nothing_is_run_and_nothing_is_fetched() {
    let (html, headers) = render(&DOCUMENT);
    for forbidden in ["<script", " src=", "<link", "@import", "url(", " style=", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let policy = &headers.iter().find(|(name, _)| *name == CONTENT_SECURITY_POLICY).unwrap().1;
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
}

#[test]
fn what_a_description_holds_is_text_and_not_markup() {
    assert_eq!(inline("a `<b>` **&** <i>"), "a <code>&lt;b&gt;</code> <strong>&amp;</strong> &lt;i&gt;");
}
