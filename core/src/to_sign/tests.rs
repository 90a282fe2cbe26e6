use proptest::prelude::*;

use super::*;
use crate::cms::{CmsPlan, PlanOptions, plan};
use crate::testing::{self, now};
use crate::tlv::{encode, encode_set_of, tag};
use crate::x509::Certificate;

const DOCUMENT: &[u8] = b"%PDF-1.7 a document TEST\n";
const APPENDED: &[u8] = b"obj /ByteRange [0 1 2 3] /Contents <00000000> endobj %%EOF\n";

#[test]
fn what_was_agreed_to_gives_the_digest_for_the_device() {
    for signer in [testing::ana(), testing::bruno()] {
        for (format, signing_time) in [(SignatureFormat::Pades, None), (SignatureFormat::Cades, Some(now()))]
        {
            let case = Case { signer: signer.clone(), format, signing_time, ..Case::pades() };
            let digest = case.check().unwrap();
            assert_eq!(digest, case.plan().to_sign());
        }
    }
}

#[test]
fn the_document_is_hashed_once_for_upload_and_check() {
    let case = Case::pades();
    let mut stream = Sha256Stream::new();
    DOCUMENT.chunks(7).for_each(|chunk| stream.update(chunk));
    let agreed = Agreed {
        document: &stream,
        format: SignatureFormat::Pades,
        certificate_sha256: case.signer.sha256().as_bytes(),
    };
    assert!(check(&case.to_sign(), &agreed).is_ok());
    assert_eq!(stream.finish(), Digest::sha256(DOCUMENT), "the stream is as it was");
}

#[test]
fn another_document_or_certificate_or_format_is_refused() {
    let pades = Case::pades();
    let cades = Case { format: SignatureFormat::Cades, ..Case::pades() };
    let of = |document: &[u8], format, certificate: &Certificate, to_sign: &ToSign| {
        let mut stream = Sha256Stream::new();
        stream.update(document);
        let agreed =
            Agreed { document: &stream, format, certificate_sha256: certificate.sha256().as_bytes() };
        check(to_sign, &agreed).unwrap_err()
    };
    let (ana, bruno) = (testing::ana(), testing::bruno());
    let same_length = DOCUMENT.to_ascii_uppercase();
    for (found, expected) in [
        (
            of(&same_length, SignatureFormat::Pades, &ana, &pades.to_sign()),
            "message-digest is of other bytes",
        ),
        (
            of(b"other", SignatureFormat::Pades, &ana, &pades.to_sign()),
            "the ByteRange does not fit the revision",
        ),
        (of(b"other", SignatureFormat::Cades, &ana, &cades.to_sign()), "message-digest is of other bytes"),
        (
            of(DOCUMENT, SignatureFormat::Pades, &bruno, &pades.to_sign()),
            "the reference is to another certificate",
        ),
        (of(DOCUMENT, SignatureFormat::Cades, &ana, &pades.to_sign()), "a revision for a CAdES signature"),
        (of(DOCUMENT, SignatureFormat::Pades, &ana, &cades.to_sign()), "no revision for a PAdES signature"),
    ] {
        assert_eq!(found, ToSignMismatch(expected));
        assert_eq!(found.code(), ErrorCode::ToSignMismatch);
    }
}

#[test]
fn members_that_do_not_fit_each_other_are_refused() {
    let other_digest = Base64::encode_string(Digest::sha256(b"other").as_bytes());
    for (change, expected) in [
        (
            (|to_sign| to_sign.digest = "AAAA".into()) as fn(&mut ToSign),
            "the digest is not the one of the attributes",
        ),
        (|to_sign| to_sign.digest_algorithm = "sha1".into(), "the digest algorithm is not sha256"),
        (
            |to_sign| to_sign.signature_algorithm = "rsa_pss_sha256".into(),
            "the signature algorithm is not known",
        ),
        (|to_sign| to_sign.signed_attributes = "!".into(), "the attributes are not base64"),
        (|to_sign| to_sign.signed_attributes = "MAA=".into(), "the attributes cannot be read"),
        (|to_sign| revision(to_sign).appended = "!".into(), "the revision is not base64"),
    ] {
        let mut to_sign = Case::pades().to_sign();
        change(&mut to_sign);
        assert_eq!(Case::pades().check_this(&to_sign), Err(ToSignMismatch(expected)));
    }
    let mut to_sign = Case::pades().to_sign();
    to_sign.digest = other_digest;
    assert!(Case::pades().check_this(&to_sign).is_err());
}

#[test]
fn a_byte_range_that_leaves_out_more_than_the_empty_signature_is_refused() {
    let start = gap(APPENDED).0 + DOCUMENT.len() as u64;
    let end = gap(APPENDED).1 + DOCUMENT.len() as u64;
    let total = (DOCUMENT.len() + APPENDED.len()) as u64;
    const RANGE: &str = "the ByteRange does not fit the revision";
    const NOT_EMPTY: &str = "the gap of the ByteRange is not an empty signature";
    for (byte_range, expected) in [
        ([0, start, end, total - end], None),
        ([1, start, end, total - end], Some(RANGE)),
        ([0, start, end, total - end - 1], Some(RANGE)),
        ([0, start, end, total - end + 1], Some(RANGE)),
        ([0, start, end, u64::MAX], Some(RANGE)),
        ([0, start - 1, end, total - end], Some(RANGE)),
        ([0, start + 1, end, total - end], Some(RANGE)),
        ([0, start, end - 1, total - end + 1], Some(RANGE)),
        ([0, start, end + 1, total - end - 1], Some(RANGE)),
        ([0, end, start, total - start], Some(RANGE)),
        ([0, start, start, total - start], Some(RANGE)),
        ([0, start, start + 1, total - start - 1], Some(RANGE)),
        // In the document, where something could be left out of what was shown.
        ([0, 3, end, total - end], Some(RANGE)),
        ([0, 3, 5, total - 5], Some(RANGE)),
        ([0, total, total, 0], Some(RANGE)),
        ([0, u64::MAX, u64::MAX, 0], Some(RANGE)),
    ] {
        let mut case = Case::pades();
        case.byte_range = Some(byte_range);
        assert_eq!(case.check().err(), expected.map(ToSignMismatch), "{byte_range:?}");
    }
    for contents in ["<>", "<000>", "<00000001>", "<0000 000>", "(00000000)", "<0000000A>"] {
        let appended = format!("before {contents} after");
        let at = (DOCUMENT.len() + 7) as u64;
        let byte_range = [0, at, at + contents.len() as u64, 6];
        let case = Case { appended: appended.into_bytes(), byte_range: Some(byte_range), ..Case::pades() };
        let refused = case.check().unwrap_err();
        assert!(refused == ToSignMismatch(RANGE) || refused == ToSignMismatch(NOT_EMPTY), "{contents}");
    }
}

#[test]
fn a_revision_that_could_hide_a_document_is_refused() {
    let slot = |size: usize| format!("<{}>", "0".repeat(size)).into_bytes();
    for (size, expected) in [
        (64 << 10, None),
        (MAX_APPENDED_BYTES - 4, None),
        (MAX_APPENDED_BYTES + 4, Some(ToSignMismatch("the revision is too large"))),
    ] {
        let case = Case { appended: slot(size), ..Case::pades() };
        assert_eq!(case.check().err(), expected, "{size}");
    }
}

#[test]
fn attributes_that_were_not_agreed_to_are_refused() {
    let case = Case { format: SignatureFormat::Cades, ..Case::pades() };
    let list = elements(case.plan().signed_attributes());
    let commitment = const_oid::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.16");
    let attribute = |kind: const_oid::ObjectIdentifier, value: &[u8]| {
        encode(tag::SEQUENCE, &[&encode(tag::OID, &[kind.as_bytes()]), &encode(tag::SET, &[value])])
    };
    let signed_data = attribute(oid::CONTENT_TYPE, &encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]));
    let hash = encode(tag::SEQUENCE, &[&encode(tag::OCTET_STRING, &[case.signer.sha256().as_bytes()])]);
    let twice = encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&hash, &hash])]);
    let twice = attribute(oid::SIGNING_CERTIFICATE_V2, &twice);
    let with = |more: &[u8], without: usize| {
        let mut list = list.clone();
        list.remove(without);
        list.push(more.to_vec());
        encode_set_of(tag::SET, list)
    };
    let mut reversed = list.clone();
    reversed.reverse();
    // The order of DER: content-type, message-digest, signing-certificate-v2.
    for (set, expected) in [
        ([encode_set_of(tag::SET, list.clone())].concat(), None),
        (
            encode_set_of(tag::SET, [list.clone(), vec![attribute(commitment, &[5, 0])]].concat()),
            Some("an attribute that was not agreed to"),
        ),
        (encode(tag::SET, &[&reversed.concat()]), Some("the attributes are not in DER")),
        (with(&signed_data, 0), Some("the content type is not id-data")),
        (with(&twice, 2), Some("the reference is to another certificate")),
        (encode_set_of(tag::SET, list[..2].to_vec()), Some("no reference to a certificate")),
        (encode_set_of(tag::SET, list[1..].to_vec()), Some("the content type is not id-data")),
        (
            encode_set_of(tag::SET, vec![list[0].clone(), list[2].clone()]),
            Some("message-digest is of other bytes"),
        ),
    ] {
        let mut to_sign = case.to_sign();
        to_sign.digest = Base64::encode_string(Digest::sha256(&set).as_bytes());
        to_sign.signed_attributes = Base64::encode_string(&set);
        assert_eq!(case.check_this(&to_sign).err(), expected.map(ToSignMismatch));
    }
}

proptest! {
    #[test]
    fn no_flipped_bit_is_agreed_to(at in 0_usize..100_000, bit in 0_u8..8, in_revision in any::<bool>()) {
        let case = Case::pades();
        let mut to_sign = case.to_sign();
        let text = if in_revision { &mut revision(&mut to_sign).appended } else { &mut to_sign.signed_attributes };
        let mut bytes = Base64::decode_vec(text).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        *text = Base64::encode_string(&bytes);
        let set = Base64::decode_vec(&to_sign.signed_attributes).unwrap();
        to_sign.digest = Base64::encode_string(Digest::sha256(&set).as_bytes());
        // issuerSerial is not compared: the hash of the certificate says more.
        let reference = set.len() - issuer_serial_length(&case.signer);
        prop_assume!(in_revision || at < reference);
        prop_assert!(case.check_this(&to_sign).is_err());
    }

    #[test]
    fn arbitrary_members_never_panic(attributes in ".{0,40}", appended in ".{0,40}", byte_range in any::<[u64; 4]>()) {
        let mut to_sign = Case::pades().to_sign();
        to_sign.signed_attributes = attributes;
        prop_assert!(Case::pades().check_this(&to_sign).is_err());
        let mut to_sign = Case::pades().to_sign();
        to_sign.revision = Some(RevisionToSign { appended, byte_range });
        prop_assert!(Case::pades().check_this(&to_sign).is_err());
    }
}

/// What a server sends, honest unless a field says otherwise.
#[derive(Clone)]
struct Case {
    signer: Certificate,
    format: SignatureFormat,
    signing_time: Option<crate::Timestamp>,
    appended: Vec<u8>,
    byte_range: Option<[u64; 4]>,
}

impl Case {
    fn pades() -> Self {
        Self {
            signer: testing::ana(),
            format: SignatureFormat::Pades,
            signing_time: None,
            appended: APPENDED.to_vec(),
            byte_range: None,
        }
    }

    fn byte_range(&self) -> [u64; 4] {
        let length = DOCUMENT.len() as u64;
        self.byte_range.unwrap_or_else(|| {
            let (start, end) = gap(&self.appended);
            [0, length + start, length + end, self.appended.len() as u64 - end]
        })
    }

    /// Signs what the ByteRange covers, or everything when it makes no sense.
    fn plan(&self) -> CmsPlan {
        let file = match self.format {
            SignatureFormat::Cades => DOCUMENT.to_vec(),
            SignatureFormat::Pades => [DOCUMENT, &self.appended].concat(),
        };
        let [_, start, end, _] = self.byte_range().map(|offset| usize::try_from(offset).unwrap());
        let covered = match (self.format, file.get(..start), file.get(end..)) {
            (SignatureFormat::Pades, Some(first), Some(second)) => [first, second].concat(),
            _ => file,
        };
        plan(
            &Digest::sha256(&covered),
            &self.signer,
            &[],
            PlanOptions { signing_time: self.signing_time, policy: None },
        )
        .unwrap()
    }

    fn to_sign(&self) -> ToSign {
        let plan = self.plan();
        ToSign {
            signed_attributes: Base64::encode_string(plan.signed_attributes()),
            digest_algorithm: "sha256".to_owned(),
            digest: Base64::encode_string(plan.to_sign().as_bytes()),
            signature_algorithm: plan.signature_algorithm().as_str().to_owned(),
            revision: (self.format == SignatureFormat::Pades).then(|| RevisionToSign {
                appended: Base64::encode_string(&self.appended),
                byte_range: self.byte_range(),
            }),
        }
    }

    fn check(&self) -> Result<Digest, ToSignMismatch> {
        self.check_this(&self.to_sign())
    }

    fn check_this(&self, to_sign: &ToSign) -> Result<Digest, ToSignMismatch> {
        let mut stream = Sha256Stream::new();
        stream.update(DOCUMENT);
        let certificate_sha256 = self.signer.sha256().as_bytes();
        check(to_sign, &Agreed { document: &stream, format: self.format, certificate_sha256 })
    }
}

/// Offsets of `<` and behind `>` in the revision.
fn gap(appended: &[u8]) -> (u64, u64) {
    let offset = |wanted: u8| appended.iter().position(|byte| *byte == wanted).map_or(0, |at| at as u64);
    (offset(b'<'), offset(b'>') + 1)
}

fn revision(to_sign: &mut ToSign) -> &mut RevisionToSign {
    to_sign.revision.as_mut().unwrap()
}

fn elements(set: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = crate::tlv::single(set, tag::SET, "a SET").unwrap().reader();
    let mut elements = Vec::new();
    while let Ok(element) = reader.element() {
        elements.push(element.raw.to_vec());
    }
    elements
}

/// Length of issuerSerial, which stands at the end of the attributes.
fn issuer_serial_length(certificate: &Certificate) -> usize {
    let with = plan(&Digest::sha256(b""), certificate, &[], PlanOptions::default()).unwrap();
    let attributes = elements(with.signed_attributes());
    let hash = certificate.sha256().as_bytes();
    let last = attributes.last().unwrap();
    let at = last.windows(hash.len()).position(|window| window == hash).unwrap();
    last.len() - at - hash.len()
}
