//! Who mentions an object: read from every object of a revision, and only when a question is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::{Objection, Revision};
use crate::pdf::{Document, Entry, Object, Reference, Section};

/// Rows of the cross-reference that are followed to find out who mentions what.
const MAX_SCANNED: usize = 1_000_000;

/// Who mentions the objects that later revisions touch, kept up to date from revision to revision.
pub(super) struct Uses {
    /// Objects that some later revision touches: hardly anybody asks for others.
    touched: BTreeSet<u32>,
    state: State,
}

enum State {
    /// Nobody has asked yet.
    Unread,
    Read(Index),
    /// It cannot be told, and why.
    Unknown(Objection),
}

/// Mentions as they stand at one revision.
#[derive(Default)]
struct Index {
    /// By mentioned object: who mentions it, and how often. The trailer has number 0.
    by_target: BTreeMap<u32, BTreeMap<u32, usize>>,
    by_source: BTreeMap<u32, BTreeSet<u32>>,
}

impl Uses {
    pub(super) fn new(document: &Document<'_>, later: &[Revision]) -> Self {
        let sections = later.iter().flat_map(|revision| &document.sections()[revision.own_sections()]);
        Self { touched: sections.flat_map(|section| section.numbers()).collect(), state: State::Unread }
    }

    /// Who mentions an object in `document`, the revision that the others are compared with now.
    pub(super) fn of(
        &mut self,
        document: &Document<'_>,
        number: u32,
    ) -> Result<BTreeMap<u32, usize>, Objection> {
        // Who mentions those that mention something is the next question, if there is one.
        if !self.touched.contains(&number) && !matches!(self.state, State::Unknown(_)) {
            self.touched.insert(number);
            if let State::Read(index) = &self.state {
                self.touched.extend(index.by_source.keys());
            }
            self.state = State::Unread;
        }
        if matches!(self.state, State::Unread) {
            self.state = match Index::read(document, &self.touched) {
                Ok(index) => State::Read(index),
                Err(objection) => State::Unknown(objection),
            };
        }
        match &self.state {
            State::Read(index) => Ok(index.by_target.get(&number).cloned().unwrap_or_default()),
            State::Unknown(objection) => Err(objection.clone()),
            State::Unread => unreachable!("it was just read"),
        }
    }

    /// Takes over what the next revision changed.
    pub(super) fn advance(&mut self, after: &Document<'_>, numbers: &BTreeSet<u32>) {
        let State::Read(index) = &mut self.state else { return };
        let updated = numbers.iter().try_for_each(|number| index.update(after, *number, &self.touched));
        if let Err(objection) = updated {
            self.state = State::Unknown(objection);
        } else if let State::Read(index) = &mut self.state {
            index.set(0, &Object::from(after.newest().trailer.clone()), &self.touched);
        }
    }
}

impl Index {
    fn read(document: &Document<'_>, touched: &BTreeSet<u32>) -> Result<Self, Objection> {
        let mut index = Self::default();
        let mut seen = BTreeSet::new();
        let mut rows = 0;
        for section in document.sections() {
            let hidden = section.hidden().into_iter().flat_map(Section::numbers);
            for number in section.numbers().chain(hidden) {
                rows += 1;
                if rows > MAX_SCANNED {
                    let what = format!("follows a revision with more than {MAX_SCANNED} objects");
                    return Err(Objection(what));
                }
                if seen.insert(number) {
                    index.update(document, number, touched)?;
                }
            }
        }
        index.set(0, &Object::from(document.newest().trailer.clone()), touched);
        Ok(index)
    }

    fn update(
        &mut self,
        document: &Document<'_>,
        number: u32,
        touched: &BTreeSet<u32>,
    ) -> Result<(), Objection> {
        let generation = match document.entry(number)? {
            Entry::Free => return Ok(()),
            Entry::Offset { generation, .. } => generation,
            Entry::InStream { .. } => 0,
        };
        let object = document.object(Reference { number, generation }).map_err(|error| {
            Objection(format!("follows a revision whose object {number} cannot be read: {error}"))
        })?;
        let value = object.map_or(Object::Null, |object| object.value);
        self.set(number, &value, touched);
        Ok(())
    }

    fn set(&mut self, source: u32, value: &Object, touched: &BTreeSet<u32>) {
        for target in self.by_source.remove(&source).unwrap_or_default() {
            if let Some(sources) = self.by_target.get_mut(&target) {
                sources.remove(&source);
            }
        }
        let mut targets = BTreeSet::new();
        for_each_reference(value, &mut |reference| {
            if touched.contains(&reference.number) {
                *self.by_target.entry(reference.number).or_default().entry(source).or_default() += 1;
                targets.insert(reference.number);
            }
        });
        if !targets.is_empty() {
            self.by_source.insert(source, targets);
        }
    }
}

/// Calls for every reference inside an object. Objects are not deep: the reader refuses those that are.
pub(super) fn for_each_reference(object: &Object, call: &mut impl FnMut(Reference)) {
    match object {
        Object::Reference(reference) => call(*reference),
        Object::Array(items) => items.iter().for_each(|item| for_each_reference(item, call)),
        Object::Dictionary(dictionary) => {
            dictionary.entries().for_each(|(_, value)| for_each_reference(value, call));
        }
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::String(_) => {}
    }
}

/// Whether there is a reference inside an object.
pub(super) fn holds_reference(object: &Object) -> bool {
    let mut found = false;
    for_each_reference(object, &mut |_| found = true);
    found
}
