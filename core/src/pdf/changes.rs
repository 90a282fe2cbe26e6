//! Tells whether the revisions after a signature did nothing but add further signatures.
//!
//! An allow-list: what is not recognised counts as a change. Two things are checked. First, the bytes behind
//! the signed part are *nothing but* the objects and sections that the cross-reference names, so that no
//! reader that repairs files can find other content there. Second, every object that differs has a reason to
//! differ.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use super::object::is_whitespace;
use super::{Dictionary, Document, Entry, File, IndirectObject, Object, PdfError, Reference, SectionKind};

/// Rows of all later sections that are looked at.
const MAX_ROWS: usize = 10_000;

/// What happened to a document after a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LaterChanges {
    /// Nothing; at most white space was appended.
    Nothing,
    /// Only further signatures were added.
    Signatures,
    /// Something else, or something that cannot be told.
    Other(String),
}

/// Why the later revisions are not harmless.
struct Objection(String);

impl From<&str> for Objection {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<PdfError> for Objection {
    fn from(error: PdfError) -> Self {
        Self(format!("a later revision cannot be read: {error}"))
    }
}

/// Compares the document as signed (the first bytes of the file) with the document as it is now (all bytes).
pub(crate) fn later_changes(signed: &Document<'_>, current: &Document<'_>) -> LaterChanges {
    match is_blank(current.file(), signed.file().len()..current.file().len()) {
        Ok(true) => return LaterChanges::Nothing,
        Ok(false) => {}
        Err(error) => return LaterChanges::Other(error.to_string()),
    }
    match Comparison::new(signed, current).and_then(Comparison::explain_all) {
        Ok(()) => LaterChanges::Signatures,
        Err(Objection(what)) => LaterChanges::Other(what),
    }
}

/// An object that a later revision added or replaced.
struct Change {
    before: Option<IndirectObject>,
    after: IndirectObject,
}

struct Comparison<'d, 'a> {
    signed: &'d Document<'a>,
    current: &'d Document<'a>,
    /// By object number; an entry leaves when its reason is found.
    changes: BTreeMap<u32, Change>,
}

impl<'d, 'a> Comparison<'d, 'a> {
    fn new(signed: &'d Document<'a>, current: &'d Document<'a>) -> Result<Self, Objection> {
        let end = signed.file().len();
        let later = current.sections().len().saturating_sub(signed.sections().len());
        let offsets = |document: &Document<'_>| -> Vec<u64> {
            document.sections().iter().map(|section| section.offset).collect()
        };
        if offsets(current)[later..] != offsets(signed) {
            return Err("the cross-reference chain does not lead through the signed revision".into());
        }
        let mut tiles = Tiles::default();
        let mut numbers = BTreeSet::new();
        let mut rows = 0;
        for section in &current.sections()[..later] {
            if section.offset < end {
                return Err("a later cross-reference section lies in the signed part".into());
            }
            if section.hidden().is_some() {
                return Err("a later revision hides objects from some readers".into());
            }
            tiles.add(section.offset, section_end(current.file(), section.end, section.offset)?);
            for number in section.numbers() {
                rows += 1;
                if rows > MAX_ROWS {
                    return Err("a later revision changes too many objects".into());
                }
                let entry = section.entry(current.file(), number)?.unwrap_or(Entry::Free);
                match entry {
                    Entry::Offset { offset, generation } if offset >= end => {
                        let object = current.object_at(offset, Reference { number, generation })?;
                        if section.kind != SectionKind::Stream(number) {
                            tiles.add(offset, object.span.map_or(offset, |span| span.end));
                        }
                    }
                    Entry::InStream { .. } => {
                        return Err("a later revision packs objects into streams".into());
                    }
                    Entry::Free | Entry::Offset { .. } if entry != signed.entry(number)? => {
                        return Err("a later revision removes an object or brings an old one back".into());
                    }
                    Entry::Free | Entry::Offset { .. } => {}
                }
                numbers.insert(number);
            }
        }
        tiles.check(current.file(), end)?;
        let mut changes = BTreeMap::new();
        for number in numbers {
            if let Some(change) = change_of(signed, current, number)? {
                changes.insert(number, change);
            }
        }
        Ok(Self { signed, current, changes })
    }

    /// Finds a reason for each change, beginning at the catalogue. What is left over has none.
    fn explain_all(mut self) -> Result<(), Objection> {
        for section in
            self.current.sections().iter().take_while(|section| section.offset >= self.signed.file().len())
        {
            if let SectionKind::Stream(number) = section.kind
                && self.changes.remove(&number).is_some_and(|change| change.before.is_some())
            {
                return Err("a cross-reference stream replaces another object".into());
            }
        }
        self.explain_trailer()?;
        let (old_root, old_catalog) = self.signed.catalog()?;
        let (root, catalog) = self.current.catalog()?;
        if old_root != root {
            return Err("a later revision has another catalogue".into());
        }
        self.changes.remove(&root.number);
        same_except(&old_catalog, &catalog, &[b"AcroForm", b"Extensions", b"Version", b"Metadata"])
            .map_err(|key| Objection(format!("a later revision changes {key} of the catalogue")))?;
        // A writer may raise the version for what it adds; 2.0 is the last one.
        let (before, after) = (self.signed.version(&old_catalog), self.current.version(&catalog));
        if after < before || after > (2, 0) {
            return Err("a later revision changes the version".into());
        }
        self.explain_metadata(&old_catalog, &catalog)?;
        self.explain_extensions(&old_catalog, &catalog)?;
        let fields = self.explain_form(&old_catalog, &catalog)?;
        self.explain_filled_fields()?;
        for &field in &fields {
            self.explain_page(field, &fields)?;
        }
        for field in &fields {
            self.changes.remove(&field.number);
        }
        match self.changes.keys().next() {
            None => Ok(()),
            Some(number) => Err(Objection(format!("a later revision changes object {number}"))),
        }
    }

    fn explain_trailer(&mut self) -> Result<(), Objection> {
        let (old, new) = (&self.signed.newest().trailer, &self.current.newest().trailer);
        let structure: [&[u8]; 10] =
            [b"Size", b"Prev", b"ID", b"Info", b"Type", b"W", b"Index", b"Length", b"Filter", b"DecodeParms"];
        same_except(old, new, &structure)
            .map_err(|key| Objection(format!("a later revision changes {key} of the trailer")))?;
        let permanent =
            |trailer: &Dictionary| trailer.get(b"ID").and_then(Object::as_array)?.first().cloned();
        if permanent(old) != permanent(new) {
            return Err("a later revision changes the identifier of the file".into());
        }
        self.explain_information(old, new)
    }

    /// Document information: pyHanko notes itself and the time there. Nothing else may differ.
    fn explain_information(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = self.signed.dictionary(old, b"Info")?.unwrap_or_default();
        let after = self.current.dictionary(new, b"Info")?.unwrap_or_default();
        if before == after && old.get(b"Info") == new.get(b"Info") {
            return Ok(());
        }
        same_except(&before, &after, &[b"ModDate", b"Producer"]).map_err(|key| {
            Objection(format!("a later revision changes {key} of the document information"))
        })?;
        if after.entries().any(|(_, value)| holds_reference(value)) {
            return Err("the document information leads elsewhere".into());
        }
        self.explain_container(old.get(b"Info"), new.get(b"Info"))
    }

    /// Metadata are shown nowhere in the document, but the object that holds them might be used twice: it
    /// must be new.
    fn explain_metadata(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let (before, after) = (old.get(b"Metadata"), new.get(b"Metadata"));
        if before == after {
            return Ok(());
        }
        let number = after.and_then(Object::as_reference).map(|reference| reference.number);
        match number.and_then(|number| self.changes.remove(&number)) {
            Some(Change {
                before: None,
                after: IndirectObject { value: Object::Dictionary(stream), .. },
            }) if stream.has_name(b"Type", b"Metadata") => Ok(()),
            _ => Err("a later revision changes the metadata".into()),
        }
    }

    fn explain_extensions(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = self.signed.dictionary(old, b"Extensions")?.unwrap_or_default();
        let after = self.current.dictionary(new, b"Extensions")?.unwrap_or_default();
        let is_declared = |(key, value): (&[u8], &Object)| match before.get(key) {
            Some(old) => old == value,
            None => is_extension(value),
        };
        if before.entries().any(|(key, _)| after.get(key).is_none()) || !after.entries().all(is_declared) {
            return Err("a later revision changes the extensions of the catalogue".into());
        }
        self.explain_container(old.get(b"Extensions"), new.get(b"Extensions"))
    }

    /// The form may gain signature fields. Gives the new fields.
    fn explain_form(&mut self, old: &Dictionary, new: &Dictionary) -> Result<Vec<Reference>, Objection> {
        let before = self.signed.dictionary(old, b"AcroForm")?.unwrap_or_default();
        let after = self.current.dictionary(new, b"AcroForm")?.unwrap_or_default();
        same_except(&before, &after, &[b"Fields", b"SigFlags"])
            .map_err(|key| Objection(format!("a later revision changes {key} of the form")))?;
        self.explain_container(old.get(b"AcroForm"), new.get(b"AcroForm"))?;
        let added = self.added(before.get(b"Fields"), after.get(b"Fields"), "the fields of the form")?;
        for field in &added {
            self.explain_new_field(*field)?;
        }
        Ok(added)
    }

    /// A new field is an invisible signature field: a visible one could cover what was signed.
    fn explain_new_field(&mut self, field: Reference) -> Result<(), Objection> {
        let known: [&[u8]; 10] =
            [b"Type", b"Subtype", b"FT", b"T", b"F", b"Ff", b"Rect", b"P", b"V", b"Border"];
        let dictionary = self.new_dictionary(field)?;
        let is_plain = dictionary.entries().all(|(key, _)| known.contains(&key));
        if !is_plain || !dictionary.has_name(b"FT", b"Sig") || !is_invisible(&dictionary) {
            return Err("a later revision adds a field that is not an invisible signature".into());
        }
        self.explain_value(&dictionary)
    }

    /// An empty signature field of the signed revision may have got its value.
    fn explain_filled_fields(&mut self) -> Result<(), Objection> {
        let filled: Vec<(u32, Dictionary)> = self
            .changes
            .iter()
            .filter_map(|(number, change)| {
                let before = change.before.as_ref()?.value.as_dictionary()?;
                let after = change.after.value.as_dictionary()?;
                let is_empty_field = before.has_name(b"FT", b"Sig") && before.raw(b"V").is_none();
                let is_filled = is_empty_field && same_except(before, after, &[b"V"]).is_ok();
                is_filled.then(|| (*number, after.clone()))
            })
            .collect();
        for (number, field) in filled {
            self.explain_value(&field)?;
            self.changes.remove(&number);
        }
        Ok(())
    }

    /// The value of a signature field is a new dictionary that leads nowhere.
    fn explain_value(&mut self, field: &Dictionary) -> Result<(), Objection> {
        let Some(value) = field.get(b"V") else { return Ok(()) };
        let value = value.as_reference().ok_or("a later revision adds a signature without an object")?;
        let signature = self.new_dictionary(value)?;
        let is_signature = signature.get(b"Contents").is_some()
            && signature.get(b"ByteRange").is_some()
            && signature.entries().all(|(key, value)| key != b"Reference" && !holds_reference(value));
        if !is_signature {
            return Err("a later revision adds something else as a signature".into());
        }
        self.changes.remove(&value.number);
        Ok(())
    }

    /// The page of a new field may list the new fields among its annotations.
    fn explain_page(&mut self, field: Reference, fields: &[Reference]) -> Result<(), Objection> {
        let widget = self.current.resolve(&field.into())?;
        let page = widget.as_dictionary().and_then(|widget| widget.get(b"P")).and_then(Object::as_reference);
        let Some(page) = page else { return Ok(()) };
        let not_a_page = "a later revision adds a signature field to something else than a page";
        let (Object::Dictionary(before), Object::Dictionary(after)) =
            (self.signed.resolve(&page.into())?, self.current.resolve(&page.into())?)
        else {
            return Err(not_a_page.into());
        };
        if !before.has_name(b"Type", b"Page") {
            return Err(not_a_page.into());
        }
        same_except(&before, &after, &[b"Annots"])
            .map_err(|key| Objection(format!("a later revision changes {key} of a page")))?;
        let added = self.added(before.get(b"Annots"), after.get(b"Annots"), "the annotations of a page")?;
        if added.iter().any(|annotation| !fields.contains(annotation)) {
            return Err("a later revision adds an annotation that is not a signature".into());
        }
        self.changes.remove(&page.number);
        Ok(())
    }

    /// What an array gained at its end, all of it references; anything else is refused.
    fn added(
        &mut self,
        old: Option<&Object>,
        new: Option<&Object>,
        what: &str,
    ) -> Result<Vec<Reference>, Objection> {
        let array =
            |document: &Document<'_>, object: Option<&Object>| match object.map(|o| document.resolve(o)) {
                None => Ok(Vec::new()),
                Some(Ok(Object::Array(items))) => Ok(items),
                Some(Ok(Object::Null)) => Ok(Vec::new()),
                Some(_) => Err(Objection(format!("{what} are not an array"))),
            };
        let (before, after) = (array(self.signed, old)?, array(self.current, new)?);
        let Some(added) = after.strip_prefix(before.as_slice()) else {
            return Err(Objection(format!("a later revision removes or replaces some of {what}")));
        };
        self.explain_container(old, new)?;
        let references: Option<Vec<_>> = added.iter().map(Object::as_reference).collect();
        references.ok_or_else(|| Objection(format!("a later revision adds a direct object to {what}")))
    }

    /// A dictionary that did not exist in the signed revision.
    fn new_dictionary(&self, reference: Reference) -> Result<Dictionary, Objection> {
        match self.changes.get(&reference.number) {
            Some(Change {
                before: None,
                after: IndirectObject { value: Object::Dictionary(value), stream: None, .. },
            }) if reference.generation == 0 => Ok(value.clone()),
            _ => Err("a later revision uses an object of the signed part as a signature".into()),
        }
    }

    /// A value that was compared may stand in an object of its own: in the one where it stood before, or in a
    /// new one. Any other would lend its reason to a change of, say, a page that the new reference points at.
    fn explain_container(&mut self, old: Option<&Object>, new: Option<&Object>) -> Result<(), Objection> {
        let Some(reference) = new.and_then(Object::as_reference) else { return Ok(()) };
        let is_new = self.changes.get(&reference.number).is_some_and(|change| change.before.is_none());
        if old != new && !is_new {
            return Err("a later revision gives an object of the signed part another role".into());
        }
        self.changes.remove(&reference.number);
        Ok(())
    }
}

fn change_of(
    signed: &Document<'_>,
    current: &Document<'_>,
    number: u32,
) -> Result<Option<Change>, Objection> {
    let generation = |document: &Document<'_>| -> Result<Option<u16>, PdfError> {
        Ok(match document.entry(number)? {
            Entry::Free => None,
            Entry::Offset { generation, .. } => Some(generation),
            Entry::InStream { .. } => Some(0),
        })
    };
    let (old, new) = (generation(signed)?, generation(current)?);
    let Some(new) = new else { return Ok(None) };
    if old.is_some_and(|old| old != new) {
        return Err("a later revision changes the generation of an object".into());
    }
    let reference = Reference { number, generation: new };
    let after = current.object(reference)?.ok_or("a later revision loses an object")?;
    let before = if old.is_some() { signed.object(reference)? } else { None };
    let is_same = match &before {
        Some(before) if before.value == after.value => {
            before.stream == after.stream || signed.stream_body(before)? == current.stream_body(&after)?
        }
        _ => false,
    };
    Ok((!is_same).then_some(Change { before, after }))
}

/// Compares without regard to order; the error is the first key that differs.
fn same_except(old: &Dictionary, new: &Dictionary, except: &[&[u8]]) -> Result<(), String> {
    let keys = old.entries().chain(new.entries()).map(|(key, _)| key);
    let mut differing = keys.filter(|key| !except.contains(key) && old.get(key) != new.get(key));
    differing.next().map_or(Ok(()), |key| Err(String::from_utf8_lossy(key).into_owned()))
}

/// A developer extension or several (ISO 32000-2 §7.12): version and level, nothing that could be shown.
fn is_extension(object: &Object) -> bool {
    let known: [&[u8]; 5] = [b"Type", b"BaseVersion", b"ExtensionLevel", b"ExtensionRevision", b"URL"];
    let declares = |object: &Object| {
        let entries = object.as_dictionary().map(|dictionary| dictionary.entries());
        entries.is_some_and(|mut all| all.all(|(key, value)| known.contains(&key) && !holds_reference(value)))
    };
    object.as_array().map_or_else(|| declares(object), |several| several.iter().all(declares))
}

fn holds_reference(object: &Object) -> bool {
    match object {
        Object::Reference(_) => true,
        Object::Array(items) => items.iter().any(holds_reference),
        Object::Dictionary(dictionary) => dictionary.entries().any(|(_, value)| holds_reference(value)),
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::String(_) => false,
    }
}

/// A widget without area shows nothing (ISO 32000-2 §12.7.5.5); a field without widget neither.
fn is_invisible(field: &Dictionary) -> bool {
    match field.get(b"Rect").map(Object::as_array) {
        None => true,
        Some(Some([left, bottom, right, top])) => left == right && bottom == top,
        Some(_) => false,
    }
}

/// Reads `startxref`, the offset and `%%EOF` behind a section.
fn section_end(file: File<'_>, end: u64, offset: u64) -> Result<u64, Objection> {
    let found = file.parse(end, |parser| {
        parser.skip_white();
        let found = parser.skip_word(b"startxref");
        parser.skip_white();
        if !found || parser.unsigned()? != offset {
            return Ok(Err("a later revision does not end in its own startxref"));
        }
        parser.skip_white();
        Ok(if parser.skip(b"%%EOF") {
            Ok(parser.position())
        } else {
            Err("a later revision does not end in %%EOF")
        })
    })?;
    Ok(found?)
}

/// Whether there is nothing but white space.
fn is_blank(file: File<'_>, range: Range<u64>) -> Result<bool, PdfError> {
    let mut blank = true;
    file.feed(range, |block| blank &= block.iter().all(|byte| is_whitespace(*byte)))?;
    Ok(blank)
}

/// Parts of the file that are accounted for, by their start.
#[derive(Default)]
struct Tiles(BTreeMap<u64, u64>);

impl Tiles {
    fn add(&mut self, start: u64, end: u64) {
        self.0.insert(start, end);
    }

    /// Between the tiles, and around them, there is only white space.
    fn check(&self, file: File<'_>, from: u64) -> Result<(), Objection> {
        let mut at = from;
        for (&start, &end) in self.0.iter().chain([(&file.len(), &file.len())]) {
            if start < at {
                return Err("objects of a later revision overlap".into());
            }
            if !is_blank(file, at..start)? {
                return Err(Objection(format!("bytes that belong to no object follow byte {at}")));
            }
            at = end;
        }
        Ok(())
    }
}
