//! Compares one revision with the one before it.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use super::tiles::{Tiles, revision_end};
use super::uses::{Uses, for_each_reference};
use super::{Change, ChangeKind, Objection};
use crate::pdf::{Dictionary, Document, Entry, IndirectObject, Object, PdfError, Reference, SectionKind};

/// Rows of the sections of one revision that are looked at.
const MAX_ROWS: usize = 100_000;

/// An object that the revision added or replaced.
pub(super) struct Touched {
    pub(super) before: Option<IndirectObject>,
    pub(super) after: IndirectObject,
}

/// A comparison under way.
pub(super) struct Step<'s, 'a> {
    pub(super) before: &'s Document<'a>,
    pub(super) after: &'s Document<'a>,
    /// Objects without a reason so far, by number: an entry leaves when its reason is found.
    pub(super) touched: BTreeMap<u32, Touched>,
    /// Numbers of all objects that differ, explained or not.
    changed: BTreeSet<u32>,
    /// Every number that was free before.
    new: BTreeSet<u32>,
    pub(super) uses: &'s mut Uses,
    /// What the revision did, as far as it is known.
    pub(super) found: BTreeSet<Change>,
}

/// What the revision in `bytes`, made of the first `sections` sections of `after`, did to `before`.
pub(super) fn changes_of<'a>(
    before: &Document<'a>,
    after: &Document<'a>,
    bytes: Range<u64>,
    sections: usize,
    uses: &mut Uses,
) -> Vec<Change> {
    let result = touched(before, after, bytes, sections);
    let (rows, mut found) = match result {
        Ok((touched, rows)) => {
            let new = touched.iter().filter(|(_, t)| t.before.is_none()).map(|(number, _)| *number);
            let new: BTreeSet<u32> = new.collect();
            let changed = touched.keys().copied().collect();
            let mut step = Step { before, after, touched, changed, new, uses, found: BTreeSet::new() };
            if let Err(objection) = step.explain_all(sections) {
                step.found.insert(Change::unexplained(objection));
            }
            (rows, step.found)
        }
        Err(objection) => (BTreeSet::new(), [Change::unexplained(objection)].into()),
    };
    uses.advance(after, &rows);
    if found.is_empty() {
        found.insert(Change::new(ChangeKind::Rewritten));
    }
    found.into_iter().collect()
}

type Rows = (BTreeMap<u32, Touched>, BTreeSet<u32>);

/// Reads the rows of the revision and accounts for its bytes. Gives the objects that differ, and the numbers
/// of all rows.
fn touched(
    before: &Document<'_>,
    after: &Document<'_>,
    bytes: Range<u64>,
    sections: usize,
) -> Result<Rows, Objection> {
    let mut tiles = Tiles::default();
    let mut numbers = BTreeSet::new();
    // By object stream: how many rows lead into it.
    let mut packed: BTreeMap<u32, usize> = BTreeMap::new();
    let sections = &after.sections()[..sections];
    for section in sections {
        if section.offset < bytes.start {
            return Err("has a cross-reference section in an earlier part of the file".into());
        }
        if section.hidden().is_some() {
            return Err("hides objects from some readers, by a hybrid cross-reference".into());
        }
        let end = revision_end(after, section.end, section.offset).unwrap_or(section.end);
        tiles.add(section.offset, end);
        for number in section.numbers() {
            if numbers.len() >= MAX_ROWS {
                return Err(Objection(format!("touches more than {MAX_ROWS} objects")));
            }
            numbers.insert(number);
            let entry = after.entry(number)?;
            match entry {
                Entry::Offset { offset, generation } if offset >= bytes.start => {
                    let object = after.object_at(offset, Reference { number, generation })?;
                    if section.kind != SectionKind::Stream(number) {
                        let end = object.span.map_or(offset, |span| span.end);
                        tiles.add(offset, end);
                    }
                }
                Entry::InStream { stream, .. } if entry != before.entry(number)? => {
                    *packed.entry(stream).or_default() += 1;
                }
                Entry::Free | Entry::Offset { .. } | Entry::InStream { .. }
                    if entry != before.entry(number)? =>
                {
                    return Err("removes an object or brings an old one back".into());
                }
                Entry::Free | Entry::Offset { .. } | Entry::InStream { .. } => {}
            }
        }
    }
    tiles.check(after, bytes.start, bytes.end)?;
    let mut touched = BTreeMap::new();
    for number in numbers.iter().copied() {
        if let Some(object) = compare(before, after, number)? {
            touched.insert(number, object);
        }
    }
    for (stream, rows) in packed {
        check_object_stream(&touched, stream, rows)?;
        touched.remove(&stream);
    }
    Ok((touched, numbers))
}

/// An object stream is new, and every object in it is named by the cross-reference.
fn check_object_stream(touched: &BTreeMap<u32, Touched>, number: u32, rows: usize) -> Result<(), Objection> {
    let Some(Touched { before: None, after }) = touched.get(&number) else {
        return Err("uses an object stream of an earlier revision anew".into());
    };
    let count = after.value.as_dictionary().and_then(|stream| stream.get(b"N")).and_then(Object::as_integer);
    if count.and_then(|count| usize::try_from(count).ok()) == Some(rows) {
        Ok(())
    } else {
        Err("packs objects that no cross-reference names".into())
    }
}

/// The object in both revisions, unless it is the same.
fn compare(before: &Document<'_>, after: &Document<'_>, number: u32) -> Result<Option<Touched>, Objection> {
    let generation = |document: &Document<'_>| -> Result<Option<u16>, PdfError> {
        Ok(match document.entry(number)? {
            Entry::Free => None,
            Entry::Offset { generation, .. } => Some(generation),
            Entry::InStream { .. } => Some(0),
        })
    };
    let (old, Some(new)) = (generation(before)?, generation(after)?) else { return Ok(None) };
    if old.map_or(new != 0, |old| old != new) {
        return Err("changes the generation of an object".into());
    }
    let reference = Reference { number, generation: new };
    let now = after.object(reference)?.ok_or("loses an object")?;
    let was = if old.is_some() { before.object(reference)? } else { None };
    if let Some(was) = &was
        && was.value == now.value
        && before.stream_body(was)? == after.stream_body(&now)?
    {
        return Ok(None);
    }
    Ok(Some(Touched { before: was, after: now }))
}

impl<'a> Step<'_, 'a> {
    /// Finds a reason for each change, beginning at the catalogue. What is left over has none.
    fn explain_all(&mut self, sections: usize) -> Result<(), Objection> {
        let brings_streams = self.touched.values().any(|touched| touched.after.stream.is_some());
        let after = self.after;
        for section in &after.sections()[..sections] {
            if let SectionKind::Stream(number) = section.kind
                && self.touched.remove(&number).is_some_and(|touched| touched.before.is_some())
            {
                return Err("replaces another object by a cross-reference stream".into());
            }
        }
        self.explain_trailer()?;
        let (old, new) = self.explain_catalog()?;
        self.explain_store(&old, &new)?;
        let fields = self.explain_form(&old, &new)?;
        self.explain_changed_fields()?;
        self.explain_pages(&fields)?;
        self.explain_structure(&old, &fields)?;
        self.explain_shared()?;
        self.explain_unused()?;
        if let Some((number, touched)) = self.touched.first_key_value() {
            let verb = if touched.before.is_some() { "replaces" } else { "adds" };
            return Err(Objection(format!("{verb} object {number} without a known reason")));
        }
        if brings_streams {
            self.check_new_numbers()?;
        }
        Ok(())
    }

    /// A number that was mentioned when there was no such object must not come to life: a page may have
    /// waited for it.
    fn check_new_numbers(&mut self) -> Result<(), Objection> {
        for number in self.new.clone() {
            if !self.uses.of(self.before, number)?.is_empty() {
                return Err(Objection(format!("adds object {number}, which an earlier revision mentions")));
            }
        }
        Ok(())
    }

    /// Objects that nothing refers to, as some programs leave them behind. What a program that repairs files
    /// would look for stays without a reason.
    fn explain_unused(&mut self) -> Result<(), Objection> {
        if self.touched.is_empty() {
            return Ok(());
        }
        let mut mentioned = BTreeSet::new();
        for &number in self.changed.iter().filter(|number| !self.touched.contains_key(number)) {
            let generation = match self.after.entry(number)? {
                Entry::Offset { generation, .. } => generation,
                Entry::Free | Entry::InStream { .. } => 0,
            };
            if let Some(object) = self.after.object(Reference { number, generation })? {
                for_each_reference(&object.value, &mut |reference| {
                    mentioned.insert(reference.number);
                });
            }
        }
        let unused: Vec<u32> = self
            .touched
            .iter()
            .filter(|(number, touched)| {
                touched.before.is_none() && !mentioned.contains(number) && is_inert(&touched.after)
            })
            .map(|(number, _)| *number)
            .collect();
        for number in unused {
            if self.uses.of(self.before, number)?.is_empty() {
                self.touched.remove(&number);
                self.find(ChangeKind::UnusedObjects);
            }
        }
        Ok(())
    }

    pub(super) fn find(&mut self, kind: ChangeKind) {
        self.found.insert(Change::new(kind));
    }

    pub(super) fn find_in(&mut self, kind: ChangeKind, field: &str) {
        self.found.insert(Change::of_field(kind, field));
    }

    /// Whether the object did not exist before.
    pub(super) fn is_new(&self, reference: Reference) -> bool {
        reference.generation == 0 && self.new.contains(&reference.number)
    }

    /// A dictionary that did not exist before, as it is now.
    pub(super) fn new_dictionary(&self, reference: Reference, what: &str) -> Result<Dictionary, Objection> {
        let object = if self.is_new(reference) { self.after.object(reference)? } else { None };
        match object {
            Some(IndirectObject { value: Object::Dictionary(value), stream: None, .. }) => Ok(value),
            _ => Err(Objection(format!("uses something else than a new dictionary as {what}"))),
        }
    }

    /// A value that was compared may stand in an object of its own: in a new one, or in the one where it stood
    /// before, if that has no other user. Any other would lend its reason to a change of, say, a page.
    pub(super) fn explain_container(
        &mut self,
        old: Option<&Object>,
        new: Option<&Object>,
    ) -> Result<(), Objection> {
        let Some(reference) = new.and_then(Object::as_reference) else { return Ok(()) };
        if old == new && self.touched.contains_key(&reference.number) {
            self.check_sole_use(reference.number)?;
        }
        self.explain_known_container(old, new)
    }

    /// As [`Step::explain_container`], for a value whose keys mean nothing in another role.
    pub(super) fn explain_known_container(
        &mut self,
        old: Option<&Object>,
        new: Option<&Object>,
    ) -> Result<(), Objection> {
        let Some(reference) = new.and_then(Object::as_reference) else { return Ok(()) };
        if old != new && !self.is_new(reference) {
            return Err("gives an object of an earlier revision another role".into());
        }
        self.touched.remove(&reference.number);
        Ok(())
    }

    /// The object is mentioned once in the revision before. Gives the object that mentions it.
    pub(super) fn check_sole_use(&mut self, number: u32) -> Result<u32, Objection> {
        let uses = self.uses.of(self.before, number)?;
        match uses.iter().next() {
            Some((source, 1)) if uses.len() == 1 => Ok(*source),
            _ => Err(Objection(format!("replaces object {number}, which is used in several places"))),
        }
    }

    /// Explains all new objects that a value leads to. Old objects on the way end it: they are not changed
    /// by being used.
    pub(super) fn explain_new_below(&mut self, value: &Object) {
        let mut ahead = vec![value.clone()];
        while let Some(value) = ahead.pop() {
            for_each_reference(&value, &mut |reference| {
                if reference.generation == 0
                    && self.touched.get(&reference.number).is_some_and(|touched| touched.before.is_none())
                    && let Some(touched) = self.touched.remove(&reference.number)
                {
                    ahead.push(touched.after.value);
                }
            });
        }
    }

    /// What an array gained at its end, all of it references; anything else is refused.
    pub(super) fn added(
        &mut self,
        old: Option<&Object>,
        new: Option<&Object>,
        what: &str,
    ) -> Result<Vec<Reference>, Objection> {
        let (before, after) = (array(self.before, old, what)?, array(self.after, new, what)?);
        let Some(added) = after.strip_prefix(before.as_slice()) else {
            return Err(Objection(format!("removes or replaces some of {what}")));
        };
        self.explain_container(old, new)?;
        let references: Option<Vec<_>> = added.iter().map(Object::as_reference).collect();
        references.ok_or_else(|| Objection(format!("adds a direct object to {what}")))
    }
}

/// The elements of an array; none when it is missing.
pub(super) fn array(
    document: &Document<'_>,
    object: Option<&Object>,
    what: &str,
) -> Result<Vec<Object>, Objection> {
    let resolved = object.map_or(Ok(Object::Null), |object| document.resolve(object))?;
    match resolved.as_array() {
        Some(items) => Ok(items.to_vec()),
        None if resolved == Object::Null => Ok(Vec::new()),
        None => Err(Objection(format!("changes {what}, which are not an array"))),
    }
}

/// Compares without regard to order; the error is the first key that differs.
pub(super) fn same_except(
    old: &Dictionary,
    new: &Dictionary,
    except: &[&[u8]],
    whose: &str,
) -> Result<(), Objection> {
    let keys = old.entries().chain(new.entries()).map(|(key, _)| key);
    let mut differing = keys.filter(|key| !except.contains(key) && old.get(key) != new.get(key));
    differing
        .next()
        .map_or(Ok(()), |key| Err(Objection(format!("changes {} of {whose}", String::from_utf8_lossy(key)))))
}

/// Not one of the objects that a program that repairs files looks for.
fn is_inert(object: &IndirectObject) -> bool {
    let found: [&[u8]; 5] = [b"Catalog", b"Pages", b"Page", b"XRef", b"ObjStm"];
    let kind = object.value.as_dictionary().and_then(|dictionary| dictionary.get(b"Type"));
    kind.is_none_or(|kind| kind.as_name().is_some_and(|name| !found.contains(&name)))
}
