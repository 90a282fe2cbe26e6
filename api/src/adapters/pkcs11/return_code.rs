//! What a PKCS#11 return value means for us. Only this adapter and the token agent know them.
//!
//! The table is complete for PKCS#11 v2.40 and v3.1; what vendors add to it is treated as a device error.

#[cfg(test)]
mod tests;

use cryptoki::error::{Error, RvError};

use crate::ports::SigningKeyError;

/// What is done about a failure, the mildest first. When it does not help, the next one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remedy {
    /// The same call in the same session.
    Retry,
    /// Another session.
    Reopen,
    /// Log in, and list the keys again: handles died.
    LogIn,
    /// Finalise the library, initialise it, log in.
    Reinitialise,
    /// Another process.
    Respawn,
}

impl Remedy {
    /// What is tried when this one did not help.
    pub(crate) const fn stronger(self) -> Self {
        match self {
            Self::Retry => Self::Reopen,
            Self::Reopen => Self::LogIn,
            Self::LogIn => Self::Reinitialise,
            Self::Reinitialise | Self::Respawn => Self::Respawn,
        }
    }
}

/// A failed call, by what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Something here may be mended.
    Mend(Remedy, String),
    /// The key is not on the token.
    KeyMissing,
    /// This key or this call is at fault: the same again gives the same.
    Permanent(String),
    /// The PIN: nobody tries again before an operator has acted.
    Operator(SigningKeyError),
}

impl Problem {
    /// What the port says when nothing more can be tried.
    pub(crate) fn into_port_error(self) -> SigningKeyError {
        match self {
            Self::Mend(_, text) => SigningKeyError::Unavailable(text),
            Self::KeyMissing => SigningKeyError::KeyMissing,
            Self::Permanent(text) => SigningKeyError::KeyUnusable(text),
            Self::Operator(error) => error,
        }
    }

    /// What the port says when no key is at fault: the token could not be reached.
    pub(crate) fn into_token_error(self) -> SigningKeyError {
        match self {
            Self::Mend(_, text) | Self::Permanent(text) => SigningKeyError::Unavailable(text),
            Self::KeyMissing => SigningKeyError::Unavailable("the token shows no such key".to_owned()),
            Self::Operator(error) => error,
        }
    }

    /// The library has to be initialised again.
    pub(crate) fn device(text: impl Into<String>) -> Self {
        Self::Mend(Remedy::Reinitialise, text.into())
    }
}

/// Classifies a failure; function and return value stay in the text, for the log.
#[expect(clippy::needless_pass_by_value, reason = "used as `map_err(classify)`")]
pub(crate) fn classify(error: Error) -> Problem {
    let text = error.to_string();
    match &error {
        Error::Pkcs11(value, _) => classify_value(*value, text),
        // The module gave something that no module should give.
        Error::TryFromInt(_)
        | Error::TryFromSlice(_)
        | Error::ParseInt(_)
        | Error::Utf8(_)
        | Error::NulError(_)
        | Error::InvalidValue => Problem::Mend(Remedy::Reinitialise, text),
        Error::NotSupported | Error::NullFunctionPointer => Problem::Permanent(text),
        Error::LibraryLoading(_) | Error::MissingSymbol(_) => Problem::Mend(Remedy::Respawn, text),
        Error::PinNotSet => Problem::Operator(SigningKeyError::PinRejected),
    }
}

fn classify_value(value: RvError, text: String) -> Problem {
    match value {
        // The call was interrupted, the session was not harmed.
        RvError::Cancel | RvError::FunctionCanceled | RvError::FunctionFailed => {
            Problem::Mend(Remedy::Retry, text)
        }

        // The session is gone, busy or in a state that we did not put it into. SoftHSM says "general error" about
        // nearly everything.
        RvError::BufferTooSmall
        | RvError::DeviceMemory
        | RvError::GeneralError
        | RvError::KeyChanged
        | RvError::KeyIndigestible
        | RvError::KeyNeeded
        | RvError::KeyNotNeeded
        | RvError::NoEvent
        | RvError::OperationActive
        | RvError::OperationNotInitialized
        | RvError::SavedStateInvalid
        | RvError::SessionClosed
        | RvError::SessionCount
        | RvError::SessionExists
        | RvError::SessionHandleInvalid
        | RvError::SessionParallelNotSupported
        | RvError::SessionReadOnly
        | RvError::SessionReadOnlyExists
        | RvError::SessionReadWriteSoExists
        | RvError::StateUnsaveable => Problem::Mend(Remedy::Reopen, text),

        // The login ended, or the objects have other handles now.
        RvError::KeyHandleInvalid
        | RvError::ObjectHandleInvalid
        | RvError::UnwrappingKeyHandleInvalid
        | RvError::UserAlreadyLoggedIn
        | RvError::UserAnotherAlreadyLoggedIn
        | RvError::UserNotLoggedIn
        | RvError::UserTooManyTypes
        | RvError::WrappingKeyHandleInvalid => Problem::Mend(Remedy::LogIn, text),

        // The device went away, or came back as another.
        RvError::CryptokiAlreadyInitialized
        | RvError::CryptokiNotInitialized
        | RvError::DeviceError
        | RvError::DeviceRemoved
        | RvError::SlotIdInvalid
        | RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::VendorDefined(_) => Problem::Mend(Remedy::Reinitialise, text),

        // The library in this process is beyond repair, or its calls with the same arguments as ever are refused.
        RvError::ArgumentsBad
        | RvError::CantLock
        | RvError::FipsSelfTestFailed
        | RvError::HostMemory
        | RvError::LibraryLoadFailed
        | RvError::MutexBad
        | RvError::MutexNotLocked
        | RvError::NeedToCreateThreads => Problem::Mend(Remedy::Respawn, text),

        // What we ask for is not what this key, mechanism or token does.
        RvError::ActionProhibited
        | RvError::AttributeReadOnly
        | RvError::AttributeSensitive
        | RvError::AttributeTypeInvalid
        | RvError::AttributeValueInvalid
        | RvError::CurveNotSupported
        | RvError::DataInvalid
        | RvError::DataLenRange
        | RvError::DomainParamsInvalid
        | RvError::EncryptedDataInvalid
        | RvError::EncryptedDataLenRange
        | RvError::ExceededMaxIterations
        | RvError::FunctionNotParallel
        | RvError::FunctionNotSupported
        | RvError::FunctionRejected
        | RvError::InformationSensitive
        | RvError::KeyFunctionNotPermitted
        | RvError::KeyNotWrappable
        | RvError::KeySizeRange
        | RvError::KeyTypeInconsistent
        | RvError::KeyUnextractable
        | RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::NewPinMode
        | RvError::NextOtp
        | RvError::PublicKeyInvalid
        | RvError::RandomNoRng
        | RvError::RandomSeedNotSupported
        | RvError::SignatureInvalid
        | RvError::SignatureLenRange
        | RvError::TemplateIncomplete
        | RvError::TemplateInconsistent
        | RvError::TokenWriteProtected
        | RvError::UnwrappingKeySizeRange
        | RvError::UnwrappingKeyTypeInconsistent
        | RvError::WrappedKeyInvalid
        | RvError::WrappedKeyLenRange
        | RvError::WrappingKeySizeRange
        | RvError::WrappingKeyTypeInconsistent => Problem::Permanent(text),

        RvError::PinLocked => Problem::Operator(SigningKeyError::PinLocked),
        RvError::PinExpired
        | RvError::PinIncorrect
        | RvError::PinInvalid
        | RvError::PinLenRange
        | RvError::PinTooWeak
        | RvError::UserPinNotInitialized
        | RvError::UserTypeInvalid => Problem::Operator(SigningKeyError::PinRejected),

        RvError::UnknownErrorCode(value) => classify_newer(value, text),
    }
}

/// Values of v3.0 and later that the binding has no name for.
fn classify_newer(value: u64, text: String) -> Problem {
    const TOKEN_RESOURCE_EXCEEDED: u64 = 0x201;
    const OPERATION_CANCEL_FAILED: u64 = 0x202;
    const KEY_EXHAUSTED: u64 = 0x203;
    const PENDING: u64 = 0x204;
    const SESSION_ASYNC_NOT_SUPPORTED: u64 = 0x205;
    const SEED_RANDOM_REQUIRED: u64 = 0x206;
    const OPERATION_NOT_VALIDATED: u64 = 0x207;
    const TOKEN_NOT_INITIALIZED: u64 = 0x208;
    const PARAMETER_SET_NOT_SUPPORTED: u64 = 0x209;
    match value {
        TOKEN_RESOURCE_EXCEEDED | OPERATION_CANCEL_FAILED | PENDING | SESSION_ASYNC_NOT_SUPPORTED => {
            Problem::Mend(Remedy::Reopen, text)
        }
        KEY_EXHAUSTED | OPERATION_NOT_VALIDATED | PARAMETER_SET_NOT_SUPPORTED => Problem::Permanent(text),
        SEED_RANDOM_REQUIRED | TOKEN_NOT_INITIALIZED => Problem::device(text),
        // AEAD_DECRYPT_FAILED (0x042) and whatever nobody has defined.
        _ => Problem::device(text),
    }
}
