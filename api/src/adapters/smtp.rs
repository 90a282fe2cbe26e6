//! E-mail by SMTP (RFC 5321), over TLS unless the operator says otherwise.

use std::fmt;

use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, SmtpTransport, Transport};
use rubrica_core::ErrorCode;

use crate::config::{self, SmtpTls};
use crate::failure::Failure;
use crate::ports::{Message, Notifier, NotifyError, PortFuture};
use crate::trust::read_certificates;

/// Replies that are about our credentials or the protection of the connection and not about the message (RFC 4954 §6): the
/// operator has to act, and then it may be taken.
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

/// A mail server.
pub(crate) struct SmtpNotifier {
    transport: SmtpTransport,
    from: Mailbox,
    server: String,
}

impl fmt::Debug for SmtpNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpNotifier").field("server", &self.server).finish_non_exhaustive()
    }
}

impl SmtpNotifier {
    /// Reads the configuration; `None` when no mail server is configured. Nothing is connected to yet.
    ///
    /// # Errors
    /// `config_invalid`, `file_unreadable`.
    pub(crate) fn open(config: &config::Smtp) -> Result<Option<Self>, Failure> {
        if !config.is_configured() {
            return Ok(None);
        }
        let from: Mailbox = config.from.parse().map_err(|_| invalid("smtp.from is not an e-mail address"))?;
        let tls = match config.tls {
            SmtpTls::Disable => Tls::None,
            SmtpTls::Starttls => Tls::Required(parameters(config)?),
            SmtpTls::Implicit => Tls::Wrapper(parameters(config)?),
        };
        let mut builder = SmtpTransport::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(config.timeout()));
        if let Some(password) = config.password()? {
            builder =
                builder.credentials(Credentials::new(config.user.clone(), password.expose().to_owned()));
        }
        let server = format!("{}:{}", config.host, config.port);
        Ok(Some(Self { transport: builder.build(), from, server }))
    }

    fn compose(&self, message: &Message) -> Result<lettre::Message, NotifyError> {
        let refused = |text: String| NotifyError::Refused { status: None, text };
        let to = recipient(message.to.expose())
            .ok_or_else(|| refused("the recipient is not an e-mail address".to_owned()))?;
        let id = format!("<{}@{}>", message.id, self.from.email.domain());
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()])
            .map_err(|error| refused(error.to_string()))?;
        let part = |kind, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
        MessageBuilder::new()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&message.subject))
            .message_id(Some(id))
            .date_now()
            // Nobody's absence is to be answered to us (RFC 3834 §5).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .envelope(envelope)
            .multipart(
                MultiPart::alternative()
                    .singlepart(part(ContentType::TEXT_PLAIN, &message.text))
                    .singlepart(part(ContentType::TEXT_HTML, &message.html)),
            )
            .map_err(|error| refused(error.to_string()))
    }
}

impl Notifier for SmtpNotifier {
    fn send<'a>(&'a self, message: &'a Message) -> PortFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            let (composed, transport) = (self.compose(message)?, self.transport.clone());
            let sent = tokio::task::spawn_blocking(move || transport.send(&composed)).await;
            match sent {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(judged(&error)),
                Err(error) => Err(NotifyError::Unavailable { status: None, text: error.to_string() }),
            }
        })
    }
}

/// Reads an address, and nothing but one: no name, no list, no line break.
pub(crate) fn recipient(text: &str) -> Option<Address> {
    text.parse::<Address>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// A header is one line, whatever its text was made of.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn judged(error: &lettre::transport::smtp::Error) -> NotifyError {
    let status = error.status().map(u16::from);
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    let is_about_us = status.is_some_and(|status| ABOUT_US.contains(&status));
    if error.is_permanent() && !is_about_us {
        NotifyError::Refused { status, text }
    } else {
        NotifyError::Unavailable { status, text }
    }
}

fn parameters(config: &config::Smtp) -> Result<TlsParameters, Failure> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if !config.roots.is_empty() {
        builder = builder.certificate_store(CertificateStore::None);
        for root in read_certificates(&config.roots)? {
            let root =
                Certificate::from_der(root.der().to_vec()).map_err(|error| invalid(&error.to_string()))?;
            builder = builder.add_root_certificate(root);
        }
    }
    builder.build().map_err(|error| invalid(&format!("smtp: TLS cannot be set up: {error}")))
}

fn invalid(what: &str) -> Failure {
    Failure::of(ErrorCode::ConfigInvalid, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn notifier() -> SmtpNotifier {
        let from = "Assinaturas \u{e7} <sign@bank.test.invalid>".parse().unwrap();
        let transport = SmtpTransport::builder_dangerous("127.0.0.1").build();
        SmtpNotifier { transport, from, server: String::new() }
    }

    fn message(to: &str, subject: &str) -> Message {
        Message {
            id: "ntc_1".to_owned(),
            to: Secret::new(to.to_owned()),
            subject: subject.to_owned(),
            text: "Ol\u{e1}\r\n.\r\nTEST".to_owned(),
            html: "<p>Ol\u{e1}</p>".to_owned(),
        }
    }

    #[test]
    fn no_text_becomes_a_header() {
        let subject = "Vence em 30 dias\r\nBcc: other@test.invalid\r\n\r\nbody";
        let composed = notifier().compose(&message("ana@test.invalid", subject)).unwrap();
        let bytes = String::from_utf8(composed.formatted()).unwrap();
        let head = bytes.split("\r\n\r\n").next().unwrap();
        let names: Vec<_> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        let expected =
            ["From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "MIME-Version", "Content-Type"];
        assert_eq!(names, expected, "{head}");
        assert!(head.contains("Message-ID: <ntc_1@bank.test.invalid>"), "{head}");
    }

    #[test]
    fn a_recipient_is_one_address_and_nothing_else() {
        for bad in [
            "",
            "ana",
            "ana@test.invalid\r\nBcc: other@test.invalid",
            "ana@test.invalid\nRCPT TO:<other@test.invalid>",
            "Ana <ana@test.invalid>",
            "ana@test.invalid, other@test.invalid",
            "ana@test.invalid> SIZE=1",
            "an a@test.invalid",
        ] {
            assert!(recipient(bad).is_none(), "{bad}");
            let refused = notifier().compose(&message(bad, "TEST"));
            assert!(matches!(refused, Err(NotifyError::Refused { .. })), "{bad}");
        }
        assert!(recipient("ana.b+c@test.invalid").is_some());
    }
}
