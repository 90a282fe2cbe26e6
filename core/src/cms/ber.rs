//! BER to DER for the outer layers of foreign signatures.
//!
//! Two of three sampled Brazilian PDF signatures are written with indefinite lengths and OCTET STRINGs
//! in pieces (X.690 §8.1.3.6, §8.7.3). Exactly these two freedoms are undone; whatever was in DER comes
//! out byte for byte, so certificates and signed attributes inside are not touched.
//!
//! [`BerReader`] converts nothing: it walks over either form and gives out what stands there.

use std::borrow::Cow;

use crate::tlv::{Malformed, Reader, Tlv, encode, tag};

/// Deepest nesting that is followed. A SignedData with certificates needs about fifteen levels.
const MAX_DEPTH: usize = 32;

/// Converts the first element of `bytes`. Returns its DER and how many bytes were read.
pub(crate) fn to_der(bytes: &[u8]) -> Result<(Vec<u8>, usize), Malformed> {
    let (mut rest, mut der) = (bytes, Vec::new());
    convert(&mut rest, &mut der, MAX_DEPTH)?;
    Ok((der, bytes.len() - rest.len()))
}

const CONSTRUCTED: u8 = 0x20;

fn convert(rest: &mut &[u8], out: &mut Vec<u8>, depth: usize) -> Result<(), Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed("at most 32 levels"))?;
    let mut contents = Vec::new();
    let tag = if let [tag, 0x80, inner @ ..] = *rest
        && tag & CONSTRUCTED != 0
    {
        *rest = inner;
        while !rest.starts_with(&[0, 0]) {
            convert(rest, &mut contents, depth)?;
        }
        *rest = &rest[2..];
        *tag
    } else {
        let mut reader = Reader::new(rest);
        let definite = reader.element()?;
        *rest = reader.rest();
        if definite.tag & CONSTRUCTED == 0 {
            out.extend_from_slice(definite.raw);
            return Ok(());
        }
        let mut inner = definite.value;
        while !inner.is_empty() {
            convert(&mut inner, &mut contents, depth)?;
        }
        definite.tag
    };
    out.extend(if tag == tag::CONSTRUCTED_OCTET_STRING {
        joined(&contents)?
    } else {
        encode(tag, &[&contents])
    });
    Ok(())
}

/// One OCTET STRING from its pieces, which are in DER by now.
fn joined(pieces: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut reader = Reader::new(pieces);
    let mut contents = Vec::new();
    while !reader.is_empty() {
        let piece = reader.expect(tag::OCTET_STRING, "a piece of an OCTET STRING")?;
        contents.extend_from_slice(piece.value);
    }
    Ok(encode(tag::OCTET_STRING, &[&contents]))
}

/// Reads elements one after the other, with definite or indefinite length.
///
/// Of an element with indefinite length, [`Tlv::value`] leaves out the end-of-contents octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct BerReader<'a> {
    rest: &'a [u8],
}

impl<'a> BerReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, whatever it is.
    pub(super) fn element(&mut self) -> Result<Tlv<'a>, Malformed> {
        let [tag, 0x80, ..] = *self.rest else { return self.definite() };
        if tag & CONSTRUCTED == 0 {
            return Err(Malformed("a definite length"));
        }
        let whole = self.rest;
        self.rest = &whole[2..];
        // Counts instead of recursing: the depth comes from the file.
        let mut open = 1;
        while open > 0 {
            match *self.rest {
                [0, 0, ..] => {
                    open -= 1;
                    self.rest = &self.rest[2..];
                }
                [inner, 0x80, ..] if inner & CONSTRUCTED != 0 => {
                    open += 1;
                    self.rest = &self.rest[2..];
                    if open > MAX_DEPTH {
                        return Err(Malformed("at most 32 levels"));
                    }
                }
                _ => {
                    self.definite()?;
                }
            }
        }
        let raw = &whole[..whole.len() - self.rest.len()];
        Ok(Tlv { tag, raw, value: &raw[2..raw.len() - 2] })
    }

    /// The next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Tlv<'a>, Malformed> {
        let element = self.element()?;
        if element.tag == tag { Ok(element) } else { Err(Malformed(what)) }
    }

    /// The next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, Malformed> {
        if self.rest.first() == Some(&tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        Reader::new(self.rest).end()
    }

    fn definite(&mut self) -> Result<Tlv<'a>, Malformed> {
        let mut reader = Reader::new(self.rest);
        let element = reader.element()?;
        self.rest = reader.rest();
        Ok(element)
    }
}

/// Contents of an OCTET STRING, whole or in pieces.
pub(super) fn octets<'a>(string: Tlv<'a>) -> Result<Cow<'a, [u8]>, Malformed> {
    match string.tag {
        tag::OCTET_STRING => Ok(Cow::Borrowed(string.value)),
        tag::CONSTRUCTED_OCTET_STRING => {
            let (der, _) = to_der(string.raw)?;
            Ok(Cow::Owned(Reader::new(&der).element()?.value.to_vec()))
        }
        _ => Err(Malformed("an OCTET STRING")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn indefinite_lengths_and_pieces_become_der() {
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 0xaa, 0x24, 0x03, 0x04, 0x01, 0xbb, 0x00, 0x00, 0x02, 0x01,
            0x05, 0x00, 0x00, 0x99,
        ];
        let (der, read) = to_der(&ber).unwrap();
        assert_eq!(der, [0x30, 0x07, 0x04, 0x02, 0xaa, 0xbb, 0x02, 0x01, 0x05]);
        assert_eq!(read, ber.len() - 1);
    }

    #[test]
    fn broken_or_too_deep_structures_are_refused() {
        let too_deep = [[0x30, 0x80]; MAX_DEPTH + 1].concat();
        for (bytes, expected) in [
            (&[0x30, 0x80][..], "an element is missing"),
            (&[0x30, 0x80, 0x02, 0x01, 0x05, 0x00], "a length is missing"),
            (&[0x04, 0x80, 0x00, 0x00], "a definite length"),
            (&[0x24, 0x03, 0x02, 0x01, 0x05], "a piece of an OCTET STRING"),
            (&too_deep, "at most 32 levels"),
        ] {
            assert_eq!(to_der(bytes), Err(Malformed(expected)), "{bytes:02x?}");
        }
    }

    #[test]
    fn the_reader_gives_out_what_stands_there() {
        let ber =
            [0x30, 0x80, 0x30, 0x80, 0x02, 0x01, 0x05, 0x00, 0x00, 0x30, 0x02, 0x30, 0x80, 0x00, 0x00, 0x04];
        let mut reader = BerReader::new(&ber);
        let outer = reader.expect(tag::SEQUENCE, "a SEQUENCE").unwrap();
        assert_eq!((outer.raw, outer.value), (&ber[..15], &ber[2..13]));
        assert_eq!(reader.rest(), [0x04]);
        let mut inner = BerReader::new(outer.value);
        assert_eq!(inner.element().unwrap().value, [0x02, 0x01, 0x05]);
        assert_eq!(inner.element().unwrap().value, [0x30, 0x80]);
        assert!(inner.is_empty() && inner.end().is_ok());
        let pieces = [0x24, 0x80, 0x04, 0x01, 0xaa, 0x24, 0x03, 0x04, 0x01, 0xbb, 0x00, 0x00];
        assert_eq!(*octets(BerReader::new(&pieces).element().unwrap()).unwrap(), [0xaa, 0xbb]);
    }

    #[test]
    fn the_reader_does_not_follow_a_million_levels() {
        for levels in [MAX_DEPTH + 1, 1_000_000] {
            let bytes = [0x30, 0x80].repeat(levels);
            let refused = BerReader::new(&bytes).element().unwrap_err();
            assert_eq!(refused, Malformed("at most 32 levels"));
        }
    }

    proptest! {
        #[test]
        fn the_reader_and_the_conversion_agree_where_an_element_ends(
            bytes in proptest::collection::vec(prop_oneof![Just(0x30_u8), Just(0x80), Just(0x24), Just(0), any::<u8>()], 0..80),
        ) {
            if let Ok((_, read)) = to_der(&bytes) {
                prop_assert_eq!(BerReader::new(&bytes).element().unwrap().raw.len(), read);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_the_result_is_stable(
            bytes in proptest::collection::vec(prop_oneof![Just(0x30_u8), Just(0x80), Just(0x24), Just(0), any::<u8>()], 0..80),
        ) {
            if let Ok((der, read)) = to_der(&bytes) {
                prop_assert!(read <= bytes.len());
                let length = der.len();
                prop_assert_eq!(to_der(&der), Ok((der, length)));
            }
        }
    }
}
