//! What a PKCS#11 return value means for us. Only this adapter knows them.

use cryptoki::error::{Error, RvError};

use crate::ports::SigningKeyError;

/// Return values by what has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The session is of no use: open another one, try once more.
    Session(String),
    /// Logged out, or handles died: log in, list the keys again, try once more.
    Login(String),
    /// The device or the library is gone: finalise and initialise with back-off.
    Device(String),
    /// The PIN is wrong or has expired: stop. Another try would bring the lock nearer.
    PinRejected,
    /// The PIN is locked: stop.
    PinLocked,
    /// The key or the mechanism cannot do this: no retry.
    Key(String),
}

impl Problem {
    /// What the port says when nothing more can be tried.
    pub(super) fn into_port_error(self) -> SigningKeyError {
        match self {
            Self::Session(text) | Self::Login(text) | Self::Device(text) => {
                SigningKeyError::Unavailable(text)
            }
            Self::PinRejected => SigningKeyError::PinRejected,
            Self::PinLocked => SigningKeyError::PinLocked,
            Self::Key(text) => SigningKeyError::KeyUnusable(text),
        }
    }
}

/// Classifies a failure; function and return value stay in the text, for the log.
#[expect(clippy::needless_pass_by_value, reason = "used as `map_err(classify)`")]
pub(super) fn classify(error: Error) -> Problem {
    let text = error.to_string();
    let Error::Pkcs11(value, _) = &error else {
        return Problem::Device(text);
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "vendors return anything; what is not listed is a device error"
    )]
    match value {
        RvError::OperationActive
        | RvError::OperationNotInitialized
        | RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::SessionCount
        | RvError::GeneralError
        | RvError::FunctionFailed => Problem::Session(text),
        RvError::UserNotLoggedIn | RvError::ObjectHandleInvalid | RvError::KeyHandleInvalid => {
            Problem::Login(text)
        }
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinExpired => {
            Problem::PinRejected
        }
        RvError::PinLocked => Problem::PinLocked,
        RvError::KeyTypeInconsistent
        | RvError::KeySizeRange
        | RvError::KeyFunctionNotPermitted
        | RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::DataLenRange
        | RvError::DataInvalid => Problem::Key(text),
        _ => Problem::Device(text),
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn return_values_are_classified_by_what_to_do() {
        let class = |value| classify(Error::Pkcs11(value, Function::Sign));
        assert!(matches!(class(RvError::SessionHandleInvalid), Problem::Session(_)));
        assert!(matches!(class(RvError::ObjectHandleInvalid), Problem::Login(_)));
        assert!(matches!(class(RvError::MechanismInvalid), Problem::Key(_)));
        assert_eq!(class(RvError::PinIncorrect), Problem::PinRejected);
        assert_eq!(class(RvError::PinLocked), Problem::PinLocked);
        for value in [RvError::DeviceError, RvError::DeviceRemoved, RvError::CryptokiNotInitialized] {
            assert!(matches!(class(value), Problem::Device(_)));
        }
        // Unknown to us: treated as a device error, whole in the text.
        let Problem::Device(text) = class(RvError::RandomNoRng) else {
            panic!("a device error was expected")
        };
        assert!(text.contains("Function::Sign"));
    }
}
