//! `rubrica config`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::output::Output;
use crate::adapters::pkcs11::find_module;
use crate::config::Config;
use crate::failure::Failure;
use crate::trust::Trust;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Check the configuration and the files it names.
    Check {
        /// Configuration file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the effective configuration; secrets are not in it.
    Print {
        /// Configuration file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Runs the action.
pub(super) fn run(action: &Action, output: Output) -> Result<ExitCode, Failure> {
    match action {
        Action::Check { config } => {
            let config = Config::load(config.as_deref())?;
            Trust::load(&config.trust)?;
            config.store.postgres()?;
            if config.token.is_configured() {
                find_module(&config.token.module)?;
            }
            output.result(&json!({ "valid": true }), || "The configuration is valid.\n".to_owned());
        }
        Action::Print { config } => {
            let config = Config::load(config.as_deref())?;
            let pin = std::env::var_os("RUBRICA_TOKEN_PIN").is_some()
                || !config.token.pin_file.as_os_str().is_empty();
            output.result(&config, || {
                let secrets = if pin { "# The PIN of the token is set: ***\n" } else { "" };
                format!("{secrets}{}", config.to_toml())
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}
