use super::output::Output;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::process::ExitCode;
#[derive(Debug, Args)]
pub(super) struct Arguments {}
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    X,
}
pub(super) fn run<T>(_: T, _: Output) -> Result<ExitCode, Failure> {
    Ok(ExitCode::SUCCESS)
}
