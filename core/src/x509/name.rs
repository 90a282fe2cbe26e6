//! Distinguished names (RFC 5280 §4.1.2.4): read for display, compared and copied as bytes.

use const_oid::ObjectIdentifier;

use crate::tlv::{Malformed, Tlv, single, tag};

/// Text of the last attribute of this type: the most specific one, since names go from the country down.
pub(crate) fn attribute(name: &[u8], wanted: &ObjectIdentifier) -> Option<String> {
    let mut found = None;
    let visited = each_attribute(name, |oid, value| {
        if oid == wanted.as_bytes() {
            found = Some(directory_string(value));
        }
    });
    visited.ok().and(found)
}

/// Checks that the bytes are a Name.
pub(crate) fn check(name: &[u8]) -> Result<(), Malformed> {
    each_attribute(name, |_, _| ())
}

fn each_attribute<'a>(name: &'a [u8], mut visit: impl FnMut(&'a [u8], Tlv<'a>)) -> Result<(), Malformed> {
    let mut rdns = single(name, tag::SEQUENCE, "a Name")?.reader();
    while !rdns.is_empty() {
        let mut attributes = rdns.expect(tag::SET, "a RelativeDistinguishedName")?.reader();
        while !attributes.is_empty() {
            let mut pair = attributes.expect(tag::SEQUENCE, "an AttributeTypeAndValue")?.reader();
            let oid = pair.expect(tag::OID, "the type of a name attribute")?.value;
            let value = pair.element()?;
            pair.end()?;
            visit(oid, value);
        }
    }
    Ok(())
}

/// Text of a string type; bytes that are not valid become U+FFFD, since this is for display.
fn directory_string(value: Tlv<'_>) -> String {
    const TELETEX: u8 = 0x14;
    const BMP: u8 = 0x1e;
    match value.tag {
        // Written as Latin-1 by everyone, whatever T.61 says.
        TELETEX => value.value.iter().map(|byte| char::from(*byte)).collect(),
        BMP => {
            let units = value.value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => String::from_utf8_lossy(value.value).into_owned(),
    }
}
