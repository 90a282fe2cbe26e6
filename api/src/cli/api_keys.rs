//! `rubrica api-keys`.

use std::process::ExitCode;

use clap::Subcommand;
use rubrica_core::wire::{ApiKey, CreateApiKey};
use rubrica_core::{ErrorCode, Timestamp};

use super::Instance;
use super::output::Output;
use crate::adapters::clock::SystemClock;
use crate::api_key;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::ids::ApiKeyId;
use crate::ports::Clock;
use crate::serving;
use crate::store::{self, Store, StoreError};

/// Keys on a page of the list.
const PAGE: i64 = 200;

/// What to do with the API keys of an instance.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Make a key. Its secret is printed once.
    Create {
        #[command(flatten)]
        instance: Instance,
        /// The bank or unit whose data the key opens.
        #[arg(long)]
        tenant: String,
        /// A name for people.
        #[arg(long)]
        name: String,
        /// What the key may do, such as `orders:write`; once for each.
        #[arg(long = "scope", required = true, value_name = "SCOPE")]
        scopes: Vec<String>,
        /// End of the key, such as 2027-11-23T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<Timestamp>,
    },
    /// List the keys of a tenant, the latest first.
    List {
        #[command(flatten)]
        instance: Instance,
        /// The bank or unit.
        #[arg(long)]
        tenant: String,
    },
    /// End a key for good. A server that runs notices within seconds.
    Revoke {
        #[command(flatten)]
        instance: Instance,
        /// The bank or unit.
        #[arg(long)]
        tenant: String,
        /// The key, `apk_…`.
        id: String,
    },
}

/// Runs the action.
pub(super) fn run(action: &Action, output: Output) -> Result<ExitCode, Failure> {
    match action {
        Action::Create { instance, tenant, name, scopes, expires_at } => {
            let request =
                CreateApiKey { name: name.clone(), scopes: scopes.clone(), expires_at: *expires_at };
            create(&open(instance)?, tenant, &request, output)
        }
        Action::List { instance, tenant } => list(&open(instance)?, tenant, output),
        Action::Revoke { instance, tenant, id } => revoke(&open(instance)?, tenant, id, output),
    }
}

fn create(store: &Store, tenant: &str, request: &CreateApiKey, output: Output) -> Result<ExitCode, Failure> {
    if tenant.trim().is_empty() {
        return Err(Failure::of(ErrorCode::Usage, "--tenant must name a tenant"));
    }
    let new = api_key::make(request, tenant, "command-line".to_owned(), SystemClock.now())
        .map_err(|refused| Failure::of(ErrorCode::Usage, format!("{}: {}", refused.member, refused.why)))?;
    let view = new.row.to_wire(Some(&new.secret));
    let (row, hash) = (new.row, new.sha256);
    serving::runtime()
        .block_on(store.write(move |connection| api_key::keep(connection, &row, &hash)))
        .map_err(failed)?;
    output.result(&view, || {
        format!("{}\n{} (shown once: only its hash is kept)\n", view.id, new.secret.expose())
    });
    Ok(ExitCode::SUCCESS)
}

fn list(store: &Store, tenant: &str, output: Output) -> Result<ExitCode, Failure> {
    let runtime = serving::runtime();
    let mut keys: Vec<ApiKey> = Vec::new();
    let mut last: Option<ApiKeyId> = None;
    loop {
        let (tenant, after) = (tenant.to_owned(), last.take());
        let page = runtime
            .block_on(
                store
                    .read(move |connection| store::api_keys::list(connection, &tenant, after.as_ref(), PAGE)),
            )
            .map_err(failed)?;
        keys.extend(page.iter().map(|row| row.to_wire(None)));
        let Some(row) = page.last() else { break };
        last = Some(row.id.clone());
    }
    output.result(&keys, || {
        let mut lines =
            vec![format!("{:<36}  {:<13}  {:<20}  {}", "KEY", "BEGINS WITH", "STATE", "NAME AND SCOPES")];
        lines.extend(keys.iter().map(|key| {
            let state = match (key.revoked_at, key.expires_at) {
                (Some(_), _) => "revoked".to_owned(),
                (None, Some(end)) => format!("to {end}"),
                (None, None) => "without end".to_owned(),
            };
            format!("{:<36}  {:<13}  {state:<20}  {}: {}", key.id, key.prefix, key.name, key.scopes.join(" "))
        }));
        lines.join("\n") + "\n"
    });
    Ok(ExitCode::SUCCESS)
}

fn revoke(store: &Store, tenant: &str, id: &str, output: Output) -> Result<ExitCode, Failure> {
    let absent = || Failure::of(ErrorCode::NotFound, "this tenant has no such API key").about(id);
    let parsed: ApiKeyId = id.parse().map_err(|_| absent())?;
    let (tenant, now) = (tenant.to_owned(), SystemClock.now());
    let revoked = serving::runtime()
        .block_on(store.write(move |connection| api_key::revoke(connection, &parsed, &tenant, now)))
        .map_err(failed)?;
    let view = revoked.ok_or_else(absent)?.to_wire(None);
    output.result(&view, || format!("{} is revoked\n", view.id));
    Ok(ExitCode::SUCCESS)
}

fn open(instance: &Instance) -> Result<Store, Failure> {
    let config = instance.load()?;
    Store::open(&config.store, &DataFolder::open(&config.data.folder)?.database())
}

fn failed(error: StoreError) -> Failure {
    Failure::of(ErrorCode::DatabaseUnavailable, error.to_string())
}
