//! Arranges text and image and writes the content stream.

use super::image::Image;
use super::lines::{LINE_HEIGHT, Text, fit};
use super::metrics::ASCENT;
use crate::pades::PadesError;
use crate::pdf::Object;

/// Resource names in the content.
pub(super) const FONT_NAME: &[u8] = b"F1";
pub(super) const IMAGE_NAME: &[u8] = b"Im1";

/// Free space at the edges, in points, and as part of the shorter side where that is less.
const PADDING: f64 = 3.0;
const PADDING_PART: f64 = 0.05;
/// The part of the width that an image beside text may take.
const IMAGE_PART: f64 = 0.4;

/// Text and image in their places, in points from the lower left corner.
#[derive(Debug)]
pub(super) struct Layout {
    text: Option<Text>,
    /// Left edge and upper edge of the text.
    text_at: [f64; 2],
    /// Left, bottom, width, height.
    image: Option<[f64; 4]>,
}

impl Layout {
    /// # Errors
    /// `appearance_invalid`: the text cannot be shown or does not fit.
    pub(super) fn new(
        width: f64,
        height: f64,
        lines: &[String],
        image: Option<&Image>,
    ) -> Result<Self, PadesError> {
        let padding = PADDING.min(width.min(height) * PADDING_PART);
        let (inner_width, inner_height) = (width - 2.0 * padding, height - 2.0 * padding);
        let mut text_left = padding;
        let mut placed = None;
        if let Some(image) = image {
            let room = if lines.is_empty() { inner_width } else { inner_width * IMAGE_PART };
            let (pixels_across, pixels_down) = (f64::from(image.width), f64::from(image.height));
            let scale = (room / pixels_across).min(inner_height / pixels_down);
            let (image_width, image_height) = (pixels_across * scale, pixels_down * scale);
            let left = if lines.is_empty() { (width - image_width) / 2.0 } else { padding };
            placed = Some([left, (height - image_height) / 2.0, image_width, image_height]);
            text_left = padding + image_width + padding;
        }
        let text = fit(lines, width - padding - text_left, inner_height)?;
        let taken = text.as_ref().map_or(0.0, |text| {
            f64::from(u16::try_from(text.lines.len()).unwrap_or(u16::MAX)) * text.size * LINE_HEIGHT / 1000.0
        });
        Ok(Self { text, text_at: [text_left, f64::midpoint(height, taken)], image: placed })
    }

    pub(super) const fn has_text(&self) -> bool {
        self.text.is_some()
    }

    /// The content stream. Text is in DeviceGray, which every output intent allows.
    pub(super) fn into_content(self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some([left, bottom, width, height]) = self.image {
            out.extend_from_slice(b"q\n");
            operate(&mut out, &[width, 0.0, 0.0, height, left, bottom], "cm");
            out.extend_from_slice(b"/Im1 Do\nQ\n");
        }
        if let Some(text) = self.text {
            let base = self.text_at[1] - text.size * f64::from(ASCENT) / 1000.0;
            out.extend_from_slice(b"q\n0 g\nBT\n/F1 ");
            operate(&mut out, &[text.size], "Tf");
            operate(&mut out, &[text.size * LINE_HEIGHT / 1000.0], "TL");
            operate(&mut out, &[self.text_at[0], base], "Td");
            for (i, line) in text.lines.into_iter().enumerate() {
                if i > 0 {
                    operate(&mut out, &[], "T*");
                }
                Object::String(line).write(&mut out);
                operate(&mut out, &[], " Tj");
            }
            out.extend_from_slice(b"ET\nQ\n");
        }
        out
    }
}

/// Writes operands and an operator on a line.
fn operate(out: &mut Vec<u8>, operands: &[f64], operator: &str) {
    for operand in operands {
        number(*operand).write(out);
        out.push(b' ');
    }
    out.extend_from_slice(operator.as_bytes());
    out.push(b'\n');
}

/// A number with at most three digits behind the point: a PDF number has no exponent.
pub(super) fn number(value: f64) -> Object {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "" | "-0" => Object::Integer(0),
        _ => text.parse().map_or_else(|_| Object::Real(text.to_owned()), Object::Integer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_without_exponent() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0001, "0"),
            (12.0, "12"),
            (1.5, "1.5"),
            (-2.71949, "-2.719"),
            (100.0, "100"),
            (1e-9, "0"),
        ] {
            let mut text = Vec::new();
            number(value).write(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
