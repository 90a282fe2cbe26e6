//! The texts of notices, in Portuguese and English, plain and as simple HTML.
//!
//! They hold what the reader needs and nothing else that is personal: identifiers are masked.

use rubrica_core::wire::{Custody, NoticeKind, WatchedKind};
use rubrica_core::{Timestamp, validity};

use super::notices::{Content, Reader};
use crate::config::Language;

/// A text to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// Sentences of a text, before they are laid out.
struct Draft {
    subject: String,
    paragraphs: Vec<String>,
    /// Label and value.
    facts: Vec<(&'static str, String)>,
    /// Label and URL.
    link: Option<(&'static str, String)>,
    footer: &'static str,
}

/// Writes the text of a notice as it is at this time.
pub(super) fn write(kind: NoticeKind, language: Language, content: &Content, now: Timestamp) -> Text {
    let draft = match language {
        Language::PtBr => portuguese(kind, content, now),
        Language::En => english(kind, content, now),
    };
    Text { subject: draft.subject.clone(), text: draft.plain(), html: draft.html(language) }
}

fn portuguese(kind: NoticeKind, content: &Content, now: Timestamp) -> Draft {
    let date = date(content.not_after, "/", true);
    let when = match validity::days_left(content.not_after, now) {
        ..0 => format!("venceu em {date}"),
        0 => format!("vence hoje ou amanhã, em {date}"),
        1 => format!("vence em 1 dia, em {date}"),
        days => format!("vence em {days} dias, em {date}"),
    };
    let what = match content.kind {
        WatchedKind::Key => "A chave de assinatura",
        WatchedKind::Signer => "O certificado digital de um signatário",
        WatchedKind::Tsa => "O certificado da autoridade de carimbo do tempo",
        WatchedKind::Intermediate => "O certificado de uma autoridade certificadora",
        WatchedKind::Anchor => "O certificado de uma autoridade raiz",
        WatchedKind::Tls => "Um certificado TLS",
        WatchedKind::ApiKey => "Uma chave de API",
        _ => "Um item monitorado",
    };
    let place = content.custody.map(|custody| match custody {
        Custody::Hsm => "no HSM do banco",
        Custody::Lacuna => "em um serviço de nuvem",
        Custody::Local => "no dispositivo da pessoa",
    });
    let mut draft = match (content.reader, kind) {
        (Reader::Holder, NoticeKind::Revoked) => Draft {
            subject: "Seu certificado digital foi revogado".to_owned(),
            paragraphs: vec![
                "A autoridade certificadora revogou o seu certificado digital. Ele não pode mais ser usado para assinar."
                    .to_owned(),
                "As assinaturas feitas antes da revogação continuam válidas.".to_owned(),
            ],
            ..Draft::empty(FOOTER_PT)
        },
        (Reader::Holder, _) => Draft {
            subject: format!("Seu certificado digital {when}"),
            paragraphs: vec![
                format!("O seu certificado digital {when}."),
                "Depois do vencimento ele não pode ser usado para assinar. As assinaturas já feitas continuam válidas."
                    .to_owned(),
            ],
            ..Draft::empty(FOOTER_PT)
        },
        (Reader::Operator, NoticeKind::Revoked) => Draft {
            subject: format!("Certificado revogado, chave suspensa: {}", content.subject),
            paragraphs: vec![
                "A autoridade certificadora revogou o certificado de uma chave de assinatura. A chave foi suspensa e não \
                 assina mais."
                    .to_owned(),
            ],
            ..Draft::empty(FOOTER_PT)
        },
        (Reader::Operator, _) => Draft {
            subject: format!("{what} {when}"),
            paragraphs: vec![format!("{what} {when}.")],
            ..Draft::empty(FOOTER_PT)
        },
    };
    if content.reader == Reader::Operator {
        draft.fact("Identificador", &content.subject);
        draft.fact("Unidade", content.tenant.as_deref().unwrap_or_default());
    }
    draft.fact(if is_person(content.kind) { "Titular" } else { "Nome" }, &content.name);
    draft.fact("Guarda", place.unwrap_or_default());
    draft.fact("Validade", &date);
    draft.link("Renovar o certificado", content);
    draft
}

fn english(kind: NoticeKind, content: &Content, now: Timestamp) -> Draft {
    let date = date(content.not_after, "-", false);
    let when = match validity::days_left(content.not_after, now) {
        ..0 => format!("expired on {date}"),
        0 => format!("expires within a day, on {date}"),
        1 => format!("expires in 1 day, on {date}"),
        days => format!("expires in {days} days, on {date}"),
    };
    let what = match content.kind {
        WatchedKind::Key => "A signing key",
        WatchedKind::Signer => "The digital certificate of a signer",
        WatchedKind::Tsa => "A certificate of the time-stamping authority",
        WatchedKind::Intermediate => "The certificate of a certification authority",
        WatchedKind::Anchor => "The certificate of a root authority",
        WatchedKind::Tls => "A TLS certificate",
        WatchedKind::ApiKey => "An API key",
        _ => "Something that is watched",
    };
    let place = content.custody.map(|custody| match custody {
        Custody::Hsm => "in the HSM of the bank",
        Custody::Lacuna => "at a cloud service",
        Custody::Local => "on the device of the person",
    });
    let mut draft = match (content.reader, kind) {
        (Reader::Holder, NoticeKind::Revoked) => Draft {
            subject: "Your digital certificate was revoked".to_owned(),
            paragraphs: vec![
                "The certification authority revoked your digital certificate. It cannot be used to sign any more.".to_owned(),
                "What was signed before the revocation stays valid.".to_owned(),
            ],
            ..Draft::empty(FOOTER_EN)
        },
        (Reader::Holder, _) => Draft {
            subject: format!("Your digital certificate {when}"),
            paragraphs: vec![
                format!("Your digital certificate {when}."),
                "After that it cannot be used to sign. What was signed before stays valid.".to_owned(),
            ],
            ..Draft::empty(FOOTER_EN)
        },
        (Reader::Operator, NoticeKind::Revoked) => Draft {
            subject: format!("Certificate revoked, key suspended: {}", content.subject),
            paragraphs: vec![
                "The certification authority revoked the certificate of a signing key. The key is suspended and signs no more."
                    .to_owned(),
            ],
            ..Draft::empty(FOOTER_EN)
        },
        (Reader::Operator, _) => Draft {
            subject: format!("{what} {when}"),
            paragraphs: vec![format!("{what} {when}.")],
            ..Draft::empty(FOOTER_EN)
        },
    };
    if content.reader == Reader::Operator {
        draft.fact("Identifier", &content.subject);
        draft.fact("Tenant", content.tenant.as_deref().unwrap_or_default());
    }
    draft.fact(if is_person(content.kind) { "Holder" } else { "Name" }, &content.name);
    draft.fact("Kept", place.unwrap_or_default());
    draft.fact("Valid until", &date);
    draft.link("Renew the certificate", content);
    draft
}

const FOOTER_PT: &str = "Mensagem automática. Nunca pedimos senhas ou PIN por e-mail.";
const FOOTER_EN: &str = "Automatic message. We never ask for passwords or PINs by e-mail.";

const fn is_person(kind: WatchedKind) -> bool {
    matches!(kind, WatchedKind::Key | WatchedKind::Signer)
}

/// `23/12/2026 12:00 UTC` or `2026-12-23 12:00 UTC`.
fn date(time: Timestamp, separator: &str, day_first: bool) -> String {
    let time = time.to_date_time();
    let (year, month, day) = (time.year(), time.month(), time.day());
    let date = if day_first {
        format!("{day:02}{separator}{month:02}{separator}{year:04}")
    } else {
        format!("{year:04}{separator}{month:02}{separator}{day:02}")
    };
    format!("{date} {:02}:{:02} UTC", time.hour(), time.minutes())
}

impl Draft {
    const fn empty(footer: &'static str) -> Self {
        Self { subject: String::new(), paragraphs: Vec::new(), facts: Vec::new(), link: None, footer }
    }

    fn fact(&mut self, label: &'static str, value: &str) {
        if !value.is_empty() {
            self.facts.push((label, value.to_owned()));
        }
    }

    /// Of holders: an operator cannot renew for them.
    fn link(&mut self, label: &'static str, content: &Content) {
        if content.reader == Reader::Holder && !content.renewal_url.is_empty() {
            self.link = Some((label, content.renewal_url.clone()));
        }
    }

    fn plain(&self) -> String {
        let mut lines: Vec<String> =
            self.paragraphs.iter().flat_map(|text| [text.clone(), String::new()]).collect();
        lines.extend(self.facts.iter().map(|(label, value)| format!("{label}: {value}")));
        if let Some((label, url)) = &self.link {
            lines.extend([String::new(), format!("{label}: {url}")]);
        }
        lines.extend([String::new(), self.footer.to_owned(), String::new()]);
        lines.join("\r\n")
    }

    fn html(&self, language: Language) -> String {
        let mut html = format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head><body>\r\n",
            language.as_str(),
            escaped(&self.subject)
        );
        for text in &self.paragraphs {
            html.push_str(&format!("<p>{}</p>\r\n", escaped(text)));
        }
        if !self.facts.is_empty() {
            html.push_str("<table>\r\n");
            for (label, value) in &self.facts {
                html.push_str(&format!(
                    "<tr><th align=\"left\">{}</th><td>{}</td></tr>\r\n",
                    escaped(label),
                    escaped(value)
                ));
            }
            html.push_str("</table>\r\n");
        }
        if let Some((label, url)) = &self.link {
            html.push_str(&format!("<p><a href=\"{}\">{}</a></p>\r\n", escaped(url), escaped(label)));
        }
        html.push_str(&format!("<p><small>{}</small></p>\r\n</body></html>\r\n", escaped(self.footer)));
        html
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
