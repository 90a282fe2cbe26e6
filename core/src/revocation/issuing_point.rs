//! Which certificates a list is about (RFC 5280 §4.2.1.13, §5.2.5).

use crate::tlv::{Malformed, Reader, Tlv, encode, single, tag};
use crate::x509::{Certificate, same_general_name};

/// Bits of `ReasonFlags`: keyCompromise (1) to aACompromise (8). Bit 0 is not used.
const ALL_REASONS: u16 = 0b0111_1111_1000_0000;

/// ```text
/// IssuingDistributionPoint ::= SEQUENCE {
///   distributionPoint [0] DistributionPointName OPTIONAL,
///   onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE, onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE,
///   onlySomeReasons [3] ReasonFlags OPTIONAL, indirectCRL [4] BOOLEAN DEFAULT FALSE,
///   onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
/// ```
#[derive(Debug, Clone)]
pub(super) struct IssuingPoint {
    /// GeneralNames elements, or the RDN of nameRelativeToCRLIssuer.
    name: Option<PointName>,
    only_users: bool,
    only_authorities: bool,
    only_attributes: bool,
    reasons: Reasons,
    pub(super) is_indirect: bool,
}

#[derive(Debug, Clone)]
enum PointName {
    /// Each a whole GeneralName element.
    Full(Vec<Vec<u8>>),
    /// Attributes to be appended to the issuer's Name.
    Relative(Vec<u8>),
}

/// A set of reasons. A list for some of them proves nothing alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reasons(u16);

impl Reasons {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(ALL_REASONS);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn is_all(self) -> bool {
        self.0 & ALL_REASONS == ALL_REASONS
    }

    /// `ReasonFlags ::= BIT STRING`, contents octets.
    fn parse(contents: &[u8]) -> Result<Self, Malformed> {
        match *contents {
            [0..=7, first] => Ok(Self(u16::from_be_bytes([first, 0]))),
            [0..=7, first, second] => Ok(Self(u16::from_be_bytes([first, second]))),
            _ => Err(Malformed("ReasonFlags of one or two bytes")),
        }
    }
}

impl IssuingPoint {
    pub(super) fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut reader = single(value, tag::SEQUENCE, "an IssuingDistributionPoint")?.reader();
        let name = match reader.optional(tag::context_constructed(0))? {
            Some(wrapped) => Some(PointName::parse(wrapped)?),
            None => None,
        };
        let only_users = flag(&mut reader, 1)?;
        let only_authorities = flag(&mut reader, 2)?;
        let reasons = match reader.optional(tag::context(3))? {
            Some(flags) => Reasons::parse(flags.value)?,
            None => Reasons::ALL,
        };
        let is_indirect = flag(&mut reader, 4)?;
        let only_attributes = flag(&mut reader, 5)?;
        reader.end()?;
        Ok(Self { name, only_users, only_authorities, only_attributes, reasons, is_indirect })
    }
}

/// The reasons for which a list of the certificate's issuer is about the certificate; none when it is about
/// others (RFC 5280 §6.3.3 b and d).
pub(super) fn covered(certificate: &Certificate, list: Option<&IssuingPoint>) -> Reasons {
    let is_authority = certificate.extensions().basic_constraints.is_some_and(|constraints| constraints.ca);
    if let Some(list) = list {
        let others = list.only_attributes
            || (list.only_users && is_authority)
            || (list.only_authorities && !is_authority);
        if others {
            return Reasons::NONE;
        }
    }
    let listed = list.map_or(Reasons::ALL, |list| list.reasons);
    let wanted = list.and_then(|list| list.name.as_ref());
    let points = points_of(certificate).unwrap_or_default();
    let Some(wanted) = wanted else {
        // A list without a name is about every certificate of its issuer.
        return listed;
    };
    let wanted = wanted.absolute(certificate.issuer());
    // A certificate that names no point stands for the name of its issuer.
    if certificate.extensions().crl_distribution_points.is_none() {
        let own = encode(tag::context_constructed(4), &[certificate.issuer()]);
        return if wanted.iter().any(|name| same_general_name(name, &own)) { listed } else { Reasons::NONE };
    }
    points
        .iter()
        .filter(|point| {
            let names = point.name.as_ref().map_or_else(Vec::new, |name| name.absolute(certificate.issuer()));
            names.iter().any(|name| wanted.iter().any(|wanted| same_general_name(name, wanted)))
        })
        .fold(Reasons::NONE, |all, point| all.with(point.reasons.and(listed)))
}

/// ```text
/// DistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL,
///   reasons [1] ReasonFlags OPTIONAL, cRLIssuer [2] GeneralNames OPTIONAL }
/// ```
struct Point {
    name: Option<PointName>,
    reasons: Reasons,
}

fn points_of(certificate: &Certificate) -> Result<Vec<Point>, Malformed> {
    let Some(range) = &certificate.extensions().crl_distribution_points else { return Ok(Vec::new()) };
    let mut reader = single(certificate.part(range), tag::SEQUENCE, "CRLDistributionPoints")?.reader();
    let mut points = Vec::new();
    while !reader.is_empty() {
        let mut point = reader.expect(tag::SEQUENCE, "a DistributionPoint")?.reader();
        let name = match point.optional(tag::context_constructed(0))? {
            Some(wrapped) => Some(PointName::parse(wrapped)?),
            None => None,
        };
        let reasons = match point.optional(tag::context(1))? {
            Some(flags) => Reasons::parse(flags.value)?,
            None => Reasons::ALL,
        };
        // Points of another issuer lead to indirect lists.
        if point.optional(tag::context_constructed(2))?.is_none() {
            points.push(Point { name, reasons });
        }
    }
    Ok(points)
}

impl PointName {
    /// `DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RDN }`
    fn parse(wrapped: Tlv<'_>) -> Result<Self, Malformed> {
        let mut reader = wrapped.reader();
        let choice = reader.element()?;
        reader.end()?;
        if choice.tag == tag::context_constructed(1) {
            return Ok(Self::Relative(choice.value.to_vec()));
        }
        if choice.tag != tag::context_constructed(0) {
            return Err(Malformed("a DistributionPointName"));
        }
        let (mut names, mut reader) = (Vec::new(), choice.reader());
        while !reader.is_empty() {
            names.push(reader.element()?.raw.to_vec());
        }
        Ok(Self::Full(names))
    }

    /// GeneralName elements.
    fn absolute(&self, issuer: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Full(names) => names.clone(),
            Self::Relative(attributes) => {
                let above = Reader::new(issuer).element().map_or(&[][..], |name| name.value);
                let name = encode(tag::SEQUENCE, &[above, &encode(tag::SET, &[attributes])]);
                vec![encode(tag::context_constructed(4), &[&name])]
            }
        }
    }
}

fn flag(reader: &mut Reader<'_>, context: u8) -> Result<bool, Malformed> {
    match reader.optional(tag::context(context))? {
        Some(flag) => flag.boolean(),
        None => Ok(false),
    }
}
