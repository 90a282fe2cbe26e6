//! Which field takes the signature, and what earlier signatures and the form's author say about it.

use super::*;
use crate::pdf::signature_fields;

fn with_form(fields: &str) -> Sample {
    Sample::new().with(1, &format!("<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [{fields}]>>>>"))
}

fn into_field(name: &str) -> Options {
    Options { field: FieldChoice::Existing(name.to_owned()), ..options() }
}

fn named(name: &str) -> Options {
    Options { field: FieldChoice::New { name: Some(name.to_owned()) }, ..options() }
}

/// One empty signature field `Cliente` with more entries.
fn empty_field(entries: &str) -> Vec<u8> {
    let field = "<</Type /Annot /Subtype /Widget /FT /Sig /T (Cliente) /Rect [0 0 0 0] /F 4 /P 3 0 R";
    with_form("5 0 R").with(5, &format!("{field} {entries}>>")).table()
}

fn code(file: &[u8], options: &Options) -> ErrorCode {
    sign_with(file, options).unwrap_err().code()
}

/// The value of the field with that name.
fn signature_of(file: &[u8], name: &str) -> Dictionary {
    let document = Document::open(file).unwrap();
    let field = signature_fields(&document).unwrap().into_iter().find(|field| field.name == name).unwrap();
    document.resolve(&field.value).unwrap().as_dictionary().unwrap().clone()
}

#[test]
fn a_new_field_has_the_name_that_was_asked_for() {
    for name in ["Cliente", "Assinatura de João", "Signature1"] {
        let signed = sign_with(&Sample::new().table(), &named(name)).unwrap();
        assert_eq!(validate(&signed).signatures[0].field.as_deref(), Some(name));
    }
}

#[test]
fn a_name_that_no_new_field_can_have_is_refused() {
    let file = empty_field("");
    for name in ["", "a.b", "Cliente", "a\nb", &"x".repeat(128)] {
        assert_eq!(code(&file, &named(name)), ErrorCode::SignatureFieldUnusable, "{name}");
    }
}

#[test]
fn an_empty_field_is_filled_and_keeps_what_it_had() {
    let file = empty_field("/TU (Assine aqui)");
    let signed = sign_with(&file, &into_field("Cliente")).unwrap();
    let (_, form, page) = parts(&signed);
    assert_eq!(length(&signed, &form, b"Fields"), 1);
    assert_eq!(page.get(b"Annots"), None, "the page is left as it was");
    let document = Document::open(&signed).unwrap();
    let field = document.resolve(&Reference { number: 5, generation: 0 }.into()).unwrap();
    assert_eq!(field.as_dictionary().unwrap().get(b"TU"), Some(&Object::String(b"Assine aqui".to_vec())));
    let report = validate(&signed);
    assert_eq!(report.overall(), Indication::Passed, "{report}");
    assert_eq!(report.signatures[0].field.as_deref(), Some("Cliente"));
}

#[test]
fn a_field_is_found_by_its_full_name_in_a_tree() {
    let file = with_form("5 0 R")
        .with(5, "<</T (contrato) /FT /Sig /Kids [6 0 R 7 0 R]>>")
        .with(6, "<</T (banco) /Parent 5 0 R /Rect [0 0 0 0] /Subtype /Widget>>")
        .with(7, "<</T (cliente) /Parent 5 0 R /Kids [8 0 R]>>")
        .with(8, "<</Subtype /Widget /Parent 7 0 R /Rect [0 0 0 0]>>")
        .table();
    for name in ["contrato.banco", "contrato.cliente"] {
        let signed = sign_with(&file, &into_field(name)).unwrap();
        assert_eq!(validate(&signed).signatures[0].field.as_deref(), Some(name));
    }
    assert_eq!(code(&file, &into_field("contrato")), ErrorCode::SignatureFieldUnusable);
    assert_eq!(code(&file, &into_field("cliente")), ErrorCode::SignatureFieldNotFound);
}

#[test]
fn a_field_that_cannot_take_a_signature_is_refused() {
    let file = with_form("5 0 R 6 0 R 7 0 R 8 0 R 9 0 R <</FT /Sig /T (direct)>>")
        .with(5, "<</T (text) /FT /Tx>>")
        .with(6, "<</T (twice) /FT /Sig>>")
        .with(7, "<</T (twice) /FT /Sig>>")
        .with(8, "<</T (places) /FT /Sig /Kids [10 0 R 11 0 R]>>")
        .with(9, "<</T (signed) /FT /Sig /V <</Type /Sig>>>>")
        .with(10, "<</Subtype /Widget /Parent 8 0 R>>")
        .with(11, "<</Subtype /Widget /Parent 8 0 R>>")
        .table();
    for name in ["text", "missing", "", "Signature1"] {
        assert_eq!(code(&file, &into_field(name)), ErrorCode::SignatureFieldNotFound, "{name}");
    }
    for name in ["twice", "places", "signed", "direct"] {
        assert_eq!(code(&file, &into_field(name)), ErrorCode::SignatureFieldUnusable, "{name}");
    }
}

#[test]
fn a_field_is_signed_once() {
    let signed = sign_with(&empty_field(""), &into_field("Cliente")).unwrap();
    assert_eq!(code(&signed, &into_field("Cliente")), ErrorCode::SignatureFieldUnusable);
}

#[test]
fn demands_of_the_forms_author_are_fulfilled_or_the_field_is_refused() {
    let check = |seed: &str, options: &Options, allowed: bool| {
        let file = empty_field(&format!("/SV <<{seed}>>"));
        let result = prepare(&file, &signer(), &[], options);
        match (result, allowed) {
            (Ok(_), true) => {}
            (Err(error), false) => assert_eq!(error.code(), ErrorCode::SignatureFieldUnusable, "{seed}"),
            (result, _) => panic!("{seed}: {:?}", result.err()),
        }
    };
    let plain = into_field("Cliente");
    let pbad = Options { sub_filter: SubFilter::Pbad, ..plain.clone() };
    let reason = Options { reason: Some("Aprovo".to_owned()), ..plain.clone() };
    let stamped = Options { time_stamp_reserve: TIME_STAMP_RESERVE_BYTES, ..plain.clone() };
    let certify = Options { certify: Some(Certification::FormFilling), ..plain.clone() };
    let locked = Options { certify: Some(Certification::NoChanges), ..plain.clone() };
    check("/Filter /Other", &plain, true);
    check("/Ff 1 /Filter /Adobe.PPKLite", &plain, true);
    check("/Ff 1 /Filter /Other", &plain, false);
    check("/Ff 1 /Filter /Adobe.PPKLite", &pbad, false);
    check("/Ff 2 /SubFilter [/adbe.pkcs7.detached /ETSI.CAdES.detached]", &plain, true);
    check("/Ff 2 /SubFilter [/adbe.pkcs7.detached]", &plain, false);
    check("/Ff 2 /SubFilter []", &plain, false);
    check("/Ff 2 /SubFilter 7", &plain, false);
    check("/Ff 4 /V 2.0", &plain, true);
    check("/Ff 4 /V 4", &plain, false);
    check("/Ff 8 /Reasons [(Aprovo) (Li)]", &reason, true);
    check("/Ff 8 /Reasons [(Li)]", &reason, false);
    check("/Ff 8 /Reasons [(Li)]", &plain, false);
    check("/Ff 8 /Reasons [(.)]", &plain, true);
    check("/Ff 8", &reason, false);
    check("/Reasons [(Li)]", &plain, true);
    check("/Ff 16 /LegalAttestation [(x)]", &plain, true);
    check("/Ff 16 /LegalAttestation [(x)]", &certify, false);
    check("/Ff 32 /AddRevInfo true", &plain, false);
    check("/Ff 32 /AddRevInfo false", &plain, true);
    check("/Ff 64 /DigestMethod [(SHA1) (SHA256)]", &plain, true);
    check("/Ff 64 /DigestMethod [(SHA1)]", &plain, false);
    check("/Ff 128 /LockDocument /true", &plain, false);
    check("/Ff 128 /LockDocument /true", &locked, true);
    check("/Ff 128 /LockDocument /false", &locked, false);
    check("/Ff 256 /AppearanceFilter (x)", &plain, false);
    check("/Ff 512", &plain, false);
    check("/MDP <</P 0>>", &plain, true);
    check("/MDP <</P 0>>", &certify, false);
    check("/MDP <</P 2>>", &certify, true);
    check("/MDP <</P 1>>", &certify, false);
    check("/TimeStamp <</URL (http://tsa.example) /Ff 1>>", &plain, false);
    check("/TimeStamp <</URL (http://tsa.example) /Ff 1>>", &stamped, true);
    check("/TimeStamp <</URL (http://tsa.example)>>", &plain, true);
    let own = crate::digest::to_hex(signer().der());
    let other = crate::digest::to_hex(include_bytes!("../../../testdata/pdf/root-test.der"));
    check(&format!("/Cert <</Ff 1 /Subject [<{own}>]>>"), &plain, true);
    check(&format!("/Cert <</Ff 1 /Subject [<{other}>]>>"), &plain, false);
    check(&format!("/Cert <</Ff 2 /Issuer [<{other}>]>>"), &plain, true);
    check(&format!("/Cert <</Ff 2 /Issuer [<{own}>]>>"), &plain, false);
    check("/Cert <</Ff 4 /OID [(2.16.76.1.2.1.1)]>>", &plain, false);
    check("/Cert <</Ff 8 /SubjectDN [<</CN (x)>>]>>", &plain, false);
    check("/Cert <</Subject [<00>]>>", &plain, true);
}

#[test]
fn the_lock_of_a_field_becomes_part_of_its_signature() {
    let lock = "/Lock <</Type /SigFieldLock /Action /Include /Fields [(valor)]>>";
    let signed = sign_with(&empty_field(lock), &into_field("Cliente")).unwrap();
    let signature = signature_of(&signed, "Cliente");
    let mut text = Vec::new();
    signature.get(b"Reference").unwrap().write(&mut text);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "[<</Type /SigRef/TransformMethod /FieldMDP/TransformParams <</Type /TransformParams/V /1.2\
         /Action /Include/Fields [(valor)]>>/Data 1 0 R>>]"
    );
    for lock in ["/Lock <</Action /Some>>", "/Lock <</Action (All)>>"] {
        assert_eq!(code(&empty_field(lock), &into_field("Cliente")), ErrorCode::PdfDamaged);
    }
}

#[test]
fn a_field_that_an_earlier_signature_locks_stays_empty() {
    let file = |lock: &str| {
        with_form("5 0 R 6 0 R")
            .with(5, &format!("<</FT /Sig /T (Banco) /Lock <<{lock}>>>>"))
            .with(6, "<</FT /Sig /T (Cliente)>>")
            .table()
    };
    let sign_both = |lock: &str| {
        let signed = sign_with(&file(lock), &into_field("Banco")).unwrap();
        sign_with(&signed, &into_field("Cliente")).map_err(|error| error.code())
    };
    assert!(sign_both("/Action /Include /Fields [(valor)]").is_ok());
    assert!(sign_both("/Action /Exclude /Fields [(Cliente)]").is_ok());
    for lock in ["/Action /All", "/Action /Include /Fields [(Cliente)]", "/Action /Exclude /Fields []"] {
        assert_eq!(sign_both(lock), Err(ErrorCode::SignatureFieldUnusable), "{lock}");
    }
    assert_eq!(sign_both("/Action /Include /Fields [] /P 1"), Err(ErrorCode::PdfSigningForbidden));
    // A new invisible field changes no value of the form.
    let signed = sign_with(&file("/Action /All"), &into_field("Banco")).unwrap();
    assert!(sign_with(&signed, &options()).is_ok());
}

#[test]
fn a_certification_names_itself_in_the_catalogue() {
    for (certify, number) in
        [(Certification::NoChanges, 1), (Certification::FormFilling, 2), (Certification::Annotations, 3)]
    {
        let options = Options { certify: Some(certify), ..options() };
        let signed = sign_with(&Sample::new().table(), &options).unwrap();
        let document = Document::open(&signed).unwrap();
        let (_, catalog) = document.catalog().unwrap();
        assert_eq!(docmdp_permission(&document, &catalog), Ok(Some(number)));
        let report = validate(&signed);
        assert_eq!(report.overall(), Indication::Passed, "{report}");
    }
}

#[test]
fn a_certification_comes_first_or_not_at_all() {
    let certify = |certify| Options { certify: Some(certify), ..options() };
    let signed = sign(&Sample::new().table());
    assert_eq!(code(&signed, &certify(Certification::FormFilling)), ErrorCode::PdfSigningForbidden);
    let certified = sign_with(&Sample::new().table(), &certify(Certification::NoChanges)).unwrap();
    assert_eq!(code(&certified, &options()), ErrorCode::PdfSigningForbidden);
    let certified = sign_with(&Sample::new().table(), &certify(Certification::FormFilling)).unwrap();
    assert!(sign_with(&certified, &options()).is_ok());
}

#[test]
fn other_permissions_of_the_catalogue_stay() {
    let file = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /Perms 5 0 R>>")
        .with(5, "<</UR3 6 0 R>>")
        .with(6, "<</Type /Sig>>")
        .table();
    let options = Options { certify: Some(Certification::FormFilling), ..options() };
    let (catalog, ..) = parts(&sign_with(&file, &options).unwrap());
    assert_eq!(catalog.get(b"Perms"), Some(&Object::Reference(Reference { number: 5, generation: 0 })));
}

#[test]
fn texts_of_the_signature_are_written_as_pdf_text() {
    let options = Options {
        name: Some("João TEST".to_owned()),
        location: Some("Brasília".to_owned()),
        contact: Some("joao@example.com".to_owned()),
        reason: Some("Aprovo (tudo)".to_owned()),
        ..options()
    };
    let signed = sign_with(&Sample::new().table(), &options).unwrap();
    let signature = signature_of(&signed, "Signature1");
    let text = |key: &[u8]| crate::pdf::text_string(signature.get(key).unwrap().as_string().unwrap());
    assert_eq!(text(b"Name"), "João TEST");
    assert_eq!(text(b"Location"), "Brasília");
    assert_eq!(text(b"ContactInfo"), "joao@example.com");
    assert_eq!(text(b"Reason"), "Aprovo (tudo)");
    let long = Options { location: Some("x".repeat(1001)), ..options };
    assert_eq!(code(&Sample::new().table(), &long), ErrorCode::InvalidRequest);
}

#[test]
fn the_names_of_icp_brasil_are_written_when_asked_for() {
    let options = Options { sub_filter: SubFilter::Pbad, ..options() };
    let signature = signature_of(&sign_with(&Sample::new().table(), &options).unwrap(), "Signature1");
    assert!(signature.has_name(b"Filter", b"PBAD_PAdES"));
    assert!(signature.has_name(b"SubFilter", b"PBAD.PAdES"));
}

#[test]
fn a_reserve_leaves_room_behind_the_signature() {
    let file = Sample::new().table();
    let reserved = Options { time_stamp_reserve: TIME_STAMP_RESERVE_BYTES, ..options() };
    let slot = |options: &Options| prepare(&file, &signer(), &[], options).unwrap().slot_bytes();
    assert_eq!(slot(&options()), 4096);
    assert!(slot(&reserved) > TIME_STAMP_RESERVE_BYTES + 1000);
}

#[test]
fn a_finished_cms_is_embedded_only_when_it_is_the_planned_one() {
    let file = Sample::new().table();
    let plan = plan(&file).unwrap();
    let cms = plan.assemble(&value(&plan)).unwrap();
    assert_eq!(plan.embed_cms(&cms).unwrap(), plan.embed(&value(&plan)).unwrap());
    let other = prepare(&file, &signer(), &[], &named("Other")).unwrap();
    let foreign = other.assemble(&value(&other)).unwrap();
    assert_eq!(plan.embed_cms(&foreign).unwrap_err().code(), ErrorCode::CmsMalformed);
    assert_eq!(plan.embed_cms(b"\x30\x00").unwrap_err().code(), ErrorCode::CmsMalformed);
    let mut forged = cms.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(plan.embed_cms(&forged).unwrap_err().code(), ErrorCode::SignatureValueInvalid);
}
