//! `[watch]`, what is watched and who is told, per tenant where it differs; `[smtp]`, how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use rubrica_core::ErrorCode;
use rubrica_core::validity::Step;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::relay::Schedule;
use crate::secret::Secret;

/// The validity watch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watch {
    pub(crate) every_seconds: u64,
    pub(crate) revocation_seconds: u64,
    pub(crate) endpoints: Vec<String>,
    pub(crate) operators: Vec<String>,
    pub(crate) language: Language,
    pub(crate) holder_days: Vec<u32>,
    pub(crate) renewal_url: String,
    pub(crate) tenants: BTreeMap<String, WatchOfTenant>,
}

/// What is different for one tenant.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WatchOfTenant {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operators: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<Language>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holder_days: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) renewal_url: Option<String>,
}

/// The language of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Language {
    /// Portuguese of Brazil.
    #[serde(rename = "pt-BR")]
    PtBr,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Language {
    /// Its tag (RFC 5646).
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PtBr => "pt-BR",
            Self::En => "en",
        }
    }
}

/// Who is told, and how it is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Audience<'a> {
    pub(crate) operators: &'a [String],
    pub(crate) language: Language,
    /// At which steps the holder is told too.
    pub(crate) holder_days: &'a [u32],
    /// Empty: there is none.
    pub(crate) renewal_url: &'a str,
}

impl Watch {
    /// Those of a tenant, or of the whole instance.
    pub(crate) fn audience(&self, tenant: Option<&str>) -> Audience<'_> {
        let own = tenant.and_then(|tenant| self.tenants.get(tenant));
        Audience {
            operators: own.and_then(|own| own.operators.as_deref()).unwrap_or(&self.operators),
            language: own.and_then(|own| own.language).unwrap_or(self.language),
            holder_days: own.and_then(|own| own.holder_days.as_deref()).unwrap_or(&self.holder_days),
            renewal_url: own.and_then(|own| own.renewal_url.as_deref()).unwrap_or(&self.renewal_url),
        }
    }

    pub(crate) const fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds)
    }

    pub(crate) const fn revocation(&self) -> Duration {
        Duration::from_secs(self.revocation_seconds)
    }

    /// The first rule that is broken, as a sentence.
    pub(super) fn fault(&self, smtp: &Smtp) -> Option<String> {
        let tenants = self.tenants.keys().map(|name| (format!("watch.tenants.{name}"), Some(name.as_str())));
        let of_each = [("watch".to_owned(), None)].into_iter().chain(tenants).find_map(|(path, tenant)| {
            let audience = self.audience(tenant);
            let rules = [
                (
                    audience.operators.iter().all(|address| address.parse::<Mailbox>().is_ok()),
                    "operators are e-mail addresses",
                ),
                (
                    audience.operators.is_empty() || smtp.is_configured(),
                    "operators are told by e-mail: name a mail server in smtp.host",
                ),
                (
                    audience.holder_days.iter().all(|days| Step::from_days(*days).is_some()),
                    "holder_days are of 90, 60, 30, 14, 7, 3, 1 and 0",
                ),
                (
                    audience.renewal_url.is_empty() || is_https_url(audience.renewal_url),
                    "renewal_url is an https URL without spaces and quotes",
                ),
            ];
            rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| format!("{path}: {rule}"))
        });
        let rules = [
            ((1..=86_400).contains(&self.every_seconds), "watch.every_seconds must be 1 to 86400"),
            (
                (60..=604_800).contains(&self.revocation_seconds),
                "watch.revocation_seconds must be 60 to 604800",
            ),
            (
                self.endpoints.iter().all(|endpoint| host_and_port(endpoint).is_some()),
                "watch.endpoints are `host:port`",
            ),
        ];
        of_each.or_else(|| rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| (*rule).to_owned()))
    }
}

fn is_https_url(text: &str) -> bool {
    text.starts_with("https://")
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>".contains(&byte))
}

/// Reads `host:port`, where an IPv6 address stands in brackets.
pub(crate) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_host = !host.is_empty() && !host.bytes().any(|byte| byte.is_ascii_whitespace() || byte == b'/');
    Some((host, port.parse().ok()?)).filter(|(_, port)| is_host && *port != 0)
}

/// The mail server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Smtp {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: SmtpTls,
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
    pub(crate) from: String,
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) timeout_ms: u64,
    pub(crate) retries: Vec<String>,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SmtpTls {
    /// From the first byte (RFC 8314).
    Implicit,
    /// By STARTTLS, without which nothing is sent.
    Starttls,
    /// Not at all: for a tunnel that encrypts.
    Disable,
}

impl Smtp {
    /// Whether e-mail is sent at all.
    pub(crate) fn is_configured(&self) -> bool {
        !self.host.is_empty()
    }

    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The pauses before further attempts.
    pub(crate) fn schedule(&self) -> Result<Schedule, Failure> {
        Schedule::parse(&self.retries).ok_or_else(|| {
            Failure::of(
                ErrorCode::ConfigInvalid,
                "smtp.retries are pauses up to a week, such as \"30s\", \"5m\" or \"2h\"",
            )
        })
    }

    /// The password of [`Smtp::user`]; `None` without a user.
    pub(crate) fn password(&self) -> Result<Option<Secret>, Failure> {
        if self.user.is_empty() {
            return Ok(None);
        }
        match std::env::var("RUBRICA_SMTP_PASSWORD") {
            Ok(password) => Ok(Some(Secret::new(password))),
            Err(_) => Secret::from_file(&self.password_file).map(Some),
        }
    }

    /// The first rule that is broken, as a sentence.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let rules = [
            ((100..=120_000).contains(&self.timeout_ms), "smtp.timeout_ms must be 100 to 120000"),
            (
                !self.is_configured() || self.from.parse::<Mailbox>().is_ok(),
                "smtp.from must be an e-mail address, such as `Assinaturas <assinaturas@bank.example>`",
            ),
            (
                self.user.is_empty() || self.tls != SmtpTls::Disable,
                "smtp.user: a password is not sent in plain text; use `starttls` or `implicit`",
            ),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| *rule)
    }
}
