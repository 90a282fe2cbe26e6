use proptest::prelude::*;

use super::*;
use crate::cades::{
    add_archive_time_stamp_v3, add_validation_data, archive_time_stamp_v3_imprint, embedded_evidence,
};
use crate::cms::{SignedData, verify_signer};
use crate::revocation::{Crl, Evidence};
use crate::testing::now;
use crate::tsp::testing::Authority;

const RSA: &[u8] = include_bytes!("../../../testdata/cades/pyhanko-t.p7s");
const ECDSA: &[u8] = include_bytes!("../../../testdata/cades/pyhanko-t-ecdsa.p7s");
const CONTENT: Content<'_> = Content::Bytes(b"abc");

fn assert_signature_verifies(cms: &[u8]) {
    let signed = SignedData::parse(cms).unwrap();
    let content_type = Some(oid::DATA.as_bytes());
    let verified = verify_signer(&signed.signers()[0], signed.certificates(), content_type, |algorithm| {
        Digest::of(algorithm, b"abc")
    });
    assert!(verified.is_ok(), "{verified:?}");
}

#[test]
fn time_stamps_in_signatures_by_pyhanko_are_bound_and_verify() {
    for file in [RSA, ECDSA] {
        assert_signature_verifies(file);
        let found = stamps(file, 0, CONTENT).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, StampKind::Signature);
        assert!(found[0].is_bound() && !found[0].covers(file));
        let tsa = found[0].token.as_ref().unwrap().verify(&[]).unwrap();
        assert_eq!(tsa.subject_common_name(), "Carimbo do Tempo TEST");
        let brought = embedded_evidence(file, 0).unwrap();
        assert!(brought.certificates.contains(&tsa));
        // Signer, both authorities, time stamp.
        assert_eq!(brought.certificates.len(), 4);
    }
}

#[test]
fn signatures_by_pyhanko_are_archived_without_being_disturbed() {
    let list = include_bytes!("../../../testdata/revocation/ca.crl");
    let evidence = Evidence { crls: vec![Crl::from_der(list).unwrap()], ..Evidence::default() };
    let later = now().plus(core::time::Duration::from_secs(24 * 60 * 60));
    for file in [RSA, ECDSA] {
        let with_data = add_validation_data(file, 0, &evidence).unwrap();
        let algorithm = DigestAlgorithm::Sha512;
        let imprint = archive_time_stamp_v3_imprint(&with_data, 0, CONTENT, algorithm).unwrap();
        let token = Authority::new().token(&imprint, later);
        let archived = add_archive_time_stamp_v3(&with_data, 0, CONTENT, &token).unwrap();
        assert_signature_verifies(&archived);
        let found = stamps(&archived, 0, CONTENT).unwrap();
        assert!(found.len() == 2 && found.iter().all(Stamp::is_bound));
        let stamped_first = found[0].token.as_ref().unwrap();
        assert!(found[1].covers(stamped_first.der()) && found[1].covers(list));
    }
}

proptest! {
    #[test]
    fn damaged_files_never_panic(at in 0_usize..1_000_000, bit in 0_u8..8) {
        let mut damaged = RSA.to_vec();
        let at = at % damaged.len();
        damaged[at] ^= 1 << bit;
        if let Ok(found) = stamps(&damaged, 0, CONTENT) {
            prop_assert!(found.len() <= 1);
        }
        let _ = embedded_evidence(&damaged, 0);
    }
}
