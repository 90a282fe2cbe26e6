//! The document security store (ETSI EN 319 142-1 §5.4.2): certificates, CRLs, OCSP responses, and what AD-RA of
//! ICP-Brasil keeps of its policy (DOC-ICP-15.03).

use super::step::{Step, array};
use super::uses::holds_reference;
use super::{ChangeKind, Objection};
use crate::pdf::{Dictionary, Document, IndirectObject, Object, Reference};

/// Arrays of streams in the store itself.
const LISTS: [&[u8]; 6] =
    [b"Certs", b"CRLs", b"OCSPs", b"PBAD_PolicyArtifacts", b"PBAD_LpaArtifacts", b"PBAD_LpaSignatures"];
/// Arrays of streams in what belongs to one signature.
const LISTS_OF_SIGNATURE: [&[u8]; 3] = [b"Cert", b"CRL", b"OCSP"];
/// Single streams there.
const STREAMS_OF_SIGNATURE: [&[u8]; 4] =
    [b"TS", b"PBAD_PolicyArtifact", b"PBAD_LpaArtifact", b"PBAD_LpaSignature"];

impl Step<'_, '_> {
    /// The store may gain anything of its own kind. What became useless may go.
    pub(super) fn explain_store(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = plain_dictionary(self.before, old.get(b"DSS"))?;
        let after = plain_dictionary(self.after, new.get(b"DSS"))?;
        let Some(after) = after else {
            return if before.is_none() { Ok(()) } else { Err("removes the validation data".into()) };
        };
        let before = before.unwrap_or_default();
        let touched = self.touched.len();
        self.explain_container(old.get(b"DSS"), new.get(b"DSS"))?;
        check_keys(&after, &LISTS, &[b"Type", b"VRI"])?;
        for key in LISTS {
            self.explain_list(before.get(key), after.get(key))?;
        }
        self.explain_per_signature(&before, &after)?;
        if self.touched.len() < touched || before != after || old.get(b"DSS") != new.get(b"DSS") {
            self.find(ChangeKind::ValidationData);
        }
        Ok(())
    }

    /// `/VRI`: by signature. An entry may be completed, not removed.
    fn explain_per_signature(&mut self, old: &Dictionary, new: &Dictionary) -> Result<(), Objection> {
        let before = plain_dictionary(self.before, old.get(b"VRI"))?.unwrap_or_default();
        let after = plain_dictionary(self.after, new.get(b"VRI"))?.unwrap_or_default();
        if before.entries().any(|(key, _)| after.get(key).is_none()) {
            return Err("removes validation data of a signature".into());
        }
        self.explain_container(old.get(b"VRI"), new.get(b"VRI"))?;
        for (key, entry) in after.entries() {
            let old_entry = before.get(key);
            // `/Type` is allowed here, too: some writers think of everything.
            if key == b"Type" && entry.as_name().is_some() {
                continue;
            }
            if key.len() != 40 || !key.iter().all(|byte| byte.is_ascii_hexdigit()) {
                return Err("adds validation data under a name that is no digest".into());
            }
            let was = plain_dictionary(self.before, old_entry)?.unwrap_or_default();
            let is = plain_dictionary(self.after, Some(entry))?.unwrap_or_default();
            self.explain_container(old_entry, Some(entry))?;
            let others = [&STREAMS_OF_SIGNATURE[..], &[b"Type", b"TU"]].concat();
            check_keys(&is, &LISTS_OF_SIGNATURE, &others)?;
            for list in LISTS_OF_SIGNATURE {
                self.explain_list(was.get(list), is.get(list))?;
            }
            for stream in STREAMS_OF_SIGNATURE {
                match is.get(stream) {
                    Some(stream @ Object::Reference(_)) => self.explain_stream(stream)?,
                    Some(other) if holds_reference(other) => {
                        let name = String::from_utf8_lossy(stream);
                        return Err(Objection(format!("lets {name} of the validation data lead elsewhere")));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn explain_list(&mut self, old: Option<&Object>, new: Option<&Object>) -> Result<(), Objection> {
        let items = array(self.after, new, "lists of validation data")?;
        self.explain_container(old, new)?;
        items.iter().try_for_each(|item| self.explain_stream(item))
    }

    /// A stream that is new, or was there before as it is now.
    fn explain_stream(&mut self, item: &Object) -> Result<(), Objection> {
        let reference = item.as_reference();
        let reference = reference.ok_or("adds validation data that are not an object of their own")?;
        if !self.is_new(reference) {
            // One that was replaced stays without a reason.
            return Ok(());
        }
        let is_stream = matches!(
            self.after.object(reference)?,
            Some(IndirectObject { value: Object::Dictionary(_), stream: Some(_), .. })
        );
        if !is_stream {
            return Err("adds validation data that are not a stream".into());
        }
        self.touched.remove(&reference.number);
        Ok(())
    }
}

/// Only these lists and these entries.
fn check_keys(dictionary: &Dictionary, lists: &[&[u8]], others: &[&[u8]]) -> Result<(), Objection> {
    let is_known = |key: &[u8]| lists.contains(&key) || others.contains(&key);
    match dictionary.entries().find(|(key, _)| !is_known(key)) {
        None => Ok(()),
        Some((key, _)) => {
            Err(Objection(format!("adds {} to the validation data", String::from_utf8_lossy(key))))
        }
    }
}

/// The dictionary behind a value; `None` when it is missing.
pub(super) fn plain_dictionary(
    document: &Document<'_>,
    value: Option<&Object>,
) -> Result<Option<Dictionary>, Objection> {
    let resolved = value.map_or(Ok(Object::Null), |value| document.resolve(value))?;
    match resolved.as_dictionary() {
        Some(dictionary) => Ok(Some(dictionary.clone())),
        None if resolved == Object::Null => Ok(None),
        None => Err("has something else where a dictionary was expected".into()),
    }
}

/// The object of a stream, when the reference leads to one.
pub(super) fn stream_dictionary(
    document: &Document<'_>,
    reference: Reference,
) -> Result<Option<Dictionary>, Objection> {
    Ok(match document.object(reference)? {
        Some(IndirectObject { value: Object::Dictionary(dictionary), stream: Some(_), .. }) => {
            Some(dictionary)
        }
        _ => None,
    })
}
