//! What the demo's authorities publish while the demo runs: revocation lists, issuer certificates, time stamps. All TEST.
//!
//! A real authority keeps its keys in an HSM and publishes from another machine. Here both are one process, so that a
//! signature of the demo can be checked to its end without anything else.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64ct::{Base64, Encoding};
use const_oid::db::{rfc5280, rfc5911, rfc5912};
use const_oid::{ObjectIdentifier, db::rfc6268};
use rubrica_core::{ErrorCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::DemoFiles;
use super::der::{algorithm, element, elements, integer, oid, open, sequence, tag};
use crate::app::App;
use crate::failure::Failure;
use crate::objects::sha256;
use crate::ports::Clock;
use crate::{hex, random};

/// Validity of a list. Each is made when it is asked for.
const LIST_LASTS: Duration = Duration::from_hours(1);
/// Short name of the time-stamping authority.
pub(super) const TIME_STAMPS: &str = "act";
/// Its policy: a T3 policy of ICP-Brasil with a number that nobody has.
pub(super) const TIME_STAMP_POLICY: &str = "2.16.76.1.2.303.999";

const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// An authority as it is stored in the demo folder.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredAuthority {
    /// Part of its URLs.
    pub(super) name: String,
    /// DER in standard base64.
    pub(super) certificate: String,
    /// PKCS#8 in standard base64.
    pub(super) key: String,
}

struct Authority {
    name: String,
    certificate: Vec<u8>,
    key: KeyPair,
}

/// The authorities of a running demo.
struct Authorities {
    all: Vec<Authority>,
    /// Serial numbers in lower-case hexadecimal, one a line; need not be there.
    revoked: PathBuf,
    clock: Arc<dyn Clock>,
}

/// Routes of the authorities; none for a folder of an older demo, which has kept no keys.
#[expect(clippy::disallowed_methods, reason = "other parties of the demo, no part of the contract")]
pub(crate) fn routes(files: &DemoFiles, clock: Arc<dyn Clock>) -> Result<Router<Arc<App>>, Failure> {
    let path = files.authorities();
    if !path.exists() {
        return Ok(Router::new());
    }
    let damaged = || Failure::of(ErrorCode::DataFolderUnknown, "pki/authorities.json is damaged");
    let bytes = fs::read(&path).map_err(|_| damaged())?;
    let stored: Vec<StoredAuthority> = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let all = stored.iter().map(Authority::read).collect::<Option<_>>().ok_or_else(damaged)?;
    let authorities = Arc::new(Authorities { all, revoked: files.revoked(), clock });

    let list = {
        let authorities = Arc::clone(&authorities);
        move |Path(file): Path<String>| async move {
            answer("application/pkix-crl", authorities.list(&file).ok_or(StatusCode::NOT_FOUND))
        }
    };
    let issuers = {
        let authorities = Arc::clone(&authorities);
        move |Path(file): Path<String>| async move {
            answer("application/pkcs7-mime", authorities.issuers(&file).ok_or(StatusCode::NOT_FOUND))
        }
    };
    let stamp = move |body: Bytes| async move {
        answer("application/timestamp-reply", authorities.stamp(&body).ok_or(StatusCode::BAD_REQUEST))
    };
    Ok(Router::new()
        .route("/lcr/{file}", get(list.clone()))
        .route("/lcr2/{file}", get(list))
        .route("/aia/{file}", get(issuers))
        .route("/act", post(stamp)))
}

fn answer(media_type: &'static str, body: Result<Vec<u8>, StatusCode>) -> Response {
    match body {
        Ok(body) => ([(CONTENT_TYPE, media_type)], body).into_response(),
        Err(status) => status.into_response(),
    }
}

impl Authority {
    fn read(stored: &StoredAuthority) -> Option<Self> {
        Some(Self {
            name: stored.name.clone(),
            certificate: Base64::decode_vec(&stored.certificate).ok()?,
            key: KeyPair::from_pkcs8(&Base64::decode_vec(&stored.key).ok()?).ok()?,
        })
    }

    /// Contents octets of issuer, serial number and subject.
    fn names(&self) -> Option<(&[u8], &[u8], &[u8])> {
        let (_, certificate, _) = open(&self.certificate)?;
        let (_, to_be_signed, _) = open(certificate)?;
        let parts = elements(to_be_signed)?;
        Some((parts.get(3)?.1, parts.get(1)?.1, parts.get(5)?.1))
    }

    fn sign(&self, padding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut value = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(padding, &SystemRandom::new(), message, &mut value)
            .expect("an RSA key of the demo signs");
        value
    }
}

impl Authorities {
    fn of(&self, file: &str, extension: &str) -> Option<&Authority> {
        let name = file.strip_suffix(extension)?;
        self.all.iter().find(|authority| authority.name == name)
    }

    /// A CRL made now (RFC 5280 §5.1). It lists what is revoked, whoever issued it.
    fn list(&self, file: &str) -> Option<Vec<u8>> {
        let issuer = self.of(file, ".crl")?;
        let (_, _, subject) = issuer.names()?;
        let now = self.clock.now();
        let revoked = fs::read_to_string(&self.revoked).unwrap_or_default();
        let entries: Vec<Vec<u8>> = revoked
            .lines()
            .filter_map(|serial| hex::decode(serial.trim()))
            .filter(|serial| !serial.is_empty())
            .map(|serial| sequence(&[&element(tag::INTEGER, &[&serial]), &utc_time(now)]))
            .collect();
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let entries = if entries.is_empty() { Vec::new() } else { sequence(&entries) };
        let number = element(tag::OCTET_STRING, &[&integer(now.unix_ms())]);
        let number = sequence(&[&oid(rfc5280::ID_CE_CRL_NUMBER), &number]);
        let sha512 = algorithm(rfc5912::SHA_512_WITH_RSA_ENCRYPTION);
        let to_be_signed = sequence(&[
            &integer(1),
            &sha512,
            &sequence(&[subject]),
            &utc_time(now),
            &utc_time(now.plus(LIST_LASTS)),
            &entries,
            &element(tag::context(0), &[&sequence(&[&number])]),
        ]);
        let value = issuer.sign(&RSA_PKCS1_SHA512, &to_be_signed);
        Some(sequence(&[&to_be_signed, &sha512, &element(tag::BIT_STRING, &[&[0], &value])]))
    }

    /// The certificate as a PKCS#7 bundle without signature (RFC 5652 §5.2.1).
    fn issuers(&self, file: &str) -> Option<Vec<u8>> {
        let authority = self.of(file, ".p7b")?;
        let data = sequence(&[&oid(rfc5911::ID_DATA)]);
        let certificates = element(tag::context(0), &[&authority.certificate]);
        let empty = element(tag::SET, &[]);
        let signed_data = sequence(&[&integer(1), &empty, &data, &certificates, &empty]);
        Some(content_info(&signed_data))
    }

    /// A time stamp (RFC 3161 §2.4). `None` when the request cannot be read.
    fn stamp(&self, request: &[u8]) -> Option<Vec<u8>> {
        let authority = self.all.iter().find(|authority| authority.name == TIME_STAMPS)?;
        let (_, request, rest) = open(request)?;
        let parts = elements(request).filter(|_| rest.is_empty())?;
        let imprint = parts.get(1).filter(|(tag, _)| *tag == tag::SEQUENCE)?.1;
        let nonce = parts.iter().skip(2).find(|(tag, _)| *tag == tag::INTEGER);
        let nonce = nonce.map_or_else(Vec::new, |(_, nonce)| element(tag::INTEGER, &[nonce]));
        let mut serial = random::bytes::<8>();
        serial[0] = serial[0] & 0x7f | 0x40;
        let policy = ObjectIdentifier::new(TIME_STAMP_POLICY).ok()?;
        let info = sequence(&[
            &integer(1),
            &oid(policy),
            &sequence(&[imprint]),
            &element(tag::INTEGER, &[&serial]),
            &generalized_time(self.clock.now()),
            &sequence(&[&integer(1)]),
            &nonce,
        ]);
        let token = authority.token(&info)?;
        Some(sequence(&[&sequence(&[&integer(0)]), &token]))
    }
}

impl Authority {
    /// A SignedData around the TSTInfo (RFC 3161 §2.4.2).
    fn token(&self, info: &[u8]) -> Option<Vec<u8>> {
        let (issuer, serial, _) = self.names()?;
        let attribute = |kind, value: &[u8]| sequence(&[&oid(kind), &element(tag::SET, &[value])]);
        let reference = sequence(&[&element(tag::OCTET_STRING, &[&sha256(&self.certificate)])]);
        let mut attributes = [
            attribute(rfc5911::ID_CONTENT_TYPE, &oid(TST_INFO)),
            attribute(rfc6268::ID_MESSAGE_DIGEST, &element(tag::OCTET_STRING, &[&sha256(info)])),
            attribute(SIGNING_CERTIFICATE_V2, &sequence(&[&sequence(&[&reference])])),
        ];
        // DER orders a SET OF by its encodings (X.690 §11.6).
        attributes.sort();
        let attributes = attributes.concat();
        let value = self.sign(&RSA_PKCS1_SHA256, &element(tag::SET, &[&attributes]));
        let digest = sequence(&[&oid(rfc5912::ID_SHA_256)]);
        let signer = sequence(&[
            &integer(1),
            &sequence(&[&sequence(&[issuer]), &element(tag::INTEGER, &[serial])]),
            &digest,
            &element(tag::context(0), &[&attributes]),
            &algorithm(rfc5912::SHA_256_WITH_RSA_ENCRYPTION),
            &element(tag::OCTET_STRING, &[&value]),
        ]);
        let content = element(tag::context(0), &[&element(tag::OCTET_STRING, &[info])]);
        let signed_data = sequence(&[
            &integer(3),
            &element(tag::SET, &[&digest]),
            &sequence(&[&oid(TST_INFO), &content]),
            &element(tag::context(0), &[&self.certificate]),
            &element(tag::SET, &[&signer]),
        ]);
        Some(content_info(&signed_data))
    }
}

fn content_info(signed_data: &[u8]) -> Vec<u8> {
    sequence(&[&oid(rfc5911::ID_SIGNED_DATA), &element(tag::context(0), &[signed_data])])
}

fn utc_time(at: Timestamp) -> Vec<u8> {
    let t = at.to_date_time();
    let year = t.year() % 100;
    let text = format!(
        "{year:02}{:02}{:02}{:02}{:02}{:02}Z",
        t.month(),
        t.day(),
        t.hour(),
        t.minutes(),
        t.seconds()
    );
    element(tag::UTC_TIME, &[text.as_bytes()])
}

fn generalized_time(at: Timestamp) -> Vec<u8> {
    let t = at.to_date_time();
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minutes(),
        t.seconds()
    );
    element(tag::GENERALIZED_TIME, &[text.as_bytes()])
}

#[cfg(test)]
mod tests;
