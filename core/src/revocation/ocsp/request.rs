//! Writing of a request.

use super::key_bits;
use crate::digest::sha1;
use crate::oid;
use crate::tlv::{encode, tag};
use crate::x509::Certificate;

/// DER of an OCSPRequest about one certificate, to be sent as `application/ocsp-request` (RFC 6960 §4.1,
/// RFC 5019 §2.1). The issuer is named by SHA-1, the only form that every responder knows.
///
/// `nonce`: 1 to 32 bytes of the caller's randomness (RFC 8954 §2.1); responders that answer from a store
/// leave it out, so its absence from the answer is no failure.
#[must_use]
pub fn ocsp_request(certificate: &Certificate, issuer: &Certificate, nonce: Option<&[u8]>) -> Vec<u8> {
    let algorithm = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::SHA1.as_bytes()]), &[tag::NULL, 0]]);
    let id = encode(
        tag::SEQUENCE,
        &[
            &algorithm,
            &encode(tag::OCTET_STRING, &[&sha1(certificate.issuer())]),
            &encode(tag::OCTET_STRING, &[&sha1(key_bits(issuer))]),
            certificate.serial(),
        ],
    );
    let list = encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&id])]);
    let extensions = nonce.map_or_else(Vec::new, |nonce| {
        let value = encode(tag::OCTET_STRING, &[&encode(tag::OCTET_STRING, &[nonce])]);
        let extension = encode(tag::SEQUENCE, &[&encode(tag::OID, &[oid::OCSP_NONCE.as_bytes()]), &value]);
        encode(tag::context_constructed(2), &[&encode(tag::SEQUENCE, &[&extension])])
    });
    encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&list, &extensions])])
}
