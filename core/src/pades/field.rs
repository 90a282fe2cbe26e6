//! Finds the field that takes the signature, or a name for a new one.

use std::collections::BTreeSet;

use super::permissions::Permissions;
use super::seed::check_seed_values;
use super::{FieldChoice, Options, PadesError};
use crate::pdf::{Dictionary, Document, FormField, Object, Reference};
use crate::x509::Certificate;

/// The longest partial name of a new field, in characters.
const MAX_NAME_CHARACTERS: usize = 127;

/// The field that takes the signature.
#[derive(Debug)]
pub(super) enum Target {
    /// A field that has to be made.
    New { name: String },
    /// An empty signature field of the form.
    Existing(ExistingField),
}

/// An empty signature field with its widget.
#[derive(Debug)]
pub(super) struct ExistingField {
    pub(super) reference: Reference,
    pub(super) dictionary: Dictionary,
    /// `None` for a field that stands on no page. The same as the field in nearly every file.
    pub(super) widget: Option<(Reference, Dictionary)>,
    /// `/Lock` of the field.
    pub(super) lock: Option<Dictionary>,
}

/// Chooses the field.
///
/// # Errors
/// `signature_field_not_found` when no signature field has the name; `signature_field_unusable` when a name
/// cannot be given to a new field, or the field holds a signature, is locked, or has seed values that this
/// signature does not fulfil; `pdf_signing_forbidden` when an earlier lock leaves no new field.
pub(super) fn choose(
    document: &Document<'_>,
    fields: &[FormField],
    permissions: &Permissions,
    signer: &Certificate,
    chain: &[Certificate],
    options: &Options,
) -> Result<Target, PadesError> {
    match &options.field {
        FieldChoice::New { name } => {
            let name = new_name(fields, name.as_deref())?;
            if options.appearance.is_some() && permissions.locks(&name) {
                return Err(PadesError::SigningForbidden(
                    "an earlier signature locks the form against a new visible field",
                ));
            }
            Ok(Target::New { name })
        }
        FieldChoice::Existing(name) => {
            let field = existing(document, fields, name)?;
            if permissions.locks(name) {
                return Err(PadesError::FieldUnusable("an earlier signature locks it".to_owned()));
            }
            if let Some(seed) = document.dictionary(&field.dictionary, b"SV")? {
                check_seed_values(document, &seed, field.lock.as_ref(), signer, chain, options)?;
            }
            Ok(Target::Existing(field))
        }
    }
}

/// The wanted name, or `Signature1` or the first number after it that no sibling has.
///
/// # Errors
/// `signature_field_unusable` when no new field can have the wanted name.
pub(super) fn new_name(fields: &[FormField], wanted: Option<&str>) -> Result<String, PadesError> {
    let unusable = |why: &str| Err(PadesError::FieldUnusable(why.to_owned()));
    let taken: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let Some(name) = wanted else {
        let mut names = (1_u32..).map(|number| format!("Signature{number}"));
        return Ok(names
            .find(|name| !taken.contains(name.as_str()))
            .expect("a form has fewer fields than there are numbers"));
    };
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS {
        return unusable("its name is empty or longer than 127 characters");
    }
    if name.contains('.') {
        return unusable("a full stop in a name separates a field from its parent");
    }
    if name.chars().any(char::is_control) {
        return unusable("its name has control characters");
    }
    if taken.contains(name) {
        return unusable("another field has that name");
    }
    Ok(name.to_owned())
}

fn existing(document: &Document<'_>, fields: &[FormField], name: &str) -> Result<ExistingField, PadesError> {
    let unusable = |why: &str| PadesError::FieldUnusable(why.to_owned());
    let mut named = fields.iter().filter(|field| !field.is_widget && field.name == name);
    let field = named.next().filter(|field| field.is_signature).ok_or(PadesError::FieldNotFound)?;
    if named.next().is_some() {
        return Err(unusable("several fields have that name"));
    }
    let below = format!("{name}.");
    if fields.iter().any(|other| other.name.starts_with(&below)) {
        return Err(unusable("it is not a field but a group of fields"));
    }
    if field.value.as_ref().is_some_and(|value| document.resolve(value) != Ok(Object::Null)) {
        return Err(unusable("it holds a signature already"));
    }
    let reference = field.reference.ok_or_else(|| unusable("it is not an object of its own"))?;
    let mut widgets: Vec<(Reference, Dictionary)> = fields
        .iter()
        .filter(|other| other.is_widget && other.name == name)
        .filter_map(|widget| Some((widget.reference?, widget.dictionary.clone())))
        .collect();
    if field.dictionary.has_name(b"Subtype", b"Widget") {
        widgets.push((reference, field.dictionary.clone()));
    }
    if widgets.len() > 1 {
        // ISO 32000-2 §12.7.5.5: a signature field has one widget.
        return Err(unusable("it stands at several places"));
    }
    Ok(ExistingField {
        reference,
        lock: document.dictionary(&field.dictionary, b"Lock")?,
        dictionary: field.dictionary.clone(),
        widget: widgets.pop(),
    })
}
