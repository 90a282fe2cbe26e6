//! The token: a SignedData about a TSTInfo (RFC 3161 §2.4.2).

use core::time::Duration;

use super::response::token_of;
use super::tst_info::TstInfo;
use super::{Request, TspError};
use crate::Timestamp;
use crate::cms::{SignedData, SignerInfo, verify_signer};
use crate::digest::{Digest, to_hex};
use crate::oid;
use crate::tlv::{Malformed, single, tag};
use crate::x509::Certificate;

/// How far an authority's clock may be from ours.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// A time stamp: an authority's word that a digest existed at a time.
///
/// Reading alone proves nothing. [`TimeStampToken::verify`] says whether the token holds together; whether
/// its certificate leads to somebody trusted is for the path to show.
#[derive(Debug, Clone)]
pub struct TimeStampToken {
    der: Vec<u8>,
    signed_data: SignedData,
    info: TstInfo,
}

impl TimeStampToken {
    /// Reads a token: ContentInfo with SignedData of type TSTInfo, content inside, exactly one signer.
    ///
    /// # Errors
    /// `time_stamp_invalid`.
    pub fn from_der(token: &[u8]) -> Result<Self, TspError> {
        let signed_data = SignedData::parse(token)?;
        if signed_data.content_type() != oid::TST_INFO.as_bytes() {
            return Err(TspError::Malformed("content of the type TSTInfo"));
        }
        if signed_data.signers().len() != 1 {
            return Err(TspError::Malformed("exactly one signer of a time stamp"));
        }
        let content = signed_data.content().ok_or(TspError::Malformed("a TSTInfo inside the time stamp"))?;
        let info = TstInfo::parse(content)?;
        Ok(Self { der: token.to_vec(), signed_data, info })
    }

    /// Reads the answer of an authority and accepts only what was asked for: status granted, the same
    /// imprint, nonce and, if one was asked for, policy, and a token that [verifies](Self::verify).
    ///
    /// # Errors
    /// `time_stamp_unavailable` when the authority refused; `time_stamp_invalid` otherwise.
    pub fn from_response(response: &[u8], request: &Request) -> Result<Self, TspError> {
        let token = Self::from_der(token_of(response)?)?;
        if token.info.imprint != Some(*request.imprint()) {
            return Err(TspError::Mismatch("it stamps something else"));
        }
        if token.info.nonce.as_deref() != request.nonce() {
            return Err(TspError::Mismatch("it has another nonce"));
        }
        if request.policy().is_some_and(|policy| policy.to_string() != token.info.policy) {
            return Err(TspError::Mismatch("it was made under another policy"));
        }
        token.verify(&[])?;
        Ok(token)
    }

    /// Checks that the time lies between the moments at which the request was sent and the answer came, with
    /// five minutes of tolerance.
    ///
    /// # Errors
    /// `time_stamp_invalid`.
    pub fn check_time(&self, sent: Timestamp, received: Timestamp) -> Result<(), TspError> {
        let time = self.info.time;
        if time.plus(CLOCK_SKEW) < sent || received.plus(CLOCK_SKEW) < time {
            return Err(TspError::Mismatch("its time is far from the time of the request"));
        }
        Ok(())
    }

    /// Verifies that the token holds together: signed attributes with the type and digest of the TSTInfo, a
    /// reference to the certificate, a value that verifies, and a certificate whose only and critical extended
    /// key usage is time stamping (RFC 3161 §2.3). Returns the certificate, from the token or from `others`.
    ///
    /// # Errors
    /// `time_stamp_invalid`.
    pub fn verify(&self, others: &[Certificate]) -> Result<Certificate, TspError> {
        let mut candidates = self.signed_data.certificates().to_vec();
        candidates
            .extend(others.iter().filter(|other| !self.signed_data.certificates().contains(other)).cloned());
        let content = self.signed_data.content().unwrap_or_default();
        let certificate =
            verify_signer(self.signer(), &candidates, Some(self.signed_data.content_type()), |algorithm| {
                Digest::of(algorithm, content)
            })?;
        if !is_for_time_stamps(certificate)? {
            return Err(TspError::CertificateUsage);
        }
        Ok(certificate.clone())
    }

    /// The bytes that were read.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// genTime, to the millisecond.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.info.time
    }

    /// How far from the truth the time may be, in milliseconds rounded up; `None` when the authority does not
    /// say.
    #[must_use]
    pub const fn accuracy_ms(&self) -> Option<u64> {
        self.info.accuracy_ms
    }

    /// What was stamped; `None` when the digest algorithm is not accepted.
    #[must_use]
    pub const fn imprint(&self) -> Option<&Digest> {
        self.info.imprint.as_ref()
    }

    /// Dotted identifier of the authority's policy.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.info.policy
    }

    /// Serial number, lower-case hexadecimal.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        to_hex(&self.info.serial)
    }

    /// The structure around.
    #[must_use]
    pub const fn signed_data(&self) -> &SignedData {
        &self.signed_data
    }

    /// The authority as a signer.
    #[must_use]
    pub fn signer(&self) -> &SignerInfo {
        &self.signed_data.signers()[0]
    }
}

/// Whether extendedKeyUsage is critical and holds time stamping alone (RFC 3161 §2.3).
pub(crate) fn is_for_time_stamps(certificate: &Certificate) -> Result<bool, Malformed> {
    let usages = certificate.extensions().extended_key_usages.as_deref().unwrap_or_default();
    let [only] = usages else { return Ok(false) };
    Ok(certificate.part(only) == oid::TIME_STAMPING.as_bytes() && is_usage_critical(certificate.der())?)
}

/// Looks the extension up again, since criticality is of interest nowhere else.
fn is_usage_critical(certificate: &[u8]) -> Result<bool, Malformed> {
    let mut outer = single(certificate, tag::SEQUENCE, "a Certificate")?.reader();
    let mut tbs = outer.expect(tag::SEQUENCE, "a TBSCertificate")?.reader();
    while !tbs.is_empty() {
        let field = tbs.element()?;
        if field.tag != tag::context_constructed(3) {
            continue;
        }
        let mut extensions = single(field.value, tag::SEQUENCE, "the extensions")?.reader();
        while !extensions.is_empty() {
            let mut extension = extensions.expect(tag::SEQUENCE, "an Extension")?.reader();
            let id = extension.expect(tag::OID, "the identifier of an extension")?.value;
            if id == oid::EXTENDED_KEY_USAGE.as_bytes() {
                let critical = extension.optional(tag::BOOLEAN)?;
                return critical.map_or(Ok(false), |critical| critical.boolean());
            }
        }
    }
    Ok(false)
}
