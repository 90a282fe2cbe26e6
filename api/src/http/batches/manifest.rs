//! The manifest of a batch, read line by line.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest::{Context, SHA256};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{BatchContent, BatchHeader, BatchLine, SignatureFormat};
use serde::de::DeserializeOwned;

use crate::http::body::Pieces;
use crate::http::problem::{ApiError, ApiResult};
use crate::ids::{DocumentId, SignatureId};
use crate::store::batches::items::NewItem;

/// Items of one manifest.
const MOST_ITEMS: usize = 100_000;
/// Bytes of one line.
const LONGEST_LINE: usize = 4096;

/// Reads lines from a body.
pub(super) struct Reader {
    pieces: Pieces,
    buffer: Vec<u8>,
    /// Where the next line begins in the buffer.
    start: usize,
    /// Number of the last line, from 1.
    number: usize,
    ended: bool,
    digest: Context,
}

/// An item of the manifest that can be used as far as the line itself tells.
#[derive(Debug)]
pub(super) struct Line {
    number: usize,
    reference: String,
    name: Option<String>,
    content: BatchContent,
}

impl Line {
    /// The uploaded document, when there is one.
    pub(super) fn document_id(&self) -> Option<&str> {
        match &self.content {
            BatchContent::Document(id) => Some(id),
            BatchContent::Digest(_) => None,
        }
    }
}

/// A line that cannot be used; nothing of the manifest is taken.
pub(super) fn invalid(number: usize, what: &str) -> ApiError {
    ApiError::new(ErrorCode::ManifestInvalid, format!("line {number}: {what}"))
}

impl Reader {
    pub(super) fn new(pieces: Pieces) -> Self {
        let digest = Context::new(&SHA256);
        Self { pieces, buffer: Vec::new(), start: 0, number: 0, ended: false, digest }
    }

    /// The first line.
    pub(super) async fn header(&mut self) -> ApiResult<BatchHeader> {
        let line = self.next().await?;
        let line = line.ok_or_else(|| invalid(1, "the manifest is empty; its first line is the header"))?;
        parse(&line, self.number)
    }

    /// All further lines, and the SHA-256 of the whole manifest.
    pub(super) async fn lines(mut self, format: SignatureFormat) -> ApiResult<(Vec<Line>, [u8; 32])> {
        let mut lines = Vec::new();
        let mut references = HashSet::new();
        while let Some(text) = self.next().await? {
            let number = self.number;
            if lines.len() == MOST_ITEMS {
                return Err(invalid(number, "a manifest has at most 100000 items; make several batches"));
            }
            let line: BatchLine = parse(&text, number)?;
            let content = line.content(format).map_err(|error| invalid(number, &error.to_string()))?;
            if !references.insert(line.reference.clone()) {
                return Err(invalid(number, "`reference` is that of an earlier line"));
            }
            lines.push(Line { number, reference: line.reference, name: line.name, content });
        }
        if lines.is_empty() {
            return Err(invalid(2, "the manifest has no item"));
        }
        let sha256 = self.digest.finish();
        Ok((lines, sha256.as_ref().try_into().expect("SHA-256 has 32 bytes")))
    }

    /// The next line that is not empty, without its end.
    async fn next(&mut self) -> ApiResult<Option<Vec<u8>>> {
        loop {
            let Some(line) = self.take().await? else { return Ok(None) };
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(line.to_vec()));
            }
        }
    }

    async fn take(&mut self) -> ApiResult<Option<Vec<u8>>> {
        loop {
            let rest = &self.buffer[self.start..];
            let end = rest.iter().position(|byte| *byte == b'\n');
            if end.unwrap_or(rest.len()) > LONGEST_LINE {
                return Err(invalid(self.number + 1, &format!("a line has at most {LONGEST_LINE} bytes")));
            }
            if let Some(end) = end {
                let line = rest[..end].to_vec();
                self.start += end + 1;
                self.number += 1;
                return Ok(Some(line));
            }
            if self.ended {
                if rest.is_empty() {
                    return Ok(None);
                }
                let line = rest.to_vec();
                self.start = self.buffer.len();
                self.number += 1;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            match self.pieces.next().await? {
                Some(piece) => {
                    self.digest.update(&piece);
                    self.buffer.extend_from_slice(&piece);
                }
                None => self.ended = true,
            }
        }
    }
}

fn parse<T: DeserializeOwned>(line: &[u8], number: usize) -> ApiResult<T> {
    let reader = &mut serde_json::Deserializer::from_slice(line);
    let read = serde_path_to_error::deserialize(&mut *reader);
    // The value stays out of the answer: it may be anything.
    let value = read.map_err(|error| match error.path().to_string() {
        path if path == "." => invalid(number, "not a JSON object of the documented shape"),
        path => invalid(number, &format!("`{path}` is not of the documented shape")),
    })?;
    reader.end().map_err(|_| invalid(number, "more than one JSON object"))?;
    Ok(value)
}

/// Above level b the document itself is needed: it is validated with its time stamps.
pub(super) fn require_documents(lines: &[Line]) -> ApiResult<()> {
    match lines.iter().find(|line| line.document_id().is_none()) {
        None => Ok(()),
        Some(line) => Err(invalid(
            line.number,
            "`sha256` is for level `b` only: upload the document and give its `document_id`",
        )),
    }
}

/// Gives every item its identifier and the digest of its document.
pub(super) fn resolve(lines: Vec<Line>, documents: &HashMap<String, [u8; 32]>) -> ApiResult<Vec<NewItem>> {
    lines
        .into_iter()
        .map(|line| {
            let (document_id, document_sha256) = match line.content {
                BatchContent::Digest(sha256) => (None, sha256),
                BatchContent::Document(id) => {
                    let sha256 = documents.get(&id).copied();
                    let id: Option<DocumentId> = id.parse().ok();
                    match (id, sha256) {
                        (Some(id), Some(sha256)) => (Some(id), sha256),
                        _ => return Err(invalid(line.number, "there is no such document of this tenant")),
                    }
                }
            };
            Ok(NewItem {
                id: SignatureId::generate(),
                reference: line.reference,
                document_id,
                name: line.name,
                document_sha256,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn read(text: &str) -> ApiResult<Vec<Line>> {
        let mut reader = Reader::new(Pieces::new(Body::from(text.to_owned())));
        let header = reader.header().await?;
        Ok(reader.lines(header.format).await?.0)
    }

    fn detail(error: &ApiError) -> String {
        format!("{error:?}")
    }

    #[tokio::test]
    async fn lines_end_with_any_newline_and_empty_ones_are_passed_over() {
        let sha256 = "ab".repeat(32);
        let text = format!(
            "{{\"key_id\":\"key_1\",\"format\":\"cades\"}}\r\n\n{{\"reference\":\"a\",\"sha256\":\"{sha256}\"}}\n\
             {{\"reference\":\"b\",\"document_id\":\"doc_1\"}}"
        );
        let lines = read(&text).await.unwrap();
        assert_eq!(
            lines.iter().map(|line| (line.number, line.reference.as_str())).collect::<Vec<_>>(),
            [(3, "a"), (4, "b")]
        );
        assert_eq!(lines[1].document_id(), Some("doc_1"));
    }

    #[tokio::test]
    async fn a_line_at_fault_is_named_and_its_value_is_not() {
        let header = r#"{"key_id":"key_1","format":"cades"}"#;
        let sha256 = "ab".repeat(32);
        let item = format!(r#"{{"reference":"a","sha256":"{sha256}"}}"#);
        let long = "x".repeat(5000);
        for (text, number) in [
            (String::new(), 1),
            ("52998224725".to_owned(), 1),
            (header.to_owned(), 2),
            (format!("{header}\n{item}\n{item}"), 3),
            (format!("{header}\n{item}\n{{\"reference\":52998224725}}"), 3),
            (format!("{header}\n{item} {item}"), 2),
            (format!("{header}\n{{\"reference\":\"{long}\"}}"), 2),
            (format!("{header}\n{{\"reference\":\"52998224725\",\"x\":1}}"), 2),
        ] {
            let error = read(&text).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::ManifestInvalid, "{text}");
            assert!(detail(&error).contains(&format!("line {number}:")), "{text}: {}", detail(&error));
            assert!(!detail(&error).contains("52998224725"), "{}", detail(&error));
        }
    }
}
