//! DER at the level of tag, length and value (X.690).
//!
//! Bytes that were signed must leave this crate exactly as they came in, so certificates, names and
//! attributes are kept as slices of what was read and never encoded again from parsed structures.
//! One strict reader serves all of them: single-byte tags, definite lengths in their shortest form,
//! nothing behind the end. It allocates nothing and cannot recurse.

use crate::Timestamp;

/// Tags used by X.509 and CMS.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    pub(crate) const CONSTRUCTED_OCTET_STRING: u8 = 0x24;

    /// `[n]`, primitive.
    pub(crate) const fn context(n: u8) -> u8 {
        0x80 | n
    }

    /// `[n]`, constructed.
    pub(crate) const fn context_constructed(n: u8) -> u8 {
        0xa0 | n
    }
}

/// The bytes are not what the structure asks for; the text says what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tlv<'a> {
    /// Identifier octet.
    pub(crate) tag: u8,
    /// Tag, length and contents as read.
    pub(crate) raw: &'a [u8],
    /// Contents octets.
    pub(crate) value: &'a [u8],
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, whatever it is.
    pub(crate) fn element(&mut self) -> Result<Tlv<'a>, Malformed> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(Malformed("an element is missing"))?;
        if tag & 0x1f == 0x1f {
            return Err(Malformed("a tag of several bytes has no place here"));
        }
        let (length, header) = definite_length(after_tag)?;
        let start = 1 + header;
        let end = start.checked_add(length).filter(|end| *end <= self.rest.len());
        let end = end.ok_or(Malformed("an element ends behind its container"))?;
        let (raw, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Tlv { tag, raw, value: &raw[start..] })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Tlv<'a>, Malformed> {
        let element = self.element()?;
        if element.tag == tag { Ok(element) } else { Err(Malformed(what)) }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, Malformed> {
        if self.rest.first() == Some(&tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed("there are bytes behind the end")) }
    }
}

impl<'a> Tlv<'a> {
    /// Reader over the contents.
    pub(crate) const fn reader(&self) -> Reader<'a> {
        Reader::new(self.value)
    }

    /// BIT STRING whose length is a whole number of bytes.
    pub(crate) fn bit_string_bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.value.split_first() {
            Some((0, bytes)) => Ok(bytes),
            Some(_) | None => Err(Malformed("a BIT STRING of whole bytes")),
        }
    }

    /// INTEGER ≥ 0 as big-endian magnitude without leading zeros (zero is the empty slice).
    pub(crate) fn unsigned(&self) -> Result<&'a [u8], Malformed> {
        check_integer(self.value)?;
        match self.value {
            [0, magnitude @ ..] => Ok(magnitude),
            [first, ..] if first & 0x80 == 0 => Ok(self.value),
            _ => Err(Malformed("an INTEGER that is not negative")),
        }
    }

    /// INTEGER between 0 and 2³¹ − 1.
    pub(crate) fn small_unsigned(&self) -> Result<u32, Malformed> {
        let magnitude = self.unsigned()?;
        if magnitude.len() > 4 || (magnitude.len() == 4 && magnitude[0] & 0x80 != 0) {
            return Err(Malformed("a small INTEGER"));
        }
        Ok(magnitude.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// BOOLEAN in DER.
    pub(crate) fn boolean(&self) -> Result<bool, Malformed> {
        match self.value {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(Malformed("a BOOLEAN in DER")),
        }
    }

    /// UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows them: seconds, `Z`, no fraction.
    pub(crate) fn time(&self) -> Result<Timestamp, Malformed> {
        const WHAT: Malformed = Malformed("a time in UTC with seconds and without fraction");
        let text = core::str::from_utf8(self.value).map_err(|_| WHAT)?;
        let digits = text.strip_suffix('Z').ok_or(WHAT)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(WHAT);
        }
        let number = |range: core::ops::Range<usize>| -> Result<u8, Malformed> {
            digits.get(range).and_then(|two| two.parse().ok()).ok_or(WHAT)
        };
        let (year, rest) = match (self.tag, digits.len()) {
            (tag::UTC_TIME, 12) => {
                let two = u16::from(number(0..2)?);
                (if two < 50 { 2000 + two } else { 1900 + two }, 2)
            }
            (tag::GENERALIZED_TIME, 14) => (u16::from(number(0..2)?) * 100 + u16::from(number(2..4)?), 4),
            _ => return Err(WHAT),
        };
        let at = |index: usize| number(rest + 2 * index..rest + 2 * index + 2);
        der::DateTime::new(year, at(0)?, at(1)?, at(2)?, at(3)?, at(4)?)
            .map(Timestamp::from)
            .map_err(|_| WHAT)
    }
}

/// The only element of `bytes`, which must have this tag.
pub(crate) fn single<'a>(bytes: &'a [u8], tag: u8, what: &'static str) -> Result<Tlv<'a>, Malformed> {
    let mut reader = Reader::new(bytes);
    let element = reader.expect(tag, what)?;
    reader.end()?;
    Ok(element)
}

/// INTEGER contents in the shortest form (X.690 §8.3.2).
pub(crate) fn check_integer(contents: &[u8]) -> Result<(), Malformed> {
    match contents {
        [] => Err(Malformed("an INTEGER with contents")),
        [0, second, ..] if second & 0x80 == 0 => Err(Malformed("an INTEGER in the shortest form")),
        [0xff, second, ..] if second & 0x80 != 0 => Err(Malformed("an INTEGER in the shortest form")),
        _ => Ok(()),
    }
}

/// Writes one element from the parts of its contents.
pub(crate) fn encode(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    push_length(&mut out, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Writes a SET OF in DER: the encodings in ascending order of their bytes (X.690 §11.6).
pub(crate) fn encode_set_of(tag: u8, mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    // Encodings of a self-delimiting form are never prefixes of each other, so plain comparison equals
    // the comparison with zero padding that the standard asks for.
    elements.sort();
    let parts = elements.iter().map(Vec::as_slice).collect::<Vec<_>>();
    encode(tag, &parts)
}

/// Position of `inner`, which must be a part of `outer`.
pub(crate) fn range_in(outer: &[u8], inner: &[u8]) -> core::ops::Range<usize> {
    let start = inner.as_ptr().addr() - outer.as_ptr().addr();
    debug_assert!(start + inner.len() <= outer.len(), "the part lies inside the whole");
    start..start + inner.len()
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1)..];
    match significant {
        [short] if *short < 0x80 => out.push(*short),
        long => {
            out.push(0x80 | u8::try_from(long.len()).expect("usize has at most eight bytes"));
            out.extend_from_slice(long);
        }
    }
}

/// Length octets in DER: `(length, number of octets)`.
fn definite_length(bytes: &[u8]) -> Result<(usize, usize), Malformed> {
    match *bytes {
        [] => Err(Malformed("a length is missing")),
        [short, ..] if short < 0x80 => Ok((usize::from(short), 1)),
        [0x80, ..] => Err(Malformed("a definite length")),
        [first, ..] => {
            let count = usize::from(first & 0x7f);
            // Four octets address 4 GiB: more than any structure read here, on 32-bit targets too.
            let octets = bytes.get(1..=count).filter(|_| count <= 4);
            let octets = octets.ok_or(Malformed("a length of at most four octets"))?;
            let length = octets.iter().fold(0_u64, |length, octet| length << 8 | u64::from(*octet));
            if octets[0] == 0 || length < 0x80 {
                return Err(Malformed("a length in the shortest form"));
            }
            let length = usize::try_from(length).map_err(|_| Malformed("a length that fits in memory"))?;
            Ok((length, 1 + count))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_take_the_shortest_form_only() {
        for (bytes, expected) in [
            (&[0x04, 0x00][..], Ok(0)),
            (&[0x04, 0x81, 0x80], Err("an element ends behind its container")),
            (&[0x04, 0x81, 0x01, 0xff], Err("a length in the shortest form")),
            (&[0x04, 0x82, 0x00, 0x80], Err("a length in the shortest form")),
            (&[0x04, 0x80, 0x00, 0x00], Err("a definite length")),
            (&[0x04, 0x85, 1, 1, 1, 1, 1], Err("a length of at most four octets")),
            (&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], Err("an element ends behind its container")),
            (&[0x1f, 0x81, 0x00, 0x00], Err("a tag of several bytes has no place here")),
            (&[0x04], Err("a length is missing")),
            (&[], Err("an element is missing")),
        ] {
            let read = Reader::new(bytes).element().map(|element| element.value.len());
            assert_eq!(read, expected.map_err(Malformed), "{bytes:02x?}");
        }
    }

    #[test]
    fn times_of_both_kinds_are_read_and_loose_forms_refused() {
        for (tag, text, expected) in [
            (tag::UTC_TIME, "260101120000Z", Some("2026-01-01T12:00:00Z")),
            (tag::UTC_TIME, "991231235959Z", Some("1999-12-31T23:59:59Z")),
            (tag::GENERALIZED_TIME, "20500101000000Z", Some("2050-01-01T00:00:00Z")),
            (tag::UTC_TIME, "2601011200Z", None),
            (tag::UTC_TIME, "260101120000+0000", None),
            (tag::GENERALIZED_TIME, "20260101120000.5Z", None),
            (tag::GENERALIZED_TIME, "20260231120000Z", None),
            (tag::OCTET_STRING, "260101120000Z", None),
        ] {
            let element = Tlv { tag, raw: &[], value: text.as_bytes() };
            assert_eq!(element.time().ok().map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(tag in 0_u8..0x1f, value in proptest::collection::vec(any::<u8>(), 0..300)) {
            let bytes = encode(tag, &[&value]);
            let element = single(&bytes, tag, "tag").unwrap();
            prop_assert_eq!(element.value, &value[..]);
            prop_assert_eq!(element.raw, &bytes[..]);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes);
            while let Ok(element) = reader.element() {
                let _ = (element.unsigned(), element.small_unsigned(), element.boolean(), element.time());
                prop_assert!(!element.raw.is_empty());
            }
        }
    }
}
