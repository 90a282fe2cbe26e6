//! A revision under construction: new objects, the changed catalogue, and a signature dictionary.

use super::dictionary::SignatureBody;
use super::plan::Slot;
use crate::digest::{Digest, DigestAlgorithm, DigestStream, Sha256Stream};
use crate::pdf::{Dictionary, Document, IncrementalUpdate, Object, PdfError, Reference};

/// An incremental update together with the catalogue, which is written last and only when it changed.
#[derive(Debug)]
pub(super) struct Draft<'d, 'a> {
    pub(super) document: &'d Document<'a>,
    pub(super) update: IncrementalUpdate<'d, 'a>,
    pub(super) catalog: Dictionary,
    root: Reference,
    original_catalog: Dictionary,
}

/// A revision with a signature dictionary whose Contents is still empty.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) appended: Vec<u8>,
    pub(super) slot: Slot,
    pub(super) original_length: u64,
    /// SHA-256 of the original.
    pub(super) original_digest: Digest,
    /// Of everything but the slot.
    pub(super) signed_digest: Digest,
}

impl<'d, 'a> Draft<'d, 'a> {
    /// Starts a revision in which nothing is changed yet. `seed` is the one of [`IncrementalUpdate::new`].
    ///
    /// # Errors
    /// The document has no catalogue or no trailer that can be continued.
    pub(super) fn new(document: &'d Document<'a>, seed: &[u8]) -> Result<Self, PdfError> {
        let (root, catalog) = document.catalog()?;
        let update = IncrementalUpdate::new(document, seed)?;
        Ok(Self { document, update, original_catalog: catalog.clone(), catalog, root })
    }

    /// Writes the value of a catalogue entry where it stood: in its own object, or in the catalogue.
    pub(super) fn set_in_catalog(&mut self, key: &[u8], value: impl Into<Object>) {
        match self.catalog.get(key).and_then(Object::as_reference) {
            Some(reference) => self.update.put(reference, &value.into()),
            None => self.catalog.set(key, value),
        }
    }

    /// Appends to an array that may be missing, direct, or an object of its own. Gives the array when the
    /// caller has to store it.
    pub(super) fn append_to(
        &mut self,
        array: Option<&Object>,
        item: Reference,
    ) -> Result<Option<Object>, PdfError> {
        let resolved = array.map_or(Ok(Object::Null), |array| self.document.resolve(array))?;
        if resolved == Object::Null {
            return Ok(Some(Object::Array(vec![item.into()])));
        }
        let Object::Array(mut items) = resolved else {
            return Err(PdfError::damaged(0, "Annots or Fields is not an array"));
        };
        items.push(item.into());
        match array.and_then(Object::as_reference) {
            Some(reference) => {
                self.update.put(reference, &Object::Array(items));
                Ok(None)
            }
            None => Ok(Some(Object::Array(items))),
        }
    }

    /// The bytes to append, and where the body of each object begins in them. The second part of `/ID` is
    /// made from the original and from what is appended.
    pub(super) fn finish(mut self, original_digest: &Digest) -> Result<crate::pdf::Revision, PdfError> {
        if self.catalog != self.original_catalog {
            self.update.put(self.root, &self.catalog.into());
        }
        self.update.finish(|written| {
            let mut identifier = Sha256Stream::new();
            identifier.update(original_digest.as_bytes());
            identifier.update(written);
            identifier.finish().as_bytes()[..16].to_vec()
        })
    }

    /// Writes the revision with `body` as the object `signature`, and hashes what will be signed. Reads the
    /// original once.
    pub(super) fn seal(
        mut self,
        signature: Reference,
        body: &SignatureBody,
        algorithm: DigestAlgorithm,
    ) -> Result<Sealed, PdfError> {
        let file = self.document.file();
        self.update.put_body(signature, body.bytes.clone());
        let mut sha256 = Sha256Stream::new();
        let mut other = (algorithm != DigestAlgorithm::Sha256).then(|| DigestStream::new(algorithm));
        file.feed(0..file.len(), |block| {
            sha256.update(block);
            if let Some(other) = &mut other {
                other.update(block);
            }
        })?;
        let original_digest = sha256.clone().finish();
        let original_length = file.len();
        let revision = self.finish(&original_digest)?;
        let mut appended = revision.bytes;
        let slot = body.place(&mut appended, revision.body_offsets[&signature.number], original_length);
        let signed_digest = match other {
            None => {
                sha256.update(&appended[..slot.start]);
                sha256.update(&appended[slot.end..]);
                sha256.finish()
            }
            Some(mut other) => {
                other.update(&appended[..slot.start]);
                other.update(&appended[slot.end..]);
                other.finish()
            }
        };
        Ok(Sealed { appended, slot, original_length, original_digest, signed_digest })
    }
}
