//! Finds and loads the PKCS#11 module, and the token's slot.

use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;
use rubrica_core::ErrorCode;

use super::return_code::{Problem, classify};
use crate::failure::Failure;

/// Where distributions put SoftHSM 2.
const USUAL_PLACES: &[&str] = &[
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// The configured module, or SoftHSM where it usually is.
///
/// # Errors
/// `pkcs11_module_missing`.
pub(crate) fn find_module(configured: &Path) -> Result<PathBuf, Failure> {
    if !configured.as_os_str().is_empty() {
        return if configured.exists() { Ok(configured.to_owned()) } else { Err(missing(configured)) };
    }
    USUAL_PLACES.iter().map(PathBuf::from).find(|path| path.exists()).ok_or_else(|| {
        Failure::new(
            ErrorCode::Pkcs11ModuleMissing,
            "there is no PKCS#11 module at the usual places of SoftHSM 2",
            "Install it with `apt-get install softhsm2`, or set RUBRICA_PKCS11_MODULE to the path of your module",
        )
    })
}

fn missing(path: &Path) -> Failure {
    Failure::new(
        ErrorCode::Pkcs11ModuleMissing,
        format!("there is no PKCS#11 module at {}", path.display()),
        "Correct token.module or RUBRICA_PKCS11_MODULE; SoftHSM comes with `apt-get install softhsm2`",
    )
}

/// Loads the module without initialising it.
pub(super) fn load(path: &Path) -> Result<Pkcs11, Failure> {
    Pkcs11::new(path).map_err(|error| {
        Failure::new(
            ErrorCode::Pkcs11ModuleMissing,
            format!("{} is not a PKCS#11 module that can be loaded: {error}", path.display()),
            "Set RUBRICA_PKCS11_MODULE to the module of your token",
        )
    })
}

/// Initialises the library; that it is already initialised is fine.
pub(crate) fn initialize(library: &Pkcs11) -> Result<(), Error> {
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        other => other,
    }
}

/// Finds the token by its label, and by its serial number when one is given. Slot numbers change; never use them.
pub(crate) fn find_slot(library: &Pkcs11, label: &str, serial: &str) -> Result<Slot, Problem> {
    let mut found = Vec::new();
    for slot in library.get_slots_with_token().map_err(classify)? {
        // An empty or half-readable slot beside ours is normal.
        let Ok(info) = library.get_token_info(slot) else { continue };
        let matches = info.label().trim_end() == label
            && (serial.is_empty() || info.serial_number().trim_end() == serial);
        if info.token_initialized() && matches {
            found.push(slot);
        }
    }
    match found.as_slice() {
        [slot] => Ok(*slot),
        [] => Err(Problem::device(format!("there is no token labelled `{label}`"))),
        _ => Err(Problem::device(format!("several tokens are labelled `{label}`: set token.serial"))),
    }
}
