//! The same file gives the same result from memory and through windows, and little of it is read.

use core::cell::Cell;

use super::*;
use crate::ErrorCode;
use crate::pdf::sample::{Sample, append};
use crate::pdf::{Document, IncrementalUpdate, Object, Reference, signature_fields};

/// Bytes that are only reachable by position, with a count of what was read.
pub(crate) struct Counting<'a> {
    bytes: &'a [u8],
    /// Zeros that follow the first bytes: a file larger than memory.
    hole: Range<u64>,
    pub(crate) bytes_read: Cell<u64>,
    pub(crate) largest_read: Cell<usize>,
}

impl<'a> Counting<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self::with_hole(bytes, 0, 0)
    }

    /// The bytes, with `length` zeros in front of byte `at`.
    pub(crate) const fn with_hole(bytes: &'a [u8], at: u64, length: u64) -> Self {
        Self { bytes, hole: at..at + length, bytes_read: Cell::new(0), largest_read: Cell::new(0) }
    }
}

impl Source for Counting<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64 + self.hole.end - self.hole.start
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        assert!(offset + buffer.len() as u64 <= self.len(), "nothing behind the end is asked for");
        self.bytes_read.set(self.bytes_read.get() + buffer.len() as u64);
        self.largest_read.set(self.largest_read.get().max(buffer.len()));
        let hole = self.hole.end - self.hole.start;
        if offset + buffer.len() as u64 <= self.hole.start {
            return copy(self.bytes, offset, buffer);
        }
        if offset >= self.hole.end {
            return copy(self.bytes, offset - hole, buffer);
        }
        for (byte, at) in buffer.iter_mut().zip(offset..) {
            *byte = match at {
                at if at < self.hole.start => self.bytes[as_usize(at)],
                at if at < self.hole.end => 0,
                at => self.bytes[as_usize(at - hole)],
            };
        }
        Ok(())
    }
}

/// First page, number of signature fields, objects, update.
type Reading = (Reference, usize, Vec<Option<Object>>, Vec<u8>);

/// Everything that the reader tells of a file, and the update that would be appended.
fn reading(file: File<'_>) -> Result<Reading, PdfError> {
    let document = Document::open(file)?;
    let (_, catalog) = document.catalog()?;
    let (page, dictionary) = document.first_page(&catalog)?;
    let fields = signature_fields(&document)?.len();
    let objects = (0..document.newest().size()?.min(200))
        .map(|number| {
            let object = document.object(Reference { number, generation: 0 })?;
            if let Some(object) = &object {
                document.stream_body(object)?;
            }
            Ok(object.map(|object| object.value))
        })
        .collect::<Result<_, PdfError>>()?;
    let mut update = IncrementalUpdate::new(&document, b"")?;
    update.put(page, &dictionary.into());
    Ok((page, fields, objects, update.finish(|_| vec![1; 16])?.bytes))
}

fn files() -> Vec<Vec<u8>> {
    let long = format!("<</A ({}) /B [{}]>>", "x%\\(".repeat(3000), "1 0 R 7 ".repeat(3000));
    let sample = Sample::new().with(9, &long).with(7, "% comment\n(seven)");
    let mut files = vec![
        sample.table(),
        sample.stream(&[]),
        sample.stream(&[1, 2, 3, 9]),
        append(&sample.table(), &[(2, "<</Type /Pages /Kids [3 0 R]>>")], "/Size 10"),
    ];
    files.extend(
        [
            &include_bytes!("../../../testdata/pdf/plain.pdf")[..],
            include_bytes!("../../../testdata/pdf/form.pdf"),
            include_bytes!("../../../testdata/pdf/object-streams.pdf"),
            include_bytes!("../../../testdata/pdf/linearized.pdf"),
            include_bytes!("../../../testdata/pdf/linearized-object-streams.pdf"),
            include_bytes!("../../../testdata/pdf/pypdf-updated.pdf"),
            include_bytes!("../../../testdata/pdf/pyhanko-second-visible.pdf"),
        ]
        .map(<[u8]>::to_vec),
    );
    files
}

#[test]
fn windows_and_memory_read_the_same() {
    for file in files() {
        let expected = reading(File::from(&file));
        assert!(expected.is_ok(), "{expected:?}");
        assert_eq!(reading(File::from(&Counting::new(&file))), expected);
    }
}

#[test]
fn windows_and_memory_refuse_the_same() {
    for file in files() {
        for cut in (0..file.len()).step_by(251) {
            let expected = reading(File::from(&file[..cut]));
            assert_eq!(reading(File::from(&file).prefix(cut as u64)), expected, "cut at {cut}");
            assert_eq!(
                reading(File::from(&Counting::new(&file)).prefix(cut as u64)),
                expected,
                "cut at {cut}"
            );
        }
    }
}

#[test]
fn a_large_file_is_read_at_a_few_places_and_right_beyond_four_gigabytes() {
    // Eight gigabytes of white space between the body and an update.
    let file = Sample::new().table();
    let at = file.len() as u64;
    let previous = crate::pdf::sample::last_startxref(&file);
    for hole in [3_u64 << 30, 8 << 30, 9_900_000_000] {
        let page = "<</Type /Page /Parent 2 0 R /Large true>>";
        let new_at = at + hole;
        let body = format!("3 0 obj\n{page}\nendobj\n");
        let xref_at = new_at + body.len() as u64;
        let tail = format!(
            "{body}xref\n3 1\n{new_at:010} 00000 n \ntrailer\n<</Size 5 /Root 1 0 R /Prev {previous}>>\n\
             startxref\n{xref_at}\n%%EOF\n"
        );
        let bytes = [&file[..], tail.as_bytes()].concat();
        let source = Counting::with_hole(&bytes, at, hole);
        let (page, _, objects, update) = reading(File::from(&source)).unwrap();
        assert_eq!(page.number, 3);
        let page = objects[3].as_ref().unwrap().as_dictionary().unwrap();
        assert_eq!(page.get(b"Large"), Some(&Object::Boolean(true)));
        assert!(source.bytes_read.get() < 64 << 10, "{}", source.bytes_read.get());
        // The update's own offsets lead back to its objects.
        let bytes = [&bytes[..], &update].concat();
        let source = Counting::with_hole(&bytes, at, hole);
        assert_eq!(reading(File::from(&source)).unwrap().2, objects);
    }
}

#[test]
fn a_digest_passes_through_small_blocks() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|i| i.to_le_bytes()[1]).collect();
    let source = Counting::new(&bytes);
    let expected = Digest::sha256(&[&bytes[5..100_000], &bytes[200_000..]].concat());
    let ranges = [5..100_000, 200_000..300_000];
    assert_eq!(File::from(&source).digest(DigestAlgorithm::Sha256, &ranges), Ok(expected));
    assert_eq!(File::from(&bytes).digest(DigestAlgorithm::Sha256, &ranges), Ok(expected));
    assert!(source.largest_read.get() <= 64 << 10);
    assert_eq!(source.bytes_read.get(), 199_995);
}

#[test]
fn what_lies_outside_is_an_error() {
    let bytes = b"0123456789";
    let source = Counting::new(bytes);
    for file in [File::from(bytes), File::from(&source), File::from(bytes).prefix(99)] {
        assert_eq!(file.read(2..5).unwrap(), &b"234"[..]);
        for range in [5..11, 11..12, u64::MAX..u64::MAX] {
            assert_eq!(file.read(range.clone()).unwrap_err().code(), ErrorCode::PdfDamaged);
            assert_eq!(file.feed(range, |_| {}).unwrap_err().code(), ErrorCode::PdfDamaged);
        }
    }
}

#[test]
fn a_piece_that_would_fill_the_memory_is_refused() {
    let source = Counting::with_hole(b"", 0, 1 << 40);
    let file = File::from(&source);
    assert_eq!(file.read(0..MAX_PIECE_BYTES + 1).unwrap_err().code(), ErrorCode::LimitExceeded);
    let endless = file.parse(0, |parser| parser.object());
    assert_eq!(endless, Err(PdfError::limit("bytes in one object", 16 << 20)));
}

#[test]
fn a_source_that_fails_is_told_from_a_damaged_file() {
    struct Broken;
    impl Source for Broken {
        fn len(&self) -> u64 {
            100
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> Result<(), SourceError> {
            Err(SourceError::new("the disk is gone"))
        }
    }
    let error = Document::open(&Broken).unwrap_err();
    assert_eq!(error.code(), ErrorCode::FileUnreadable);
    assert_eq!(error.to_string(), "the file cannot be read: the disk is gone");
}
