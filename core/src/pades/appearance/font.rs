//! The bundled font: DejaVu Sans Condensed with the characters of WinAnsiEncoding (see `assets/font`).

use super::metrics::{ASCENT, BOUNDING_BOX, CAP_HEIGHT, DESCENT, FONT_FILE_BYTES, WIDTHS};
use crate::pdf::{Dictionary, IncrementalUpdate, Object, Reference};

/// The TrueType file, already compressed as a PDF stream wants it.
const FONT_FILE: &[u8] = include_bytes!("../../../assets/font/latin.ttf.zlib");
/// Six letters and a plus sign mark a subset (ISO 32000-2 §9.9.2).
const NAME: &[u8] = b"RUBRIC+DejaVuSansCondensed";
/// `/Flags`: 32 = only characters of the Latin set.
const NONSYMBOLIC: i64 = 32;
/// `/StemV`, the width of vertical stems: an estimate, for readers that replace a font.
const STEM_WIDTH: i64 = 80;

/// Adds the font with its descriptor and its file.
pub(super) fn write(update: &mut IncrementalUpdate<'_, '_>) -> Reference {
    let file = update.allocate();
    let dictionary = Dictionary::new()
        .with(b"Filter", Object::name(b"FlateDecode"))
        .with(b"Length1", Object::Integer(FONT_FILE_BYTES));
    update.put_stream(file, dictionary, FONT_FILE);
    let descriptor = update.allocate();
    let integers = |values: &[i64]| Object::Array(values.iter().copied().map(Object::Integer).collect());
    let dictionary = Dictionary::new()
        .with(b"Type", Object::name(b"FontDescriptor"))
        .with(b"FontName", Object::name(NAME))
        .with(b"Flags", Object::Integer(NONSYMBOLIC))
        .with(b"FontBBox", integers(&BOUNDING_BOX))
        .with(b"ItalicAngle", Object::Integer(0))
        .with(b"Ascent", Object::Integer(ASCENT.into()))
        .with(b"Descent", Object::Integer(DESCENT.into()))
        .with(b"CapHeight", Object::Integer(CAP_HEIGHT.into()))
        .with(b"StemV", Object::Integer(STEM_WIDTH))
        .with(b"FontFile2", file);
    update.put(descriptor, &dictionary.into());
    let font = update.allocate();
    let dictionary = Dictionary::new()
        .with(b"Type", Object::name(b"Font"))
        .with(b"Subtype", Object::name(b"TrueType"))
        .with(b"BaseFont", Object::name(NAME))
        .with(b"FirstChar", Object::Integer(32))
        .with(b"LastChar", Object::Integer(255))
        .with(b"Widths", integers(&WIDTHS.map(i64::from)))
        .with(b"Encoding", Object::name(b"WinAnsiEncoding"))
        .with(b"FontDescriptor", descriptor);
    update.put(font, &dictionary.into());
    font
}

/// Codes 80 to 9F of WinAnsiEncoding; the others are those of Latin-1.
const WINDOWS: [(char, u8); 27] = [
    ('€', 0x80),
    ('‚', 0x82),
    ('ƒ', 0x83),
    ('„', 0x84),
    ('…', 0x85),
    ('†', 0x86),
    ('‡', 0x87),
    ('ˆ', 0x88),
    ('‰', 0x89),
    ('Š', 0x8a),
    ('‹', 0x8b),
    ('Œ', 0x8c),
    ('Ž', 0x8e),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('˜', 0x98),
    ('™', 0x99),
    ('š', 0x9a),
    ('›', 0x9b),
    ('œ', 0x9c),
    ('ž', 0x9e),
    ('Ÿ', 0x9f),
];

/// The code of a character; `None` when the font cannot show it.
pub(super) fn code(character: char) -> Option<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(code @ (0x20..=0x7e | 0xa0..=0xff)) => Some(code),
        _ => WINDOWS.iter().find(|(known, _)| *known == character).map(|(_, code)| *code),
    }
}

/// Width of a text in thousandths of the font's size.
pub(super) fn width(codes: &[u8]) -> u32 {
    codes.iter().map(|code| u32::from(WIDTHS[usize::from(*code) - 32])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of a TrueType file.
    fn table<'f>(file: &'f [u8], tag: &[u8]) -> &'f [u8] {
        let long = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        let tables = usize::from(u16::from_be_bytes([file[4], file[5]]));
        let row = (0..tables).map(|i| 12 + 16 * i).find(|at| &file[*at..at + 4] == tag).unwrap();
        &file[long(row + 8)..][..long(row + 12)]
    }

    #[test]
    fn measures_are_those_of_the_font_file() {
        let file = miniz_oxide::inflate::decompress_to_vec_zlib(FONT_FILE).unwrap();
        assert_eq!(i64::try_from(file.len()).unwrap(), FONT_FILE_BYTES);
        let short = |bytes: &[u8], at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let units = u32::from(short(table(&file, b"head"), 18));
        let cmap = table(&file, b"cmap");
        let format4 = &cmap[u32::from_be_bytes(cmap[8..12].try_into().unwrap()) as usize..];
        let segments = usize::from(short(format4, 6)) / 2;
        let glyph = |point: u16| {
            (0..segments).find_map(|i| {
                let (end, start) = (short(format4, 14 + 2 * i), short(format4, 16 + 2 * (segments + i)));
                let delta = short(format4, 16 + 2 * (2 * segments + i));
                let range_at = 16 + 2 * (3 * segments + i);
                let range = usize::from(short(format4, range_at));
                (start..=end).contains(&point).then(|| match range {
                    0 => point.wrapping_add(delta),
                    _ => {
                        short(format4, range_at + range + 2 * usize::from(point - start)).wrapping_add(delta)
                    }
                })
            })
        };
        let hmtx = table(&file, b"hmtx");
        let metrics = usize::from(short(table(&file, b"hhea"), 34));
        let mut characters = 0;
        for point in 0x20..0x2200_u16 {
            let character = char::from_u32(u32::from(point)).unwrap();
            let Some(code) = code(character) else { continue };
            characters += 1;
            let glyph = usize::from(glyph(point).unwrap());
            assert_ne!(glyph, 0, "{character}");
            let advance = u32::from(short(hmtx, 4 * glyph.min(metrics - 1)));
            let scaled = (advance * 1000 + units / 2) / units;
            assert!(scaled.abs_diff(width(&[code])) <= 1, "{character}");
        }
        assert_eq!(characters, 95 + 96 + 27);
    }

    #[test]
    fn what_the_font_lacks_has_no_code() {
        for character in ['\n', '\u{7f}', '\u{81}', 'Ω', '→', '漢', '\u{202e}'] {
            assert_eq!(code(character), None, "{character:?}");
        }
        assert_eq!("ção €".chars().map(code).collect::<Option<Vec<_>>>().unwrap(), b"\xe7\xe3o \x80");
    }
}
