//! A PDF opened for reading: the chain of cross-reference sections and the objects behind it.

use core::cell::{Cell, RefCell};
use core::ops::Range;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::crypt::{Permissions, Security};
use super::filter::decode_stream;
use super::xref::{check_body, read_sections};
use super::{Dictionary, Entry, File, Object, Parser, PdfError, Reference, Section};

/// Nodes of the page tree that are looked at on the way to the first page.
const MAX_PAGE_NODES: usize = 64;
/// Object streams that are kept decoded, in bytes; one more is decoded before others go.
const CACHE_BYTES: usize = 8 << 20;
/// Objects in one object stream. Writers put some hundreds into one.
const MAX_MEMBERS: usize = 1 << 18;
/// Bytes read as objects, besides once the length of the file.
const MAX_OBJECT_BYTES: u64 = 64 << 20;
/// `%PDF-` is looked for in this many first bytes, to tell junk before the header from another file type.
const HEAD_BYTES: u64 = 1024;

/// A PDF as it stands after its last revision. Copies nothing of the file but the objects asked for.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    file: File<'a>,
    header: (u8, u8),
    /// Of the whole file; those before `first_section` belong to later revisions.
    sections: Rc<[Section]>,
    first_section: usize,
    /// Of an encrypted file; the same in all its revisions.
    security: Option<Rc<Security>>,
    object_streams: RefCell<ObjectStreams>,
    /// Bytes that may still be read as objects. Objects can share bytes, so their number alone bounds nothing.
    bytes_left: Cell<u64>,
}

/// Object streams decoded so far.
#[derive(Debug, Default)]
struct ObjectStreams {
    decoded: BTreeMap<u32, Rc<ObjectStream>>,
    bytes: usize,
}

/// A decoded object stream (ISO 32000-2 §7.5.7).
#[derive(Debug)]
struct ObjectStream {
    data: Vec<u8>,
    /// Object number and place in `data`, in the order of the stream.
    members: Vec<(u32, usize)>,
}

/// An object together with where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndirectObject {
    /// Its number and generation.
    pub(crate) reference: Reference,
    /// The object, or the dictionary of a stream; strings are decrypted.
    pub(crate) value: Object,
    /// Where the encoded bytes of the stream stand in the file, if it is one.
    pub(crate) stream: Option<Range<u64>>,
    /// From `n g obj` to behind `endobj` in the file; `None` inside an object stream.
    pub(crate) span: Option<Range<u64>>,
}

impl<'a> Document<'a> {
    /// Opens a file by its last `startxref`, an encrypted one with its password or the empty one.
    ///
    /// # Errors
    /// See [`PdfError`]. Anything that readers understand in different ways is refused.
    pub(crate) fn open(file: impl Into<File<'a>>) -> Result<Self, PdfError> {
        let file = file.into();
        let header = read_header(file)?;
        let sections = read_sections(file)?;
        let mut document = Self::with_sections(file, header, sections.into(), 0)?;
        document.security = document.open_security(file.password())?.map(Rc::new);
        Ok(document)
    }

    /// The document as it stood when its last section was this one, of those that [`Document::sections`] gives,
    /// and the file ended at `end`.
    ///
    /// # Errors
    /// See [`PdfError`]. What this revision says of places behind its end cannot be read.
    pub(crate) fn as_of(&self, section: usize, end: u64) -> Result<Self, PdfError> {
        let (file, first) = (self.file.prefix(end), self.first_section + section);
        let mut document = Self::with_sections(file, self.header, Rc::clone(&self.sections), first)?;
        let encryption = |document: &Self| document.newest().trailer.get(b"Encrypt").cloned();
        if encryption(&document) != encryption(self) {
            return Err(PdfError::damaged(end, "the trailers name different encryptions"));
        }
        document.security.clone_from(&self.security);
        Ok(document)
    }

    fn with_sections(
        file: File<'a>,
        header: (u8, u8),
        sections: Rc<[Section]>,
        first_section: usize,
    ) -> Result<Self, PdfError> {
        let bytes_left = Cell::new(file.len().saturating_add(MAX_OBJECT_BYTES));
        let object_streams = RefCell::default();
        let document =
            Self { file, header, sections, first_section, security: None, object_streams, bytes_left };
        document.check_sizes()?;
        Ok(document)
    }

    /// Reads the encryption dictionary that the newest trailer names.
    fn open_security(&self, password: Option<&str>) -> Result<Option<Security>, PdfError> {
        let trailer = &self.newest().trailer;
        let encryption = trailer.get(b"Encrypt");
        let others = self.sections().iter().filter_map(|section| section.trailer.get(b"Encrypt"));
        if others.into_iter().any(|other| Some(other) != encryption) {
            return Err(PdfError::damaged(self.newest().offset, "the trailers name different encryptions"));
        }
        let Some(encryption) = encryption else { return Ok(None) };
        if trailer.get(b"AuthCode").is_some() {
            return Err(PdfError::unsupported("a message authentication code (ISO/TS 32004)"));
        }
        let Object::Dictionary(dictionary) = self.resolve(encryption)? else {
            return Err(PdfError::damaged(self.newest().offset, "the encryption dictionary is missing"));
        };
        let identifier = match self.value(trailer, b"ID")? {
            Some(Object::Array(parts)) => parts.first().and_then(Object::as_string).map(<[u8]>::to_vec),
            _ => None,
        };
        let reference = encryption.as_reference();
        Security::open(&dictionary, reference, &identifier.unwrap_or_default(), password).map(Some)
    }

    /// What the permissions of an encrypted file allow; everything when it is not encrypted.
    pub(crate) fn permissions(&self) -> Permissions {
        self.security.as_ref().map_or(Permissions::ALL, |security| security.permissions)
    }

    /// The security handler of an encrypted file.
    pub(super) fn security(&self) -> Option<&Security> {
        self.security.as_deref()
    }

    /// No section may count fewer objects than an earlier one.
    fn check_sizes(&self) -> Result<(), PdfError> {
        let size = self.newest().size()?;
        for section in self.sections().iter().flat_map(|section| [Some(section), section.hidden()]).flatten()
        {
            if section.size()? > size {
                let at = self.newest().offset;
                return Err(PdfError::damaged(at, "the Size is smaller than an earlier one"));
            }
        }
        Ok(())
    }

    /// The bytes that were opened.
    pub(crate) const fn file(&self) -> File<'a> {
        self.file
    }

    /// Cross-reference sections, the newest first; never empty.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections[self.first_section..]
    }

    /// The newest cross-reference section: its trailer is the one that counts.
    pub(crate) fn newest(&self) -> &Section {
        self.sections().first().expect("a document is opened with at least one section")
    }

    /// Version as (major, minor): the catalogue's when it is later than the header's (ISO 32000-2 §7.5.2).
    pub(crate) fn version(&self, catalog: &Dictionary) -> (u8, u8) {
        let later = catalog.get(b"Version").and_then(Object::as_name).and_then(parse_version);
        later.map_or(self.header, |later| later.max(self.header))
    }

    /// What the newest section that names the object says about it.
    pub(crate) fn entry(&self, number: u32) -> Result<Entry, PdfError> {
        for section in self.sections() {
            if let Some(entry) = section.entry(self.file, number)? {
                return Ok(entry);
            }
        }
        Ok(Entry::Free)
    }

    /// Reads the object that a reference means; `None` when there is none, which counts as `null`.
    pub(crate) fn object(&self, reference: Reference) -> Result<Option<IndirectObject>, PdfError> {
        let object = match self.entry(reference.number)? {
            Entry::Offset { offset, generation } if generation == reference.generation => {
                self.object_at(offset, reference)?
            }
            Entry::InStream { stream, index } if reference.generation == 0 => {
                let (value, length) = self.object_stream(stream)?.member(reference.number, index)?;
                self.charge(length)?;
                IndirectObject { reference, value, stream: None, span: None }
            }
            Entry::Free | Entry::Offset { .. } | Entry::InStream { .. } => return Ok(None),
        };
        Ok(Some(object))
    }

    /// Reads the object at a byte of the file, which must be the one of that reference.
    pub(crate) fn object_at(&self, offset: u64, reference: Reference) -> Result<IndirectObject, PdfError> {
        let (mut value, end, body) = self.parse(offset, |parser| {
            if parser.object_header() != Ok(reference) {
                return Err(PdfError::damaged(
                    offset,
                    "another object stands where the cross-reference points",
                ));
            }
            let value = parser.object()?;
            let end = parser.position();
            parser.skip_space();
            if value.as_dictionary().is_some() && parser.peek() == Some(b's') {
                parser.stream_start()?;
                return Ok((value, end, Some(parser.position())));
            }
            parser.end_object()?;
            Ok((value, parser.position(), None))
        })?;
        if let Some(security) = &self.security {
            security.decrypt(reference, &mut value)?;
        }
        let (Object::Dictionary(dictionary), Some(start)) = (&value, body) else {
            return Ok(IndirectObject { reference, value, stream: None, span: Some(offset..end) });
        };
        let body = start..start.saturating_add(self.stream_length(dictionary, offset)?);
        if body.end > self.file.len() {
            return Err(PdfError::damaged(offset, "a stream goes beyond the file"));
        }
        let end = self.parse(body.end, |parser| {
            parser.stream_end()?;
            Ok(parser.position())
        })?;
        Ok(IndirectObject { reference, value, stream: Some(body), span: Some(offset..end) })
    }

    /// Where the value of `key` stands in the file, in a dictionary that is an object of its own.
    pub(crate) fn value_span(
        &self,
        object: &IndirectObject,
        key: &[u8],
    ) -> Result<Option<Range<u64>>, PdfError> {
        let Some(span) = &object.span else { return Ok(None) };
        self.parse(span.start, |parser| {
            parser.object_header()?;
            parser.value_span(key)
        })
    }

    /// The body of a stream, decrypted and decoded; `None` for another object. Known are no filter and
    /// FlateDecode.
    pub(crate) fn stream_data(&self, object: &IndirectObject) -> Result<Option<Vec<u8>>, PdfError> {
        if let Some(body) = &object.stream {
            check_body(body)?;
        }
        let (Some(dictionary), Some(mut body)) = (object.value.as_dictionary(), self.stream_body(object)?)
        else {
            return Ok(None);
        };
        if let Some(security) = &self.security {
            body = security.decrypt_stream(object.reference, dictionary, body)?;
        }
        decode_stream(dictionary, &body).map(Some)
    }

    /// The body of a stream as it stands in the file, encoded and perhaps encrypted.
    pub(crate) fn stream_body(&self, object: &IndirectObject) -> Result<Option<Cow<'a, [u8]>>, PdfError> {
        object.stream.clone().map(|body| self.file.read(body)).transpose()
    }

    /// Reads at a byte of the file and charges for what was looked at, also when it was in vain.
    fn parse<T>(
        &self,
        at: u64,
        mut read: impl FnMut(&mut Parser<'_>) -> Result<T, PdfError>,
    ) -> Result<T, PdfError> {
        let mut looked_at = 0;
        let result = self.file.parse(at, |parser| {
            let result = read(parser);
            looked_at = parser.position().saturating_sub(at);
            result
        });
        self.charge(looked_at)?;
        result
    }

    fn charge(&self, bytes: u64) -> Result<(), PdfError> {
        let left = self.bytes_left.get().checked_sub(bytes);
        let limit = PdfError::limit("bytes of objects beyond the length of the file", MAX_OBJECT_BYTES);
        self.bytes_left.set(left.ok_or(limit)?);
        Ok(())
    }

    /// `/Length`, which may be an indirect number: a plain object then, so that this cannot recurse.
    fn stream_length(&self, dictionary: &Dictionary, offset: u64) -> Result<u64, PdfError> {
        let wrong = PdfError::damaged(offset, "the Length of a stream is wrong");
        match dictionary.get(b"Length") {
            Some(Object::Integer(length)) => u64::try_from(*length).map_err(|_| wrong),
            Some(Object::Reference(reference)) => {
                let Entry::Offset { offset, .. } = self.entry(reference.number)? else { return Err(wrong) };
                self.parse(offset, |parser| {
                    if parser.object_header() != Ok(*reference) {
                        return Err(wrong.clone());
                    }
                    parser.skip_space();
                    parser.unsigned().map_err(|_| wrong.clone())
                })
            }
            _ => Err(wrong),
        }
    }

    fn object_stream(&self, number: u32) -> Result<Rc<ObjectStream>, PdfError> {
        if let Some(stream) = self.object_streams.borrow().decoded.get(&number) {
            return Ok(Rc::clone(stream));
        }
        let Entry::Offset { offset, generation: 0 } = self.entry(number)? else {
            return Err(PdfError::damaged(0, "an object stream is missing"));
        };
        let object = self.object_at(offset, Reference { number, generation: 0 })?;
        {
            let mut cache = self.object_streams.borrow_mut();
            if cache.bytes > CACHE_BYTES {
                *cache = ObjectStreams::default();
            }
        }
        let stream = Rc::new(ObjectStream::read(self, &object, offset)?);
        self.charge(stream.data.len() as u64)?;
        let mut cache = self.object_streams.borrow_mut();
        cache.bytes += stream.data.len();
        cache.decoded.insert(number, Rc::clone(&stream));
        Ok(stream)
    }

    /// Follows a reference to its object; any other object, and a missing one, stands for itself. Streams are
    /// refused.
    pub(crate) fn resolve(&self, object: &Object) -> Result<Object, PdfError> {
        let mut current = object.clone();
        // A reference to a reference is allowed but nobody needs more than one.
        for _ in 0..4 {
            let Object::Reference(reference) = current else { return Ok(current) };
            current = match self.object(reference)? {
                None => Object::Null,
                Some(IndirectObject { stream: Some(_), span, .. }) => {
                    let at = span.map_or(0, |span| span.start);
                    return Err(PdfError::damaged(at, "a stream stands where another object was expected"));
                }
                Some(IndirectObject { value, .. }) => value,
            };
        }
        Err(PdfError::damaged(0, "references lead to references"))
    }

    /// The value of a key, followed when it is a reference; `None` when absent or null.
    pub(crate) fn value(&self, dictionary: &Dictionary, key: &[u8]) -> Result<Option<Object>, PdfError> {
        let Some(object) = dictionary.get(key) else { return Ok(None) };
        Ok(Some(self.resolve(object)?).filter(|object| *object != Object::Null))
    }

    /// The value of a key as a dictionary, followed when it is a reference.
    pub(crate) fn dictionary(
        &self,
        dictionary: &Dictionary,
        key: &[u8],
    ) -> Result<Option<Dictionary>, PdfError> {
        match self.value(dictionary, key)? {
            None => Ok(None),
            Some(Object::Dictionary(value)) => Ok(Some(value)),
            Some(_) => {
                Err(PdfError::damaged(0, "a dictionary was expected in the catalogue or the page tree"))
            }
        }
    }

    fn dictionary_at(&self, reference: Reference) -> Result<Dictionary, PdfError> {
        let Object::Dictionary(dictionary) = self.resolve(&reference.into())? else {
            return Err(PdfError::damaged(0, "the catalogue or a page is missing"));
        };
        Ok(dictionary)
    }

    /// Reference of the catalogue: `/Root` of the newest trailer.
    pub(crate) fn root(&self) -> Result<Reference, PdfError> {
        let root = self.newest().trailer.get(b"Root").and_then(Object::as_reference);
        root.ok_or(PdfError::damaged(self.newest().offset, "the trailer has no Root"))
    }

    /// The catalogue with its reference.
    pub(crate) fn catalog(&self) -> Result<(Reference, Dictionary), PdfError> {
        let root = self.root()?;
        Ok((root, self.dictionary_at(root)?))
    }

    /// The first page with its reference.
    pub(crate) fn first_page(&self, catalog: &Dictionary) -> Result<(Reference, Dictionary), PdfError> {
        let missing = PdfError::damaged(0, "the document has no page");
        let pages = catalog.get(b"Pages").and_then(Object::as_reference).ok_or(missing.clone())?;
        // The nodes still to visit, the next one last; only the first children are ever needed, but a node
        // may be empty.
        let mut ahead = vec![pages];
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_PAGE_NODES {
            let Some(reference) = ahead.pop() else { return Err(missing) };
            if !seen.insert(reference) {
                return Err(PdfError::damaged(0, "the page tree has a loop"));
            }
            let node = self.dictionary_at(reference)?;
            let Some(kids) = self.value(&node, b"Kids")? else {
                return if node.has_name(b"Type", b"Page") { Ok((reference, node)) } else { Err(missing) };
            };
            let kids = kids.as_array().ok_or(missing.clone())?;
            ahead.extend(kids.iter().take(MAX_PAGE_NODES).rev().filter_map(Object::as_reference));
        }
        Err(PdfError::limit("page nodes before the first page", MAX_PAGE_NODES as u64))
    }
}

/// The version in the header.
fn read_header(file: File<'_>) -> Result<(u8, u8), PdfError> {
    let head = file.read(0..file.len().min(HEAD_BYTES))?;
    let Some(version) = head.strip_prefix(b"%PDF-") else {
        let later = head.windows(5).any(|window| window == b"%PDF-");
        return Err(if later { PdfError::unsupported("bytes before its header") } else { PdfError::NotAPdf });
    };
    parse_version(version).ok_or(PdfError::damaged(5, "the header has no version"))
}

fn parse_version(text: &[u8]) -> Option<(u8, u8)> {
    match text {
        [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9', ..] => Some((major - b'0', minor - b'0')),
        _ => None,
    }
}

impl ObjectStream {
    fn read(document: &Document<'_>, object: &IndirectObject, offset: u64) -> Result<Self, PdfError> {
        let wrong = PdfError::damaged(offset, "an object stream cannot be read");
        let (Some(dictionary), Some(data)) = (object.value.as_dictionary(), document.stream_data(object)?)
        else {
            return Err(wrong);
        };
        let number = |key| {
            dictionary.get(key).and_then(Object::as_integer).and_then(|value| usize::try_from(value).ok())
        };
        let (Some(count), Some(first), true) =
            (number(b"N"), number(b"First"), dictionary.has_name(b"Type", b"ObjStm"))
        else {
            return Err(wrong);
        };
        if count > MAX_MEMBERS {
            return Err(PdfError::limit("objects in one object stream", MAX_MEMBERS as u64));
        }
        let mut parser = Parser::new(&data, 0);
        let mut members = Vec::new();
        for _ in 0..count {
            parser.skip_space();
            let number = u32::try_from(parser.unsigned()?).map_err(|_| wrong.clone())?;
            parser.skip_space();
            let at = usize::try_from(parser.unsigned()?).ok().and_then(|at| at.checked_add(first));
            members.push((number, at.filter(|at| *at < data.len()).ok_or(wrong.clone())?));
        }
        Ok(Self { data, members })
    }

    /// The object and the number of bytes it takes.
    fn member(&self, number: u32, index: usize) -> Result<(Object, u64), PdfError> {
        match self.members.get(index) {
            Some((found, at)) if *found == number => {
                let mut parser = Parser::new(&self.data, *at);
                Ok((parser.object()?, parser.position() - *at as u64))
            }
            _ => Err(PdfError::damaged(0, "an object is not in its object stream")),
        }
    }
}
