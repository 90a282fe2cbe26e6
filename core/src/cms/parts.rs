//! A SignedData in pieces, each exactly as it stands in the file: for editing what others wrote and for
//! the time stamps that cover encodings.
//!
//! Adding something rewrites the lengths around it and nothing else. Layers in BER that have to be
//! written again become DER; what they hold stays as it is: certificates, CRLs, signed attributes,
//! signature values, every unsigned attribute.

use std::borrow::Cow;

use const_oid::ObjectIdentifier;

use super::ber::{self, BerReader};
use super::signed_data::{MAX_BYTES, MAX_CERTIFICATES, MAX_REVOCATION, MAX_SIGNERS};
use super::{CmsError, attributes};
use crate::oid;
use crate::tlv::{Malformed, Tlv, encode, tag};

/// A SignedData (RFC 5652 §5.1) as pieces of one file and, after changes, pieces of one's own.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a> {
    original: &'a [u8],
    changed: bool,
    version: u32,
    digest_algorithms: Set<'a>,
    encapsulated: &'a [u8],
    /// eContentType as an element.
    content_type: &'a [u8],
    content: Option<Cow<'a, [u8]>>,
    /// `None` when the field is absent, which differs from empty for what covers its encoding.
    certificates: Option<Set<'a>>,
    revocation: Option<Set<'a>>,
    pub(crate) signers: Vec<SignerParts<'a>>,
}

/// Elements of a SET OF, as they stand.
pub(crate) type Set<'a> = Vec<Cow<'a, [u8]>>;

/// One SignerInfo (RFC 5652 §5.3).
#[derive(Debug, Clone)]
pub(crate) struct SignerParts<'a> {
    /// version, sid, digestAlgorithm, signedAttrs, signatureAlgorithm and signature, one behind the other:
    /// everything that never changes.
    pub(crate) fixed: Cow<'a, [u8]>,
    /// Contents octets of the signature.
    pub(crate) value: Cow<'a, [u8]>,
    /// Attribute elements.
    pub(crate) unsigned: Set<'a>,
}

/// One unsigned attribute, cut open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeParts<'p> {
    /// attrType as an element.
    pub(crate) kind: &'p [u8],
    /// attrValues as an element.
    pub(crate) set: &'p [u8],
    contents: &'p [u8],
}

impl<'a> Parts<'a> {
    /// Cuts a ContentInfo with SignedData open, DER or BER, with nothing behind it.
    ///
    /// # Errors
    /// `cms_malformed`.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, CmsError> {
        if bytes.len() > MAX_BYTES {
            return Err(CmsError::Limit("at most 64 MiB"));
        }
        let mut file = BerReader::new(bytes);
        let content_info = file.expect(tag::SEQUENCE, "a ContentInfo")?;
        file.end()?;
        let mut reader = BerReader::new(content_info.value);
        if reader.expect(tag::OID, "the content type")?.value != oid::SIGNED_DATA.as_bytes() {
            return Err(CmsError::Malformed("the content type id-signedData"));
        }
        let wrapped = reader.expect(tag::context_constructed(0), "the SignedData")?;
        reader.end()?;
        let mut reader = BerReader::new(wrapped.value);
        let signed_data = reader.expect(tag::SEQUENCE, "a SignedData")?;
        reader.end()?;

        let mut reader = BerReader::new(signed_data.value);
        let version = reader.expect(tag::INTEGER, "the version")?.small_unsigned()?;
        let digest_algorithms = reader.expect(tag::SET, "the digest algorithms")?.value;
        let encapsulated = reader.expect(tag::SEQUENCE, "the encapsulated content")?;
        let certificates = reader.optional(tag::context_constructed(0))?;
        let revocation = reader.optional(tag::context_constructed(1))?;
        let infos = reader.expect(tag::SET, "the signers")?.value;
        reader.end()?;

        let mut content = BerReader::new(encapsulated.value);
        let content_type = content.expect(tag::OID, "the type of the content")?.raw;
        let wrapped = content.optional(tag::context_constructed(0))?;
        content.end()?;
        let content = match wrapped {
            Some(wrapped) => Some(ber::octets(only(wrapped.value)?)?),
            None => None,
        };
        let field = |set: Option<Tlv<'a>>, limit, what| match set {
            Some(set) => elements(set.value, limit, what).map(Some),
            None => Ok(None),
        };
        let signers = elements(infos, MAX_SIGNERS, "at most 100 signers")?;
        Ok(Self {
            original: bytes,
            changed: false,
            version,
            digest_algorithms: elements(digest_algorithms, MAX_SIGNERS, "at most 100 digest algorithms")?,
            encapsulated: encapsulated.raw,
            content_type,
            content,
            certificates: field(certificates, MAX_CERTIFICATES, "at most 1000 certificates")?,
            revocation: field(revocation, MAX_REVOCATION, "at most 1000 pieces of revocation data")?,
            signers: signers.iter().map(SignerParts::read).collect::<Result<_, _>>()?,
        })
    }

    /// The element eContentType.
    pub(crate) const fn content_type(&self) -> &'a [u8] {
        self.content_type
    }

    /// The element encapContentInfo.
    pub(crate) const fn encapsulated(&self) -> &'a [u8] {
        self.encapsulated
    }

    /// Contents octets of eContent.
    pub(crate) fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// The elements of certificates, when the field is there.
    pub(crate) fn certificates(&self) -> Option<&[Cow<'a, [u8]>]> {
        self.certificates.as_deref()
    }

    /// The elements of crls, when the field is there.
    pub(crate) fn revocation(&self) -> Option<&[Cow<'a, [u8]>]> {
        self.revocation.as_deref()
    }

    /// The signer with this position.
    ///
    /// # Errors
    /// `signature_not_extendable`: there are fewer.
    pub(crate) fn signer(&self, index: usize) -> Result<&SignerParts<'a>, CmsError> {
        self.signers.get(index).ok_or(CmsError::NotExtendable("there is no such signer"))
    }

    /// Whether some signer has an attribute of this type.
    pub(crate) fn any_signer_has(&self, kind: ObjectIdentifier) -> bool {
        self.signers.iter().any(|signer| signer.has(kind))
    }

    /// Adds a certificate unless it is there. Returns whether it was added.
    pub(crate) fn add_certificate(&mut self, der: &[u8]) -> bool {
        let added = add(self.certificates.get_or_insert_default(), der);
        self.changed |= added;
        added
    }

    /// Adds a CRL unless it is there. Returns whether it was added.
    pub(crate) fn add_crl(&mut self, der: &[u8]) -> bool {
        let added = add(self.revocation.get_or_insert_default(), der);
        self.changed |= added;
        added
    }

    /// Adds an OCSPResponse as other revocation information (RFC 5940 §2.1) unless it is there. Returns whether
    /// it was added.
    pub(crate) fn add_ocsp_response(&mut self, response: &[u8]) -> bool {
        let format = encode(tag::OID, &[oid::REVOCATION_INFO_OCSP.as_bytes()]);
        let other = encode(tag::context_constructed(1), &[&format, response]);
        let added = add(self.revocation.get_or_insert_default(), &other);
        self.changed |= added;
        added
    }

    /// Adds a signer at the end, so that the positions of the others stay. `digest_algorithm` is an
    /// AlgorithmIdentifier.
    pub(crate) fn add_signer(&mut self, info: &[u8], digest_algorithm: &[u8]) -> Result<(), CmsError> {
        let own = Parts::owned_signer(info)?;
        add(&mut self.digest_algorithms, digest_algorithm);
        self.signers.push(own);
        self.changed = true;
        Ok(())
    }

    /// Adds an unsigned attribute with one value to a signer.
    ///
    /// # Errors
    /// `signature_not_extendable`: there is no such signer.
    pub(crate) fn add_unsigned(
        &mut self,
        signer: usize,
        kind: ObjectIdentifier,
        value: &[u8],
    ) -> Result<(), CmsError> {
        let attribute = attributes::attribute(kind, value);
        let signer = self.signers.get_mut(signer);
        let signer = signer.ok_or(CmsError::NotExtendable("there is no such signer"))?;
        insert(&mut signer.unsigned, attribute);
        self.changed = true;
        Ok(())
    }

    /// Replaces an unsigned attribute of a signer by one of the same type with one other value.
    pub(crate) fn replace_unsigned(
        &mut self,
        signer: usize,
        at: usize,
        kind: ObjectIdentifier,
        value: &[u8],
    ) {
        self.signers[signer].unsigned.remove(at);
        insert(&mut self.signers[signer].unsigned, attributes::attribute(kind, value));
        self.changed = true;
    }

    /// Puts other certificates in, as an attacker would.
    #[cfg(test)]
    pub(crate) fn replace_certificates(&mut self, certificates: &[&[u8]]) {
        self.certificates = Some(certificates.iter().map(|der| Cow::Owned(der.to_vec())).collect());
        self.changed = true;
    }

    /// The whole again: the very bytes that were read when nothing was added, DER outside otherwise.
    pub(crate) fn write(&self) -> Result<Vec<u8>, CmsError> {
        if !self.changed {
            return Ok(self.original.to_vec());
        }
        let version = u8::try_from(self.version_needed()).expect("versions go up to 5");
        let field =
            |tag, set: &Option<Set<'a>>| set.as_ref().map_or_else(Vec::new, |set| encode_set(tag, set));
        // An archive time stamp of the second version covers this element as it stands, BER or not.
        let encapsulated = if self.any_signer_has(oid::ARCHIVE_TIME_STAMP_V2) {
            self.encapsulated.to_vec()
        } else {
            ber::to_der(self.encapsulated)?.0
        };
        let infos = self.signers.iter().map(SignerParts::encode).collect::<Vec<_>>().concat();
        let signed_data = encode(
            tag::SEQUENCE,
            &[
                &encode(tag::INTEGER, &[&[version]]),
                &encode_set(tag::SET, &self.digest_algorithms),
                &encapsulated,
                &field(tag::context_constructed(0), &self.certificates),
                &field(tag::context_constructed(1), &self.revocation),
                &encode(tag::SET, &[&infos]),
            ],
        );
        let content_type = encode(tag::OID, &[oid::SIGNED_DATA.as_bytes()]);
        Ok(encode(tag::SEQUENCE, &[&content_type, &encode(tag::context_constructed(0), &[&signed_data])]))
    }

    /// RFC 5652 §5.1: 5 with other revocation information; what stands there is never lowered.
    fn version_needed(&self) -> u32 {
        let other = tag::context_constructed(1);
        let has_other = self.revocation.iter().flatten().any(|choice| choice.first() == Some(&other));
        if has_other { 5 } else { self.version }
    }

    fn owned_signer(info: &[u8]) -> Result<SignerParts<'static>, CmsError> {
        let SignerParts { fixed, value, unsigned } = SignerParts::read(&Cow::Borrowed(info))?;
        Ok(SignerParts {
            fixed: Cow::Owned(fixed.into_owned()),
            value: Cow::Owned(value.into_owned()),
            unsigned: unsigned.into_iter().map(|attribute| Cow::Owned(attribute.into_owned())).collect(),
        })
    }
}

impl<'a> SignerParts<'a> {
    fn read(info: &Cow<'a, [u8]>) -> Result<Self, Malformed> {
        // Elements of a file are always borrowed from it.
        let Cow::Borrowed(info) = *info else { return Err(Malformed("a SignerInfo of the file")) };
        let info = only(info)?;
        let mut reader = BerReader::new(info.value);
        reader.expect(tag::INTEGER, "the version of a SignerInfo")?;
        if reader.optional(tag::context(0))?.is_none() {
            reader.expect(tag::SEQUENCE, "the signer's certificate")?;
        }
        reader.expect(tag::SEQUENCE, "the digest algorithm")?;
        reader.optional(tag::context_constructed(0))?;
        reader.expect(tag::SEQUENCE, "the signature algorithm")?;
        let value = ber::octets(reader.element()?)?;
        let fixed = &info.value[..info.value.len() - reader.rest().len()];
        let unsigned = match reader.optional(tag::context_constructed(1))? {
            Some(set) => elements(set.value, attributes::MAX_UNSIGNED, "at most 500 unsigned attributes")?,
            None => Vec::new(),
        };
        reader.end()?;
        Ok(Self { fixed: Cow::Borrowed(fixed), value, unsigned })
    }

    fn encode(&self) -> Vec<u8> {
        if self.unsigned.is_empty() {
            return encode(tag::SEQUENCE, &[&self.fixed]);
        }
        encode(tag::SEQUENCE, &[&self.fixed, &encode_set(tag::context_constructed(1), &self.unsigned)])
    }

    /// The unsigned attributes that can be read, with their positions.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (usize, AttributeParts<'_>)> {
        let read = |(at, raw)| AttributeParts::read(raw).ok().map(|attribute| (at, attribute));
        self.unsigned.iter().map(|raw| &raw[..]).enumerate().filter_map(read)
    }

    /// The unsigned attributes of a type.
    pub(crate) fn of(&self, kind: ObjectIdentifier) -> impl Iterator<Item = (usize, AttributeParts<'_>)> {
        self.attributes().filter(move |(_, attribute)| attribute.is(kind))
    }

    /// Whether there is an unsigned attribute of this type.
    pub(crate) fn has(&self, kind: ObjectIdentifier) -> bool {
        self.of(kind).next().is_some()
    }
}

impl<'p> AttributeParts<'p> {
    fn read(attribute: &'p [u8]) -> Result<Self, Malformed> {
        let mut reader = BerReader::new(only(attribute)?.value);
        let kind = reader.expect(tag::OID, "the type of an attribute")?.raw;
        let set = reader.expect(tag::SET, "the values of an attribute")?;
        reader.end()?;
        Ok(Self { kind, set: set.raw, contents: set.value })
    }

    /// Whether the attribute has this type.
    pub(crate) fn is(&self, kind: ObjectIdentifier) -> bool {
        // Identifiers are short: one octet of tag, one of length.
        self.kind[2..] == *kind.as_bytes()
    }

    /// The values, as elements. What cannot be read ends the list.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'p [u8]> + use<'p> {
        let mut reader = BerReader::new(self.contents);
        core::iter::from_fn(move || {
            if reader.is_empty() {
                return None;
            }
            reader.element().ok().map(|value| value.raw)
        })
    }
}

/// The only element of `bytes`.
fn only(bytes: &[u8]) -> Result<Tlv<'_>, Malformed> {
    let mut reader = BerReader::new(bytes);
    let element = reader.element()?;
    reader.end()?;
    Ok(element)
}

fn elements<'a>(set: &'a [u8], limit: usize, what: &'static str) -> Result<Set<'a>, Malformed> {
    let mut reader = BerReader::new(set);
    let mut elements = Vec::new();
    while !reader.is_empty() {
        if elements.len() == limit {
            return Err(Malformed(what));
        }
        elements.push(Cow::Borrowed(reader.element()?.raw));
    }
    Ok(elements)
}

fn encode_set(tag: u8, set: &[Cow<'_, [u8]>]) -> Vec<u8> {
    let parts = set.iter().map(|element| &element[..]).collect::<Vec<_>>();
    encode(tag, &parts)
}

/// Adds an element unless the set has it. Returns whether it was added.
fn add(set: &mut Set<'_>, element: &[u8]) -> bool {
    if set.iter().any(|known| **known == *element) {
        return false;
    }
    insert(set, element.to_vec());
    true
}

/// Puts an element where DER wants it, or at the end of a set that is not in that order.
fn insert(set: &mut Set<'_>, element: Vec<u8>) {
    let at = if set.is_sorted() { set.partition_point(|known| **known < element[..]) } else { set.len() };
    set.insert(at, Cow::Owned(element));
}

#[cfg(test)]
mod tests;
