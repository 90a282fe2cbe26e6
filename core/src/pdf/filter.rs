//! Decodes the streams that hold structure: cross-reference and object streams.

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::{Dictionary, Object, PdfError};

/// Length that one stream may have that is read here, encoded or decoded, in bytes: two million
/// cross-reference rows, or a large revocation list.
pub(super) const MAX_DECODED_BYTES: usize = 16 << 20;

/// Output that any stream may inflate to, in bytes.
const FREE_BYTES: usize = 1 << 20;
/// Beyond that, a stream may inflate this many times. Deflate reaches 1032; rows and objects stay below 50.
const MAX_RATIO: usize = 256;

/// Decodes `raw`, the body of a stream with dictionary `dictionary`.
///
/// Knows what such streams are written with: no filter, or FlateDecode with or without a PNG predictor
/// (ISO 32000-2 §7.4.4).
pub(crate) fn decode_stream(dictionary: &Dictionary, raw: &[u8]) -> Result<Vec<u8>, PdfError> {
    if raw.len() > MAX_DECODED_BYTES {
        return Err(PdfError::limit("bytes in a stream of structure or data", MAX_DECODED_BYTES as u64));
    }
    if dictionary.get(b"F").is_some() {
        return Err(PdfError::unsupported("a stream outside the file"));
    }
    let unknown = PdfError::unsupported("a filter that is not read here");
    let mut filters = filters(dictionary).ok_or(unknown.clone())?;
    // Decryption comes before this.
    filters.retain(|(name, _)| *name != b"Crypt");
    let parameters = match filters[..] {
        [] => return Ok(raw.to_vec()),
        [(b"FlateDecode", parameters)] => parameters,
        _ => return Err(unknown),
    };
    let limit = raw.len().saturating_mul(MAX_RATIO).clamp(FREE_BYTES, MAX_DECODED_BYTES);
    let data = decompress_to_vec_zlib_with_limit(raw, limit).map_err(|error| {
        if error.status == TINFLStatus::HasMoreOutput && limit < MAX_DECODED_BYTES {
            PdfError::limit("times the length of a compressed stream", MAX_RATIO as u64)
        } else if error.status == TINFLStatus::HasMoreOutput {
            PdfError::limit("bytes in a stream of structure or data", MAX_DECODED_BYTES as u64)
        } else {
            PdfError::damaged(0, "a compressed stream cannot be decoded")
        }
    })?;
    let unreadable = PdfError::unsupported("decoding parameters that are not read here");
    let Some(parameters) = parameters else { return Ok(data) };
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

/// The filters of a stream with their parameters, in the order of decoding. `Filter` and `DecodeParms` may be
/// one object or an array each. `None` when they are something else.
pub(super) fn filters(dictionary: &Dictionary) -> Option<Vec<(&[u8], Option<&Dictionary>)>> {
    let list = |key| match dictionary.get(key) {
        None => &[],
        Some(Object::Array(items)) => items.as_slice(),
        Some(one) => core::slice::from_ref(one),
    };
    let parameters = list(b"DecodeParms");
    let filters = list(b"Filter");
    if parameters.len() > filters.len() {
        return None;
    }
    let filters = filters.iter().enumerate().map(|(index, filter)| {
        let parameters = match parameters.get(index) {
            None | Some(Object::Null) => None,
            Some(object) => Some(object.as_dictionary()?),
        };
        Some((filter.as_name()?, parameters))
    });
    filters.collect()
}

/// Undoes the row filters of PNG (ISO/IEC 15948 §9) for one byte per pixel.
fn undo_png_prediction(mut data: Vec<u8>, columns: usize) -> Result<Vec<u8>, PdfError> {
    let mut above = vec![0_u8; columns];
    let rows = data.len().div_ceil(columns + 1);
    // Rows move forward in place: a row without its method is shorter.
    for row in 0..rows {
        let at = row * (columns + 1);
        let damaged = PdfError::damaged(at as u64, "a PNG row cannot be decoded");
        if data.len() - at <= columns {
            return Err(damaged);
        }
        let method = data[at];
        let mut left = 0;
        let mut above_left = 0;
        for (column, up) in above.iter_mut().enumerate() {
            let prediction = match method {
                0 => 0,
                1 => left,
                2 => *up,
                3 => left.midpoint(*up),
                4 => paeth(left, *up, above_left),
                _ => return Err(damaged),
            };
            above_left = *up;
            left = data[at + 1 + column].wrapping_add(prediction);
            *up = left;
        }
        data[row * columns..][..columns].copy_from_slice(&above);
    }
    data.truncate(rows * columns);
    Ok(data)
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
    fn a_bomb_is_refused_at_the_limit_of_its_ratio_or_of_its_length() {
        let flate = dictionary("<</Filter/FlateDecode>>");
        let zeros = compress_to_vec_zlib(&vec![0; 2 << 20], 6);
        assert!(zeros.len() < 4096);
        let ratio = PdfError::limit("times the length of a compressed stream", 256);
        assert_eq!(decode_stream(&flate, &zeros), Err(ratio));
        let pattern: Vec<u8> = (0..400_u32).map(|i| i.wrapping_mul(i).to_le_bytes()[0]).collect();
        let long = compress_to_vec_zlib(&pattern.repeat(MAX_DECODED_BYTES / 400 + 1), 6);
        let length = PdfError::limit("bytes in a stream of structure or data", MAX_DECODED_BYTES as u64);
        assert_eq!(decode_stream(&flate, &long), Err(length));
        assert_eq!(decode_stream(&flate, &compress_to_vec_zlib(&[0; 1 << 20], 6)), Ok(vec![0; 1 << 20]));
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
