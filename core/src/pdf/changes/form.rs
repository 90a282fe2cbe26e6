//! The form as a whole, and the signature fields that it gained.

use super::step::{Step, array, same_except};
use super::store::plain_dictionary;
use super::uses::{for_each_reference, holds_reference};
use super::{ChangeKind, Objection};
use crate::pdf::{Dictionary, IndirectObject, Object, Reference, text_string};

/// Keys of the form that have a rule of their own.
const FORM_KEYS: [&[u8]; 6] = [b"Fields", b"SigFlags", b"DR", b"DA", b"Q", b"NeedAppearances"];
/// What a new signature field may hold. No action, nothing that leads into the document but its page.
const FIELD_KEYS: [&[u8]; 25] = [
    b"Type",
    b"Subtype",
    b"FT",
    b"T",
    b"TU",
    b"TM",
    b"F",
    b"Ff",
    b"Rect",
    b"P",
    b"V",
    b"Border",
    b"BS",
    b"H",
    b"MK",
    b"AP",
    b"DA",
    b"Q",
    b"M",
    b"NM",
    b"Lock",
    b"SV",
    b"Kids",
    b"StructParent",
    b"Parent",
];
/// What a signature dictionary may hold (ISO 32000-2 §12.8.1, table 255).
const SIGNATURE_KEYS: [&[u8]; 18] = [
    b"Type",
    b"Filter",
    b"SubFilter",
    b"Contents",
    b"Cert",
    b"ByteRange",
    b"Reference",
    b"Changes",
    b"Name",
    b"M",
    b"Location",
    b"Reason",
    b"ContactInfo",
    b"R",
    b"V",
    b"Prop_Build",
    b"Prop_AuthTime",
    b"Prop_AuthType",
];

/// A field that the revision added, with its widgets: itself, or its kids.
pub(super) struct NewField {
    pub(super) widgets: Vec<Reference>,
}

impl Step<'_, '_> {
    /// The form may gain signature fields; its resources and defaults may change for filling. Gives the new
    /// fields.
    pub(super) fn explain_form(
        &mut self,
        old: &Dictionary,
        new: &Dictionary,
    ) -> Result<Vec<NewField>, Objection> {
        let before = plain_dictionary(self.before, old.get(b"AcroForm"))?.unwrap_or_default();
        let after = plain_dictionary(self.after, new.get(b"AcroForm"))?.unwrap_or_default();
        same_except(&before, &after, &FORM_KEYS, "the form")?;
        if before.get(b"Subtype").is_some() {
            return Err("changes a form that is an annotation, too".into());
        }
        self.explain_known_container(old.get(b"AcroForm"), new.get(b"AcroForm"))?;
        let flags = |form: &Dictionary| form.get(b"SigFlags").and_then(Object::as_integer).unwrap_or(0);
        if flags(&before) & !flags(&after) != 0 {
            return Err("takes flags of signatures away".into());
        }
        let defaults: [&[u8]; 3] = [b"DA", b"Q", b"NeedAppearances"];
        if defaults.iter().any(|key| before.get(key) != after.get(key)) {
            if defaults.iter().any(|key| after.get(key).is_some_and(holds_reference)) {
                return Err("lets a default of the form lead elsewhere".into());
            }
            self.find(ChangeKind::FormDefaults);
        }
        self.explain_resources(before.get(b"DR"), after.get(b"DR"))?;
        let added = self.added(before.get(b"Fields"), after.get(b"Fields"), "the fields of the form")?;
        added.into_iter().map(|field| self.explain_new_field(field)).collect()
    }

    /// `/DR`: resources may be added under new names; what had a name keeps it.
    fn explain_resources(&mut self, old: Option<&Object>, new: Option<&Object>) -> Result<(), Objection> {
        let (Some(new_object), touched) = (new, self.touched.len()) else {
            return if old.is_none() { Ok(()) } else { Err("removes the resources of the form".into()) };
        };
        let before = plain_dictionary(self.before, old)?.unwrap_or_default();
        let after = plain_dictionary(self.after, new)?.unwrap_or_default();
        self.explain_container(old, new)?;
        let lost = "removes or replaces a resource of the form";
        for (category, old_value) in before.entries() {
            let Some(new_value) = after.get(category) else { return Err(lost.into()) };
            let was = self.before.resolve(old_value)?;
            let is = self.after.resolve(new_value)?;
            match (&was, &is) {
                _ if was == is => {}
                (Object::Dictionary(was), Object::Dictionary(is))
                    if was.entries().all(|(name, value)| is.get(name) == Some(value)) => {}
                // `/ProcSet` is an array of names.
                (Object::Array(_), Object::Array(_)) if !holds_reference(&is) => {}
                _ => return Err(lost.into()),
            }
            self.explain_container(Some(old_value), Some(new_value))?;
        }
        self.explain_new_below(new_object);
        self.explain_new_below(&after.into());
        if old != new || self.touched.len() < touched {
            self.find(ChangeKind::FormDefaults);
        }
        Ok(())
    }

    /// A new field is a signature field, signed or not.
    fn explain_new_field(&mut self, field: Reference) -> Result<NewField, Objection> {
        let dictionary = self.new_dictionary(field, "a form field")?;
        if !dictionary.has_name(b"FT", b"Sig") || dictionary.get(b"Parent").is_some() {
            return Err("adds a form field that is no signature".into());
        }
        let name = match self.after.value(&dictionary, b"T")? {
            Some(Object::String(name)) if !name.contains(&b'.') => text_string(&name),
            _ => return Err("adds a signature field without a usable name".into()),
        };
        let kids = array(self.after, dictionary.get(b"Kids"), "the widgets of a field")?;
        self.explain_container(None, dictionary.get(b"Kids"))?;
        let mut widgets = Vec::new();
        for kid in &kids {
            let kid = kid.as_reference().ok_or("adds a widget that is not an object of its own")?;
            let widget = self.new_dictionary(kid, "a widget")?;
            let parent = widget.get(b"Parent");
            if parent.is_some_and(|parent| *parent != field.into()) || widget.get(b"T").is_some() {
                return Err("adds a field below a signature field".into());
            }
            self.explain_widget(&widget, &name)?;
            self.touched.remove(&kid.number);
            widgets.push(kid);
        }
        if kids.is_empty() {
            widgets.push(field);
        }
        let is_visible = self.explain_widget(&dictionary, &name)?
            || widgets.iter().any(|widget| {
                let widget = self.after.resolve(&(*widget).into());
                widget.is_ok_and(|widget| widget.as_dictionary().is_some_and(is_visible))
            });
        for key in [&b"Lock"[..], b"SV"] {
            if let Some(value) = dictionary.get(key) {
                self.explain_new_below(value);
            }
        }
        self.touched.remove(&field.number);
        let kind = if is_visible { ChangeKind::VisibleSignatureField } else { ChangeKind::SignatureField };
        self.find_in(kind, &name);
        if let Some(value) = dictionary.get(b"V") {
            self.explain_signature(value, &name, is_visible)?;
        }
        Ok(NewField { widgets })
    }

    /// Keys and appearance of a new widget. Says whether it has an area.
    fn explain_widget(&mut self, widget: &Dictionary, name: &str) -> Result<bool, Objection> {
        if let Some((key, _)) = widget.entries().find(|(key, _)| !FIELD_KEYS.contains(key)) {
            let key = String::from_utf8_lossy(key);
            return Err(Objection(format!("adds a signature field with the entry {key}")));
        }
        let plain: [&[u8]; 14] = [
            b"Type", b"Subtype", b"FT", b"T", b"TU", b"TM", b"F", b"Ff", b"Rect", b"Border", b"BS", b"MK",
            b"DA", b"Q",
        ];
        if plain.iter().any(|key| widget.get(key).is_some_and(holds_reference)) {
            return Err("adds a signature field that leads elsewhere".into());
        }
        if widget.get(b"Subtype").is_some() && !widget.has_name(b"Subtype", b"Widget") {
            return Err("adds a signature field that is another annotation".into());
        }
        if let Some(appearance) = widget.get(b"AP") {
            self.explain_new_appearance(appearance)?;
            self.find_in(ChangeKind::SignatureAppearance, name);
        }
        Ok(is_visible(widget))
    }

    /// The value of a signature field is a new dictionary that leads nowhere.
    pub(super) fn explain_signature(
        &mut self,
        value: &Object,
        name: &str,
        is_visible: bool,
    ) -> Result<(), Objection> {
        let reference = value.as_reference().ok_or("adds a signature that is not an object of its own")?;
        let signature = self.new_dictionary(reference, "a signature")?;
        let is_signature = signature.get(b"Contents").is_some()
            && signature.get(b"ByteRange").is_some()
            && signature.entries().all(|(key, _)| SIGNATURE_KEYS.contains(&key));
        if !is_signature {
            return Err("adds something else as a signature".into());
        }
        self.touched.remove(&reference.number);
        for (key, value) in signature.entries() {
            self.explain_plain_below(value, key == b"Reference")?;
        }
        // A time stamp that shows something is more than what keeps a signature provable.
        let is_time_stamp = signature.has_name(b"Type", b"DocTimeStamp") && !is_visible;
        let kind = if is_time_stamp { ChangeKind::DocumentTimeStamp } else { ChangeKind::Signed };
        self.find_in(kind, name);
        Ok(())
    }

    /// Explains new objects below an entry of a signature, none of which is a stream. Only `/Reference` may
    /// lead to old objects: its `/Data` names what is locked.
    fn explain_plain_below(&mut self, value: &Object, may_lead_back: bool) -> Result<(), Objection> {
        let mut ahead = vec![value.clone()];
        while let Some(value) = ahead.pop() {
            let mut references = Vec::new();
            for_each_reference(&value, &mut |reference| references.push(reference));
            for reference in references {
                if !self.is_new(reference) {
                    if may_lead_back {
                        continue;
                    }
                    return Err("adds a signature that leads elsewhere".into());
                }
                if self.touched.remove(&reference.number).is_none() {
                    continue;
                }
                match self.after.object(reference)? {
                    Some(IndirectObject { value, stream: None, .. }) => ahead.push(value),
                    _ => return Err("adds a signature that leads to a stream".into()),
                }
            }
        }
        Ok(())
    }
}

/// Whether a widget has an area; one without shows nothing (ISO 32000-2 §12.7.5.5). A `/Rect` that cannot be
/// read counts as one with an area.
pub(super) fn is_visible(widget: &Dictionary) -> bool {
    let number = |object: &Object| match object {
        Object::Integer(value) => Some(value.to_string()),
        Object::Real(text) => {
            let text = text.trim_start_matches('+');
            let text =
                if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
            Some(if text.is_empty() || text == "-" || text == "-0" {
                "0".to_owned()
            } else {
                text.to_owned()
            })
        }
        Object::Null
        | Object::Boolean(_)
        | Object::Name(_)
        | Object::String(_)
        | Object::Array(_)
        | Object::Dictionary(_)
        | Object::Reference(_) => None,
    };
    match widget.get(b"Rect").map(Object::as_array) {
        None => false,
        Some(Some([left, bottom, right, top])) => {
            let sides = [left, bottom, right, top].map(number);
            sides.contains(&None) || (sides[0] != sides[2] && sides[1] != sides[3])
        }
        Some(_) => true,
    }
}
