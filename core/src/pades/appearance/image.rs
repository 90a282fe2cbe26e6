//! Pictures: PNG is decoded and compressed again, JPEG goes in as it is.

use super::{invalid, jpeg, png};
use crate::pades::PadesError;
use crate::pdf::{Dictionary, IncrementalUpdate, Object, Reference};

/// Length of the file that is given, in bytes.
const MAX_FILE_BYTES: usize = 2 << 20;
/// Width times height. Eight bytes of each are held in memory at most.
pub(super) const MAX_PIXELS: u64 = 4_000_000;
/// Effort of the compressor, 0 to 10.
const COMPRESSION: u8 = 6;

/// Colour of each sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Gray,
    Rgb,
    /// Four inks; `inverted` as Adobe writes them.
    Cmyk {
        inverted: bool,
    },
}

impl Colours {
    /// Samples of one pixel.
    const fn samples(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Cmyk { .. } => 4,
        }
    }

    const fn space(self) -> &'static [u8] {
        match self {
            Self::Gray => b"DeviceGray",
            Self::Rgb => b"DeviceRGB",
            Self::Cmyk { .. } => b"DeviceCMYK",
        }
    }
}

/// A picture that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) colours: Colours,
    pub(super) body: Body,
}

/// The pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// A JPEG file.
    Jpeg(Vec<u8>),
    /// Samples of eight bits, row by row, and the opacity of each pixel when some are not opaque.
    Samples { colours: Vec<u8>, alpha: Option<Vec<u8>> },
}

/// Reads a PNG or JPEG file.
///
/// # Errors
/// `appearance_invalid`: another format, damaged, or larger than 2 MiB or 4 million pixels.
pub(super) fn read(file: &[u8]) -> Result<Image, PadesError> {
    if file.len() > MAX_FILE_BYTES {
        return Err(invalid(format!("the image has more than {MAX_FILE_BYTES} bytes")));
    }
    match file {
        [0x89, b'P', b'N', b'G', ..] => png::read(file),
        [0xff, 0xd8, ..] => jpeg::read(file),
        _ => Err(invalid("the image is neither PNG nor JPEG")),
    }
}

/// # Errors
/// `appearance_invalid`: no pixels, or more than are allowed.
pub(super) fn check_size(width: u32, height: u32) -> Result<(), PadesError> {
    if width == 0 || height == 0 {
        return Err(invalid("the image has no pixels"));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(invalid(format!("the image has more than {MAX_PIXELS} pixels")));
    }
    Ok(())
}

impl Image {
    /// Adds the image XObject. `opaque` puts it on white instead of giving it a mask.
    pub(super) fn write(self, update: &mut IncrementalUpdate<'_, '_>, opaque: bool) -> Reference {
        let reference = update.allocate();
        let mut dictionary = image_dictionary(self.width, self.height, self.colours.space());
        let body = match self.body {
            Body::Jpeg(file) => {
                dictionary.set(b"Filter", Object::name(b"DCTDecode"));
                if self.colours == (Colours::Cmyk { inverted: true }) {
                    let decode = [1, 0, 1, 0, 1, 0, 1, 0].map(Object::Integer);
                    dictionary.set(b"Decode", Object::Array(decode.to_vec()));
                }
                file
            }
            Body::Samples { mut colours, alpha } => {
                match alpha {
                    Some(alpha) if opaque => put_on_white(&mut colours, &alpha, self.colours.samples()),
                    Some(alpha) => {
                        let mask = update.allocate();
                        let described = image_dictionary(self.width, self.height, b"DeviceGray")
                            .with(b"Filter", Object::name(b"FlateDecode"));
                        update.put_stream(mask, described, &compress(&alpha));
                        dictionary.set(b"SMask", mask);
                    }
                    None => {}
                }
                dictionary.set(b"Filter", Object::name(b"FlateDecode"));
                compress(&colours)
            }
        };
        update.put_stream(reference, dictionary, &body);
        reference
    }
}

fn image_dictionary(width: u32, height: u32, space: &[u8]) -> Dictionary {
    Dictionary::new()
        .with(b"Type", Object::name(b"XObject"))
        .with(b"Subtype", Object::name(b"Image"))
        .with(b"Width", Object::Integer(width.into()))
        .with(b"Height", Object::Integer(height.into()))
        .with(b"ColorSpace", Object::name(space))
        .with(b"BitsPerComponent", Object::Integer(8))
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(bytes, COMPRESSION)
}

fn put_on_white(colours: &mut [u8], alpha: &[u8], samples: usize) {
    for (pixel, &opacity) in colours.chunks_exact_mut(samples).zip(alpha) {
        for sample in pixel {
            let mixed = u16::from(*sample) * u16::from(opacity) + 255 * (255 - u16::from(opacity)) + 127;
            *sample = u8::try_from(mixed / 255).unwrap_or(u8::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transparent_pixel_becomes_white_and_an_opaque_one_stays() {
        let mut colours = vec![10, 20, 30, 10, 20, 30, 0, 100, 255];
        put_on_white(&mut colours, &[255, 0, 128], 3);
        assert_eq!(colours, [10, 20, 30, 255, 255, 255, 127, 177, 255]);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let refused = |file: &[u8]| read(file).unwrap_err().code() == crate::ErrorCode::AppearanceInvalid;
        assert!(refused(b""));
        assert!(refused(b"GIF89a"));
        assert!(refused(&vec![0xff; MAX_FILE_BYTES + 1]));
        assert!(check_size(2000, 2000).is_ok());
        for (width, height) in [(0, 1), (1, 0), (2001, 2000), (u32::MAX, u32::MAX)] {
            assert!(check_size(width, height).is_err());
        }
    }
}
