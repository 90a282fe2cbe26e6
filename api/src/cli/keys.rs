//! `rubrica keys`.

use std::process::ExitCode;

use clap::Subcommand;
use rubrica_core::ErrorCode;
use rubrica_core::wire::CertificateView;
use rubrica_core::x509::Certificate;
use serde::Serialize;

use super::Instance;
use super::output::Output;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::ports::KeyAlgorithm;
use crate::serving;
use crate::store::keys::{KeyRow, KeyState};
use crate::store::{self, Store};

/// What to do with the keys of an instance.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List the keys, the oldest first.
    List {
        #[command(flatten)]
        instance: Instance,
    },
}

#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    algorithm: KeyAlgorithm,
    state: KeyState,
    certificate: CertificateView,
}

/// Runs the action.
pub(super) fn run(action: &Action, output: Output) -> Result<ExitCode, Failure> {
    let Action::List { instance } = action;
    let config = instance.load()?;
    let store = Store::open(&config.store, &DataFolder::open(&config.data.folder)?.database())?;
    let rows = serving::runtime()
        .block_on(store.read(store::keys::list))
        .map_err(|error| Failure::of(ErrorCode::DataFolderUnknown, error.to_string()))?;
    let keys = rows.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
    output.result(&keys, || {
        let mut lines = vec![format!("{:<36}  {:<9}  {:<20}  {}", "KEY", "STATE", "VALID UNTIL", "HOLDER")];
        lines.extend(keys.iter().map(|key| {
            let holder = &key.certificate.holder;
            let state = match key.state {
                KeyState::Active => "active",
                KeyState::Suspended => "suspended",
                KeyState::Retired => "retired",
            };
            format!(
                "{:<36}  {state:<9}  {:<20}  {} {}",
                key.id,
                key.certificate.not_after.to_string(),
                holder.name,
                holder.identifier_masked.as_deref().unwrap_or_default()
            )
        }));
        lines.join("\n") + "\n"
    });
    Ok(ExitCode::SUCCESS)
}

fn listed(row: &KeyRow) -> Result<Listed, Failure> {
    let certificate = Certificate::from_der(&row.certificate)
        .map_err(|error| Failure::of(error.code(), error.to_string()).about(&row.id))?;
    Ok(Listed {
        id: row.id.to_string(),
        algorithm: row.reference.algorithm,
        state: row.state,
        certificate: certificate.view(),
    })
}
