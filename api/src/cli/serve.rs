//! `rubrica serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::adapters::environment;
use crate::app::Role;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::http::router::Extras;
use crate::http::server;
use crate::{serving, telemetry};

/// Options of `serve`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Serves until a signal.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = Config::load(arguments.config.as_deref())?;
    environment::ensure(&config.token.environment)?;
    telemetry::start(&config.log);
    serving::runtime().block_on(async {
        // The port first: a server that cannot have it must not touch the data of the one that has.
        let listener = server::bind(config.server.listen).await?;
        let folder = DataFolder::open_or_create(&config.data.folder, |_| Ok(()))?;
        let _lock = folder.lock()?;
        let app = serving::open(config, &folder, Role::Server)?;
        if app.trust.is_empty() {
            tracing::warn!(
                "no trust anchors are configured: no certificate will be accepted; set trust.anchors"
            );
        }
        if let Ok(address) = listener.local_addr() {
            tracing::info!(server.address = %address, "serving");
        }
        serving::serve(app, listener, Extras::default()).await
    })?;
    Ok(ExitCode::SUCCESS)
}
