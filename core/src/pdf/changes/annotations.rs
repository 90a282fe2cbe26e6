//! Comments (ISO 32000-2 §12.5.6): permitted by a certification of level 3 only.

use super::step::{Step, Touched};
use super::uses::for_each_reference;
use super::{ChangeKind, Objection};
use crate::pdf::{Dictionary, IndirectObject, Object, Reference};

/// What a person adds while commenting. Links, widgets, films and the like are none.
const COMMENTS: [&[u8]; 16] = [
    b"Text",
    b"FreeText",
    b"Line",
    b"Square",
    b"Circle",
    b"Polygon",
    b"PolyLine",
    b"Highlight",
    b"Underline",
    b"Squiggly",
    b"StrikeOut",
    b"Caret",
    b"Stamp",
    b"Ink",
    b"Popup",
    b"FileAttachment",
];
/// Objects of one comment that are looked at.
const MAX_PARTS: usize = 1000;

impl Step<'_, '_> {
    pub(super) fn explain_added_annotation(
        &mut self,
        annotation: Reference,
        page: Reference,
    ) -> Result<(), Objection> {
        let dictionary = self.new_dictionary(annotation, "an annotation")?;
        if !is_comment(&dictionary) {
            return Err("adds something to a page that is no signature and no comment".into());
        }
        if dictionary.get(b"P").is_some_and(|owner| *owner != page.into()) {
            return Err("adds an annotation that belongs to another page".into());
        }
        self.touched.remove(&annotation.number);
        self.explain_parts(&dictionary)?;
        self.find(ChangeKind::AnnotationAdded);
        Ok(())
    }

    pub(super) fn explain_removed_annotation(&mut self, annotation: Reference) -> Result<(), Objection> {
        if !self.before.resolve(&annotation.into())?.as_dictionary().is_some_and(is_comment) {
            return Err("removes something from a page that is no comment".into());
        }
        self.find(ChangeKind::AnnotationRemoved);
        Ok(())
    }

    pub(super) fn explain_changed_annotations(&mut self) -> Result<(), Objection> {
        let changed: Vec<(u32, Dictionary)> = self
            .touched
            .iter()
            .filter_map(|(number, touched)| match touched {
                Touched {
                    before: Some(IndirectObject { value: Object::Dictionary(before), stream: None, .. }),
                    after: IndirectObject { value: Object::Dictionary(after), stream: None, .. },
                } if is_comment(before) && before.get(b"Subtype") == after.get(b"Subtype") => {
                    Some((*number, after.clone()))
                }
                _ => None,
            })
            .collect();
        for (number, after) in changed {
            self.touched.remove(&number);
            self.explain_parts(&after)?;
            self.find(ChangeKind::AnnotationChanged);
        }
        Ok(())
    }

    /// New objects below a comment: appearances, pop-up windows. Nothing that acts.
    fn explain_parts(&mut self, comment: &Dictionary) -> Result<(), Objection> {
        let mut ahead = vec![Object::from(comment.clone())];
        let mut parts = 0;
        while let Some(value) = ahead.pop() {
            if acts(&value) {
                return Err("adds an annotation that acts".into());
            }
            let mut references = Vec::new();
            for_each_reference(&value, &mut |reference| references.push(reference));
            for reference in references {
                if self.is_new(reference)
                    && let Some(touched) = self.touched.remove(&reference.number)
                {
                    ahead.push(touched.after.value);
                }
            }
            parts += 1;
            if parts > MAX_PARTS {
                return Err(Objection(format!("adds an annotation of more than {MAX_PARTS} objects")));
            }
        }
        Ok(())
    }
}

fn is_comment(annotation: &Dictionary) -> bool {
    annotation.get(b"FT").is_none()
        && annotation.get(b"Subtype").and_then(Object::as_name).is_some_and(|name| COMMENTS.contains(&name))
}

/// Whether there is an action inside (ISO 32000-2 §12.6).
fn acts(object: &Object) -> bool {
    match object {
        Object::Array(items) => items.iter().any(acts),
        Object::Dictionary(dictionary) => dictionary
            .entries()
            .any(|(key, value)| matches!(key, b"A" | b"AA" | b"JS" | b"PA") || acts(value)),
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::String(_)
        | Object::Reference(_) => false,
    }
}
