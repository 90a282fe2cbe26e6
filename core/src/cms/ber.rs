//! BER to DER for the outer layers of foreign signatures.
//!
//! Two of three sampled Brazilian PDF signatures are written with indefinite lengths and OCTET STRINGs
//! in pieces (X.690 §8.1.3.6, §8.7.3). Exactly these two freedoms are undone; whatever was in DER comes
//! out byte for byte, so certificates and signed attributes inside are not touched.

use crate::tlv::{Malformed, Reader, encode, tag};

/// Deepest nesting that is followed. A SignedData with certificates needs about fifteen levels.
const MAX_DEPTH: usize = 32;

/// Converts the first element of `bytes`. Returns its DER and how many bytes were read.
pub(super) fn to_der(bytes: &[u8]) -> Result<(Vec<u8>, usize), Malformed> {
    let (mut rest, mut der) = (bytes, Vec::new());
    convert(&mut rest, &mut der, MAX_DEPTH)?;
    Ok((der, bytes.len() - rest.len()))
}

fn convert(rest: &mut &[u8], out: &mut Vec<u8>, depth: usize) -> Result<(), Malformed> {
    const CONSTRUCTED: u8 = 0x20;
    let depth = depth.checked_sub(1).ok_or(Malformed("a structure that is less deep"))?;
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
            (&too_deep, "a structure that is less deep"),
        ] {
            assert_eq!(to_der(bytes), Err(Malformed(expected)), "{bytes:02x?}");
        }
    }

    proptest! {
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
