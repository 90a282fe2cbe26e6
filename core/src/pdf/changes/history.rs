//! The revisions of a file, and what each did to the one before it.

use super::step::changes_of;
use super::tiles::{is_blank, revision_end};
use super::uses::Uses;
use super::{Change, ChangeKind, ModificationLevel, Objection};
use crate::pdf::{Document, PdfError, Section};

/// Revisions behind the first signature that are compared.
const MAX_COMPARED: usize = 1000;
/// Sections that one save may write: two when it is linearised, two when it is hybrid.
const MAX_SECTIONS_OF_A_SAVE: usize = 4;

/// One state of a file as it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Where it ends: behind `%%EOF`, without the line end.
    pub(crate) end: u64,
    /// What it did to the revision before it; `None` when nobody asked.
    pub(crate) changes: Option<Vec<Change>>,
    /// Its sections and those of all revisions before it are the ones from here on in the chain.
    first_section: usize,
    /// Number of its own sections.
    sections: usize,
}

/// The revisions of a file, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History {
    revisions: Vec<Revision>,
}

impl History {
    /// Finds the revisions and compares those behind the first that ends where a signature ends.
    pub(crate) fn read(document: &Document<'_>, signed_ends: &[u64]) -> Self {
        let mut history = Self { revisions: saved(document) };
        let first = signed_ends.iter().filter_map(|end| history.ending_at(document, *end)).min();
        if let Some(first) = first {
            history.compare(document, first);
        }
        let (last, length) = (history.revisions.last(), document.file().len());
        if let Some(last) = last
            && !is_blank(document, last.end, length)
        {
            let what = format!("has bytes that belong to no object behind byte {}", last.end);
            let changes = Some(vec![Change::unexplained(Objection(what))]);
            let first_section = last.first_section;
            history.revisions.push(Revision { end: length, changes, first_section, sections: 0 });
        }
        history
    }

    /// The revisions, the oldest first.
    pub(crate) fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// Index of the revision that ends at this byte, white space aside.
    pub(crate) fn ending_at(&self, document: &Document<'_>, end: u64) -> Option<usize> {
        let behind = self.revisions.partition_point(|revision| revision.end <= end);
        let index = behind.checked_sub(1)?;
        is_blank(document, self.revisions[index].end, end).then_some(index)
    }

    /// What came after a revision.
    pub(crate) fn later(&self, index: usize) -> impl Iterator<Item = &Change> {
        self.revisions[index + 1..].iter().flat_map(|revision| revision.changes.iter().flatten())
    }

    /// The document as it stood at a revision.
    pub(crate) fn document<'a>(
        &self,
        document: &Document<'a>,
        index: usize,
    ) -> Result<Document<'a>, PdfError> {
        as_of(document, &self.revisions[index])
    }

    fn compare(&mut self, document: &Document<'_>, first: usize) {
        let mut before = as_of(document, &self.revisions[first]);
        let mut uses = Uses::new(document, &self.revisions[first + 1..]);
        for index in first + 1..self.revisions.len() {
            let after = as_of(document, &self.revisions[index]);
            let (from, revision) = (self.revisions[index - 1].end, &self.revisions[index]);
            let changes = match (&before, &after) {
                _ if index - first > MAX_COMPARED => {
                    vec![Change::unexplained("comes after more revisions than are compared".into())]
                }
                (Ok(before), Ok(after)) => {
                    changes_of(before, after, from..revision.end, revision.sections, &mut uses)
                }
                (Err(error), _) | (_, Err(error)) => vec![Change::unexplained(error.clone().into())],
            };
            self.revisions[index].changes = Some(changes);
            before = after;
        }
    }
}

impl Revision {
    /// How deep its changes go; `None` when it was not compared.
    pub(crate) fn level(&self) -> Option<ModificationLevel> {
        let levels = self.changes.as_ref()?.iter().map(|change| change.kind.level());
        Some(levels.max().unwrap_or_else(|| ChangeKind::Rewritten.level()))
    }

    /// Indices of its own sections in the chain of the whole document.
    pub(super) const fn own_sections(&self) -> core::ops::Range<usize> {
        self.first_section..self.first_section + self.sections
    }
}

fn as_of<'a>(document: &Document<'a>, revision: &Revision) -> Result<Document<'a>, PdfError> {
    document.as_of(revision.first_section, revision.end)
}

/// Divides the chain of sections into saves, the oldest first. What cannot be divided is one revision.
fn saved(document: &Document<'_>) -> Vec<Revision> {
    let sections = document.sections();
    // By section: where all older ones end.
    let mut older_end = vec![0; sections.len()];
    for index in (1..sections.len()).rev() {
        let hidden = sections[index].hidden().map_or(0, |hidden| hidden.end);
        older_end[index - 1] = older_end[index].max(sections[index].end).max(hidden);
    }
    let mut revisions = Vec::new();
    let mut index = 0;
    while index < sections.len() {
        let count = (1..=MAX_SECTIONS_OF_A_SAVE.min(sections.len() - index)).find_map(|count| {
            let own = &sections[index..index + count];
            let older = older_end[index + count - 1];
            let is_later = own.iter().all(|section| section.offset >= older);
            let end = is_later.then(|| save_end(document, own))?;
            end.map(|end| (count, end))
        });
        let Some((count, end)) = count else { break };
        revisions.push(Revision { end, changes: None, first_section: index, sections: count });
        index += count;
    }
    revisions.reverse();
    // Each save lies behind the one before it.
    let ordered = revisions.windows(2).all(|pair| pair[0].end <= sections[pair[1].first_section].offset);
    if ordered { revisions } else { Vec::new() }
}

/// The end of a save that wrote these sections, the first of them being the one that `startxref` names.
fn save_end(document: &Document<'_>, sections: &[Section]) -> Option<u64> {
    let last = sections.iter().max_by_key(|section| section.end)?;
    revision_end(document, last.end, sections[0].offset)
}
