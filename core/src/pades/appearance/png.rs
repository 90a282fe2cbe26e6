//! PNG files (ISO/IEC 15948), decoded by the `png` crate under limits.

use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::image::{Body, Colours, Image, check_size};
use super::invalid;
use crate::pades::PadesError;

/// What the decoder may allocate, in bytes.
const MAX_DECODER_BYTES: usize = 16 << 20;

/// Decodes to gray or RGB of eight bits, with opacity apart.
///
/// # Errors
/// `appearance_invalid`: damaged, or too many pixels.
pub(super) fn read(file: &[u8]) -> Result<Image, PadesError> {
    let damaged = |error: ::png::DecodingError| invalid(format!("the PNG image cannot be read: {error}"));
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: MAX_DECODER_BYTES });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (reader.info().width, reader.info().height);
    check_size(width, height)?;
    let size = reader.output_buffer_size().ok_or_else(|| invalid("the image is too large"))?;
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(damaged)?;
    samples.truncate(frame.buffer_size());
    if frame.bit_depth != BitDepth::Eight {
        return Err(invalid("the PNG image has an unknown form"));
    }
    let (colours, alpha) = match frame.color_type {
        ColorType::Grayscale => (Colours::Gray, None),
        ColorType::Rgb => (Colours::Rgb, None),
        ColorType::GrayscaleAlpha => {
            let alpha = split_alpha(&mut samples, 2);
            (Colours::Gray, alpha)
        }
        ColorType::Rgba => {
            let alpha = split_alpha(&mut samples, 4);
            (Colours::Rgb, alpha)
        }
        ColorType::Indexed => return Err(invalid("the PNG image has an unknown form")),
    };
    Ok(Image { width, height, colours, body: Body::Samples { colours: samples, alpha } })
}

/// Takes the last sample of each pixel out; `None` when every pixel is opaque.
fn split_alpha(samples: &mut Vec<u8>, per_pixel: usize) -> Option<Vec<u8>> {
    let alpha: Vec<u8> = samples.iter().skip(per_pixel - 1).step_by(per_pixel).copied().collect();
    let mut at = 0;
    samples.retain(|_| {
        at += 1;
        at % per_pixel != 0
    });
    alpha.iter().any(|opacity| *opacity != u8::MAX).then_some(alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(colours: ColorType, depth: BitDepth, width: u32, height: u32, samples: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut file, width, height);
        encoder.set_color(colours);
        encoder.set_depth(depth);
        if colours == ColorType::Indexed {
            encoder.set_palette(vec![255, 0, 0, 0, 0, 255]);
            encoder.set_trns(vec![255, 64]);
        }
        encoder.write_header().unwrap().write_image_data(samples).unwrap();
        file
    }

    #[test]
    fn every_kind_of_png_becomes_gray_or_rgb_with_opacity_apart() {
        let check = |file: Vec<u8>, colours: Colours, samples: &[u8], alpha: Option<&[u8]>| {
            let image = read(&file).unwrap();
            assert_eq!((image.width, image.height, image.colours), (2, 1, colours));
            let expected = Body::Samples { colours: samples.to_vec(), alpha: alpha.map(<[u8]>::to_vec) };
            assert_eq!(image.body, expected);
        };
        use BitDepth::{Eight, One, Sixteen};
        let gray = ColorType::Grayscale;
        check(encode(gray, Eight, 2, 1, &[7, 9]), Colours::Gray, &[7, 9], None);
        check(encode(gray, One, 2, 1, &[0b0100_0000]), Colours::Gray, &[0, 255], None);
        check(encode(gray, Sixteen, 2, 1, &[7, 1, 9, 2]), Colours::Gray, &[7, 9], None);
        let rgb = [1, 2, 3, 4, 5, 6];
        check(encode(ColorType::Rgb, Eight, 2, 1, &rgb), Colours::Rgb, &rgb, None);
        let rgba = [1, 2, 3, 255, 4, 5, 6, 0];
        check(encode(ColorType::Rgba, Eight, 2, 1, &rgba), Colours::Rgb, &rgb, Some(&[255, 0]));
        let opaque = [1, 2, 3, 255, 4, 5, 6, 255];
        check(encode(ColorType::Rgba, Eight, 2, 1, &opaque), Colours::Rgb, &rgb, None);
        let gray_alpha = [7, 8, 9, 10];
        let file = encode(ColorType::GrayscaleAlpha, Eight, 2, 1, &gray_alpha);
        check(file, Colours::Gray, &[7, 9], Some(&[8, 10]));
        let indexed = encode(ColorType::Indexed, One, 2, 1, &[0b0100_0000]);
        check(indexed, Colours::Rgb, &[255, 0, 0, 0, 0, 255], Some(&[255, 64]));
    }

    #[test]
    fn a_damaged_or_large_png_is_refused() {
        let good = encode(ColorType::Rgb, BitDepth::Eight, 2, 1, &[1, 2, 3, 4, 5, 6]);
        let refused =
            |file: &[u8]| read(file).is_err_and(|error| error.code() == crate::ErrorCode::AppearanceInvalid);
        for end in 0..good.len() - 16 {
            assert!(refused(&good[..end]), "{end}");
        }
        let mut large = good.clone();
        large[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
        assert!(refused(&large));
    }
}
