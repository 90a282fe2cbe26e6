//! The header of a JPEG file (ITU-T T.81 annex B): PDF takes the file as it is, so only its size and colours
//! are read.

use super::image::{Body, Colours, Image, check_size};
use super::invalid;
use crate::pades::PadesError;

/// Reads up to the frame header. Baseline, extended and progressive Huffman with eight bits are taken, which
/// is what readers of PDF decode.
///
/// # Errors
/// `appearance_invalid`.
pub(super) fn read(file: &[u8]) -> Result<Image, PadesError> {
    let damaged = || invalid("the JPEG image is damaged or of a kind that PDF does not show");
    let mut at = 2;
    let mut is_adobe = false;
    if !file.ends_with(&[0xff, 0xd9]) {
        return Err(damaged());
    }
    loop {
        if file.get(at..).is_some_and(|rest| rest.starts_with(&[0xff, 0xff])) {
            at += 1;
            continue;
        }
        let Some(&[0xff, marker, high, low]) = file.get(at..at + 4) else { return Err(damaged()) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = file.get(at + 4..(at + 2 + length).max(at + 4)).ok_or_else(damaged)?;
        match marker {
            0xc0..=0xc2 => return frame(file, segment, is_adobe).ok_or_else(damaged)?,
            // Other frames, start of scan before a frame, end of image, markers without a segment.
            0xc3 | 0xc5..=0xcf | 0xd0..=0xda | 0x00 | 0x01 if marker != 0xcc && marker != 0xc8 => {
                return Err(damaged());
            }
            _ => {
                is_adobe |= marker == 0xee && segment.starts_with(b"Adobe");
                at += 2 + length.max(2);
            }
        }
    }
}

/// `SOF`: precision, height, width, components.
fn frame(file: &[u8], segment: &[u8], is_adobe: bool) -> Option<Result<Image, PadesError>> {
    let [8, h1, h2, w1, w2, components, ..] = *segment else { return None };
    let colours = match components {
        1 => Colours::Gray,
        3 => Colours::Rgb,
        4 => Colours::Cmyk { inverted: is_adobe },
        _ => return None,
    };
    let (width, height) = (u32::from(u16::from_be_bytes([w1, w2])), u32::from(u16::from_be_bytes([h1, h2])));
    Some(check_size(width, height).map(|()| Image {
        width,
        height,
        colours,
        body: Body::Jpeg(file.to_vec()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that ends after its frame header.
    fn sample(before: &[u8], marker: u8, frame: &[u8]) -> Vec<u8> {
        let length = u8::try_from(frame.len() + 2).unwrap();
        [&[0xff, 0xd8], before, &[0xff, marker, 0, length], frame, &[0xff, 0xd9]].concat()
    }

    #[test]
    fn size_and_colours_are_read_from_the_frame() {
        let adobe = b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\0";
        for (before, marker, components, colours) in [
            (&b""[..], 0xc0, 3, Colours::Rgb),
            (b"\xff\xe0\x00\x04ab", 0xc1, 1, Colours::Gray),
            (b"\xff\xff\xfe\x00\x02", 0xc2, 4, Colours::Cmyk { inverted: false }),
            (adobe, 0xc0, 4, Colours::Cmyk { inverted: true }),
        ] {
            let image = read(&sample(before, marker, &[8, 0, 20, 1, 4, components, 1, 2])).unwrap();
            assert_eq!((image.width, image.height, image.colours), (260, 20, colours));
        }
    }

    #[test]
    fn what_pdf_cannot_show_is_refused() {
        let frame = [8, 0, 20, 0, 10, 3];
        let good = sample(b"", 0xc0, &frame);
        assert!(read(&good).is_ok());
        let bad = [
            sample(b"", 0xc3, &frame),
            sample(b"", 0xc9, &frame),
            sample(b"", 0xda, &frame),
            sample(b"", 0xc0, &[12, 0, 20, 0, 10, 3]),
            sample(b"", 0xc0, &[8, 0, 20, 0, 10, 2]),
            sample(b"", 0xc0, &[8, 0, 0, 0, 10, 3]),
            sample(b"", 0xc0, &[8, 0xff, 0xff, 0xff, 0xff, 3]),
            sample(b"x", 0xc0, &frame),
            vec![0xff, 0xd8],
            vec![0xff, 0xd8, 0xff, 0xd9],
        ];
        for file in bad {
            assert_eq!(read(&file).unwrap_err().code(), crate::ErrorCode::AppearanceInvalid, "{file:x?}");
        }
        for end in 2..good.len() {
            assert!(read(&good[..end]).is_err());
        }
    }
}
