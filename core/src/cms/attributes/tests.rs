use proptest::prelude::*;

use super::*;
use crate::digest::to_hex;
use crate::icp_brasil::signature_policy::{self, Family, Profile};
use crate::testing;

/// signature-policy-identifier of the five policies' fact sheet, CAdES AD-RB v2.4: 151 bytes.
const CADES_AD_RB: &str = "308194060b2a864886f70d010910020f3181843081810608604c010701010204302f300b060960864801650304020104201f3c904c44c392feef447e21faa7a04e85d9c0153346320f557b7042af5dcf1330443042060b2a864886f70d01091005011633687474703a2f2f706f6c6974696361732e69637062726173696c2e676f762e62722f50415f41445f52425f76325f342e646572";
/// The same for PAdES AD-RB v1.3: 157 bytes.
const PADES_AD_RB: &str = "30819a060b2a864886f70d010910020f31818a3081870608604c0107010b0103302f300b0609608648016503040201042023e4be4b9b362172e4ebb0e72b86a133ece5aad843d8651c6e38a0ba3f08fc60304a3048060b2a864886f70d01091005011639687474703a2f2f706f6c6974696361732e69637062726173696c2e676f762e62722f50415f50416445535f41445f52425f76315f332e646572";

#[test]
fn attributes_have_the_known_bytes_of_icp_brasil_policies() {
    let signing_time = signing_time("2026-01-01T12:00:00Z".parse().unwrap());
    for (policy, signing_time, length, sha256) in [
        (CADES_AD_RB, None, 287, "2ae465c44e48513fe1eeaea80b09d6db604ea50f2348a992cba3ed667498b7ba"),
        (
            CADES_AD_RB,
            Some(signing_time),
            317,
            "350a284cfdacd41884bf51d8f4168e2323b607aa0dde933c720a432a2f7dd170",
        ),
        (PADES_AD_RB, None, 293, "f7d0703d04501d106115479cd0f11ef5261290031017ab7054a1a239cd12748a"),
    ] {
        let certificate_hash = Digest::sha256(b"cert");
        let mut list = vec![
            bytes(policy),
            signing_certificate_v2(certificate_hash.as_bytes(), None),
            message_digest(&Digest::sha256(b"abc")),
            content_type(),
        ];
        list.extend(signing_time.clone());
        let set = encode_attributes(list);
        assert_eq!((set.len(), Digest::sha256(&set).to_hex()), (length, sha256.to_owned()));

        let parsed = SignedAttributes::parse(&set).unwrap();
        assert!(parsed.is_sorted() && parsed.content_type_is_data());
        assert_eq!(parsed.message_digest(), Some(Digest::sha256(b"abc").as_bytes()));
        assert_eq!(parsed.signing_certificate().unwrap().hash, Some(certificate_hash));
        assert_eq!(parsed.signing_time().is_some(), signing_time.is_some());
        let declared = parsed.signature_policy().unwrap();
        let known = signature_policy::by_oid(&declared.oid).unwrap();
        assert_eq!((declared.hash, declared.uri), (Some(known.digest()), Some(known.uri())));
    }
}

#[test]
fn policy_attributes_are_written_byte_for_byte() {
    for (family, profile, length, expected) in [
        (Family::Cades, Profile::Rb, 151, "bf2ed852074af2a34e7e65d343a57d91510a641e16ecba268f4c047546350235"),
        (Family::Cades, Profile::Rt, 151, "429f7fb464f5957d0b5888f58eeb796d9ccd7054080ae140cb36def2e19d40d3"),
        (Family::Pades, Profile::Rb, 157, "b65c7e85d86866bd7b2b07f99272af824750f1931079912aa0d83098f8d25390"),
        (Family::Pades, Profile::Rt, 157, "529dc570e848239fc9f79bc6ac7043f4106fc75100e655010473d90c9ef40176"),
    ] {
        let policy = signature_policy::current(family, profile).unwrap();
        let written = signature_policy_identifier(policy);
        assert_eq!((written.len(), Digest::sha256(&written).to_hex()), (length, expected.to_owned()));
    }
    let rb = signature_policy::current(Family::Cades, Profile::Rb).unwrap();
    assert_eq!(to_hex(&signature_policy_identifier(rb)), CADES_AD_RB);
    let rb = signature_policy::current(Family::Pades, Profile::Rb).unwrap();
    assert_eq!(to_hex(&signature_policy_identifier(rb)), PADES_AD_RB);
}

#[test]
fn a_policy_attribute_that_says_little_is_still_read() {
    let identifier = encode(tag::OID, &[&[0x60, 0x4c, 1, 7, 1, 1, 2, 4]]);
    let read = |algorithm: ObjectIdentifier, parameters: &[u8], hash: &[u8]| {
        let algorithm = encode(tag::SEQUENCE, &[&encode(tag::OID, &[algorithm.as_bytes()]), parameters]);
        let hash = encode(tag::SEQUENCE, &[&algorithm, &encode(tag::OCTET_STRING, &[hash])]);
        let value = encode(tag::SEQUENCE, &[&identifier, &hash]);
        let set = encode_attributes(vec![attribute(oid::SIGNATURE_POLICY, &value)]);
        SignedAttributes::parse(&set).unwrap().signature_policy().unwrap()
    };
    let zeros = read(oid::SHA256, &[5, 0], &[0; 32]);
    assert_eq!((&zeros.oid[..], zeros.uri), ("2.16.76.1.7.1.1.2.4", None));
    assert_eq!(zeros.hash.unwrap().as_bytes(), [0; 32]);
    assert_eq!(read(oid::SHA1, &[], &[0; 20]).hash, None);
    assert_eq!(read(oid::SHA256, &[], &[0; 20]).hash, None, "a hash that is cut short");

    // SignaturePolicyImplied: a policy is declared, but which one is not said.
    let implied = encode_attributes(vec![attribute(oid::SIGNATURE_POLICY, &[tag::NULL, 0])]);
    let implied = SignedAttributes::parse(&implied).unwrap();
    assert!(implied.declares_policy() && implied.signature_policy().is_none());
}

#[test]
fn the_first_known_vector_is_written_byte_for_byte() {
    let set = encode_attributes(vec![
        bytes(CADES_AD_RB),
        signing_certificate_v2(Digest::sha256(b"cert").as_bytes(), None),
        message_digest(&Digest::sha256(b"abc")),
        content_type(),
    ]);
    let expected = "3182011b301806092a864886f70d010903310b06092a864886f70d010701302f06092a864886f70d01090431220420ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad3037060b2a864886f70d010910022f3128302630243022042006298432e8066b29e2223bcc23aa9504b56ae508fabf3435508869b9c3190e22";
    assert_eq!(to_hex(&set), format!("{expected}{CADES_AD_RB}"));
}

#[test]
fn signing_time_changes_its_type_in_2050() {
    for (time, expected) in [
        ("2026-11-23T12:00:00.999Z", "310f170d3236313132333132303030305a"),
        ("2049-12-31T23:59:59Z", "310f170d3439313233313233353935395a"),
        ("2050-01-01T00:00:00Z", "3111180f32303530303130313030303030305a"),
    ] {
        let attribute = signing_time(time.parse().unwrap());
        assert!(to_hex(&attribute).ends_with(expected), "{}", to_hex(&attribute));
        let parsed = SignedAttributes::parse(&encode_attributes(vec![attribute])).unwrap();
        assert_eq!(parsed.signing_time().unwrap().to_string(), time.replace(".999", ""));
    }
}

#[test]
fn a_reference_is_to_one_certificate_only() {
    let (ana, bruno) = (testing::ana(), testing::bruno());
    let reference = |hash: &[u8], issuer_serial| {
        let set = encode_attributes(vec![signing_certificate_v2(hash, issuer_serial)]);
        SignedAttributes::parse(&set).unwrap().signing_certificate().unwrap().clone()
    };
    let of_ana = ana.sha256().as_bytes();
    let full = reference(of_ana, Some((ana.issuer(), ana.serial())));
    assert_eq!((full.refers_to(&ana), full.refers_to(&bruno)), (Some(true), Some(false)));
    assert_eq!(full.references, 1);
    assert_eq!(reference(of_ana, None).refers_to(&ana), Some(true));
    // Right hash beside the serial number of another certificate.
    assert_eq!(reference(of_ana, Some((ana.issuer(), bruno.serial()))).refers_to(&ana), Some(false));
}

#[test]
fn other_digests_in_a_reference_are_read_when_they_are_accepted() {
    let ana = testing::ana();
    for (oid, hash, expected) in [
        (oid::SHA512, Digest::of(DigestAlgorithm::Sha512, ana.der()).as_bytes().to_vec(), Some(true)),
        // SHA-256 spelled out though it is the default.
        (oid::SHA256, ana.sha256().as_bytes().to_vec(), Some(true)),
        (oid::SHA1, vec![0; 20], None),
    ] {
        let algorithm = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid.as_bytes()])]);
        let reference = encode(tag::SEQUENCE, &[&algorithm, &encode(tag::OCTET_STRING, &[&hash])]);
        let references = encode(tag::SEQUENCE, &[&reference, &reference]);
        let attribute = attribute(oid::SIGNING_CERTIFICATE_V2, &encode(tag::SEQUENCE, &[&references]));
        let parsed = SignedAttributes::parse(&encode_attributes(vec![attribute])).unwrap();
        let parsed = parsed.signing_certificate().unwrap();
        assert_eq!((parsed.refers_to(&ana), parsed.references), (expected, 2));
    }
}

#[test]
fn doubtful_attributes_are_refused() {
    let digest = message_digest(&Digest::sha256(b"abc"));
    let other = message_digest(&Digest::sha256(b"abd"));
    let values = |kind: ObjectIdentifier, values: &[u8]| {
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[kind.as_bytes()]), &encode(tag::SET, &[values])])
    };
    let octets = encode(tag::OCTET_STRING, &[&[0; 32]]);
    for (list, expected) in [
        (vec![digest.clone(), other], "each signed attribute only once"),
        (vec![digest.clone(), digest.clone()], "each signed attribute only once"),
        (
            vec![values(oid::MESSAGE_DIGEST, &[octets.clone(), octets.clone()].concat())],
            "one value per signed attribute",
        ),
        (vec![values(oid::MESSAGE_DIGEST, &[])], "an element is missing"),
        (vec![values(oid::MESSAGE_DIGEST, &[5, 0])], "an OCTET STRING in message-digest"),
        (vec![values(oid::CONTENT_TYPE, &octets)], "an identifier in content-type"),
        (vec![values(oid::SIGNING_TIME, &octets)], "a time in UTC"),
        (vec![values(oid::SIGNING_CERTIFICATE_V2, &[0x30, 2, 0x30, 0])], "an element is missing"),
        (vec![octets], "an Attribute"),
    ] {
        let error = SignedAttributes::parse(&encode_attributes(list)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} is not {expected}");
    }
    assert!(SignedAttributes::parse(&[0xa0, 0]).is_err(), "the stored form is not the signed one");
}

#[test]
fn an_order_that_is_not_der_is_noticed_and_can_be_mended() {
    let (short, long) = (content_type(), message_digest(&Digest::sha256(b"abc")));
    let sorted = encode_attributes(vec![long.clone(), short.clone()]);
    let unsorted = encode(tag::SET, &[&long, &short]);
    assert!(SignedAttributes::parse(&sorted).unwrap().is_sorted());
    assert!(!SignedAttributes::parse(&unsorted).unwrap().is_sorted());
    assert_eq!(SignedAttributes::sorted(&unsorted), sorted);
}

proptest! {
    #[test]
    fn what_is_planned_is_read_back(content in proptest::collection::vec(any::<u8>(), 0..50), unix_ms in 0_u64..253_402_300_799_000) {
        let time = Timestamp::from_unix_ms(unix_ms / 1000 * 1000).unwrap();
        let digest = Digest::sha256(&content);
        let set = encode_attributes(vec![signing_time(time), message_digest(&digest), content_type()]);
        let parsed = SignedAttributes::parse(&set).unwrap();
        prop_assert_eq!(parsed.message_digest(), Some(digest.as_bytes()));
        // UTCTime counts years from 1950 on, so 1970 to 2049 fit.
        prop_assert_eq!(parsed.signing_time(), Some(time));
        prop_assert!(parsed.is_sorted());
    }

    #[test]
    fn damaged_attributes_never_panic(at in 0_usize..4096, bit in 0_u8..8) {
        let ana = testing::ana();
        let mut set = encode_attributes(vec![
            content_type(),
            message_digest(&Digest::sha256(b"abc")),
            signing_certificate_v2(ana.sha256().as_bytes(), Some((ana.issuer(), ana.serial()))),
        ]);
        let original = SignedAttributes::parse(&set).unwrap();
        let at = at % set.len();
        set[at] ^= 1 << bit;
        if let Ok(damaged) = SignedAttributes::parse(&set) {
            prop_assert_ne!(damaged, original);
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
