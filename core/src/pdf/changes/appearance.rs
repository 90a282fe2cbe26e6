//! Appearances of widgets (ISO 32000-2 §12.5.5): drawings that a reader shows in their place.

use super::step::{Step, Touched};
use super::store::{plain_dictionary, stream_dictionary};
use super::{ChangeKind, Objection};
use crate::pdf::{Dictionary, IndirectObject, Object, Reference};

/// Normal, rollover and down appearance.
const ROLES: [&[u8]; 3] = [b"N", b"R", b"D"];

impl Step<'_, '_> {
    /// An appearance of a new widget: new drawings, which may use old fonts and images.
    pub(super) fn explain_new_appearance(&mut self, appearance: &Object) -> Result<(), Objection> {
        self.explain_appearance(None, appearance)
    }

    /// An appearance that was there before, perhaps, and is now this one: drawings are new or those of
    /// before. A drawing of another place, such as the content of a page, is never used as one.
    pub(super) fn explain_appearance(&mut self, old: Option<&Object>, new: &Object) -> Result<(), Objection> {
        // What was no appearance before was not shown either.
        let before = plain_dictionary(self.before, old).ok().flatten().unwrap_or_default();
        let after = plain_dictionary(self.after, Some(new))?.unwrap_or_default();
        if let Some(holder) = old.and_then(Object::as_reference) {
            self.check_sole_use(holder.number)?;
        }
        if let Some((key, _)) = after.entries().find(|(key, _)| !ROLES.contains(key)) {
            let key = String::from_utf8_lossy(key);
            return Err(Objection(format!("adds an appearance with the entry {key}")));
        }
        self.explain_container(old, Some(new))?;
        let known = drawings(self.before, &before)?;
        for drawing in drawings(self.after, &after)? {
            if known.contains(&drawing) {
                continue;
            }
            if !self.is_new(drawing) || stream_dictionary(self.after, drawing)?.is_none() {
                return Err("uses something else than a new drawing as an appearance".into());
            }
        }
        self.explain_new_below(new);
        self.explain_new_below(&after.into());
        Ok(())
    }

    /// What changed in objects that a field shares with nobody: a drawing written over the old one, the
    /// dictionary of its appearance, its value.
    pub(super) fn explain_shared(&mut self) -> Result<(), Objection> {
        let replaced: Vec<u32> = self
            .touched
            .iter()
            .filter(|(_, touched)| touched.before.is_some())
            .map(|(number, _)| *number)
            .collect();
        for number in replaced {
            if let Some(field) = self.owner_of(number)? {
                if let Some(touched) = self.touched.remove(&number) {
                    self.explain_new_below(&touched.after.value);
                }
                self.find_in(ChangeKind::FieldFilled, &field);
            }
        }
        Ok(())
    }

    /// Name of the field to which a replaced object belongs alone, as appearance or value.
    fn owner_of(&mut self, number: u32) -> Result<Option<String>, Objection> {
        let Some(Touched { before: Some(old), after: new }) = self.touched.get(&number) else {
            return Ok(None);
        };
        let shape = Shape::of(old);
        if shape != Shape::of(new) || shape == Shape::Other {
            return Ok(None);
        }
        let source = self.check_sole_use(number)?;
        let Some((owner, dictionary)) = self.dictionary_before(source)? else { return Ok(None) };
        let target = |key: &[u8], dictionary: &Dictionary| {
            dictionary.get(key).and_then(Object::as_reference).is_some_and(|r| r.number == number)
        };
        match shape {
            Shape::Value if target(b"V", &dictionary) => self.filled_field(owner),
            Shape::Dictionary if target(b"AP", &dictionary) => {
                // Its drawings must be new ones, as if the widget itself had got another dictionary.
                let appearance = dictionary.get(b"AP").cloned().unwrap_or(Object::Null);
                let field = self.filled_field(owner)?;
                if field.is_some() {
                    self.explain_appearance(Some(&appearance), &appearance)?;
                }
                Ok(field)
            }
            Shape::Drawing => {
                let appearance = dictionary.get(b"AP").and_then(Object::as_dictionary);
                let is_own = |holder: &Dictionary| ROLES.iter().any(|role| target(role, holder));
                if appearance.is_some_and(is_own) {
                    return self.filled_without_states(owner, &dictionary);
                }
                // The dictionary of the appearance may be an object of its own, with one user, too.
                if !is_own(&dictionary) {
                    return Ok(None);
                }
                let widget = self.check_sole_use(source)?;
                let Some((owner, dictionary)) = self.dictionary_before(widget)? else { return Ok(None) };
                let holder = dictionary.get(b"AP").and_then(Object::as_reference);
                if holder.is_some_and(|holder| holder.number == source) {
                    self.filled_without_states(owner, &dictionary)
                } else {
                    Ok(None)
                }
            }
            Shape::Value | Shape::Dictionary | Shape::Other => Ok(None),
        }
    }

    /// A widget with states chooses among its drawings and has no need to draw anew.
    fn filled_without_states(
        &self,
        widget: Reference,
        dictionary: &Dictionary,
    ) -> Result<Option<String>, Objection> {
        if dictionary.get(b"AS").is_some() { Ok(None) } else { self.filled_field(widget) }
    }

    /// Name of the field of a widget, when it may be filled: a signature only while it gets its value.
    fn filled_field(&self, widget: Reference) -> Result<Option<String>, Objection> {
        let Some(lineage) = self.lineage(widget)? else { return Ok(None) };
        let may_change = !lineage.is_signature || self.is_just_signed(lineage.terminal)?;
        Ok(may_change.then_some(lineage.name))
    }

    fn dictionary_before(&self, number: u32) -> Result<Option<(Reference, Dictionary)>, Objection> {
        let Some(reference) = self.reference_before(number)? else { return Ok(None) };
        Ok(match self.before.object(reference)? {
            Some(IndirectObject { value: Object::Dictionary(value), stream: None, .. }) => {
                Some((reference, value))
            }
            _ => None,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A stream that draws.
    Drawing,
    Dictionary,
    /// A string, name or array.
    Value,
    Other,
}

impl Shape {
    fn of(object: &IndirectObject) -> Self {
        match (&object.value, object.stream.is_some()) {
            (Object::Dictionary(_), true) => Self::Drawing,
            (Object::Dictionary(_), false) => Self::Dictionary,
            (Object::String(_) | Object::Name(_) | Object::Array(_), _) => Self::Value,
            _ => Self::Other,
        }
    }
}

/// All drawings of an appearance, with and without states.
fn drawings(
    document: &crate::pdf::Document<'_>,
    appearance: &Dictionary,
) -> Result<Vec<Reference>, Objection> {
    let mut found = Vec::new();
    for role in ROLES {
        match appearance.get(role) {
            None => {}
            Some(Object::Reference(reference)) => match stream_dictionary(document, *reference)? {
                Some(_) => found.push(*reference),
                None => {
                    let states = plain_dictionary(document, Some(&Object::Reference(*reference)))?;
                    states_of(&states.unwrap_or_default(), &mut found)?;
                }
            },
            Some(Object::Dictionary(states)) => states_of(states, &mut found)?,
            Some(_) => return Err("has an appearance that is no drawing".into()),
        }
    }
    Ok(found)
}

fn states_of(states: &Dictionary, found: &mut Vec<Reference>) -> Result<(), Objection> {
    for (_, state) in states.entries() {
        found.push(state.as_reference().ok_or("has an appearance that is no drawing")?);
    }
    Ok(())
}
