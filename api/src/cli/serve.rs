//! `rubrica serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rubrica_core::ErrorCode;

use crate::adapters::pkcs11::find_module;
use crate::app::Role;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::http::router::Extras;
use crate::http::server;
use crate::roles::{ProcessRole, Roles};
use crate::trust::Trust;
use crate::{serving, telemetry};

/// Options of `serve`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What this process does, of an instance whose processes share one PostgreSQL database. Everything, when left out.
    #[arg(long, value_enum, value_name = "ROLE,…", value_delimiter = ',')]
    role: Vec<ProcessRole>,
}

/// Serves until a signal.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = Config::load(arguments.config.as_deref())?;
    let roles = Roles::of(&arguments.role);
    if roles != Roles::ALL && config.store.postgres()?.is_none() {
        return Err(Failure::new(
            ErrorCode::ConfigInvalid,
            "SQLite is for one process with all roles",
            "Leave --role out, or name a PostgreSQL database in store.url",
        ));
    }
    telemetry::start(&config.log);
    // What the configuration names must be there before anything is made.
    if Trust::load(&config.trust)?.is_empty() {
        tracing::warn!(
            "no root is trusted, so no certificate is accepted: set trust.icp_brasil or trust.anchors"
        );
    }
    if roles.engine && config.token.is_configured() {
        find_module(&config.token.module)?;
    }
    serving::runtime().block_on(async {
        // The port first: a server that cannot have it must not touch the data of the one that has.
        let listener = server::bind(config.server.listen).await?;
        let folder = DataFolder::open_or_create(&config.data.folder, |_| Ok(()))?;
        let _lock = folder.lock()?;
        let app = serving::open(config, &folder, Role::Server(roles))?;
        serving::serve(app, listener, Extras::default(), roles).await
    })?;
    Ok(ExitCode::SUCCESS)
}
