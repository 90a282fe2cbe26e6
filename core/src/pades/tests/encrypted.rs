//! Encrypted files: what is appended is encrypted with the file's key, Contents stays clear.

use super::*;
use crate::digest::Digest;
use crate::pdf::File;
use crate::tsp::testing::Authority;

const FILES: [&[u8]; 4] = [
    include_bytes!("../../../testdata/pdf/encrypted/rc4-40.pdf"),
    include_bytes!("../../../testdata/pdf/encrypted/rc4-128-v4.pdf"),
    include_bytes!("../../../testdata/pdf/encrypted/aes-128.pdf"),
    include_bytes!("../../../testdata/pdf/encrypted-aes256.pdf"),
];

#[test]
fn every_level_is_reached_in_an_encrypted_file() {
    for file in FILES {
        let password = if Document::open(file).is_ok() { "" } else { "Senha" };
        let options = Options {
            location: Some("Recife".to_owned()),
            appearance: Some(Appearance {
                placement: Some(Placement {
                    page: 1,
                    rectangle: Rectangle { left: 20.0, bottom: 20.0, width: 100.0, height: 40.0 },
                }),
                lines: vec!["Cliente TEST".to_owned()],
                image: None,
            }),
            ..options()
        };
        let plan = prepare(open(file, password), &signer(), &[], &options).unwrap();
        assert_eq!(plan, prepare(open(file, password), &signer(), &[], &options).unwrap());
        let cms = plan.assemble(&value(&plan)).unwrap();
        let signed = [file, &plan.embed_cms(&cms).unwrap()].concat();
        let appended = &signed[file.len()..];
        for clear in [&b"Recife"[..], b"Cliente TEST", b"D:2027"] {
            assert!(find(appended, clear).is_none(), "{}", String::from_utf8_lossy(clear));
        }
        let hex = crate::digest::to_hex(&cms);
        assert!(find(appended, hex.as_bytes()).is_some(), "Contents is clear");
        let data =
            ValidationData { certificates: vec![b"certificate".to_vec()], ..ValidationData::default() };
        let entries = [("Signature1", &data)];
        let at = options.signing_time;
        let kept = add_validation_data(open(&signed, password), &entries, at).unwrap();
        assert!(find(&kept, b"certificate").is_none());
        let kept = [&signed[..], &kept].concat();
        assert_eq!(add_validation_data(open(&kept, password), &entries, at).unwrap(), b"", "it is read back");
        let plan = prepare_time_stamp(open(&kept, password), &TimeStampOptions::default()).unwrap();
        assert_eq!(plan.original_digest(), &Digest::sha256(&kept));
        let stamped = plan.embed(&Authority::new().stamp(plan.imprint(), at)).unwrap();
        let last = [&kept[..], &stamped].concat();
        let document = Document::open(open(&last, password)).unwrap();
        assert_eq!(crate::pdf::signature_fields(&document).unwrap().len(), 2);
    }
}

fn open<'a>(file: &'a [u8], password: &'a str) -> File<'a> {
    File::from(file).with_password(password)
}
