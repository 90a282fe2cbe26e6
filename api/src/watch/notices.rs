//! Notices: who is told what, and the queue on its way to the mail server.
//!
//! **At least once**: a server that took a message and then lost its answer, or a process that died between the two, has it sent
//! again, with the same `Message-ID`.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::Address;
use rubrica_core::Timestamp;
use rubrica_core::validity::Step;
use rubrica_core::wire::{Custody, NoticeKind, WatchedKind};
use rubrica_core::x509::Certificate;
use serde::{Deserialize, Serialize};
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use super::text;
use crate::adapters::smtp::recipient;
use crate::app::App;
use crate::config::{Audience, Language};
use crate::ids::NoticeId;
use crate::ports::{Message, Notifier, NotifyError};
use crate::relay::Schedule;
use crate::sealing::SealingKey;
use crate::secret::Secret;
use crate::store::notices::{ClaimedNotice, NewNotice, Outcome};
use crate::store::validity::Ending;
use crate::store::{self, StoreError};

/// Messages under way at the same time.
const AT_ONCE: usize = 8;
const LOOK: Duration = Duration::from_millis(500);
/// Added to the longest call: after it, whoever took a notice is taken for dead. A call has several answers to wait for.
const GRACE: Duration = Duration::from_mins(2);

/// What notices need of an instance.
pub(crate) struct Notices {
    /// `None`: nobody is told by this process.
    notifier: Option<Arc<dyn Notifier>>,
    /// Of the addresses in the database.
    sealing: SealingKey,
    schedule: Schedule,
    timeout: Duration,
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").field("notifier", &self.notifier).finish_non_exhaustive()
    }
}

/// To whom a notice speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reader {
    /// Who runs the instance for the tenant.
    Operator,
    /// Whose certificate it is.
    Holder,
}

/// What a text says, as it is kept until it is sent. Identifiers are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) reader: Reader,
    pub(super) kind: WatchedKind,
    pub(super) subject: String,
    /// Masked CPF or CNPJ of a person; else a name.
    pub(super) name: String,
    pub(super) tenant: Option<String>,
    pub(super) custody: Option<Custody>,
    pub(super) not_after: Timestamp,
    pub(super) renewal_url: String,
}

/// What there is to tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    pub(super) notice: NoticeKind,
    pub(super) custody: Option<Custody>,
    /// Of an end.
    pub(super) step: Option<Step>,
}

impl Notices {
    pub(crate) fn new(
        notifier: Option<Arc<dyn Notifier>>,
        sealing: SealingKey,
        schedule: Schedule,
        timeout: Duration,
    ) -> Self {
        Self { notifier, sealing, schedule, timeout }
    }

    /// The notices about something: to the operators, and to the holder of the certificate, when one is given and the
    /// configuration says so. None without a mail server.
    pub(super) fn about(
        &self,
        app: &App,
        ending: &Ending,
        name: &str,
        fact: Fact,
        holder: Option<&Certificate>,
    ) -> Vec<NewNotice> {
        if self.notifier.is_none() {
            return Vec::new();
        }
        let audience = app.config.watch.audience(ending.tenant.as_deref());
        let operators = audience.operators.iter().filter_map(|operator| {
            let mailbox: lettre::message::Mailbox = operator.parse().ok()?;
            Some((Reader::Operator, mailbox.email))
        });
        let holder = holder.filter(|_| tells_holder(&audience, fact)).and_then(address);
        let to_all = operators.chain(holder.map(|address| (Reader::Holder, address)));
        to_all
            .map(|(reader, address)| {
                let content = Content {
                    reader,
                    kind: ending.kind,
                    subject: ending.subject.clone(),
                    name: name.to_owned(),
                    tenant: ending.tenant.clone(),
                    custody: fact.custody,
                    not_after: ending.not_after,
                    renewal_url: audience.renewal_url.to_owned(),
                };
                self.notice(&address, audience.language, fact.notice, ending, &content)
            })
            .collect()
    }

    fn notice(
        &self,
        address: &Address,
        language: Language,
        kind: NoticeKind,
        ending: &Ending,
        content: &Content,
    ) -> NewNotice {
        let id = NoticeId::generate();
        let address = address.to_string();
        NewNotice {
            recipient: self.sealing.seal(address.as_bytes(), id.as_ref().as_bytes()),
            recipient_masked: masked(&address),
            id,
            tenant: ending.tenant.clone(),
            kind,
            subject: ending.subject.clone(),
            language: language.as_str(),
            content: serde_json::to_string(content).expect("a content is texts, words and times"),
        }
    }

    /// The message of a notice; `None` when its row cannot be read, as with the secrets of another instance.
    fn message(&self, notice: &ClaimedNotice, now: Timestamp) -> Option<Message> {
        let address = self.sealing.open(&notice.recipient, notice.id.as_ref().as_bytes())?;
        let language = if notice.language == Language::En.as_str() { Language::En } else { Language::PtBr };
        let content: Content = serde_json::from_str(&notice.content).ok()?;
        let text = text::write(notice.kind, language, &content, now);
        Some(Message {
            id: notice.id.to_string(),
            to: Secret::new(String::from_utf8(address).ok()?),
            subject: text.subject,
            text: text.text,
            html: text.html,
        })
    }
}

/// Whether the holder is told too. That a certificate was revoked, they always are.
fn tells_holder(audience: &Audience<'_>, fact: Fact) -> bool {
    match fact.step {
        Some(step) => audience.holder_days.contains(&step.days()),
        None => !audience.holder_days.is_empty(),
    }
}

/// The first address of a certificate that is one.
fn address(certificate: &Certificate) -> Option<Address> {
    certificate.email_addresses().iter().find_map(|text| recipient(text))
}

/// `a***@bank.example`
fn masked(address: &str) -> String {
    let (user, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    format!("{}***@{domain}", user.chars().next().unwrap_or_default())
}

/// Sends until told to stop, then waits for what is under way.
pub(super) async fn run(app: Arc<App>, mut stopped: Receiver<bool>) {
    let Some(notifier) = app.notices.notifier.clone() else { return };
    let (mut tasks, mut failing) = (JoinSet::new(), false);
    while !*stopped.borrow() {
        match round(&app, &notifier, &mut tasks).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "no notices are sent at the moment");
                }
            }
        }
        tokio::select! {
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => settle(ended),
            () = tokio::time::sleep(LOOK) => {}
            _ = stopped.changed() => {}
        }
        while let Some(ended) = tasks.try_join_next() {
            settle(ended);
        }
    }
    while let Some(ended) = tasks.join_next().await {
        settle(ended);
    }
}

fn settle(ended: Result<Result<(), StoreError>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        // It comes due again, with the same identifier.
        Ok(Err(error)) => tracing::warn!(%error, "the outcome of a notice was not kept"),
        Err(error) => tracing::error!(%error, "the sending of a notice ended badly"),
    }
}

async fn round(
    app: &Arc<App>,
    notifier: &Arc<dyn Notifier>,
    tasks: &mut JoinSet<Result<(), StoreError>>,
) -> Result<(), StoreError> {
    let free = AT_ONCE.saturating_sub(tasks.len());
    let now = app.clock.now();
    if free == 0 || !app.store.read(move |connection| store::notices::any_due(connection, now)).await? {
        return Ok(());
    }
    let (most, until) = (i64::try_from(free).unwrap_or(1), now.plus(app.notices.timeout + GRACE));
    let claimed =
        app.store.write(move |connection| store::notices::claim(connection, now, until, most)).await?;
    for notice in claimed {
        tasks.spawn(attempt(Arc::clone(app), Arc::clone(notifier), notice));
    }
    Ok(())
}

/// Tries one notice and keeps the outcome.
async fn attempt(
    app: Arc<App>,
    notifier: Arc<dyn Notifier>,
    notice: ClaimedNotice,
) -> Result<(), StoreError> {
    let begun = Instant::now();
    let outcome = match app.notices.message(&notice, app.clock.now()) {
        Some(message) => {
            let result = notifier.send(&message).await;
            outcome(&app.notices.schedule, &notice, &message, result, app.clock.now())
        }
        None => Outcome::Failed {
            status: None,
            error: "the notice cannot be read with the secrets of this instance".to_owned(),
            again: None,
        },
    };
    let (id, attempt) = (notice.id.to_string(), notice.attempt);
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &outcome {
        Outcome::Sent => tracing::info!(notice.id = id, attempt, duration_ms, "a notice was sent"),
        Outcome::Failed { status, error, again } => {
            tracing::warn!(notice.id = id, attempt, duration_ms, ?status, %error, gives_up = again.is_none(), "a notice was not sent");
        }
    }
    let now = app.clock.now();
    app.store.write(move |connection| store::notices::finish(connection, &notice, &outcome, now)).await
}

fn outcome(
    schedule: &Schedule,
    notice: &ClaimedNotice,
    message: &Message,
    result: Result<(), NotifyError>,
    now: Timestamp,
) -> Outcome {
    // Servers like to repeat the address.
    let without_address = |text: &str| text.replace(message.to.expose(), &notice.recipient_masked);
    match result {
        Ok(()) => Outcome::Sent,
        Err(NotifyError::Refused { status, text }) => {
            Outcome::Failed { status, error: without_address(&text), again: None }
        }
        Err(NotifyError::Unavailable { status, text }) => {
            let again = schedule.after(notice.attempt, now, None);
            Outcome::Failed { status, error: without_address(&text), again }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_the_first_letter_and_the_domain_are_shown() {
        assert_eq!(masked("ana.souza@bank.test.invalid"), "a***@bank.test.invalid");
        assert_eq!(masked("\"a@b\"@bank.test.invalid"), "\"***@bank.test.invalid");
    }

    #[test]
    fn an_answer_that_repeats_the_address_is_kept_without_it() {
        let notice = ClaimedNotice {
            id: NoticeId::generate(),
            tenant: None,
            kind: NoticeKind::Expiring,
            subject: "key_1".to_owned(),
            recipient: Vec::new(),
            recipient_masked: "a***@test.invalid".to_owned(),
            language: "en".to_owned(),
            content: String::new(),
            attempt: 1,
        };
        let message = Message {
            id: notice.id.to_string(),
            to: Secret::new("ana@test.invalid".to_owned()),
            subject: String::new(),
            text: String::new(),
            html: String::new(),
        };
        let schedule = Schedule::parse(&["30s".to_owned()]).unwrap();
        let now = Timestamp::from_unix_ms(1_795_000_000_000).unwrap();
        let told = |error| match outcome(&schedule, &notice, &message, Err(error), now) {
            Outcome::Failed { status, error, again } => (status, error, again.is_some()),
            Outcome::Sent => panic!("it was not"),
        };
        let text = "550 <ana@test.invalid> unknown".to_owned();
        let refused = told(NotifyError::Refused { status: Some(550), text: text.clone() });
        assert_eq!(refused, (Some(550), "550 <a***@test.invalid> unknown".to_owned(), false));
        let later = told(NotifyError::Unavailable { status: None, text });
        assert_eq!(later, (None, "550 <a***@test.invalid> unknown".to_owned(), true));
    }
}
