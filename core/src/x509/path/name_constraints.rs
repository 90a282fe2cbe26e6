//! Name constraints along a path (RFC 5280 §4.2.1.10, §6.1.3 b and c).

use crate::oid;
use crate::tlv::{Malformed, Reader, Tlv, single, tag};
use crate::x509::general_name::{DIRECTORY_NAME, URI};
use crate::x509::{Certificate, name, same_name};

const RFC822: u8 = tag::context(1);
const DNS: u8 = tag::context(2);
const IP: u8 = tag::context(7);

/// Comparisons of a name with a subtree along one path; tangles made to cost time end here.
const MAX_COMPARISONS: usize = 100_000;

/// ```text
/// NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL,
///   excludedSubtrees [1] GeneralSubtrees OPTIONAL }
/// GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] INTEGER DEFAULT 0, maximum [1] OPTIONAL }
/// ```
struct Constraints<'a> {
    permitted: Vec<Tlv<'a>>,
    excluded: Vec<Tlv<'a>>,
}

/// Checks a complete path, leaf first: the names of each certificate against the constraints of all above it.
pub(super) fn check(path: &[Certificate]) -> Result<(), (&Certificate, &'static str)> {
    let mut comparisons = 0;
    for (position, authority) in path.iter().enumerate().skip(1) {
        let Some(range) = &authority.extensions().name_constraints else { continue };
        let constraints = Constraints::parse(authority.part(range)).map_err(|error| (authority, error.0))?;
        for (below, certificate) in path[..position].iter().enumerate() {
            // Self-issued authorities are exempt (key roll-over), the leaf never is.
            if below > 0 && same_name(certificate.subject(), certificate.issuer()) {
                continue;
            }
            let names = names_of(certificate).map_err(|error| (certificate, error.0))?;
            comparisons += names.len() * (constraints.permitted.len() + constraints.excluded.len());
            if comparisons > MAX_COMPARISONS {
                return Err((authority, "more than 100000 comparisons of name constraints"));
            }
            for name in &names {
                constraints.check(name).map_err(|reason| (certificate, reason))?;
            }
        }
    }
    Ok(())
}

/// A name of a certificate: tag of GeneralName and contents.
#[derive(Debug, Clone, Copy)]
struct Name<'a> {
    tag: u8,
    value: &'a [u8],
}

/// Subject, subjectAltName, and e-mail addresses in the subject when there is no subjectAltName.
fn names_of(certificate: &Certificate) -> Result<Vec<Name<'_>>, Malformed> {
    let mut names = Vec::new();
    let subject = certificate.subject();
    if !single(subject, tag::SEQUENCE, "a Name")?.value.is_empty() {
        names.push(Name { tag: DIRECTORY_NAME, value: subject });
    }
    match &certificate.extensions().subject_alt_name {
        Some(range) => {
            let mut reader = single(certificate.part(range), tag::SEQUENCE, "a GeneralNames")?.reader();
            while !reader.is_empty() {
                let name = reader.element()?;
                names.push(Name { tag: name.tag, value: name.value });
            }
        }
        None => name::each_attribute(subject, |id, value| {
            if id == oid::EMAIL_ADDRESS.as_bytes() {
                names.push(Name { tag: RFC822, value: value.value });
            }
        })?,
    }
    Ok(names)
}

impl<'a> Constraints<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = single(value, tag::SEQUENCE, "a NameConstraints")?.reader();
        let permitted = subtrees(reader.optional(tag::context_constructed(0))?)?;
        let excluded = subtrees(reader.optional(tag::context_constructed(1))?)?;
        reader.end()?;
        Ok(Self { permitted, excluded })
    }

    fn check(&self, name: &Name<'_>) -> Result<(), &'static str> {
        let mut same_kind = self.permitted.iter().filter(|base| base.tag == name.tag).peekable();
        if same_kind.peek().is_some() {
            let mut is_permitted = false;
            for base in same_kind {
                is_permitted |= is_within(name, base)?;
            }
            if !is_permitted {
                return Err("a name lies outside of the permitted subtrees");
            }
        }
        for base in self.excluded.iter().filter(|base| base.tag == name.tag) {
            if is_within(name, base)? {
                return Err("a name lies in an excluded subtree");
            }
        }
        Ok(())
    }
}

fn subtrees(list: Option<Tlv<'_>>) -> Result<Vec<Tlv<'_>>, Malformed> {
    let mut reader = list.map_or(Reader::new(&[]), |list| list.reader());
    let mut bases = Vec::new();
    while !reader.is_empty() {
        let mut subtree = reader.expect(tag::SEQUENCE, "a GeneralSubtree")?.reader();
        bases.push(subtree.element()?);
        // RFC 5280 §4.2.1.10: minimum is zero, which DER leaves out, and maximum is absent.
        subtree.end().map_err(|_| Malformed("a subtree without minimum and maximum"))?;
    }
    Ok(bases)
}

/// Whether the name lies in the subtree; both are of the same kind. What cannot be compared is an error.
fn is_within(name: &Name<'_>, base: &Tlv<'_>) -> Result<bool, &'static str> {
    const TEXT: &str = "a name that is not ASCII";
    let ascii = |bytes| core::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).ok_or(TEXT);
    match name.tag {
        DIRECTORY_NAME => Ok(name::is_within(name.value, base.value)),
        DNS => Ok(is_host_within(ascii(name.value)?, ascii(base.value)?)),
        RFC822 => is_mailbox_within(ascii(name.value)?, ascii(base.value)?),
        URI => {
            let host = uri_host(ascii(name.value)?).ok_or("a URI without a host name")?;
            let base = ascii(base.value)?;
            Ok(if base.starts_with('.') {
                is_host_within(host, base)
            } else {
                host.eq_ignore_ascii_case(base)
            })
        }
        IP => is_address_within(name.value, base.value),
        _ => Err("a name constraint of a kind that is not evaluated"),
    }
}

/// `example.com` covers itself and everything below, `.example.com` only what is below.
fn is_host_within(host: &str, base: &str) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    match host.strip_suffix(base.trim_start_matches('.')) {
        Some("") => !base.starts_with('.'),
        Some(labels) => base.is_empty() || labels.ends_with('.'),
        None => false,
    }
}

/// A mailbox, all mailboxes of a host, or (`.example.com`) of the hosts below a domain.
fn is_mailbox_within(mailbox: &str, base: &str) -> Result<bool, &'static str> {
    let (local, host) = mailbox.rsplit_once('@').ok_or("an e-mail address without a host")?;
    Ok(match base.rsplit_once('@') {
        Some((base_local, base_host)) => local == base_local && host.eq_ignore_ascii_case(base_host),
        None if base.starts_with('.') => is_host_within(host, base),
        None => host.eq_ignore_ascii_case(base),
    })
}

/// Host name of `scheme://user@host:port/…`; `None` for addresses in numbers, which no URI constraint covers.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let is_name = !host.is_empty() && !host.starts_with('[') && host.parse::<core::net::Ipv4Addr>().is_err();
    is_name.then_some(host)
}

/// Address and mask of equal length behind one another.
fn is_address_within(address: &[u8], base: &[u8]) -> Result<bool, &'static str> {
    if !matches!(base.len(), 8 | 32) {
        return Err("an address with its mask");
    }
    let (network, mask) = base.split_at(base.len() / 2);
    let masked = |bytes: &[u8]| bytes.iter().zip(mask).map(|(byte, mask)| byte & mask).collect::<Vec<_>>();
    Ok(address.len() == network.len() && masked(address) == masked(network))
}
