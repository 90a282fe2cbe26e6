//! What stands behind the ports.

pub(crate) mod clock;
pub(crate) mod cloud;
pub(crate) mod environment;
pub(crate) mod object_bucket;
pub(crate) mod object_folder;
pub(crate) mod pkcs11;
pub(crate) mod pki_express;
pub(crate) mod smtp;
pub(crate) mod software_key;
