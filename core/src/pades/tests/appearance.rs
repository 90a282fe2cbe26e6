//! Visible signatures: where they stand, what they hold, what is refused. What they look like was judged by
//! eye on the rotations below, rendered with poppler.

use super::*;

fn visible(page: u32, rectangle: [f64; 4]) -> Options {
    let [left, bottom, width, height] = rectangle;
    let rectangle = Rectangle { left, bottom, width, height };
    let appearance = Appearance {
        placement: Some(Placement { page, rectangle }),
        lines: signature_lines(&signer(), options().signing_time, Some("Aprovação")),
        image: None,
    };
    Options { appearance: Some(appearance), ..options() }
}

fn with_image(mut options: Options, image: &[u8]) -> Options {
    options.appearance.as_mut().unwrap().image = Some(image.to_vec());
    options
}

fn with_lines(mut options: Options, lines: &[&str]) -> Options {
    options.appearance.as_mut().unwrap().lines = lines.iter().map(|line| (*line).to_owned()).collect();
    options
}

/// The widget of the only signature, and the dictionary of its appearance.
fn shown(file: &[u8]) -> (Dictionary, Dictionary, Vec<u8>) {
    let document = Document::open(file).unwrap();
    let fields = crate::pdf::signature_fields(&document).unwrap();
    let widget = document.resolve(&fields[0].reference.unwrap().into()).unwrap();
    let widget = widget.as_dictionary().unwrap().clone();
    let normal = document.dictionary(&widget, b"AP").unwrap().unwrap();
    let object = document.object(normal.get(b"N").unwrap().as_reference().unwrap()).unwrap().unwrap();
    let content = document.stream_body(&object).unwrap().unwrap().into_owned();
    (widget, object.value.as_dictionary().unwrap().clone(), content)
}

fn text(object: Option<&Object>) -> String {
    let mut out = Vec::new();
    object.unwrap().write(&mut out);
    String::from_utf8(out).unwrap()
}

fn page(entries: &str) -> Vec<u8> {
    let page = format!("<</Type /Page /Parent 2 0 R /Contents 4 0 R {entries}>>");
    Sample::new().with(3, &page).table()
}

/// Two pixels, the second half transparent.
fn png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2, 1);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().unwrap().write_image_data(&[0, 0, 0, 255, 0, 0, 0, 128]).unwrap();
    file
}

#[test]
fn the_rectangle_is_the_one_that_a_reader_shows() {
    // The page has 595 by 842 points; the crop box 400 by 500.
    let crop = "/CropBox [100 200 500 700]";
    for (entries, rectangle, matrix) in [
        ("", "[20 30 120 80]", "[1 0 0 1 0 0]"),
        ("/Rotate 0", "[20 30 120 80]", "[1 0 0 1 0 0]"),
        ("/Rotate 90", "[515 20 565 120]", "[0 1 -1 0 0 0]"),
        ("/Rotate 180", "[475 762 575 812]", "[-1 0 0 -1 0 0]"),
        ("/Rotate -90", "[30 722 80 822]", "[0 -1 1 0 0 0]"),
        (crop, "[120 230 220 280]", "[1 0 0 1 0 0]"),
        ("/Rotate 450 /CropBox [500 700 100 200]", "[420 220 470 320]", "[0 1 -1 0 0 0]"),
    ] {
        let signed = sign_with(&page(entries), &visible(1, [20.0, 30.0, 100.0, 50.0])).unwrap();
        let (widget, form, _) = shown(&signed);
        assert_eq!(text(widget.get(b"Rect")), rectangle, "{entries}");
        assert_eq!(text(form.get(b"Matrix")), matrix, "{entries}");
        assert_eq!(text(form.get(b"BBox")), "[0 0 100 50]");
        assert_eq!(widget.get(b"F"), Some(&Object::Integer(132)));
    }
}

#[test]
fn the_appearance_says_who_and_when_and_claims_nothing() {
    let signed = sign_with(&Sample::new().table(), &visible(1, [20.0, 30.0, 200.0, 60.0])).unwrap();
    let (_, form, content) = shown(&signed);
    let content = content.iter().map(|byte| char::from(*byte)).collect::<String>();
    assert!(content.contains("(Assinado digitalmente por ANA TEST) Tj"), "{content}");
    // Words with characters beyond ASCII are written in hexadecimal.
    assert!(content.contains(&crate::digest::to_hex(
        "Aprova\u{e7}\u{e3}o".chars().map(|c| c as u8).collect::<Vec<_>>().as_slice()
    )));
    let lines = signature_lines(&signer(), options().signing_time, None).join("\n").to_lowercase();
    assert!(lines.contains("28/02/2027 06:30:05\u{a0}-03:00"), "{lines}");
    for claim in ["válid", "valid", "autêntic", "verificad", "confiável"] {
        assert!(!lines.contains(claim));
    }
    assert!(text(form.get(b"Resources")).contains("/Font <</F1"));
}

#[test]
fn the_same_appearance_gives_the_same_bytes() {
    let file = Sample::new().table();
    let options = with_image(visible(1, [20.0, 30.0, 200.0, 60.0]), &png());
    let first = prepare(&file, &signer(), &[], &options).unwrap();
    assert_eq!(first, prepare(&file, &signer(), &[], &options).unwrap());
    assert!(first.appended().len() < 40_000, "{}", first.appended().len());
}

#[test]
fn the_signature_stands_on_the_page_that_was_asked_for() {
    let file = Sample::new()
        .with(2, "<</Type /Pages /Kids [5 0 R 3 0 R] /Count 99 /MediaBox [0 0 595 842] /Rotate 90>>")
        .with(5, "<</Type /Pages /Parent 2 0 R /Kids [6 0 R 7 0 R] /Count 1>>")
        .with(6, "<</Type /Page /Parent 5 0 R>>")
        .with(7, "<</Type /Page /Parent 5 0 R>>")
        .table();
    for (number, object) in [(1, 6), (2, 7), (3, 3)] {
        let (widget, form, _) = shown(&sign_with(&file, &visible(number, [1.0, 1.0, 300.0, 50.0])).unwrap());
        assert_eq!(widget.get(b"P"), Some(&Object::Reference(Reference { number: object, generation: 0 })));
        assert_eq!(text(form.get(b"Matrix")), "[0 1 -1 0 0 0]", "inherited");
    }
}

#[test]
fn transparency_is_kept_except_in_pdf_a_1() {
    let with_metadata = |packet: &str| {
        let body = format!("<</Type /Metadata /Length {}>>\nstream\n{packet}\nendstream", packet.len());
        Sample::new().with(1, "<</Type /Catalog /Pages 2 0 R /Metadata 5 0 R>>").with(5, &body).table()
    };
    let options = with_image(visible(1, [20.0, 30.0, 200.0, 60.0]), &png());
    let has_mask = |file: &[u8]| find(&sign_with(file, &options).unwrap(), b"/SMask").is_some();
    assert!(has_mask(&Sample::new().table()));
    assert!(has_mask(&with_metadata("<pdfaid:part>2</pdfaid:part>")));
    assert!(!has_mask(&with_metadata("<pdfaid:part>1</pdfaid:part>")));
    assert!(!has_mask(&with_metadata("<rdf:Description pdfaid:part='1' pdfaid:conformance='B'/>")));
}

#[test]
fn an_existing_field_is_drawn_where_it_stands() {
    let field = |entries: &str| {
        Sample::new()
            .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [5 0 R]>>>>")
            .with(3, "<</Type /Page /Parent 2 0 R /Rotate 270 /Annots [5 0 R]>>")
            .with(5, &format!("<</Subtype /Widget /FT /Sig /T (C) /P 3 0 R {entries}>>"))
            .table()
    };
    let into = |appearance: Option<Appearance>| Options {
        field: FieldChoice::Existing("C".to_owned()),
        appearance,
        ..options()
    };
    let lines = Appearance { placement: None, lines: vec!["Cliente".to_owned()], image: None };
    let file = field("/Rect [300 120 250 320]");
    let (widget, form, content) = shown(&sign_with(&file, &into(Some(lines.clone()))).unwrap());
    assert_eq!(text(widget.get(b"Rect")), "[300 120 250 320]");
    assert_eq!(text(form.get(b"BBox")), "[0 0 200 50]");
    assert_eq!(text(form.get(b"Matrix")), "[0 -1 1 0 0 0]");
    assert!(find(&content, b"(Cliente)").is_some());
    let (_, _, content) = shown(&sign_with(&file, &into(None)).unwrap());
    assert_eq!(content, b"", "a widget with an area has an appearance, if only an empty one");
    let placed = visible(1, [1.0, 1.0, 100.0, 50.0]).appearance;
    for (file, appearance) in
        [(&file, placed), (&field("/Rect [5 5 5 5]"), Some(lines.clone())), (&field(""), Some(lines))]
    {
        let error = sign_with(file, &into(appearance)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AppearanceInvalid, "{error}");
    }
}

#[test]
fn what_cannot_be_shown_is_refused_and_the_reason_told() {
    let file = Sample::new().table();
    let good = visible(1, [20.0, 30.0, 200.0, 60.0]);
    let check = |options: &Options, reason: &str| {
        let error = prepare(&file, &signer(), &[], options).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AppearanceInvalid);
        assert!(error.to_string().contains(reason), "{error}");
    };
    check(&visible(0, [20.0, 30.0, 200.0, 60.0]), "no page 0");
    check(&visible(2, [20.0, 30.0, 200.0, 60.0]), "no page 2");
    check(&visible(1, [20.0, 30.0, 0.0, 60.0]), "empty");
    check(&visible(1, [20.0, 30.0, 200.0, -60.0]), "empty");
    check(&visible(1, [f64::NAN, 30.0, 200.0, 60.0]), "numbers");
    check(&visible(1, [20.0, 30.0, f64::INFINITY, 60.0]), "numbers");
    check(&visible(1, [-1.0, 30.0, 200.0, 60.0]), "beyond");
    check(&visible(1, [400.0, 30.0, 200.0, 60.0]), "595 by 842");
    check(&visible(1, [20.0, 800.0, 200.0, 60.0]), "beyond");
    check(&with_lines(good.clone(), &["Ω"]), "Ω");
    check(&with_lines(good.clone(), &["linha\nnova"]), "\\n");
    check(&with_lines(good.clone(), &["texto"; 21]), "20 lines");
    check(&with_lines(visible(1, [20.0, 30.0, 200.0, 30.0]), &[&"texto ".repeat(150)]), "fit");
    check(&with_image(good.clone(), b"GIF89a"), "PNG nor JPEG");
    check(&with_image(good.clone(), &png()[..40]), "PNG");
    let mut nowhere = good;
    nowhere.appearance.as_mut().unwrap().placement = None;
    check(&nowhere, "page and a rectangle");
}

#[test]
fn a_page_tree_that_misleads_is_refused() {
    let options = visible(3, [1.0, 1.0, 300.0, 50.0]);
    let looped = Sample::new().with(2, "<</Type /Pages /Kids [3 0 R 2 0 R] /MediaBox [0 0 9 9]>>").table();
    assert_eq!(sign_with(&looped, &options).unwrap_err().code(), ErrorCode::PdfDamaged);
    for entries in ["/MediaBox [0 0 1]", "/MediaBox (x)", "/Rotate 45", "/Rotate (x)", "/CropBox [0 0 /A 1]"]
    {
        let error = sign_with(&page(entries), &visible(1, [1.0, 1.0, 300.0, 50.0])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PdfDamaged, "{entries}");
    }
}

#[test]
fn a_new_visible_field_respects_a_lock_on_the_whole_form() {
    let file = Sample::new()
        .with(1, "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [5 0 R]>>>>")
        .with(5, "<</FT /Sig /T (C) /Lock <</Action /All>>>>")
        .table();
    let signed = sign_with(&file, &Options { field: FieldChoice::Existing("C".to_owned()), ..options() });
    let error = sign_with(&signed.unwrap(), &visible(1, [20.0, 30.0, 200.0, 60.0])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PdfSigningForbidden);
}
