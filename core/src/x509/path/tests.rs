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
    let unknown = const_oid::ObjectIdentifier::new_unwrap("1.2.3.4");
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
    check(&root, &constrained, &leaf, "2.5.29.30 is not evaluated");
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
