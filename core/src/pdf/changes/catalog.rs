//! What may change in the trailer and in the catalogue, and what hangs there alone.

use super::step::{Step, Touched, same_except};
use super::uses::holds_reference;
use super::{ChangeKind, Objection};
use crate::pdf::{Dictionary, Document, IndirectObject, Object};

/// Keys of a trailer that tell of the file and not of the document.
const FILE_KEYS: [&[u8]; 11] = [
    b"Size",
    b"Prev",
    b"XRefStm",
    b"ID",
    b"Info",
    b"Type",
    b"W",
    b"Index",
    b"Length",
    b"Filter",
    b"DecodeParms",
];
/// Document information that programs write (ISO 32000-2 §14.3.3). Other keys could make a font of it.
const INFORMATION_KEYS: [&[u8]; 9] = [
    b"Title",
    b"Author",
    b"Subject",
    b"Keywords",
    b"Creator",
    b"Producer",
    b"CreationDate",
    b"ModDate",
    b"Trapped",
];
/// Keys of the catalogue that have a rule of their own.
const CATALOG_KEYS: [&[u8]; 7] =
    [b"AcroForm", b"DSS", b"Extensions", b"MarkInfo", b"Metadata", b"Perms", b"Version"];

impl Step<'_, '_> {
    pub(super) fn explain_trailer(&mut self) -> Result<(), Objection> {
        let (before, after) = (self.before, self.after);
        let (old, new) = (&before.newest().trailer, &after.newest().trailer);
        same_except(old, new, &FILE_KEYS, "the trailer")?;
        let permanent =
            |trailer: &Dictionary| trailer.get(b"ID").and_then(Object::as_array)?.first().cloned();
        if permanent(old) != permanent(new) {
            return Err("changes the identifier of the file".into());
        }
        self.explain_information(old, new)
    }

    /// Document information is shown nowhere in the document.
    fn explain_information(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = self.before.dictionary(old, b"Info")?.unwrap_or_default();
        let after = self.after.dictionary(new, b"Info")?.unwrap_or_default();
        if before == after && old.get(b"Info") == new.get(b"Info") {
            return Ok(());
        }
        self.find(ChangeKind::DocumentInformation);
        // Without it a reader shows nothing at all.
        if new.get(b"Info").is_none() {
            return Ok(());
        }
        same_except(&before, &after, &INFORMATION_KEYS, "the document information")?;
        if after.entries().any(|(_, value)| holds_reference(value)) {
            return Err("lets the document information lead elsewhere".into());
        }
        self.explain_known_container(old.get(b"Info"), new.get(b"Info"))
    }

    /// Gives the catalogue as it was and as it is.
    pub(super) fn explain_catalog(&mut self) -> Result<(Dictionary, Dictionary), Objection> {
        let (old_root, old) = self.before.catalog()?;
        let (root, new) = self.after.catalog()?;
        if old_root != root {
            return Err("has another catalogue".into());
        }
        self.touched.remove(&root.number);
        same_except(&old, &new, &CATALOG_KEYS, "the catalogue")?;
        // A writer may raise the version for what it adds; 2.0 is the last one.
        let (from, to) = (self.before.version(&old), self.after.version(&new));
        if to < from || to > (2, 0) {
            return Err("changes the version".into());
        }
        if to != from {
            self.find(ChangeKind::Extensions);
        }
        self.explain_metadata(&old, &new)?;
        self.explain_extensions(&old, &new)?;
        self.explain_mark_information(&old, &new)?;
        self.explain_permissions(&old, &new)?;
        Ok((old, new))
    }

    /// Metadata are shown nowhere in the document, but the object that holds them might be used twice.
    fn explain_metadata(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let (before, after) = (old.get(b"Metadata"), new.get(b"Metadata"));
        let Some(number) = after.and_then(Object::as_reference).map(|reference| reference.number) else {
            return if before == after { Ok(()) } else { Err("removes the metadata".into()) };
        };
        let Some(Touched { before: replaced, after: stream }) = self.touched.get(&number) else {
            return if before == after {
                Ok(())
            } else {
                Err("uses an object of an earlier revision as metadata".into())
            };
        };
        let is_replaced = replaced.is_some();
        let was_xmp = replaced.as_ref().is_none_or(|old| before == after && is_xmp(self.before, old));
        if !was_xmp || !is_xmp(self.after, stream) {
            return Err("changes the metadata into something else".into());
        }
        if is_replaced {
            self.check_sole_use(number)?;
        }
        self.touched.remove(&number);
        self.find(ChangeKind::Metadata);
        Ok(())
    }

    fn explain_extensions(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = self.before.dictionary(old, b"Extensions")?.unwrap_or_default();
        let after = self.after.dictionary(new, b"Extensions")?.unwrap_or_default();
        if before != after {
            self.find(ChangeKind::Extensions);
        }
        let is_declared = |(key, value): (&[u8], &Object)| match before.get(key) {
            Some(old) if old == value => true,
            _ => is_extension(value),
        };
        if before.entries().any(|(key, _)| after.get(key).is_none()) || !after.entries().all(is_declared) {
            return Err("changes the extensions of the catalogue".into());
        }
        self.explain_container(old.get(b"Extensions"), new.get(b"Extensions"))
    }

    /// `/MarkInfo`: three flags about the logical structure (ISO 32000-2 §14.7.1).
    fn explain_mark_information(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = self.before.dictionary(old, b"MarkInfo")?.unwrap_or_default();
        let after = self.after.dictionary(new, b"MarkInfo")?.unwrap_or_default();
        if before == after && old.get(b"MarkInfo") == new.get(b"MarkInfo") {
            return Ok(());
        }
        if after.entries().any(|(_, value)| !matches!(value, Object::Boolean(_))) {
            return Err("changes the mark information of the catalogue".into());
        }
        self.find(ChangeKind::Metadata);
        self.explain_container(old.get(b"MarkInfo"), new.get(b"MarkInfo"))
    }

    /// Permissions are those of a certification, which is the first signature: nothing but document time
    /// stamps may come before it.
    fn explain_permissions(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = self.before.dictionary(old, b"Perms")?;
        let after = self.after.dictionary(new, b"Perms")?;
        if before == after && old.get(b"Perms") == new.get(b"Perms") {
            return Ok(());
        }
        let is_first = !crate::pdf::signature_fields(self.before)?.iter().any(|field| {
            let value = self.before.resolve(&field.value);
            let dictionary = value.as_ref().ok().and_then(Object::as_dictionary);
            dictionary.is_none_or(|signature| !signature.has_name(b"Type", b"DocTimeStamp"))
        });
        let after = after.unwrap_or_default();
        let certification = after.get(b"DocMDP").and_then(Object::as_reference);
        let is_certification = after.entries().count() == 1 && certification.is_some_and(|r| self.is_new(r));
        if before.is_some() || !is_first || !is_certification {
            return Err("changes the permissions of the document".into());
        }
        self.find(ChangeKind::Certified);
        self.explain_container(None, new.get(b"Perms"))
    }
}

/// XMP (ISO 16684-1): one element, in a packet perhaps. Entities and document types have no business there.
fn is_xmp(document: &Document<'_>, object: &IndirectObject) -> bool {
    let (Some(dictionary), Ok(Some(text))) = (object.value.as_dictionary(), document.stream_data(object))
    else {
        return false;
    };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii();
    let holds = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    dictionary.has_name(b"Type", b"Metadata")
        && text.starts_with(b"<")
        && text.ends_with(b">")
        && holds(b"adobe:ns:meta/")
        && !holds(b"<!")
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
