//! Unsigned attributes as read (RFC 5652 §5.3).

use const_oid::ObjectIdentifier;

use crate::oid;
use crate::tlv::{Malformed, Reader, Tlv, tag};

/// More than any signature needs: a counter-signature or an archive time stamp is one each.
pub(in crate::cms) const MAX_UNSIGNED: usize = 500;
const MAX_VALUES: usize = 100;

/// An unsigned attribute: a type and its values, which are not read further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedAttribute {
    kind: Vec<u8>,
    values: Vec<Vec<u8>>,
}

impl UnsignedAttribute {
    /// The type as a dotted identifier.
    #[must_use]
    pub fn kind(&self) -> String {
        oid::to_text(&self.kind)
    }

    /// The values in DER, in the order of the file. Time stamps have one each; counter-signatures may share
    /// an attribute.
    #[must_use]
    pub fn values(&self) -> &[Vec<u8>] {
        &self.values
    }

    /// Whether the attribute has this type.
    pub(crate) fn is(&self, kind: ObjectIdentifier) -> bool {
        self.kind == kind.as_bytes()
    }
}

/// `UnsignedAttributes ::= SET OF SEQUENCE { attrType OID, attrValues SET OF ANY }`. A type may occur more
/// than once.
pub(in crate::cms) fn read_unsigned(set: Tlv<'_>) -> Result<Vec<UnsignedAttribute>, Malformed> {
    let mut attributes = Vec::new();
    let mut reader = set.reader();
    while !reader.is_empty() {
        if attributes.len() == MAX_UNSIGNED {
            return Err(Malformed("at most 500 unsigned attributes"));
        }
        attributes.push(read_attribute(reader.expect(tag::SEQUENCE, "an unsigned Attribute")?.reader())?);
    }
    Ok(attributes)
}

fn read_attribute(mut attribute: Reader<'_>) -> Result<UnsignedAttribute, Malformed> {
    let kind = attribute.expect(tag::OID, "the type of an attribute")?.value.to_vec();
    let mut set = attribute.expect(tag::SET, "the values of an attribute")?.reader();
    attribute.end()?;
    let mut values = Vec::new();
    while !set.is_empty() {
        if values.len() == MAX_VALUES {
            return Err(Malformed("at most 100 values per unsigned attribute"));
        }
        values.push(set.element()?.raw.to_vec());
    }
    Ok(UnsignedAttribute { kind, values })
}
