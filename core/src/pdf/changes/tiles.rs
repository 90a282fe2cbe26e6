//! Accounts for every byte of a revision.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Objection;
use crate::pdf::object::is_whitespace;
use crate::pdf::{Document, Parser};

/// Between two objects there may be this many bytes of white space and comments.
const MAX_GAP_BYTES: u64 = 4096;
/// Longest comment between objects, in bytes: writers name themselves there.
const MAX_COMMENT_BYTES: usize = 127;

/// Parts of the file that are accounted for, by their start.
#[derive(Default)]
pub(super) struct Tiles(BTreeMap<u64, u64>);

impl Tiles {
    pub(super) fn add(&mut self, start: u64, end: u64) {
        self.0.insert(start, end);
    }

    /// Between the tiles, and around them, there is nothing that a reader could take for content.
    pub(super) fn check(&self, document: &Document<'_>, from: u64, to: u64) -> Result<(), Objection> {
        let mut at = from;
        for (&start, &end) in self.0.iter().chain([(&to, &to)]) {
            if start < at {
                return Err("has objects that overlap".into());
            }
            if !is_blank(document, at, start) {
                return Err(Objection(format!("has bytes that belong to no object behind byte {at}")));
            }
            at = end;
        }
        if at > to { Err("has objects that lie behind its end".into()) } else { Ok(()) }
    }
}

/// Whether these bytes of the file are white space and harmless comments.
pub(super) fn is_blank(document: &Document<'_>, from: u64, to: u64) -> bool {
    let length = to.saturating_sub(from);
    let bytes = window(document, from, length);
    length <= MAX_GAP_BYTES && skip_blank(&bytes) == Some(bytes.len()) && bytes.len() as u64 == length
}

/// Where the revision ends whose last section ends at `end`: behind `startxref`, this offset and `%%EOF`.
pub(super) fn revision_end(document: &Document<'_>, end: u64, offset: u64) -> Option<u64> {
    let bytes = window(document, end, MAX_GAP_BYTES);
    let mut parser = Parser::new(&bytes, skip_blank(&bytes)?);
    if !parser.skip_word(b"startxref") {
        return None;
    }
    parser.skip_white();
    if parser.unsigned().ok()? != offset {
        return None;
    }
    parser.skip_white();
    parser.skip(b"%%EOF").then(|| end + parser.position())
}

/// At most `length` bytes from `at`; fewer at the end of the file, and none when they cannot be had.
fn window<'a>(document: &Document<'a>, at: u64, length: u64) -> Cow<'a, [u8]> {
    let file = document.file();
    let end = at.saturating_add(length.min(MAX_GAP_BYTES)).min(file.len());
    file.read(at.min(end)..end).unwrap_or_default()
}

/// Skips white space and comments; `None` when a comment could be taken for something else.
fn skip_blank(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes[at..].iter().take_while(|byte| is_whitespace(**byte)).count();
        let rest = &bytes[at..];
        if !rest.starts_with(b"%") || rest.starts_with(b"%%EOF") {
            return Some(at);
        }
        // An unfinished comment would swallow what follows it.
        let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
        if !is_harmless(&rest[..length]) {
            return None;
        }
        at += length;
    }
}

/// A program that repairs files looks for these words and cares little about the line that they stand in.
fn is_harmless(comment: &[u8]) -> bool {
    let words: [&[u8]; 6] = [b"obj", b"xref", b"trailer", b"stream", b"EOF", b"PDF-"];
    comment.len() <= MAX_COMMENT_BYTES
        && comment.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        && !words.iter().any(|word| comment.windows(word.len()).any(|window| window == *word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_writers_are_skipped_and_hidden_objects_are_not() {
        for (bytes, expected) in [
            (&b" \r\n\0"[..], Some(4)),
            (b"\n%iText-7.1.9\nx", Some(14)),
            (b"%a\n%b\r\n", Some(7)),
            (b"\n%%EOF", Some(1)),
            (b"%unfinished", None),
            (b"%4 0 obj <<>>\n", None),
            (b"%trailer\n", None),
            (b"%\xe2\xe3\n", None),
            (b"4 0 obj", Some(0)),
        ] {
            assert_eq!(skip_blank(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
        let long = format!("%{}\n", "x".repeat(200));
        assert_eq!(skip_blank(long.as_bytes()), None);
    }
}
