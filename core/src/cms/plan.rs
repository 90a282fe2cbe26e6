//! The two steps of a new SignedData.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

use super::{CmsError, SignedAttributes, attributes};
use crate::digest::{Digest, DigestAlgorithm};
use crate::tlv::{encode, encode_set_of, tag};
use crate::x509::{Certificate, KeyError, PublicKey, SignatureAlgorithm};
use crate::{Timestamp, oid};

/// Everything between the two steps of a signature: the attributes to sign, pinned, and the
/// certificates that go beside them.
///
/// **Shape** when stored: JSON `{ "version": 1, "signed_attributes", "signer", "chain": […] }`, DER in
/// standard base64. Reading checks that the attributes refer to the signer's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredPlan", into = "StoredPlan")]
pub struct CmsPlan {
    signed_attributes: Vec<u8>,
    signer: Certificate,
    chain: Vec<Certificate>,
    key: PublicKey,
}

/// Fixes what will be signed: content-type, message-digest, signing-certificate-v2 with issuerSerial
/// and, if given, signing-time (mandatory in CAdES baseline, forbidden in PAdES).
///
/// `chain` is added to the SignedData as it is; the signer's certificate need not be in it.
///
/// # Errors
/// `key_unsupported` or `certificate_malformed` for the signer's key; `internal` when the digest is not
/// SHA-256.
pub fn plan(
    content_digest: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    signing_time: Option<Timestamp>,
) -> Result<CmsPlan, CmsError> {
    if content_digest.algorithm() != DigestAlgorithm::Sha256 {
        return Err(CmsError::DigestAlgorithm);
    }
    let key = signer.public_key()?;
    if key.signature_algorithm().digest_algorithm() != content_digest.algorithm() {
        return Err(CmsError::Key(KeyError::Unsupported(key.describe())));
    }
    let mut list = vec![
        attributes::content_type(),
        attributes::message_digest(content_digest),
        attributes::signing_certificate_v2(
            signer.sha256().as_bytes(),
            Some((signer.issuer(), signer.serial())),
        ),
    ];
    list.extend(signing_time.map(attributes::signing_time));
    Ok(CmsPlan {
        signed_attributes: attributes::encode_attributes(list),
        signer: signer.clone(),
        chain: chain.to_vec(),
        key,
    })
}

impl CmsPlan {
    /// DER of the signed attributes as `SET OF`, first byte `31`: the bytes whose digest is signed.
    #[must_use]
    pub fn signed_attributes(&self) -> &[u8] {
        &self.signed_attributes
    }

    /// SHA-256 of [`CmsPlan::signed_attributes`]: what the key signs.
    #[must_use]
    pub fn to_sign(&self) -> Digest {
        Digest::sha256(&self.signed_attributes)
    }

    /// The algorithm the key has to use.
    #[must_use]
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.key.signature_algorithm()
    }

    /// Certificate of the signer.
    #[must_use]
    pub const fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Upper bound for the length of [`CmsPlan::assemble`]'s result, in bytes.
    #[must_use]
    pub fn assembled_size_limit_bytes(&self) -> usize {
        // Everything has one length but the value of an elliptic-curve key, so the longest value is tried.
        self.encode(&vec![0; self.key.value_size_limit_bytes()]).len()
    }

    /// Verifies the signature value against the pinned attributes and certificate and writes the
    /// ContentInfo with the detached SignedData, in DER.
    ///
    /// `value` is what the device gave: PKCS#1 v1.5 for RSA, `r ‖ s` or DER for elliptic curves.
    ///
    /// # Errors
    /// `signature_value_invalid`: nothing was assembled.
    pub fn assemble(&self, value: &[u8]) -> Result<Vec<u8>, CmsError> {
        let value = self.key.to_cms_value(value);
        self.key
            .verify_message(self.signature_algorithm(), &self.signed_attributes, &value)
            .map_err(CmsError::ValueInvalid)?;
        Ok(self.encode(&value))
    }

    /// The structure of RFC 5652 §5.1, version 1: id-data, plain certificates, issuerAndSerialNumber.
    fn encode(&self, value: &[u8]) -> Vec<u8> {
        let version = encode(tag::INTEGER, &[&[1]]);
        let sha256 = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SHA256.as_bytes()])]);
        let data = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::DATA.as_bytes()])]);

        let mut certificates = vec![self.signer.der().to_vec()];
        for certificate in &self.chain {
            if certificates.iter().all(|known| known != certificate.der()) {
                certificates.push(certificate.der().to_vec());
            }
        }
        let certificates = encode_set_of(tag::context_constructed(0), certificates);

        let signer_id = encode(tag::SEQUENCE, &[self.signer.issuer(), self.signer.serial()]);
        // Signed with tag 31, stored with tag a0; the length octets are the same.
        let stored = [&[tag::context_constructed(0)], &self.signed_attributes[1..]].concat();
        let algorithm = self.signature_algorithm().to_identifier();
        let value = encode(tag::OCTET_STRING, &[value]);
        let signer_info =
            encode(tag::SEQUENCE, &[&version, &signer_id, &sha256, &stored, &algorithm, &value]);

        let signed_data = encode(
            tag::SEQUENCE,
            &[
                &version,
                &encode(tag::SET, &[&sha256]),
                &data,
                &certificates,
                &encode(tag::SET, &[&signer_info]),
            ],
        );
        let content_type = encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]);
        encode(tag::SEQUENCE, &[&content_type, &encode(tag::context_constructed(0), &[&signed_data])])
    }
}

const PLAN_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPlan {
    version: u32,
    signed_attributes: String,
    signer: String,
    chain: Vec<String>,
}

/// The stored text is not a plan of this version.
#[derive(Debug, thiserror::Error)]
enum StoredPlanError {
    #[error("the plan has version {0}, this program reads version {PLAN_VERSION}")]
    Version(u32),
    #[error("the plan is damaged: {0}")]
    Damaged(&'static str),
}

impl From<CmsPlan> for StoredPlan {
    fn from(plan: CmsPlan) -> Self {
        Self {
            version: PLAN_VERSION,
            signed_attributes: Base64::encode_string(&plan.signed_attributes),
            signer: Base64::encode_string(plan.signer.der()),
            chain: plan.chain.iter().map(|certificate| Base64::encode_string(certificate.der())).collect(),
        }
    }
}

impl TryFrom<StoredPlan> for CmsPlan {
    type Error = StoredPlanError;

    fn try_from(stored: StoredPlan) -> Result<Self, StoredPlanError> {
        if stored.version != PLAN_VERSION {
            return Err(StoredPlanError::Version(stored.version));
        }
        let bytes = |text: &String| {
            Base64::decode_vec(text).map_err(|_| StoredPlanError::Damaged("base64 was expected"))
        };
        let certificate = |text: &String| {
            Certificate::from_der(&bytes(text)?)
                .map_err(|_| StoredPlanError::Damaged("a certificate cannot be read"))
        };
        let signer = certificate(&stored.signer)?;
        let key =
            signer.public_key().map_err(|_| StoredPlanError::Damaged("the signer's key is not supported"))?;
        let signed_attributes = bytes(&stored.signed_attributes)?;
        let parsed = SignedAttributes::parse(&signed_attributes)
            .map_err(|_| StoredPlanError::Damaged("the signed attributes cannot be read"))?;
        if parsed.signing_certificate().and_then(|reference| reference.refers_to(&signer)) != Some(true) {
            return Err(StoredPlanError::Damaged("the attributes refer to another certificate"));
        }
        let chain = stored.chain.iter().map(certificate).collect::<Result<_, _>>()?;
        Ok(Self { signed_attributes, signer, chain, key })
    }
}

#[cfg(test)]
mod tests;
