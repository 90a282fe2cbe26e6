//! Environment variables that a PKCS#11 module reads.
//!
//! A process that has started threads cannot change its environment safely, so it starts itself again with the right one.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rubrica_core::ErrorCode;

use crate::failure::Failure;

/// Set by the first start, so that a variable that does not stick cannot start us for ever.
const GUARD: &str = "RUBRICA_RESTARTED";

/// Returns when the environment holds every variable; else replaces this process by itself with them.
///
/// Call it before threads start and before anything is opened: the process keeps its id and its standard streams only.
pub(crate) fn ensure(wanted: &BTreeMap<String, String>) -> Result<(), Failure> {
    let differs =
        |(name, value): (&String, &String)| std::env::var_os(name).is_none_or(|is| is != value.as_str());
    if !wanted.iter().any(differs) {
        return Ok(());
    }
    let failure = |what: String| {
        Failure::new(ErrorCode::Internal, what, "Set the variables of token.environment before the start")
    };
    if std::env::var_os(GUARD).is_some() {
        return Err(failure("the environment of the PKCS#11 module does not take effect".to_owned()));
    }
    let program =
        std::env::current_exe().map_err(|error| failure(format!("cannot find this program: {error}")))?;
    let error = Command::new(program).args(std::env::args_os().skip(1)).envs(wanted).env(GUARD, "1").exec();
    Err(failure(format!("cannot start again: {error}")))
}
