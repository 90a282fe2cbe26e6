//! Preparing and embedding, over files of every kind, checked by our own validation. Foreign programs check
//! the same files in the end-to-end tests.

use base64ct::Encoding as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};

mod appearance;
mod concerns;
mod encrypted;
mod fields;
mod long_term;
mod policy;
mod properties;

use super::*;
use crate::Timestamp;
use crate::pdf::sample::{Sample, append, find, replaced};
use crate::pdf::{Dictionary, Document, File, Object, Reference};
use crate::validation::{Context, Indication, Report, validate_pdf};
use crate::x509::{Certificate, TrustAnchors};

/// Private key of `testdata/pdf/signer-test.der`, TEST.
const KEY: [u8; 32] = [
    0x30, 0xcb, 0xd0, 0x57, 0x9a, 0xad, 0xcd, 0x7b, 0x1d, 0xb2, 0xbf, 0xd4, 0xa7, 0x04, 0x3f, 0x15, 0x16,
    0x3b, 0xe8, 0x9a, 0xa6, 0x9a, 0x2f, 0x64, 0xdb, 0x8d, 0x0a, 0x3a, 0x44, 0x48, 0x3c, 0x58,
];

pub(crate) fn signer() -> Certificate {
    Certificate::from_der(include_bytes!("../../testdata/pdf/signer-test.der")).unwrap()
}

pub(crate) fn context() -> Context {
    let root = Certificate::from_der(include_bytes!("../../testdata/pdf/root-test.der")).unwrap();
    let anchors = TrustAnchors::new(vec![root]);
    Context::new(anchors, "2027-03-01T12:00:00Z".parse().unwrap()).without_revocation()
}

pub(super) fn options() -> Options {
    Options::new("2027-02-28T09:30:05.900Z".parse::<Timestamp>().unwrap())
}

fn plan(file: &[u8]) -> Result<PdfPlan, PadesError> {
    prepare(file, &signer(), &[], &options())
}

fn value(plan: &PdfPlan) -> Vec<u8> {
    value_of(&plan.to_sign())
}

/// The signature value of the test key over a digest.
pub(crate) fn value_of(digest: &crate::digest::Digest) -> Vec<u8> {
    let key = SigningKey::from_slice(&KEY).unwrap();
    let signature: Signature = key.sign_prehash(digest.as_bytes()).unwrap();
    signature.to_bytes().to_vec()
}

/// The signed file.
pub(crate) fn sign(file: &[u8]) -> Vec<u8> {
    sign_with(file, &options()).unwrap()
}

/// The signed file, or why there is none.
pub(super) fn sign_with(file: &[u8], options: &Options) -> Result<Vec<u8>, PadesError> {
    let plan = prepare(file, &signer(), &[], options)?;
    Ok([file, &plan.embed(&value(&plan))?].concat())
}

fn validate(file: &[u8]) -> Report {
    validate_pdf(file, &context()).unwrap()
}

fn check_passed(file: &[u8], signatures: usize) {
    let report = validate(file);
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    assert_eq!(report.signatures.len(), signatures);
    let last = report.signatures.last().unwrap();
    assert_eq!(last.covers_whole_file, Some(true));
    assert_eq!(last.field, Some(format!("Signature{signatures}")));
    assert_eq!(last.claimed_time.unwrap().to_string(), "2027-02-28T09:30:05Z");
}

/// Catalogue, form and first page after signing.
fn parts(file: &[u8]) -> (Dictionary, Dictionary, Dictionary) {
    let document = Document::open(file).unwrap();
    let (_, catalog) = document.catalog().unwrap();
    let form = document.dictionary(&catalog, b"AcroForm").unwrap().unwrap();
    let (_, page) = document.first_page(&catalog).unwrap();
    (catalog, form, page)
}

fn length(file: &[u8], dictionary: &Dictionary, key: &[u8]) -> usize {
    Document::open(file).unwrap().value(dictionary, key).unwrap().unwrap().as_array().unwrap().len()
}

fn check_refused(file: &[u8], code: ErrorCode) {
    assert_eq!(plan(file).unwrap_err().code(), code, "{}", String::from_utf8_lossy(file));
}

#[test]
fn every_kind_of_file_is_signed_three_times_in_a_row() {
    let form = "<</Type /Catalog /Pages 2 0 R /AcroForm 5 0 R>>";
    let samples = [
        Sample::new(),
        Sample::new().with(1, form).with(5, "<</Fields [] /SigFlags 1>>"),
        Sample::new().with(1, form).with(5, "<</Fields 6 0 R /DA (/Helv 0 Tf)>>").with(6, "[]"),
        Sample::new().with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm null>>"),
        Sample::new().with(3, "<</Type /Page /Parent 2 0 R /Annots 5 0 R>>").with(5, "[]"),
        Sample::new().with(3, "<</Type /Page /Parent 2 0 R /Annots null>>"),
        Sample::new().with(1, "<</Type /Catalog /Pages 2 0 R /Extensions 5 0 R>>").with(5, "<<>>"),
    ];
    let foreign = [
        &include_bytes!("../../testdata/pdf/plain.pdf")[..],
        include_bytes!("../../testdata/pdf/form.pdf"),
        include_bytes!("../../testdata/pdf/object-streams.pdf"),
        include_bytes!("../../testdata/pdf/linearized.pdf"),
        include_bytes!("../../testdata/pdf/linearized-object-streams.pdf"),
        include_bytes!("../../testdata/pdf/pypdf-updated.pdf"),
        include_bytes!("../../testdata/pdf/encrypted-aes256.pdf"),
    ];
    let packed = [1, 2, 3];
    let files =
        samples.iter().flat_map(|sample| [sample.table(), sample.stream(&[]), sample.stream(&packed)]);
    for file in files.chain(foreign.map(<[u8]>::to_vec)) {
        let mut signed = file.clone();
        for count in 1..=3 {
            signed = sign(&signed);
            check_passed(&signed, count);
        }
        assert!(signed.starts_with(&file));
        let (_, form, page) = parts(&signed);
        assert_eq!(form.get(b"SigFlags"), Some(&Object::Integer(3)));
        let others = usize::from(find(&file, b"(Nome)").is_some() || find(&file, b"/Linearized").is_some());
        assert!((3..=3 + others).contains(&length(&signed, &form, b"Fields")));
        assert!((3..=3 + others).contains(&length(&signed, &page, b"Annots")));
    }
}

#[test]
fn an_encrypted_file_is_signed_and_validated_with_its_password() {
    for file in [
        &include_bytes!("../../testdata/pdf/encrypted/rc4-40.pdf")[..],
        include_bytes!("../../testdata/pdf/encrypted/rc4-128.pdf"),
        include_bytes!("../../testdata/pdf/encrypted/aes-128.pdf"),
        include_bytes!("../../testdata/pdf/encrypted/aes-256.pdf"),
        include_bytes!("../../testdata/pdf/encrypted/aes-256-no-changes.pdf"),
    ] {
        let open = |file| File::from(file).with_password("dono");
        let plan = prepare(open(file), &signer(), &[], &options()).unwrap();
        let signed = [file, &plan.embed(&value(&plan)).unwrap()].concat();
        let report = validate_pdf(File::from(&signed).with_password("dono"), &context()).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{report}");
        assert_eq!(report.signatures[0].claimed_time.unwrap().to_string(), "2027-02-28T09:30:05Z");
        let wrong = prepare(File::from(file).with_password("x"), &signer(), &[], &options());
        assert_eq!(wrong.unwrap_err().code(), ErrorCode::PdfPasswordWrong);
    }
}

#[test]
fn form_page_and_catalogue_keep_what_they_had() {
    let file = include_bytes!("../../testdata/pdf/form.pdf");
    let (old_catalog, old_form, old_page) = parts(file);
    let signed = sign(file);
    let (catalog, form, page) = parts(&signed);
    assert_eq!(catalog.get(b"Pages"), old_catalog.get(b"Pages"));
    for key in [&b"DA"[..], b"DR", b"Fields"] {
        assert_eq!(form.get(key), old_form.get(key));
    }
    assert_eq!(page, old_page);
    assert_eq!((length(&signed, &form, b"Fields"), length(&signed, &page, b"Annots")), (2, 2));
}

#[test]
fn the_signature_dictionary_and_its_field_are_as_pades_asks() {
    let signed = sign(&Sample::new().table());
    let document = Document::open(&signed).unwrap();
    let (_, form, page) = parts(&signed);
    let field = form.get(b"Fields").unwrap().as_array().unwrap()[0].clone();
    assert_eq!(page.get(b"Annots"), Some(&Object::Array(vec![field.clone()])));
    let field = document.resolve(&field).unwrap().as_dictionary().unwrap().clone();
    assert_eq!(field.get(b"F"), Some(&Object::Integer(132)));
    assert_eq!(field.get(b"Rect"), Some(&Object::Array(vec![Object::Integer(0); 4])));
    assert_eq!(field.get(b"P"), Some(&Object::Reference(Reference { number: 3, generation: 0 })));
    let signature = document.dictionary(&field, b"V").unwrap().unwrap();
    let keys: Vec<_> = signature.entries().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        [&b"Type"[..], b"Filter", b"SubFilter", b"M", b"ByteRange", b"Contents"],
        "no Reason, no Cert, no Name"
    );
    assert!(signature.has_name(b"Filter", b"Adobe.PPKLite"));
    assert!(signature.has_name(b"SubFilter", b"ETSI.CAdES.detached"));
    assert_eq!(signature.get(b"M"), Some(&Object::String(b"D:20270228093005Z".to_vec())));
}

#[test]
fn the_etsi_extension_is_declared_in_pdf_1_7_only() {
    let declared = |sample: Sample| parts(&sign(&sample.table())).0.get(b"Extensions").cloned();
    let etsi = Dictionary::new()
        .with(b"BaseVersion", Object::name(b"1.7"))
        .with(b"ExtensionLevel", Object::Integer(2));
    let etsi = Some(Object::Dictionary(Dictionary::new().with(b"ESIC", etsi)));
    let catalog =
        |entries: &str| Sample::new().with(1, &format!("<</Type /Catalog /Pages 2 0 R {entries}>>"));
    assert_eq!(declared(Sample::new()), etsi);
    assert_eq!(declared(catalog("/Version /1.7").header("%PDF-1.4\n")), etsi);
    assert_eq!(declared(Sample::new().header("%PDF-1.6\n")), None);
    assert_eq!(declared(Sample::new().header("%PDF-2.0\n")), None);
    assert_eq!(declared(catalog("/Version /2.0")), None);
    let other = declared(catalog("/Extensions <</ADBE <</BaseVersion /1.7 /ExtensionLevel 8>>>>")).unwrap();
    assert_eq!(other.as_dictionary().unwrap().get(b"ESIC"), None);
}

#[test]
fn a_name_that_is_taken_is_not_used_again() {
    let form = "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [5 0 R 6 0 R]>>>>";
    let file = Sample::new()
        .with(1, form)
        .with(5, "<</T (Signature1) /FT /Tx>>")
        .with(6, "<</T <FEFF005300690067006E006100740075007200650032> /FT /Sig>>")
        .table();
    assert_eq!(validate(&sign(&file)).signatures[0].field.as_deref(), Some("Signature3"));
}

#[test]
fn the_same_call_gives_the_same_bytes() {
    let file = Sample::new().stream(&[1, 2]);
    let (first, second) = (plan(&file).unwrap(), plan(&file).unwrap());
    assert_eq!(first, second);
    assert_eq!(first.original_digest(), &crate::digest::Digest::sha256(&file));
    assert_eq!(first.original_length(), file.len() as u64);
}

#[test]
fn a_plan_survives_storage_and_refuses_to_be_read_wrongly() {
    let file = Sample::new().table();
    let plan = plan(&file).unwrap();
    let json = serde_json::to_string(&plan).unwrap();
    let stored: PdfPlan = serde_json::from_str(&json).unwrap();
    assert_eq!(stored, plan);
    check_passed(&[&file[..], &stored.embed(&value(&plan)).unwrap()].concat(), 1);
    for (key, wrong) in [
        ("version", serde_json::json!(2)),
        ("slot", serde_json::json!({ "start": 10, "end": 20 })),
        ("slot", serde_json::json!({ "start": 20, "end": 10 })),
        ("slot", serde_json::json!({ "start": 0, "end": 9_999_999 })),
        ("appended", serde_json::json!("!")),
        ("unknown", serde_json::json!(1)),
    ] {
        let mut stored = serde_json::to_value(&plan).unwrap();
        stored[key] = wrong;
        assert!(serde_json::from_value::<PdfPlan>(stored.clone()).is_err(), "{key} {}", stored[key]);
    }
}

#[test]
fn a_wrong_value_is_not_embedded() {
    let plan = plan(&Sample::new().table()).unwrap();
    let mut wrong = value(&plan);
    wrong[40] ^= 1;
    assert_eq!(plan.embed(&wrong).unwrap_err().code(), ErrorCode::SignatureValueInvalid);
    assert_eq!(plan.embed(&[]).unwrap_err().code(), ErrorCode::SignatureValueInvalid);
}

#[test]
fn a_slot_that_is_too_small_is_told() {
    let plan = plan(&Sample::new().table()).unwrap();
    let mut stored = serde_json::to_value(&plan).unwrap();
    stored["appended"] = base64ct::Base64::encode_string(b"<00>").into();
    stored["slot"] = serde_json::json!({ "start": 0, "end": 4 });
    let small: PdfPlan = serde_json::from_value(stored).unwrap();
    assert_eq!(small.embed(&value(&plan)).unwrap_err().code(), ErrorCode::ContentsSlotTooSmall);
}

#[test]
fn a_certification_that_forbids_changes_is_respected() {
    let certified = |parameters: &str| {
        Sample::new()
            .with(1, "<</Type /Catalog /Pages 2 0 R /Perms <</DocMDP 5 0 R>>>>")
            .with(5, &format!("<</Type /Sig /Reference [<</TransformMethod /DocMDP {parameters}>>]>>"))
            .table()
    };
    check_refused(&certified("/TransformParams <</P 1>>"), ErrorCode::PdfSigningForbidden);
    for allowed in ["/TransformParams <</P 2>>", "/TransformParams <</P 3>>", "/TransformParams <<>>", ""] {
        assert!(plan(&certified(allowed)).is_ok(), "{allowed}");
    }
}

#[test]
fn what_cannot_be_signed_is_refused_with_its_code() {
    check_refused(b"hello", ErrorCode::NotAPdf);
    let file = Sample::new().table();
    check_refused(&file[..file.len() - 20], ErrorCode::PdfDamaged);
    check_refused(include_bytes!("../../testdata/pdf/encrypted/aes-256.pdf"), ErrorCode::PdfEncrypted);
    for locked in [
        &include_bytes!("../../testdata/pdf/encrypted/aes-256-no-changes.pdf")[..],
        include_bytes!("../../testdata/pdf/encrypted/aes-128-forms-only.pdf"),
    ] {
        check_refused(locked, ErrorCode::PdfSigningForbidden);
    }
    let xfa = Sample::new().with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [] /XFA []>>>>");
    check_refused(&xfa.table(), ErrorCode::PdfUnsupported);
    check_refused(&Sample::new().with(2, "<</Type /Pages /Kids []>>").table(), ErrorCode::PdfDamaged);
    check_refused(&Sample::new().with(3, "<</Type /Page /Annots (x)>>").table(), ErrorCode::PdfDamaged);
    let looped = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [5 0 R]>>>>")
        .with(5, "<</T (a) /Kids [5 0 R]>>");
    check_refused(&looped.table(), ErrorCode::PdfDamaged);
    check_refused(&append(&file, &[(1, "(no catalogue)")], "/Size 5"), ErrorCode::PdfDamaged);
    check_refused(&replaced(&file, "/Root 1 0 R", "/Root 9 0 R"), ErrorCode::PdfDamaged);
    check_refused(&replaced(&file, "/Root 1 0 R", "/Toor 1 0 R"), ErrorCode::PdfDamaged);
}
