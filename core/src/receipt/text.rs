//! The report for people, in Portuguese and in English.

use core::fmt::Write as _;

use super::{Checkpoint, ReceiptCheck, ReceiptFinding, ReceiptReason, ReceiptReport, ReleaseRecord};
use crate::validation::{Indication, Language, Outcome};

/// One text in both languages: Portuguese, English.
const fn pick(language: Language, portuguese: &'static str, english: &'static str) -> &'static str {
    match language {
        Language::PtBr => portuguese,
        Language::En => english,
    }
}

impl ReceiptReport {
    /// The report as text for a terminal: the verdict, what the log recorded, and a line per question.
    #[must_use]
    pub fn to_text(&self, language: Language) -> String {
        let word = match self.indication {
            Indication::Passed => pick(language, "válido", "valid"),
            Indication::Indeterminate => pick(language, "inconclusivo", "not conclusive"),
            Indication::Failed => pick(language, "inválido", "invalid"),
        };
        let mut text = format!("{} {word}\n", pick(language, "Recibo:", "Receipt:"));
        if let Some(record) = &self.record {
            let mut fact = |name: &str, value: &str| line(&mut text, name, value);
            record_facts(record, language, &mut fact);
        }
        if let Some(Checkpoint { origin, size, .. }) = &self.checkpoint {
            let records = pick(language, "registros", "records");
            line(&mut text, pick(language, "livro", "log"), &format!("{origin}, {size} {records}"));
        }
        for finding in &self.findings {
            let mark = match finding.outcome {
                Outcome::Passed => "ok",
                Outcome::Failed => pick(language, "FALHOU", "FAILED"),
                Outcome::NotChecked | Outcome::Indeterminate | Outcome::Warning => {
                    pick(language, "não feito", "not checked")
                }
            };
            line(&mut text, mark, finding.sentence(language));
            if let Some(reason) = finding.reason {
                line(&mut text, "", reason.sentence(language));
            }
        }
        text
    }
}

fn record_facts(record: &ReleaseRecord, language: Language, fact: &mut impl FnMut(&str, &str)) {
    fact(pick(language, "assinatura", "signature"), &record.signature_id);
    fact(pick(language, "liberada em", "released at"), &record.released_at.to_string());
    fact(pick(language, "documento", "document"), &record.document_sha256);
    fact(
        pick(language, "arquivo", "artefact"),
        &format!("{} ({} bytes)", record.artefact_sha256, record.artefact_size_bytes),
    );
    fact(pick(language, "certificado", "certificate"), &record.certificate_sha256);
}

fn line(text: &mut String, name: &str, value: &str) {
    // Nothing is lost: writing to a String does not fail.
    let _ = writeln!(text, "  {name:<15}{value}");
}

impl ReceiptFinding {
    /// What may be said of it, without a final full stop.
    #[must_use]
    pub const fn sentence(&self, language: Language) -> &'static str {
        let (portuguese, english) = match (self.check, self.outcome) {
            (ReceiptCheck::Record, Outcome::Passed) => {
                ("o registro da liberação é legível", "the record of the release can be read")
            }
            (ReceiptCheck::Record, _) => {
                ("o registro da liberação não é legível", "the record of the release cannot be read")
            }
            (ReceiptCheck::Checkpoint, Outcome::Passed) => (
                "o livro assinou o seu estado com a chave informada",
                "the log signed its state with the key that was given",
            ),
            (ReceiptCheck::Checkpoint, Outcome::Failed) => (
                "o estado do livro não foi assinado com a chave informada",
                "the state of the log is not signed with the key that was given",
            ),
            (ReceiptCheck::Checkpoint, _) => (
                "a assinatura do livro não foi verificada: informe a chave pública do livro",
                "the signature of the log was not checked: give the public key of the log",
            ),
            (ReceiptCheck::Inclusion, Outcome::Passed) => {
                ("o registro consta do livro", "the record is in the log")
            }
            (ReceiptCheck::Inclusion, Outcome::Failed) => {
                ("o registro não consta do livro", "the record is not in the log")
            }
            (ReceiptCheck::Inclusion, _) => (
                "não foi possível verificar se o registro consta do livro",
                "it could not be checked whether the record is in the log",
            ),
            (ReceiptCheck::Artefact, Outcome::Passed) => (
                "o arquivo informado é o que foi liberado",
                "the artefact given is the one that was released",
            ),
            (ReceiptCheck::Artefact, Outcome::Failed) => (
                "o arquivo informado não é o que foi liberado",
                "the artefact given is not the one that was released",
            ),
            (ReceiptCheck::Artefact, _) => {
                ("o arquivo assinado não foi comparado", "the artefact was not compared")
            }
            (ReceiptCheck::Document, Outcome::Passed) => (
                "o documento informado é o que foi assinado",
                "the document given is the one that was signed",
            ),
            (ReceiptCheck::Document, Outcome::Failed) => (
                "o documento informado não é o que foi assinado",
                "the document given is not the one that was signed",
            ),
            (ReceiptCheck::Document, _) => ("o documento não foi comparado", "the document was not compared"),
        };
        pick(language, portuguese, english)
    }
}

impl ReceiptReason {
    /// Why, without a final full stop.
    #[must_use]
    pub const fn sentence(self, language: Language) -> &'static str {
        let (portuguese, english) = match self {
            Self::Malformed => ("não tem a forma documentada", "it does not have the documented form"),
            Self::UnknownVersion => (
                "foi escrito por uma versão mais nova: atualize o programa",
                "a later version wrote it: update this program",
            ),
            Self::OtherKey => ("outra chave assinou, ou outro livro", "another key signed, or another log"),
            Self::SignatureInvalid => {
                ("a assinatura do livro não confere", "the signature of the log does not verify")
            }
            Self::ProofInvalid => ("a prova leva a outra raiz", "the proof leads to another root"),
            Self::DigestDiffers => ("o resumo SHA-256 é outro", "the SHA-256 digest is another"),
            Self::SizeDiffers => ("o tamanho é outro", "the length is another"),
        };
        pick(language, portuguese, english)
    }
}
