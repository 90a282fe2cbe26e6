//! CAdES: a SignedData beside the document or around it (ETSI EN 319 122-1, DOC-ICP-15.03).
//!
//! Signing goes in two steps: [`prepare`], [`co_sign`] and [`counter_sign`] plan,
//! [`assemble`](crate::cms::CmsPlan::assemble) takes the value. A finished signature is raised level by level; every function takes the bytes of a
//! SignedData and gives new ones, leaves alone what others signed, and talks to nobody: time stamps and
//! revocation data are brought by the caller.
//!
//! | level | functions | ICP-Brasil |
//! |---|---|---|
//! | T | [`signature_time_stamp_imprint`], [`add_signature_time_stamp`] | AD-RT |
//! | LT | [`add_validation_data`] | |
//! | LTA | [`archive_time_stamp_v3_imprint`], [`add_archive_time_stamp_v3`] | |
//! | references | [`add_references`], [`esc_time_stamp_imprint`], [`add_esc_time_stamp`] | AD-RV |
//! | values | [`add_values`] | AD-RC |
//! | archive | [`archive_time_stamp_v2_imprint`], [`add_archive_time_stamp_v2`], [`add_evidence_to_archive`] | AD-RA |
//!
//! The two long-term worlds do not mix in one signature: ETSI's LT forbids the attributes that AD-RV to AD-RA
//! are made of.
//!
//! For verification, [`stamps`] lists every time stamp with the imprint it ought to have, and
//! [`embedded_evidence`] gathers the certificates and revocation data that a signature brings along, and
//! [`archived_evidence`] what of them an archive time stamp covers.

mod evidence;
mod hash_index;
mod imprint;
mod levels;
mod references;
mod sign;
mod stamps;

pub(crate) use evidence::embedded_evidence_of;
pub use evidence::{
    add_evidence_to_archive, add_validation_data, archived_evidence, embedded_evidence,
    embedded_evidence_of_token,
};
pub use levels::{
    add_archive_time_stamp_v2, add_archive_time_stamp_v3, add_esc_time_stamp, add_signature_time_stamp,
    archive_time_stamp_v2_imprint, archive_time_stamp_v3_imprint, esc_time_stamp_imprint,
    signature_time_stamp_imprint,
};
pub use references::{add_references, add_values};
pub use sign::{CadesError, Options, Placement, co_sign, counter_sign, prepare};
pub use stamps::{Stamp, StampError, StampKind, Uncovered, stamps};
