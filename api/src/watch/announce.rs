//! One round of the watch: everything that reached a step is announced.

use rubrica_core::Timestamp;
use rubrica_core::event::{CertificateExpiring, EventData, KeyExpiring};
use rubrica_core::validity::{self, Step};
use rubrica_core::wire::{Custody, NoticeKind, WatchedKind};
use rubrica_core::x509::Certificate;

use super::inventory::{Watched, masked_holder, seen_certificate};
use super::notices::Fact;
use crate::app::App;
use crate::hex;
use crate::store::notices::NewNotice;
use crate::store::validity::{Ending, EndingKey, SeenCertificate};
use crate::store::{self, Connection, StoreError};

/// Rows that are looked at in one go.
const AT_ONCE: i64 = 500;
/// API keys that end within the time.
const MOST_API_KEYS: i64 = 10_000;

/// Looks at everything that is close to its end.
pub(super) async fn round(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    let (from, to) = (validity::still_news(now), now.plus(Step::earliest()));
    keys(app, from, to, now).await?;
    others(app, from, to, now).await?;
    app.store.write(move |connection| store::validity::forget(connection, now)).await?;
    Ok(())
}

async fn keys(app: &App, from: Timestamp, to: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let behind = after.take();
        let read =
            move |connection: &_| store::validity::keys(connection, from, to, behind.as_ref(), AT_ONCE);
        let page = app.store.read(read).await?;
        for key in &page {
            announce_key(app, key, now).await?;
        }
        match page.last() {
            Some(last) if i64::try_from(page.len()).is_ok_and(|length| length == AT_ONCE) => {
                after = Some(last.id.clone());
            }
            _ => return Ok(()),
        }
    }
}

async fn announce_key(app: &App, key: &EndingKey, now: Timestamp) -> Result<(), StoreError> {
    let ending = Ending {
        kind: WatchedKind::Key,
        tenant: Some(key.tenant.clone()),
        subject: key.id.to_string(),
        not_after: key.not_after,
    };
    let Some(step) = due(app, &ending, now).await? else { return Ok(()) };
    let data = EventData::KeyExpiring(KeyExpiring {
        key_id: key.id.to_string(),
        days_before: step.days(),
        not_after: key.not_after,
        signer: hex::encode(key.signer_hash.0),
        renewed: key.renewed,
    });
    let mut notices = Vec::new();
    // Whoever has another key already has nothing to do.
    if !key.renewed {
        let id = key.id.clone();
        let row = app.store.read(move |connection| store::keys::load(connection, &id)).await?;
        let certificate = row.and_then(|row| Certificate::from_der(&row.certificate).ok());
        let name = certificate.as_ref().map(masked_holder).unwrap_or_default();
        let holder = certificate.as_ref().filter(|_| key.is_active);
        let fact = Fact { notice: NoticeKind::Expiring, custody: Some(Custody::Hsm), step: Some(step) };
        notices = app.notices.about(app, &ending, &name, fact, holder);
    }
    announce(app, ending, step, data, notices, now).await
}

async fn others(app: &App, from: Timestamp, to: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    for watched in app.inventory.kept(&app.store, from, to, None, MOST_API_KEYS).await? {
        announce_other(app, &watched, now).await?;
    }
    let mut after: Option<SeenCertificate> = None;
    loop {
        let behind = after.take();
        let read =
            move |connection: &_| store::validity::seen(connection, from, to, None, behind.as_ref(), AT_ONCE);
        let page = app.store.read(read).await?;
        let is_full = i64::try_from(page.len()).is_ok_and(|length| length == AT_ONCE);
        after = page.last().filter(|_| is_full).cloned();
        for row in page {
            announce_other(app, &seen_certificate(row), now).await?;
        }
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn announce_other(app: &App, watched: &Watched, now: Timestamp) -> Result<(), StoreError> {
    let ending = &watched.ending;
    let Some(step) = due(app, ending, now).await? else { return Ok(()) };
    let data = EventData::CertificateExpiring(CertificateExpiring {
        kind: ending.kind,
        subject: ending.subject.clone(),
        days_before: step.days(),
        not_after: ending.not_after,
        custody: watched.custody,
    });
    let fact = Fact { notice: NoticeKind::Expiring, custody: watched.custody, step: Some(step) };
    let notices = app.notices.about(app, ending, &watched.name, fact, watched.certificate.as_ref());
    announce(app, ending.clone(), step, data, notices, now).await
}

async fn due(app: &App, ending: &Ending, now: Timestamp) -> Result<Option<Step>, StoreError> {
    // Most of what is looked at was announced before: writing is for what is due.
    let asked = ending.clone();
    let last = app.store.read(move |connection| store::validity::announced(connection, &asked)).await?;
    Ok(validity::due(ending.not_after, now, last))
}

async fn announce(
    app: &App,
    ending: Ending,
    step: Step,
    data: EventData,
    notices: Vec<NewNotice>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (kind, subject) = (ending.kind.as_str(), ending.subject.clone());
    let write = move |connection: &Connection| {
        let is_news = store::validity::announce(connection, &ending, step, data, now)?;
        if is_news {
            notices.iter().try_for_each(|notice| store::notices::insert(connection, notice, now))?;
        }
        Ok(is_news)
    };
    if app.store.write(write).await? {
        tracing::info!(kind, subject, days_before = step.days(), "the end of something was announced");
    }
    Ok(())
}
