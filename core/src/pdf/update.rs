//! Writes an incremental update (ISO 32000-2 §7.5.6): new objects behind the original bytes, which stay
//! untouched.

use std::borrow::Cow;
use std::collections::BTreeMap;

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::object::write_display;
use super::xref::MAX_OBJECT_NUMBER;
use super::{Dictionary, Document, Object, PdfError, Reference, SectionKind};

/// The largest offset that the ten digits of a table row, or of our ByteRange, can hold.
pub(crate) const MAX_OFFSET: u64 = 9_999_999_999;

/// The usual compromise between time and length.
const COMPRESSION_LEVEL: u8 = 6;

/// Objects to be added to or replaced in a document.
#[derive(Debug)]
pub(crate) struct IncrementalUpdate<'d, 'a> {
    document: &'d Document<'a>,
    next_number: u32,
    /// What the initialisation vectors of an encrypted file depend on besides the text.
    seed: Vec<u8>,
    /// By object number: written in this order.
    bodies: BTreeMap<u32, Body<'d>>,
}

/// An object without `n g obj` and `endobj`.
#[derive(Debug)]
struct Body<'d> {
    generation: u16,
    /// All of an object, or the dictionary of a stream.
    object: Vec<u8>,
    /// The data of a stream, which may be large and are not copied before they are written.
    stream: Option<Cow<'d, [u8]>>,
}

/// The bytes to append.
#[derive(Debug)]
pub(crate) struct Revision {
    /// Everything behind the original bytes, to the `%%EOF` and its line end.
    pub(crate) bytes: Vec<u8>,
    /// Where the body of each object begins in `bytes`, by object number.
    pub(crate) body_offsets: BTreeMap<u32, usize>,
}

impl<'d, 'a> IncrementalUpdate<'d, 'a> {
    /// Starts an update without objects. In an encrypted file, [`IncrementalUpdate::put`] and
    /// [`IncrementalUpdate::put_stream`] encrypt; what is written by hand for
    /// [`IncrementalUpdate::put_body`] has to pass through [`IncrementalUpdate::encrypted_dictionary`] before.
    ///
    /// `seed` goes into the initialisation vectors, with the length of the file: it should differ between two
    /// updates of one file, as the time of signing does. Why it need not be random is said in `crypt.rs`.
    ///
    /// # Errors
    /// The document has no trailer that can be continued.
    pub(crate) fn new(document: &'d Document<'a>, seed: &[u8]) -> Result<Self, PdfError> {
        document.root()?;
        // A cross-reference stream may have a number that no /Size counts; reusing it would replace the
        // stream.
        let mut next_number = 1;
        let sections = document.sections().iter();
        for section in sections.flat_map(|section| [Some(section), section.hidden()]).flatten() {
            next_number = next_number.max(section.size()?);
            if let SectionKind::Stream(number) = section.kind {
                next_number = next_number.max(number.saturating_add(1));
            }
        }
        let seed = [&document.file().len().to_be_bytes(), seed].concat();
        Ok(Self { document, next_number, seed, bodies: BTreeMap::new() })
    }

    /// A number that no revision has used.
    pub(crate) fn allocate(&mut self) -> Reference {
        let number = self.next_number;
        self.next_number += 1;
        Reference { number, generation: 0 }
    }

    /// Adds an object or replaces the one of that number. In an encrypted file its strings are encrypted.
    pub(crate) fn put(&mut self, reference: Reference, object: &Object) {
        let mut body = Vec::new();
        self.encrypted(reference, object).write(&mut body);
        self.put_body(reference, body);
    }

    /// Adds a stream with its encoded bytes, or replaces the object of that number; `/Length` is set here. In
    /// an encrypted file the bytes and the strings of the dictionary are encrypted.
    pub(crate) fn put_stream(&mut self, reference: Reference, dictionary: Dictionary, encoded: &[u8]) {
        self.put_large_stream(reference, dictionary, encoded.to_vec());
    }

    /// As [`IncrementalUpdate::put_stream`], for bytes that are not copied before they are written.
    pub(crate) fn put_large_stream(
        &mut self,
        reference: Reference,
        dictionary: Dictionary,
        encoded: impl Into<Cow<'d, [u8]>>,
    ) {
        let mut data = encoded.into();
        if let Some(security) = self.document.security() {
            data = security.encrypt_stream(reference, &self.seed, &dictionary, data);
        }
        let length = i64::try_from(data.len()).expect("a stream in memory is shorter than 2^63");
        let dictionary = dictionary.with(b"Length", Object::Integer(length));
        let mut object = Vec::new();
        self.encrypted(reference, &dictionary.into()).write(&mut object);
        let generation = reference.generation;
        self.bodies.insert(reference.number, Body { generation, object, stream: Some(data) });
    }

    /// As [`IncrementalUpdate::put_stream`], compressed here. The same data give the same bytes.
    pub(crate) fn put_compressed_stream(
        &mut self,
        reference: Reference,
        dictionary: Dictionary,
        data: &[u8],
    ) {
        let dictionary = dictionary.with(b"Filter", Object::name(b"FlateDecode"));
        self.put_large_stream(reference, dictionary, compress_to_vec_zlib(data, COMPRESSION_LEVEL));
    }

    fn encrypted<'o>(&self, reference: Reference, object: &'o Object) -> Cow<'o, Object> {
        let Some(security) = self.document.security() else { return Cow::Borrowed(object) };
        let mut object = object.clone();
        security.encrypt(reference, &self.seed, &mut object);
        Cow::Owned(object)
    }

    /// The dictionary as it has to be written under that reference: in an encrypted file with encrypted
    /// strings. For bodies that are written by hand.
    pub(crate) fn encrypted_dictionary(&self, reference: Reference, dictionary: Dictionary) -> Dictionary {
        let object = self.encrypted(reference, &dictionary.into()).into_owned();
        let Object::Dictionary(dictionary) = object else { unreachable!("encryption keeps the kind") };
        dictionary
    }

    /// Adds an object that is already written, and encrypted if the file is.
    pub(crate) fn put_body(&mut self, reference: Reference, body: Vec<u8>) {
        let body = Body { generation: reference.generation, object: body, stream: None };
        self.bodies.insert(reference.number, body);
    }

    /// Writes the update with a cross-reference section of the same kind as the last one.
    ///
    /// `identify` makes the second part of `/ID`, which tells one state of a file from the next
    /// (ISO 32000-2 §14.4), from the bytes written so far.
    ///
    /// # Errors
    /// The file is too large, or has used up the object numbers.
    pub(crate) fn finish(mut self, identify: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<Revision, PdfError> {
        let file = self.document.file();
        let start = file.len();
        let kind = self.document.newest().kind;
        let own_number = matches!(kind, SectionKind::Stream(_)).then(|| self.allocate().number);
        let size =
            |body: &Body<'_>| body.object.len() + body.stream.as_ref().map_or(0, |data| data.len()) + 96;
        let size: usize = self.bodies.values().map(size).sum();
        let mut bytes = Vec::with_capacity(size + 512);
        // On a fresh line, or `%%EOF` would run into the first object.
        if !matches!(*file.read(start - 1..start)?, [b'\n' | b'\r']) {
            bytes.push(b'\n');
        }
        let mut rows = BTreeMap::new();
        let mut body_offsets = BTreeMap::new();
        for (number, Body { generation, object, stream }) in core::mem::take(&mut self.bodies) {
            rows.insert(number, (start + bytes.len() as u64, generation));
            write_display(&mut bytes, &format_args!("{number} {generation} obj\n"));
            body_offsets.insert(number, bytes.len());
            bytes.extend_from_slice(&object);
            if let Some(data) = stream {
                bytes.extend_from_slice(b"\nstream\n");
                bytes.extend_from_slice(&data);
                bytes.extend_from_slice(b"\nendstream");
            }
            bytes.extend_from_slice(b"\nendobj\n");
        }
        let trailer = self.trailer(identify(&bytes));
        let xref_at = start + bytes.len() as u64;
        if xref_at > MAX_OFFSET {
            return Err(PdfError::limit("bytes before a cross-reference section", MAX_OFFSET));
        }
        if self.next_number > MAX_OBJECT_NUMBER + 1 {
            return Err(PdfError::limit("object numbers", MAX_OBJECT_NUMBER.into()));
        }
        match own_number {
            None => write_table(&mut bytes, &rows, &trailer),
            Some(number) => {
                rows.insert(number, (xref_at, 0));
                write_stream(&mut bytes, number, &rows, trailer);
            }
        }
        write_display(&mut bytes, &format_args!("startxref\n{xref_at}\n%%EOF\n"));
        Ok(Revision { bytes, body_offsets })
    }

    /// `/Size`, what the last trailer said of the document, and `/Prev`.
    fn trailer(&self, identifier: Vec<u8>) -> Dictionary {
        let last = self.document.newest();
        let mut trailer = Dictionary::new().with(b"Size", Object::Integer(self.next_number.into()));
        for key in [&b"Root"[..], b"Info", b"Encrypt"] {
            if let Some(value) = last.trailer.get(key) {
                trailer.set(key, value.clone());
            }
        }
        match last.trailer.get(b"ID") {
            Some(Object::Array(parts)) if parts.len() == 2 => {
                trailer.set(b"ID", Object::Array(vec![parts[0].clone(), Object::String(identifier)]));
            }
            Some(other) => trailer.set(b"ID", other.clone()),
            None => {}
        }
        trailer
            .with(b"Prev", Object::Integer(i64::try_from(last.offset).expect("a file is shorter than 2^63")))
    }
}

type Rows = BTreeMap<u32, (u64, u16)>;

/// Runs of neighbouring numbers as (first, count).
fn runs(rows: &Rows) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in rows.keys() {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == number => *count += 1,
            _ => runs.push((number, 1)),
        }
    }
    runs
}

fn write_table(bytes: &mut Vec<u8>, rows: &Rows, trailer: &Dictionary) {
    bytes.extend_from_slice(b"xref\n");
    for (first, count) in runs(rows) {
        write_display(bytes, &format_args!("{first} {count}\n"));
        for (_, (offset, generation)) in rows.range(first..first + count) {
            write_display(bytes, &format_args!("{offset:010} {generation:05} n\r\n"));
        }
    }
    bytes.extend_from_slice(b"trailer\n");
    trailer.write(bytes);
    bytes.push(b'\n');
}

/// The rows are few, so they stay uncompressed: one thing less to go wrong in another reader.
fn write_stream(bytes: &mut Vec<u8>, number: u32, rows: &Rows, trailer: Dictionary) {
    let index = runs(rows).into_iter().flat_map(|(first, count)| [first, count]);
    let index = index.map(|value| Object::Integer(value.into())).collect();
    let mut body = Vec::new();
    for (offset, generation) in rows.values() {
        body.push(1);
        body.extend_from_slice(&offset.to_be_bytes()[3..]);
        body.extend_from_slice(&generation.to_be_bytes());
    }
    let widths = [1, 5, 2].map(Object::Integer).to_vec();
    let dictionary = Dictionary::new()
        .with(b"Type", Object::name(b"XRef"))
        .with(b"W", Object::Array(widths))
        .with(b"Index", Object::Array(index))
        .with(b"Length", Object::Integer(i64::try_from(body.len()).expect("rows fit in memory")));
    let dictionary = trailer.entries().fold(dictionary, |all, (key, value)| all.with(key, value.clone()));
    write_display(bytes, &format_args!("{number} 0 obj\n"));
    dictionary.write(bytes);
    bytes.extend_from_slice(b"\nstream\n");
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(b"\nendstream\nendobj\n");
}
