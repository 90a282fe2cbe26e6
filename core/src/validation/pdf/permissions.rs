//! What signatures permit: DocMDP, FieldMDP, and the default without either (ISO 32000-2 §12.8.2).

use super::coverage::in_words;
use super::dictionary::PdfSignature;
use crate::pades::docmdp_permission;
use crate::pdf::{Change, ChangeKind, Dictionary, Document, ModificationLevel, Object, text_string};
use crate::validation::{Check, SignatureReport, SubIndication};

/// What may be changed after a signature when nobody said anything: forms may be filled and signed.
const DEFAULT_LEVEL: ModificationLevel = ModificationLevel::FormFilling;

/// What may be changed behind one signature.
pub(super) struct Permissions {
    /// `/P` of the certification or of this signature, whichever is stricter; `None` when nobody said.
    document: Option<i64>,
    locks: Vec<FieldLock>,
}

/// Fields that a signature locks (ISO 32000-2 §12.8.2.4, table 258).
#[derive(Debug, Clone, PartialEq, Eq)]
enum FieldLock {
    All,
    Include(Vec<String>),
    Exclude(Vec<String>),
}

impl Permissions {
    /// Reads what was in force when the revision was signed. What cannot be read permits nothing.
    pub(super) fn of(signed: &Document<'_>, signature: &PdfSignature) -> Self {
        let certification =
            signed.catalog().and_then(|(_, catalog)| docmdp_permission(signed, &catalog)).unwrap_or(Some(1));
        let mut permissions = Self { document: certification, locks: Vec::new() };
        let references = signature.dictionary.get(b"Reference").map(|references| signed.resolve(references));
        if let Some(Ok(Object::Array(references))) = references {
            for reference in &references {
                permissions.add_reference(signed, reference);
            }
        }
        if let Some(lock) = field_of(signed, signature).and_then(|field| field.get(b"Lock").cloned()) {
            permissions.add_lock(signed, &lock);
        }
        permissions
    }

    fn add_reference(&mut self, signed: &Document<'_>, reference: &Object) {
        let Ok(Object::Dictionary(reference)) = signed.resolve(reference) else { return };
        let parameters = signed.dictionary(&reference, b"TransformParams").ok().flatten().unwrap_or_default();
        match reference.get(b"TransformMethod").and_then(Object::as_name) {
            Some(b"DocMDP") => {
                let level = parameters.get(b"P").and_then(Object::as_integer).unwrap_or(2);
                self.document = Some(self.document.map_or(level, |other| other.min(level)));
            }
            Some(b"FieldMDP") => self.locks.push(FieldLock::read(signed, &parameters)),
            _ => {}
        }
    }

    /// `/Lock` of the field: fields and, since PDF 2.0, the whole document (ISO 32000-2 §12.7.5.5).
    fn add_lock(&mut self, signed: &Document<'_>, lock: &Object) {
        let Ok(Object::Dictionary(lock)) = signed.resolve(lock) else { return };
        if let Some(level) = lock.get(b"P").and_then(Object::as_integer) {
            self.document = Some(self.document.map_or(level, |other| other.min(level)));
        }
        if lock.get(b"Action").is_some() {
            self.locks.push(FieldLock::read(signed, &lock));
        }
    }

    /// Judges what came after the signed revision.
    pub(super) fn check(&self, report: &mut SignatureReport, later: &[&Change], level: ModificationLevel) {
        let check = Check::PdfModifications;
        let why = SubIndication::SigConstraintsFailure;
        let locked: Vec<&Change> = later.iter().copied().filter(|change| self.is_locked(change)).collect();
        if !locked.is_empty() {
            let evidence = format!("fields that the signature locks were changed: {}", in_words(locked));
            return report.failed(check, why, evidence);
        }
        let allowed = self.document.map_or(DEFAULT_LEVEL, level_of);
        if level > allowed {
            let beyond = later.iter().copied().filter(|change| change.kind.level() > allowed);
            let words = in_words(beyond);
            return match self.document {
                Some(permission) => {
                    let evidence =
                        format!("permission {permission} forbids what a later revision does: {words}");
                    report.failed(check, why, evidence);
                }
                None => report.indeterminate(check, why, format!("a later revision {words}")),
            };
        }
        if self.document.is_some() && later.iter().any(|c| c.kind == ChangeKind::VisibleSignatureField) {
            let evidence =
                "a visible signature field was added after the certification: it may cover content";
            return report.indeterminate(check, why, evidence);
        }
        report.passed(check, format!("permitted: {}", in_words(later.iter().copied())));
        let seen: Vec<&Change> =
            later.iter().copied().filter(|change| changes_pages(change, later)).collect();
        if !seen.is_empty() {
            report
                .warning(check, format!("the pages look different from what was signed: {}", in_words(seen)));
        }
    }

    fn is_locked(&self, change: &Change) -> bool {
        let Some(field) = change.field.as_deref().filter(|_| change.is_barred_by_lock()) else {
            return false;
        };
        self.locks.iter().any(|lock| lock.holds(field))
    }
}

impl FieldLock {
    /// What cannot be read locks all fields.
    fn read(document: &Document<'_>, parameters: &Dictionary) -> Self {
        let names = |items: Object| -> Option<Vec<String>> {
            let name = |item: &Object| match document.resolve(item) {
                Ok(Object::String(name)) => Some(text_string(&name)),
                _ => None,
            };
            items.as_array()?.iter().map(name).collect()
        };
        let fields = document.value(parameters, b"Fields").ok().flatten().and_then(names);
        match (parameters.get(b"Action").and_then(Object::as_name), fields) {
            (Some(b"Include"), Some(fields)) => Self::Include(fields),
            (Some(b"Exclude"), Some(fields)) => Self::Exclude(fields),
            _ => Self::All,
        }
    }

    /// Whether a field is locked. A name stands for all fields below it, too.
    fn holds(&self, field: &str) -> bool {
        let covers = |name: &String| {
            field.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match self {
            Self::All => true,
            Self::Include(names) => names.iter().any(covers),
            Self::Exclude(names) => !names.iter().any(covers),
        }
    }
}

/// Whether a change is seen on the pages without being a signature.
fn changes_pages(change: &Change, all: &[&Change]) -> bool {
    let kind = change.kind;
    // A place for a signature shows what its author likes, unless somebody signs there.
    let is_empty_place = kind == ChangeKind::VisibleSignatureField
        && !all.iter().any(|other| other.kind == ChangeKind::Signed && other.field == change.field);
    is_empty_place
        || matches!(kind, ChangeKind::FieldFilled | ChangeKind::FormDefaults)
        || kind.level() == ModificationLevel::Annotations
}

/// What `/P` permits; an unknown number permits as little as 1.
const fn level_of(permission: i64) -> ModificationLevel {
    match permission {
        2 => ModificationLevel::FormFilling,
        3 => ModificationLevel::Annotations,
        _ => ModificationLevel::LtaUpdates,
    }
}

/// The field that holds the signature, in the revision that was signed.
fn field_of(signed: &Document<'_>, signature: &PdfSignature) -> Option<Dictionary> {
    let fields = crate::pdf::signature_fields(signed).ok()?;
    let field = fields.into_iter().find(|field| field.value.as_reference() == Some(signature.reference))?;
    match signed.resolve(&field.reference?.into()) {
        Ok(Object::Dictionary(field)) => Some(field),
        _ => None,
    }
}
