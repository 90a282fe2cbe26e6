//! What holds for every file and every setting.

use proptest::prelude::*;

use super::*;

/// Files of each kind of cross-reference.
fn file(kind: usize) -> Vec<u8> {
    let files: [&dyn Fn() -> Vec<u8>; 5] = [
        &|| Sample::new().table(),
        &|| Sample::new().stream(&[1, 2, 3]),
        &|| include_bytes!("../../../testdata/pdf/form.pdf").to_vec(),
        &|| include_bytes!("../../../testdata/pdf/linearized-object-streams.pdf").to_vec(),
        &|| include_bytes!("../../../testdata/pdf/pypdf-updated.pdf").to_vec(),
    ];
    files[kind % files.len()]()
}

fn any_options() -> impl Strategy<Value = Options> {
    let text = proptest::option::of("[a-zA-Zçã ()\\\\]{0,40}");
    let rectangle = (0.0..200.0_f64, 0.0..200.0_f64, 60.0..300.0_f64, 40.0..300.0_f64);
    let appearance = proptest::option::of((rectangle, proptest::collection::vec("[ -~çãé]{0,30}", 0..4)));
    (0..2_000_000_000_000_u64, text.clone(), text, appearance, any::<bool>(), 0..3_usize).prop_map(
        |(time, name, reason, appearance, pbad, certify)| Options {
            name,
            reason,
            appearance: appearance.map(|((left, bottom, width, height), lines)| Appearance {
                placement: Some(Placement { page: 1, rectangle: Rectangle { left, bottom, width, height } }),
                lines,
                image: None,
            }),
            sub_filter: if pbad { SubFilter::Pbad } else { SubFilter::Etsi },
            certify: [None, Some(Certification::NoChanges), Some(Certification::Annotations)][certify],
            ..Options::new(Timestamp::from_unix_ms(time).unwrap())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The original is a prefix, the same call gives the same bytes, and what is written can be read.
    #[test]
    fn a_revision_is_only_appended_and_always_the_same(kind in 0..5_usize, options in any_options()) {
        let file = file(kind);
        match prepare(&file, &signer(), &[], &options) {
            Ok(plan) => {
                prop_assert_eq!(&plan, &prepare(&file, &signer(), &[], &options).unwrap());
                let signed = [&file[..], &plan.embed(&value(&plan)).unwrap()].concat();
                prop_assert!(signed.starts_with(&file));
                let [start, first, second, rest] = plan.byte_range();
                prop_assert_eq!((start, second + rest), (0, signed.len() as u64));
                let at = usize::try_from(first).unwrap();
                prop_assert_eq!((signed[at], signed[usize::try_from(second).unwrap() - 1]), (b'<', b'>'));
                let document = Document::open(&signed).unwrap();
                prop_assert_eq!(crate::pdf::signature_fields(&document).unwrap().len(), 1);
            }
            // A page of another size, or text that does not fit.
            Err(error) => prop_assert_eq!(error.code(), ErrorCode::AppearanceInvalid, "{}", error),
        }
    }

    /// No byte of the file can be changed unnoticed, but those of the padding behind the CMS.
    #[test]
    fn a_flipped_byte_is_noticed(kind in 0..5_usize, at in any::<proptest::sample::Index>(), mask in 1..=255_u8) {
        let original = file(kind);
        let plan = plan(&original).unwrap();
        let cms = plan.assemble(&value(&plan)).unwrap();
        let mut signed = [&original[..], &plan.embed_cms(&cms).unwrap()].concat();
        let at = at.index(signed.len());
        let [_, first, second, _] = plan.byte_range().map(|number| usize::try_from(number).unwrap());
        prop_assume!(!(first + 1 + 2 * cms.len()..second - 1).contains(&at));
        // Upper-case digits say the same.
        prop_assume!(!(first..second).contains(&at) || mask != 0x20);
        signed[at] ^= mask;
        let passed = validate_pdf(&signed, &context()).is_ok_and(|report| report.overall() == Indication::Passed);
        prop_assert!(!passed, "byte {} of {}", at, signed.len());
    }
}
