//! The walk over catalogue, form and first pages.

use std::collections::BTreeSet;

use super::Concern;
use crate::pdf::{Dictionary, Document, IndirectObject, Object, PdfError, Reference};

/// Pages that are looked at.
const MAX_PAGES: usize = 64;
/// Objects that are looked at in one document.
const MAX_OBJECTS: usize = 4_000;
/// Actions in a chain, levels of name trees and of fields.
const MAX_LEVELS: usize = 32;

/// Filters of ISO 32000-2, table 6, with their short names.
const FILTERS: [&[u8]; 17] = [
    b"ASCIIHexDecode",
    b"ASCII85Decode",
    b"LZWDecode",
    b"FlateDecode",
    b"RunLengthDecode",
    b"CCITTFaxDecode",
    b"JBIG2Decode",
    b"DCTDecode",
    b"JPXDecode",
    b"Crypt",
    b"AHx",
    b"A85",
    b"LZW",
    b"Fl",
    b"RL",
    b"CCF",
    b"DCT",
];

/// Everything that is found, the gravest first.
pub(super) fn concerns(document: &Document<'_>) -> Result<Vec<Concern>, PdfError> {
    let mut walk = Walk { document, found: BTreeSet::new(), seen: BTreeSet::new(), left: MAX_OBJECTS };
    let (_, catalog) = document.catalog()?;
    walk.catalog(&catalog);
    walk.form(&catalog);
    walk.pages(&catalog);
    Ok(walk.found.into_iter().collect())
}

struct Walk<'d, 'a> {
    document: &'d Document<'a>,
    found: BTreeSet<Concern>,
    /// Objects that were looked at: each counts once, and loops end.
    seen: BTreeSet<Reference>,
    left: usize,
}

impl Walk<'_, '_> {
    /// Reads a dictionary, a stream's too; `None` for anything else, for what was seen, and at the limit.
    fn dictionary(&mut self, object: &Object) -> Option<Dictionary> {
        match object {
            Object::Dictionary(dictionary) => Some(dictionary.clone()),
            Object::Reference(reference) => {
                if !self.seen.insert(*reference) {
                    return None;
                }
                if self.left == 0 {
                    self.found.insert(Concern::NotAllInspected);
                    return None;
                }
                self.left -= 1;
                let object = self.object(*reference)?;
                let is_stream = object.stream.is_some();
                let Object::Dictionary(dictionary) = object.value else { return None };
                if is_stream {
                    self.stream(&dictionary);
                }
                Some(dictionary)
            }
            Object::Null
            | Object::Boolean(_)
            | Object::Integer(_)
            | Object::Real(_)
            | Object::Name(_)
            | Object::String(_)
            | Object::Array(_) => None,
        }
    }

    fn entry(&mut self, dictionary: &Dictionary, key: &[u8]) -> Option<Dictionary> {
        dictionary.get(key).and_then(|object| self.dictionary(object))
    }

    /// What cannot be read is told and passed over: it is no reason to refuse a document by itself.
    fn object(&mut self, reference: Reference) -> Option<IndirectObject> {
        self.document.object(reference).unwrap_or_else(|_| {
            self.found.insert(Concern::NotAllInspected);
            None
        })
    }

    /// The object that a reference means; any other object stands for itself.
    fn resolve(&mut self, object: &Object) -> Object {
        match object {
            Object::Reference(reference) => self.object(*reference).map_or(Object::Null, |found| found.value),
            direct @ (Object::Null
            | Object::Boolean(_)
            | Object::Integer(_)
            | Object::Real(_)
            | Object::Name(_)
            | Object::String(_)
            | Object::Array(_)
            | Object::Dictionary(_)) => direct.clone(),
        }
    }

    /// The elements of an array as written; a single other object stands for itself.
    fn items(&mut self, dictionary: &Dictionary, key: &[u8]) -> Vec<Object> {
        let Some(object) = dictionary.get(key) else { return Vec::new() };
        if let Object::Array(items) = self.resolve(object) { items } else { vec![object.clone()] }
    }

    fn catalog(&mut self, catalog: &Dictionary) {
        self.actions(catalog);
        if let Some(action) = catalog.get(b"OpenAction") {
            self.action(action, 0);
        }
        if let Some(names) = self.entry(catalog, b"Names") {
            if let Some(scripts) = names.get(b"JavaScript")
                && self.is_filled(scripts)
            {
                self.found.insert(Concern::JavaScript);
            }
            if let Some(files) = names.get(b"EmbeddedFiles")
                && self.is_filled(files)
            {
                self.found.insert(Concern::EmbeddedFiles);
            }
        }
        if !self.items(catalog, b"AF").is_empty() {
            self.found.insert(Concern::EmbeddedFiles);
        }
        if let Some(permissions) = self.entry(catalog, b"Perms")
            && (permissions.get(b"UR3").is_some() || permissions.get(b"UR").is_some())
        {
            self.found.insert(Concern::UsageRights);
        }
        if let Some(layers) = self.entry(catalog, b"OCProperties")
            && let Some(shown) = self.entry(&layers, b"D")
        {
            self.layers(&shown);
        }
    }

    /// Whether a name tree holds anything.
    fn is_filled(&mut self, tree: &Object) -> bool {
        let Object::Dictionary(node) = self.resolve(tree) else { return false };
        !self.items(&node, b"Names").is_empty() || !self.items(&node, b"Kids").is_empty()
    }

    /// Optional content (ISO 32000-2 §8.11.4): what is off, and what switches with the use.
    fn layers(&mut self, shown: &Dictionary) {
        let is_off = matches!(shown.get(b"BaseState").and_then(Object::as_name), Some(b"OFF"));
        if is_off || !self.items(shown, b"OFF").is_empty() {
            self.found.insert(Concern::HiddenContent);
        }
        for usage in self.items(shown, b"AS") {
            if let Object::Dictionary(usage) = self.resolve(&usage)
                && !self.items(&usage, b"OCGs").is_empty()
            {
                self.found.insert(Concern::ContentDiffersWhenPrinted);
            }
        }
    }

    fn form(&mut self, catalog: &Dictionary) {
        let Some(form) = self.entry(catalog, b"AcroForm") else { return };
        if form.get(b"XFA").is_some() {
            self.found.insert(Concern::Xfa);
        }
        if form.get(b"NeedAppearances") == Some(&Object::Boolean(true)) {
            self.found.insert(Concern::NeedAppearances);
        }
        let mut ahead: Vec<(Object, usize)> =
            self.items(&form, b"Fields").into_iter().map(|field| (field, 0)).collect();
        while let Some((field, level)) = ahead.pop() {
            let Some(field) = self.dictionary(&field) else { continue };
            self.annotation(&field);
            if level < MAX_LEVELS {
                ahead.extend(self.items(&field, b"Kids").into_iter().map(|kid| (kid, level + 1)));
            }
        }
    }

    fn pages(&mut self, catalog: &Dictionary) {
        let Some(root) = catalog.get(b"Pages").cloned() else { return };
        let mut ahead = vec![root];
        let mut pages = 0;
        while let Some(node) = ahead.pop() {
            let Some(node) = self.dictionary(&node) else { continue };
            if node.get(b"Kids").is_some() {
                ahead.extend(self.items(&node, b"Kids").into_iter().rev());
                continue;
            }
            if pages == MAX_PAGES {
                self.found.insert(Concern::NotAllInspected);
                break;
            }
            pages += 1;
            self.actions(&node);
            for content in self.items(&node, b"Contents") {
                // Reading the dictionary is enough: its filters are looked at on the way.
                self.dictionary(&content);
            }
            for annotation in self.items(&node, b"Annots") {
                if let Some(annotation) = self.dictionary(&annotation) {
                    self.annotation(&annotation);
                }
            }
        }
    }

    fn annotation(&mut self, annotation: &Dictionary) {
        self.actions(annotation);
        if let Some(action) = annotation.get(b"A") {
            self.action(action, 0);
        }
        if annotation.has_name(b"Subtype", b"FileAttachment") {
            self.found.insert(Concern::EmbeddedFiles);
        }
        if let Some(shown) = self.entry(annotation, b"AP") {
            for (_, state) in shown.entries() {
                self.dictionary(state);
            }
        }
    }

    /// Additional actions, each under the name of its event.
    fn actions(&mut self, dictionary: &Dictionary) {
        let Some(events) = self.entry(dictionary, b"AA") else { return };
        for (_, action) in events.entries() {
            self.action(action, 0);
        }
    }

    fn action(&mut self, action: &Object, level: usize) {
        let Some(action) = self.dictionary(action) else { return };
        let kind = match action.get(b"S").map(|kind| self.resolve(kind)).as_ref().and_then(Object::as_name) {
            Some(b"JavaScript") => Some(Concern::JavaScript),
            // A rendition action may carry a script beside its film.
            Some(b"Rendition") if action.get(b"JS").is_some() => Some(Concern::JavaScript),
            Some(b"Launch") => Some(Concern::Launch),
            Some(b"SubmitForm") => Some(Concern::SubmitForm),
            Some(b"ImportData") => Some(Concern::ImportData),
            _ => None,
        };
        self.found.extend(kind);
        if level < MAX_LEVELS {
            for next in self.items(&action, b"Next") {
                self.action(&next, level + 1);
            }
        }
    }

    fn stream(&mut self, dictionary: &Dictionary) {
        if dictionary.get(b"F").is_some() || dictionary.get(b"FFilter").is_some() {
            self.found.insert(Concern::ExternalStream);
        }
        let filters = self.items(dictionary, b"Filter");
        for filter in filters {
            let known = self.resolve(&filter);
            if known.as_name().is_none_or(|name| !FILTERS.contains(&name)) {
                self.found.insert(Concern::UnknownFilter);
            }
        }
    }
}
