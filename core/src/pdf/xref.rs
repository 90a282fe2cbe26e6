//! Cross-reference sections (ISO 32000-2 §7.5.4 tables, §7.5.8 streams) and the chain that `/Prev` makes of
//! them.

use std::collections::BTreeSet;

use super::filter::decode_stream;
use super::{Dictionary, Object, Parser, PdfError};

/// A document saved more often than this is not followed.
const MAX_SECTIONS: usize = 4096;
/// Subsections of one section; a scan over them is cheap up to here.
const MAX_SUBSECTIONS: usize = 1 << 16;
/// Object numbers end here (ISO 32000-1 annex C: the limit of widely used readers).
pub(super) const MAX_OBJECT_NUMBER: u32 = 8_388_607;
/// A row of a table: ten digits, five digits, a letter, two spaces and two bytes of line end.
const TABLE_ROW_BYTES: usize = 20;
/// Decoded rows of all cross-reference streams of a file together.
const MAX_ROW_BYTES: usize = 64 << 20;
/// `startxref` is looked for in this many last bytes of the file.
const TAIL_BYTES: usize = 2048;

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Free: a reference to it means `null`.
    Free,
    /// At a byte of the file.
    Offset {
        /// Where `n g obj` begins.
        offset: usize,
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
    pub(crate) offset: usize,
    /// Where it ends: behind the trailer dictionary or `endobj`.
    pub(crate) end: usize,
    /// The trailer, or the dictionary of the stream.
    pub(crate) trailer: Dictionary,
    /// By object number; none is empty and none overlaps another.
    subsections: Vec<Subsection>,
    rows: Rows,
}

#[derive(Debug, Clone, Copy)]
struct Subsection {
    first: u32,
    count: u32,
    /// Where its first row stands: in the file for a table, in the decoded rows for a stream.
    rows_at: usize,
}

#[derive(Debug, Clone)]
enum Rows {
    InFile,
    Decoded { widths: [usize; 3], bytes: Vec<u8> },
}

/// Follows the chain from the last `startxref`; the newest section comes first.
pub(crate) fn read_sections(file: &[u8]) -> Result<Vec<Section>, PdfError> {
    let mut next = Some(last_startxref(file)?);
    let mut seen = BTreeSet::new();
    let mut sections = Vec::new();
    let mut row_bytes = 0;
    while let Some(offset) = next {
        if !seen.insert(offset) {
            return Err(PdfError::damaged(offset, "the cross-reference sections form a loop"));
        }
        if sections.len() == MAX_SECTIONS {
            return Err(PdfError::unsupported("too many revisions"));
        }
        let section = Section::read(file, offset)?;
        if let Rows::Decoded { bytes, .. } = &section.rows {
            row_bytes += bytes.len();
        }
        if row_bytes > MAX_ROW_BYTES {
            return Err(PdfError::unsupported("too many cross-reference rows"));
        }
        next = section.previous()?;
        sections.push(section);
    }
    Ok(sections)
}

/// The number behind the last `startxref`, which must be followed by `%%EOF`.
fn last_startxref(file: &[u8]) -> Result<usize, PdfError> {
    const KEYWORD: &[u8] = b"startxref";
    let tail_at = file.len().saturating_sub(TAIL_BYTES);
    let found = file[tail_at..].windows(KEYWORD.len()).rposition(|window| window == KEYWORD);
    let found = found.ok_or(PdfError::damaged(file.len(), "the file ends without startxref"))?;
    let mut parser = Parser::new(file, tail_at + found + KEYWORD.len());
    parser.skip_white();
    let at = parser.position();
    let offset = parser.unsigned()?;
    parser.skip_white();
    if !parser.skip(b"%%EOF") {
        return Err(parser.damaged("the file ends without %%EOF"));
    }
    to_offset(file, offset).ok_or(PdfError::damaged(at, "startxref points outside the file"))
}

fn to_offset(file: &[u8], offset: u64) -> Option<usize> {
    usize::try_from(offset).ok().filter(|offset| *offset < file.len())
}

impl Section {
    fn read(file: &[u8], offset: usize) -> Result<Self, PdfError> {
        let mut parser = Parser::new(file, offset);
        let mut section = if parser.skip_word(b"xref") {
            Self::read_table(file, offset, parser)
        } else {
            Self::read_stream(file, offset)
        }?;
        section.subsections.retain(|subsection| subsection.count > 0);
        section.subsections.sort_unstable_by_key(|subsection| subsection.first);
        let size = section.size()?;
        if section.subsections.iter().any(|s| u64::from(s.first) + u64::from(s.count) > u64::from(size)) {
            return Err(PdfError::damaged(offset, "a cross-reference section goes beyond its Size"));
        }
        if section.subsections.windows(2).any(|pair| pair[0].first + pair[0].count > pair[1].first) {
            return Err(PdfError::damaged(offset, "a cross-reference section has an object twice"));
        }
        if section.trailer.get(b"XRefStm").is_some() {
            return Err(PdfError::unsupported("a hybrid cross-reference table (XRefStm)"));
        }
        Ok(section)
    }

    fn read_table(file: &[u8], offset: usize, mut parser: Parser<'_>) -> Result<Self, PdfError> {
        let mut subsections = Vec::new();
        parser.skip_white();
        while !parser.skip_word(b"trailer") {
            let first = parser.unsigned()?;
            parser.skip_white();
            let count = parser.unsigned()?;
            while parser.skip(b" ") {}
            if !parser.skip_line_end() {
                return Err(parser.damaged("a line end was expected in the cross-reference table"));
            }
            let subsection = Subsection::new(first, count, parser.position(), offset)?;
            push_subsection(&mut subsections, subsection)?;
            let end = subsection.rows_end(TABLE_ROW_BYTES).filter(|end| *end <= file.len());
            let end =
                end.ok_or(PdfError::damaged(offset, "the cross-reference table goes beyond the file"))?;
            parser.move_to(end);
            parser.skip_white();
        }
        let Object::Dictionary(trailer) = parser.object()? else {
            return Err(parser.damaged("a trailer dictionary was expected"));
        };
        let end = parser.position();
        Ok(Self { kind: SectionKind::Table, offset, end, trailer, subsections, rows: Rows::InFile })
    }

    fn read_stream(file: &[u8], offset: usize) -> Result<Self, PdfError> {
        let mut parser = Parser::new(file, offset);
        let not_there =
            PdfError::damaged(offset, "no cross-reference section where startxref or Prev points");
        let reference = parser.object_header().map_err(|_| not_there.clone())?;
        let Object::Dictionary(trailer) = parser.object()? else { return Err(not_there) };
        if !trailer.has_name(b"Type", b"XRef") {
            return Err(not_there);
        }
        let length = trailer.get(b"Length").and_then(Object::as_integer);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length =
            length.ok_or(PdfError::damaged(offset, "a cross-reference stream has no direct Length"))?;
        let body = parser.stream_body(length)?;
        let end = parser.position();
        let bytes = decode_stream(&trailer, body)?;
        let widths = row_widths(&trailer)
            .ok_or(PdfError::damaged(offset, "the widths of a cross-reference stream are wrong"))?;
        let mut subsections = Vec::new();
        let mut rows_at = 0;
        for (first, count) in stream_index(&trailer, offset)? {
            let subsection = Subsection::new(first, count, rows_at, offset)?;
            push_subsection(&mut subsections, subsection)?;
            let rows_end = subsection.rows_end(widths.iter().sum()).filter(|end| *end <= bytes.len());
            rows_at = rows_end.ok_or(PdfError::damaged(offset, "a cross-reference stream is too short"))?;
        }
        let (kind, rows) = (SectionKind::Stream(reference.number), Rows::Decoded { widths, bytes });
        Ok(Self { kind, offset, end, trailer, subsections, rows })
    }

    /// `/Size`: the highest object number plus one.
    pub(crate) fn size(&self) -> Result<u32, PdfError> {
        let size = self.trailer.get(b"Size").and_then(Object::as_integer);
        match size.map(u32::try_from) {
            Some(Ok(size @ 1..)) if size <= MAX_OBJECT_NUMBER + 1 => Ok(size),
            _ => Err(PdfError::damaged(self.offset, "the Size of a cross-reference section is wrong")),
        }
    }

    fn previous(&self) -> Result<Option<usize>, PdfError> {
        let wrong = PdfError::damaged(self.offset, "the Prev of a cross-reference section is wrong");
        match self.trailer.get(b"Prev") {
            None => Ok(None),
            Some(Object::Integer(offset)) => usize::try_from(*offset).map(Some).map_err(|_| wrong),
            Some(_) => Err(wrong),
        }
    }

    /// What this section says about an object; `None` when it says nothing.
    pub(crate) fn entry(&self, file: &[u8], number: u32) -> Result<Option<Entry>, PdfError> {
        let behind = self.subsections.partition_point(|subsection| subsection.first <= number);
        let Some(subsection) = behind.checked_sub(1).map(|index| &self.subsections[index]) else {
            return Ok(None);
        };
        let index = number - subsection.first;
        if index >= subsection.count {
            return Ok(None);
        }
        let width = match &self.rows {
            Rows::InFile => TABLE_ROW_BYTES,
            Rows::Decoded { widths, .. } => widths.iter().sum(),
        };
        let at = subsection.rows_at + index as usize * width;
        let entry = match &self.rows {
            Rows::InFile => table_entry(&file[at..at + width]),
            Rows::Decoded { widths, bytes } => stream_entry(&bytes[at..at + width], *widths),
        };
        let position = if matches!(self.rows, Rows::InFile) { at } else { self.offset };
        entry.map(Some).ok_or(PdfError::damaged(position, "a cross-reference row cannot be read"))
    }

    /// Numbers of all objects of which this section says something, in ascending order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.subsections.iter().flat_map(|s| s.first..s.first + s.count)
    }
}

impl Subsection {
    fn new(first: u64, count: u64, rows_at: usize, offset: usize) -> Result<Self, PdfError> {
        match (u32::try_from(first), u32::try_from(count)) {
            (Ok(first), Ok(count)) if first <= MAX_OBJECT_NUMBER && count <= MAX_OBJECT_NUMBER + 1 => {
                Ok(Self { first, count, rows_at })
            }
            _ => Err(PdfError::damaged(offset, "a cross-reference subsection is out of range")),
        }
    }

    fn rows_end(&self, width: usize) -> Option<usize> {
        (self.count as usize).checked_mul(width)?.checked_add(self.rows_at)
    }
}

fn push_subsection(subsections: &mut Vec<Subsection>, subsection: Subsection) -> Result<(), PdfError> {
    if subsections.len() == MAX_SUBSECTIONS {
        return Err(PdfError::unsupported("a cross-reference section with too many parts"));
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

fn stream_index(trailer: &Dictionary, offset: usize) -> Result<Vec<(u64, u64)>, PdfError> {
    let wrong = PdfError::damaged(offset, "the Index of a cross-reference stream is wrong");
    let number = |object: Option<&Object>| {
        object.and_then(Object::as_integer).and_then(|value| u64::try_from(value).ok()).ok_or(wrong.clone())
    };
    let Some(index) = trailer.get(b"Index") else { return Ok(vec![(0, number(trailer.get(b"Size"))?)]) };
    let items = index.as_array().ok_or(wrong.clone())?;
    items.chunks(2).map(|pair| Ok((number(pair.first())?, number(pair.get(1))?))).collect()
}

fn table_entry(row: &[u8]) -> Option<Entry> {
    let digits = |range: core::ops::Range<usize>| {
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
            offset: usize::try_from(offset).ok().filter(|offset| *offset > 0)?,
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
            offset: usize::try_from(value(second_field)).ok().filter(|offset| *offset > 0)?,
            generation: u16::try_from(value(third_field)).ok()?,
        }),
        2 => Some(Entry::InStream {
            stream: u32::try_from(value(second_field)).ok()?,
            index: usize::try_from(value(third_field)).ok()?,
        }),
        _ => None,
    }
}
