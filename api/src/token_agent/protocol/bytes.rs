//! Reading and writing within one frame.

use super::{LONGEST_FRAME, ProtocolError};

/// Walks through the bytes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing may be left.
    pub(super) const fn end(&self) -> Result<(), ProtocolError> {
        if self.0.is_empty() { Ok(()) } else { Err(ProtocolError("bytes after the end of a message")) }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(ProtocolError("a frame ends too early"))?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, ProtocolError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, ProtocolError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of things that follow.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, ProtocolError> {
        let count = usize::from(self.u16()?);
        if count > most { Err(ProtocolError("too many at once")) } else { Ok(count) }
    }

    /// Bytes behind their length.
    pub(super) fn short(&mut self, longest: usize) -> Result<&'a [u8], ProtocolError> {
        let length = usize::from(self.u16()?);
        if length > longest {
            return Err(ProtocolError("a member is too long"));
        }
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(ProtocolError("a frame ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Text behind its length.
    pub(super) fn text(&mut self, longest: usize) -> Result<String, ProtocolError> {
        let bytes = self.short(longest)?;
        std::str::from_utf8(bytes).map(ToOwned::to_owned).map_err(|_| ProtocolError("text is not UTF-8"))
    }
}

/// Writes one frame; its length is set when it is dropped.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn frame(out: &'a mut Vec<u8>, kind: u8) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0, 0, 0, 0, kind]);
        Self { out, start }
    }

    pub(super) const fn position(&self) -> usize {
        self.out.len()
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn count(&mut self, count: usize) {
        self.u16(u16::try_from(count).expect("a frame holds at most 256 of anything"));
    }

    pub(super) fn short(&mut self, bytes: &[u8]) {
        self.count_bytes(bytes.len());
        self.bytes(bytes);
    }

    pub(super) fn set_u16(&mut self, at: usize, value: u16) {
        self.out[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }

    fn count_bytes(&mut self, length: usize) {
        self.u16(u16::try_from(length).expect("callers check the length of what they send"));
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let length = self.out.len() - self.start - 4;
        debug_assert!(length <= LONGEST_FRAME, "limits of members keep a frame within its limit");
        let length = u32::try_from(length).expect("a frame is shorter than its limit");
        self.out[self.start..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }
}
