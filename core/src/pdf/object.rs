//! Objects in memory, and how they are written.

use std::io::Write as _;

/// Number and generation of an indirect object (ISO 32000-2 §7.3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reference {
    /// Object number, from 1.
    pub(crate) number: u32,
    /// Generation number; 0 for nearly every object.
    pub(crate) generation: u16,
}

/// A PDF object other than a stream (ISO 32000-2 §7.3).
///
/// Names and strings hold their decoded bytes; a real number keeps its text, so that writing it again changes
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Object {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a decimal point, as written.
    Real(String),
    /// `/Name`, without the slash and with `#xx` decoded.
    Name(Vec<u8>),
    /// A literal or hexadecimal string, decoded.
    String(Vec<u8>),
    /// `[…]`.
    Array(Vec<Self>),
    /// `<<…>>`.
    Dictionary(Dictionary),
    /// `n g R`.
    Reference(Reference),
}

impl Object {
    /// A name object.
    #[must_use]
    pub(crate) fn name(name: &[u8]) -> Self {
        Self::Name(name.to_vec())
    }

    /// The value of a whole number.
    #[must_use]
    pub(crate) const fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(*value) } else { None }
    }

    /// The value of a number; `None` when it is not finite or beyond 32 bits, which no page needs.
    #[must_use]
    pub(crate) fn as_number(&self) -> Option<f64> {
        if let Self::Real(text) = self {
            return text.parse().ok().filter(|value: &f64| value.is_finite());
        }
        self.as_integer().and_then(|value| i32::try_from(value).ok()).map(f64::from)
    }

    /// The bytes of a name.
    #[must_use]
    pub(crate) fn as_name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    /// The bytes of a string.
    #[must_use]
    pub(crate) fn as_string(&self) -> Option<&[u8]> {
        if let Self::String(bytes) = self { Some(bytes) } else { None }
    }

    /// The elements of an array.
    #[must_use]
    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The dictionary.
    #[must_use]
    pub(crate) const fn as_dictionary(&self) -> Option<&Dictionary> {
        if let Self::Dictionary(dictionary) = self { Some(dictionary) } else { None }
    }

    /// The target of a reference.
    #[must_use]
    pub(crate) const fn as_reference(&self) -> Option<Reference> {
        if let Self::Reference(reference) = self { Some(*reference) } else { None }
    }

    /// About how many bytes of memory the object takes.
    pub(crate) fn weight(&self) -> usize {
        let held = match self {
            Self::Null | Self::Boolean(_) | Self::Integer(_) | Self::Reference(_) => 0,
            Self::Real(text) => text.len(),
            Self::Name(bytes) | Self::String(bytes) => bytes.len(),
            Self::Array(items) => items.iter().map(Self::weight).sum(),
            Self::Dictionary(dictionary) => dictionary.weight(),
        };
        size_of::<Self>() + held
    }

    /// Appends the object as PDF syntax.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Boolean(true) => out.extend_from_slice(b"true"),
            Self::Boolean(false) => out.extend_from_slice(b"false"),
            Self::Integer(value) => write_display(out, value),
            Self::Real(text) => out.extend_from_slice(text.as_bytes()),
            Self::Name(name) => write_name(out, name),
            Self::String(bytes) => write_string(out, bytes),
            Self::Array(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b' ');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Dictionary(dictionary) => dictionary.write(out),
            Self::Reference(reference) => {
                write_display(out, &format_args!("{} {} R", reference.number, reference.generation));
            }
        }
    }
}

impl From<Reference> for Object {
    fn from(reference: Reference) -> Self {
        Self::Reference(reference)
    }
}

impl From<Dictionary> for Object {
    fn from(dictionary: Dictionary) -> Self {
        Self::Dictionary(dictionary)
    }
}

/// A dictionary in the order in which it was written; keys are unique.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Dictionary(Vec<(Vec<u8>, Object)>);

impl Dictionary {
    /// An empty dictionary.
    #[must_use]
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes entries as they are, or `None` when a key occurs twice: which value counts then depends on the
    /// reader.
    #[must_use]
    pub(crate) fn from_entries(entries: Vec<(Vec<u8>, Object)>) -> Option<Self> {
        let mut keys: Vec<&[u8]> = entries.iter().map(|(key, _)| key.as_slice()).collect();
        keys.sort_unstable();
        let unique = keys.windows(2).all(|pair| pair[0] != pair[1]);
        unique.then_some(Self(entries))
    }

    /// The value of `key`; a `null` counts as absent (ISO 32000-2 §7.3.7).
    #[must_use]
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Object> {
        self.raw(key).filter(|value| **value != Object::Null)
    }

    /// The value of `key` even when it is `null`.
    #[must_use]
    pub(crate) fn raw(&self, key: &[u8]) -> Option<&Object> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Whether `key` is there and holds the name `value`.
    #[must_use]
    pub(crate) fn has_name(&self, key: &[u8], value: &[u8]) -> bool {
        self.get(key).and_then(Object::as_name) == Some(value)
    }

    /// Sets `key`, in its old place when it is already there.
    pub(crate) fn set(&mut self, key: &[u8], value: impl Into<Object>) {
        let value = value.into();
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some(entry) => entry.1 = value,
            None => self.0.push((key.to_vec(), value)),
        }
    }

    /// The same dictionary with one more entry; for building a new one.
    #[must_use]
    pub(crate) fn with(mut self, key: &[u8], value: impl Into<Object>) -> Self {
        self.set(key, value);
        self
    }

    /// Entries in their order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], &Object)> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value))
    }

    /// Entries in their order, to change the values.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = (&[u8], &mut Object)> {
        self.0.iter_mut().map(|(key, value)| (key.as_slice(), value))
    }

    /// About how many bytes of memory the entries take.
    pub(crate) fn weight(&self) -> usize {
        self.0.iter().map(|(key, value)| size_of::<Vec<u8>>() + key.len() + value.weight()).sum()
    }

    /// Appends the dictionary as PDF syntax.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<<");
        for (key, value) in &self.0 {
            write_name(out, key);
            out.push(b' ');
            value.write(out);
        }
        out.extend_from_slice(b">>");
    }
}

/// Appends the text of `value`.
pub(crate) fn write_display(out: &mut Vec<u8>, value: &impl core::fmt::Display) {
    write!(out, "{value}").expect("writing to a Vec never fails");
}

/// Appends bytes as lower-case hexadecimal digits.
pub(crate) fn write_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

fn write_name(out: &mut Vec<u8>, name: &[u8]) {
    out.push(b'/');
    for &byte in name {
        if byte.is_ascii_graphic() && byte != b'#' && !is_delimiter(byte) {
            out.push(byte);
        } else {
            out.push(b'#');
            write_hex(out, &[byte]);
        }
    }
}

/// Text stays readable; anything else becomes hexadecimal, which no line-end conversion can damage.
fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        out.push(b'(');
        for &byte in bytes {
            if matches!(byte, b'(' | b')' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b')');
    } else {
        out.push(b'<');
        write_hex(out, bytes);
        out.push(b'>');
    }
}

/// White-space characters of ISO 32000-2 §7.2.3, table 1.
pub(crate) const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// Delimiters of ISO 32000-2 §7.2.3, table 2.
pub(crate) const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::Parser;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let object: Object = Dictionary::new()
            .with(b"Type", Object::name(b"Odd #name(/)"))
            .with(b"Text", Object::String(b"a (b) \\ c".to_vec()))
            .with(b"Bytes", Object::String(vec![0, b'\r', b'\n', 0xff]))
            .with(
                b"List",
                Object::Array(vec![
                    Object::Integer(-7),
                    Object::Real("+.50".into()),
                    Object::Null,
                    Object::Boolean(true),
                    Reference { number: 12, generation: 3 }.into(),
                    Object::Array(vec![]),
                ]),
            )
            .into();
        let mut bytes = Vec::new();
        object.write(&mut bytes);
        assert_eq!(Parser::new(&bytes, 0).object(), Ok(object));
    }

    #[test]
    fn a_null_value_counts_as_absent() {
        let dictionary = Dictionary::new().with(b"V", Object::Null);
        assert_eq!(dictionary.get(b"V"), None);
        assert_eq!(dictionary.raw(b"V"), Some(&Object::Null));
    }
}
