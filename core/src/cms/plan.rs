//! The two steps of a new SignedData.

use serde::{Deserialize, Serialize};

use super::{CmsError, Parts, SignedAttributes, SignedData, attributes};
use crate::digest::{Digest, DigestAlgorithm};
use crate::icp_brasil::signature_policy::SignaturePolicy;
use crate::tlv::{encode, encode_set_of, tag};
use crate::x509::{Certificate, PublicKey, SignatureAlgorithm};
use crate::{Timestamp, oid};

/// Everything between the two steps of a signature: the attributes to sign, pinned, and the
/// certificates that go beside them.
///
/// **Shape** when stored: JSON `{ "version": 2, "signed_attributes", "signer", "chain": […], "target" }`, DER in
/// standard base64; `target` is `{ "kind": "detached" }`, `{ "kind": "enveloping", "content" }`,
/// `{ "kind": "co_signature", "cms" }` or `{ "kind": "counter_signature", "cms", "signer" }`. Version 1, which had
/// no target and was always detached, is still read. Reading checks that the attributes refer to the signer's
/// certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "stored::StoredPlan", into = "stored::StoredPlan")]
pub struct CmsPlan {
    signed_attributes: Vec<u8>,
    signer: Certificate,
    chain: Vec<Certificate>,
    key: PublicKey,
    target: Target,
}

/// What becomes of the signature value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A SignedData of its own, without the content.
    Detached,
    /// A SignedData of its own with the content inside.
    Enveloping(Vec<u8>),
    /// One more SignerInfo in this SignedData.
    CoSignature(Vec<u8>),
    /// An unsigned attribute of the signer with this position in this SignedData.
    CounterSignature { cms: Vec<u8>, signer: usize },
}

/// What the caller decides about the signed attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// signing-time: mandatory in CAdES baseline, forbidden in PAdES.
    pub signing_time: Option<Timestamp>,
    /// signature-policy-identifier of an ICP-Brasil policy.
    pub policy: Option<&'static SignaturePolicy>,
}

/// The digest that the content of a signature with this key must have: SHA-256, or SHA-512 for Ed25519
/// (RFC 8419 §2.3).
///
/// # Errors
/// `key_unsupported` or `certificate_malformed`.
pub fn content_digest_algorithm(signer: &Certificate) -> Result<DigestAlgorithm, CmsError> {
    Ok(signer.public_key()?.signature_algorithm().digest_algorithm())
}

/// Fixes what will be signed: content-type, message-digest, signing-certificate-v2 with issuerSerial
/// and what the options ask for.
///
/// `chain` is added to the SignedData as it is; the signer's certificate need not be in it.
///
/// # Errors
/// `key_unsupported` or `certificate_malformed` for the signer's key; `policy_not_applicable` when the
/// policy does not allow the key's algorithm; `internal` when the digest is not the one of
/// [`content_digest_algorithm`].
pub fn plan(
    content_digest: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    options: PlanOptions,
) -> Result<CmsPlan, CmsError> {
    plan_for(Target::Detached, content_digest, signer, chain, options)
}

/// The same for any target. What a counter-signature signs is the signature value it is about.
pub(crate) fn plan_for(
    target: Target,
    content_digest: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    options: PlanOptions,
) -> Result<CmsPlan, CmsError> {
    let key = signer.public_key()?;
    let algorithm = key.signature_algorithm();
    if content_digest.algorithm() != algorithm.digest_algorithm() {
        return Err(CmsError::DigestAlgorithm);
    }
    if let Some(policy) = options.policy {
        policy.check_algorithm(algorithm)?;
    }
    let mut list = vec![
        attributes::message_digest(content_digest),
        attributes::signing_certificate_v2(
            signer.sha256().as_bytes(),
            Some((signer.issuer(), signer.serial())),
        ),
    ];
    // RFC 5652 §11.4: a counter-signature has no content-type.
    if !matches!(target, Target::CounterSignature { .. }) {
        list.push(attributes::content_type());
    }
    list.extend(options.signing_time.map(attributes::signing_time));
    list.extend(options.policy.map(attributes::signature_policy_identifier));
    Ok(CmsPlan {
        signed_attributes: attributes::encode_attributes(list),
        signer: signer.clone(),
        chain: chain.to_vec(),
        key,
        target,
    })
}

impl CmsPlan {
    /// Takes up a detached plan again from its pinned bytes, where signer and chain are kept apart, once for many plans.
    ///
    /// # Errors
    /// `cms_malformed` when the bytes are not signed attributes that refer to the signer's certificate;
    /// `key_unsupported` or `certificate_malformed` for its key.
    pub fn resume(
        signed_attributes: Vec<u8>,
        signer: &Certificate,
        chain: &[Certificate],
    ) -> Result<Self, CmsError> {
        let parsed = SignedAttributes::parse(&signed_attributes)?;
        if parsed.signing_certificate().and_then(|reference| reference.refers_to(signer)) != Some(true) {
            return Err(CmsError::Malformed("attributes that refer to the signer"));
        }
        let key = signer.public_key()?;
        Ok(Self {
            signed_attributes,
            signer: signer.clone(),
            chain: chain.to_vec(),
            key,
            target: Target::Detached,
        })
    }

    /// Reads what [`CmsPlan::assemble`] wrote as a stranger would: exactly this signer, these attributes, this value and
    /// a message-digest of this content. The value was verified when it was assembled.
    ///
    /// # Errors
    /// `cms_malformed`, with what is not as it was planned.
    pub fn check_assembled(&self, cms: &[u8], value: &[u8], content_digest: &[u8]) -> Result<(), CmsError> {
        let known: Vec<_> = core::iter::once(&self.signer).chain(&self.chain).collect();
        let read = SignedData::parse_among(cms, &known)?;
        let [info] = read.signers() else { return Err(CmsError::Malformed("one signer")) };
        let attributes = info.signed_attributes.as_deref().unwrap_or_default();
        let parsed = SignedAttributes::parse(attributes)?;
        let rules = [
            (attributes == self.signed_attributes, "the planned attributes"),
            (info.value == self.key.to_cms_value(value), "the verified value"),
            (parsed.message_digest() == Some(content_digest), "a message-digest of the content"),
            (read.certificate_of(&info.id) == Some(&self.signer), "the certificate of the signer"),
            (read.content().is_none(), "a detached signature"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, expected)) => Err(CmsError::Malformed(expected)),
            None => Ok(()),
        }
    }

    /// DER of the signed attributes as `SET OF`, first byte `31`: the bytes whose digest is signed.
    #[must_use]
    pub fn signed_attributes(&self) -> &[u8] {
        &self.signed_attributes
    }

    /// Digest of [`CmsPlan::signed_attributes`] with the algorithm's digest: what an RSA or ECDSA key signs.
    /// An Ed25519 key signs the attributes themselves.
    #[must_use]
    pub fn to_sign(&self) -> Digest {
        Digest::of(self.signature_algorithm().digest_algorithm(), &self.signed_attributes)
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
    ///
    /// # Panics
    /// Never: the target was read when the plan was made.
    #[must_use]
    pub fn assembled_size_limit_bytes(&self) -> usize {
        // Everything has one length but the value of an elliptic-curve key, so the longest value is tried.
        let longest = vec![0; self.key.value_size_limit_bytes()];
        self.write(&longest).expect("the target was read when the plan was made").len()
    }

    /// Verifies the signature value against the pinned attributes and certificate and writes the
    /// ContentInfo with the SignedData: in DER when it is a new one, with every byte that others signed when it
    /// is not.
    ///
    /// `value` is what the device gave: PKCS#1 v1.5 for RSA, `r ‖ s` or DER for elliptic curves, 64 bytes for
    /// Ed25519.
    ///
    /// # Errors
    /// `signature_value_invalid`: nothing was assembled.
    pub fn assemble(&self, value: &[u8]) -> Result<Vec<u8>, CmsError> {
        let value = self.key.to_cms_value(value);
        self.key
            .verify_message(self.signature_algorithm(), &self.signed_attributes, &value)
            .map_err(CmsError::ValueInvalid)?;
        self.write(&value)
    }

    fn write(&self, value: &[u8]) -> Result<Vec<u8>, CmsError> {
        let info = self.signer_info(value);
        let cms = match &self.target {
            Target::Detached => return Ok(self.new_signed_data(None, &info)),
            Target::Enveloping(content) => return Ok(self.new_signed_data(Some(content), &info)),
            Target::CoSignature(cms) | Target::CounterSignature { cms, .. } => cms,
        };
        let mut parts = Parts::read(cms)?;
        if let Target::CounterSignature { signer, .. } = self.target {
            parts.add_unsigned(signer, oid::COUNTER_SIGNATURE, &info)?;
        } else {
            parts.add_signer(&info, &self.digest_identifier())?;
        }
        for certificate in core::iter::once(&self.signer).chain(&self.chain) {
            parts.add_certificate(certificate.der());
        }
        parts.write()
    }

    /// RFC 5652 §5.3, version 1: issuerAndSerialNumber.
    fn signer_info(&self, value: &[u8]) -> Vec<u8> {
        let signer_id = encode(tag::SEQUENCE, &[self.signer.issuer(), self.signer.serial()]);
        // Signed with tag 31, stored with tag a0; the length octets are the same.
        let stored = [&[tag::context_constructed(0)], &self.signed_attributes[1..]].concat();
        let algorithm = self.signature_algorithm().to_identifier();
        let value = encode(tag::OCTET_STRING, &[value]);
        let parts: [&[u8]; 6] =
            [&VERSION, &signer_id, &self.digest_identifier(), &stored, &algorithm, &value];
        encode(tag::SEQUENCE, &parts)
    }

    /// The structure of RFC 5652 §5.1, version 1: id-data, plain certificates.
    fn new_signed_data(&self, content: Option<&[u8]>, signer_info: &[u8]) -> Vec<u8> {
        let content = content.map_or_else(Vec::new, |content| {
            encode(tag::context_constructed(0), &[&encode(tag::OCTET_STRING, &[content])])
        });
        let encapsulated = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::DATA.as_bytes()]), &content]);

        let mut certificates = vec![self.signer.der().to_vec()];
        for certificate in &self.chain {
            if certificates.iter().all(|known| known != certificate.der()) {
                certificates.push(certificate.der().to_vec());
            }
        }
        let certificates = encode_set_of(tag::context_constructed(0), certificates);

        let signed_data = encode(
            tag::SEQUENCE,
            &[
                &VERSION,
                &encode(tag::SET, &[&self.digest_identifier()]),
                &encapsulated,
                &certificates,
                &encode(tag::SET, &[signer_info]),
            ],
        );
        let content_type = encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]);
        encode(tag::SEQUENCE, &[&content_type, &encode(tag::context_constructed(0), &[&signed_data])])
    }

    /// AlgorithmIdentifier of the digest, without parameters.
    fn digest_identifier(&self) -> Vec<u8> {
        let digest = self.signature_algorithm().digest_algorithm().oid();
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[digest.as_bytes()])])
    }
}

/// version 1, of a SignedData and of a SignerInfo.
const VERSION: [u8; 3] = [tag::INTEGER, 1, 1];

mod stored;

#[cfg(test)]
mod tests;
