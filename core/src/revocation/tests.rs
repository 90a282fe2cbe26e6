use proptest::prelude::*;

use super::*;
use crate::digest::Digest;
use crate::testing::{self, Issue, basic_constraints, extension, key_usage};
use crate::tlv::{encode, tag};
use crate::x509::{Certificate, TrustAnchors};
use crate::{Timestamp, oid};

mod made;
use made::{List, point};

macro_rules! data {
    ($($name:expr),+) => {
        include_bytes!(concat!("../../testdata/revocation/", $($name),+)).as_slice()
    };
}

macro_rules! pem {
    ($name:literal) => {
        Certificate::from_pem_or_der(data!($name, ".pem")).unwrap()
    };
}

macro_rules! crl {
    ($name:literal) => {
        Crl::from_der(data!($name, ".crl")).unwrap()
    };
}

macro_rules! ocsp {
    ($name:literal) => {
        OcspResponse::from_der(data!("ocsp-", $name, ".der")).unwrap()
    };
}

#[test]
fn lists_of_openssl_are_understood() {
    let list = crl!("ca");
    assert_eq!(list.this_update(), at("2026-06-01T00:00:00Z"));
    assert_eq!(list.next_update(), Some(at("2026-06-08T00:00:00Z")));
    assert_eq!(list.number(), Some(&[1][..]));
    assert_eq!(list.issuer_der(), pem!("ca").subject());
    assert_eq!(list.sha256(), &Digest::sha256(data!("ca.crl")));

    let inside = at("2026-06-02T00:00:00Z");
    for (name, certificate, expected) in [
        ("good", pem!("good"), "good crl"),
        ("revoked", pem!("revoked"), "revoked keyCompromise crl"),
        ("held", pem!("held"), "revoked certificateHold crl"),
        ("ended", pem!("ended"), "unknown: the certificate had expired"),
    ] {
        let found = look(&certificate, core::slice::from_ref(&list), &[], inside, None);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

#[test]
fn a_list_counts_while_it_is_current() {
    let good = pem!("good");
    for (time, not_before, expected) in [
        ("2026-06-01T00:00:00Z", None, "good crl"),
        ("2026-06-08T00:00:00Z", None, "good crl"),
        (
            "2026-06-08T00:00:01Z",
            None,
            "unknown: the revocation data of 2026-06-01T00:00:00Z are out of date",
        ),
        ("2026-05-31T23:55:00Z", None, "good crl"),
        ("2026-05-31T23:54:59Z", None, "unknown: the revocation data are from the future"),
        ("2026-06-02T00:00:00Z", Some("2026-06-01T00:00:00Z"), "good crl"),
        (
            "2026-06-02T00:00:00Z",
            Some("2026-06-01T00:00:01Z"),
            "unknown: the revocation data of 2026-06-01T00:00:00Z are older",
        ),
    ] {
        let found = look(&good, &[crl!("ca")], &[], at(time), not_before.map(at));
        assert!(found.starts_with(expected), "{time}: {found}");
    }
    // What is revoked stays revoked, however old the list is; a suspension may have ended.
    let later = at("2027-01-01T00:00:00Z");
    assert_eq!(look(&pem!("revoked"), &[crl!("ca")], &[], later, Some(later)), "revoked keyCompromise crl");
    assert!(look(&pem!("held"), &[crl!("ca")], &[], later, None).contains("out of date"));
}

#[test]
fn answers_of_openssl_are_understood() {
    let time = ocsp!("good").this_update().plus(core::time::Duration::from_secs(60));
    for (name, certificate, response, expected) in [
        ("good", pem!("good"), ocsp!("good"), "good ocsp"),
        ("certID with SHA-256", pem!("good"), ocsp!("good-sha256"), "good ocsp"),
        ("responder by key", pem!("good"), ocsp!("key-id"), "good ocsp"),
        ("the issuer itself", pem!("good"), ocsp!("issuer"), "good ocsp"),
        ("revoked", pem!("revoked"), ocsp!("revoked"), "revoked keyCompromise ocsp"),
        ("held", pem!("held"), ocsp!("held"), "revoked certificateHold ocsp"),
        ("another certificate", pem!("held"), ocsp!("good"), "unknown: neither a CRL nor an OCSP response"),
        ("no OCSPSigning", pem!("good"), ocsp!("other"), "unknown: the OCSP responder has no OCSPSigning"),
        ("no nocheck", pem!("good"), ocsp!("checked"), "unknown: the OCSP responder has no ocsp-nocheck"),
    ] {
        let found = look(&certificate, &[], &[response], time, None);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
    let unknown = look(&pem!("good"), &[], &[ocsp!("unknown")], time, None);
    assert_eq!(unknown, "unknown: the OCSP responder does not know the certificate");
    // A CRL of the issuer vouches for a responder without nocheck, but not for one without OCSPSigning.
    let list = [crl!("ca-current")];
    assert_eq!(look(&pem!("good"), &list, &[ocsp!("checked")], time, None), "good ocsp");
    assert_eq!(look(&pem!("good"), &list, &[ocsp!("other")], time, None), "good crl");
}

#[test]
fn an_answer_tells_its_parts() {
    let response = ocsp!("nonce");
    assert_eq!(response.der(), data!("ocsp-nonce.der"));
    assert_eq!(response.nonce().map(<[u8]>::len), Some(16));
    assert_eq!(ocsp!("good").nonce(), None);
    assert_eq!(response.certificates(), [pem!("nocheck")]);
    assert_eq!(response.responder_name_der(), Some(pem!("nocheck").subject()));
    assert_eq!(ocsp!("key-id").responder_key_hash().map(<[u8]>::len), Some(20));
    assert_eq!(response.next_update().unwrap().unix_ms() - response.this_update().unix_ms(), 7 * 86_400_000);
    let again = OcspResponse::from_basic_der(response.basic_der()).unwrap();
    assert_eq!(again, response, "both forms are one response");
}

#[test]
fn a_request_is_the_one_that_openssl_writes() {
    assert_eq!(ocsp_request(&pem!("good"), &pem!("ca"), None), data!("request.der"));
    let with_nonce = ocsp_request(&pem!("good"), &pem!("ca"), Some(b"0123456789abcdef"));
    assert!(with_nonce.windows(18).any(|window| window == b"\x04\x100123456789abcdef"));
}

#[test]
fn a_responder_may_refuse() {
    for (status, expected) in [
        (1, Ok(ResponseStatus::MalformedRequest)),
        (2, Ok(ResponseStatus::InternalError)),
        (3, Ok(ResponseStatus::TryLater)),
        (5, Ok(ResponseStatus::SignatureRequired)),
        (6, Ok(ResponseStatus::Unauthorized)),
        (4, Err(ErrorCode::RevocationMalformed)),
        (0, Err(ErrorCode::RevocationMalformed)),
    ] {
        let error = OcspResponse::from_der(&[0x30, 3, 0x0a, 1, status]).unwrap_err();
        match expected {
            Ok(status) => {
                assert_eq!(error, RevocationError::Refused(status));
                assert_eq!(error.code(), ErrorCode::RevocationUnknown);
            }
            Err(code) => assert_eq!(error.code(), code),
        }
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_a_code() {
    let ca = Issue::authority("CA TEST", 1, "CA TEST", 1);
    let base = List::of(&ca.certificate());
    let twice = List { extensions: vec![point(&[]), point(&[])], ..base.clone() };
    let bad_reason = List { entries: vec![made::entry(1, &[made::reason(7)])], ..base.clone() };
    let v1_with_extensions = List { version: None, extensions: vec![point(&[])], ..base.clone() };
    for der in [
        twice.der(),
        bad_reason.der(),
        v1_with_extensions.der(),
        [base.der(), vec![0]].concat(),
        data!("ca.crl")[..100].to_vec(),
        data!("good.pem").to_vec(),
        vec![],
    ] {
        assert_eq!(Crl::from_der(&der).unwrap_err().code(), ErrorCode::RevocationMalformed);
        assert_eq!(OcspResponse::from_der(&der).unwrap_err().code(), ErrorCode::RevocationMalformed);
    }
    let large = vec![0; MAX_CRL_BYTES + 1];
    assert_eq!(Crl::from_der(&large).unwrap_err().code(), ErrorCode::LimitExceeded);
    let large = &large[..=MAX_OCSP_BYTES];
    assert_eq!(OcspResponse::from_der(large).unwrap_err().code(), ErrorCode::LimitExceeded);
}

#[test]
fn a_list_speaks_only_for_those_it_says() {
    let ca = Issue::authority("CA TEST", 1, "CA TEST", 1).with_crl_sign();
    let holder = Issue::holder("Holder TEST", 2, "CA TEST", 1);
    let below = Issue { serial: 1, ..Issue::authority("Sub TEST", 3, "CA TEST", 1) };
    let uri = |uri: &str| encode(tag::context(6), &[uri.as_bytes()]);
    let named = |uri_text: &str| {
        let full = encode(tag::context_constructed(0), &[&uri(uri_text)]);
        encode(tag::context_constructed(0), &[&full])
    };
    let points = |name: Vec<u8>| {
        let one = encode(tag::SEQUENCE, &[&name]);
        extension(oid::CRL_DISTRIBUTION_POINTS, false, &encode(tag::SEQUENCE, &[&one]))
    };
    let with_point = holder.clone().with(points(named("http://a.invalid/")));
    let nothing = "unknown: neither";
    let flag = |context| encode(tag::context(context), &[&[0xff]]);
    let reasons = |first: u8, second: u8| encode(tag::context(3), &[&[7, first, second]]);
    for (name, subject, extensions, expected) in [
        ("plain", &holder, vec![], "good crl"),
        ("users only, user", &holder, vec![point(&[&flag(1)])], "good crl"),
        ("users only, authority", &below, vec![point(&[&flag(1)])], nothing),
        ("authorities only, user", &holder, vec![point(&[&flag(2)])], nothing),
        ("authorities only, authority", &below, vec![point(&[&flag(2)])], "good crl"),
        ("attributes only", &holder, vec![point(&[&flag(5)])], nothing),
        ("indirect", &holder, vec![point(&[&flag(4)])], "unknown: indirect CRLs"),
        ("some reasons", &holder, vec![point(&[&reasons(0x60, 0)])], "unknown: the CRLs at hand cover some"),
        ("all reasons", &holder, vec![point(&[&reasons(0x7f, 0x80)])], "good crl"),
        ("the same point", &with_point, vec![point(&[&named("http://a.invalid/")])], "good crl"),
        ("another point", &with_point, vec![point(&[&named("http://b.invalid/")])], nothing),
        ("a point of a certificate without", &holder, vec![point(&[&named("http://a.invalid/")])], nothing),
        ("no point in the list", &with_point, vec![], "good crl"),
        (
            "delta",
            &holder,
            vec![extension(oid::DELTA_CRL_INDICATOR, true, &[2, 1, 1])],
            "unknown: a delta CRL alone",
        ),
        (
            "critical and unknown",
            &holder,
            vec![extension(oid::CERTIFICATE_POLICIES, true, &[5, 0])],
            "unknown: extension 2.5.29.32",
        ),
        ("unknown", &holder, vec![extension(oid::CERTIFICATE_POLICIES, false, &[5, 0])], "good crl"),
    ] {
        let list = List { extensions, ..List::of(&ca.certificate()) };
        let found = look_made(&ca, subject, &[list]);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
    let delta = List {
        entries: vec![made::entry(1, &[made::reason(1)])],
        extensions: vec![extension(oid::DELTA_CRL_INDICATOR, true, &[2, 1, 1])],
        ..List::of(&ca.certificate())
    };
    assert_eq!(look_made(&ca, &holder, &[List::of(&ca.certificate()), delta]), "revoked keyCompromise crl");
    // Two lists for some reasons each make a whole.
    let halves = [reasons(0x60, 0), reasons(0x1f, 0x80)]
        .map(|reasons| List { extensions: vec![point(&[&reasons])], ..List::of(&ca.certificate()) });
    assert_eq!(look_made(&ca, &holder, &halves), "good crl");
    let critical_entry = extension(oid::CERTIFICATE_POLICIES, true, &[5, 0]);
    let list = List { entries: vec![made::entry(9, &[critical_entry])], ..List::of(&ca.certificate()) };
    assert!(look_made(&ca, &holder, &[list]).starts_with("unknown: extension 2.5.29.32"));
}

#[test]
fn who_signs_a_list_must_be_allowed_to() {
    let ca = Issue::authority("CA TEST", 1, "CA TEST", 1).with_crl_sign();
    let holder = Issue::holder("Holder TEST", 2, "CA TEST", 1);
    let list = List::of(&ca.certificate());
    assert_eq!(
        look_made(&ca, &holder, &[List { key: 5, ..list.clone() }]),
        "unknown: the signature on the revocation data does not verify"
    );
    let no_crl_sign = Issue::authority("CA TEST", 1, "CA TEST", 1);
    assert!(look_made(&no_crl_sign, &holder, core::slice::from_ref(&list)).contains("lacks cRLSign"));
    let sha1 = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::ECDSA_WITH_SHA1.as_bytes()])]);
    let weak = List { algorithm: sha1, ..list.clone() };
    assert!(look_made(&ca, &holder, &[weak]).contains("weak algorithm"));
    let removed = List { entries: vec![made::entry(1, &[made::reason(8)])], ..list.clone() };
    assert_eq!(look_made(&ca, &holder, &[removed]), "good crl");

    // Another key of the same authority, certified by the same root: its lists count until it is revoked.
    let root = Issue::authority("Root TEST", 9, "Root TEST", 9).with_crl_sign();
    let ca = Issue { serial: 5, ..Issue::authority("CA TEST", 1, "Root TEST", 9).with_crl_sign() };
    let list_key = Issue { serial: 6, ..Issue::authority("CA TEST", 7, "Root TEST", 9).with_crl_sign() };
    let stranger = Issue { serial: 6, ..Issue::authority("CA TEST", 7, "Else TEST", 8).with_crl_sign() };
    let list = Crl::from_der(&List { key: 7, ..List::of(&ca.certificate()) }.der()).unwrap();
    let of_root = |serials: &[u8]| {
        let entries = serials.iter().map(|serial| made::entry(*serial, &[])).collect();
        Crl::from_der(&List { entries, key: 9, ..List::of(&root.certificate()) }.der()).unwrap()
    };
    let path = [holder.certificate(), ca.certificate(), root.certificate()];
    let anchors = TrustAnchors::new(vec![root.certificate()]);
    for (certificate, crls, expected) in [
        (&list_key, vec![list.clone()], "good crl"),
        (&list_key, vec![list.clone(), of_root(&[])], "good crl"),
        (&list_key, vec![list.clone(), of_root(&[6])], "unknown: the CRL's signer has no path"),
        (&stranger, vec![list.clone()], "unknown: the CRL's signer has no path"),
    ] {
        let evidence =
            Evidence { certificates: vec![certificate.certificate()], crls, ..Evidence::default() };
        let found = show(&status(&path, 0, &evidence, &anchors, testing::now(), None));
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn a_suspension_ends_with_a_later_list_and_a_revocation_does_not() {
    let ca = Issue::authority("CA TEST", 1, "CA TEST", 1).with_crl_sign();
    let holder = Issue::holder("Holder TEST", 2, "CA TEST", 1);
    let later = List { this_update: "261101000000Z", ..List::of(&ca.certificate()) };
    let with = |reason| List {
        entries: vec![made::entry(1, &[made::reason(reason)])],
        ..List::of(&ca.certificate())
    };
    for (reason, expected) in
        [(6, "good crl"), (1, "revoked keyCompromise crl"), (0, "revoked unspecified crl")]
    {
        for lists in [[with(reason), later.clone()], [later.clone(), with(reason)]] {
            assert_eq!(look_made(&ca, &holder, &lists), expected);
        }
    }
    let held_later = List { this_update: "261102000000Z", ..with(6) };
    assert_eq!(look_made(&ca, &holder, &[held_later, later]), "revoked certificateHold crl");
}

#[test]
fn ended_certificates_need_a_list_that_keeps_them() {
    let ca = Issue::authority("CA TEST", 1, "CA TEST", 1).with_crl_sign();
    let ended = Issue { not_after: "260601000000Z", ..Issue::holder("Holder TEST", 2, "CA TEST", 1) };
    let since = |time: &str| {
        let value = encode(tag::GENERALIZED_TIME, &[time.as_bytes()]);
        List {
            extensions: vec![extension(oid::EXPIRED_CERTS_ON_CRL, false, &value)],
            ..List::of(&ca.certificate())
        }
    };
    assert!(look_made(&ca, &ended, &[List::of(&ca.certificate())]).contains("had expired"));
    assert_eq!(look_made(&ca, &ended, &[since("20260601000000Z")]), "good crl");
    assert!(look_made(&ca, &ended, &[since("20260601000001Z")]).contains("had expired"));
    let listed = List { entries: vec![made::entry(1, &[])], ..List::of(&ca.certificate()) };
    assert_eq!(look_made(&ca, &ended, &[listed]), "revoked unspecified crl");
}

#[test]
fn a_list_of_millions_of_entries_is_passed_over_quickly() {
    let ca = Issue::authority("CA TEST", 1, "CA TEST", 1).with_crl_sign();
    let holder = Issue { serial: 2, ..Issue::holder("Holder TEST", 2, "CA TEST", 1) };
    let mut entries = vec![made::entry(1, &[made::reason(1)]); 500_000];
    entries.push(made::entry(2, &[made::reason(4)]));
    let list = List { entries, ..List::of(&ca.certificate()) };
    assert!(list.der().len() > 15 << 20);
    assert_eq!(look_made(&ca, &holder, &[list]), "revoked superseded crl");
}

#[test]
fn what_is_missing_is_named_with_its_addresses() {
    let anchors = TrustAnchors::new(vec![pem!("root")]);
    let path = [pem!("good"), pem!("ca"), pem!("root")];
    let time = at("2026-06-02T00:00:00Z");
    let mut evidence = Evidence::default();
    let wanted = missing(&path, &evidence, &anchors, time, None);
    let [
        Wanted::Revocation { certificate, issuer, ocsp_urls, crl_urls },
        Wanted::Revocation { certificate: second, .. },
    ] = &wanted[..]
    else {
        panic!("{wanted:?}")
    };
    assert_eq!((certificate, issuer, second), (&path[0], &path[1], &path[1]));
    assert_eq!(ocsp_urls, &["http://ocsp.test.invalid/"]);
    assert_eq!(crl_urls, &["http://test.invalid/a.crl", "http://test.invalid/b.crl"]);

    assert!(evidence.is_empty());
    let lists = Evidence { crls: vec![crl!("ca"), crl!("root")], ..Evidence::default() };
    evidence.merge(lists.clone());
    evidence.merge(lists);
    assert_eq!(evidence.crls.len(), 2);
    assert_eq!(missing(&path, &evidence, &anchors, time, None), []);
    let wanted = missing(&path[..2], &evidence, &anchors, time, None);
    let [Wanted::Issuer { of, urls }] = &wanted[..] else { panic!("{wanted:?}") };
    assert_eq!((of, urls.len()), (&path[1], 0));
    assert_eq!(path[0].urls().ca_issuers, ["http://test.invalid/ca.p7b"]);
    // The grace rule asks for later data.
    let wanted = missing(&path, &evidence, &anchors, time, Some(time));
    assert_eq!(wanted.len(), 2);
    evidence.crls.push(crl!("ca-later"));
    let later = at("2026-06-06T00:00:00Z");
    assert_eq!(missing(&path, &evidence, &anchors, later, Some(time)).len(), 1);
    assert_eq!(status(&path, 2, &evidence, &anchors, time, None), Status::Unknown(Why::NoIssuer));
}

proptest! {
    #[test]
    fn a_changed_list_or_answer_is_never_accepted(at_byte in 0_usize..1_000_000, bit in 0_u8..8) {
        let time = ocsp!("good").this_update();
        let flip = |file: &[u8]| {
            let mut bytes = file.to_vec();
            let index = at_byte % bytes.len();
            bytes[index] ^= 1 << bit;
            bytes
        };
        // The revoked certificate must not become good, nor the good one revoked.
        let inside = at("2026-06-02T00:00:00Z");
        if let Ok(list) = Crl::from_der(&flip(data!("ca.crl"))) {
            prop_assert!(!look(&pem!("revoked"), core::slice::from_ref(&list), &[], inside, None).starts_with("good"));
            prop_assert!(!look(&pem!("good"), &[list], &[], inside, None).starts_with("revoked"));
        }
        if let Ok(response) = OcspResponse::from_der(&flip(data!("ocsp-revoked.der"))) {
            prop_assert!(!look(&pem!("revoked"), &[], &[response], time, None).starts_with("good"));
        }
        if let Ok(response) = OcspResponse::from_der(&flip(data!("ocsp-good.der"))) {
            prop_assert!(!look(&pem!("good"), &[], core::slice::from_ref(&response), time, None).starts_with("revoked"));
            prop_assert!(!look(&pem!("revoked"), &[], &[response], time, None).starts_with("good"));
        }
    }

    #[test]
    fn a_changed_signed_part_never_verifies(at_byte in 0_usize..1_000_000, bit in 0_u8..8) {
        let original = data!("ca.crl");
        let signed = crate::tlv::single(original, tag::SEQUENCE, "list").unwrap().reader().element().unwrap();
        let start = crate::tlv::range_in(original, signed.raw).start;
        let mut bytes = original.to_vec();
        bytes[start + at_byte % signed.raw.len()] ^= 1 << bit;
        if let Ok(list) = Crl::from_der(&bytes) {
            let found = look(&pem!("good"), &[list], &[], at("2026-06-02T00:00:00Z"), None);
            prop_assert!(found.starts_with("unknown"), "{found}");
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Crl::from_der(&bytes).is_err());
        prop_assert!(OcspResponse::from_der(&bytes).is_err());
        prop_assert!(OcspResponse::from_basic_der(&bytes).is_err());
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Status of a certificate of the fixtures.
fn look(
    certificate: &Certificate,
    crls: &[Crl],
    ocsp_responses: &[OcspResponse],
    time: Timestamp,
    not_before: Option<Timestamp>,
) -> String {
    let path = [certificate.clone(), pem!("ca"), pem!("root")];
    let evidence =
        Evidence { certificates: vec![], crls: crls.to_vec(), ocsp_responses: ocsp_responses.to_vec() };
    let anchors = TrustAnchors::new(vec![pem!("root")]);
    show(&status(&path, 0, &evidence, &anchors, time, not_before))
}

/// Status of a certificate made on the spot below an authority that is the anchor.
fn look_made(ca: &Issue, holder: &Issue, lists: &[List]) -> String {
    let path = [holder.certificate(), ca.certificate()];
    let crls = lists.iter().map(|list| Crl::from_der(&list.der()).unwrap()).collect();
    let evidence = Evidence { crls, ..Evidence::default() };
    let anchors = TrustAnchors::new(vec![ca.certificate()]);
    show(&status(&path, 0, &evidence, &anchors, testing::now(), None))
}

fn show(status: &Status) -> String {
    match status {
        Status::Good(source) => format!("good {}", source.kind.as_str()),
        Status::Revoked { reason, source, .. } => {
            format!("revoked {} {}", reason.as_str(), source.kind.as_str())
        }
        Status::Unknown(why) => format!("unknown: {why}"),
    }
}

impl Issue {
    fn with_crl_sign(self) -> Self {
        Self { extensions: vec![basic_constraints(true, None), key_usage(0x06)], ..self }
    }
}
