//! `rubrica keys`.

mod enrol;
mod expiring;

use std::process::ExitCode;

use clap::Subcommand;
use rubrica_core::wire::CertificateView;
use rubrica_core::x509::Certificate;
use rubrica_core::{ErrorCode, Timestamp};
use serde::Serialize;

use super::Instance;
use super::output::Output;
use crate::adapters::clock::SystemClock;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::ids::KeyId;
use crate::ports::{Clock, KeyAlgorithm};
use crate::serving;
use crate::store::keys::{KeyMove, KeyRow, KeyState};
use crate::store::{self, Store, StoreError};

/// Who changed a key, for the operator.
const BY: &str = "command-line";

/// What to do with the keys of an instance.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List the keys, the oldest first.
    List {
        #[command(flatten)]
        instance: Instance,
    },
    /// List what ends soon: keys, certificates and API keys. Exit code 0: nothing; 2: something.
    Expiring(expiring::Arguments),
    /// Show one key.
    Show(One),
    /// Suspend a key: it is not used any more, not for what was accepted before either.
    Suspend(One),
    /// Let a suspended key be used again.
    Resume(One),
    /// Retire a key for good.
    Retire(One),
    /// Have the token make a key for a company, and request its certificate.
    Generate(enrol::Generate),
    /// Print the request for the certificate of a key that was generated, in PEM.
    Csr(enrol::Enrolled),
    /// Bring the certificate of a key that was generated: from then on the key signs.
    Certify(enrol::Certify),
    /// Import the key of a company from a PKCS#12 file.
    Import(enrol::Import),
}

/// A key of an instance.
#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// Identifier of the key, as `keys list` shows it.
    #[arg(value_name = "KEY")]
    id: String,
    #[command(flatten)]
    instance: Instance,
}

#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    tenant: String,
    algorithm: KeyAlgorithm,
    state: KeyState,
    changed_at: Option<Timestamp>,
    changed_code: Option<ErrorCode>,
    certificate: CertificateView,
}

/// Runs the action.
pub(super) fn run(action: &Action, output: Output) -> Result<ExitCode, Failure> {
    match action {
        Action::List { instance } => list(instance, output),
        Action::Expiring(arguments) => expiring::run(arguments, output),
        Action::Show(one) => one.act(None, output),
        Action::Suspend(one) => one.act(Some(KeyMove::Suspend), output),
        Action::Resume(one) => one.act(Some(KeyMove::Resume), output),
        Action::Retire(one) => one.act(Some(KeyMove::Retire), output),
        Action::Generate(generate) => generate.run(output),
        Action::Csr(enrolled) => enrolled.print_csr(output),
        Action::Certify(certify) => certify.run(output),
        Action::Import(import) => import.run(output),
    }
}

fn list(instance: &Instance, output: Output) -> Result<ExitCode, Failure> {
    let store = open(instance)?;
    let rows = serving::runtime().block_on(store.read(store::keys::list)).map_err(|error| failure(&error))?;
    let keys = rows.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
    output.result(&keys, || {
        let mut lines = vec![format!("{:<36}  {:<9}  {:<20}  {}", "KEY", "STATE", "VALID UNTIL", "HOLDER")];
        lines.extend(keys.iter().map(|key| {
            format!(
                "{:<36}  {:<9}  {:<20}  {}",
                key.id,
                key.state.as_str(),
                key.certificate.not_after.to_string(),
                key.holder()
            )
        }));
        lines.join("\n") + "\n"
    });
    Ok(ExitCode::SUCCESS)
}

impl One {
    /// Does what is asked of the key, and shows it.
    fn act(&self, to: Option<KeyMove>, output: Output) -> Result<ExitCode, Failure> {
        let no_such_key = || Failure::of(ErrorCode::KeyNotFound, format!("there is no key `{}`", self.id));
        let id: KeyId = self.id.parse().map_err(|_| no_such_key())?;
        let (store, runtime) = (open(&self.instance)?, serving::runtime());
        let now = SystemClock.now();
        let row = match to {
            None => runtime.block_on(store.read(move |connection| store::keys::load(connection, &id))),
            Some(to) => runtime.block_on(
                store.write(move |connection| store::keys::change(connection, &id, None, to, BY, now)),
            ),
        };
        let row = row.map_err(|error| failure(&error))?.ok_or_else(no_such_key)?;
        let key = listed(&row)?;
        output.result(&key, || {
            let mut lines = vec![
                format!("{:<12}  {}", "key", key.id),
                format!("{:<12}  {}", "tenant", key.tenant),
                format!("{:<12}  {}", "state", key.state.as_str()),
                format!("{:<12}  {}", "valid until", key.certificate.not_after),
                format!("{:<12}  {}", "holder", key.holder()),
                format!("{:<12}  {}", "issuer", key.certificate.issuer),
            ];
            if let Some(at) = key.changed_at {
                lines.push(format!("{:<12}  {at}", "changed"));
            }
            if let Some(code) = key.changed_code {
                lines.push(format!("{:<12}  {code}", "because"));
            }
            lines.join("\n") + "\n"
        });
        Ok(ExitCode::SUCCESS)
    }
}

impl Listed {
    fn holder(&self) -> String {
        let holder = &self.certificate.holder;
        format!("{} {}", holder.name, holder.identifier_masked.as_deref().unwrap_or_default())
    }
}

fn open(instance: &Instance) -> Result<Store, Failure> {
    open_with_config(instance).map(|(store, _)| store)
}

fn open_with_config(instance: &Instance) -> Result<(Store, Config), Failure> {
    let config = instance.load()?;
    let store = Store::open(&config.store, &DataFolder::open(&config.data.folder)?.database())?;
    Ok((store, config))
}

fn failure(error: &StoreError) -> Failure {
    if let StoreError::ConsentWithdrawn = error {
        return Failure::of(ErrorCode::ConsentRequired, error.to_string());
    }
    let is_conflict = matches!(error, StoreError::KeyState { .. });
    let code = if is_conflict { ErrorCode::KeyStateConflict } else { ErrorCode::DataFolderUnknown };
    Failure::of(code, error.to_string())
}

fn listed(row: &KeyRow) -> Result<Listed, Failure> {
    let certificate = Certificate::from_der(&row.certificate)
        .map_err(|error| Failure::of(error.code(), error.to_string()).about(&row.id))?;
    Ok(Listed {
        id: row.id.to_string(),
        tenant: row.tenant.clone(),
        algorithm: row.reference.algorithm,
        state: row.state,
        changed_at: row.changed_at,
        changed_code: row.changed_code,
        certificate: certificate.view(),
    })
}
