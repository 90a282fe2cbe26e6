//! Names and strings.

use super::Parser;
use crate::pdf::PdfError;
use crate::pdf::object::{is_delimiter, is_whitespace};

impl Parser<'_> {
    pub(super) fn name(&mut self) -> Result<Vec<u8>, PdfError> {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|b| !is_whitespace(*b) && !is_delimiter(*b)) {
            self.at += 1;
            if byte != b'#' {
                name.push(byte);
                continue;
            }
            // PDF 1.0 and 1.1 had no escapes, so a lone # stands for itself.
            match self.ahead(2) {
                [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    name.push(hex_value(*high) << 4 | hex_value(*low));
                    self.at += 2;
                }
                _ => name.push(b'#'),
            }
        }
        Ok(name)
    }

    pub(super) fn hex_string(&mut self) -> Result<Vec<u8>, PdfError> {
        self.at += 1;
        let mut bytes = Vec::new();
        let mut high = None;
        loop {
            let byte = self.peek().ok_or_else(|| self.damaged("the file ends inside a string"))?;
            self.at += 1;
            match byte {
                b'>' => break,
                _ if is_whitespace(byte) => {}
                _ if byte.is_ascii_hexdigit() => match high.take() {
                    None => high = Some(hex_value(byte)),
                    Some(value) => bytes.push(value << 4 | hex_value(byte)),
                },
                _ => return Err(self.damaged("a hexadecimal string has a wrong digit")),
            }
        }
        // A missing last digit counts as 0 (ISO 32000-2 §7.3.4.3).
        bytes.extend(high.map(|value| value << 4));
        Ok(bytes)
    }

    pub(super) fn literal_string(&mut self) -> Result<Vec<u8>, PdfError> {
        self.at += 1;
        let mut bytes = Vec::new();
        let mut open = 1_u32;
        loop {
            let byte = self.peek().ok_or_else(|| self.damaged("the file ends inside a string"))?;
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' if open == 1 => return Ok(bytes),
                b')' => open -= 1,
                b'\\' => {
                    bytes.extend(self.escape()?);
                    continue;
                }
                b'\r' => {
                    self.skip(b"\n");
                    bytes.push(b'\n');
                    continue;
                }
                _ => {}
            }
            bytes.push(byte);
        }
    }

    /// What stands behind a backslash (ISO 32000-2 §7.3.4.2, table 3); `None` for a continued line.
    fn escape(&mut self) -> Result<Option<u8>, PdfError> {
        if self.skip_line_end() {
            return Ok(None);
        }
        let byte = self.peek().ok_or_else(|| self.damaged("the file ends inside a string"))?;
        self.at += 1;
        Ok(Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'0'..=b'7' => {
                let mut value = byte - b'0';
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    // High-order overflow is ignored, as the standard says.
                    value = value.wrapping_mul(8).wrapping_add(digit - b'0');
                    self.at += 1;
                }
                value
            }
            other => other,
        }))
    }
}

/// The value of a hexadecimal digit that was checked before.
pub(crate) const fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}
