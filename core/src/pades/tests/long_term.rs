//! Validation data and document time stamps.

use super::*;
use crate::cades;
use crate::digest::{Digest, DigestAlgorithm};
use crate::tsp::testing::Authority;

fn at() -> Timestamp {
    "2027-03-01T12:00:00.500Z".parse().unwrap()
}

fn data(certificates: &[&[u8]], crls: &[&[u8]], ocsp: &[&[u8]]) -> ValidationData {
    let owned = |list: &[&[u8]]| list.iter().map(|der| der.to_vec()).collect();
    ValidationData {
        certificates: owned(certificates),
        crls: owned(crls),
        ocsp_responses: owned(ocsp),
        policy: None,
    }
}

fn with_data(file: &[u8], entries: &[(&str, &ValidationData)]) -> Vec<u8> {
    [file, &add_validation_data(file, entries, at()).unwrap()].concat()
}

fn stamped(file: &[u8]) -> Vec<u8> {
    let plan = prepare_time_stamp(file, &TimeStampOptions::default()).unwrap();
    [file, &plan.embed(&Authority::new().stamp(plan.imprint(), at())).unwrap()].concat()
}

fn store(file: &[u8]) -> Dictionary {
    let (catalog, ..) = parts(file);
    Document::open(file).unwrap().dictionary(&catalog, b"DSS").unwrap().unwrap()
}

/// Decoded streams of a list.
fn streams(file: &[u8], dictionary: &Dictionary, key: &[u8]) -> Vec<Vec<u8>> {
    let document = Document::open(file).unwrap();
    let Some(value) = dictionary.get(key) else { return Vec::new() };
    let list = match document.resolve(value) {
        Ok(Object::Array(items)) => items,
        _ => vec![value.clone()],
    };
    list.iter()
        .map(|item| {
            let object = document.object(item.as_reference().unwrap()).unwrap().unwrap();
            document.stream_data(&object).unwrap().unwrap()
        })
        .collect()
}

/// The entry of a signature, by the field of the form.
fn entry(file: &[u8], field: &str) -> Dictionary {
    let document = Document::open(file).unwrap();
    let fields = crate::pdf::signature_fields(&document).unwrap();
    let value = &fields.iter().find(|other| other.name == field).unwrap().value;
    let signature = document.resolve(value).unwrap();
    let contents = signature.as_dictionary().unwrap().get(b"Contents").unwrap().as_string().unwrap();
    let key = crate::digest::to_hex(&crate::digest::sha1(contents)).to_uppercase();
    let entries = document.dictionary(&store(file), b"VRI").unwrap().unwrap();
    document.dictionary(&entries, key.as_bytes()).unwrap().unwrap()
}

#[test]
fn validation_data_are_stored_with_an_entry_for_their_signature() {
    let signed = sign(&Sample::new().table());
    let crl = vec![7; 5000];
    let file = with_data(&signed, &[("Signature1", &data(&[b"one", b"two"], &[&crl], &[b"ocsp"]))]);
    assert!(file.starts_with(&signed));
    assert!(file.len() - signed.len() < 2500, "a long list is compressed");
    let dss = store(&file);
    assert!(dss.has_name(b"Type", b"DSS"));
    assert_eq!(streams(&file, &dss, b"Certs"), [b"one", b"two"]);
    assert_eq!(streams(&file, &dss, b"CRLs"), std::slice::from_ref(&crl));
    assert_eq!(streams(&file, &dss, b"OCSPs"), [b"ocsp"]);
    let entry = entry(&file, "Signature1");
    assert!(entry.has_name(b"Type", b"VRI"));
    assert_eq!(streams(&file, &entry, b"Cert"), [b"one", b"two"]);
    assert_eq!(streams(&file, &entry, b"CRL"), [crl]);
    assert_eq!(streams(&file, &entry, b"OCSP"), [b"ocsp"]);
    assert_eq!(entry.get(b"TU"), Some(&Object::String(b"D:20270301120000Z".to_vec())));
}

#[test]
fn more_data_are_merged_and_nothing_is_stored_twice() {
    let twice = sign(&sign(&Sample::new().stream(&[1, 2])));
    let first = data(&[b"root", b"one"], &[b"crl"], &[]);
    let second = data(&[b"two", b"root"], &[b"crl"], &[b"ocsp"]);
    let file = with_data(&with_data(&twice, &[("Signature1", &first)]), &[("Signature2", &second)]);
    let dss = store(&file);
    assert_eq!(streams(&file, &dss, b"Certs"), [&b"root"[..], b"one", b"two"]);
    assert_eq!(streams(&file, &dss, b"CRLs"), [b"crl"]);
    assert_eq!(streams(&file, &entry(&file, "Signature1"), b"Cert"), [&b"root"[..], b"one"]);
    assert_eq!(streams(&file, &entry(&file, "Signature2"), b"Cert"), [&b"two"[..], b"root"]);
    let at_once = with_data(&twice, &[("Signature1", &first), ("Signature2", &second)]);
    assert_eq!(streams(&at_once, &store(&at_once), b"Certs"), streams(&file, &dss, b"Certs"));
    let again = add_validation_data(&file, &[("Signature2", &second), ("Signature1", &first)], at());
    assert_eq!(again.unwrap(), b"", "everything is there already");
    let more = with_data(&file, &[("Signature1", &data(&[b"three"], &[], &[]))]);
    assert_eq!(streams(&more, &entry(&more, "Signature1"), b"Cert"), [&b"root"[..], b"one", b"three"]);
}

#[test]
fn a_store_of_another_program_is_kept() {
    let file = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /DSS 5 0 R>>")
        .with(5, "<</Certs 6 0 R /CRLs [7 0 R] /Own (x) /VRI <</ABC 8 0 R>>>>")
        .with(6, "[9 0 R 10 0 R]")
        .with(7, "<</Length 3>>\nstream\ncrl\nendstream")
        .with(8, "<</Cert 6 0 R /TS 9 0 R>>")
        .with(9, "<</Length 4>>\nstream\nroot\nendstream")
        .with(10, "<</Length 4 /Filter /Unknown>>\nstream\nodd \nendstream")
        .table();
    let signed = sign(&file);
    let file = with_data(&signed, &[("Signature1", &data(&[b"root", b"new"], &[b"crl"], &[]))]);
    let document = Document::open(&file).unwrap();
    let dss = store(&file);
    assert_eq!(dss.get(b"Own"), Some(&Object::String(b"x".to_vec())));
    assert_eq!(length(&file, &dss, b"Certs"), 3);
    assert_eq!(length(&file, &dss, b"CRLs"), 1);
    let entries = document.dictionary(&dss, b"VRI").unwrap().unwrap();
    let old = document.dictionary(&entries, b"ABC").unwrap().unwrap();
    assert_eq!(length(&file, &old, b"Cert"), 2, "the array that two dictionaries share is left alone");
    assert_eq!(streams(&file, &entry(&file, "Signature1"), b"Cert"), [&b"root"[..], b"new"]);
}

#[test]
fn the_artefacts_of_a_policy_are_stored_as_icp_brasil_asks() {
    let signed = sign(&Sample::new().table());
    let policy = PolicyArtifacts {
        policy: b"policy".to_vec(),
        list: b"list".to_vec(),
        list_signature: b"signature".to_vec(),
    };
    let data = ValidationData { policy: Some(policy), ..data(&[b"one"], &[b"crl"], &[]) };
    let file = with_data(&signed, &[("Signature1", &data)]);
    let (dss, entry) = (store(&file), entry(&file, "Signature1"));
    for (name, bytes) in [("Policy", &b"policy"[..]), ("Lpa", b"list")] {
        let key = |dictionary: &str| format!("PBAD_{name}Artifact{dictionary}").into_bytes();
        assert_eq!(streams(&file, &dss, &key("s")), [bytes]);
        assert_eq!(streams(&file, &entry, &key("")), [bytes]);
    }
    assert_eq!(streams(&file, &dss, b"PBAD_LpaSignatures"), [b"signature"]);
    assert_eq!(streams(&file, &entry, b"PBAD_LpaSignature"), [b"signature"]);
    assert_eq!(add_validation_data(&file, &[("Signature1", &data)], at()).unwrap(), b"");
}

#[test]
fn data_for_no_signature_are_refused() {
    let file = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [5 0 R 6 0 R]>>>>")
        .with(5, "<</FT /Sig /T (a) /V (x)>>")
        .with(6, "<</FT /Sig /T (b) /V <</Type /Sig>>>>")
        .table();
    let code = |field: &str| {
        add_validation_data(&file, &[(field, &data(&[b"x"], &[], &[]))], at()).unwrap_err().code()
    };
    assert_eq!(code("missing"), ErrorCode::SignatureFieldNotFound);
    assert_eq!(code("a"), ErrorCode::SignatureNotExtendable);
    assert_eq!(code("b"), ErrorCode::SignatureNotExtendable);
}

#[test]
fn a_document_time_stamp_covers_the_whole_file_and_can_be_renewed() {
    let options = Options { certify: Some(Certification::NoChanges), ..options() };
    let certified = sign_with(&Sample::new().table(), &options).unwrap();
    let file = with_data(&certified, &[("Signature1", &data(&[b"one"], &[], &[]))]);
    let first = stamped(&file);
    let second = stamped(&with_data(&first, &[("Signature2", &data(&[b"tsa"], &[], &[]))]));
    assert!(second.starts_with(&first) && first.starts_with(&file));
    let document = Document::open(&second).unwrap();
    let fields = crate::pdf::signature_fields(&document).unwrap();
    assert_eq!(
        fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
        ["Signature1", "Signature2", "Signature3"]
    );
    let stamp = document.resolve(&fields[2].value).unwrap();
    let stamp = stamp.as_dictionary().unwrap();
    let keys: Vec<_> = stamp.entries().map(|(key, _)| key).collect();
    assert_eq!(keys, [&b"Type"[..], b"Filter", b"SubFilter", b"ByteRange", b"Contents"]);
    assert!(stamp.has_name(b"Type", b"DocTimeStamp") && stamp.has_name(b"SubFilter", b"ETSI.RFC3161"));
    let range: Vec<usize> = stamp
        .get(b"ByteRange")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|number| usize::try_from(number.as_integer().unwrap()).unwrap())
        .collect();
    let signed = [&second[..range[1]], &second[range[2]..]].concat();
    assert_eq!(range[2] + range[3], second.len());
    let token = crate::tsp::TimeStampToken::from_der(
        &stamp.get(b"Contents").unwrap().as_string().unwrap()
            [..Authority::new().stamp(&Digest::sha256(&signed), at()).len()],
    );
    assert_eq!(token.unwrap().imprint(), Some(&Digest::sha256(&signed)));
}

#[test]
fn only_the_token_that_was_asked_for_is_embedded() {
    let file = sign(&Sample::new().table());
    let plan = prepare_time_stamp(&file, &TimeStampOptions::default()).unwrap();
    let code = |token: &[u8]| plan.embed(token).unwrap_err().code();
    let authority = Authority::new();
    assert_eq!(code(&authority.stamp(&Digest::sha256(b"other"), at())), ErrorCode::TimeStampInvalid);
    assert_eq!(code(b"x"), ErrorCode::TimeStampInvalid);
    let mut broken = authority.stamp(plan.imprint(), at());
    *broken.last_mut().unwrap() ^= 1;
    assert_eq!(code(&broken), ErrorCode::TimeStampInvalid);
    let anonymous = Authority { with_certificate: false, ..authority.clone() };
    assert_eq!(code(&anonymous.stamp(plan.imprint(), at())), ErrorCode::TimeStampInvalid);
    let small = TimeStampOptions { reserve: 100, ..TimeStampOptions::default() };
    let plan = prepare_time_stamp(&file, &small).unwrap();
    let token = authority.stamp(plan.imprint(), at());
    assert_eq!(plan.embed(&token).unwrap_err().code(), ErrorCode::ContentsSlotTooSmall);
}

#[test]
fn a_time_stamp_plan_is_the_same_each_time_and_survives_storage() {
    let file = sign(&Sample::new().stream(&[1, 2]));
    let options =
        TimeStampOptions { digest_algorithm: DigestAlgorithm::Sha512, ..TimeStampOptions::default() };
    let plan = prepare_time_stamp(&file, &options).unwrap();
    assert_eq!(plan, prepare_time_stamp(&file, &options).unwrap());
    assert_eq!(plan.imprint().algorithm(), DigestAlgorithm::Sha512);
    assert_eq!(plan.original_length(), file.len() as u64);
    assert_eq!(plan.original_digest(), &Digest::sha256(&file));
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(serde_json::from_value::<TimeStampPlan>(json.clone()).unwrap(), plan);
    for (key, wrong) in [
        ("version", serde_json::json!(2)),
        ("slot", serde_json::json!({ "start": 10, "end": 20 })),
        ("appended", serde_json::json!("!")),
        ("unknown", serde_json::json!(1)),
    ] {
        let mut stored = json.clone();
        stored[key] = wrong;
        assert!(serde_json::from_value::<TimeStampPlan>(stored).is_err(), "{key}");
    }
}

#[test]
fn a_signature_time_stamp_fits_into_the_reserve_and_leaves_the_signature_as_it_was() {
    let file = Sample::new().table();
    let stamped_cms = |plan: &PdfPlan| {
        let cms = plan.assemble(&value(plan)).unwrap();
        let imprint = cades::signature_time_stamp_imprint(&cms, 0, DigestAlgorithm::Sha256).unwrap();
        let token = Authority::new().token(&imprint, at());
        cades::add_signature_time_stamp(&cms, 0, &token).unwrap()
    };
    let reserved = Options { time_stamp_reserve: TIME_STAMP_RESERVE_BYTES, ..options() };
    let plan = prepare(&file, &signer(), &[], &reserved).unwrap();
    let signed = [&file[..], &plan.embed_cms(&stamped_cms(&plan)).unwrap()].concat();
    let signature = validate(&signed).signatures.remove(0);
    assert_eq!(signature.covers_whole_file, Some(true));
    assert_eq!(signature.indication, Indication::Passed);
    let more = with_data(&signed, &[("Signature1", &data(&[b"one"], &[], &[]))]);
    assert_eq!(streams(&more, &entry(&more, "Signature1"), b"Cert"), [b"one"]);
}
