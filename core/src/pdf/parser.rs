//! Reads objects from bytes, within limits.

mod text;

use core::cell::Cell;

use super::object::{is_delimiter, is_whitespace};
use super::{Dictionary, Object, PdfError, Reference};

pub(crate) use text::hex_value;

/// Arrays and dictionaries may stand this deep in one another. Real files stay below 20.
const MAX_DEPTH: u32 = 64;
/// One object may hold this many values: a page tree with half a million pages in one array.
const MAX_VALUES: u32 = 500_000;
/// An array or a dictionary counts as so many values, since it takes so much more memory.
const CONTAINER_VALUES: u32 = 4;

/// A cursor over the bytes of a file, of a window on it, or of a decoded stream.
#[derive(Debug, Clone)]
pub(crate) struct Parser<'a> {
    bytes: &'a [u8],
    /// Place of the first byte in the file.
    base: u64,
    at: usize,
    values_left: u32,
    /// Whether the end of `bytes` had a say in what was read: with more bytes it might be something else.
    is_starved: Cell<bool>,
}

impl<'a> Parser<'a> {
    /// Starts at byte `at` of bytes that are complete. It may lie behind the end: the first read then fails.
    #[must_use]
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, base: 0, at, values_left: MAX_VALUES, is_starved: Cell::new(false) }
    }

    /// Starts at the first byte of a window that stands at byte `base` of a file.
    #[must_use]
    pub(super) const fn window(bytes: &'a [u8], base: u64) -> Self {
        Self { bytes, base, at: 0, values_left: MAX_VALUES, is_starved: Cell::new(false) }
    }

    /// Whether a longer window could give another result.
    #[must_use]
    pub(super) const fn is_starved(&self) -> bool {
        self.is_starved.get()
    }

    /// Where the next byte is read, from the start of the file.
    #[must_use]
    pub(crate) const fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    pub(crate) const fn damaged(&self, what: &'static str) -> PdfError {
        PdfError::damaged(self.position(), what)
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        if byte.is_none() {
            self.is_starved.set(true);
        }
        byte
    }

    /// The bytes ahead, of which `needed` are going to be looked at.
    fn ahead(&self, needed: usize) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.len() < needed {
            self.is_starved.set(true);
        }
        rest
    }

    /// Length of the run of bytes ahead that are `wanted`.
    fn run(&self, wanted: impl Fn(u8) -> bool) -> usize {
        let rest = self.ahead(1);
        rest.iter().position(|byte| !wanted(*byte)).unwrap_or_else(|| {
            self.is_starved.set(true);
            rest.len()
        })
    }

    /// Skips white space and comments.
    pub(crate) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if is_whitespace(byte) {
                self.at += 1;
            } else if byte == b'%' {
                self.at += self.run(|byte| !matches!(byte, b'\r' | b'\n'));
            } else {
                break;
            }
        }
    }

    /// Skips white space only: where a `%` is not a comment but the `%%EOF` that is looked for.
    pub(crate) fn skip_white(&mut self) {
        self.at += self.run(is_whitespace);
    }

    /// Skips `token` if it comes next, without looking at what follows it.
    pub(crate) fn skip(&mut self, token: &[u8]) -> bool {
        let found = self.ahead(token.len()).starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Skips the word `word` if it comes next and ends there.
    pub(crate) fn skip_word(&mut self, word: &[u8]) -> bool {
        let ends = |byte: &u8| is_whitespace(*byte) || is_delimiter(*byte);
        let rest = self.ahead(word.len() + 1);
        let found = rest.starts_with(word) && rest.get(word.len()).is_none_or(ends);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Skips one line end: `\r\n`, `\n` or `\r`.
    pub(crate) fn skip_line_end(&mut self) -> bool {
        self.skip(b"\r\n") || self.skip(b"\n") || self.skip(b"\r")
    }

    /// Reads a whole number of digits only.
    pub(crate) fn unsigned(&mut self) -> Result<u64, PdfError> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        let value =
            core::str::from_utf8(&self.ahead(digits)[..digits]).ok().and_then(|text| text.parse().ok());
        let value = value.ok_or_else(|| self.damaged("a number was expected"))?;
        self.at += digits;
        Ok(value)
    }

    /// Reads `n g obj` and gives the object's name.
    pub(crate) fn object_header(&mut self) -> Result<Reference, PdfError> {
        let number = self.unsigned()?;
        self.skip_space();
        let generation = self.unsigned()?;
        self.skip_space();
        if !self.skip_word(b"obj") {
            return Err(self.damaged("obj was expected"));
        }
        reference(number, generation).ok_or_else(|| self.damaged("the object number is out of range"))
    }

    /// Reads `stream` and its line end: the body follows.
    pub(crate) fn stream_start(&mut self) -> Result<(), PdfError> {
        self.skip_space();
        // Not a lone \r: it could be the first byte of the data.
        if !self.skip(b"stream") || !(self.skip(b"\r\n") || self.skip(b"\n")) {
            return Err(self.damaged("stream was expected"));
        }
        Ok(())
    }

    /// Reads `endstream` and `endobj` behind the body of a stream.
    pub(crate) fn stream_end(&mut self) -> Result<(), PdfError> {
        self.skip_white();
        if !self.skip_word(b"endstream") {
            return Err(self.damaged("endstream was expected: the Length of a stream is wrong"));
        }
        self.end_object()
    }

    /// Reads `endobj`.
    pub(crate) fn end_object(&mut self) -> Result<(), PdfError> {
        self.skip_space();
        if self.skip_word(b"endobj") { Ok(()) } else { Err(self.damaged("endobj was expected")) }
    }

    /// Reads one object, after white space and comments.
    ///
    /// # Errors
    /// [`PdfError::Damaged`] when no object stands here, [`PdfError::Unsupported`] when it is nested too
    /// deeply or too large.
    pub(crate) fn object(&mut self) -> Result<Object, PdfError> {
        self.object_at_depth(0)
    }

    fn object_at_depth(&mut self, depth: u32) -> Result<Object, PdfError> {
        if depth > MAX_DEPTH {
            return Err(PdfError::limit("levels of nested objects", MAX_DEPTH.into()));
        }
        self.charge(1)?;
        self.skip_space();
        match self.peek() {
            None => Err(self.damaged("the file ends inside an object")),
            Some(b'/') => self.name().map(Object::Name),
            Some(b'(') => self.literal_string().map(Object::String),
            Some(b'[') => self.array(depth),
            Some(b'<') if self.ahead(2).starts_with(b"<<") => self.dictionary(depth).map(Object::Dictionary),
            Some(b'<') => self.hex_string().map(Object::String),
            Some(b'0'..=b'9') => self.number_or_reference(),
            Some(b'+' | b'-' | b'.') => self.number(),
            Some(_) => self.keyword(),
        }
    }

    fn charge(&mut self, values: u32) -> Result<(), PdfError> {
        let limit = PdfError::limit("values in one object", MAX_VALUES.into());
        self.values_left = self.values_left.checked_sub(values).ok_or(limit)?;
        Ok(())
    }

    fn keyword(&mut self) -> Result<Object, PdfError> {
        for (word, object) in [
            (&b"null"[..], Object::Null),
            (b"true", Object::Boolean(true)),
            (b"false", Object::Boolean(false)),
        ] {
            if self.skip_word(word) {
                return Ok(object);
            }
        }
        Err(self.damaged("an object was expected"))
    }

    fn array(&mut self, depth: u32) -> Result<Object, PdfError> {
        self.charge(CONTAINER_VALUES)?;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.skip(b"]") {
                return Ok(Object::Array(items));
            }
            items.push(self.object_at_depth(depth + 1)?);
        }
    }

    fn dictionary(&mut self, depth: u32) -> Result<Dictionary, PdfError> {
        self.charge(CONTAINER_VALUES)?;
        let start = self.position();
        self.at += 2;
        let mut entries = Vec::new();
        while let Some(key) = self.next_key()? {
            entries.push((key, self.object_at_depth(depth + 1)?));
        }
        Dictionary::from_entries(entries).ok_or(PdfError::damaged(start, "a dictionary has a key twice"))
    }

    /// The next key of a dictionary, or `None` behind its `>>`.
    fn next_key(&mut self) -> Result<Option<Vec<u8>>, PdfError> {
        self.skip_space();
        if self.skip(b">>") {
            return Ok(None);
        }
        if self.peek() != Some(b'/') {
            return Err(self.damaged("a key or >> was expected"));
        }
        self.name().map(Some)
    }

    /// Reads the dictionary that comes next and tells where the value of `key` stands in the bytes.
    ///
    /// # Errors
    /// As for [`Parser::object`], and when no dictionary stands here.
    pub(crate) fn value_span(&mut self, key: &[u8]) -> Result<Option<core::ops::Range<u64>>, PdfError> {
        self.skip_space();
        if !self.skip(b"<<") {
            return Err(self.damaged("a dictionary was expected"));
        }
        let mut span = None;
        while let Some(name) = self.next_key()? {
            self.skip_space();
            let start = self.position();
            self.object_at_depth(1)?;
            if name == key {
                span = Some(start..self.position());
            }
        }
        Ok(span)
    }

    fn number_or_reference(&mut self) -> Result<Object, PdfError> {
        let number = self.number()?;
        let Object::Integer(first) = number else { return Ok(number) };
        let behind = self.at;
        self.skip_space();
        let generation = self.unsigned();
        self.skip_space();
        let Some(generation) = generation.ok().filter(|_| self.skip_word(b"R")) else {
            self.at = behind;
            return Ok(number);
        };
        let first = u64::try_from(first).unwrap_or(u64::MAX);
        let found = reference(first, generation);
        found.map(Object::Reference).ok_or_else(|| self.damaged("a reference is out of range"))
    }

    fn number(&mut self) -> Result<Object, PdfError> {
        let length = self.run(|byte| !is_whitespace(byte) && !is_delimiter(byte));
        let text = core::str::from_utf8(&self.ahead(length)[..length]).unwrap_or_default();
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let object = match digits.split_once('.') {
            None if is_digits(digits) && !digits.is_empty() => text.parse().ok().map(Object::Integer),
            Some((whole, fraction))
                if is_digits(whole) && is_digits(fraction) && digits.len() > 1 && text.len() < 256 =>
            {
                Some(Object::Real(text.to_owned()))
            }
            _ => None,
        };
        let object = object.ok_or_else(|| self.damaged("a number cannot be read"))?;
        self.at += length;
        Ok(object)
    }
}

fn reference(number: u64, generation: u64) -> Option<Reference> {
    Some(Reference { number: u32::try_from(number).ok()?, generation: u16::try_from(generation).ok()? })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Object, PdfError> {
        Parser::new(bytes, 0).object()
    }

    #[test]
    fn objects_are_read_as_the_standard_says() {
        let cases: [(&[u8], Object); 14] = [
            (b"null", Object::Null),
            (b" % comment\n true]", Object::Boolean(true)),
            (b"-17", Object::Integer(-17)),
            (b"+0", Object::Integer(0)),
            (b"-.002", Object::Real("-.002".into())),
            (b"4.", Object::Real("4.".into())),
            (b"/A#20B/C", Object::name(b"A B")),
            (b"/", Object::name(b"")),
            (b"/A#B", Object::name(b"A#B")),
            (b"<901FA3 7>", Object::String(vec![0x90, 0x1f, 0xa3, 0x70])),
            (b"(a\\(b\\053(c)\\\r\nd\\0053\r\n)", Object::String(b"a(b+(c)d\x053\n".to_vec())),
            (b"12 0 R", Reference { number: 12, generation: 0 }.into()),
            (b"12 0 Rx", Object::Integer(12)),
            (b"12 0 0 R", Object::Integer(12)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse(bytes), Ok(expected), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn broken_objects_are_refused() {
        for bytes in [
            &b""[..],
            b"nul",
            b"nullx",
            b"[1 2",
            b"<</A>>",
            b"<</A 1",
            b"<</A 1/A 2>>",
            b"<<1 2>>",
            b"<12x>",
            b"<12",
            b"(abc",
            b"(abc\\",
            b"1.2.3",
            b"--1",
            b".",
            b"+",
            b"99999999999999999999",
            b"99999999999 0 R",
            b"1 65536 R",
            b">>",
            b"]",
            b"endobj",
        ] {
            assert!(
                matches!(parse(bytes), Err(PdfError::Damaged { .. })),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn deep_nesting_ends_in_an_error_and_not_in_the_stack() {
        for open in ["[", "<</A", "[<</A"] {
            let bytes = open.repeat(100_000);
            assert_eq!(
                parse(bytes.as_bytes()),
                Err(PdfError::limit("levels of nested objects", 64)),
                "{open}"
            );
        }
        let fine = ["[".repeat(64), "]".repeat(64)].concat();
        assert!(parse(fine.as_bytes()).is_ok());
    }

    #[test]
    fn an_object_of_too_many_values_is_refused() {
        let bytes = ["[".to_owned(), "0 ".repeat(500_001)].concat();
        assert_eq!(parse(bytes.as_bytes()), Err(PdfError::limit("values in one object", 500_000)));
    }

    #[test]
    fn the_span_of_a_value_is_exact() {
        let bytes = b"x<< /A (>>) /Contents % c\n <00ff> /B [<</Contents 1>>] >>";
        let span = Parser::new(bytes, 1).value_span(b"Contents").unwrap().unwrap();
        assert_eq!(span, 27..33);
        assert_eq!(&bytes[27..33], b"<00ff>");
        assert_eq!(Parser::new(bytes, 1).value_span(b"C"), Ok(None));
    }
}
