//! A SignedData whose every part can be set wrong, signed with a right value over what it says.

use p256::ecdsa::signature::hazmat::PrehashSigner;

use super::*;
use crate::testing::test_key;

pub(super) struct Forged {
    pub(super) listed_digests: Vec<Vec<u8>>,
    pub(super) content_type: const_oid::ObjectIdentifier,
    pub(super) certificates: Vec<Vec<u8>>,
    /// SignerIdentifier.
    pub(super) signer_id: Vec<u8>,
    pub(super) digest_algorithm: Vec<u8>,
    pub(super) attributes: Option<Vec<Vec<u8>>>,
    /// Stored and signed in order; both in reverse order; or stored in reverse and signed in order.
    pub(super) sorted: Option<bool>,
    pub(super) signature_algorithm: Vec<u8>,
    pub(super) key: u8,
    pub(super) value: Option<Vec<u8>>,
    pub(super) unsigned: Option<Vec<u8>>,
    pub(super) crls: Vec<Vec<u8>>,
}

impl Forged {
    pub(super) fn new() -> Self {
        Self::with_usage(0x80)
    }

    pub(super) fn with_usage(bits: u8) -> Self {
        let issue = Issue::holder("Holder TEST", 2, "Root TEST", 1);
        Self::by(&Issue { extensions: vec![key_usage(bits)], ..issue }.certificate(), 2)
    }

    /// Without anything wrong in it, over `abc`.
    pub(super) fn by(certificate: &Certificate, key: u8) -> Self {
        let plan = plan(&Digest::sha256(b"abc"), certificate, &[], PlanOptions::default()).unwrap();
        let mut set = crate::tlv::single(plan.signed_attributes(), tag::SET, "a SET").unwrap().reader();
        let mut attributes = Vec::new();
        while let Ok(attribute) = set.element() {
            attributes.push(attribute.raw.to_vec());
        }
        let sha256 = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SHA256.as_bytes()])]);
        Self {
            listed_digests: vec![sha256.clone()],
            content_type: oid::DATA,
            certificates: vec![certificate.der().to_vec()],
            signer_id: signer_id(certificate),
            digest_algorithm: sha256,
            attributes: Some(attributes),
            sorted: Some(true),
            signature_algorithm: SignatureAlgorithm::EcdsaSha256.to_identifier(),
            key,
            value: None,
            unsigned: None,
            crls: Vec::new(),
        }
    }

    /// Trusts the root of the forged holder.
    pub(super) fn context() -> Context {
        let root = Issue::authority("Root TEST", 1, "Root TEST", 1).certificate();
        Context::new(TrustAnchors::new(vec![root]), now()).without_revocation()
    }

    pub(super) fn list(&mut self) -> &mut Vec<Vec<u8>> {
        self.attributes.as_mut().unwrap()
    }

    pub(super) fn remove(&mut self, kind: const_oid::ObjectIdentifier) {
        let kind = encode(tag::OID, &[kind.as_bytes()]);
        let before = self.list().len();
        self.list().retain(|attribute| !attribute.windows(kind.len()).take(8).any(|window| window == kind));
        assert_eq!(self.list().len(), before - 1);
    }

    pub(super) fn value_over(&self, bytes: &[u8]) -> Vec<u8> {
        let value: p256::ecdsa::DerSignature =
            test_key(self.key).sign_prehash(Digest::sha256(bytes).as_bytes()).unwrap();
        value.as_bytes().to_vec()
    }

    /// The SignerInfo alone.
    pub(super) fn signer_info(&self) -> Vec<u8> {
        let list = self.attributes.clone().unwrap_or_default();
        let in_order = encode_set_of(tag::SET, list.clone());
        let mut reversed = list;
        reversed.sort_by(|a, b| b.cmp(a));
        let reversed = encode(tag::SET, &[&reversed.concat()]);
        let (stored, signed) = match self.sorted {
            Some(true) => (&in_order, &in_order),
            Some(false) => (&reversed, &reversed),
            None => (&reversed, &in_order),
        };
        let value = self.value.clone().unwrap_or_else(|| self.value_over(signed));
        let mut stored = stored.clone();
        stored[0] = tag::context_constructed(0);
        if self.attributes.is_none() {
            stored.clear();
        }
        let unsigned = self.unsigned.as_ref();
        let unsigned = unsigned.map_or_else(Vec::new, |one| encode(tag::context_constructed(1), &[one]));
        let version = encode(tag::INTEGER, &[&[1]]);
        encode(
            tag::SEQUENCE,
            &[
                &version,
                &self.signer_id,
                &self.digest_algorithm,
                &stored,
                &self.signature_algorithm,
                &encode(tag::OCTET_STRING, &[&value]),
                &unsigned,
            ],
        )
    }

    pub(super) fn der(&self) -> Vec<u8> {
        let info = self.signer_info();
        let version = encode(tag::INTEGER, &[&[1]]);
        let content = encode(tag::SEQUENCE, &[&encode(tag::OID, &[self.content_type.as_bytes()])]);
        let crls = if self.crls.is_empty() {
            Vec::new()
        } else {
            encode_set_of(tag::context_constructed(1), self.crls.clone())
        };
        let signed_data = encode(
            tag::SEQUENCE,
            &[
                &version,
                &encode_set_of(tag::SET, self.listed_digests.clone()),
                &content,
                &encode_set_of(tag::context_constructed(0), self.certificates.clone()),
                &crls,
                &encode(tag::SET, &[&info]),
            ],
        );
        let kind = encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]);
        encode(tag::SEQUENCE, &[&kind, &encode(tag::context_constructed(0), &[&signed_data])])
    }

    pub(super) fn report(&self, context: &Context) -> SignatureReport {
        validate_cms(&self.der(), ABC, context).unwrap().signatures.remove(0)
    }
}

/// issuerAndSerialNumber.
pub(super) fn signer_id(certificate: &Certificate) -> Vec<u8> {
    encode(tag::SEQUENCE, &[certificate.issuer(), certificate.serial()])
}
