//! Sends events to webhooks ([Standard Webhooks](https://www.standardwebhooks.com)).
//!
//! **At least once**, with the event's id as `webhook-id`: a receiver that remembers ids handles each event once. Events leave in the
//! order of the log, several at a time; a retry comes later than its successors. Every event carries its `sequence`.
//!
//! A delivery is taken for a while by one instance, which writes the outcome only while it is still the last that took it. An
//! instance that dies sends nothing twice at the same time: its deliveries come due again when their time is over.

mod message;
mod schedule;
mod secret;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rubrica_core::Timestamp;
use rubrica_core::event::Envelope;
use rubrica_core::wire::WebhookTest;
use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::app::App;
use crate::config;
use crate::failure::Failure;
use crate::fetch::{Answered, Poster};
use crate::ids::{EventId, WebhookId};
use crate::sealing::SealingKey;
use crate::store::deliveries::{self, Claimed, Outcome};
use crate::store::webhooks::{self, WebhookRow};
use crate::store::{StoreError, events};
use message::Message;

pub(crate) use schedule::Schedule;
use secret::WebhookSecret;

/// Posts at the same time: to one webhook, so that a slow one holds up no other, and to all.
const MOST_TO_ONE: usize = 8;
const MOST: usize = 64;
/// Deliveries that come due are looked for this often.
const LOOK: Duration = Duration::from_millis(250);
/// Added to the longest post: after it, whoever took a delivery is taken for dead.
const GRACE: Duration = Duration::from_secs(15);

/// What webhooks need of an instance.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) poster: Poster,
    /// Of the secrets in the database.
    sealing: SealingKey,
    /// How long an old secret signs after it was replaced.
    pub(crate) overlap: Duration,
    schedule: Schedule,
    /// How long a webhook may fail.
    patience: Duration,
    timeout: Duration,
    changed: Notify,
}

impl Webhooks {
    /// Reads the configuration.
    ///
    /// # Errors
    /// `config_invalid`
    pub(crate) fn open(config: &config::Webhooks, sealing: SealingKey) -> Result<Self, Failure> {
        let timeout = Duration::from_millis(config.timeout_ms);
        Ok(Self {
            poster: Poster::new(&config.private_hosts, timeout)?,
            sealing,
            overlap: Duration::from_secs(config.overlap_seconds),
            schedule: config.schedule()?,
            patience: Duration::from_secs(config.patience_seconds),
            timeout,
            changed: Notify::new(),
        })
    }

    /// A new secret: as its owner gets it, and as it is kept.
    pub(crate) fn new_secret(&self, webhook: &WebhookId) -> (String, Vec<u8>) {
        let secret = WebhookSecret::generate();
        (secret.to_text(), secret::seal(&self.sealing, webhook, &secret))
    }

    /// Has a change looked at soon.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }
}

/// Sends a message at once and tells what came of it. It is no event: nothing is kept, and nothing is tried again.
pub(crate) async fn test(app: &Arc<App>, webhook: &WebhookRow) -> WebhookTest {
    let (begun, now, id) = (Instant::now(), app.clock.now(), EventId::generate().to_string());
    let data = json!({ "webhook_id": webhook.id.to_string() });
    let subject = webhook.id.to_string();
    let envelope = Envelope::new(&id, "webhook.tested", &subject, now, Some(&webhook.tenant), 0, &data);
    let body = serde_json::to_string(&envelope).expect("texts are JSON");
    let result = message::send(app, webhook, Message { id, body }, now).await;
    let status = result.as_ref().ok().map(|answered| answered.status);
    let delivered = status.is_some_and(|status| (200..300).contains(&status));
    let error = match result {
        Ok(answered) => (!delivered).then(|| unwanted(answered.status)),
        Err(error) => Some(error),
    };
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    WebhookTest { delivered, status, error, duration_ms }
}

/// Posts under way, per webhook: the sequences of their events. They are not begun again, however the clock may jump.
type UnderWay = HashMap<WebhookId, HashSet<u64>>;

/// Sends until told to stop, then waits for what is under way.
pub(super) async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let (mut tasks, mut under_way) = (JoinSet::new(), UnderWay::new());
    let mut head = app.log.head();
    let mut failing = false;
    while !*stopped.borrow() {
        let again = match round(&app, &mut tasks, &mut under_way).await {
            Ok(again) => {
                failing = false;
                again
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "nothing is sent to webhooks at the moment");
                }
                false
            }
        };
        let pause = if again { Duration::ZERO } else { LOOK };
        tokio::select! {
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => settle(&mut under_way, ended),
            _ = head.changed(), if !failing => {}
            () = app.webhooks.changed.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stopped.changed() => {}
        }
        while let Some(ended) = tasks.try_join_next() {
            settle(&mut under_way, ended);
        }
    }
    while tasks.join_next().await.is_some() {}
}

fn settle(under_way: &mut UnderWay, ended: Result<(WebhookId, u64), tokio::task::JoinError>) {
    match ended {
        Ok((id, sequence)) => {
            if let Some(sequences) = under_way.get_mut(&id) {
                sequences.remove(&sequence);
                if sequences.is_empty() {
                    under_way.remove(&id);
                }
            }
        }
        // The delivery comes due again; the place of the post stays taken, which a panic deserves.
        Err(error) => tracing::error!(%error, "a post to a webhook ended badly"),
    }
}

/// Looks at every webhook once; whether there is more to do at once.
async fn round(
    app: &Arc<App>,
    tasks: &mut JoinSet<(WebhookId, u64)>,
    under_way: &mut UnderWay,
) -> Result<bool, StoreError> {
    let now = app.clock.now();
    let head = *app.log.head().borrow();
    let active = app.store.read(move |connection| webhooks::active(connection, now)).await?;
    let mut again = false;
    for mut one in active {
        let id = one.webhook.id.clone();
        if one.webhook.told < head {
            let of = id.clone();
            again |= app.store.write(move |connection| deliveries::fan_out(connection, &of, now)).await?;
            one.due = true;
        }
        let busy = under_way.get(&id).map_or(0, HashSet::len);
        let free = MOST_TO_ONE.saturating_sub(busy).min(MOST.saturating_sub(tasks.len()));
        if !one.due || free == 0 {
            continue;
        }
        let until = now.plus(app.webhooks.timeout + GRACE);
        let trying = under_way.get(&id).into_iter().flatten();
        let trying: Vec<i64> = trying.filter_map(|sequence| i64::try_from(*sequence).ok()).collect();
        let claim = move |connection: &_| deliveries::claim(connection, &id, now, until, free, &trying);
        let claimed = app.store.write(claim).await?;
        let webhook = Arc::new(one.webhook);
        for claimed in claimed {
            under_way.entry(webhook.id.clone()).or_default().insert(claimed.sequence);
            tasks.spawn(deliver(Arc::clone(app), Arc::clone(&webhook), claimed));
        }
    }
    Ok(again)
}

/// Tries one delivery and keeps the outcome.
async fn deliver(app: Arc<App>, webhook: Arc<WebhookRow>, claimed: Claimed) -> (WebhookId, u64) {
    let (id, sequence) = (webhook.id.clone(), claimed.sequence);
    if let Err(error) = attempt(&app, &webhook, claimed).await {
        // It comes due again, with the same id.
        tracing::warn!(%error, webhook.id = %id, "the outcome of a delivery was not kept");
    }
    (id, sequence)
}

async fn attempt(app: &Arc<App>, webhook: &Arc<WebhookRow>, claimed: Claimed) -> Result<(), StoreError> {
    let sequence = claimed.sequence;
    let segment = app.store.read(move |connection| events::segment_of(connection, sequence)).await?;
    let missing = StoreError::Damaged { column: "delivery.sequence" };
    let segment = segment.ok_or(missing)?;
    let event = segment.events().find(|(place, _)| *place == sequence);
    let (_, event) = event.ok_or(StoreError::Damaged { column: "delivery.sequence" })?;
    let event = event?;
    let message = Message { id: event.id.to_owned(), body: event.told(segment.tenant(), sequence) };
    let event_id = message.id.clone();
    let result = message::send(app, webhook, message, app.clock.now()).await;
    let now = app.clock.now();
    let outcome = outcome(&app.webhooks.schedule, claimed.attempt, result, now);
    if !matches!(outcome, Outcome::Delivered { .. }) {
        tracing::info!(webhook.id = %webhook.id, event.id = event_id, attempt = claimed.attempt, ?outcome, "not delivered");
    }
    let patience =
        now.unix_ms().saturating_sub(u64::try_from(app.webhooks.patience.as_millis()).unwrap_or(u64::MAX));
    let patience = Timestamp::from_unix_ms(patience).unwrap_or(now);
    let webhook = Arc::clone(webhook);
    app.store
        .write(move |connection| deliveries::finish(connection, &webhook, &claimed, &outcome, now, patience))
        .await
}

fn outcome(schedule: &Schedule, attempt: u32, result: Result<Answered, String>, now: Timestamp) -> Outcome {
    match result {
        Ok(Answered { status: status @ 200..300, .. }) => Outcome::Delivered { status },
        Ok(Answered { status: 410, .. }) => Outcome::Gone { status: 410 },
        Ok(Answered { status, retry_after }) => {
            let again = schedule.after(attempt, now, retry_after);
            Outcome::Failed { status: Some(status), error: unwanted(status), again }
        }
        Err(error) => Outcome::Failed { status: None, error, again: schedule.after(attempt, now, None) },
    }
}

fn unwanted(status: u16) -> String {
    match status {
        300..400 => format!("the address answered {status}: redirects are not followed"),
        _ => format!("the address answered {status}"),
    }
}
