//! The levels above B: what to have stamped, and where the answer goes.

use super::{CadesError, imprint};
use crate::cms::{CmsError, Parts};
use crate::digest::{Digest, DigestAlgorithm};
use crate::oid;
use crate::tsp::{TimeStampToken, TspError};
use crate::validation::Content;

/// What to have stamped for level T (AD-RT) of the signer at `position`.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer.
pub fn signature_time_stamp_imprint(
    cms: &[u8],
    position: usize,
    algorithm: DigestAlgorithm,
) -> Result<Digest, CadesError> {
    Ok(imprint::of_signature(Parts::read(cms)?.signer(position)?, algorithm))
}

/// Adds a signature time stamp: level T, AD-RT.
///
/// # Errors
/// `cms_malformed`; `time_stamp_invalid` when the token stamps something else; `signature_not_extendable` when
/// there is no such signer, or an archive time stamp covers its attributes.
pub fn add_signature_time_stamp(
    cms: &[u8],
    position: usize,
    token: &TimeStampToken,
) -> Result<Vec<u8>, CadesError> {
    let mut parts = Parts::read(cms)?;
    check_attributes_may_grow(&parts, position)?;
    let expected = imprint::of_signature(parts.signer(position)?, algorithm_of(token)?);
    check_imprint(token, &expected)?;
    parts.add_unsigned(position, oid::SIGNATURE_TIME_STAMP, token.der())?;
    Ok(parts.write()?)
}

/// What to have stamped for a CAdES-C-time-stamp, the last part of AD-RV.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer, no signature time stamp, or no
/// references.
pub fn esc_time_stamp_imprint(
    cms: &[u8],
    position: usize,
    algorithm: DigestAlgorithm,
) -> Result<Digest, CadesError> {
    let parts = Parts::read(cms)?;
    let expected = imprint::of_complete_references(parts.signer(position)?, algorithm);
    Ok(expected.ok_or(CmsError::NotExtendable("the signature time stamp or the references are missing"))?)
}

/// Adds a CAdES-C-time-stamp: AD-RV.
///
/// # Errors
/// As [`esc_time_stamp_imprint`]; `time_stamp_invalid` when the token stamps something else.
pub fn add_esc_time_stamp(
    cms: &[u8],
    position: usize,
    token: &TimeStampToken,
) -> Result<Vec<u8>, CadesError> {
    let mut parts = Parts::read(cms)?;
    check_attributes_may_grow(&parts, position)?;
    check_imprint(token, &esc_time_stamp_imprint(cms, position, algorithm_of(token)?)?)?;
    parts.add_unsigned(position, oid::ESC_TIME_STAMP, token.der())?;
    Ok(parts.write()?)
}

/// What to have stamped for level LTA. `content` is what a detached signature is about; its digest is enough.
///
/// Every certificate, every piece of revocation data and every unsigned attribute that is there now will be
/// covered.
///
/// # Errors
/// `cms_malformed`; `content_required`; `signature_not_extendable` when there is no such signer, no signature
/// time stamp, or no revocation data.
pub fn archive_time_stamp_v3_imprint(
    cms: &[u8],
    position: usize,
    content: Content<'_>,
    algorithm: DigestAlgorithm,
) -> Result<Digest, CadesError> {
    let parts = Parts::read(cms)?;
    let signer = parts.signer(position)?;
    if !signer.has(oid::SIGNATURE_TIME_STAMP) {
        return Err(CmsError::NotExtendable("there is no signature time stamp").into());
    }
    if parts.revocation().is_none_or(<[_]>::is_empty) {
        return Err(CmsError::NotExtendable("there is no revocation data").into());
    }
    let (digest, _) =
        imprint::new_archive_v3(&parts, signer, content, algorithm).ok_or(CadesError::ContentRequired)?;
    Ok(digest)
}

/// Adds an archive time stamp of the third version with its hash index: level LTA. May be repeated before the
/// last stamp loses its worth; what verifies the last one is added first, by
/// [`add_validation_data`](super::add_validation_data).
///
/// # Errors
/// As [`archive_time_stamp_v3_imprint`]; `time_stamp_invalid` when the token stamps something else.
pub fn add_archive_time_stamp_v3(
    cms: &[u8],
    position: usize,
    content: Content<'_>,
    token: &TimeStampToken,
) -> Result<Vec<u8>, CadesError> {
    let algorithm = algorithm_of(token)?;
    check_imprint(token, &archive_time_stamp_v3_imprint(cms, position, content, algorithm)?)?;
    let mut parts = Parts::read(cms)?;
    check_attributes_may_grow(&parts, position)?;
    let signer = parts.signer(position)?;
    let (_, index) =
        imprint::new_archive_v3(&parts, signer, content, algorithm).ok_or(CadesError::ContentRequired)?;
    let mut with_index = Parts::read(token.der())?;
    with_index.add_unsigned(0, oid::ATS_HASH_INDEX_V3, &index)?;
    parts.add_unsigned(position, oid::ARCHIVE_TIME_STAMP_V3, &with_index.write()?)?;
    Ok(parts.write()?)
}

/// What to have stamped for AD-RA. `content` is what a detached signature is about, in bytes.
///
/// # Errors
/// `cms_malformed`; `content_required`; `signature_not_extendable` when there is no such signer, or references or
/// values are missing.
pub fn archive_time_stamp_v2_imprint(
    cms: &[u8],
    position: usize,
    content: Content<'_>,
    algorithm: DigestAlgorithm,
) -> Result<Digest, CadesError> {
    let parts = Parts::read(cms)?;
    let signer = parts.signer(position)?;
    let wanted = [
        oid::CERTIFICATE_REFERENCES,
        oid::REVOCATION_REFERENCES,
        oid::CERTIFICATE_VALUES,
        oid::REVOCATION_VALUES,
    ];
    if !wanted.into_iter().all(|kind| signer.has(kind)) {
        return Err(CmsError::NotExtendable("references or values are missing").into());
    }
    let prefix = imprint::archive_v2_prefix(&parts, signer, content, algorithm);
    let mut stream = prefix.ok_or(CadesError::ContentRequired)?;
    stream.update(&imprint::archive_v2_tail(signer.unsigned.iter().map(|attribute| &attribute[..]), true));
    Ok(stream.finish())
}

/// Adds an archive time stamp of the second version: AD-RA. May be repeated; what verifies the last one goes
/// into its token first, by [`add_evidence_to_archive`](super::add_evidence_to_archive).
///
/// Afterwards nothing else may be added: the stamp covers the sets of certificates and attributes as they are.
///
/// # Errors
/// As [`archive_time_stamp_v2_imprint`]; `time_stamp_invalid` when the token stamps something else.
pub fn add_archive_time_stamp_v2(
    cms: &[u8],
    position: usize,
    content: Content<'_>,
    token: &TimeStampToken,
) -> Result<Vec<u8>, CadesError> {
    let expected = archive_time_stamp_v2_imprint(cms, position, content, algorithm_of(token)?)?;
    check_imprint(token, &expected)?;
    let mut parts = Parts::read(cms)?;
    parts.add_unsigned(position, oid::ARCHIVE_TIME_STAMP_V2, token.der())?;
    Ok(parts.write()?)
}

/// An archive time stamp of the second version covers the unsigned attributes as they are.
pub(super) fn check_attributes_may_grow(parts: &Parts<'_>, position: usize) -> Result<(), CadesError> {
    if parts.signer(position)?.has(oid::ARCHIVE_TIME_STAMP_V2) {
        let why = "an archive time stamp covers the unsigned attributes, and another would have to be added";
        return Err(CmsError::NotExtendable(why).into());
    }
    Ok(())
}

fn algorithm_of(token: &TimeStampToken) -> Result<DigestAlgorithm, CadesError> {
    let imprint = token.imprint().ok_or(TspError::Mismatch("it uses a digest that is not accepted"))?;
    Ok(imprint.algorithm())
}

fn check_imprint(token: &TimeStampToken, expected: &Digest) -> Result<(), CadesError> {
    if token.imprint() == Some(expected) {
        return Ok(());
    }
    Err(TspError::Mismatch("it stamps something else").into())
}

#[cfg(test)]
mod tests;
