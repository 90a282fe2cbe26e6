//! Decodes the streams that hold structure: cross-reference and object streams.

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::{Dictionary, Object, PdfError};

/// Decoded length that one stream of structure may have, in bytes: four million cross-reference rows.
const MAX_DECODED_BYTES: usize = 32 << 20;

/// Decodes `raw`, the body of a stream with dictionary `dictionary`.
///
/// Knows what such streams are written with: no filter, or FlateDecode with or without a PNG predictor
/// (ISO 32000-2 §7.4.4).
pub(crate) fn decode_stream(dictionary: &Dictionary, raw: &[u8]) -> Result<Vec<u8>, PdfError> {
    if raw.len() > MAX_DECODED_BYTES {
        return Err(PdfError::limit("bytes in a stream of structure", MAX_DECODED_BYTES as u64));
    }
    if dictionary.get(b"F").is_some() {
        return Err(PdfError::unsupported("a stream outside the file"));
    }
    match single(dictionary.get(b"Filter")) {
        Some(None) => return Ok(raw.to_vec()),
        Some(Some(Object::Name(name))) if name == b"FlateDecode" => {}
        _ => return Err(PdfError::unsupported("a filter that is not read here")),
    }
    let data = decompress_to_vec_zlib_with_limit(raw, MAX_DECODED_BYTES).map_err(|error| {
        if error.status == TINFLStatus::HasMoreOutput {
            PdfError::limit("bytes in a stream of structure", MAX_DECODED_BYTES as u64)
        } else {
            PdfError::damaged(0, "a compressed stream cannot be decoded")
        }
    })?;
    let unreadable = PdfError::unsupported("decoding parameters that are not read here");
    let parameters = match single(dictionary.get(b"DecodeParms")) {
        Some(None) => return Ok(data),
        Some(Some(Object::Dictionary(parameters))) => parameters,
        _ => return Err(unreadable),
    };
    let value = |key, default| match parameters.get(key) {
        None => Some(default),
        Some(object) => object.as_integer().and_then(|value| usize::try_from(value).ok()),
    };
    match (value(b"Predictor", 1), value(b"Columns", 1), value(b"Colors", 1), value(b"BitsPerComponent", 8)) {
        (Some(1), ..) => Ok(data),
        (Some(10..=15), Some(columns @ 1..=4096), Some(1), Some(8)) => undo_png_prediction(data, columns),
        _ => Err(unreadable),
    }
}

/// `Filter` and `DecodeParms` may be one object or an array; `None` when there is more than one.
fn single(object: Option<&Object>) -> Option<Option<&Object>> {
    match object.and_then(Object::as_array) {
        None | Some([]) => Some(object.filter(|object| object.as_array().is_none())),
        Some([only]) => Some(Some(only).filter(|object| **object != Object::Null)),
        Some(_) => None,
    }
}

/// Undoes the row filters of PNG (ISO/IEC 15948 §9) for one byte per pixel.
fn undo_png_prediction(data: Vec<u8>, columns: usize) -> Result<Vec<u8>, PdfError> {
    let mut decoded = Vec::with_capacity(data.len());
    let mut above = vec![0_u8; columns];
    for (row_index, encoded) in data.chunks(columns + 1).enumerate() {
        let damaged = PdfError::damaged((row_index * (columns + 1)) as u64, "a PNG row cannot be decoded");
        let [method, encoded @ ..] = encoded else { return Err(damaged) };
        if encoded.len() != columns {
            return Err(damaged);
        }
        let mut left = 0;
        let mut above_left = 0;
        for (byte, up) in encoded.iter().zip(above.iter_mut()) {
            let prediction = match method {
                0 => 0,
                1 => left,
                2 => *up,
                3 => left.midpoint(*up),
                4 => paeth(left, *up, above_left),
                _ => return Err(damaged),
            };
            above_left = *up;
            left = byte.wrapping_add(prediction);
            *up = left;
        }
        decoded.extend_from_slice(&above);
    }
    Ok(decoded)
}

fn paeth(left: u8, up: u8, above_left: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(above_left);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    if distance(left) <= distance(up) && distance(left) <= distance(above_left) {
        left
    } else if distance(up) <= distance(above_left) {
        up
    } else {
        above_left
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;
    use crate::pdf::Parser;

    fn dictionary(text: &str) -> Dictionary {
        Parser::new(text.as_bytes(), 0).object().unwrap().as_dictionary().unwrap().clone()
    }

    #[test]
    fn every_png_row_filter_is_undone() {
        // Rows 1 2 3 / 2 4 6 / 3 6 9 / 4 8 12 / 5 10 15, each written with another filter.
        let rows = [[0, 1, 2, 3], [1, 2, 2, 2], [2, 1, 2, 3], [3, 3, 3, 4], [4, 1, 2, 3]];
        let flat = compress_to_vec_zlib(rows.as_flattened(), 6);
        let filter = dictionary("<</Filter[/FlateDecode]/DecodeParms[<</Predictor 12/Columns 3>>]>>");
        let decoded = decode_stream(&filter, &flat).unwrap();
        assert_eq!(decoded, [1, 2, 3, 2, 4, 6, 3, 6, 9, 4, 8, 12, 5, 10, 15]);
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = compress_to_vec_zlib(&vec![0; MAX_DECODED_BYTES + 1], 6);
        assert!(bomb.len() < 100_000);
        let result = decode_stream(&dictionary("<</Filter/FlateDecode>>"), &bomb);
        assert_eq!(result, Err(PdfError::limit("bytes in a stream of structure", MAX_DECODED_BYTES as u64)));
    }

    #[test]
    fn unknown_filters_and_parameters_are_refused() {
        let data = compress_to_vec_zlib(b"abc", 6);
        for text in [
            "<</Filter/LZWDecode>>",
            "<</Filter[/FlateDecode/FlateDecode]>>",
            "<</Filter 7>>",
            "<</Filter/FlateDecode/DecodeParms<</Predictor 2>>>>",
            "<</Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 0>>>>",
            "<</Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 2/Colors 3>>>>",
            "<</Filter/FlateDecode/DecodeParms 1>>",
            "<</F(other.pdf)>>",
        ] {
            assert!(
                matches!(decode_stream(&dictionary(text), &data), Err(PdfError::Unsupported { .. })),
                "{text}"
            );
        }
        assert!(decode_stream(&dictionary("<</Filter/FlateDecode>>"), &data[..4]).is_err());
        assert_eq!(decode_stream(&dictionary("<</Filter null>>"), b"raw").unwrap(), b"raw");
    }
}
