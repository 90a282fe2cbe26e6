//! `rubrica keys expiring`.

use std::process::ExitCode;
use std::time::Duration;

use rubrica_core::Timestamp;
use rubrica_core::validity::{self, days_left};
use rubrica_core::wire::{Custody, WatchedKind};
use serde::Serialize;

use super::{failure, listed, open_with_config};
use crate::adapters::clock::SystemClock;
use crate::cli::Instance;
use crate::cli::output::Output;
use crate::failure::Failure;
use crate::ports::Clock;
use crate::store;
use crate::trust::Trust;
use crate::watch::Inventory;
use crate::{app, serving};

/// Something ends: neither done (0) nor failed (1).
const SOMETHING_ENDS: u8 = 2;
/// Rows of each source that are shown.
const MOST: i64 = 10_000;

/// List what ends within some days, or has ended: keys that are not retired, certificates and API keys.
///
/// Exit codes, for cron: 0 nothing ends within that time · 2 something does · 1 or 3 nobody knows, because of a failure.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// How many days to look ahead.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=3650))]
    within_days: u32,
    /// Only what is this tenant's, or the instance's. Everything, when left out.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    #[command(flatten)]
    instance: Instance,
}

#[derive(Debug, Serialize)]
struct Ends {
    kind: WatchedKind,
    subject: String,
    name: String,
    /// `null`: of the whole instance.
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custody: Option<Custody>,
    not_after: Timestamp,
    days_left: i64,
    /// Of a key: whether its signer has another active one that lasts longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    renewed: Option<bool>,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let (store, config) = open_with_config(&arguments.instance)?;
    let trust = Trust::load(&config.trust)?;
    let inventory = Inventory::new(&config, &trust, &app::known_clients(&config))?;
    let now = SystemClock.now();
    let until = now.plus(Duration::from_hours(24) * arguments.within_days);
    let (runtime, tenant) = (serving::runtime(), arguments.tenant.clone());
    let read = move |connection: &_| store::keys::expiring(connection, tenant.as_deref(), until, None, MOST);
    let rows = runtime.block_on(store.read(read)).map_err(|error| failure(&error))?;
    let mut ends = Vec::new();
    for (row, renewed) in &rows {
        let key = listed(row)?;
        ends.push(Ends {
            kind: WatchedKind::Key,
            name: key.holder(),
            subject: key.id,
            tenant: Some(key.tenant),
            custody: Some(Custody::Hsm),
            not_after: row.not_after,
            days_left: days_left(row.not_after, now),
            renewed: Some(*renewed),
        });
    }
    let others =
        inventory.ending(&store, validity::still_news(now), until, arguments.tenant.as_deref(), MOST);
    let others = runtime.block_on(others).map_err(|error| failure(&error))?;
    ends.extend(others.into_iter().map(|one| Ends {
        kind: one.ending.kind,
        days_left: days_left(one.ending.not_after, now),
        not_after: one.ending.not_after,
        subject: one.ending.subject,
        name: one.name,
        tenant: one.ending.tenant,
        custody: one.custody,
        renewed: None,
    }));
    ends.sort_by(|a, b| (a.not_after, &a.subject).cmp(&(b.not_after, &b.subject)));
    output.result(&ends, || table(&ends));
    Ok(if ends.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING_ENDS) })
}

fn table(ends: &[Ends]) -> String {
    let mut lines =
        vec![format!("{:>5}  {:<20}  {:<12}  {:<36}  {}", "DAYS", "VALID UNTIL", "KIND", "WHAT", "NAME")];
    lines.extend(ends.iter().map(|one| {
        let note = if one.renewed == Some(true) { " (renewed)" } else { "" };
        format!(
            "{:>5}  {:<20}  {:<12}  {:<36}  {}{note}",
            one.days_left,
            one.not_after.to_string(),
            one.kind.as_str(),
            one.subject,
            one.name
        )
    }));
    lines.join("\n") + "\n"
}
