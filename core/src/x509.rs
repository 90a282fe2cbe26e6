//! Certificates: reading, keys, acceptance of a signer, paths to a trusted root (RFC 5280).
//!
//! A [`Certificate`] keeps the bytes it was read from. Everything that goes into a signature (the
//! certificate itself, its hash, the issuer's name, the serial number) is copied from those bytes.

mod acceptance;
mod algorithm;
mod bundle;
mod certificate;
mod emails;
mod extensions;
mod general_name;
mod key;
mod name;
mod path;
mod roots;
mod urls;

pub use acceptance::SignerCertificateError;
pub use algorithm::SignatureAlgorithm;
pub(crate) use algorithm::{AlgorithmIdentifier, UnusableAlgorithm};
pub use certificate::{Certificate, CertificateError};
pub(crate) use general_name::same as same_general_name;
pub use key::{KeyError, PublicKey, VerifyError, ecdsa_value_to_der};
pub(crate) use name::{attribute as name_attribute, check as check_name, same as same_name};
pub use path::{MAX_PATH_LENGTH, PathError, PathOptions, TrustAnchors, build_path, build_path_with};
pub use urls::CertificateUrls;

#[cfg(test)]
mod tests;
