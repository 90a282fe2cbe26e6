//! Archives of stored files
//! ([APPNOTE.TXT](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT)), as bytes for whoever sends them.
//!
//! Size and CRC stand before each entry. The crates that write archives to a stream put them behind it, where readers without random
//! access, such as Java's `ZipInputStream`, cannot find the end of what is not compressed. Numbers that do not fit go into the fields of
//! ZIP64, and only then.

use rubrica_core::Timestamp;

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// Names are UTF-8 (4.4.4, bit 11).
const FLAGS: u16 = 1 << 11;
/// Version 4.5, the first with ZIP64, which is harmless where it is not needed.
const VERSION_NEEDED: u16 = 45;
/// As above, made on Unix (4.4.2), whose rights follow below.
const VERSION_MADE: u16 = 3 << 8 | VERSION_NEEDED;
/// A regular file that its owner may change and everybody may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// Header of the extra field of ZIP64 (4.5.3).
const EXTRA_64: u16 = 1;

/// What is known of an entry before its bytes are sent.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Told in UTC, in steps of two seconds.
    pub(super) time: Timestamp,
    pub(super) size_bytes: u64,
    pub(super) crc32: u32,
}

/// An archive that is being written: what has to be said at its end.
#[derive(Debug, Default)]
pub(super) struct Archive {
    entries: Vec<(Entry, u64)>,
    offset: u64,
}

impl Archive {
    /// Begins an entry: these bytes, then those of the file, as many as `size_bytes` says.
    pub(super) fn begin(&mut self, entry: Entry) -> Vec<u8> {
        let mut header = Fields::default();
        header.u32(LOCAL_HEADER);
        header.u16(VERSION_NEEDED);
        let extra = if fits(entry.size_bytes) { Vec::new() } else { vec![entry.size_bytes; 2] };
        header.common(&entry, extra.len());
        header.bytes(entry.name.as_bytes());
        header.extra_64(&extra);
        let start = self.offset;
        self.offset += header.0.len() as u64 + entry.size_bytes;
        self.entries.push((entry, start));
        header.0
    }

    /// What follows the last entry, in pieces.
    pub(super) fn end(self) -> impl Iterator<Item = Vec<u8>> {
        let start = self.offset;
        let count = self.entries.len() as u64;
        let mut size = 0;
        let mut entries = self.entries.into_iter();
        let mut ended = false;
        std::iter::from_fn(move || match entries.next() {
            Some((entry, offset)) => {
                let header = central_header(&entry, offset);
                size += header.len() as u64;
                Some(header)
            }
            None if !ended => {
                ended = true;
                Some(end(count, start, size))
            }
            None => None,
        })
    }
}

/// 4.3.12.
fn central_header(entry: &Entry, offset: u64) -> Vec<u8> {
    let mut header = Fields::default();
    header.u32(CENTRAL_HEADER);
    header.u16(VERSION_MADE);
    header.u16(VERSION_NEEDED);
    let mut extra = if fits(entry.size_bytes) { Vec::new() } else { vec![entry.size_bytes; 2] };
    if !fits(offset) {
        extra.push(offset);
    }
    header.common(entry, extra.len());
    // Comment, disk, internal attributes.
    header.u16(0);
    header.u16(0);
    header.u16(0);
    header.u32(ATTRIBUTES);
    header.u32_or_64(offset);
    header.bytes(entry.name.as_bytes());
    header.extra_64(&extra);
    header.0
}

/// 4.3.14 to 4.3.16.
fn end(count: u64, start: u64, size: u64) -> Vec<u8> {
    let mut end = Fields::default();
    let count_16 = u16::try_from(count).unwrap_or(u16::MAX);
    if count_16 == u16::MAX || !fits(start) || !fits(size) {
        end.u32(END_64);
        // Bytes of this record behind this number.
        end.u64(44);
        end.u16(VERSION_MADE);
        end.u16(VERSION_NEEDED);
        end.u32(0);
        end.u32(0);
        end.u64(count);
        end.u64(count);
        end.u64(size);
        end.u64(start);
        end.u32(LOCATOR_64);
        end.u32(0);
        end.u64(start + size);
        end.u32(1);
    }
    end.u32(END);
    end.u16(0);
    end.u16(0);
    end.u16(count_16);
    end.u16(count_16);
    end.u32_or_64(size);
    end.u32_or_64(start);
    end.u16(0);
    end.0
}

/// Whether a number has a place in the old fields: their highest value says that it stands elsewhere.
fn fits(number: u64) -> bool {
    number < u64::from(u32::MAX)
}

/// Little-endian fields.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn u16(&mut self, number: u16) {
        self.bytes(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn u32_or_64(&mut self, number: u64) {
        self.u32(if fits(number) { u32::try_from(number).unwrap_or(u32::MAX) } else { u32::MAX });
    }

    /// The fields that both headers of an entry share, from the flags to the length of the extra field of `numbers` numbers.
    fn common(&mut self, entry: &Entry, numbers: usize) {
        self.u16(FLAGS);
        // Stored.
        self.u16(0);
        let (date, time) = dos(entry.time);
        self.u16(time);
        self.u16(date);
        self.u32(entry.crc32);
        self.u32_or_64(entry.size_bytes);
        self.u32_or_64(entry.size_bytes);
        self.u16(u16::try_from(entry.name.len()).expect("names of entries are short"));
        let extra = if numbers == 0 { 0 } else { 4 + 8 * numbers };
        self.u16(u16::try_from(extra).expect("there are three numbers at most"));
    }

    fn extra_64(&mut self, numbers: &[u64]) {
        if numbers.is_empty() {
            return;
        }
        self.u16(EXTRA_64);
        self.u16(u16::try_from(8 * numbers.len()).expect("there are three numbers at most"));
        numbers.iter().for_each(|number| self.u64(*number));
    }
}

/// Date and time of MS-DOS (4.4.6), which begin in 1980 and end in 2107.
fn dos(time: Timestamp) -> (u16, u16) {
    let time = time.to_date_time();
    let year = time.year().clamp(1980, 2107) - 1980;
    let date = year << 9 | u16::from(time.month()) << 5 | u16::from(time.day());
    let clock =
        u16::from(time.hour()) << 11 | u16::from(time.minutes()) << 5 | (u16::from(time.seconds()) / 2);
    (date, clock)
}

#[cfg(test)]
mod tests;
