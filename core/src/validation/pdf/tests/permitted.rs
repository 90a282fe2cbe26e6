//! What may be done to a signed file: recognised, named and permitted, or not permitted by this signature.

use super::forge::*;
use super::*;
use crate::pdf::{ChangeKind, ModificationLevel};
use crate::validation::Coverage;

const CERTIFICATE: &str = "<</Length 4>>\nstream\n0\x02\x01\x00\nendstream";

/// Objects of a revision.
type Objects<'a> = &'a [(u32, &'a str)];
/// Name, objects, trailer entries; level and kinds that are expected.
type Update<'a> = (&'a str, Objects<'a>, &'a str, ModificationLevel, &'a [ChangeKind]);

/// Level and kinds of what came after the first signature.
fn later(file: &[u8]) -> (ModificationLevel, Vec<ChangeKind>) {
    let report = validate(file);
    let pdf = report.signatures[0].pdf.unwrap();
    let first = pdf.revision.unwrap();
    let changes = report.revisions[first..].iter().flat_map(|revision| &revision.changes);
    let mut kinds: Vec<_> = changes.map(|change| change.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    (pdf.modification_level.unwrap(), kinds)
}

#[test]
fn each_harmless_update_is_recognised_and_named() {
    use ChangeKind::*;
    use ModificationLevel::*;
    let file = signed_contract();
    let catalog = |entries: &str| CATALOG.replace(">>", &format!(" {entries}>>"));
    let store = catalog("/DSS 40 0 R");
    let xmp = stream("/Type /Metadata /Subtype /XML", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>");
    let metadata = catalog("/Metadata 40 0 R");
    let extensions = catalog("/Extensions <</ESIC <</BaseVersion /1.7 /ExtensionLevel 5>>>>");
    let filled = text_field("Bruno", "40 0 R");
    let value_only = text_field_with("/V (Bruno) /AP <</N 7 0 R>>");
    let read_only = text_field_with("/V (Ana) /AP <</N 7 0 R>> /Ff 1");
    let drawn = drawing("(Bruno)");
    let resources = form_with("/Fields [6 0 R 8 0 R 11 0 R 21 0 R] /SigFlags 3 /NeedAppearances true");
    let more_fonts = "<</Font <</Helv <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> /Cour 40 0 R>>>>";
    let font = "<</Type /Font /Subtype /Type1 /BaseFont /Courier>>";
    let empty_field = signature_field("vazio", 0, "[0 0 0 0]", "").replace("/V 0 0 R", "");
    let fields = form("[6 0 R 8 0 R 11 0 R 21 0 R 40 0 R]");
    let vri = format!("<</VRI <</{} <</Cert [41 0 R] /TU (D:20270301)>>>> /Certs 42 0 R>>", "A".repeat(40));
    let cases: [Update<'_>; 12] = [
        ("nothing", &[], "", LtaUpdates, &[Rewritten]),
        ("the catalogue again", &[(1, CATALOG)], "", LtaUpdates, &[Rewritten]),
        (
            "document information",
            &[(40, "<</ModDate (D:20270301) /Producer (x)>>")],
            "/Info 40 0 R",
            LtaUpdates,
            &[DocumentInformation],
        ),
        ("metadata", &[(1, &metadata), (40, &xmp)], "", LtaUpdates, &[Metadata]),
        ("extensions", &[(1, &extensions)], "", LtaUpdates, &[Extensions]),
        (
            "validation data",
            &[(1, &store), (40, &vri), (41, CERTIFICATE), (42, "[41 0 R]")],
            "",
            LtaUpdates,
            &[ValidationData],
        ),
        ("an empty field", &[(40, &empty_field), (5, &fields)], "", LtaUpdates, &[SignatureField]),
        ("a field filled", &[(6, &filled), (40, &drawn)], "", FormFilling, &[FieldFilled]),
        ("a value alone", &[(6, &value_only)], "", FormFilling, &[FieldFilled]),
        ("read only", &[(6, &read_only)], "", FormFilling, &[FieldFlags]),
        ("appearances to be drawn", &[(5, &resources)], "", FormFilling, &[FormDefaults]),
        ("a font", &[(10, more_fonts), (40, font)], "", FormFilling, &[FormDefaults]),
    ];
    for (what, objects, trailer, level, kinds) in cases {
        let changed = append(&file, objects, &format!("/Size 50 {trailer}"));
        let report = validate(&changed);
        assert_eq!(later(&changed), (level, kinds.to_vec()), "{what}: {report}");
        assert_eq!(report.signatures[0].indication, Indication::Passed, "{what}: {report}");
    }
}

#[test]
fn a_drawing_may_be_written_over_when_nothing_else_uses_it() {
    let file = signed_contract();
    let changed = append(&file, &[(7, &drawing("(Bruno)"))], "/Size 22");
    assert_eq!(later(&changed), (ModificationLevel::FormFilling, vec![ChangeKind::FieldFilled]));
}

#[test]
fn signatures_of_others_are_recognised_whether_seen_or_not() {
    use ChangeKind::*;
    let file = signed_contract();
    let hidden = countersigned(&file, "[0 0 0 0]");
    assert_eq!(
        later(&hidden),
        (ModificationLevel::FormFilling, vec![SignatureField, SignatureAppearance, Signed])
    );
    let seen = countersigned(&file, "[300 20 500 80]");
    assert_eq!(
        later(&seen),
        (ModificationLevel::FormFilling, vec![VisibleSignatureField, SignatureAppearance, Signed])
    );
    assert_eq!(validate(&seen).overall(), Indication::Passed);
    let approver = APPROVER.replace(">>", " /V 30 0 R /AP <</N 32 0 R>>>>");
    let in_field = sign_revision(&file, 30, "", &[(8, &approver), (32, &drawing("(ok)"))], "/Size 33");
    assert_eq!(later(&in_field), (ModificationLevel::FormFilling, vec![SignatureAppearance, Signed]));
    assert_eq!(validate(&in_field).overall(), Indication::Passed);
}

#[test]
fn a_document_time_stamp_is_an_update_for_the_long_term() {
    use ChangeKind::*;
    let file = signed_contract();
    let stamp = "<</Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161 /ByteRange [0 1 2 3] \
                 /Contents <00>>>";
    let field = signature_field("carimbo", 40, "[0 0 0 0]", "");
    let form = form("[6 0 R 8 0 R 11 0 R 21 0 R 41 0 R]");
    let changed = append(&file, &[(40, stamp), (41, &field), (5, &form)], "/Size 42");
    assert_eq!(later(&changed), (ModificationLevel::LtaUpdates, vec![DocumentTimeStamp, SignatureField]));
    // The stamp itself is nonsense, and covers nothing.
    assert_eq!(validate(&changed).overall(), Indication::Failed);
}

#[test]
fn entries_that_the_policies_forbid_are_found() {
    for (entry, etsi, icp_brasil) in [
        ("/Name (Ana)", Indication::Passed, Indication::Passed),
        ("/Cert <00>", Indication::Passed, Indication::Indeterminate),
        ("/R 1", Indication::Passed, Indication::Indeterminate),
        ("/Prop_AuthType /PIN", Indication::Passed, Indication::Indeterminate),
    ] {
        let file = sign_contract(&contract().table(), entry, "");
        let report = validate(&file);
        assert_eq!(report.overall(), etsi, "{entry}: {report}");
        let warned = report.signatures[0].findings.iter().any(|f| f.outcome == Outcome::Warning);
        assert_eq!(warned, icp_brasil != Indication::Passed, "{entry}: {report}");
        let pbad = replaced(&file, "/ETSI.CAdES.detached", &format!("{:<20}", "/PBAD.PAdES"));
        let report = validate(&sign_range(&pbad, range_of(&pbad)));
        assert_eq!(report.overall(), icp_brasil, "{entry}: {report}");
    }
}

#[test]
fn a_certification_permits_what_its_level_says() {
    use Indication::*;
    let comment = "<</Type /Annot /Subtype /FreeText /Rect [10 10 90 90] /Contents (x) /P 3 0 R>>";
    let commented = page("[6 0 R 8 0 R 9 0 R 11 0 R 21 0 R 40 0 R]");
    let moved = "<</Type /Annot /Subtype /Text /Rect [10 10 40 40] /Contents (lido)>>";
    let removed = page("[6 0 R 8 0 R 11 0 R 21 0 R]");
    let filled = text_field_with("/V (Bruno) /AP <</N 7 0 R>>");
    let store = CATALOG.replace(">>", " /Perms <</DocMDP 20 0 R>> /DSS <<>>>>");
    let text = "<</Length 3>>\nstream\nq Q\nendstream";
    let cases: [(&str, Objects<'_>, [Indication; 4]); 6] = [
        ("validation data", &[(1, &store)], [Indeterminate, Passed, Passed, Passed]),
        ("a field filled", &[(6, &filled)], [Passed, Failed, Passed, Passed]),
        ("a comment", &[(3, &commented), (40, comment)], [Indeterminate, Failed, Failed, Passed]),
        ("a comment moved", &[(9, moved)], [Indeterminate, Failed, Failed, Passed]),
        ("a comment removed", &[(3, &removed)], [Indeterminate, Failed, Failed, Passed]),
        ("the text", &[(4, text)], [Indeterminate, Failed, Failed, Failed]),
    ];
    for (what, objects, expected) in cases {
        for (permission, expected) in (0..).zip(expected) {
            let file = if permission == 0 { signed_contract() } else { certified_contract(permission) };
            let report = validate(&append(&file, objects, "/Size 50"));
            let found = report.signatures[0].indication;
            assert_eq!(found, expected, "{what} after permission {permission}: {report}");
        }
    }
}

#[test]
fn locked_fields_stay_as_they_were() {
    use Indication::*;
    let filled = text_field_with("/V (Bruno) /AP <</N 7 0 R>>");
    let lock = |parameters: &str| {
        format!("/Reference [<</TransformMethod /FieldMDP /TransformParams <<{parameters}>>>>]")
    };
    for (parameters, expected) in [
        ("/Action /All", Failed),
        ("/Action /Include /Fields [(nome)]", Failed),
        ("/Action /Include /Fields [(nom)]", Passed),
        ("/Action /Include /Fields [(aprovador)]", Passed),
        ("/Action /Exclude /Fields [(nome)]", Passed),
        ("/Action /Exclude /Fields [(aprovador)]", Failed),
        ("/Action /Include", Failed),
        ("/Action /Unknown /Fields [(aprovador)]", Failed),
    ] {
        let by_reference = sign_contract(&contract().table(), &lock(parameters), "");
        let by_field = sign_contract(&contract().table(), "", &format!("/Lock <<{parameters}>>"));
        for file in [by_reference, by_field] {
            let report = validate(&append(&file, &[(6, &filled)], "/Size 22"));
            assert_eq!(report.signatures[0].indication, expected, "{parameters}: {report}");
        }
    }
    let whole = sign_contract(&contract().table(), "", "/Lock <</Action /Include /Fields [] /P 1>>");
    let report = validate(&append(&whole, &[(6, &filled)], "/Size 22"));
    assert_eq!(report.signatures[0].indication, Failed, "a lock of the document: {report}");
    let all = sign_contract(&contract().table(), &lock("/Action /All"), "");
    let report = validate(&countersigned(&all, "[300 20 500 80]"));
    assert_eq!(report.signatures[0].indication, Failed, "a visible signature uses the form: {report}");
}

#[test]
fn the_logical_structure_may_tell_of_a_new_field_and_of_nothing_else() {
    use ChangeKind::*;
    let tagged = CATALOG.replace(">>", " /MarkInfo <</Marked true>> /StructTreeRoot 12 0 R>>");
    let root = |kids: &str, numbers: &str, next: u8| {
        format!(
            "<</Type /StructTreeRoot /K [{kids}] /ParentTree <</Nums [{numbers}]>> \
             /ParentTreeNextKey {next}>>"
        )
    };
    let base = contract()
        .with(1, &tagged)
        .with(12, &root("13 0 R", "0 13 0 R", 1))
        .with(13, "<</Type /StructElem /S /P /P 12 0 R /ActualText (cem)>>")
        .table();
    let file = sign_contract(&base, "", "");
    let field = signature_field("parte", 40, "[0 0 0 0]", "/StructParent 1");
    let dictionary = "<</Type /Sig /ByteRange [0 1 2 3] /Contents <00>>>";
    let fields = form("[6 0 R 8 0 R 11 0 R 21 0 R 41 0 R]");
    let grown = root("13 0 R 42 0 R", "0 13 0 R 1 42 0 R", 2);
    let element = "<</Type /StructElem /S /Form /P 12 0 R /Pg 3 0 R /K <</Type /OBJR /Obj 41 0 R>>>>";
    let update = |objects: &[(u32, &str)]| {
        let base = [(40, dictionary), (41, field.as_str()), (5, fields.as_str())];
        let all: BTreeMap<u32, &str> = base.iter().chain(objects).copied().collect();
        append(&file, &all.into_iter().collect::<Vec<_>>(), "/Size 50")
    };
    assert_eq!(
        later(&update(&[(12, &grown), (42, element)])),
        (ModificationLevel::FormFilling, vec![SignatureField, Signed, Structure])
    );
    let replaced = root("42 0 R", "0 13 0 R 1 42 0 R", 2);
    let renumbered = root("13 0 R 42 0 R", "0 42 0 R", 2);
    let spoken = element.replace("/Form", "/Form /ActualText (mil)");
    let paragraph = element.replace("/Form", "/P");
    let old_page = element.replace("41 0 R", "3 0 R");
    let other_text = "<</Type /StructElem /S /P /P 12 0 R /ActualText (mil)>>";
    let refused: [(&str, Objects<'_>); 6] = [
        ("an element is replaced", &[(12, &replaced), (42, element)]),
        ("numbers are replaced", &[(12, &renumbered), (42, element)]),
        ("a text is spoken", &[(12, &grown), (42, &spoken)]),
        ("a paragraph", &[(12, &grown), (42, &paragraph)]),
        ("a page", &[(12, &grown), (42, &old_page)]),
        ("another text for what was there", &[(12, &grown), (42, element), (13, other_text)]),
    ];
    for (what, objects) in refused {
        assert_eq!(later(&update(objects)).0, ModificationLevel::Other, "{what}");
    }
}

#[test]
fn the_history_tells_what_was_signed_when() {
    let file = countersigned(&signed_contract(), "[300 20 500 80]");
    let file = append(&file, &[(4, "<</Length 3>>\nstream\nq Q\nendstream")], "/Size 33");
    let report = validate(&file);
    let told: Vec<_> = report
        .revisions
        .iter()
        .map(|revision| (revision.number, revision.signed_by.join(" "), revision.modification_level))
        .collect();
    assert_eq!(
        told,
        [
            (1, String::new(), None),
            (2, "banco".to_owned(), None),
            (3, "parte".to_owned(), Some(ModificationLevel::FormFilling)),
            (4, String::new(), Some(ModificationLevel::Other)),
        ]
    );
    assert_eq!(report.revisions[3].end, file.len() as u64 - 1, "the last line end aside");
    let pdf: Vec<_> = report.signatures.iter().map(|signature| signature.pdf.unwrap()).collect();
    assert_eq!(pdf[0].coverage, Coverage::EntireRevision);
    assert_eq!((pdf[0].revision, pdf[1].revision), (Some(2), Some(3)));
    assert!(pdf.iter().all(|pdf| pdf.modification_level == Some(ModificationLevel::Other)));
    let text = report.to_text(crate::validation::Language::PtBr);
    assert!(text.contains("Histórico do arquivo"), "{text}");
    assert!(text.contains("assinada em parte: acrescenta um campo de assinatura visível (parte);"), "{text}");
    assert!(report.to_string().contains("revision 2, "), "{report}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["revisions"][2]["changes"][0]["kind"], "visible_signature_field");
    assert_eq!(json["revisions"][2]["changes"][0]["field"], "parte");
    assert_eq!(json["signatures"][0]["pdf"]["coverage"], "entire_revision");
    assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
}
