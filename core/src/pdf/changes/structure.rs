//! The logical structure of a tagged file (ISO 32000-2 §14.7): it may tell of a new field, nothing else.

use super::form::NewField;
use super::step::{Step, array, same_except};
use super::store::plain_dictionary;
use super::uses::holds_reference;
use super::{ChangeKind, Objection};
use crate::pdf::{Dictionary, Object, Reference};

/// What the element of a field holds. No text that a screen reader would speak instead of the field's own.
const ELEMENT_KEYS: [&[u8]; 7] = [b"Type", b"S", b"P", b"Pg", b"K", b"ID", b"T"];

impl Step<'_, '_> {
    /// Elements of new fields hang below the root or below an element that gained nothing else, and stand in
    /// the table that leads from fields to elements.
    pub(super) fn explain_structure(
        &mut self,
        catalog: &Dictionary,
        fields: &[NewField],
    ) -> Result<(), Objection> {
        let Some(root) = catalog.get(b"StructTreeRoot").and_then(Object::as_reference) else {
            return Ok(());
        };
        let widgets: Vec<Reference> = fields.iter().flat_map(|field| field.widgets.clone()).collect();
        if widgets.is_empty() {
            return Ok(());
        }
        let before = plain_dictionary(self.before, Some(&root.into()))?.unwrap_or_default();
        let after = plain_dictionary(self.after, Some(&root.into()))?.unwrap_or_default();
        same_except(&before, &after, &[b"K", b"ParentTree", b"ParentTreeNextKey"], "the logical structure")?;
        let touched = self.touched.len();
        self.touched.remove(&root.number);
        let mut parents = vec![root];
        parents.extend(self.changed_elements());
        for parent in parents {
            let old = plain_dictionary(self.before, Some(&parent.into()))?.unwrap_or_default();
            let new = plain_dictionary(self.after, Some(&parent.into()))?.unwrap_or_default();
            if parent != root {
                same_except(&old, &new, &[b"K"], "an element of the logical structure")?;
                self.touched.remove(&parent.number);
            }
            for element in self.added_kids(&old, &new)? {
                self.explain_element(element, parent, &widgets)?;
            }
        }
        self.explain_parent_tree(&before, &after)?;
        if self.touched.len() < touched {
            self.find(ChangeKind::Structure);
        }
        Ok(())
    }

    fn changed_elements(&self) -> Vec<Reference> {
        let is_element = |object: &Object| {
            object.as_dictionary().is_some_and(|d| d.get(b"S").is_some() && d.get(b"P").is_some())
        };
        let changed = self.touched.iter().filter(|(_, touched)| {
            let before = touched.before.as_ref();
            before.is_some_and(|before| before.stream.is_none() && is_element(&before.value))
        });
        changed.filter_map(|(number, _)| self.reference_before(*number).ok().flatten()).collect()
    }

    /// Kids at the end; one kid may stand without an array.
    fn added_kids(&mut self, old: &Dictionary, new: &Dictionary) -> Result<Vec<Reference>, Objection> {
        let (old, new) = (old.get(b"K"), new.get(b"K"));
        if old == new
            && new.and_then(Object::as_reference).is_none_or(|r| !self.touched.contains_key(&r.number))
        {
            return Ok(Vec::new());
        }
        let what = "the kids of the logical structure";
        let list = |document: &crate::pdf::Document<'_>, kids: Option<&Object>| match kids {
            Some(kids) => {
                Ok(document.resolve(kids)?.as_array().map_or_else(|| vec![kids.clone()], <[Object]>::to_vec))
            }
            None => Ok::<_, Objection>(Vec::new()),
        };
        let (before, after) = (list(self.before, old)?, list(self.after, new)?);
        let added = after.strip_prefix(before.as_slice()).ok_or("removes kids of the logical structure")?;
        let references: Option<Vec<_>> = added.iter().map(Object::as_reference).collect();
        let references = references.ok_or_else(|| Objection(format!("adds a direct object to {what}")))?;
        // A reference may lead to the array of the kids or be the one kid.
        if new.and_then(Object::as_reference).is_some_and(|reference| !references.contains(&reference)) {
            self.explain_container(old, new)?;
        }
        Ok(references)
    }

    fn explain_element(
        &mut self,
        element: Reference,
        parent: Reference,
        widgets: &[Reference],
    ) -> Result<(), Objection> {
        let wrong = "adds something else than a field to the logical structure";
        let dictionary = self.new_dictionary(element, "an element of the logical structure")?;
        let kids = match dictionary.get(b"K") {
            Some(Object::Array(kids)) => kids.clone(),
            Some(kid) => vec![kid.clone()],
            None => Vec::new(),
        };
        let is_widget = |kid: &Object| {
            let kid = self.after.resolve(kid).ok();
            let kid = kid.as_ref().and_then(Object::as_dictionary);
            kid.is_some_and(|kid| {
                let object = kid.get(b"Obj").and_then(Object::as_reference);
                kid.has_name(b"Type", b"OBJR") && object.is_some_and(|object| widgets.contains(&object))
            })
        };
        let is_field = dictionary.entries().all(|(key, _)| ELEMENT_KEYS.contains(&key))
            && dictionary.has_name(b"S", b"Form")
            && dictionary.get(b"P") == Some(&parent.into())
            && !kids.is_empty()
            && kids.iter().all(is_widget);
        if !is_field {
            return Err(wrong.into());
        }
        self.touched.remove(&element.number);
        for kid in kids.iter().filter_map(Object::as_reference) {
            self.touched.remove(&kid.number);
        }
        Ok(())
    }

    /// `/ParentTree` with its numbers in one list, which grows at its end. Larger trees are not followed.
    fn explain_parent_tree(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let next = |root: &Dictionary| root.get(b"ParentTreeNextKey").and_then(Object::as_integer);
        if next(old) > next(new) || new.get(b"ParentTreeNextKey").is_some_and(holds_reference) {
            return Err("counts back in the logical structure".into());
        }
        let before = plain_dictionary(self.before, old.get(b"ParentTree"))?.unwrap_or_default();
        let after = plain_dictionary(self.after, new.get(b"ParentTree"))?.unwrap_or_default();
        if before == after && old.get(b"ParentTree") == new.get(b"ParentTree") {
            return Ok(());
        }
        same_except(&before, &after, &[b"Nums"], "the logical structure")?;
        let what = "numbers of the logical structure";
        let was = array(self.before, before.get(b"Nums"), what)?;
        let is = array(self.after, after.get(b"Nums"), what)?;
        let added = is.strip_prefix(was.as_slice()).ok_or("replaces numbers of the logical structure")?;
        let is_pair = |pair: &[Object]| matches!(pair, [Object::Integer(_), Object::Reference(element)] if self.is_new(*element));
        if !added.chunks(2).all(is_pair) {
            return Err("adds something else than new fields to the logical structure".into());
        }
        self.explain_container(old.get(b"ParentTree"), new.get(b"ParentTree"))?;
        self.explain_container(before.get(b"Nums"), after.get(b"Nums"))
    }
}
