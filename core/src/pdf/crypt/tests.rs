//! Files that qpdf encrypted, and updates of them.

use crate::ErrorCode;
use crate::pdf::sample::{Sample, find, replaced};
use crate::pdf::{Dictionary, Document, File, IncrementalUpdate, Object, Reference, SectionKind};

macro_rules! encrypted {
    ($name:literal) => {
        &include_bytes!(concat!("../../../testdata/pdf/encrypted/", $name, ".pdf"))[..]
    };
}

/// Files with the user password, those for which it is `Senha` first. The owner's is `dono`.
fn files() -> [(&'static [u8], &'static str); 8] {
    [
        (encrypted!("rc4-40"), "Senha"),
        (encrypted!("rc4-128"), "Senha"),
        (encrypted!("rc4-128-v4"), "Senha"),
        (encrypted!("aes-128"), "Senha"),
        (encrypted!("aes-256-r5"), "Senha"),
        (encrypted!("aes-256"), "Senha"),
        (encrypted!("aes-256-accents"), "A\u{e7}\u{e3}o\u{fe55}\u{fb01}m"),
        (encrypted!("rc4-128-accents"), "A\u{e7}\u{e3}o"),
    ]
}

fn open<'a>(file: &'a [u8], password: &'a str) -> Document<'a> {
    Document::open(File::from(file).with_password(password)).unwrap()
}

/// Name of the first field, and the text of the first page.
fn texts(document: &Document<'_>) -> (Object, Vec<u8>) {
    let (_, catalog) = document.catalog().unwrap();
    let form = document.dictionary(&catalog, b"AcroForm").unwrap().unwrap();
    let fields = document.value(&form, b"Fields").unwrap().unwrap();
    let field = document.resolve(&fields.as_array().unwrap()[0]).unwrap();
    let (_, page) = document.first_page(&catalog).unwrap();
    let contents = page.get(b"Contents").and_then(Object::as_reference).unwrap();
    let contents = document.object(contents).unwrap().unwrap();
    let text = document.stream_data(&contents).unwrap().unwrap();
    (field.as_dictionary().unwrap().get(b"T").unwrap().clone(), text)
}

#[test]
fn either_password_shows_what_was_encrypted() {
    let plain = include_bytes!("../../../testdata/pdf/form.pdf");
    let expected = texts(&Document::open(plain).unwrap());
    assert_eq!(expected.0, Object::String(b"Nome".to_vec()));
    for (file, user) in files() {
        for password in [user, "dono"] {
            assert_eq!(texts(&open(file, password)), expected);
        }
    }
    // With an empty user password nobody has to be asked.
    for file in [encrypted!("aes-256-no-changes"), encrypted!("aes-128-forms-only")] {
        assert_eq!(texts(&Document::open(file).unwrap()), expected);
        assert_eq!(texts(&open(file, "dono")), expected);
    }
}

#[test]
fn a_missing_password_is_told_from_a_wrong_one() {
    for (file, user) in files() {
        assert_eq!(Document::open(file).unwrap_err().code(), ErrorCode::PdfEncrypted);
        for wrong in ["", "senha", "Dono", "\u{1f511}", &format!("{user}x")] {
            let error = Document::open(File::from(file).with_password(wrong)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PdfPasswordWrong, "{wrong}");
        }
    }
    let open_to_all = encrypted!("aes-256-no-changes");
    let error = Document::open(File::from(open_to_all).with_password("x")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PdfPasswordWrong);
}

#[test]
fn permissions_bind_the_user_and_not_the_owner() {
    let allowed = |file: &'static [u8], password: Option<&'static str>| {
        let file = File::from(file);
        let file = password.map_or(file, |password| file.with_password(password));
        let permissions = Document::open(file).unwrap().permissions();
        (permissions.fill_fields, permissions.annotate)
    };
    assert_eq!(allowed(encrypted!("aes-256-no-changes"), None), (false, false));
    assert_eq!(allowed(encrypted!("aes-256-no-changes"), Some("dono")), (true, true));
    assert_eq!(allowed(encrypted!("aes-128-forms-only"), None), (true, false));
    assert_eq!(allowed(encrypted!("rc4-128"), Some("Senha")), (true, true));
    let plain = Sample::new().table();
    assert_eq!(Document::open(&plain).unwrap().permissions(), super::Permissions::ALL);
}

/// An update with strings and streams, of which a signature dictionary keeps its Contents clear.
fn update(file: &[u8], password: &str, seed: &[u8]) -> (Vec<u8>, [Reference; 4]) {
    let document = open(file, password);
    let mut update = IncrementalUpdate::new(&document, seed).unwrap();
    let numbers = [(); 4].map(|()| update.allocate());
    let text = Object::String(b"secret".to_vec());
    let nested = Dictionary::new().with(b"A", Object::Array(vec![text.clone(), text.clone()]));
    update.put(numbers[0], &nested.into());
    update.put_stream(numbers[1], Dictionary::new().with(b"S", text.clone()), &[7; 100]);
    update.put_compressed_stream(numbers[2], Dictionary::new(), &[8; 1000]);
    let signature = Dictionary::new()
        .with(b"Type", Object::name(b"Sig"))
        .with(b"M", text.clone())
        .with(b"ByteRange", Object::Array(vec![]))
        .with(b"Contents", text);
    update.put(numbers[3], &signature.into());
    ([file, &update.finish(|_| vec![1; 16]).unwrap().bytes].concat(), numbers)
}

#[test]
fn an_update_of_an_encrypted_file_is_encrypted_and_reads_back() {
    let open_to_all = [(encrypted!("aes-256-no-changes"), ""), (encrypted!("aes-128-forms-only"), "")];
    for (file, password) in files().into_iter().chain(open_to_all) {
        let (new, numbers) = update(file, password, b"seed");
        let appended = &new[file.len()..];
        // Only the Contents of the signature are clear.
        assert_eq!(appended.windows(6).filter(|window| window == b"secret").count(), 1);
        let after = open(&new, password);
        assert_eq!(texts(&after), texts(&open(file, password)));
        let read = |at: usize| after.object(numbers[at]).unwrap().unwrap();
        let text = Object::String(b"secret".to_vec());
        let nested = read(0).value;
        let nested = nested.as_dictionary().unwrap().get(b"A").unwrap();
        assert_eq!(nested, &Object::Array(vec![text.clone(), text.clone()]));
        assert_eq!(after.stream_data(&read(1)).unwrap(), Some(vec![7; 100]));
        assert_eq!(read(1).value.as_dictionary().unwrap().get(b"S"), Some(&text));
        assert_eq!(after.stream_data(&read(2)).unwrap(), Some(vec![8; 1000]));
        let signature = read(3).value;
        for key in [&b"M"[..], b"Contents"] {
            assert_eq!(signature.as_dictionary().unwrap().get(key), Some(&text));
        }
        // A cross-reference stream of ours stays clear, or nothing could be read at all.
        let last = after.newest();
        assert_eq!(last.trailer.get(b"Encrypt"), open(file, password).newest().trailer.get(b"Encrypt"));
        if let SectionKind::Stream(number) = last.kind {
            let own = after.object(Reference { number, generation: 0 }).unwrap().unwrap();
            assert_eq!(own.value, Object::Dictionary(last.trailer.clone()));
        }
    }
}

#[test]
fn vectors_depend_on_text_place_and_seed_and_on_nothing_else() {
    let file = encrypted!("aes-256");
    let (first, _) = update(file, "Senha", b"1");
    assert_eq!(update(file, "dono", b"1").0, first, "the file key is the same for owner and user");
    assert_ne!(update(file, "Senha", b"2").0, first);
    // The same word twice in one object, and in another object, is encrypted in three ways.
    let document = open(file, "Senha");
    let update = IncrementalUpdate::new(&document, b"").unwrap();
    let word = Object::String(b"word".to_vec());
    let pair = Object::Array(vec![word.clone(), word]);
    let encrypted = |number| {
        let dictionary = Dictionary::new().with(b"A", pair.clone());
        let dictionary = update.encrypted_dictionary(Reference { number, generation: 0 }, dictionary);
        dictionary.get(b"A").unwrap().as_array().unwrap().to_vec()
    };
    let (one, other) = (encrypted(5), encrypted(6));
    assert_ne!(one[0], one[1]);
    assert_ne!(one, other);
}

#[test]
fn changed_permissions_are_noticed() {
    let file = encrypted!("aes-256-no-changes");
    let at = find(file, b"/P -").unwrap();
    let mut changed = file.to_vec();
    changed[at + 4] ^= 3;
    assert_eq!(Document::open(&changed).unwrap_err().code(), ErrorCode::PdfDamaged);
    // Before AES-256 the permissions are part of the key.
    let file = encrypted!("aes-128-forms-only");
    let changed = replaced(file, "/P -1068", "/P -1004");
    assert_eq!(Document::open(&changed).unwrap_err().code(), ErrorCode::PdfEncrypted);
}

#[test]
fn other_ways_to_encrypt_are_refused_with_the_reason() {
    for (entries, reason) in [
        ("/Filter /Adobe.PubSec /V 4", "for certificates"),
        ("/V 4 /R 4", "for certificates"),
        ("/Filter /Standard /V 5 /R 6 /KDFSalt (x)", "ISO/TS 32004"),
        ("/Filter /Standard /V 3 /R 3", "an encryption version"),
        ("/Filter /Standard /V 6 /R 7", "an encryption version"),
    ] {
        let file = Sample::new().with(9, &format!("<<{entries}>>")).trailer("/Encrypt 9 0 R").table();
        let error = Document::open(&file).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PdfUnsupported, "{entries}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    let mac = Sample::new().with(9, "<<>>").trailer("/Encrypt 9 0 R /AuthCode <<>>").table();
    assert_eq!(Document::open(&mac).unwrap_err().code(), ErrorCode::PdfUnsupported);
}

#[test]
fn a_broken_encryption_dictionary_is_refused() {
    for file in files().map(|(file, _)| file) {
        for (from, to) in [
            ("/O <", "/0 <"),
            ("/U <", "/0 <"),
            ("/P ", "/0 "),
            ("/R ", "/0 "),
            ("/Filter /Standard", "/Filter /Stondard"),
        ] {
            let at = find(file, b"<< /CF").or_else(|| find(file, b"<< /Filter /Standard")).unwrap();
            let changed = [&file[..at], &replaced(&file[at..], from, to)].concat();
            let error = Document::open(File::from(&changed).with_password("Senha")).unwrap_err();
            assert!(
                matches!(error.code(), ErrorCode::PdfDamaged | ErrorCode::PdfUnsupported),
                "{to}: {error}"
            );
        }
    }
    let filter = replaced(encrypted!("aes-256"), "/CFM /AESV3", "/CFM /None ");
    assert_eq!(
        Document::open(File::from(&filter).with_password("Senha")).unwrap_err().code(),
        ErrorCode::PdfUnsupported
    );
    let missing = replaced(encrypted!("aes-256"), "/StmF /StdCF", "/StmF /OtherC");
    assert_eq!(
        Document::open(File::from(&missing).with_password("Senha")).unwrap_err().code(),
        ErrorCode::PdfDamaged
    );
}

#[test]
fn a_file_whose_trailers_disagree_about_encryption_is_refused() {
    let file = encrypted!("aes-256");
    let hidden = crate::pdf::sample::append(file, &[], "/Size 20");
    assert_eq!(
        Document::open(File::from(&hidden).with_password("Senha")).unwrap_err().code(),
        ErrorCode::PdfDamaged
    );
}

#[test]
fn a_string_that_was_cut_is_damaged_and_not_empty() {
    let file = encrypted!("aes-256");
    let at = find(file, b"/T <").unwrap();
    let end = at + find(&file[at..], b">").unwrap();
    let cut = [&file[..end - 2], b"  ", &file[end..]].concat();
    let document = open(&cut, "Senha");
    let number = (1..20)
        .find(|number| document.object(Reference { number: *number, generation: 0 }).is_err())
        .expect("one object has the cut string");
    let error = document.object(Reference { number, generation: 0 }).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PdfDamaged);
}
