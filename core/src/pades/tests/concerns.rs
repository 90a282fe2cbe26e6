//! What is looked for in a document before it is signed.

use super::*;

fn with_catalog(entries: &str) -> Sample {
    Sample::new().with(1, &format!("<</Type /Catalog /Pages 2 0 R {entries}>>"))
}

fn with_page(entries: &str) -> Sample {
    Sample::new().with(3, &format!("<</Type /Page /Parent 2 0 R /Contents 4 0 R {entries}>>"))
}

fn check(sample: &Sample, expected: &[Concern]) {
    for file in [sample.table(), sample.stream(&[1, 2, 3])] {
        assert_eq!(inspect(&file[..]).unwrap(), expected, "{sample:?}");
    }
}

#[test]
fn ordinary_files_raise_no_concern() {
    check(&Sample::new(), &[]);
    check(&with_catalog("/OpenAction [3 0 R /Fit] /Names <</Dests <<>>>>"), &[]);
    check(&with_catalog("/Names <</JavaScript <</Names []>> /EmbeddedFiles 9 0 R>>"), &[]);
    check(&with_page("/Annots [<</Subtype /Link /A <</S /URI /URI (http://x)>>>>]"), &[]);
    for file in [
        &include_bytes!("../../../testdata/pdf/plain.pdf")[..],
        include_bytes!("../../../testdata/pdf/form.pdf"),
        include_bytes!("../../../testdata/pdf/linearized-object-streams.pdf"),
        include_bytes!("../../../testdata/pdf/pypdf-updated.pdf"),
        include_bytes!("../../../testdata/pdf/pyhanko-second-visible.pdf"),
    ] {
        assert_eq!(inspect(file).unwrap(), []);
    }
}

#[test]
fn each_concern_is_found_where_it_can_stand() {
    let script = "<</S /JavaScript /JS (x)>>";
    let form = |entries: &str| with_catalog(&format!("/AcroForm <<{entries}>>"));
    let js = [Concern::JavaScript];
    check(&with_catalog(&format!("/OpenAction {script}")), &js);
    check(&with_catalog("/OpenAction 5 0 R").with(5, "<</S /GoTo /Next [6 0 R]>>").with(6, script), &js);
    check(&with_catalog(&format!("/AA <</WC {script}>>")), &js);
    check(&with_catalog("/Names <</JavaScript <</Names [(a) 5 0 R]>>>>"), &js);
    check(&with_catalog("/Names 5 0 R").with(5, "<</JavaScript 6 0 R>>").with(6, "<</Kids [7 0 R]>>"), &js);
    check(&with_page(&format!("/AA <</O {script}>>")), &js);
    check(&with_page("/Annots 5 0 R").with(5, "[6 0 R]").with(6, &format!("<</A {script}>>")), &js);
    check(&with_page("/Annots [<</A <</S /Rendition /JS (x)>>>>]"), &js);
    check(
        &form("/Fields [5 0 R]").with(5, "<</Kids [6 0 R]>>").with(6, &format!("<</AA <</K {script}>>>>")),
        &js,
    );
    check(&with_page("/Annots [<</A <</S /Launch /F (x.exe)>>>>]"), &[Concern::Launch]);
    check(&with_page("/Annots [<</A <</S /SubmitForm>>>>]"), &[Concern::SubmitForm]);
    check(&with_page("/Annots [<</A <</S /ImportData>>>>]"), &[Concern::ImportData]);
    check(&with_page("/Annots [<</Subtype /FileAttachment>>]"), &[Concern::EmbeddedFiles]);
    check(&with_catalog("/Names <</EmbeddedFiles <</Names [(a) 5 0 R]>>>>"), &[Concern::EmbeddedFiles]);
    check(&with_catalog("/AF [<</Type /Filespec>>]"), &[Concern::EmbeddedFiles]);
    check(&form("/XFA []"), &[Concern::Xfa]);
    check(&form("/NeedAppearances true"), &[Concern::NeedAppearances]);
    check(&with_catalog("/Perms <</UR3 5 0 R>>"), &[Concern::UsageRights]);
    check(&with_catalog("/OCProperties <</D <</OFF [5 0 R]>>>>"), &[Concern::HiddenContent]);
    check(&with_catalog("/OCProperties <</D <</BaseState /OFF>>>>"), &[Concern::HiddenContent]);
    let print = "/OCProperties <</D <</OFF [] /AS [<</Event /Print /OCGs [5 0 R] /Category [/Print]>>]>>>>";
    check(&with_catalog(print), &[Concern::ContentDiffersWhenPrinted]);
    let content =
        |entries: &str| Sample::new().with(4, &format!("<</Length 0 {entries}>>\nstream\n\nendstream"));
    check(&content("/F (other.pdf)"), &[Concern::ExternalStream]);
    check(&content("/Filter /Own"), &[Concern::UnknownFilter]);
    check(&content("/Filter [/FlateDecode /Own]"), &[Concern::UnknownFilter]);
    check(&content("/Filter [/ASCII85Decode /DCTDecode]"), &[]);
}

#[test]
fn several_concerns_come_with_the_gravest_first() {
    let sample = with_catalog("/OpenAction <</S /Launch /Next <</S /JavaScript>>>> /AcroForm <</XFA []>>");
    check(&sample, &[Concern::JavaScript, Concern::Launch, Concern::Xfa]);
    let mut sorted = Concern::ALL;
    sorted.sort_unstable();
    assert_eq!(sorted, Concern::ALL);
}

#[test]
fn settings_decide_what_is_refused() {
    let refused = |file: &[u8], refusals: Refusals| {
        let options = Options { refusals, ..options() };
        prepare(file, &signer(), &[], &options).err().map(|error| error.code())
    };
    let script = with_catalog("/OpenAction <</S /JavaScript /JS (x)>>").table();
    assert_eq!(refused(&script, Refusals::DEFAULT), Some(ErrorCode::PdfUnsupported));
    assert_eq!(refused(&script, Refusals::DEFAULT.without(Concern::JavaScript)), None);
    assert_eq!(refused(&script, Refusals::NONE), None);
    let files = with_catalog("/AF [<</Type /Filespec>>]").table();
    assert_eq!(refused(&files, Refusals::default()), None);
    assert_eq!(refused(&files, Refusals::NONE.with(Concern::EmbeddedFiles)), Some(ErrorCode::PdfUnsupported));
}

#[test]
fn a_large_or_looped_document_is_inspected_in_bounds() {
    let looped = with_catalog("/OpenAction 5 0 R").with(5, "<</S /GoTo /Next [5 0 R 6 0 R]>>");
    check(&looped.with(6, "<</S /URI /Next 5 0 R>>"), &[]);
    let kids: String = (10..110).map(|number| format!("{number} 0 R ")).collect();
    let mut many = Sample::new().with(2, &format!("<</Type /Pages /Kids [3 0 R {kids}]>>"));
    for number in 10..110 {
        many = many.with(number, "<</Type /Page /Parent 2 0 R>>");
    }
    check(&many, &[Concern::NotAllInspected]);
    let annotations: String = (10..5010).map(|number| format!("{number} 0 R ")).collect();
    let mut many = with_page(&format!("/Annots [{annotations}]"));
    for number in 10..5010 {
        many = many.with(number, "<</Subtype /Link>>");
    }
    assert_eq!(inspect(&many.table()).unwrap(), [Concern::NotAllInspected]);
}
