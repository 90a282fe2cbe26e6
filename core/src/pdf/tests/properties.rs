//! Properties over random objects and random changes.

use proptest::prelude::*;

use super::*;

/// Objects as they may stand in a file, without references to nowhere.
fn objects() -> impl Strategy<Value = Object> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
    let leaf = prop_oneof![
        Just(Object::Null),
        any::<bool>().prop_map(Object::Boolean),
        any::<i64>().prop_map(Object::Integer),
        (any::<i32>(), any::<u16>()).prop_map(|(whole, part)| Object::Real(format!("{whole}.{part}"))),
        bytes().prop_map(Object::Name),
        bytes().prop_map(Object::String),
        (1..MAX_NUMBER, any::<u16>())
            .prop_map(|(number, generation)| Reference { number, generation }.into()),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Object::Array),
            proptest::collection::btree_map(bytes(), inner, 0..8).prop_map(|entries| {
                Dictionary::from_entries(entries.into_iter().collect()).unwrap().into()
            }),
        ]
    })
}

const MAX_NUMBER: u32 = 8_388_607;

/// Every kind of file, with its password.
fn files() -> [(Vec<u8>, &'static str); 6] {
    let sample = Sample::new().with(9, "(nine)");
    [
        (sample.table(), ""),
        (sample.stream(&[]), ""),
        (sample.stream(&[1, 2, 3, 9]), ""),
        (include_bytes!("../../../testdata/pdf/linearized-object-streams.pdf").to_vec(), ""),
        (include_bytes!("../../../testdata/pdf/encrypted/rc4-40.pdf").to_vec(), "Senha"),
        (include_bytes!("../../../testdata/pdf/encrypted/aes-128.pdf").to_vec(), "Senha"),
    ]
}

proptest! {
    #[test]
    fn objects_read_back_as_they_were_written(object in objects()) {
        let mut bytes = Vec::new();
        object.write(&mut bytes);
        prop_assert_eq!(Parser::new(&bytes, 0).object(), Ok(object.clone()));
        // And so they do through a window of any size, or the window says that it was too small.
        for size in 0..bytes.len() {
            let mut parser = Parser::window(&bytes[..size], 0);
            let read = parser.object();
            prop_assert!(parser.is_starved() || read.as_ref() == Ok(&object), "{size}: {read:?}");
        }
    }

    #[test]
    fn updates_keep_every_byte_and_read_back(
        which in 0_usize..6,
        added in proptest::collection::vec(objects(), 1..5),
        data in proptest::collection::vec(any::<u8>(), 0..500),
        seed in any::<[u8; 4]>(),
    ) {
        let (file, password) = &files()[which];
        let document = Document::open(File::from(file).with_password(password)).unwrap();
        let mut update = IncrementalUpdate::new(&document, &seed).unwrap();
        let numbers: Vec<Reference> = added.iter().map(|_| update.allocate()).collect();
        for (reference, object) in numbers.iter().zip(&added) {
            update.put(*reference, object);
        }
        let (stored, packed) = (update.allocate(), update.allocate());
        update.put_stream(stored, Dictionary::new(), &data);
        update.put_compressed_stream(packed, Dictionary::new(), &data);
        let new = [&file[..], &update.finish(|_| vec![3; 16]).unwrap().bytes].concat();
        prop_assert!(new.starts_with(file));
        let after = Document::open(File::from(&new).with_password(password)).unwrap();
        for (reference, object) in numbers.iter().zip(&added) {
            prop_assert_eq!(&after.object(*reference).unwrap().unwrap().value, object);
        }
        for reference in [stored, packed] {
            let object = after.object(reference).unwrap().unwrap();
            prop_assert_eq!(after.stream_data(&object).unwrap(), Some(data.clone()));
        }
        // What was there before is there still.
        for number in 0..document.newest().size().unwrap() {
            prop_assert_eq!(after.entry(number), document.entry(number));
        }
    }

    #[test]
    fn no_change_of_an_encrypted_file_makes_the_reader_panic(
        which in 4_usize..6,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (mut file, password) = files()[which].clone();
        for (at, byte) in edits {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Ok(document) = Document::open(File::from(&file).with_password(password)) {
            for number in 0..20 {
                let object = document.object(Reference { number, generation: 0 });
                if let Ok(Some(object)) = object {
                    let _ = document.stream_data(&object);
                }
            }
        }
    }
}
