//! Fields that were there before and are filled now.

use super::form::is_visible;
use super::step::{Step, Touched, array, same_except};
use super::{ChangeKind, Objection};
use crate::pdf::{Dictionary, Document, Entry, IndirectObject, Object, PdfError, Reference, text_string};

/// Levels of the field tree that are climbed.
const MAX_LEVELS: usize = 32;
/// What filling a field changes: value, appearance and state, and how its text is set.
const FILLING_KEYS: [&[u8]; 13] =
    [b"V", b"AP", b"AS", b"DA", b"Q", b"F", b"Ff", b"Type", b"M", b"I", b"TI", b"RV", b"DS"];
/// What readers change without the person doing anything.
const FREE_KEYS: [&[u8]; 2] = [b"Ff", b"Type"];
/// `/Ff` bits that say who may fill the field and not how it looks: read only, required, not exported.
const FREE_FIELD_FLAGS: i64 = 0b111;
/// `/F` bits that do not decide whether the widget is seen: print, no zoom, no rotate, read only, locked,
/// locked contents.
const FREE_WIDGET_FLAGS: i64 = 4 | 8 | 16 | 64 | 128 | 512;

/// Where an object stands in the field tree.
pub(super) struct Lineage {
    /// Fully qualified name.
    pub(super) name: String,
    /// The field itself: the object of a widget may be below it.
    pub(super) terminal: Reference,
    pub(super) is_signature: bool,
}

impl Step<'_, '_> {
    pub(super) fn explain_changed_fields(&mut self) -> Result<(), Objection> {
        let candidates: Vec<Reference> = self
            .touched
            .iter()
            .filter(|(_, touched)| {
                let before = touched.before.as_ref().filter(|object| object.stream.is_none());
                before.and_then(|object| object.value.as_dictionary()).is_some_and(looks_like_field)
            })
            .map(|(number, _)| *number)
            .filter_map(|number| self.reference_before(number).transpose())
            .collect::<Result<_, _>>()?;
        for field in candidates {
            if let Some(lineage) = self.lineage(field)? {
                self.explain_field(field, &lineage)?;
                self.touched.remove(&field.number);
            }
        }
        Ok(())
    }

    fn explain_field(&mut self, field: Reference, lineage: &Lineage) -> Result<(), Objection> {
        let Some(Touched { before: Some(before), after }) = self.touched.get(&field.number) else {
            return Err("loses a form field".into());
        };
        let (Object::Dictionary(old), Object::Dictionary(new), None) =
            (before.value.clone(), after.value.clone(), &after.stream)
        else {
            return Err("replaces a form field by something else".into());
        };
        let whose = format!("the field {}", lineage.name);
        same_except(&old, &new, &FILLING_KEYS, &whose)?;
        check_type(&old, &new)?;
        check_flags(&old, &new, &whose)?;
        let is_free = same_except(&old, &new, &FREE_KEYS, &whose).is_ok();
        if is_free {
            self.find_in(ChangeKind::FieldFlags, &lineage.name);
            return Ok(());
        }
        if lineage.is_signature {
            return self.explain_signature_field(&old, &new, lineage);
        }
        self.find_in(ChangeKind::FieldFilled, &lineage.name);
        self.explain_filling(&old, &new)
    }

    /// An empty signature field may have got its value; a signed one never changes.
    fn explain_signature_field(
        &mut self,
        old: &Dictionary,
        new: &Dictionary,
        lineage: &Lineage,
    ) -> Result<(), Objection> {
        if !self.is_just_signed(lineage.terminal)? {
            return Err(Objection(format!("changes the signature field {}", lineage.name)));
        }
        if old.get(b"V").is_none()
            && let Some(value) = new.get(b"V")
        {
            let is_visible = self.shows_something(new)?;
            self.explain_signature(value, &lineage.name, is_visible)?;
        }
        if old.get(b"AP") != new.get(b"AP") {
            self.find_in(ChangeKind::SignatureAppearance, &lineage.name);
        }
        let mut rest = new.clone();
        rest.set(b"V", old.get(b"V").cloned().unwrap_or(Object::Null));
        self.explain_filling(old, &rest)
    }

    fn shows_something(&self, field: &Dictionary) -> Result<bool, Objection> {
        let mut visible = is_visible(field);
        for kid in array(self.after, field.get(b"Kids"), "the widgets of a field")? {
            visible |= self.after.resolve(&kid)?.as_dictionary().is_some_and(is_visible);
        }
        Ok(visible)
    }

    /// Values, states and appearances: what they bring along is new.
    fn explain_filling(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        match (old.get(b"AP"), new.get(b"AP")) {
            (before, Some(after)) if before != Some(after) => self.explain_appearance(before, after)?,
            (Some(_), None) => return Err("removes the appearance of a field".into()),
            _ => {}
        }
        for key in FILLING_KEYS {
            let value = new.get(key).filter(|value| key != b"AP" && old.get(key) != Some(*value));
            let Some(value) = value else { continue };
            if let Some(reference) = value.as_reference()
                && !self.is_new(reference)
            {
                return Err("uses an object of an earlier revision as the value of a field".into());
            }
            self.explain_new_below(value);
        }
        Ok(())
    }

    /// Whether the field had no value before and has one now.
    pub(super) fn is_just_signed(&self, field: Reference) -> Result<bool, Objection> {
        let value = |document: &Document<'_>| -> Result<bool, PdfError> {
            let object = document.resolve(&field.into())?;
            Ok(object.as_dictionary().is_some_and(|field| field.get(b"V").is_some()))
        };
        Ok(!value(self.before)? && value(self.after)?)
    }

    /// Climbs from a field or widget to the form of the revision before, and checks each rung from above.
    /// `None` when it does not arrive there.
    pub(super) fn lineage(&self, start: Reference) -> Result<Option<Lineage>, Objection> {
        let document = self.before;
        let (_, catalog) = document.catalog()?;
        let form = document.dictionary(&catalog, b"AcroForm")?.unwrap_or_default();
        let mut names: Vec<String> = Vec::new();
        let (mut terminal, mut field_type) = (None, None);
        let mut at = start;
        for _ in 0..MAX_LEVELS {
            let Some(IndirectObject { value: Object::Dictionary(node), stream: None, .. }) =
                document.object(at)?
            else {
                return Ok(None);
            };
            if let Some(Object::String(name)) = document.value(&node, b"T")? {
                names.push(text_string(&name));
                terminal.get_or_insert(at);
            }
            if field_type.is_none() {
                field_type = document.value(&node, b"FT")?;
            }
            let parent = node.get(b"Parent").and_then(Object::as_reference);
            let siblings = match parent {
                None => array(document, form.get(b"Fields"), "the fields of the form")?,
                Some(parent) => {
                    let parent = document.resolve(&parent.into())?;
                    let kids = parent.as_dictionary().and_then(|parent| parent.get(b"Kids"));
                    array(document, kids, "the kids of a field")?
                }
            };
            if !siblings.contains(&at.into()) {
                return Ok(None);
            }
            let Some(parent) = parent else {
                let (Some(terminal), Some(Object::Name(field_type))) = (terminal, field_type) else {
                    return Ok(None);
                };
                names.reverse();
                return Ok(Some(Lineage {
                    name: names.join("."),
                    terminal,
                    is_signature: field_type == b"Sig",
                }));
            };
            at = parent;
        }
        Err("changes a field that lies too deep in the form".into())
    }

    /// The reference that meant an object in the revision before; `None` when it was free.
    pub(super) fn reference_before(&self, number: u32) -> Result<Option<Reference>, Objection> {
        Ok(match self.before.entry(number)? {
            Entry::Free => None,
            Entry::Offset { generation, .. } => Some(Reference { number, generation }),
            Entry::InStream { .. } => Some(Reference { number, generation: 0 }),
        })
    }
}

/// A field, or a widget of one.
fn looks_like_field(dictionary: &Dictionary) -> bool {
    match dictionary.get(b"Subtype") {
        Some(subtype) => subtype.as_name() == Some(b"Widget"),
        None => dictionary.get(b"FT").is_some() || dictionary.get(b"T").is_some(),
    }
}

/// `/Type` may be added, and is never another one.
fn check_type(old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
    match (old.get(b"Type"), new.get(b"Type")) {
        (before, after) if before == after => Ok(()),
        (None, Some(Object::Name(name))) if name == b"Annot" => Ok(()),
        _ => Err("changes the type of a form field".into()),
    }
}

/// A hidden field must not appear, nor a line of text become a button.
fn check_flags(old: &Dictionary, new: &Dictionary, whose: &str) -> Result<(), Objection> {
    for (key, free) in [(&b"F"[..], FREE_WIDGET_FLAGS), (b"Ff", FREE_FIELD_FLAGS)] {
        let flags = |dictionary: &Dictionary| match dictionary.get(key) {
            None => Some(0),
            Some(value) => value.as_integer(),
        };
        match (flags(old), flags(new)) {
            _ if old.get(key) == new.get(key) => {}
            (Some(before), Some(after)) if (before ^ after) & !free == 0 => {}
            _ if key == b"F" && !is_visible(new) => {}
            _ => return Err(Objection(format!("changes what is seen of {whose}"))),
        }
    }
    Ok(())
}
