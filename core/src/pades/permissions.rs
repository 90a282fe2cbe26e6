//! What earlier signatures allow: DocMDP, FieldMDP and field locks (ISO 32000-2 §12.8.2).

use super::PadesError;
use crate::pdf::{Dictionary, Document, FormField, Object, PdfError, text_string};

/// Names in one list of locked fields.
const MAX_LOCKED_NAMES: usize = 20_000;

/// What the certification signature allows: 1 nothing, 2 forms and signatures, 3 also annotations; `None`
/// without one.
pub(crate) fn docmdp_permission(
    document: &Document<'_>,
    catalog: &Dictionary,
) -> Result<Option<i64>, PdfError> {
    let Some(permissions) = document.dictionary(catalog, b"Perms")? else { return Ok(None) };
    let Some(certification) = document.dictionary(&permissions, b"DocMDP")? else { return Ok(None) };
    let parameters = transform_parameters(document, &certification, b"DocMDP")?;
    let Some(parameters) = parameters else { return Ok(None) };
    let permission = document.value(&parameters, b"P")?;
    Ok(Some(permission.as_ref().and_then(Object::as_integer).unwrap_or(2)))
}

/// `/TransformParams` of the signature reference with that method; empty when it has none.
fn transform_parameters(
    document: &Document<'_>,
    signature: &Dictionary,
    method: &[u8],
) -> Result<Option<Dictionary>, PdfError> {
    let Some(Object::Array(references)) = document.value(signature, b"Reference")? else { return Ok(None) };
    for item in &references {
        let Object::Dictionary(reference) = document.resolve(item)? else { continue };
        if reference.has_name(b"TransformMethod", method) {
            return Ok(Some(document.dictionary(&reference, b"TransformParams")?.unwrap_or_default()));
        }
    }
    Ok(None)
}

/// The fields that a FieldMDP or a `/Lock` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LockedFields {
    All,
    Include(Vec<String>),
    Exclude(Vec<String>),
}

impl LockedFields {
    /// Reads `/Action` and `/Fields`; `None` when there is no action.
    fn read(document: &Document<'_>, dictionary: &Dictionary) -> Result<Option<Self>, PdfError> {
        let Some(action) = document.value(dictionary, b"Action")? else { return Ok(None) };
        let names = match document.value(dictionary, b"Fields")? {
            Some(Object::Array(items)) if items.len() <= MAX_LOCKED_NAMES => items
                .iter()
                .filter_map(|item| document.resolve(item).ok()?.as_string().map(text_string))
                .collect(),
            Some(Object::Array(_)) => return Err(PdfError::unsupported("too many locked fields")),
            _ => Vec::new(),
        };
        match action.as_name() {
            Some(b"All") => Ok(Some(Self::All)),
            Some(b"Include") => Ok(Some(Self::Include(names))),
            Some(b"Exclude") => Ok(Some(Self::Exclude(names))),
            _ => Err(PdfError::damaged(0, "the action of a field lock is unknown")),
        }
    }

    /// Whether the lock holds for a field: a name also means the fields below it.
    fn holds(&self, field: &str) -> bool {
        let is_named = |names: &[String]| {
            names.iter().any(|name| {
                field.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        match self {
            Self::All => true,
            Self::Include(names) => is_named(names),
            Self::Exclude(names) => !is_named(names),
        }
    }
}

/// Everything that the signatures of a file say about later ones.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    /// Whether some field holds a signature.
    pub(super) is_signed: bool,
    locks: Vec<LockedFields>,
}

impl Permissions {
    /// Reads every signature of the form.
    ///
    /// # Errors
    /// `pdf_signing_forbidden` when a certification or a lock with `P` 1 forbids any change.
    pub(super) fn read(
        document: &Document<'_>,
        catalog: &Dictionary,
        fields: &[FormField],
    ) -> Result<Self, PadesError> {
        if docmdp_permission(document, catalog)? == Some(1) {
            return Err(PadesError::SigningForbidden("a certification signature forbids any change"));
        }
        let mut permissions = Self::default();
        for field in fields.iter().filter(|field| field.is_signature && !field.is_widget) {
            let Some(value) = &field.value else { continue };
            let Object::Dictionary(signature) = document.resolve(value)? else { continue };
            permissions.is_signed = true;
            if let Some(parameters) = transform_parameters(document, &signature, b"FieldMDP")? {
                permissions.locks.extend(LockedFields::read(document, &parameters)?);
            }
            let lock = document.dictionary(&field.dictionary, b"Lock")?.unwrap_or_default();
            if document.value(&lock, b"P")? == Some(Object::Integer(1)) {
                return Err(PadesError::SigningForbidden("the lock of a signed field forbids any change"));
            }
        }
        Ok(permissions)
    }

    /// Whether an earlier signature locked the field of that name.
    pub(super) fn locks(&self, field: &str) -> bool {
        self.locks.iter().any(|lock| lock.holds(field))
    }
}

/// `/Reference` of a new signature: DocMDP for a certification, FieldMDP for the lock of its field.
///
/// `lock` is the field's `/Lock` dictionary; its action and names become the parameters as they are.
///
/// # Errors
/// The lock cannot be read.
pub(super) fn signature_references(
    document: &Document<'_>,
    certify: Option<i64>,
    lock: Option<&Dictionary>,
) -> Result<Option<Object>, PdfError> {
    let reference = |method: &[u8], parameters: Dictionary| {
        Dictionary::new()
            .with(b"Type", Object::name(b"SigRef"))
            .with(b"TransformMethod", Object::name(method))
            .with(b"TransformParams", parameters)
    };
    let parameters =
        || Dictionary::new().with(b"Type", Object::name(b"TransformParams")).with(b"V", Object::name(b"1.2"));
    let mut references: Vec<Object> = Vec::new();
    if let Some(permission) = certify {
        let parameters = parameters().with(b"P", Object::Integer(permission));
        references.push(reference(b"DocMDP", parameters).into());
    }
    if let Some(lock) = lock
        && let Some(locked) = LockedFields::read(document, lock)?
    {
        let (action, names) = match locked {
            LockedFields::All => (&b"All"[..], None),
            LockedFields::Include(_) => (&b"Include"[..], document.value(lock, b"Fields")?),
            LockedFields::Exclude(_) => (&b"Exclude"[..], document.value(lock, b"Fields")?),
        };
        let mut parameters = parameters().with(b"Action", Object::name(action));
        if let Some(Object::Array(names)) = names {
            let names = names.iter().map(|name| document.resolve(name)).collect::<Result<_, _>>()?;
            parameters.set(b"Fields", Object::Array(names));
        }
        // ISO 32000-2, table 255: the object to which the method applies; the catalogue stands for all.
        references.push(reference(b"FieldMDP", parameters).with(b"Data", document.root()?).into());
    }
    Ok((!references.is_empty()).then_some(Object::Array(references)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_holds_for_a_name_and_everything_below_it() {
        let names = || vec!["a.b".to_owned()];
        for (field, included) in [("a.b", true), ("a.b.c", true), ("a", false), ("a.bc", false), ("", false)]
        {
            assert_eq!(LockedFields::Include(names()).holds(field), included, "{field}");
            assert_eq!(LockedFields::Exclude(names()).holds(field), !included, "{field}");
            assert!(LockedFields::All.holds(field));
        }
    }
}
