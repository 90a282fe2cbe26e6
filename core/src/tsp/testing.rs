//! A time-stamping authority for tests, with a P-256 key. What it makes is as right or as wrong as a test
//! wants it.

use p256::ecdsa::signature::hazmat::PrehashSigner;

use super::TimeStampToken;
use crate::digest::Digest;
use crate::testing::{Issue, extension, test_key};
use crate::tlv::{encode, encode_set_of, tag};
use crate::x509::{Certificate, SignatureAlgorithm};
use crate::{Timestamp, oid};

/// Makes tokens.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) certificate: Certificate,
    pub(crate) key: u8,
    pub(crate) version: u8,
    /// Big-endian, first bit not set.
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) content_type: const_oid::ObjectIdentifier,
    /// Whether the certificate goes into the token.
    pub(crate) with_certificate: bool,
    /// Whether the reference to the certificate goes into the attributes.
    pub(crate) with_reference: bool,
    /// How many equal SignerInfos.
    pub(crate) signers: usize,
    /// Behind the fields of the TSTInfo.
    pub(crate) tail: Vec<u8>,
}

impl Authority {
    /// `AC do Tempo TEST` (key 70) issued `Carimbo TEST` (key 71).
    pub(crate) fn new() -> Self {
        Self::with_usage(true, &[oid::TIME_STAMPING])
    }

    pub(crate) fn with_usage(critical: bool, usages: &[const_oid::ObjectIdentifier]) -> Self {
        let usages = usages.iter().map(|usage| encode(tag::OID, &[usage.as_bytes()])).collect::<Vec<_>>();
        let usage = extension(oid::EXTENDED_KEY_USAGE, critical, &encode(tag::SEQUENCE, &[&usages.concat()]));
        let certificate = Issue::holder("Carimbo TEST", 71, "AC do Tempo TEST", 70).with(usage).certificate();
        Self {
            certificate,
            key: 71,
            version: 1,
            nonce: None,
            content_type: oid::TST_INFO,
            with_certificate: true,
            with_reference: true,
            signers: 1,
            tail: Vec::new(),
        }
    }

    /// A token in DER.
    pub(crate) fn stamp(&self, imprint: &Digest, at: Timestamp) -> Vec<u8> {
        let info = self.tst_info(imprint, at);
        let content = encode(tag::OCTET_STRING, &[&info]);
        let content_type = encode(tag::OID, &[self.content_type.as_bytes()]);
        let encapsulated =
            encode(tag::SEQUENCE, &[&content_type, &encode(tag::context_constructed(0), &[&content])]);
        let certificates = if self.with_certificate {
            encode(tag::context_constructed(0), &[self.certificate.der()])
        } else {
            Vec::new()
        };
        let info = self.signer_info(&info);
        let signed_data = encode(
            tag::SEQUENCE,
            &[
                &[tag::INTEGER, 1, 3],
                &encode(tag::SET, &[&sha256()]),
                &encapsulated,
                &certificates,
                &encode(tag::SET, &[&info.repeat(self.signers)]),
            ],
        );
        let signed_data = encode(tag::context_constructed(0), &[&signed_data]);
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]), &signed_data])
    }

    /// The same, read.
    pub(crate) fn token(&self, imprint: &Digest, at: Timestamp) -> TimeStampToken {
        TimeStampToken::from_der(&self.stamp(imprint, at)).unwrap()
    }

    fn tst_info(&self, imprint: &Digest, at: Timestamp) -> Vec<u8> {
        let time = at.to_string().replace(['-', ':', 'T'], "");
        let hash = encode(tag::SEQUENCE, &[&encode(tag::OID, &[imprint.algorithm().oid().as_bytes()])]);
        let imprint = encode(tag::SEQUENCE, &[&hash, &encode(tag::OCTET_STRING, &[imprint.as_bytes()])]);
        let nonce = self.nonce.as_ref().map_or_else(Vec::new, |nonce| encode(tag::INTEGER, &[nonce]));
        encode(
            tag::SEQUENCE,
            &[
                &[tag::INTEGER, 1, self.version],
                &encode(tag::OID, &[&[0x60, 0x4c, 1, 6, 1]]),
                &imprint,
                &[tag::INTEGER, 1, 7],
                &encode(tag::GENERALIZED_TIME, &[time.as_bytes()]),
                &nonce,
                &self.tail,
            ],
        )
    }

    fn signer_info(&self, content: &[u8]) -> Vec<u8> {
        let attribute = |kind: const_oid::ObjectIdentifier, value: &[u8]| {
            encode(tag::SEQUENCE, &[&encode(tag::OID, &[kind.as_bytes()]), &encode(tag::SET, &[value])])
        };
        let digest = Digest::sha256(content);
        let mut attributes = vec![
            attribute(oid::CONTENT_TYPE, &encode(tag::OID, &[self.content_type.as_bytes()])),
            attribute(oid::MESSAGE_DIGEST, &encode(tag::OCTET_STRING, &[digest.as_bytes()])),
        ];
        if self.with_reference {
            let hash = encode(tag::OCTET_STRING, &[self.certificate.sha256().as_bytes()]);
            let certs = encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&hash])]);
            attributes.push(attribute(oid::SIGNING_CERTIFICATE_V2, &encode(tag::SEQUENCE, &[&certs])));
        }
        let set = encode_set_of(tag::SET, attributes);
        let value: p256::ecdsa::DerSignature =
            test_key(self.key).sign_prehash(Digest::sha256(&set).as_bytes()).unwrap();
        let stored = [&[tag::context_constructed(0)], &set[1..]].concat();
        encode(
            tag::SEQUENCE,
            &[
                &[tag::INTEGER, 1, 1],
                &encode(tag::SEQUENCE, &[self.certificate.issuer(), self.certificate.serial()]),
                &sha256(),
                &stored,
                &SignatureAlgorithm::EcdsaSha256.to_identifier(),
                &encode(tag::OCTET_STRING, &[value.as_bytes()]),
            ],
        )
    }
}

/// A response with status granted around a token.
pub(crate) fn granted(token: &[u8]) -> Vec<u8> {
    encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&[tag::INTEGER, 1, 0]]), token])
}

fn sha256() -> Vec<u8> {
    encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SHA256.as_bytes()])])
}
