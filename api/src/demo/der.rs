//! Writes the few DER structures that the demo's authorities publish: lists, bundles, time stamps.

/// Tags (X.690 §8.1.2).
pub(super) mod tag {
    pub(in crate::demo) const INTEGER: u8 = 0x02;
    pub(in crate::demo) const BIT_STRING: u8 = 0x03;
    pub(in crate::demo) const OCTET_STRING: u8 = 0x04;
    pub(in crate::demo) const NULL: u8 = 0x05;
    pub(in crate::demo) const OID: u8 = 0x06;
    pub(in crate::demo) const UTC_TIME: u8 = 0x17;
    pub(in crate::demo) const GENERALIZED_TIME: u8 = 0x18;
    pub(in crate::demo) const SEQUENCE: u8 = 0x30;
    pub(in crate::demo) const SET: u8 = 0x31;
    /// `[n]` around an element.
    pub(in crate::demo) const fn context(number: u8) -> u8 {
        0xa0 | number
    }
}

/// One element from its parts.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1)..];
            out.push(0x80 | u8::try_from(bytes.len()).expect("a length has at most eight bytes"));
            out.extend_from_slice(bytes);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A SEQUENCE.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, parts)
}

/// An OBJECT IDENTIFIER.
pub(super) fn oid(oid: const_oid::ObjectIdentifier) -> Vec<u8> {
    element(tag::OID, &[oid.as_bytes()])
}

/// An INTEGER that is not negative.
pub(super) fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1)..];
    let sign: &[u8] = if bytes[0] & 0x80 == 0 { &[] } else { &[0] };
    element(tag::INTEGER, &[sign, bytes])
}

/// An AlgorithmIdentifier with NULL parameters.
pub(super) fn algorithm(algorithm: const_oid::ObjectIdentifier) -> Vec<u8> {
    sequence(&[&oid(algorithm), &[tag::NULL, 0]])
}

/// The contents of one element at the start of `bytes`, and what follows it. For what this program wrote itself.
pub(super) fn open(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

/// The elements within `contents`.
pub(super) fn elements(mut contents: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    while !contents.is_empty() {
        let (tag, value, rest) = open(contents)?;
        found.push((tag, value));
        contents = rest;
    }
    Some(found)
}
