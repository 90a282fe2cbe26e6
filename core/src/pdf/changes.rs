//! Tells what the revisions after a signature did to a document.
//!
//! An allow-list: what is not recognised counts as [`ModificationLevel::Other`]. Each later revision is
//! compared with the one before it, in three steps. First, its bytes are *nothing but* the objects and
//! sections that its cross-reference names, so that no reader that repairs files can find other content
//! there. Second, every object that differs has a reason to differ, found from the catalogue downwards.
//! Third, an object that may show something is reachable from nowhere else: a number that the revision before
//! mentions in vain must not come to life, and an object that serves two masters must not be replaced.
//!
//! The cost grows with what the later revisions changed. Only a revision that brings streams asks for the
//! third step, which reads every object of the revision before once, without the bodies of streams.
//!
//! Source: the difference analysis of pyHanko, whose levels these are; ISO 32000-2 §12.8.2.2 for what a
//! certification permits.

mod annotations;
mod appearance;
mod catalog;
mod fields;
mod form;
mod history;
mod pages;
mod step;
mod store;
mod structure;
mod tiles;
mod uses;

pub(crate) use history::{History, Revision};

use serde::{Deserialize, Serialize};

use super::{Document, File, PdfError};

/// Tells what was appended to a PDF that was `length` bytes long: whoever makes a signature for somebody else may do more.
///
/// The answer is as strict as about what follows a signature. That the file begins with those bytes, the caller has checked.
///
/// # Errors
/// Those of a PDF that cannot be read.
pub fn changes_since<'a>(file: impl Into<File<'a>>, length: u64) -> Result<Vec<Change>, PdfError> {
    let document = Document::open(file)?;
    let history = History::read(&document, &[length]);
    Ok(match history.ending_at(&document, length) {
        Some(before) => history.later(before).cloned().collect(),
        None => vec![Change::unexplained("does not stand behind a whole revision".into())],
    })
}

/// How deep a change goes; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModificationLevel {
    /// Nothing was changed.
    None,
    /// What keeps a signature provable: validation data, document time stamps, metadata. Always permitted.
    LtaUpdates,
    /// Form fields were filled, signatures among them.
    FormFilling,
    /// Comments were added, changed or removed.
    Annotations,
    /// Something else, or something that cannot be told.
    Other,
}

impl ModificationLevel {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::LtaUpdates => "lta_updates",
            Self::FormFilling => "form_filling",
            Self::Annotations => "annotations",
            Self::Other => "other",
        }
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident, $wire:literal, $level:ident, $english:literal, $portuguese:literal;)+) => {
        /// What a revision did.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[non_exhaustive]
        pub enum ChangeKind {
            $($(#[doc = $doc])+ #[serde(rename = $wire)] $variant,)+
        }

        impl ChangeKind {
            /// The wire name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }

            /// How deep it goes.
            #[must_use]
            pub const fn level(self) -> ModificationLevel {
                match self { $(Self::$variant => ModificationLevel::$level),+ }
            }

            /// For people, in English: the end of a sentence whose subject is the revision.
            #[must_use]
            pub const fn english(self) -> &'static str {
                match self { $(Self::$variant => $english),+ }
            }

            /// For people, in Brazilian Portuguese.
            #[must_use]
            pub const fn portuguese(self) -> &'static str {
                match self { $(Self::$variant => $portuguese),+ }
            }
        }
    };
}

kinds! {
    /// Objects were written again as they were, or nothing was.
    Rewritten, "rewritten", LtaUpdates, "saves the file again", "salva o arquivo novamente";
    /// Objects that nothing refers to were added.
    UnusedObjects, "unused_objects", LtaUpdates,
        "adds objects that nothing refers to", "acrescenta objetos que nada referencia";
    /// The document information, such as the time of the last change.
    DocumentInformation, "document_information", LtaUpdates,
        "changes the document information", "altera as informações do documento";
    /// The XMP metadata.
    Metadata, "metadata", LtaUpdates, "changes the metadata", "altera os metadados";
    /// Version or extensions that the file declares.
    Extensions, "extensions", LtaUpdates,
        "declares another version or extension", "declara outra versão ou extensão";
    /// Certificates, CRLs and OCSP responses in the document security store.
    ValidationData, "validation_data", LtaUpdates, "adds validation data", "acrescenta dados de validação";
    /// A document time stamp.
    DocumentTimeStamp, "document_time_stamp", LtaUpdates,
        "adds a document time stamp", "acrescenta um carimbo do tempo";
    /// A signature field that shows nothing.
    SignatureField, "signature_field", LtaUpdates,
        "adds an invisible signature field", "acrescenta um campo de assinatura invisível";
    /// A signature field that shows something on a page.
    VisibleSignatureField, "visible_signature_field", FormFilling,
        "adds a visible signature field", "acrescenta um campo de assinatura visível";
    /// An appearance of a signature field.
    SignatureAppearance, "signature_appearance", FormFilling,
        "gives a signature an appearance", "dá aparência a uma assinatura";
    /// A signature.
    Signed, "signed", FormFilling, "adds a signature", "acrescenta uma assinatura";
    /// The permissions of a certification that is the first signature.
    Certified, "certified", FormFilling, "certifies the document", "certifica o documento";
    /// Flags of a field, such as read only.
    FieldFlags, "field_flags", FormFilling, "changes flags of a form field", "altera opções de um campo";
    /// Value or appearance of a field that is not a signature.
    FieldFilled, "field_filled", FormFilling, "fills a form field", "preenche um campo de formulário";
    /// What all fields share: resources, default appearance, the wish that readers draw them anew.
    FormDefaults, "form_defaults", FormFilling,
        "changes what all form fields share", "altera o que todos os campos compartilham";
    /// The logical structure tells of a new field.
    Structure, "structure", FormFilling,
        "adds a field to the logical structure", "acrescenta um campo à estrutura lógica";
    /// A comment was added.
    AnnotationAdded, "annotation_added", Annotations, "adds an annotation", "acrescenta uma anotação";
    /// A comment was changed.
    AnnotationChanged, "annotation_changed", Annotations, "changes an annotation", "altera uma anotação";
    /// A comment was removed.
    AnnotationRemoved, "annotation_removed", Annotations, "removes an annotation", "remove uma anotação";
    /// Something else.
    Unexplained, "unexplained", Other,
        "makes a change that is not recognised as harmless",
        "faz uma alteração não reconhecida como inofensiva";
}

/// One thing that a revision did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// What it is.
    pub kind: ChangeKind,
    /// Full name of the form field that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was seen, in English; always there for [`ChangeKind::Unexplained`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Change {
    pub(crate) const fn new(kind: ChangeKind) -> Self {
        Self { kind, field: None, detail: None }
    }

    pub(crate) fn of_field(kind: ChangeKind, field: &str) -> Self {
        Self { kind, field: Some(field.to_owned()), detail: None }
    }

    fn unexplained(Objection(what): Objection) -> Self {
        Self { kind: ChangeKind::Unexplained, field: None, detail: Some(what) }
    }

    /// Whether a signature that locks the field forbids it (ISO 32000-2 §12.8.2.4).
    ///
    /// A new field that shows nothing and a document time stamp are no use of the form; readers set the flags
    /// of a field freely.
    pub(crate) fn is_barred_by_lock(&self) -> bool {
        self.kind.level() == ModificationLevel::FormFilling && self.kind != ChangeKind::FieldFlags
    }
}

/// Why a later revision is not harmless.
#[derive(Debug, Clone)]
struct Objection(String);

impl From<&str> for Objection {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<PdfError> for Objection {
    fn from(error: PdfError) -> Self {
        Self(format!("cannot be read: {error}"))
    }
}
