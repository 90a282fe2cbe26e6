//! GeneralName (RFC 5280 §4.2.1.6), the choice of names in extensions.

use super::name;
use crate::tlv::{Tlv, single, tag};

/// `[6]`, a URI as IA5String.
pub(super) const URI: u8 = tag::context(6);
/// `[4]`, a Name.
pub(super) const DIRECTORY_NAME: u8 = tag::context_constructed(4);

/// Whether two GeneralName elements are the same: directory names as RFC 5280 §7.1 asks, all others by their bytes.
pub(crate) fn same(first: &[u8], second: &[u8]) -> bool {
    if first == second {
        return true;
    }
    match (directory_name(first), directory_name(second)) {
        (Some(first), Some(second)) => name::same(first, second),
        (_, _) => false,
    }
}

/// Text of a URI; `None` when it is another kind of name or not ASCII.
pub(super) fn uri(element: Tlv<'_>) -> Option<String> {
    let text = core::str::from_utf8(element.value).ok()?;
    (element.tag == URI && text.is_ascii()).then(|| text.to_owned())
}

fn directory_name(element: &[u8]) -> Option<&[u8]> {
    single(element, DIRECTORY_NAME, "a directory name").ok().map(|name| name.value)
}
