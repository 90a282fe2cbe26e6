//! The report for people: plain text in Portuguese and English.
//!
//! The verdict is one of three words. What a person asks comes first: is it intact, who signed, when and who
//! says so, which policy; then every check with a sentence, and its technical detail on a line of its own.

mod check;
mod reason;

use core::fmt::{self, Formatter};

use super::pdf::write_history;
use super::{
    Finding, Indication, Integrity, Outcome, Report, SignatureNature, SignatureReport, TimeStampKind,
    TimeStampReport,
};
use crate::Timestamp;
use crate::wire::{CertificateView, SignatureFormat};

/// Languages of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Brazilian Portuguese.
    PtBr,
    /// English.
    En,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::PtBr, Self::En];
}

/// One text in every language: Portuguese, English.
#[derive(Debug, Clone, Copy)]
struct Text(&'static str, &'static str);

impl Text {
    const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::PtBr => self.0,
            Language::En => self.1,
        }
    }
}

impl Report {
    /// The report as text for a terminal: one block per signature, one line per question and check.
    #[must_use]
    pub fn to_text(&self, language: Language) -> String {
        InLanguage { report: self, language }.to_string()
    }
}

/// The report in English.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        InLanguage { report: self, language: Language::En }.fmt(out)
    }
}

impl Indication {
    /// The verdict in one of three words.
    #[must_use]
    pub const fn word(self, language: Language) -> &'static str {
        let text = match self {
            Self::Passed => Text("válida", "valid"),
            Self::Indeterminate => Text("inconclusiva", "not conclusive"),
            Self::Failed => Text("inválida", "invalid"),
        };
        text.in_language(language)
    }
}

impl SignatureNature {
    /// What may be said of the signature to its reader.
    #[must_use]
    pub const fn sentence(self, language: Language) -> &'static str {
        let text = match self {
            Self::IcpBrasil => Text(
                "assinatura digital com certificado ICP-Brasil (assinatura eletrônica qualificada)",
                "digital signature with an ICP-Brasil certificate (qualified electronic signature)",
            ),
            Self::IcpBrasilSeal => Text(
                "selo eletrônico com certificado ICP-Brasil: prova origem e integridade",
                "electronic seal with an ICP-Brasil certificate: proves origin and integrity",
            ),
            Self::Advanced => Text("assinatura eletrônica avançada", "advanced electronic signature"),
            Self::Electronic => Text("assinatura eletrônica", "electronic signature"),
        };
        text.in_language(language)
    }
}

impl Integrity {
    /// What may be said of the content.
    #[must_use]
    pub const fn sentence(self, language: Language) -> &'static str {
        let text = match self {
            Self::Intact => Text("o conteúdo é o que foi assinado", "the content is what was signed"),
            Self::Altered => {
                Text("o conteúdo ou a assinatura foi alterado", "the content or the signature was altered")
            }
            Self::Unknown => Text("não foi possível verificar", "it could not be verified"),
        };
        text.in_language(language)
    }
}

impl TimeStampKind {
    /// What the time stamp is about.
    #[must_use]
    pub const fn title(self, language: Language) -> &'static str {
        let text = match self {
            Self::Signature => Text("carimbo do tempo da assinatura", "signature time stamp"),
            Self::Content => Text("carimbo do tempo do conteúdo", "content time stamp"),
            Self::References | Self::ReferencesOnly => {
                Text("carimbo do tempo das referências", "time stamp on the references")
            }
            Self::ArchiveV1 | Self::ArchiveV2 | Self::ArchiveV3 => {
                Text("carimbo do tempo de arquivamento", "archive time stamp")
            }
            Self::Document => Text("carimbo do tempo do documento", "document time stamp"),
        };
        text.in_language(language)
    }
}

struct InLanguage<'a> {
    report: &'a Report,
    language: Language,
}

impl fmt::Display for InLanguage<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let (report, language) = (self.report, self.language);
        writeln!(
            out,
            "{} {}",
            Text("Resultado:", "Result:").in_language(language),
            report.overall().word(language)
        )?;
        if report.signatures.iter().any(SignatureReport::revocation_not_checked) {
            let text =
                Text("Atenção: a revogação não foi consultada", "Attention: revocation was not checked");
            writeln!(out, "{}", text.in_language(language))?;
        }
        let count = report.signatures.len();
        let counted = match (language, count) {
            (Language::PtBr, 1) => "1 assinatura verificada para".to_owned(),
            (Language::PtBr, _) => format!("{count} assinaturas verificadas para"),
            (Language::En, 1) => "1 signature checked for".to_owned(),
            (Language::En, _) => format!("{count} signatures checked for"),
        };
        writeln!(out, "{counted} {}", report.at)?;
        for (index, signature) in report.signatures.iter().enumerate() {
            writeln!(out)?;
            Block { out, language, indent: 0 }.signature(index + 1, signature)?;
        }
        for time_stamp in &report.time_stamps {
            writeln!(out)?;
            Block { out, language, indent: 0 }.time_stamp(time_stamp)?;
        }
        write_history(out, &report.revisions, language)
    }
}

/// Writes one signature or time stamp, indented by its depth.
struct Block<'a, 'b> {
    out: &'a mut Formatter<'b>,
    language: Language,
    indent: usize,
}

impl Block<'_, '_> {
    fn signature(&mut self, number: usize, signature: &SignatureReport) -> fmt::Result {
        let format = match signature.format {
            SignatureFormat::Pades => "PAdES",
            SignatureFormat::Cades => "CAdES",
        };
        let field = signature.field.as_ref().map_or_else(String::new, |field| {
            format!("{}{field}", Text(", campo ", ", field ").in_language(self.language))
        });
        let title = Text("Assinatura", "Signature").in_language(self.language);
        self.heading(
            &format!("{title} {number} ({format}{field})"),
            signature.indication,
            signature.sub_indication,
        )?;
        self.fact(Text("integridade", "integrity"), signature.integrity.sentence(self.language))?;
        if let Some(signer) = &signature.signer {
            self.signer(signature.nature, signer)?;
        }
        self.fact(Text("espécie", "kind"), signature.nature.sentence(self.language))?;
        self.when(signature)?;
        let levels = [
            signature.level.map(|level| level.as_str()),
            signature.icp_brasil_profile.map(|profile| profile.as_str()),
        ];
        let levels = levels.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if !levels.is_empty() {
            self.fact(Text("nível", "level"), &levels)?;
        }
        if let Some(policy) = &signature.policy {
            let fulfilled = if policy.fulfilled {
                Text("atendida", "fulfilled")
            } else {
                Text("não se provou atendida", "not proved to be fulfilled")
            };
            let declared = Text("declarada", "declared").in_language(self.language);
            let name = policy.name.as_ref().unwrap_or(&policy.oid);
            let line = format!("{declared}: {name}; {}", fulfilled.in_language(self.language));
            self.fact(Text("política", "policy"), &line)?;
        }
        if signature.covers_whole_file == Some(false) {
            self.fact(
                Text("atenção", "attention"),
                Text(
                    "o arquivo continua depois da parte assinada",
                    "the file goes on behind the part that was signed",
                )
                .in_language(self.language),
            )?;
        }
        signature.findings.iter().try_for_each(|finding| self.finding(finding))?;
        self.indent += 4;
        signature.time_stamps.iter().try_for_each(|time_stamp| self.time_stamp(time_stamp))?;
        let counters = signature.counter_signatures.iter().enumerate();
        counters.into_iter().try_for_each(|(index, counter)| self.signature(index + 1, counter))?;
        self.indent -= 4;
        Ok(())
    }

    fn time_stamp(&mut self, time_stamp: &TimeStampReport) -> fmt::Result {
        let field = time_stamp.field.as_ref().map_or_else(String::new, |field| {
            format!("{}{field}", Text(", campo ", ", field ").in_language(self.language))
        });
        let title = format!("{}{field}", time_stamp.kind.title(self.language));
        self.heading(&title, time_stamp.indication, time_stamp.sub_indication)?;
        if let Some(time) = time_stamp.time {
            self.fact(Text("horário", "time"), &time.to_string())?;
        }
        if let Some(authority) = &time_stamp.authority {
            self.fact(Text("autoridade", "authority"), &authority.holder.name)?;
        }
        time_stamp.findings.iter().try_for_each(|finding| self.finding(finding))
    }

    fn heading(
        &mut self,
        title: &str,
        indication: Indication,
        reason: Option<super::SubIndication>,
    ) -> fmt::Result {
        let (indent, language) = (self.indent, self.language);
        writeln!(self.out, "{:indent$}{title}: {}", "", indication.word(language))?;
        match reason {
            Some(reason) => {
                let line = format!("{} [{}]", reason.sentence(language), reason.as_str());
                self.fact(Text("motivo", "reason"), &line)
            }
            None => Ok(()),
        }
    }

    fn signer(&mut self, nature: SignatureNature, signer: &CertificateView) -> fmt::Result {
        let holder = &signer.holder;
        let identifier = holder.identifier_masked.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        // A seal is not an expression of will (Resolução CG ICP-Brasil 211, art. 4).
        let title = if nature == SignatureNature::IcpBrasilSeal {
            Text("selo de", "seal of")
        } else {
            Text("signatário", "signer")
        };
        self.fact(title, &format!("{}{identifier}", holder.name))?;
        let line = match self.language {
            Language::PtBr => format!("série {} emitido por {}", signer.serial, signer.issuer),
            Language::En => format!("serial {} of {}", signer.serial, signer.issuer),
        };
        self.fact(Text("certificado", "certificate"), &line)
    }

    /// The time with who says so: a time stamp proves, a claim does not.
    fn when(&mut self, signature: &SignatureReport) -> fmt::Result {
        if let Some(proven) = &signature.proven_time {
            let by = Text("carimbo do tempo emitido por", "time stamp issued by").in_language(self.language);
            self.fact(Text("quando", "when"), &format!("{}, {by} {}", proven.time, proven.authority))?;
        }
        let Some(claimed) = signature.claimed_time else { return Ok(()) };
        self.claimed(claimed)
    }

    fn claimed(&mut self, time: Timestamp) -> fmt::Result {
        let text = Text(
            "horário informado pelo sistema, sem prova",
            "time stated by the signing system, without proof",
        );
        let line = format!("{time}, {}", text.in_language(self.language));
        self.fact(Text("informado", "claimed"), &line)
    }

    fn fact(&mut self, title: Text, line: &str) -> fmt::Result {
        let indent = self.indent + 2;
        writeln!(self.out, "{:indent$}{:<15}{line}", "", title.in_language(self.language))
    }

    fn finding(&mut self, finding: &Finding) -> fmt::Result {
        let mark = match finding.outcome {
            Outcome::Passed => Text("ok", "ok"),
            Outcome::Failed => Text("FALHOU", "FAILED"),
            Outcome::Indeterminate => Text("inconclusivo", "unclear"),
            Outcome::Warning => Text("aviso", "warning"),
            Outcome::NotChecked => Text("não feito", "not checked"),
        };
        let (title, sentence) = (finding.check.title(self.language), finding.sentence(self.language));
        self.fact(mark, &format!("{title}: {sentence}"))?;
        if finding.evidence.is_empty() {
            return Ok(());
        }
        let indent = self.indent + 17;
        let details = Text("detalhes", "details").in_language(self.language);
        writeln!(self.out, "{:indent$}{details}: {}", "", finding.evidence)
    }
}

#[cfg(test)]
mod tests;
