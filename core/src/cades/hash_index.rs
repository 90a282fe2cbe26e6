//! ats-hash-index-v3: the digests of everything beside the signature that an archive time stamp covers (ETSI EN
//! 319 122-1 §5.5.2).

use crate::cms::{Parts, SignerParts};
use crate::digest::{Digest, DigestAlgorithm};
use crate::oid;
use crate::tlv::{Malformed, Reader, encode, single, tag};
use crate::x509::AlgorithmIdentifier;

/// More than a SignedData may hold.
const MAX_ENTRIES: usize = 10_000;

/// `ATSHashIndexV3 ::= SEQUENCE { hashIndAlgorithm AlgorithmIdentifier, certificatesHashIndex SEQUENCE OF OCTET
/// STRING, crlsHashIndex SEQUENCE OF OCTET STRING, unsignedAttrValuesHashIndex SEQUENCE OF OCTET STRING }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HashIndex {
    pub(super) algorithm: DigestAlgorithm,
    certificates: Vec<Vec<u8>>,
    revocation: Vec<Vec<u8>>,
    attributes: Vec<Vec<u8>>,
    /// Entries for attributes cover the whole attribute and not one of its values: the form of ETSI TS 101 733.
    whole_attributes: bool,
}

/// Something that an archive time stamp may cover by its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) what: String,
    /// The certificate, the revocation data or the value of the attribute, as an element.
    pub(super) element: Vec<u8>,
    digest: Vec<u8>,
}

/// The index over everything that is there now.
pub(super) fn of(parts: &Parts<'_>, signer: &SignerParts<'_>, algorithm: DigestAlgorithm) -> Vec<u8> {
    let list = |items: Vec<Item>| {
        let digests = items.iter().map(|item| encode(tag::OCTET_STRING, &[&item.digest])).collect::<Vec<_>>();
        encode(tag::SEQUENCE, &[&digests.concat()])
    };
    let identifier = encode(tag::SEQUENCE, &[&encode(tag::OID, &[algorithm.oid().as_bytes()])]);
    let [certificates, revocation, attributes] = items(parts, signer, algorithm, false).map(list);
    encode(tag::SEQUENCE, &[&identifier, &certificates, &revocation, &attributes])
}

impl HashIndex {
    /// Reads the third version.
    pub(super) fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut reader = single(value, tag::SEQUENCE, "an ATSHashIndexV3")?.reader();
        let algorithm = algorithm(AlgorithmIdentifier::read(&mut reader)?)?;
        Self::lists(reader, algorithm, false)
    }

    /// Reads the first version, whose algorithm is SHA-256 unless stated.
    pub(super) fn parse_v1(value: &[u8]) -> Result<Self, Malformed> {
        let whole = single(value, tag::SEQUENCE, "an ATSHashIndex")?;
        let mut reader = whole.reader();
        let first = reader.expect(tag::SEQUENCE, "an ATSHashIndex")?;
        // A list holds OCTET STRINGs or nothing, an algorithm starts with its identifier.
        if first.value.first() == Some(&tag::OID) {
            return Self::lists(reader, algorithm(AlgorithmIdentifier::parse(first)?)?, true);
        }
        Self::lists(whole.reader(), DigestAlgorithm::Sha256, true)
    }

    fn lists(
        mut reader: Reader<'_>,
        algorithm: DigestAlgorithm,
        whole_attributes: bool,
    ) -> Result<Self, Malformed> {
        let certificates = digests(&mut reader)?;
        let revocation = digests(&mut reader)?;
        let attributes = digests(&mut reader)?;
        reader.end()?;
        Ok(Self { algorithm, certificates, revocation, attributes, whole_attributes })
    }

    /// Compares the index with what is there: what is not covered, or else that something covered is no longer
    /// there.
    pub(super) fn uncovered(
        &self,
        parts: &Parts<'_>,
        signer: &SignerParts<'_>,
    ) -> Result<Vec<Item>, &'static str> {
        let [certificates, revocation, attributes] =
            items(parts, signer, self.algorithm, self.whole_attributes);
        let mut uncovered = Vec::new();
        for (index, items, gone) in [
            (&self.certificates, certificates, "a certificate that was archived is gone or changed"),
            (&self.revocation, revocation, "revocation data that was archived is gone or changed"),
            (&self.attributes, attributes, "an unsigned attribute that was archived is gone or changed"),
        ] {
            let mut present = items.iter().map(|item| &item.digest[..]).collect::<Vec<_>>();
            present.sort_unstable();
            if index.iter().any(|entry| present.binary_search(&&entry[..]).is_err()) {
                return Err(gone);
            }
            let mut covered = index.iter().map(Vec::as_slice).collect::<Vec<_>>();
            covered.sort_unstable();
            uncovered
                .extend(items.into_iter().filter(|item| covered.binary_search(&&item.digest[..]).is_err()));
        }
        Ok(uncovered)
    }
}

/// Certificates, revocation data and unsigned attributes, each with its digest.
fn items(
    parts: &Parts<'_>,
    signer: &SignerParts<'_>,
    algorithm: DigestAlgorithm,
    whole_attributes: bool,
) -> [Vec<Item>; 3] {
    let digest = |bytes: &[u8]| Digest::of(algorithm, bytes).as_bytes().to_vec();
    let item = |what: &str, element: &[u8]| Item {
        what: what.to_owned(),
        element: element.to_vec(),
        digest: digest(element),
    };
    let certificates =
        parts.certificates().unwrap_or_default().iter().map(|element| item("certificate", element));
    let revocation =
        parts.revocation().unwrap_or_default().iter().map(|element| item("revocation data", element));
    let mut attributes = Vec::new();
    for (at, attribute) in signer.attributes() {
        let what = format!("attribute {}", oid::to_text(&attribute.kind[2..]));
        for value in attribute.values() {
            let digest = if whole_attributes {
                digest(&signer.unsigned[at])
            } else {
                digest(&[attribute.kind, value].concat())
            };
            attributes.push(Item { what: what.clone(), element: value.to_vec(), digest });
        }
    }
    [certificates.collect(), revocation.collect(), attributes]
}

fn algorithm(identifier: AlgorithmIdentifier<'_>) -> Result<DigestAlgorithm, Malformed> {
    DigestAlgorithm::from_oid(identifier.oid).ok_or(Malformed("a digest algorithm that is accepted"))
}

fn digests(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut reader = reader.expect(tag::SEQUENCE, "a list of digests")?.reader();
    let mut digests = Vec::new();
    while !reader.is_empty() {
        if digests.len() == MAX_ENTRIES {
            return Err(Malformed("at most 10000 entries of a hash index"));
        }
        digests.push(reader.expect(tag::OCTET_STRING, "a digest")?.value.to_vec());
    }
    Ok(digests)
}
