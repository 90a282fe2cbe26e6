//! The document security store: what a signature was validated with, kept in the file (ISO 32000-2 §12.8.4.3,
//! EN 319 142-1 §5.4.2, DOC-ICP-15.03 for the entries of ICP-Brasil).

use std::collections::BTreeMap;

use super::PadesError;
use super::dictionary::date;
use super::form::add_extension;
use super::revision::Draft;
use crate::Timestamp;
use crate::digest::{Digest, Sha256Stream, sha1};
use crate::pdf::{Dictionary, Document, File, Object, PdfError, Reference, signature_fields};
use crate::revocation::Evidence;

/// Streams in the store of one file.
const MAX_STREAMS: usize = 10_000;
/// Shorter streams gain nothing from compression, in bytes.
const MIN_COMPRESSED_BYTES: usize = 4096;

/// What one signature or time stamp was validated with, all of it DER.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidationData {
    /// Certificates of the signer, its authorities, and of those who signed the other data.
    pub certificates: Vec<Vec<u8>>,
    /// CertificateLists.
    pub crls: Vec<Vec<u8>>,
    /// Complete OCSPResponses, not only their BasicOCSPResponse.
    pub ocsp_responses: Vec<Vec<u8>>,
    /// The signature policy and the list that approves it: ICP-Brasil AD-RA.
    pub policy: Option<PolicyArtifacts>,
}

impl From<&Evidence> for ValidationData {
    fn from(evidence: &Evidence) -> Self {
        Self {
            certificates: evidence
                .certificates
                .iter()
                .map(|certificate| certificate.der().to_vec())
                .collect(),
            crls: evidence.crls.iter().map(|list| list.der().to_vec()).collect(),
            ocsp_responses: evidence.ocsp_responses.iter().map(|answer| answer.der().to_vec()).collect(),
            policy: None,
        }
    }
}

/// Files of `politicas.icpbrasil.gov.br`, as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyArtifacts {
    /// The policy, such as `PA_PAdES_AD_RA_v1_4.der`.
    pub policy: Vec<u8>,
    /// The list of approved policies, `LPA_PAdES.der`.
    pub list: Vec<u8>,
    /// The detached signature of the list, `LPA_PAdES.p7s`.
    pub list_signature: Vec<u8>,
}

/// The kinds of data: key in the store and key in the entry of a signature.
const KINDS: [(&[u8], &[u8]); 6] = [
    (b"Certs", b"Cert"),
    (b"CRLs", b"CRL"),
    (b"OCSPs", b"OCSP"),
    (b"PBAD_PolicyArtifacts", b"PBAD_PolicyArtifact"),
    (b"PBAD_LpaArtifacts", b"PBAD_LpaArtifact"),
    (b"PBAD_LpaSignatures", b"PBAD_LpaSignature"),
];

impl ValidationData {
    /// The data of each of [`KINDS`].
    fn by_kind(&self) -> [Vec<&[u8]>; 6] {
        [
            self.certificates.iter().map(Vec::as_slice).collect(),
            self.crls.iter().map(Vec::as_slice).collect(),
            self.ocsp_responses.iter().map(Vec::as_slice).collect(),
            self.policy.iter().map(|artifacts| artifacts.policy.as_slice()).collect(),
            self.policy.iter().map(|artifacts| artifacts.list.as_slice()).collect(),
            self.policy.iter().map(|artifacts| artifacts.list_signature.as_slice()).collect(),
        ]
    }
}

/// Adds validation data to a signed PDF: gives the bytes to append, none when everything is there already.
///
/// `entries` names each signature or document time stamp by the fully qualified name of its field. What the
/// store has is kept; the same bytes are stored once. `time` is the moment of validation (`/TU`, whole
/// seconds); an entry with a time stamp of its own (`/TS`) gets none. Allowed after any certification.
///
/// # Errors
/// Those of reading the document; `signature_field_not_found`; `signature_not_extendable` for a field
/// without a signature.
pub fn add_validation_data<'a>(
    pdf: impl Into<File<'a>>,
    entries: &[(&str, &ValidationData)],
    time: Timestamp,
) -> Result<Vec<u8>, PadesError> {
    let file = pdf.into();
    let document = Document::open(file)?;
    let draft = Draft::new(&document, time.to_string().as_bytes())?;
    let mut store = Store::read(draft)?;
    for (field, data) in entries {
        let key = entry_key(&document, field)?;
        store.add(&key, data, time)?;
    }
    if !store.changed {
        return Ok(Vec::new());
    }
    let mut draft = store.write();
    add_extension(&mut draft)?;
    let mut original = Sha256Stream::new();
    file.feed(0..file.len(), |block| original.update(block))?;
    Ok(draft.finish(&original.finish())?.bytes)
}

/// Upper-case hexadecimal SHA-1 of Contents with its zero padding: what nearly every producer takes.
fn entry_key(document: &Document<'_>, field: &str) -> Result<Vec<u8>, PadesError> {
    let fields = signature_fields(document)?;
    let field = fields.iter().find(|other| other.name == field).ok_or(PadesError::FieldNotFound)?;
    let unsigned = PadesError::NotExtendable("the field holds no signature");
    let Object::Dictionary(signature) = document.resolve(&field.value)? else { return Err(unsigned) };
    let Some(Object::String(contents)) = document.value(&signature, b"Contents")? else {
        return Err(unsigned);
    };
    let mut key = Vec::new();
    crate::pdf::write_hex(&mut key, &sha1(&contents));
    key.make_ascii_uppercase();
    Ok(key)
}

/// The store while it grows.
#[derive(Debug)]
struct Store<'d, 'a> {
    draft: Draft<'d, 'a>,
    dictionary: Dictionary,
    entries: Dictionary,
    /// What each kind holds so far.
    lists: [Vec<Object>; 6],
    /// SHA-256 of the decoded streams, per kind.
    known: [BTreeMap<[u8; 32], Reference>; 6],
    changed: bool,
}

impl<'d, 'a> Store<'d, 'a> {
    fn read(draft: Draft<'d, 'a>) -> Result<Self, PdfError> {
        let document = draft.document;
        let new = || Dictionary::new().with(b"Type", Object::name(b"DSS"));
        let dictionary = document.dictionary(&draft.catalog, b"DSS")?.unwrap_or_else(new);
        let entries = document.dictionary(&dictionary, b"VRI")?.unwrap_or_default();
        let mut store = Self {
            draft,
            dictionary,
            entries,
            lists: Default::default(),
            known: Default::default(),
            changed: false,
        };
        for (kind, (key, _)) in KINDS.iter().enumerate() {
            let list = array(document, &store.dictionary, key)?;
            if list.len() > MAX_STREAMS {
                return Err(PdfError::limit("streams in a document security store", MAX_STREAMS as u64));
            }
            for reference in list.iter().filter_map(Object::as_reference) {
                let Some(object) = document.object(reference)? else { continue };
                // What cannot be decoded stays, but nothing is compared with it.
                if let Ok(Some(decoded)) = document.stream_data(&object) {
                    store.known[kind].entry(hash(&decoded)).or_insert(reference);
                }
            }
            store.lists[kind] = list;
        }
        Ok(store)
    }

    fn add(&mut self, key: &[u8], data: &ValidationData, time: Timestamp) -> Result<(), PdfError> {
        let document = self.draft.document;
        let before = document.dictionary(&self.entries, key)?;
        let new = || Dictionary::new().with(b"Type", Object::name(b"VRI"));
        let mut entry = before.clone().unwrap_or_else(new);
        for (kind, streams) in data.by_kind().into_iter().enumerate() {
            let (_, entry_key) = KINDS[kind];
            // A single stream where the norm of ICP-Brasil uses the singular.
            let is_single = entry_key.starts_with(b"PBAD_");
            let mut list = if is_single { Vec::new() } else { array(document, &entry, entry_key)? };
            for der in streams {
                let reference = Object::Reference(self.stream(kind, der));
                if is_single {
                    entry.set(entry_key, reference);
                } else if !list.contains(&reference) {
                    list.push(reference);
                }
            }
            if !list.is_empty() {
                entry.set(entry_key, Object::Array(list));
            }
        }
        if before.as_ref() == Some(&entry) {
            return Ok(());
        }
        if entry.get(b"TS").is_none() {
            entry.set(b"TU", Object::String(date(time).into_bytes()));
        }
        self.entries.set(key, entry);
        self.changed = true;
        Ok(())
    }

    /// The stream with these bytes: one that is there, or a new one.
    fn stream(&mut self, kind: usize, der: &[u8]) -> Reference {
        let hash = hash(der);
        if let Some(reference) = self.known[kind].get(&hash) {
            return *reference;
        }
        let reference = self.draft.update.allocate();
        if der.len() >= MIN_COMPRESSED_BYTES {
            self.draft.update.put_compressed_stream(reference, Dictionary::new(), der);
        } else {
            self.draft.update.put_stream(reference, Dictionary::new(), der);
        }
        self.known[kind].insert(hash, reference);
        self.lists[kind].push(reference.into());
        self.changed = true;
        reference
    }

    /// Puts the store into the catalogue. Lists are written into the dictionary, whatever they were: an array
    /// object might be shared.
    fn write(self) -> Draft<'d, 'a> {
        let Self { mut draft, mut dictionary, entries, lists, .. } = self;
        for ((key, _), list) in KINDS.iter().zip(lists) {
            if !list.is_empty() {
                dictionary.set(key, Object::Array(list));
            }
        }
        dictionary.set(b"VRI", entries);
        if draft.catalog.get(b"DSS").is_none() {
            let reference = draft.update.allocate();
            draft.catalog.set(b"DSS", reference);
        }
        draft.set_in_catalog(b"DSS", dictionary);
        draft
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Digest::sha256(bytes).as_bytes().try_into().expect("SHA-256 has 32 bytes")
}

/// An array, which may be an object of its own, with its elements as written; empty when absent.
fn array(document: &Document<'_>, dictionary: &Dictionary, key: &[u8]) -> Result<Vec<Object>, PdfError> {
    match document.value(dictionary, key)? {
        None => Ok(Vec::new()),
        Some(Object::Array(items)) => Ok(items),
        Some(_) => Err(PdfError::damaged(0, "a list of the document security store is not an array")),
    }
}
