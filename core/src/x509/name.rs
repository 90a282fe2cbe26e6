//! Distinguished names (RFC 5280 §4.1.2.4): read for display, copied as bytes, compared as RFC 5280 §7.1 asks.

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

/// Whether two Names are the same (RFC 5280 §7.1): byte by byte, or attribute by attribute with strings of any
/// type compared without regard to case and to runs of spaces. Unicode forms are not unified: nobody writes a name
/// decomposed in one certificate and composed in the next.
pub(crate) fn same(first: &[u8], second: &[u8]) -> bool {
    first == second || matches!((normal_rdns(first), normal_rdns(second)), (Ok(a), Ok(b)) if a == b)
}

/// Whether `name` is `above` or lies below it (directoryName of RFC 5280 §4.2.1.10).
pub(crate) fn is_within(name: &[u8], above: &[u8]) -> bool {
    match (normal_rdns(name), normal_rdns(above)) {
        (Ok(name), Ok(above)) => name.starts_with(&above),
        (_, _) => false,
    }
}

/// Attributes of one RDN as (type, comparable value), sorted.
type NormalRdn = Vec<(Vec<u8>, Vec<u8>)>;

fn normal_rdns(name: &[u8]) -> Result<Vec<NormalRdn>, Malformed> {
    let mut rdns = single(name, tag::SEQUENCE, "a Name")?.reader();
    let mut normal = Vec::new();
    while !rdns.is_empty() {
        let mut attributes = rdns.expect(tag::SET, "a RelativeDistinguishedName")?.reader();
        let mut rdn = NormalRdn::new();
        while !attributes.is_empty() {
            let mut pair = attributes.expect(tag::SEQUENCE, "an AttributeTypeAndValue")?.reader();
            let oid = pair.expect(tag::OID, "the type of a name attribute")?.value;
            rdn.push((oid.to_vec(), normal_value(pair.element()?)));
            pair.end()?;
        }
        rdn.sort();
        normal.push(rdn);
    }
    Ok(normal)
}

/// Folded text of a string, or the element itself.
fn normal_value(value: Tlv<'_>) -> Vec<u8> {
    const STRINGS: [u8; 5] = [UTF8, PRINTABLE, TELETEX, IA5, BMP];
    if !STRINGS.contains(&value.tag) {
        return value.raw.to_vec();
    }
    let text = directory_string(value).to_lowercase();
    let words = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>();
    words.join(" ").into_bytes()
}

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const BMP: u8 = 0x1e;

pub(crate) fn each_attribute<'a>(
    name: &'a [u8],
    mut visit: impl FnMut(&'a [u8], Tlv<'a>),
) -> Result<(), Malformed> {
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
