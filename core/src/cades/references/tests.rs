use super::*;
use crate::ErrorCode;
use crate::cades::{
    self, Options, Stamp, StampKind, add_archive_time_stamp_v2, add_archive_time_stamp_v3,
    add_esc_time_stamp, add_evidence_to_archive, add_signature_time_stamp, add_validation_data,
    archive_time_stamp_v2_imprint, archive_time_stamp_v3_imprint, embedded_evidence, esc_time_stamp_imprint,
    signature_time_stamp_imprint, stamps,
};
use crate::cms::SignedAttributes;
use crate::digest::DigestAlgorithm;
use crate::icp_brasil::signature_policy::{self, Family, Observed, Profile};
use crate::testing::{self, now};
use crate::tsp::TimeStampToken;
use crate::tsp::testing::Authority;
use crate::validation::Content;

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const CONTENT: Content<'_> = Content::Bytes(b"abc");

fn token(imprint: &Digest, minutes: u64) -> TimeStampToken {
    Authority::new().token(imprint, now().plus(core::time::Duration::from_secs(60 * minutes)))
}

fn path() -> [Certificate; 4] {
    [testing::ana(), testing::ca2(), testing::ca1(), testing::root()]
}

/// A list of this issuer that nobody signed: whether it is right is for verification to say.
fn crl(issuer: &Certificate, number: u8) -> Crl {
    let algorithm = crate::x509::SignatureAlgorithm::EcdsaSha256.to_identifier();
    let number = testing::extension(
        const_oid::ObjectIdentifier::new_unwrap("2.5.29.20"),
        false,
        &[tag::INTEGER, 1, number],
    );
    let extensions = encode(tag::context_constructed(0), &[&encode(tag::SEQUENCE, &[&number])]);
    let list = encode(
        tag::SEQUENCE,
        &[
            &[tag::INTEGER, 1, 1],
            &algorithm,
            issuer.subject(),
            &encode(tag::UTC_TIME, &[b"261123110000Z"]),
            &encode(tag::UTC_TIME, &[b"261124110000Z"]),
            &extensions,
        ],
    );
    let bits = encode(tag::BIT_STRING, &[&[0, 1]]);
    Crl::from_der(&encode(tag::SEQUENCE, &[&list, &algorithm, &bits])).unwrap()
}

fn evidence() -> Evidence {
    let [_, ca2, ca1, root] = path();
    Evidence {
        crls: vec![crl(&ca2, 3), crl(&ca1, 2), crl(&root, 1)],
        ocsp_responses: vec![ocsp()],
        certificates: vec![ca2, ca1, root],
    }
}

fn ocsp() -> OcspResponse {
    OcspResponse::from_der(include_bytes!("../../../testdata/revocation/ocsp-good.der")).unwrap()
}

fn with_time_stamp(profile: Option<Profile>) -> Vec<u8> {
    let policy = profile.and_then(|profile| signature_policy::current(Family::Cades, profile));
    let options = Options { policy, ..Options::new(now()) };
    let plan = cades::prepare(&Digest::sha256(b"abc"), &testing::ana(), &[], &options).unwrap();
    let basic = plan.assemble(&testing::sign_rsa(&plan.to_sign())).unwrap();
    let imprint = signature_time_stamp_imprint(&basic, 0, SHA256).unwrap();
    add_signature_time_stamp(&basic, 0, &token(&imprint, 1)).unwrap()
}

fn with_esc(profile: Option<Profile>) -> Vec<u8> {
    let cms = add_references(&with_time_stamp(profile), 0, &path(), &evidence()).unwrap();
    let imprint = esc_time_stamp_imprint(&cms, 0, SHA256).unwrap();
    add_esc_time_stamp(&cms, 0, &token(&imprint, 2)).unwrap()
}

fn with_archive(cms: &[u8], minutes: u64) -> Vec<u8> {
    let imprint = archive_time_stamp_v2_imprint(cms, 0, CONTENT, SHA256).unwrap();
    add_archive_time_stamp_v2(cms, 0, CONTENT, &token(&imprint, minutes)).unwrap()
}

fn assert_keeps_to(profile: Profile, cms: &[u8]) {
    let policy = signature_policy::current(Family::Cades, profile).unwrap();
    let signed_data = &SignedData::parse(cms).unwrap();
    let signer = &signed_data.signers()[0];
    let attributes = &SignedAttributes::parse(signer.signed_attributes.as_ref().unwrap()).unwrap();
    let observed = Observed { container: Family::Cades, signed_data, signer, attributes, at: now() };
    assert_eq!(policy.breaches(&observed), [], "{policy}");
}

#[test]
fn each_profile_of_icp_brasil_is_reached_and_kept_to() {
    assert_keeps_to(Profile::Rt, &with_time_stamp(Some(Profile::Rt)));
    assert_keeps_to(Profile::Rv, &with_esc(Some(Profile::Rv)));
    let complete = add_values(&with_esc(Some(Profile::Rc)), 0, &evidence()).unwrap();
    assert_keeps_to(Profile::Rc, &complete);
    let archived = with_archive(&add_values(&with_esc(Some(Profile::Ra)), 0, &evidence()).unwrap(), 3);
    assert_keeps_to(Profile::Ra, &archived);

    // Renewal: what verifies the last stamp goes into its token, which the next one covers.
    let more = Evidence { crls: vec![crl(&testing::root(), 9)], ..Evidence::default() };
    let enriched = add_evidence_to_archive(&archived, 0, &more).unwrap();
    let renewed = with_archive(&enriched, 4);
    let found = stamps(&renewed, 0, CONTENT).unwrap();
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(Stamp::is_bound), "{found:?}");
    let latest = found.last().unwrap();
    assert!(latest.covers(found[2].token.as_ref().unwrap().der()));
    let brought = embedded_evidence(&renewed, 0).unwrap();
    assert_eq!(brought.crls.len(), 4);
}

#[test]
fn what_is_embedded_is_gathered_from_every_place() {
    let values = add_values(&with_esc(None), 0, &evidence()).unwrap();
    let brought = embedded_evidence(&values, 0).unwrap();
    assert_eq!(brought.crls, evidence().crls);
    assert_eq!(brought.ocsp_responses[0].basic_der(), ocsp().basic_der());
    // ana and the authority of the time stamps from SignedData and tokens, the others from the values.
    assert_eq!(brought.certificates.len(), 5);

    let stamped = with_time_stamp(None);
    let lt = add_validation_data(&stamped, 0, &evidence()).unwrap();
    let brought = embedded_evidence(&lt, 0).unwrap();
    assert_eq!((brought.crls.len(), brought.certificates.len()), (3, 5));
    assert_eq!(brought.ocsp_responses, [ocsp()]);
    assert!(embedded_evidence(&lt, 1).is_err());
}

#[test]
fn the_long_term_levels_of_etsi_are_reached() {
    let lt = add_validation_data(&with_time_stamp(None), 0, &evidence()).unwrap();
    let again = add_validation_data(&lt, 0, &evidence()).unwrap();
    assert_eq!(again, lt, "nothing twice");
    let imprint = archive_time_stamp_v3_imprint(&lt, 0, CONTENT, SHA256).unwrap();
    let lta = add_archive_time_stamp_v3(&lt, 0, CONTENT, &token(&imprint, 2)).unwrap();
    let found = stamps(&lta, 0, CONTENT).unwrap();
    assert_eq!(
        found.iter().map(|stamp| stamp.kind).collect::<Vec<_>>(),
        [StampKind::Signature, StampKind::ArchiveV3]
    );
    assert!(found.iter().all(Stamp::is_bound));
    // Nothing that the level forbids.
    let signed = SignedData::parse(&lta).unwrap();
    let kinds = signed.signers()[0].unsigned_attributes().iter().map(|attribute| attribute.kind());
    let allowed = [oid::SIGNATURE_TIME_STAMP, oid::ARCHIVE_TIME_STAMP_V3].map(|kind| kind.to_string());
    assert!(kinds.into_iter().all(|kind| allowed.contains(&kind)));
}

#[test]
fn each_step_asks_for_the_one_before() {
    let stamped = with_time_stamp(None);
    let basic = include_bytes!("../../../testdata/cms/ana-cades.p7s");
    let with_references = with_esc(None);
    let with_values = add_values(&with_references, 0, &evidence()).unwrap();
    let archived = with_archive(&with_values, 3);
    let no_crl = Evidence { crls: evidence().crls[..2].to_vec(), ..evidence() };
    let no_certificate = Evidence { certificates: vec![testing::root()], ..evidence() };
    let new = Evidence { certificates: vec![testing::selo()], ..Evidence::default() };
    let foreign = [testing::bruno(), testing::ca2(), testing::ca1(), testing::root()];
    for (result, expected) in [
        (add_references(basic, 0, &path(), &evidence()), "no signature time stamp"),
        (add_references(&stamped, 1, &path(), &evidence()), "no such signer"),
        (add_references(&stamped, 0, &[], &evidence()), "no path"),
        (add_references(&stamped, 0, &foreign, &evidence()), "not the one of the signer"),
        (add_references(&stamped, 0, &path(), &no_crl), "no revocation data"),
        (add_references(&with_references, 0, &path(), &evidence()), "references already"),
        (add_values(&stamped, 0, &evidence()), "no references"),
        (add_values(&with_references, 0, &no_crl), "revocation data that is referred to"),
        (add_values(&with_references, 0, &no_certificate), "a certificate that is referred to"),
        (add_values(&with_values, 0, &evidence()), "values already"),
        (add_values(&archived, 0, &evidence()), "archive time stamp"),
        (add_validation_data(basic, 0, &evidence()), "no signature time stamp"),
        (add_validation_data(&archived, 0, &new), "archive time stamp"),
        (add_evidence_to_archive(&with_values, 0, &new), "no archive time stamp"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SignatureNotExtendable);
        assert!(error.to_string().contains(expected), "{error} is not {expected}");
    }
}

#[test]
fn references_have_the_structure_of_rfc_5126() {
    let good = Certificate::from_pem_or_der(include_bytes!("../../../testdata/revocation/good.pem")).unwrap();
    let ca = Certificate::from_pem_or_der(include_bytes!("../../../testdata/revocation/ca.pem")).unwrap();
    let list = Crl::from_der(include_bytes!("../../../testdata/revocation/ca.crl")).unwrap();
    let evidence = Evidence { crls: vec![list.clone()], ocsp_responses: vec![ocsp()], ..Evidence::default() };
    let reference = revocation_reference(&good, &ca, &evidence).unwrap();
    let hashes = revocation_hashes(&encode(tag::SEQUENCE, &[&reference])).unwrap();
    let basic = Digest::sha256(ocsp().basic_der());
    assert_eq!(hashes, [list.sha256().as_bytes().to_vec(), basic.as_bytes().to_vec()]);

    let of_ca = certificate_reference(&ca);
    let hashes = certificate_hashes(&encode(tag::SEQUENCE, &[&of_ca])).unwrap();
    assert_eq!(hashes, [ca.sha256().as_bytes().to_vec()]);
    // Another person's data are not referred to.
    assert!(revocation_reference(&testing::ana(), &testing::ca2(), &evidence).is_err());
}

#[test]
fn sha_1_references_of_others_are_read() {
    let hash = encode(tag::OCTET_STRING, &[&[7; 20]]);
    let references = encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&hash])]);
    assert_eq!(certificate_hashes(&references).unwrap(), [vec![7; 20]]);
    assert!(certificate_hashes(&[5, 0]).is_err() && revocation_hashes(&[0x30, 2, 5, 0]).is_err());
}
