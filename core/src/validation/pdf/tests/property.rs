//! What holds for any damage and any update: nothing passes that shows something else than what was signed.

use proptest::prelude::*;

use super::forge::*;
use super::*;
use crate::pdf::{Document, Object, Reference};

/// Bodies that an update may bring: roles of the contract in places where they do not belong.
const BODIES: [&str; 24] = [
    "null",
    "<<>>",
    "(Bruno)",
    "[4 0 R 40 0 R]",
    "[6 0 R 8 0 R 11 0 R 21 0 R 41 0 R]",
    "[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R 41 0 R]",
    "<</Length 3>>\nstream\nq Q\nendstream",
    "<</Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 3>>\nstream\nq Q\nendstream",
    "<</Type /Metadata /Subtype /XML /Length 27>>\nstream\n<x xmlns='adobe:ns:meta/'></x>\nendstream",
    "<</Type /Catalog /Pages 2 0 R /AcroForm 5 0 R>>",
    "<</Type /Catalog /Pages 2 0 R /AcroForm 5 0 R /DSS 40 0 R /Metadata 41 0 R>>",
    "<</Type /Catalog /Pages 40 0 R /AcroForm 5 0 R>>",
    "<</Certs [41 0 R] /CRLs 42 0 R>>",
    "<</Type /Pages /Kids [3 0 R 41 0 R] /Count 2 /MediaBox [0 0 595 842]>>",
    "<</Fields [6 0 R 8 0 R 11 0 R 21 0 R 41 0 R] /SigFlags 3 /DR 10 0 R /DA (/Helv 0 Tf 0 g)>>",
    "<</Fields [6 0 R 8 0 R 11 0 R 21 0 R] /SigFlags 3 /DR 40 0 R /DA (/Helv 0 Tf 0 g)>>",
    "<</Type /Annot /Subtype /Widget /FT /Sig /T (parte) /F 132 /Rect [0 0 0 0] /P 3 0 R /V 42 0 R>>",
    "<</Type /Annot /Subtype /Widget /FT /Sig /T (parte) /F 132 /Rect [0 0 9 9] /P 3 0 R /V 42 0 R \
     /AP <</N 40 0 R>>>>",
    "<</Type /Annot /Subtype /Widget /FT /Sig /T (aprovador) /F 4 /Rect [300 100 500 150] /P 3 0 R \
     /V 42 0 R>>",
    "<</Type /Annot /Subtype /Widget /FT /Tx /T (nome) /F 4 /Rect [72 500 300 520] /P 3 0 R /V (B) \
     /AP <</N 40 0 R>>>>",
    "<</Type /Annot /Subtype /Widget /FT /Tx /T (nome) /F 4 /Rect [72 500 300 520] /P 3 0 R /V 40 0 R \
     /AP <</N 7 0 R>>>>",
    "<</Type /Annot /Subtype /FreeText /Rect [0 0 595 842] /Contents (x)>>",
    "<</Type /Sig /Filter /X /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] /Contents <00>>>",
    "<</Font <</Helv <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> /F2 40 0 R>>>>",
];

/// What a reader shows of the page without its annotations, as text.
fn shown(file: &[u8]) -> String {
    let document = Document::open(file).unwrap();
    let (_, catalog) = document.catalog().unwrap();
    let (reference, mut page) = document.first_page(&catalog).unwrap();
    page.set(b"Annots", Object::Null);
    let object = |number: u32| {
        let object = document.object(Reference { number, generation: 0 }).unwrap().unwrap();
        let body = document.stream_body(&object).unwrap().map(|body| body.into_owned());
        format!("{:?} {body:?}", object.value)
    };
    format!("{:?} {reference:?} {page:?} {} {}", catalog.get(b"Pages"), object(2), object(4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn an_update_that_passes_shows_the_same_page(
        objects in proptest::collection::btree_map(
            prop_oneof![1_u32..12, 20_u32..22, 40_u32..43],
            prop::sample::select(&BODIES[..]),
            1..5,
        ),
    ) {
        let file = signed_contract();
        let objects: Vec<_> = objects.into_iter().collect();
        let changed = append(&file, &objects, "/Size 50");
        if let Ok(report) = validate_pdf(&changed, &context())
            && report.signatures[0].indication == Indication::Passed
        {
            prop_assert_eq!(shown(&changed), shown(&file), "{}", report);
        }
    }

    #[test]
    fn bytes_that_are_no_revision_never_pass(
        junk in prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..200),
            (0_usize..9000, 1_usize..600).prop_map(|(from, length)| {
                let file = signed_contract();
                let from = from.min(file.len() - 1);
                file[from..file.len().min(from + length)].to_vec()
            }),
            "[ -~\n]{1,80}".prop_map(String::into_bytes),
        ],
    ) {
        let is_blank = junk.iter().all(|byte| matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' '));
        let is_comment = junk.starts_with(b"%") && junk.ends_with(b"\n");
        let changed = [&signed_contract()[..], &junk].concat();
        prop_assert!(is_caught(&changed) || is_blank || is_comment, "{:?}", String::from_utf8_lossy(&junk));
    }

    #[test]
    fn a_flipped_byte_in_a_signed_part_never_passes(at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let mut file = countersigned(&signed_contract(), "[300 20 500 80]");
        let first = signed_contract().len();
        let [_, gap, behind, _] = range_of(&file);
        let at = at.index(first - (behind - gap));
        let at = if at < gap { at } else { at + behind - gap };
        file[at] ^= mask;
        let report = validate_pdf(&file, &context());
        let passed = report.is_ok_and(|report| {
            report.signatures.iter().any(|signature| signature.indication == Indication::Passed)
        });
        prop_assert!(!passed, "byte {} of {}", at, first);
    }
}
