//! Certificate extensions (RFC 5280 §4.2): the ones that decide about a path are read at once.

use core::ops::Range;

use crate::oid;
use crate::tlv::{Malformed, Reader, Tlv, range_in, single, tag};

/// Extensions that the path check evaluates or that do not restrict a path. Any other one that is critical
/// stops the path.
const UNDERSTOOD: [const_oid::ObjectIdentifier; 13] = [
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::EXTENDED_KEY_USAGE,
    oid::AUTHORITY_INFO_ACCESS,
];

/// What the extensions of a certificate say. Ranges point into the DER of the certificate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extensions {
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) subject_key_id: Option<Range<usize>>,
    pub(crate) authority_key_id: Option<Range<usize>>,
    /// Identifiers (contents octets) of the extended key usages; `None` when the extension is absent.
    pub(crate) extended_key_usages: Option<Vec<Range<usize>>>,
    /// Contents octets of the policy identifiers, in order.
    pub(crate) policies: Vec<Range<usize>>,
    pub(crate) policy_mappings: Vec<PolicyMapping>,
    pub(crate) policy_constraints: PolicyConstraints,
    /// Certificates that may follow before anyPolicy counts no more.
    pub(crate) inhibit_any_policy: Option<u32>,
    /// Value of nameConstraints.
    pub(crate) name_constraints: Option<Range<usize>>,
    /// Value of subjectAltName, a GeneralNames.
    pub(crate) subject_alt_name: Option<Range<usize>>,
    /// Value of cRLDistributionPoints.
    pub(crate) crl_distribution_points: Option<Range<usize>>,
    /// Value of authorityInfoAccess.
    pub(crate) authority_info_access: Option<Range<usize>>,
    /// ocsp-nocheck: a responder whose revocation is not asked (RFC 6960 §4.2.2.2.1).
    pub(crate) ocsp_no_check: bool,
    /// Identifier of the first extension that forbids building a path through this certificate.
    pub(crate) unprocessed: Option<String>,
}

/// `KeyUsage ::= BIT STRING`: the bits that matter here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyUsage {
    pub(crate) digital_signature: bool,
    pub(crate) non_repudiation: bool,
    pub(crate) key_cert_sign: bool,
    pub(crate) crl_sign: bool,
}

/// Contents octets of issuerDomainPolicy and subjectDomainPolicy.
type PolicyMapping = (Range<usize>, Range<usize>);

/// `PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] INTEGER OPTIONAL,
/// inhibitPolicyMapping [1] INTEGER OPTIONAL }`: certificates that may follow before the rule applies.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PolicyConstraints {
    pub(crate) require_explicit: Option<u32>,
    pub(crate) inhibit_mapping: Option<u32>,
}

/// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }`
#[derive(Debug, Clone, Copy)]
pub(crate) struct BasicConstraints {
    pub(crate) ca: bool,
    pub(crate) path_len: Option<u32>,
}

impl Extensions {
    /// Reads `Extensions ::= SEQUENCE OF Extension` inside the certificate `der`.
    pub(crate) fn parse(der: &[u8], extensions: Tlv<'_>) -> Result<Self, Malformed> {
        let mut parsed = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut reader = extensions.reader();
        while !reader.is_empty() {
            let mut extension = reader.expect(tag::SEQUENCE, "an Extension")?.reader();
            let id = extension.expect(tag::OID, "the identifier of an extension")?.value;
            let critical = match extension.optional(tag::BOOLEAN)? {
                Some(critical) => critical.boolean()?,
                None => false,
            };
            let value = extension.expect(tag::OCTET_STRING, "the value of an extension")?.value;
            extension.end()?;
            if seen.contains(&id) {
                return Err(Malformed("each extension only once"));
            }
            seen.push(id);
            parsed.take(der, id, critical, value)?;
        }
        Ok(parsed)
    }

    fn take(&mut self, der: &[u8], id: &[u8], critical: bool, value: &[u8]) -> Result<(), Malformed> {
        let is = |known: const_oid::ObjectIdentifier| known.as_bytes() == id;
        if is(oid::KEY_USAGE) {
            self.key_usage = Some(key_usage(value)?);
        } else if is(oid::BASIC_CONSTRAINTS) {
            self.basic_constraints = Some(basic_constraints(value)?);
        } else if is(oid::SUBJECT_KEY_IDENTIFIER) {
            let key_id = single(value, tag::OCTET_STRING, "a SubjectKeyIdentifier")?;
            self.subject_key_id = Some(range_in(der, key_id.value));
        } else if is(oid::AUTHORITY_KEY_IDENTIFIER) {
            let mut reader = single(value, tag::SEQUENCE, "an AuthorityKeyIdentifier")?.reader();
            self.authority_key_id =
                reader.optional(tag::context(0))?.map(|key_id| range_in(der, key_id.value));
        } else if is(oid::EXTENDED_KEY_USAGE) {
            self.extended_key_usages =
                Some(identifiers(der, value, |reader| reader.expect(tag::OID, "an extended key usage"))?);
        } else if is(oid::CERTIFICATE_POLICIES) {
            self.policies = identifiers(der, value, |reader| {
                let policy = reader.expect(tag::SEQUENCE, "a PolicyInformation")?;
                policy.reader().expect(tag::OID, "a policy identifier")
            })?;
        } else if is(oid::POLICY_MAPPINGS) {
            self.policy_mappings = policy_mappings(der, value)?;
        } else if is(oid::POLICY_CONSTRAINTS) {
            self.policy_constraints = policy_constraints(value)?;
        } else if is(oid::INHIBIT_ANY_POLICY) {
            self.inhibit_any_policy =
                Some(single(value, tag::INTEGER, "an InhibitAnyPolicy")?.small_unsigned()?);
        } else if is(oid::NAME_CONSTRAINTS) {
            self.name_constraints = Some(range_in(der, value));
        } else if is(oid::SUBJECT_ALT_NAME) {
            self.subject_alt_name = Some(range_in(der, value));
        } else if is(oid::CRL_DISTRIBUTION_POINTS) {
            self.crl_distribution_points = Some(range_in(der, value));
        } else if is(oid::AUTHORITY_INFO_ACCESS) {
            self.authority_info_access = Some(range_in(der, value));
        } else if is(oid::OCSP_NO_CHECK) {
            self.ocsp_no_check = true;
        }
        let stops = critical && !UNDERSTOOD.iter().any(|known| is(*known));
        if stops && self.unprocessed.is_none() {
            self.unprocessed = Some(oid::to_text(id));
        }
        Ok(())
    }
}

fn key_usage(value: &[u8]) -> Result<KeyUsage, Malformed> {
    const WHAT: &str = "a KeyUsage of one or two bytes";
    let bits = single(value, tag::BIT_STRING, WHAT)?;
    let (&[unused], [first, rest @ ..]) = bits.value.split_at_checked(1).ok_or(Malformed(WHAT))? else {
        return Err(Malformed(WHAT));
    };
    if unused > 7 || rest.len() > 1 {
        return Err(Malformed(WHAT));
    }
    Ok(KeyUsage {
        digital_signature: first & 0x80 != 0,
        non_repudiation: first & 0x40 != 0,
        key_cert_sign: first & 0x04 != 0,
        crl_sign: first & 0x02 != 0,
    })
}

fn basic_constraints(value: &[u8]) -> Result<BasicConstraints, Malformed> {
    let mut reader = single(value, tag::SEQUENCE, "a BasicConstraints")?.reader();
    let ca = match reader.optional(tag::BOOLEAN)? {
        Some(ca) => ca.boolean()?,
        None => false,
    };
    let path_len = match reader.optional(tag::INTEGER)? {
        Some(length) => Some(length.small_unsigned()?),
        None => None,
    };
    reader.end()?;
    Ok(BasicConstraints { ca, path_len })
}

/// `PolicyMappings ::= SEQUENCE OF SEQUENCE { issuerDomainPolicy OID, subjectDomainPolicy OID }`
fn policy_mappings(der: &[u8], value: &[u8]) -> Result<Vec<PolicyMapping>, Malformed> {
    let mut reader = single(value, tag::SEQUENCE, "a PolicyMappings")?.reader();
    let mut mappings = Vec::new();
    while !reader.is_empty() {
        let mut pair = reader.expect(tag::SEQUENCE, "a policy mapping")?.reader();
        let from = pair.expect(tag::OID, "a policy of the issuer")?.value;
        let to = pair.expect(tag::OID, "a policy of the subject")?.value;
        pair.end()?;
        mappings.push((range_in(der, from), range_in(der, to)));
    }
    Ok(mappings)
}

fn policy_constraints(value: &[u8]) -> Result<PolicyConstraints, Malformed> {
    let mut reader = single(value, tag::SEQUENCE, "a PolicyConstraints")?.reader();
    let mut number = |context| match reader.optional(tag::context(context))? {
        Some(number) => number.small_unsigned().map(Some),
        None => Ok(None),
    };
    let (require_explicit, inhibit_mapping) = (number(0)?, number(1)?);
    reader.end()?;
    Ok(PolicyConstraints { require_explicit, inhibit_mapping })
}

/// Reads a SEQUENCE OF something that holds an identifier.
fn identifiers<'a>(
    der: &[u8],
    value: &'a [u8],
    read: impl Fn(&mut Reader<'a>) -> Result<Tlv<'a>, Malformed>,
) -> Result<Vec<Range<usize>>, Malformed> {
    let mut reader = single(value, tag::SEQUENCE, "a sequence of identifiers")?.reader();
    let mut found = Vec::new();
    while !reader.is_empty() {
        found.push(range_in(der, read(&mut reader)?.value));
    }
    Ok(found)
}
