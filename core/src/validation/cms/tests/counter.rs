//! Signatures over signatures.

use super::*;

/// A counter-signature over `value` by the holder with key 3.
fn counter(value: &[u8], set: impl FnOnce(&mut Forged)) -> (Vec<u8>, Vec<u8>) {
    let issue = Issue { serial: 7, ..Issue::holder("Witness TEST", 3, "Root TEST", 1) };
    let mut forged = Forged::by(&issue.certificate(), 3);
    forged.remove(oid::CONTENT_TYPE);
    forged.remove(oid::MESSAGE_DIGEST);
    let digest = encode(tag::OCTET_STRING, &[Digest::sha256(value).as_bytes()]);
    let kind = encode(tag::OID, &[oid::MESSAGE_DIGEST.as_bytes()]);
    forged.list().push(encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&digest])]));
    set(&mut forged);
    (forged.signer_info(), issue.certificate().der().to_vec())
}

fn countersigned(set: impl FnOnce(&mut Forged)) -> SignatureReport {
    let mut forged = Forged::new();
    let value = forged.value_over(&encode_set_of(tag::SET, forged.attributes.clone().unwrap()));
    forged.value = Some(value.clone());
    let (info, certificate) = counter(&value, set);
    let kind = encode(tag::OID, &[oid::COUNTER_SIGNATURE.as_bytes()]);
    forged.unsigned = Some(encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&info])]));
    forged.certificates.push(certificate);
    forged.report(&Forged::context())
}

#[test]
fn a_counter_signature_has_a_report_of_its_own() {
    let report = countersigned(|_| {});
    assert_eq!(verdict(&report), "passed", "{report:#?}");
    let [nested] = &report.counter_signatures[..] else { panic!("one counter-signature") };
    assert_eq!(verdict(nested), "passed", "{nested:#?}");
    assert_eq!(nested.signer.as_ref().unwrap().serial, "07");
    let text = Report::new(now(), vec![report]).to_string();
    assert!(text.contains("\n    Signature 1 (CAdES): valid\n"), "{text}");
}

#[test]
fn a_counter_signature_over_other_bytes_is_noticed() {
    let report = countersigned(|forged| {
        forged.remove(oid::MESSAGE_DIGEST);
        let digest = encode(tag::OCTET_STRING, &[Digest::sha256(b"another value").as_bytes()]);
        let kind = encode(tag::OID, &[oid::MESSAGE_DIGEST.as_bytes()]);
        forged.list().push(encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&digest])]));
    });
    assert_eq!(verdict(&report), "indeterminate SIG_CONSTRAINTS_FAILURE", "{report:#?}");
    assert_eq!(verdict(&report.counter_signatures[0]), "failed HASH_FAILURE");
}

#[test]
fn a_document_signature_is_no_counter_signature() {
    let report = countersigned(|forged| {
        let kind = encode(tag::OID, &[oid::CONTENT_TYPE.as_bytes()]);
        let data = encode(tag::OID, &[oid::DATA.as_bytes()]);
        forged.list().push(encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&data])]));
    });
    assert_eq!(verdict(&report.counter_signatures[0]), "failed FORMAT_FAILURE");
    assert_eq!(verdict(&report), "indeterminate SIG_CONSTRAINTS_FAILURE");
}

#[test]
fn a_counter_signature_that_cannot_be_read_is_noticed() {
    let mut forged = Forged::new();
    let kind = encode(tag::OID, &[oid::COUNTER_SIGNATURE.as_bytes()]);
    forged.unsigned = Some(encode(tag::SEQUENCE, &[&kind, &encode(tag::SET, &[&[tag::NULL, 0]])]));
    assert_eq!(verdict(&forged.report(&Forged::context())), "indeterminate SIG_CONSTRAINTS_FAILURE");
}

#[test]
fn too_many_counter_signatures_reach_a_limit_that_has_a_name() {
    let mut forged = Forged::new();
    let kind = encode(tag::OID, &[oid::COUNTER_SIGNATURE.as_bytes()]);
    let values = encode(tag::SET, &[&[tag::NULL, 0].repeat(21)]);
    forged.unsigned = Some(encode(tag::SEQUENCE, &[&kind, &values]));
    let report = forged.report(&Forged::context());
    let limit = |finding: &Finding| finding.evidence.starts_with("limit_exceeded: at most 20");
    assert!(report.findings.iter().any(limit), "{report:#?}");
    assert_eq!(report.indication, Indication::Indeterminate);
}
