//! What the program says by its exit code.

use crate::ports::composer::ComposerError;

/// What a code means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// About this document, certificate or value.
    Refused,
    /// About the installation, the licence, the disk or the network: somebody mends it.
    Unavailable,
    /// Our call was wrong, or the program is not what it was taken for.
    Unexpected,
}

/// The published codes, 1 to 43, and that of a program that is not there.
const CODES: [(i32, &str, Meaning); 44] = {
    use Meaning::{Refused, Unavailable, Unexpected};
    [
        (1, "BadSyntax", Unexpected),
        (2, "UnknownError", Refused),
        (3, "FileNotFound", Unexpected),
        (4, "BadCertificate", Refused),
        (5, "BadThumbprint", Unexpected),
        (6, "BadHash", Unexpected),
        (7, "BadData", Refused),
        (8, "BadSignature", Refused),
        (9, "BadAlgorithm", Refused),
        (10, "BadPolicy", Unexpected),
        (11, "BadVisualRep", Unexpected),
        (12, "UndefinedFileReference", Unexpected),
        (13, "CertNotFound", Refused),
        (14, "ValidationFailed", Refused),
        (15, "IOError", Unavailable),
        (16, "NoCertsWithKey", Unexpected),
        (17, "NotActivated", Unavailable),
        (18, "ActivationError", Unavailable),
        (19, "BadLicense", Unavailable),
        (20, "LicenseNeeded", Unavailable),
        (21, "InvalidLicense", Unavailable),
        (22, "AccessDenied", Unavailable),
        (23, "CertThumbNeeded", Unexpected),
        (24, "BadPdfChanges", Unexpected),
        (25, "UpdateNeeded", Unavailable),
        (26, "DataFileNeeded", Unexpected),
        (27, "NoEncapsulatedContent", Unexpected),
        (28, "NonceNotFound", Unexpected),
        (29, "DirectoryNotFound", Unexpected),
        (30, "TimestampAuthorityNotAvailable", Unavailable),
        (31, "PolicyRequiresNetwork", Unavailable),
        (32, "TimestampOptionsRequired", Unexpected),
        (33, "CultureNotFound", Unexpected),
        (34, "TimeZoneNotFound", Unexpected),
        (35, "InvalidUtcOffset", Unexpected),
        (36, "KeySizeNotSupported", Refused),
        (37, "BadKeyFormat", Unexpected),
        (38, "BadKey", Refused),
        (39, "InvalidTimeoutValue", Unexpected),
        (40, "CertificateMismatch", Refused),
        (41, "KeyNotFound", Unexpected),
        (42, "NoCertificateFile", Unexpected),
        (43, "BadCertificationLevel", Unexpected),
        (127, "command not found", Unavailable),
    ]
};

/// The failure that a code other than 0 is.
pub(super) fn failure(code: i32) -> ComposerError {
    let known = CODES.iter().find(|(number, ..)| *number == code);
    let (name, meaning) =
        known.map_or(("unknown", Meaning::Unexpected), |(_, name, meaning)| (*name, *meaning));
    let what = format!("PKI Express ended with {code} ({name}); its own log has the reason");
    match meaning {
        Meaning::Refused => ComposerError::Refused(what),
        Meaning::Unavailable => ComposerError::Unavailable(what),
        Meaning::Unexpected => ComposerError::Contract(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_code_has_a_meaning_and_an_unknown_one_is_never_a_success() {
        for (position, (number, ..)) in CODES[..43].iter().enumerate() {
            assert_eq!(usize::try_from(*number).unwrap(), position + 1);
        }
        assert!(
            matches!(failure(14), ComposerError::Refused(what) if what.contains("14 (ValidationFailed)"))
        );
        assert!(matches!(failure(17), ComposerError::Unavailable(_)));
        for unexpected in [1, 44, 255, -1] {
            assert!(matches!(failure(unexpected), ComposerError::Contract(_)), "{unexpected}");
        }
    }
}
