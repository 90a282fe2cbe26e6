use super::*;
use crate::oid;
use crate::testing::{self, Issue, basic_constraints, extension, key_usage, now};
use crate::tlv::{encode, tag};

#[test]
fn fixtures_lead_to_their_root_in_any_order() {
    let anchors = TrustAnchors::new(vec![testing::root()]);
    for leaf in [testing::ana(), testing::bruno(), testing::padaria(), testing::selo(), testing::expired()] {
        let path = build_path(&leaf, &[testing::bruno(), testing::ca1(), testing::ca2()], &anchors, now());
        assert_eq!(path.unwrap(), [leaf, testing::ca2(), testing::ca1(), testing::root()]);
    }
    let missing = build_path(&testing::ana(), &[testing::ca1()], &anchors, now()).unwrap_err();
    assert!(matches!(missing, PathError::IssuerMissing(_)), "{missing}");
    assert_eq!(missing.code(), ErrorCode::CertificateUntrusted);
    assert!(!missing.to_string().contains("52998224725"), "{missing}");
}

#[test]
fn an_anchor_in_the_middle_or_at_the_leaf_ends_the_path() {
    for (anchor, length) in [(testing::ca2(), 2), (testing::ana(), 1)] {
        let anchors = TrustAnchors::new(vec![anchor.clone()]);
        let path = build_path(&testing::ana(), &[testing::ca1(), testing::ca2()], &anchors, now()).unwrap();
        assert_eq!((path.len(), path.last()), (length, Some(&anchor)));
    }
}

#[test]
fn every_rule_of_a_link_is_enforced() {
    let root = Issue::authority("Root TEST", 1, "Root TEST", 1);
    let ca = Issue::authority("CA TEST", 2, "Root TEST", 1);
    let leaf = Issue::holder("Leaf TEST", 3, "CA TEST", 2);
    let no_extensions = |issue: &Issue| Issue { extensions: vec![], ..issue.clone() };
    let unknown = ObjectIdentifier::new_unwrap("1.2.3.4");
    let empty = encode(tag::SEQUENCE, &[]);
    let sha1_rsa = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SHA1_WITH_RSA.as_bytes()])]);
    let ed448 = encode(tag::SEQUENCE, &[&[tag::OID, 3, 0x2b, 0x65, 0x71]]);

    check(&root, &ca, &leaf, "ok");
    let with = |extensions| Issue { extensions, ..ca.clone() };
    check(&root, &with(vec![key_usage(0x04)]), &leaf, "not a certification authority");
    check(&root, &no_extensions(&ca), &leaf, "not a certification authority");
    check(
        &root,
        &with(vec![basic_constraints(false, None), key_usage(0x04)]),
        &leaf,
        "not a certification authority",
    );
    check(&root, &with(vec![basic_constraints(true, None), key_usage(0x80)]), &leaf, "lacks keyCertSign");
    check(&root, &with(vec![basic_constraints(true, None)]), &leaf, "ok");
    check(&root, &ca.clone().with(extension(unknown, true, &empty)), &leaf, "1.2.3.4 is not evaluated");
    check(&root, &ca.clone().with(extension(unknown, false, &empty)), &leaf, "ok");
    check(&root, &ca, &leaf.clone().with(extension(unknown, true, &empty)), "1.2.3.4 is not evaluated");
    let constrained = ca.clone().with(extension(oid::NAME_CONSTRAINTS, false, &empty));
    check(&root, &constrained, &leaf, "ok");
    let unreadable = ca.clone().with(extension(oid::NAME_CONSTRAINTS, false, &[4, 0]));
    check(&root, &unreadable, &leaf, "a NameConstraints");
    let ended = Issue { not_after: "261122000000Z", ..ca.clone() };
    check(&root, &ended, &leaf, "not valid at that time");
    check(&Issue { not_before: "270101000000Z", ..root.clone() }, &ca, &leaf, "not valid at that time");
    check(&root, &ca, &Issue { issuer_key: 9, ..leaf.clone() }, "does not verify");
    check(&root, &ca, &Issue { signature_algorithm: sha1_rsa, ..leaf.clone() }, "weak algorithm");
    check(
        &root,
        &ca,
        &Issue { signature_algorithm: ed448, ..leaf.clone() },
        "algorithm 1.3.101.113 is not supported",
    );
    // The leaf's own validity is the caller's question.
    check(&root, &ca, &Issue { not_after: "261122000000Z", ..leaf.clone() }, "ok");
    // Roots of version 1 have no extensions at all.
    check(&no_extensions(&root), &ca, &leaf, "ok");
}

#[test]
fn path_length_counts_authorities_that_are_not_self_issued() {
    let limited = |limit| Issue {
        extensions: vec![basic_constraints(true, Some(limit)), key_usage(0x04)],
        ..Issue::authority("Root TEST", 1, "Root TEST", 1)
    };
    let ca1 = Issue::authority("CA 1 TEST", 2, "Root TEST", 1).certificate();
    let rolled = Issue::authority("CA 1 TEST", 5, "CA 1 TEST", 2).certificate();
    let ca2 = Issue::authority("CA 2 TEST", 3, "CA 1 TEST", 5).certificate();
    let leaf = Issue::holder("Leaf TEST", 4, "CA 2 TEST", 3).certificate();
    for (limit, accepted) in [(0, false), (1, false), (2, true)] {
        let anchors = TrustAnchors::new(vec![limited(limit).certificate()]);
        let path = build_path(&leaf, &[ca1.clone(), rolled.clone(), ca2.clone()], &anchors, now());
        assert_eq!(path.is_ok(), accepted, "{limit}: {path:?}");
    }
}

#[test]
fn the_right_one_of_two_authorities_with_one_name_is_found() {
    let root = Issue::authority("Root TEST", 1, "Root TEST", 1).certificate();
    let wrong = Issue::authority("CA TEST", 7, "Root TEST", 1).with(subject_key_id(7));
    let right = Issue::authority("CA TEST", 2, "Root TEST", 1).with(subject_key_id(2));
    let expired = Issue { not_after: "260101000000Z", serial: 9, ..right.clone() };
    let leaf = Issue::holder("Leaf TEST", 3, "CA TEST", 2).with(authority_key_id(2)).certificate();
    let intermediates = [wrong, expired, right].map(|issue| issue.certificate());
    let anchors = TrustAnchors::new(vec![root.clone()]);
    let path = build_path(&leaf, &intermediates, &anchors, now()).unwrap();
    assert_eq!(path, [leaf, intermediates[2].clone(), root]);
}

#[test]
fn loops_and_tangles_end() {
    let anchors =
        TrustAnchors::new(vec![Issue::authority("Elsewhere TEST", 1, "Elsewhere TEST", 1).certificate()]);
    let leaf = Issue::holder("Leaf TEST", 3, "A TEST", 4).certificate();
    let a_by_b = Issue::authority("A TEST", 4, "B TEST", 5).certificate();
    let b_by_a = Issue::authority("B TEST", 5, "A TEST", 4).certificate();
    let looped = build_path(&leaf, &[a_by_b, b_by_a], &anchors, now()).unwrap_err();
    assert!(matches!(looped, PathError::IssuerMissing(_) | PathError::SignatureInvalid(_)), "{looped}");

    // Eight authorities of one name with eight keys, each certified by each.
    let keys = 10..18;
    let tangle = keys
        .clone()
        .flat_map(|key| keys.clone().map(move |issuer| Issue::authority("T TEST", key, "T TEST", issuer)))
        .map(|issue| issue.certificate())
        .collect::<Vec<_>>();
    let leaf = Issue::holder("Leaf TEST", 3, "T TEST", 10).certificate();
    assert_eq!(build_path(&leaf, &tangle, &anchors, now()), Err(PathError::SearchLimit));
}

#[test]
fn a_path_that_is_too_long_is_refused() {
    let names = (0..10).map(|n| format!("CA {n} TEST")).collect::<Vec<_>>();
    let chain = (1..10_u8)
        .map(|n| {
            let (subject, issuer) = (&names[usize::from(n)], &names[usize::from(n) - 1]);
            Issue::authority(subject, n + 20, issuer, n + 19).certificate()
        })
        .collect::<Vec<_>>();
    let root = Issue::authority("CA 0 TEST", 20, "CA 0 TEST", 20).certificate();
    let leaf = Issue::holder("Leaf TEST", 3, "CA 9 TEST", 29).certificate();
    let anchors = TrustAnchors::new(vec![root]);
    let refused = build_path(&leaf, &chain, &anchors, now()).unwrap_err();
    assert!(refused.to_string().contains("too long"), "{refused}");
    let shorter = Issue::holder("Leaf TEST", 3, "CA 6 TEST", 26).certificate();
    assert_eq!(build_path(&shorter, &chain, &anchors, now()).unwrap().len(), MAX_PATH_LENGTH);
}

#[test]
fn names_stay_within_the_constraints_of_those_above() {
    let root = Issue::authority("Root TEST", 1, "Root TEST", 1);
    let mail = |text: &str| encode(tag::context(1), &[text.as_bytes()]);
    let dns = |text: &str| encode(tag::context(2), &[text.as_bytes()]);
    let uri = |text: &str| encode(tag::context(6), &[text.as_bytes()]);
    let ip = |bytes: &[u8]| encode(tag::context(7), &[bytes]);
    let directory = |common_name: &str| encode(tag::context_constructed(4), &[&testing::name(common_name)]);
    let trees = |context, bases: &[Vec<u8>]| {
        let trees = bases.iter().map(|base| encode(tag::SEQUENCE, &[base])).collect::<Vec<_>>();
        encode(tag::context_constructed(context), &[&trees.concat()])
    };
    let (permitted, excluded) = (0, 1);
    for (name, kind, base, within) in [
        (mail("ana@bank.test"), permitted, mail("bank.test"), true),
        (mail("ana@BANK.test"), permitted, mail("bank.test"), true),
        (mail("ana@sub.bank.test"), permitted, mail("bank.test"), false),
        (mail("ana@sub.bank.test"), permitted, mail(".bank.test"), true),
        (mail("ana@bank.test"), permitted, mail("ana@bank.test"), true),
        (mail("Ana@bank.test"), permitted, mail("ana@bank.test"), false),
        (mail("ana"), permitted, mail("bank.test"), false),
        (dns("bank.test"), permitted, dns("bank.test"), true),
        (dns("www.Bank.test"), permitted, dns("bank.test"), true),
        (dns("notbank.test"), permitted, dns("bank.test"), false),
        (dns("bank.test"), permitted, dns(".bank.test"), false),
        (dns("www.bank.test"), excluded, dns("bank.test"), false),
        (dns("other.test"), excluded, dns("bank.test"), true),
        (dns("bank.test"), permitted, mail("bank.test"), true),
        (uri("https://bank.test:8443/a?b"), permitted, uri("bank.test"), true),
        (uri("https://www.bank.test/"), permitted, uri("bank.test"), false),
        (uri("https://ana@www.bank.test/"), permitted, uri(".bank.test"), true),
        (uri("https://bank.test@evil.test/"), permitted, uri("bank.test"), false),
        (uri("https://127.0.0.1/"), excluded, uri("bank.test"), false),
        (ip(&[10, 0, 0, 9]), permitted, ip(&[10, 0, 0, 0, 255, 0, 0, 0]), true),
        (ip(&[11, 0, 0, 9]), permitted, ip(&[10, 0, 0, 0, 255, 0, 0, 0]), false),
        (ip(&[0; 16]), permitted, ip(&[10, 0, 0, 0, 255, 0, 0, 0]), false),
        (ip(&[10, 0, 0, 9]), permitted, ip(&[10, 0, 0, 0]), false),
        (directory("LEAF  test"), permitted, directory("Leaf TEST"), true),
        (directory("Other TEST"), permitted, directory("Leaf TEST"), false),
        (directory("Other TEST"), excluded, directory("Other TEST"), false),
        (encode(tag::context(8), &[&[0x2a, 3]]), permitted, encode(tag::context(8), &[&[0x2a]]), false),
    ] {
        let constraints = encode(tag::SEQUENCE, &[&trees(kind, core::slice::from_ref(&base))]);
        let ca = Issue::authority("CA TEST", 2, "Root TEST", 1).with(extension(
            oid::NAME_CONSTRAINTS,
            true,
            &constraints,
        ));
        let names = encode(tag::SEQUENCE, &[&name]);
        let leaf =
            Issue::holder("Leaf TEST", 3, "CA TEST", 2).with(extension(oid::SUBJECT_ALT_NAME, false, &names));
        let anchors = TrustAnchors::new(vec![root.certificate()]);
        let found = build_path(&leaf.certificate(), &[ca.certificate()], &anchors, now());
        assert_eq!(found.is_ok(), within, "{name:02x?} in {base:02x?}: {found:?}");
    }
}

#[test]
fn policies_and_depth_are_what_the_caller_asks() {
    let policies = |texts: &[&str]| {
        let list = texts.iter().map(|text| {
            let policy: ObjectIdentifier = text.parse().unwrap();
            encode(tag::SEQUENCE, &[&encode(tag::OID, &[policy.as_bytes()])])
        });
        extension(
            oid::CERTIFICATE_POLICIES,
            false,
            &encode(tag::SEQUENCE, &[&list.collect::<Vec<_>>().concat()]),
        )
    };
    let anchors = TrustAnchors::new(vec![Issue::authority("Root TEST", 1, "Root TEST", 1).certificate()]);
    let any = "2.5.29.32.0";
    let wants = |text: &str| PathOptions {
        initial_policies: Some(vec![text.parse().unwrap()]),
        require_explicit_policy: true,
        ..PathOptions::default()
    };
    let explicit = PathOptions { require_explicit_policy: true, ..PathOptions::default() };
    let no_any = PathOptions { inhibit_any_policy: true, ..explicit.clone() };
    for (ca, leaf, options, expected) in [
        (&["1.2.3"][..], &["1.2.3"][..], wants("1.2.3"), true),
        (&["1.2.3"], &["1.2.3"], wants("1.2.4"), false),
        (&["1.2.3"], &["1.2.4"], explicit.clone(), false),
        (&["1.2.3"], &["1.2.4"], PathOptions::default(), true),
        (&[any], &["1.2.4"], wants("1.2.4"), true),
        (&[any], &[any], wants("1.2.4"), true),
        (&[any], &["1.2.4"], no_any, false),
        (&["1.2.3"], &[any], wants("1.2.3"), true),
        (&["1.2.3"], &[any], wants("1.2.4"), false),
    ] {
        let ca_issued = Issue::authority("CA TEST", 2, "Root TEST", 1).with(policies(ca)).certificate();
        let leaf_issued = Issue::holder("Leaf TEST", 3, "CA TEST", 2).with(policies(leaf)).certificate();
        let found = build_path_with(&leaf_issued, &[ca_issued], &anchors, now(), &options);
        assert_eq!(found.is_ok(), expected, "{ca:?} {leaf:?} {options:?}: {found:?}");
    }

    let chain = [("A TEST", 4, "Root TEST", 1), ("B TEST", 5, "A TEST", 4), ("C TEST", 6, "B TEST", 5)].map(
        |(subject, key, issuer, issuer_key)| Issue::authority(subject, key, issuer, issuer_key).certificate(),
    );
    for (issuer, key, expected) in [("B TEST", 5, true), ("C TEST", 6, false)] {
        let leaf = Issue::holder("Leaf TEST", 3, issuer, key).certificate();
        assert!(build_path(&leaf, &chain, &anchors, now()).is_ok());
        let found = build_path_with(&leaf, &chain, &anchors, now(), &PathOptions::icp_brasil());
        assert_eq!(found.is_ok(), expected, "{found:?}");
    }
}

#[test]
fn a_path_that_breaks_a_rule_gives_way_to_another() {
    let root = Issue::authority("Root TEST", 1, "Root TEST", 1);
    let none = encode(tag::context_constructed(4), &[&testing::name("Nobody TEST")]);
    let tree = encode(tag::context_constructed(0), &[&encode(tag::SEQUENCE, &[&none])]);
    let constraints = extension(oid::NAME_CONSTRAINTS, true, &encode(tag::SEQUENCE, &[&tree]));
    // One authority certified twice with the same key, once with a constraint that the leaf breaks.
    let plain = Issue::authority("CA TEST", 2, "Root TEST", 1).certificate();
    let constrained = Issue { serial: 2, ..Issue::authority("CA TEST", 2, "Root TEST", 1) }.with(constraints);
    let leaf = Issue::holder("Leaf TEST", 3, "CA TEST", 2).certificate();
    let anchors = TrustAnchors::new(vec![root.certificate()]);
    for order in [[plain.clone(), constrained.certificate()], [constrained.certificate(), plain.clone()]] {
        assert_eq!(build_path(&leaf, &order, &anchors, now()).unwrap()[1], plain);
    }
}

fn check(root: &Issue, ca: &Issue, leaf: &Issue, expected: &str) {
    let anchors = TrustAnchors::new(vec![root.certificate()]);
    let found = match build_path(&leaf.certificate(), &[ca.certificate()], &anchors, now()) {
        Ok(path) if path.len() == 3 => "ok".to_owned(),
        Ok(path) => format!("{path:?}"),
        Err(error) => error.to_string(),
    };
    assert!(found.contains(expected), "{found} is not {expected}");
}

fn subject_key_id(id: u8) -> Vec<u8> {
    extension(oid::SUBJECT_KEY_IDENTIFIER, false, &encode(tag::OCTET_STRING, &[&[id]]))
}

fn authority_key_id(id: u8) -> Vec<u8> {
    let value = encode(tag::SEQUENCE, &[&encode(tag::context(0), &[&[id]])]);
    extension(oid::AUTHORITY_KEY_IDENTIFIER, false, &value)
}
