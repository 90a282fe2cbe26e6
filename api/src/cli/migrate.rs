//! `rubrica migrate`.

use std::process::ExitCode;

use clap::Args;
use rubrica_core::ErrorCode;

use super::Instance;
use super::output::Output;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::store::{self, Moved};

/// Options of `migrate`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    instance: Instance,
}

/// Moves everything, or nothing.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let config = arguments.instance.load()?;
    let Some(settings) = config.store.postgres()? else {
        return Err(Failure::new(
            ErrorCode::ConfigInvalid,
            "store.url is empty: it names the PostgreSQL database to move to",
            "Set it in the configuration, where the servers will read it too, or as RUBRICA_STORE_URL",
        ));
    };
    let folder = DataFolder::open(&config.data.folder)?;
    let _lock = folder.lock()?;
    let moved = store::move_to_postgres(&folder.database(), &settings)?;
    output.result(&moved, || describe(&moved));
    Ok(ExitCode::SUCCESS)
}

fn describe(moved: &Moved) -> String {
    let mut text = String::new();
    for table in &moved.tables {
        text.push_str(&format!("{:>10}  {}\n", table.rows, table.table));
    }
    text.push_str(&format!(
        "{} rows are in PostgreSQL now; the SQLite database is kept as {}\n",
        moved.rows,
        moved.kept.display()
    ));
    text
}
