//! A PKCS#11 module for tests: forwards every call to a real module and does what a plan says before.
//!
//! | variable | meaning |
//! |---|---|
//! | `SHIM_MODULE` | the real module; SoftHSM 2 where it usually is |
//! | `SHIM_PLAN` | file with the plan, read again whenever it changes; see the module `plan` |
//! | `SHIM_LOG` | file to which each planned function appends `NAME PID` when it is called |

// The C names are the interface.
#![allow(non_snake_case, reason = "functions have the names of the standard")]

mod plan;

use std::ptr::null_mut;
use std::sync::OnceLock;

use cryptoki_sys::{
    CK_ATTRIBUTE_PTR, CK_BYTE_PTR, CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR,
    CK_FUNCTION_LIST_PTR_PTR, CK_MECHANISM_PTR, CK_NOTIFY, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR, CK_RV,
    CK_SESSION_HANDLE, CK_SESSION_HANDLE_PTR, CK_SESSION_INFO_PTR, CK_SLOT_ID, CK_SLOT_ID_PTR,
    CK_TOKEN_INFO_PTR, CK_ULONG, CK_ULONG_PTR, CK_USER_TYPE, CK_VOID_PTR, CKR_ARGUMENTS_BAD,
    CKR_GENERAL_ERROR, CKR_OK,
};
use libloading::Library;
use plan::Effect;

/// Where distributions put SoftHSM 2.
const USUAL_PLACES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
];

struct Module {
    /// The real functions.
    real: CK_FUNCTION_LIST,
    /// The real functions with ours in front.
    ours: CK_FUNCTION_LIST,
    /// Keeps the code in memory.
    _library: Library,
}

// SAFETY: the lists hold pointers to functions, which PKCS#11 allows to call from any thread; nothing changes them.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

static MODULE: OnceLock<Option<Module>> = OnceLock::new();

fn load() -> Option<Module> {
    let place = std::env::var("SHIM_MODULE").ok().or_else(|| {
        USUAL_PLACES.iter().find(|place| std::path::Path::new(place).exists()).map(ToString::to_string)
    })?;
    // SAFETY: the caller of the tests names a PKCS#11 module.
    let library = unsafe { Library::new(place) }.ok()?;
    let mut list: CK_FUNCTION_LIST_PTR = null_mut();
    {
        // SAFETY: every PKCS#11 module exports this function with this type.
        let symbol = unsafe {
            library.get::<unsafe extern "C" fn(CK_FUNCTION_LIST_PTR_PTR) -> CK_RV>(b"C_GetFunctionList\0")
        };
        // SAFETY: the pointer is valid for the call.
        if unsafe { symbol.ok()?(&raw mut list) } != CKR_OK || list.is_null() {
            return None;
        }
    }
    // SAFETY: the module said OK, so that the list is there, for as long as the library is loaded.
    let real = unsafe { *list };
    let mut ours = real;
    ours.C_GetFunctionList = Some(C_GetFunctionList);
    ours.C_Initialize = Some(C_Initialize);
    ours.C_Finalize = Some(C_Finalize);
    ours.C_GetSlotList = Some(C_GetSlotList);
    ours.C_GetTokenInfo = Some(C_GetTokenInfo);
    ours.C_OpenSession = Some(C_OpenSession);
    ours.C_CloseSession = Some(C_CloseSession);
    ours.C_GetSessionInfo = Some(C_GetSessionInfo);
    ours.C_Login = Some(C_Login);
    ours.C_FindObjectsInit = Some(C_FindObjectsInit);
    ours.C_FindObjects = Some(C_FindObjects);
    ours.C_GetAttributeValue = Some(C_GetAttributeValue);
    ours.C_SignInit = Some(C_SignInit);
    ours.C_Sign = Some(C_Sign);
    Some(Module { real, ours, _library: library })
}

/// Gives the list of functions.
///
/// # Safety
/// `list` must be null or valid for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    let Some(module) = MODULE.get_or_init(load) else { return CKR_GENERAL_ERROR };
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: the caller gave a valid pointer; the list is never changed through it.
    unsafe { *list = (&raw const module.ours).cast_mut() };
    CKR_OK
}

/// The real functions; ours are reached only after they were loaded.
fn real() -> &'static CK_FUNCTION_LIST {
    match MODULE.get().and_then(Option::as_ref) {
        Some(module) => &module.real,
        None => std::process::abort(),
    }
}

/// A function that is forwarded unless the plan says otherwise.
macro_rules! forward {
    ($name:ident($($argument:ident: $kind:ty),*)) => {
        unsafe extern "C" fn $name($($argument: $kind),*) -> CK_RV {
            if let Some(Effect::Return(rv)) = plan::call(stringify!($name)) {
                return rv;
            }
            match real().$name {
                // SAFETY: the arguments are the caller's, handed on as they are.
                Some(function) => unsafe { function($($argument),*) },
                None => CKR_GENERAL_ERROR,
            }
        }
    };
}

forward!(C_Initialize(arguments: CK_VOID_PTR));
forward!(C_Finalize(reserved: CK_VOID_PTR));
forward!(C_GetSlotList(present: u8, list: CK_SLOT_ID_PTR, count: CK_ULONG_PTR));
forward!(C_OpenSession(
    slot: CK_SLOT_ID, flags: CK_FLAGS, application: CK_VOID_PTR, notify: CK_NOTIFY, session: CK_SESSION_HANDLE_PTR
));
forward!(C_CloseSession(session: CK_SESSION_HANDLE));
forward!(C_GetSessionInfo(session: CK_SESSION_HANDLE, info: CK_SESSION_INFO_PTR));
forward!(C_Login(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: CK_BYTE_PTR, length: CK_ULONG));
forward!(C_FindObjectsInit(session: CK_SESSION_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG));
forward!(C_FindObjects(
    session: CK_SESSION_HANDLE, objects: CK_OBJECT_HANDLE_PTR, most: CK_ULONG, count: CK_ULONG_PTR
));
forward!(C_GetAttributeValue(
    session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG
));
forward!(C_SignInit(session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_PTR, key: CK_OBJECT_HANDLE));

unsafe extern "C" fn C_GetTokenInfo(slot: CK_SLOT_ID, info: CK_TOKEN_INFO_PTR) -> CK_RV {
    let effect = plan::call("C_GetTokenInfo");
    if let Some(Effect::Return(rv)) = effect {
        return rv;
    }
    let Some(function) = real().C_GetTokenInfo else { return CKR_GENERAL_ERROR };
    // SAFETY: the arguments are the caller's, handed on as they are.
    let rv = unsafe { function(slot, info) };
    if let (CKR_OK, Some(Effect::Flags(flags))) = (rv, effect) {
        // SAFETY: the real module wrote it, so that it is valid.
        unsafe { (*info).flags |= flags };
    }
    rv
}

/// The query for the length is neither counted nor planned for.
unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_length: CK_ULONG,
    signature: CK_BYTE_PTR,
    signature_length: CK_ULONG_PTR,
) -> CK_RV {
    let Some(function) = real().C_Sign else { return CKR_GENERAL_ERROR };
    let effect = if signature.is_null() {
        None
    } else {
        // SAFETY: the caller says that so many bytes are there to be signed, and the real module is about to read them.
        let data = unsafe { std::slice::from_raw_parts(data, usize::try_from(data_length).unwrap_or(0)) };
        plan::call_with("C_Sign", data)
    };
    // Also when it is to fail: a failure ends the operation, and only the real module can do that.
    // SAFETY: the arguments are the caller's, handed on as they are.
    let rv = unsafe { function(session, data, data_length, signature, signature_length) };
    match effect {
        Some(Effect::Return(planned)) => planned,
        Some(Effect::Corrupt) if rv == CKR_OK => {
            // SAFETY: the real module wrote at least one byte there.
            unsafe { *signature ^= 1 };
            rv
        }
        _ => rv,
    }
}
