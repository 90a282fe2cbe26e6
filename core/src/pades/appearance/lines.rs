//! Wraps text into an area and finds the largest size at which it fits.

use super::font::{code, width};
use super::invalid;
use crate::pades::PadesError;

/// Lines that the caller may give.
const MAX_LINES: usize = 20;
/// Characters of all lines together.
const MAX_CHARACTERS: usize = 1000;
/// Sizes that are tried, in half points: 12 to 4.
const SIZES: core::ops::RangeInclusive<u16> = 8..=24;
/// From one base line to the next, in thousandths of the size.
pub(super) const LINE_HEIGHT: f64 = 1164.0;

/// Text that fits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    /// In points.
    pub(super) size: f64,
    /// Lines in WinAnsiEncoding, after wrapping.
    pub(super) lines: Vec<Vec<u8>>,
}

/// Fits the lines into an area, in points. `None` without any line.
///
/// # Errors
/// `appearance_invalid`: a character that the font lacks, more text than is allowed, or than fits at 4 points.
pub(super) fn fit(lines: &[String], area_width: f64, area_height: f64) -> Result<Option<Text>, PadesError> {
    if lines.is_empty() {
        return Ok(None);
    }
    if lines.len() > MAX_LINES
        || lines.iter().map(|line| line.chars().count()).sum::<usize>() > MAX_CHARACTERS
    {
        return Err(invalid(format!("more than {MAX_LINES} lines or {MAX_CHARACTERS} characters of text")));
    }
    let encoded: Vec<Vec<u8>> = lines.iter().map(|line| encode(line)).collect::<Result<_, _>>()?;
    let fitting = SIZES.rev().find_map(|half_points| {
        let size = f64::from(half_points) / 2.0;
        let wrapped = encoded
            .iter()
            .map(|line| wrap(line, area_width * 1000.0 / size))
            .collect::<Option<Vec<_>>>()?
            .concat();
        // One line and a little more takes the height of its size.
        let count = u16::try_from(wrapped.len()).ok()?;
        let needed = f64::from(count) * LINE_HEIGHT * size / 1000.0;
        (needed <= area_height).then_some(Text { size, lines: wrapped })
    });
    fitting.map(Some).ok_or_else(|| invalid("the text does not fit into the rectangle"))
}

fn encode(line: &str) -> Result<Vec<u8>, PadesError> {
    let encoded = line.chars().map(|character| {
        code(character).ok_or_else(|| invalid(format!("the character {character:?} cannot be shown")))
    });
    encoded.collect()
}

/// Breaks at spaces; `None` when a word is wider than the area.
fn wrap(line: &[u8], limit: f64) -> Option<Vec<Vec<u8>>> {
    let fits = |text: &[u8]| f64::from(width(text)) <= limit;
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut current: Vec<u8> = Vec::new();
    for word in line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        let extended = if current.is_empty() { word.to_vec() } else { [&current[..], b" ", word].concat() };
        if fits(&extended) {
            current = extended;
        } else if fits(word) {
            lines.push(core::mem::replace(&mut current, word.to_vec()));
        } else {
            return None;
        }
    }
    lines.push(current);
    lines.retain(|line| !line.is_empty());
    if lines.is_empty() { Some(vec![Vec::new()]) } else { Some(lines) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_wrapped_and_shrunk_until_it_fits() {
        let line = vec!["Assinado digitalmente por Maria da Silva".to_owned()];
        let large = fit(&line, 400.0, 50.0).unwrap().unwrap();
        assert_eq!((large.size, large.lines.len()), (12.0, 1));
        let narrow = fit(&line, 110.0, 50.0).unwrap().unwrap();
        assert_eq!((narrow.size, narrow.lines.len()), (12.0, 3));
        let low = fit(&line, 110.0, 10.0).unwrap().unwrap();
        assert!(low.size < 6.0 && low.lines.len() == 1);
    }

    #[test]
    fn text_that_cannot_be_shown_is_refused() {
        let refused = |lines: &[&str], width: f64, height: f64| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            let error = fit(&lines, width, height).unwrap_err();
            assert_eq!(error.code(), crate::ErrorCode::AppearanceInvalid);
            error.to_string()
        };
        assert!(refused(&["Ω"], 500.0, 500.0).contains('Ω'));
        assert!(refused(&["palavra"], 5.0, 500.0).contains("fit"));
        assert!(refused(&["a"], 500.0, 2.0).contains("fit"));
        assert!(refused(&[""; 21], 500.0, 500.0).contains("20"));
        assert!(refused(&[&"x ".repeat(501)], 500.0, 500.0).contains("1000"));
    }

    proptest! {
        #[test]
        fn what_fits_stays_inside_and_keeps_every_word(text in "[a-zA-Zçãé ]{0,80}", area_width in 20.0..300.0_f64, area_height in 5.0..100.0_f64) {
            let lines = vec![text.clone(), "Data".to_owned()];
            if let Ok(Some(fitted)) = fit(&lines, area_width, area_height) {
                for line in &fitted.lines {
                    prop_assert!(f64::from(width(line)) * fitted.size / 1000.0 <= area_width + 1e-6);
                }
                let words: Vec<u8> = fitted.lines.concat().into_iter().filter(|byte| *byte != b' ').collect();
                let expected: Vec<u8> = lines.concat().chars().filter(|c| *c != ' ').map(|c| code(c).unwrap()).collect();
                prop_assert_eq!(words, expected);
            }
        }
    }
}
