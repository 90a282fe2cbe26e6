//! The command line: one file per command.
//!
//! Exit codes: 0 done or passed · 1 refused or failed · 2 indeterminate (`verify`), something ends
//! (`keys expiring`) · 3 unreadable input or misuse.

mod api_keys;
mod batch;
mod certificate;
mod config;
mod demo;
mod doctor;
mod keys;
mod migrate;
mod output;
mod password;
mod pkcs12;
mod receipt;
mod serve;
mod sign;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use rubrica_core::ErrorCode;

use crate::data_folder::DataFolder;
use crate::demo::{DemoFiles, create};
use crate::failure::Failure;
use crate::token_agent;
use output::Output;

/// Digital signatures for Brazilian bank portals.
#[derive(Debug, Parser)]
#[command(name = "rubrica", version, propagate_version = true, arg_required_else_help = true)]
struct CommandLine {
    /// Write results and errors as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API.
    Serve(serve::Arguments),
    /// Serve the API with a demo portal, test people and a software token.
    Demo(demo::Arguments),
    /// Sign files with a PKCS#12 file or with a key of an instance.
    Sign(Box<sign::Arguments>),
    /// Sign a folder of files, or what a manifest lists, with a key of an instance.
    Batch(batch::Arguments),
    /// Verify signed PDFs and CMS files.
    Verify(verify::Arguments),
    /// Verify receipts of releases, without a server.
    #[command(subcommand)]
    Receipt(receipt::Action),
    /// Show certificates.
    #[command(subcommand)]
    Certificate(certificate::Action),
    /// Check or print the configuration.
    #[command(subcommand)]
    Config(config::Action),
    /// Keys of an instance.
    #[command(subcommand)]
    Keys(keys::Action),
    /// API keys of an instance.
    #[command(subcommand, name = "api-keys")]
    ApiKeys(api_keys::Action),
    /// Move the data of an instance that does not run from SQLite to the PostgreSQL database of its configuration.
    Migrate(migrate::Arguments),
    /// Check what an instance needs, and say what to do.
    Doctor(doctor::Arguments),
    #[command(name = create::COMMAND, hide = true)]
    FillDemoFolder { draft: PathBuf },
    #[command(name = token_agent::COMMAND, hide = true)]
    TokenAgent,
}

/// Which instance a command is about.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
struct Instance {
    /// Configuration file of the instance.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder of the instance; its rubrica.toml is read.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Instance {
    /// Reads the configuration. Without an option: the defaults and the environment.
    fn load(&self) -> Result<crate::config::Config, Failure> {
        match (&self.config, &self.data) {
            (Some(file), _) => crate::config::Config::load(Some(file)),
            (None, Some(folder)) => {
                DataFolder::open(folder)?;
                let file = DemoFiles::new(folder).config();
                let mut config = crate::config::Config::load(file.exists().then_some(&*file))?;
                config.data.folder.clone_from(folder);
                Ok(config)
            }
            (None, None) => crate::config::Config::load(None),
        }
    }
}

/// Runs the command that was asked for.
pub(crate) fn run() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return misuse(&error),
    };
    let output = Output::new(line.json);
    let result = match line.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments, output),
        Command::Sign(arguments) => sign::run(&arguments, output),
        Command::Batch(arguments) => batch::run(&arguments, output),
        Command::Verify(arguments) => verify::run(&arguments, output),
        Command::Receipt(action) => receipt::run(&action, output),
        Command::Certificate(action) => certificate::run(&action, output),
        Command::Config(action) => config::run(&action, output),
        Command::Keys(action) => keys::run(&action, output),
        Command::ApiKeys(action) => api_keys::run(&action, output),
        Command::Migrate(arguments) => migrate::run(&arguments, output),
        Command::Doctor(arguments) => doctor::run(&arguments, output),
        Command::TokenAgent => token_agent::run(),
        Command::FillDemoFolder { draft } => {
            let result = create::fill_here(&draft);
            if let Err(failure) = &result {
                output.json_line(&create::Told::from(failure));
                return ExitCode::from(failure.exit_code());
            }
            result.map(|()| ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|failure| {
        output.failure(&failure);
        ExitCode::from(failure.exit_code())
    })
}

/// Help and version are results; everything else is misuse: exit code 3, for 2 means indeterminate.
fn misuse(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(3);
    }
    let text = error.to_string();
    // What follows is the usage and a hint, which `rubrica help` gives as well.
    let what =
        text.split("\n\nUsage:").next().unwrap_or_default().split("\n\nFor more").next().unwrap_or_default();
    let what = what.trim_start_matches("error: ");
    let json = std::env::args_os().any(|argument| argument == "--json");
    Output::new(json).failure(&Failure::of(ErrorCode::Usage, what));
    ExitCode::from(3)
}
