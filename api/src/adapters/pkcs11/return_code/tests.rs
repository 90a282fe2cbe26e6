use cryptoki::context::Function;
use cryptoki::error::Rv;

use super::*;

/// Every return value of PKCS#11 v2.40 to v3.2, by number (pkcs11t.h), with the class it must have.
const TABLE: &[(u64, Class)] = {
    use Class::*;
    &[
        (0x001, Retry),        // CANCEL
        (0x002, Respawn),      // HOST_MEMORY
        (0x003, Reinitialise), // SLOT_ID_INVALID
        (0x005, Reopen),       // GENERAL_ERROR
        (0x006, Retry),        // FUNCTION_FAILED
        (0x007, Respawn),      // ARGUMENTS_BAD
        (0x008, Reopen),       // NO_EVENT
        (0x009, Respawn),      // NEED_TO_CREATE_THREADS
        (0x00a, Respawn),      // CANT_LOCK
        (0x010, Permanent),    // ATTRIBUTE_READ_ONLY
        (0x011, Permanent),    // ATTRIBUTE_SENSITIVE
        (0x012, Permanent),    // ATTRIBUTE_TYPE_INVALID
        (0x013, Permanent),    // ATTRIBUTE_VALUE_INVALID
        (0x01b, Permanent),    // ACTION_PROHIBITED
        (0x020, Permanent),    // DATA_INVALID
        (0x021, Permanent),    // DATA_LEN_RANGE
        (0x030, Reinitialise), // DEVICE_ERROR
        (0x031, Reopen),       // DEVICE_MEMORY
        (0x032, Reinitialise), // DEVICE_REMOVED
        (0x040, Permanent),    // ENCRYPTED_DATA_INVALID
        (0x041, Permanent),    // ENCRYPTED_DATA_LEN_RANGE
        (0x042, Reinitialise), // AEAD_DECRYPT_FAILED
        (0x050, Retry),        // FUNCTION_CANCELED
        (0x051, Permanent),    // FUNCTION_NOT_PARALLEL
        (0x054, Permanent),    // FUNCTION_NOT_SUPPORTED
        (0x060, LogIn),        // KEY_HANDLE_INVALID
        (0x062, Permanent),    // KEY_SIZE_RANGE
        (0x063, Permanent),    // KEY_TYPE_INCONSISTENT
        (0x064, Reopen),       // KEY_NOT_NEEDED
        (0x065, Reopen),       // KEY_CHANGED
        (0x066, Reopen),       // KEY_NEEDED
        (0x067, Reopen),       // KEY_INDIGESTIBLE
        (0x068, Permanent),    // KEY_FUNCTION_NOT_PERMITTED
        (0x069, Permanent),    // KEY_NOT_WRAPPABLE
        (0x06a, Permanent),    // KEY_UNEXTRACTABLE
        (0x070, Permanent),    // MECHANISM_INVALID
        (0x071, Permanent),    // MECHANISM_PARAM_INVALID
        (0x082, LogIn),        // OBJECT_HANDLE_INVALID
        (0x090, Reopen),       // OPERATION_ACTIVE
        (0x091, Reopen),       // OPERATION_NOT_INITIALIZED
        (0x0a0, PinRejected),  // PIN_INCORRECT
        (0x0a1, PinRejected),  // PIN_INVALID
        (0x0a2, PinRejected),  // PIN_LEN_RANGE
        (0x0a3, PinRejected),  // PIN_EXPIRED
        (0x0a4, PinLocked),    // PIN_LOCKED
        (0x0b0, Reopen),       // SESSION_CLOSED
        (0x0b1, Reopen),       // SESSION_COUNT
        (0x0b3, Reopen),       // SESSION_HANDLE_INVALID
        (0x0b4, Reopen),       // SESSION_PARALLEL_NOT_SUPPORTED
        (0x0b5, Reopen),       // SESSION_READ_ONLY
        (0x0b6, Reopen),       // SESSION_EXISTS
        (0x0b7, Reopen),       // SESSION_READ_ONLY_EXISTS
        (0x0b8, Reopen),       // SESSION_READ_WRITE_SO_EXISTS
        (0x0c0, Permanent),    // SIGNATURE_INVALID
        (0x0c1, Permanent),    // SIGNATURE_LEN_RANGE
        (0x0d0, Permanent),    // TEMPLATE_INCOMPLETE
        (0x0d1, Permanent),    // TEMPLATE_INCONSISTENT
        (0x0e0, Reinitialise), // TOKEN_NOT_PRESENT
        (0x0e1, Reinitialise), // TOKEN_NOT_RECOGNIZED
        (0x0e2, Permanent),    // TOKEN_WRITE_PROTECTED
        (0x0f0, LogIn),        // UNWRAPPING_KEY_HANDLE_INVALID
        (0x0f1, Permanent),    // UNWRAPPING_KEY_SIZE_RANGE
        (0x0f2, Permanent),    // UNWRAPPING_KEY_TYPE_INCONSISTENT
        (0x100, LogIn),        // USER_ALREADY_LOGGED_IN
        (0x101, LogIn),        // USER_NOT_LOGGED_IN
        (0x102, PinRejected),  // USER_PIN_NOT_INITIALIZED
        (0x103, PinRejected),  // USER_TYPE_INVALID
        (0x104, LogIn),        // USER_ANOTHER_ALREADY_LOGGED_IN
        (0x105, LogIn),        // USER_TOO_MANY_TYPES
        (0x110, Permanent),    // WRAPPED_KEY_INVALID
        (0x112, Permanent),    // WRAPPED_KEY_LEN_RANGE
        (0x113, LogIn),        // WRAPPING_KEY_HANDLE_INVALID
        (0x114, Permanent),    // WRAPPING_KEY_SIZE_RANGE
        (0x115, Permanent),    // WRAPPING_KEY_TYPE_INCONSISTENT
        (0x120, Permanent),    // RANDOM_SEED_NOT_SUPPORTED
        (0x121, Permanent),    // RANDOM_NO_RNG
        (0x130, Permanent),    // DOMAIN_PARAMS_INVALID
        (0x140, Permanent),    // CURVE_NOT_SUPPORTED
        (0x150, Reopen),       // BUFFER_TOO_SMALL
        (0x160, Reopen),       // SAVED_STATE_INVALID
        (0x170, Permanent),    // INFORMATION_SENSITIVE
        (0x180, Reopen),       // STATE_UNSAVEABLE
        (0x190, Reinitialise), // CRYPTOKI_NOT_INITIALIZED
        (0x191, Reinitialise), // CRYPTOKI_ALREADY_INITIALIZED
        (0x1a0, Respawn),      // MUTEX_BAD
        (0x1a1, Respawn),      // MUTEX_NOT_LOCKED
        (0x1b0, Permanent),    // NEW_PIN_MODE
        (0x1b1, Permanent),    // NEXT_OTP
        (0x1b5, Permanent),    // EXCEEDED_MAX_ITERATIONS
        (0x1b6, Respawn),      // FIPS_SELF_TEST_FAILED
        (0x1b7, Respawn),      // LIBRARY_LOAD_FAILED
        (0x1b8, PinRejected),  // PIN_TOO_WEAK
        (0x1b9, Permanent),    // PUBLIC_KEY_INVALID
        (0x200, Permanent),    // FUNCTION_REJECTED
        (0x201, Reopen),       // TOKEN_RESOURCE_EXCEEDED
        (0x202, Reopen),       // OPERATION_CANCEL_FAILED
        (0x203, Permanent),    // KEY_EXHAUSTED
        (0x204, Reopen),       // PENDING
        (0x205, Reopen),       // SESSION_ASYNC_NOT_SUPPORTED
        (0x206, Reinitialise), // SEED_RANDOM_REQUIRED
        (0x207, Permanent),    // OPERATION_NOT_VALIDATED
        (0x208, Reinitialise), // TOKEN_NOT_INITIALIZED
        (0x209, Permanent),    // PARAMETER_SET_NOT_SUPPORTED
        (0x8000_0000, Reinitialise),
        (0xffff_ffff, Reinitialise),
    ]
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Retry,
    Reopen,
    LogIn,
    Reinitialise,
    Respawn,
    Permanent,
    PinRejected,
    PinLocked,
}

fn class(value: u64) -> Class {
    let Rv::Error(value) = Rv::from(value) else { panic!("CKR_OK is no failure") };
    let problem = classify(Error::Pkcs11(value, Function::Sign));
    if let Problem::Mend(_, text) | Problem::Permanent(text) = &problem {
        assert!(text.contains("Function::Sign"), "the function stays in the text: {text}");
    }
    match problem {
        Problem::Mend(Remedy::Retry, _) => Class::Retry,
        Problem::Mend(Remedy::Reopen, _) => Class::Reopen,
        Problem::Mend(Remedy::LogIn, _) => Class::LogIn,
        Problem::Mend(Remedy::Reinitialise, _) => Class::Reinitialise,
        Problem::Mend(Remedy::Respawn, _) => Class::Respawn,
        Problem::Permanent(_) => Class::Permanent,
        Problem::Operator(SigningKeyError::PinRejected) => Class::PinRejected,
        Problem::Operator(SigningKeyError::PinLocked) => Class::PinLocked,
        problem @ (Problem::Operator(_) | Problem::KeyMissing) => panic!("{problem:?} is no return value"),
    }
}

#[test]
fn every_return_value_of_the_standard_has_its_class() {
    for (value, expected) in TABLE {
        assert_eq!(class(*value), *expected, "{value:#x}");
    }
}

#[test]
fn what_nobody_has_defined_is_a_device_error() {
    for value in (1..0x400).filter(|value| TABLE.iter().all(|(known, _)| known != value)) {
        assert_eq!(class(value), Class::Reinitialise, "{value:#x}");
    }
}

#[test]
fn each_remedy_is_followed_by_a_stronger_one_up_to_another_process() {
    let mut remedy = Remedy::Retry;
    let mut steps = 0;
    while remedy != Remedy::Respawn {
        assert!(remedy.stronger() > remedy);
        remedy = remedy.stronger();
        steps += 1;
    }
    assert_eq!(steps, 4);
}
