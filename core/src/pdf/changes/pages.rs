//! Pages: their annotations may gain the widgets of new signature fields, and comments where permitted.

use std::collections::BTreeSet;

use super::Objection;
use super::form::NewField;
use super::step::{Step, Touched, array, same_except};
use crate::pdf::{IndirectObject, Object, Reference};

impl Step<'_, '_> {
    /// Finds the pages of changed annotation arrays: those that changed themselves, those that the new
    /// widgets name, and, for an array that nobody claims, the object that mentions it.
    pub(super) fn explain_pages(&mut self, fields: &[NewField]) -> Result<(), Objection> {
        let widgets: BTreeSet<Reference> = fields.iter().flat_map(|field| field.widgets.clone()).collect();
        let mut pages: BTreeSet<Reference> = BTreeSet::new();
        let mut arrays = Vec::new();
        for (&number, touched) in &self.touched {
            match touched.before.as_ref().map(|object| &object.value) {
                Some(Object::Dictionary(page)) if page.has_name(b"Type", b"Page") => {
                    pages.extend(self.reference_before(number)?);
                }
                Some(Object::Array(_)) => arrays.push(number),
                _ => {}
            }
        }
        for widget in &widgets {
            let widget = self.after.resolve(&(*widget).into())?;
            let page = widget.as_dictionary().and_then(|widget| widget.get(b"P"));
            pages.extend(page.and_then(Object::as_reference));
        }
        for page in pages {
            self.explain_page(page, &widgets)?;
        }
        for array in arrays {
            if !self.touched.contains_key(&array) {
                continue;
            }
            let owner = self.check_sole_use(array)?;
            if let Some(owner) = self.reference_before(owner)?
                && let Object::Dictionary(page) = self.before.resolve(&owner.into())?
                && page.has_name(b"Type", b"Page")
                && page.get(b"Annots").and_then(Object::as_reference).is_some_and(|r| r.number == array)
            {
                self.explain_page(owner, &widgets)?;
            }
        }
        self.explain_changed_annotations()
    }

    fn explain_page(&mut self, page: Reference, widgets: &BTreeSet<Reference>) -> Result<(), Objection> {
        let not_a_page = "adds a signature field to something else than a page";
        let (Some(before), Some(after)) = (self.before.object(page)?, self.after.object(page)?) else {
            return Err(not_a_page.into());
        };
        let (
            IndirectObject { value: Object::Dictionary(before), stream: None, .. },
            IndirectObject { value: Object::Dictionary(after), stream: None, .. },
        ) = (before, after)
        else {
            return Err(not_a_page.into());
        };
        if !before.has_name(b"Type", b"Page") {
            return Err(not_a_page.into());
        }
        same_except(&before, &after, &[b"Annots"], "a page")?;
        let what = "the annotations of a page";
        let (old, new) = (before.get(b"Annots"), after.get(b"Annots"));
        let (was, is) = (array(self.before, old, what)?, array(self.after, new, what)?);
        let was: BTreeSet<Reference> = references(&was, what)?;
        let is_set: BTreeSet<Reference> = references(&is, what)?;
        if is.len() != is_set.len() && is_set != was {
            return Err("lists an annotation of a page twice".into());
        }
        self.explain_container(old, new)?;
        for annotation in is_set.difference(&was).filter(|annotation| !widgets.contains(annotation)) {
            self.explain_added_annotation(*annotation, page)?;
        }
        for annotation in was.difference(&is_set) {
            self.explain_removed_annotation(*annotation)?;
        }
        if let Some(Touched { before: Some(_), .. }) = self.touched.get(&page.number) {
            self.touched.remove(&page.number);
        }
        Ok(())
    }
}

/// Elements of an annotation array. A direct annotation stays where it is.
fn references(items: &[Object], what: &str) -> Result<BTreeSet<Reference>, Objection> {
    let references: Option<_> = items.iter().map(Object::as_reference).collect();
    references.ok_or_else(|| Objection(format!("changes {what}, one of which is not an object of its own")))
}
