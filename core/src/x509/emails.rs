//! E-mail addresses that a certificate names.

use super::Certificate;
use crate::tlv::{Malformed, single, tag};

/// Addresses kept. ICP-Brasil certificates have one.
const MAX_ADDRESSES: usize = 4;
/// `[1]`, an rfc822Name as IA5String (RFC 5280 §4.2.1.6).
const RFC822: u8 = tag::context(1);

impl Certificate {
    /// The addresses of subjectAltName, in its order: personal data, so neither log nor show them.
    ///
    /// Untrusted: texts of visible ASCII characters, and nothing more was checked. An extension that cannot be read has none.
    #[must_use]
    pub fn email_addresses(&self) -> Vec<String> {
        let range = self.extensions().subject_alt_name.as_ref();
        range.map_or_else(Vec::new, |range| addresses(self.part(range)).unwrap_or_default())
    }
}

fn addresses(general_names: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut names = single(general_names, tag::SEQUENCE, "a GeneralNames")?.reader();
    let mut found = Vec::new();
    while !names.is_empty() {
        let name = names.element()?;
        let Some(text) = core::str::from_utf8(name.value).ok().filter(|_| name.tag == RFC822) else {
            continue;
        };
        let is_visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_visible && found.len() < MAX_ADDRESSES {
            found.push(text.to_owned());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::encode;

    #[test]
    fn only_addresses_of_visible_characters_are_taken() {
        let name = |text: &[u8]| encode(RFC822, &[text]);
        let all = [
            encode(tag::context(2), &[b"dns.test.invalid"]),
            name(b"ana@test.invalid"),
            name(b"ana@test.invalid\r\nBcc: other@test.invalid"),
            name(b""),
            name("an\u{e1}@test.invalid".as_bytes()),
            name(b"b@test.invalid"),
        ];
        let names = encode(tag::SEQUENCE, &[&all.concat()]);
        assert_eq!(addresses(&names).unwrap(), ["ana@test.invalid", "b@test.invalid"]);
        assert!(addresses(&names[..names.len() - 1]).is_err());
    }
}
