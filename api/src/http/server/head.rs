//! Headers whose meaning two programs could see differently.
//!
//! The parser below us takes a request with `transfer-encoding` and `content-length` by the first, equal lengths as one and
//! a bare line feed as the end of a line: each is allowed, and each has smuggled requests past a proxy that read it in
//! another way (RFC 9112 §11.2). So the bytes themselves are looked at, and such a request is refused.

use axum::http::{HeaderMap, Version};

/// The bytes of the headers that come next.
#[derive(Debug)]
pub(super) struct HeadBytes {
    bytes: Vec<u8>,
    limit: usize,
    complete: bool,
}

impl HeadBytes {
    pub(super) const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, complete: false }
    }

    /// Adds what was received. What follows the headers is not kept.
    pub(super) fn add(&mut self, mut received: &[u8]) {
        if self.complete {
            return;
        }
        if self.bytes.is_empty() {
            // Empty lines before a request mean nothing (RFC 9112 §2.2).
            received = received.trim_ascii_start();
        }
        let seen = self.bytes.len();
        let room = self.limit.saturating_sub(seen);
        self.bytes.extend_from_slice(&received[..received.len().min(room)]);
        if let Some(end) = end_of_head(&self.bytes, seen.saturating_sub(3)) {
            self.bytes.truncate(end);
            self.complete = true;
        }
    }

    /// The headers; empty when they came together with an earlier request.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let bytes = if self.complete { std::mem::take(&mut self.bytes) } else { Vec::new() };
        self.bytes = Vec::new();
        self.complete = false;
        bytes
    }
}

/// Behind the first empty line.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let feed = at + bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
        match bytes.get(feed + 1..)? {
            [b'\n', ..] => return Some(feed + 2),
            [b'\r', b'\n', ..] => return Some(feed + 3),
            _ => at = feed + 1,
        }
    }
}

/// Says what is ambiguous about a request, from its bytes and from what the parser made of them.
pub(super) fn ambiguity(head: &[u8], version: Version, headers: &HeaderMap) -> Option<&'static str> {
    let chunked = headers.contains_key("transfer-encoding");
    if head.is_empty() {
        // Sent before the last answer was read. Without its bytes there is no way to tell.
        return chunked.then_some("a request sent ahead of time cannot be chunked");
    }
    let (mut lengths, mut encodings, mut hosts) = (0, 0, 0);
    for line in head.split_inclusive(|byte| *byte == b'\n').skip(1) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Some("a header is folded over two lines");
        }
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
        lengths += usize::from(name.eq_ignore_ascii_case(b"content-length"));
        encodings += usize::from(name.eq_ignore_ascii_case(b"transfer-encoding"));
        hosts += usize::from(name.eq_ignore_ascii_case(b"host"));
    }
    let feeds = head.iter().filter(|byte| **byte == b'\n').count();
    let returns = head.iter().filter(|byte| **byte == b'\r').count();
    let pairs = head.windows(2).filter(|pair| pair == b"\r\n").count();
    if feeds != pairs || returns != pairs {
        return Some("a line does not end in CR LF");
    }
    if lengths + encodings > 1 {
        return Some("the length of the body is given twice");
    }
    if chunked
        && !headers
            .get("transfer-encoding")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return Some("the only transfer encoding is `chunked`");
    }
    if hosts > 1 || (version == Version::HTTP_11 && hosts == 0) {
        return Some("a request names its host once");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(head: &str, chunked: bool) -> Option<&'static str> {
        let mut bytes = HeadBytes::new(1000);
        // As slowly as it gets.
        head.as_bytes().iter().for_each(|byte| bytes.add(&[*byte]));
        bytes.add(b"body\r\n\r\n");
        let headers = chunked.then(|| ("transfer-encoding".parse().unwrap(), "chunked".parse().unwrap()));
        ambiguity(&bytes.take(), Version::HTTP_11, &headers.into_iter().collect())
    }

    #[test]
    fn plain_requests_pass() {
        assert_eq!(judge("GET / HTTP/1.1\r\nhost: a\r\n\r\n", false), None);
        assert_eq!(judge("\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", false), None);
        assert_eq!(judge("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", true), None);
    }

    #[test]
    fn whatever_can_be_read_in_two_ways_is_refused() {
        for (fields, chunked) in [
            ("host: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n", false),
            ("host: a\r\ncontent-length: 5\r\nTRANSFER-ENCODING: chunked\r\n", true),
            ("host: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", true),
            ("host: a\ncontent-length: 5\r\n", false),
            ("host: a\r\nx: b\rcontent-length: 5\r\n", false),
            ("host: a\r\nx: b\r\n content-length: 5\r\n", false),
            ("host: a\r\nhost: b\r\n", false),
            ("x: a\r\n", false),
        ] {
            let head = format!("POST / HTTP/1.1\r\n{fields}\r\n");
            assert!(judge(&head, chunked).is_some(), "{head:?}");
        }
        assert!(ambiguity(b"", Version::HTTP_11, &HeaderMap::new()).is_none());
        let headers =
            [("transfer-encoding".parse().unwrap(), "chunked".parse().unwrap())].into_iter().collect();
        assert!(ambiguity(b"", Version::HTTP_11, &headers).is_some());
    }

    #[test]
    fn the_end_is_found_across_pieces_and_the_limit_holds() {
        for split in 1..30 {
            let text = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET";
            let mut head = HeadBytes::new(1000);
            head.add(&text[..split]);
            head.add(&text[split..]);
            assert_eq!(head.take(), &text[..27], "{split}");
            assert_eq!(head.take(), b"");
        }
        let mut head = HeadBytes::new(10);
        head.add(&[b'a'; 100]);
        assert_eq!(head.bytes.len(), 10);
        assert_eq!(head.take(), b"");
    }
}
