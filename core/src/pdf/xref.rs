//! Cross-reference sections (ISO 32000-2 §7.5.4 tables, §7.5.8 streams) and the chain that `/Prev` makes of
//! them.
//!
//! **Hybrid files** (§7.5.8.4; Word writes them) have a table and beside it a stream that old readers do not
//! see. An object is looked for in the table, then in the stream, then in the earlier section. A row of the
//! table that says "free" counts as none: that is how hidden objects are marked. Where table and stream name
//! two places for one object, readers differ, so the file is refused.

use core::ops::Range;
use std::collections::BTreeSet;

use super::filter::{MAX_DECODED_BYTES, decode_stream};
use super::{Dictionary, File, Object, PdfError};

/// A document saved more often than this is not followed.
const MAX_SECTIONS: usize = 4096;
/// Subsections of one section; a scan over them is cheap up to here.
const MAX_SUBSECTIONS: usize = 1 << 16;
/// Object numbers end here (ISO 32000-1 annex C: the limit of widely used readers).
pub(super) const MAX_OBJECT_NUMBER: u32 = 8_388_607;
/// A row of a table: ten digits, five digits, a letter, two spaces and two bytes of line end.
const TABLE_ROW: usize = 20;
const TABLE_ROW_BYTES: u64 = TABLE_ROW as u64;
/// Rows that are compared at a time.
const BLOCK_ROWS: u64 = 1024;
/// Decoded rows of all cross-reference streams of a file together.
const MAX_ROW_BYTES: usize = 24 << 20;
/// Trailers of a file together, in bytes. Trailers can share bytes, so their number alone bounds nothing.
const MAX_TRAILER_BYTES: u64 = 16 << 20;
/// `startxref` is looked for in this many last bytes of the file.
const TAIL_BYTES: u64 = 2048;

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Free: a reference to it means `null`.
    Free,
    /// At a byte of the file.
    Offset {
        /// Where `n g obj` begins.
        offset: u64,
        /// Generation number.
        generation: u16,
    },
    /// Inside an object stream, with generation 0.
    InStream {
        /// Object number of the stream.
        stream: u32,
        /// Position among the objects of the stream.
        index: usize,
    },
}

/// How a section is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectionKind {
    /// `xref` and 20-byte rows.
    Table,
    /// A stream object of type XRef, with its object number.
    Stream(u32),
}

/// One cross-reference section with its trailer. Rows stay undecoded until asked for.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Table or stream.
    pub(crate) kind: SectionKind,
    /// Where it begins: what `startxref` or `/Prev` said.
    pub(crate) offset: u64,
    /// Where it ends: behind the trailer dictionary or `endobj`.
    pub(crate) end: u64,
    /// The trailer, or the dictionary of the stream.
    pub(crate) trailer: Dictionary,
    /// What was read for it, in bytes: white space and comments count.
    trailer_bytes: u64,
    /// By object number; none is empty and none overlaps another.
    subsections: Vec<Subsection>,
    rows: Rows,
    /// Of a hybrid file: the cross-reference stream that `/XRefStm` names.
    hidden: Option<Box<Self>>,
}

#[derive(Debug, Clone, Copy)]
struct Subsection {
    first: u32,
    count: u32,
    /// Where its first row stands: in the file for a table, in the decoded rows for a stream.
    rows_at: u64,
}

#[derive(Debug, Clone)]
enum Rows {
    InFile,
    Decoded { widths: [usize; 3], bytes: Vec<u8> },
}

/// Follows the chain from the last `startxref`; the newest section comes first.
pub(crate) fn read_sections(file: File<'_>) -> Result<Vec<Section>, PdfError> {
    let mut next = Some(last_startxref(file)?);
    let mut seen = BTreeSet::new();
    let mut sections = Vec::new();
    let mut row_bytes = 0;
    let mut trailer_bytes = 0;
    while let Some(offset) = next {
        if !seen.insert(offset) {
            return Err(PdfError::damaged(offset, "the cross-reference sections form a loop"));
        }
        if sections.len() == MAX_SECTIONS {
            return Err(PdfError::limit("revisions", MAX_SECTIONS as u64));
        }
        let section = Section::read_with_hidden(file, offset)?;
        row_bytes += section.row_bytes() + section.hidden().map_or(0, Section::row_bytes);
        if row_bytes > MAX_ROW_BYTES {
            return Err(PdfError::limit("bytes of cross-reference rows", MAX_ROW_BYTES as u64));
        }
        trailer_bytes += section.trailer_bytes + section.hidden().map_or(0, |hidden| hidden.trailer_bytes);
        if trailer_bytes > MAX_TRAILER_BYTES {
            return Err(PdfError::limit("bytes of trailers", MAX_TRAILER_BYTES));
        }
        next = section.previous()?;
        sections.push(section);
    }
    Ok(sections)
}

/// The number behind the last `startxref`, which must be followed by `%%EOF`.
fn last_startxref(file: File<'_>) -> Result<u64, PdfError> {
    const KEYWORD: &[u8] = b"startxref";
    let tail_at = file.len().saturating_sub(TAIL_BYTES);
    let tail = file.read(tail_at..file.len())?;
    let found = tail.windows(KEYWORD.len()).rposition(|window| window == KEYWORD);
    let found = found.ok_or(PdfError::damaged(file.len(), "the file ends without startxref"))?;
    file.parse(tail_at + (found + KEYWORD.len()) as u64, |parser| {
        parser.skip_white();
        let at = parser.position();
        let offset = parser.unsigned()?;
        parser.skip_white();
        if !parser.skip(b"%%EOF") {
            return Err(parser.damaged("the file ends without %%EOF"));
        }
        if offset >= file.len() {
            return Err(PdfError::damaged(at, "startxref points outside the file"));
        }
        Ok(offset)
    })
}

impl Section {
    fn read(file: File<'_>, offset: u64) -> Result<Self, PdfError> {
        let is_table = file.parse(offset, |parser| Ok(parser.skip_word(b"xref")))?;
        let mut section =
            if is_table { Self::read_table(file, offset) } else { Self::read_stream(file, offset) }?;
        section.subsections.retain(|subsection| subsection.count > 0);
        section.subsections.sort_unstable_by_key(|subsection| subsection.first);
        let size = section.size()?;
        if section.subsections.iter().any(|s| u64::from(s.first) + u64::from(s.count) > u64::from(size)) {
            return Err(PdfError::damaged(offset, "a cross-reference section goes beyond its Size"));
        }
        if section.subsections.windows(2).any(|pair| pair[0].first + pair[0].count > pair[1].first) {
            return Err(PdfError::damaged(offset, "a cross-reference section has an object twice"));
        }
        Ok(section)
    }

    /// Reads a section and, if it is a hybrid one, its stream.
    fn read_with_hidden(file: File<'_>, offset: u64) -> Result<Self, PdfError> {
        let mut section = Self::read(file, offset)?;
        if section.kind != SectionKind::Table {
            return Ok(section);
        }
        let wrong = PdfError::damaged(offset, "the XRefStm of a cross-reference table is wrong");
        let hidden_at = match section.trailer.get(b"XRefStm").map(Object::as_integer) {
            None => return Ok(section),
            Some(hidden_at) => hidden_at.and_then(|at| u64::try_from(at).ok()).ok_or(wrong.clone())?,
        };
        let hidden = Self::read(file, hidden_at)?;
        if hidden.kind == SectionKind::Table {
            return Err(wrong);
        }
        section.refuse_contradictions(file, &hidden)?;
        section.hidden = Some(Box::new(hidden));
        Ok(section)
    }

    /// Table and stream must not name two places for one object.
    fn refuse_contradictions(&self, file: File<'_>, hidden: &Self) -> Result<(), PdfError> {
        for subsection in &self.subsections {
            let rows_end = subsection.rows_end(TABLE_ROW_BYTES);
            let mut at = subsection.rows_at;
            let mut number = subsection.first;
            while at < rows_end {
                let rows = file.read(at..rows_end.min(at + BLOCK_ROWS * TABLE_ROW_BYTES))?;
                for row in rows.chunks_exact(TABLE_ROW) {
                    let unreadable = PdfError::damaged(at, "a cross-reference row cannot be read");
                    let entry = table_entry(row).ok_or(unreadable)?;
                    let other = hidden.entry(file, number)?;
                    if entry != Entry::Free && other.is_some_and(|other| other != entry) {
                        return Err(PdfError::unsupported(
                            "a hybrid cross-reference that names two places for one object",
                        ));
                    }
                    number += 1;
                    at += TABLE_ROW_BYTES;
                }
            }
        }
        Ok(())
    }

    /// The stream beside the table of a hybrid file.
    pub(crate) fn hidden(&self) -> Option<&Self> {
        self.hidden.as_deref()
    }

    fn row_bytes(&self) -> usize {
        match &self.rows {
            Rows::InFile => 0,
            Rows::Decoded { bytes, .. } => bytes.len(),
        }
    }

    fn read_table(file: File<'_>, offset: u64) -> Result<Self, PdfError> {
        let mut subsections = Vec::new();
        let mut at = offset + b"xref".len() as u64;
        // The rows are jumped over, so each subsection is read on its own.
        while let Some(subsection) = table_subsection(file, at)? {
            push_subsection(&mut subsections, subsection)?;
            at = subsection.rows_end(TABLE_ROW_BYTES);
            if at > file.len() {
                return Err(PdfError::damaged(offset, "the cross-reference table goes beyond the file"));
            }
        }
        let (trailer, end) = file.parse(at, |parser| {
            parser.skip_white();
            parser.skip_word(b"trailer");
            let Object::Dictionary(trailer) = parser.object()? else {
                return Err(parser.damaged("a trailer dictionary was expected"));
            };
            Ok((trailer, parser.position()))
        })?;
        let trailer_bytes = end - at;
        Ok(Self {
            kind: SectionKind::Table,
            offset,
            end,
            trailer,
            trailer_bytes,
            subsections,
            rows: Rows::InFile,
            hidden: None,
        })
    }

    fn read_stream(file: File<'_>, offset: u64) -> Result<Self, PdfError> {
        let not_there =
            PdfError::damaged(offset, "no cross-reference section where startxref or Prev points");
        let (number, trailer, body) = file.parse(offset, |parser| {
            let reference = parser.object_header().map_err(|_| not_there.clone())?;
            let Object::Dictionary(trailer) = parser.object()? else { return Err(not_there.clone()) };
            if !trailer.has_name(b"Type", b"XRef") {
                return Err(not_there.clone());
            }
            let length = trailer.get(b"Length").and_then(Object::as_integer);
            let length = length.and_then(|length| u64::try_from(length).ok());
            let length =
                length.ok_or(PdfError::damaged(offset, "a cross-reference stream has no direct Length"))?;
            parser.stream_start()?;
            let start = parser.position();
            Ok((reference.number, trailer, start..start.saturating_add(length)))
        })?;
        let end = stream_end(file, body.end)?;
        let trailer_bytes = (body.start - offset) + (end - body.end);
        check_body(&body)?;
        let bytes = decode_stream(&trailer, &file.read(body)?)?;
        let widths = row_widths(&trailer)
            .ok_or(PdfError::damaged(offset, "the widths of a cross-reference stream are wrong"))?;
        let width = widths.iter().sum::<usize>() as u64;
        let mut subsections = Vec::new();
        let mut rows_at = 0;
        for (first, count) in stream_index(&trailer, offset)? {
            let subsection = Subsection::new(first, count, rows_at)?;
            push_subsection(&mut subsections, subsection)?;
            rows_at = subsection.rows_end(width);
            if rows_at > bytes.len() as u64 {
                return Err(PdfError::damaged(offset, "a cross-reference stream is too short"));
            }
        }
        let (kind, rows) = (SectionKind::Stream(number), Rows::Decoded { widths, bytes });
        Ok(Self { kind, offset, end, trailer, trailer_bytes, subsections, rows, hidden: None })
    }

    /// `/Size`: the highest object number plus one.
    pub(crate) fn size(&self) -> Result<u32, PdfError> {
        let size = self.trailer.get(b"Size").and_then(Object::as_integer);
        match size.map(u32::try_from) {
            Some(Ok(size @ 1..)) if size <= MAX_OBJECT_NUMBER + 1 => Ok(size),
            Some(Ok(1..)) => Err(PdfError::limit("object numbers", MAX_OBJECT_NUMBER.into())),
            _ => Err(PdfError::damaged(self.offset, "the Size of a cross-reference section is wrong")),
        }
    }

    fn previous(&self) -> Result<Option<u64>, PdfError> {
        let wrong = PdfError::damaged(self.offset, "the Prev of a cross-reference section is wrong");
        match self.trailer.get(b"Prev") {
            None => Ok(None),
            Some(Object::Integer(offset)) => u64::try_from(*offset).map(Some).map_err(|_| wrong),
            Some(_) => Err(wrong),
        }
    }

    /// What this section says about an object, with its hidden stream; `None` when it says nothing.
    pub(crate) fn entry(&self, file: File<'_>, number: u32) -> Result<Option<Entry>, PdfError> {
        let own = self.own_entry(file, number)?;
        match &self.hidden {
            Some(hidden) if matches!(own, None | Some(Entry::Free)) => {
                Ok(hidden.own_entry(file, number)?.or(own))
            }
            _ => Ok(own),
        }
    }

    fn own_entry(&self, file: File<'_>, number: u32) -> Result<Option<Entry>, PdfError> {
        let behind = self.subsections.partition_point(|subsection| subsection.first <= number);
        let Some(subsection) = behind.checked_sub(1).map(|index| &self.subsections[index]) else {
            return Ok(None);
        };
        let index = number - subsection.first;
        if index >= subsection.count {
            return Ok(None);
        }
        let (position, entry) = match &self.rows {
            Rows::InFile => {
                let at = subsection.rows_at + u64::from(index) * TABLE_ROW_BYTES;
                (at, table_entry(&file.read(at..at + TABLE_ROW_BYTES)?))
            }
            Rows::Decoded { widths, bytes } => {
                let width: usize = widths.iter().sum();
                let at = usize::try_from(subsection.rows_at).expect("the rows are in memory");
                let row = &bytes[at + index as usize * width..][..width];
                (self.offset, stream_entry(row, *widths))
            }
        };
        entry.map(Some).ok_or(PdfError::damaged(position, "a cross-reference row cannot be read"))
    }

    /// Numbers of all objects of which this section says something, in ascending order; without those of its
    /// hidden stream.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.subsections.iter().flat_map(|s| s.first..s.first + s.count)
    }
}

impl Subsection {
    fn new(first: u64, count: u64, rows_at: u64) -> Result<Self, PdfError> {
        match (u32::try_from(first), u32::try_from(count)) {
            (Ok(first), Ok(count)) if first <= MAX_OBJECT_NUMBER && count <= MAX_OBJECT_NUMBER + 1 => {
                Ok(Self { first, count, rows_at })
            }
            _ => Err(PdfError::limit("object numbers", MAX_OBJECT_NUMBER.into())),
        }
    }

    fn rows_end(&self, width: u64) -> u64 {
        self.rows_at.saturating_add(u64::from(self.count) * width)
    }
}

/// The subsection of a table whose head comes next; `None` before `trailer`.
fn table_subsection(file: File<'_>, at: u64) -> Result<Option<Subsection>, PdfError> {
    file.parse(at, |parser| {
        parser.skip_white();
        if parser.skip_word(b"trailer") {
            return Ok(None);
        }
        let first = parser.unsigned()?;
        parser.skip_white();
        let count = parser.unsigned()?;
        while parser.skip(b" ") {}
        if !parser.skip_line_end() {
            return Err(parser.damaged("a line end was expected in the cross-reference table"));
        }
        Subsection::new(first, count, parser.position()).map(Some)
    })
}

/// The body of a stream that is going to be decoded.
pub(super) fn check_body(body: &Range<u64>) -> Result<(), PdfError> {
    let limit = MAX_DECODED_BYTES as u64;
    if body.end - body.start > limit {
        return Err(PdfError::limit("bytes in a stream of structure or data", limit));
    }
    Ok(())
}

/// Reads `endstream` and `endobj` behind a body and gives the place behind them.
fn stream_end(file: File<'_>, body_end: u64) -> Result<u64, PdfError> {
    if body_end > file.len() {
        return Err(PdfError::damaged(file.len(), "a stream goes beyond the file"));
    }
    file.parse(body_end, |parser| {
        parser.stream_end()?;
        Ok(parser.position())
    })
}

fn push_subsection(subsections: &mut Vec<Subsection>, subsection: Subsection) -> Result<(), PdfError> {
    if subsections.len() == MAX_SUBSECTIONS {
        return Err(PdfError::limit("parts of a cross-reference section", MAX_SUBSECTIONS as u64));
    }
    subsections.push(subsection);
    Ok(())
}

fn row_widths(trailer: &Dictionary) -> Option<[usize; 3]> {
    let mut widths = [0; 3];
    let items = trailer.get(b"W")?.as_array()?;
    if items.len() != widths.len() {
        return None;
    }
    for (width, item) in widths.iter_mut().zip(items) {
        *width = usize::try_from(item.as_integer()?).ok().filter(|width| *width <= 8)?;
    }
    (widths[1] > 0).then_some(widths)
}

fn stream_index(trailer: &Dictionary, offset: u64) -> Result<Vec<(u64, u64)>, PdfError> {
    let wrong = PdfError::damaged(offset, "the Index of a cross-reference stream is wrong");
    let number = |object: Option<&Object>| {
        object.and_then(Object::as_integer).and_then(|value| u64::try_from(value).ok()).ok_or(wrong.clone())
    };
    let Some(index) = trailer.get(b"Index") else { return Ok(vec![(0, number(trailer.get(b"Size"))?)]) };
    let items = index.as_array().ok_or(wrong.clone())?;
    items.chunks(2).map(|pair| Ok((number(pair.first())?, number(pair.get(1))?))).collect()
}

fn table_entry(row: &[u8]) -> Option<Entry> {
    let digits = |range: Range<usize>| {
        let text = core::str::from_utf8(&row[range]).ok()?;
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?
    };
    let (offset, generation) = (digits(0..10)?, digits(11..16)?);
    if row[10] != b' ' || row[16] != b' ' || !matches!(&row[18..], b" \n" | b" \r" | b"\r\n") {
        return None;
    }
    match row[17] {
        b'f' => Some(Entry::Free),
        b'n' => Some(Entry::Offset {
            offset: Some(offset).filter(|offset| *offset > 0)?,
            generation: u16::try_from(generation).ok()?,
        }),
        _ => None,
    }
}

fn stream_entry(row: &[u8], [kind, second, third]: [usize; 3]) -> Option<Entry> {
    let value = |bytes: &[u8]| bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    let (kind_field, rest) = row.split_at(kind);
    let (second_field, third_field) = rest.split_at(second);
    debug_assert_eq!(third_field.len(), third, "a row is as wide as its fields");
    // A field of width 0 has its default: type 1, generation 0 (ISO 32000-2 §7.5.8.2).
    match if kind == 0 { 1 } else { value(kind_field) } {
        0 => Some(Entry::Free),
        1 => Some(Entry::Offset {
            offset: Some(value(second_field)).filter(|offset| *offset > 0)?,
            generation: u16::try_from(value(third_field)).ok()?,
        }),
        2 => Some(Entry::InStream {
            stream: u32::try_from(value(second_field)).ok()?,
            index: usize::try_from(value(third_field)).ok()?,
        }),
        _ => None,
    }
}
