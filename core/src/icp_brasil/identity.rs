//! Who a certificate is for, in the order that both generations of certificates need.

use super::{Cnpj, Cpf, IcpType, Identifier};
use crate::oid;
use crate::tlv::{Malformed, single, tag};
use crate::x509::{Certificate, name_attribute};

/// Holder of a certificate.
///
/// Of the personal fields only CPF and CNPJ are taken. Birth date, RG, voter's title and the others
/// stay in the certificate and are never kept in a structure, a log or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Common name without the number behind its last colon.
    pub name: String,
    /// CPF or CNPJ from the subject's serialNumber or from subjectAltName. This one may be bound to a
    /// person. `None` when there is none or when the places disagree.
    pub identifier: Option<Identifier>,
    /// CPF of the person responsible for a company's certificate (old generation only).
    pub responsible: Option<Cpf>,
    /// Number behind the last colon of the common name: for display only.
    pub identifier_in_name: Option<Identifier>,
    /// The certificate contradicts itself: serialNumber and subjectAltName name different holders, or
    /// a field occurs twice. Nobody must be bound to it.
    pub contradictory: bool,
    /// Type by policy; `None` outside ICP-Brasil.
    pub icp_type: Option<IcpType>,
}

impl Identity {
    /// Reads a certificate: subject serialNumber, then subjectAltName (`2.16.76.1.3.3`, `.1`, `.4`),
    /// then, for display, the common name.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        let policies = &certificate.extensions().policies;
        let icp_type = policies.iter().find_map(|policy| IcpType::from_policy(certificate.part(policy)));
        let common_name = certificate.subject_common_name();
        let (name, identifier_in_name) = split_common_name(&common_name);

        let in_subject = name_attribute(certificate.subject(), &oid::SERIAL_NUMBER)
            .and_then(|number| number.parse::<Identifier>().ok());
        let fields = certificate
            .extensions()
            .subject_alt_name
            .as_ref()
            .map_or_else(|| Ok(Fields::default()), |range| Fields::parse(certificate.part(range)));
        let (fields, fields_broken) = match fields {
            Ok(fields) => (fields, false),
            Err(Malformed(_)) => (Fields::default(), true),
        };
        let in_san = fields.company.map(Identifier::Cnpj).or(fields.holder.map(Identifier::Cpf));
        let disagree = in_subject.is_some() && in_san.is_some() && in_subject != in_san;
        let contradictory = fields_broken || disagree;
        Self {
            name: name.to_owned(),
            identifier: in_subject.or(in_san).filter(|_| !contradictory),
            responsible: fields.responsible.filter(|_| !contradictory),
            identifier_in_name,
            contradictory,
            icp_type,
        }
    }

    /// The identifier to show, masked, on a screen.
    #[must_use]
    pub fn shown_identifier(&self) -> Option<&Identifier> {
        self.identifier.as_ref().or(self.identifier_in_name.as_ref()).filter(|_| !self.contradictory)
    }
}

/// The otherName fields that are used (DOC-ICP-04 §7.1.2.3).
#[derive(Default)]
struct Fields {
    /// `.1`
    holder: Option<Cpf>,
    /// `.3`
    company: Option<Cnpj>,
    /// `.4`
    responsible: Option<Cpf>,
}

const HOLDER: const_oid::ObjectIdentifier = const_oid::ObjectIdentifier::new_unwrap("2.16.76.1.3.1");
const COMPANY: const_oid::ObjectIdentifier = const_oid::ObjectIdentifier::new_unwrap("2.16.76.1.3.3");
const RESPONSIBLE: const_oid::ObjectIdentifier = const_oid::ObjectIdentifier::new_unwrap("2.16.76.1.3.4");
/// Position of the CPF in `.1` and `.4`, behind the birth date.
const CPF_IN_FIELD: core::ops::Range<usize> = 8..19;

impl Fields {
    /// Reads `GeneralNames`, of which `otherName [0] SEQUENCE { type-id OID, value [0] EXPLICIT ANY }`
    /// is used. Numbers that are not available are filled with zeros and count as absent.
    fn parse(general_names: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut names = single(general_names, tag::SEQUENCE, "a GeneralNames")?.reader();
        while !names.is_empty() {
            let name = names.element()?;
            if name.tag != tag::context_constructed(0) {
                continue;
            }
            let mut other_name = name.reader();
            let id = other_name.expect(tag::OID, "the type of an otherName")?.value;
            let wrapped = other_name.expect(tag::context_constructed(0), "the value of an otherName")?;
            // The norm allows OCTET STRING and PrintableString, the field also has IA5String and
            // UTF8String: the contents are the same.
            let value = wrapped.reader().element()?.value;
            if seen.contains(&id) {
                return Err(Malformed("each otherName only once"));
            }
            seen.push(id);
            // Only the digits have to be text: the issuer of the RG behind them may be in Latin-1.
            let cpf = || core::str::from_utf8(value.get(CPF_IN_FIELD)?).ok()?.parse().ok();
            if id == HOLDER.as_bytes() {
                fields.holder = cpf();
            } else if id == COMPANY.as_bytes() {
                fields.company = core::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            } else if id == RESPONSIBLE.as_bytes() {
                fields.responsible = cpf();
            }
        }
        Ok(fields)
    }
}

/// Splits `NAME:CPF`. The name may itself contain colons. Something of the shape of a CPF or CNPJ is taken
/// off even when its check digits are wrong, so that a name on a screen never carries one.
fn split_common_name(common_name: &str) -> (&str, Option<Identifier>) {
    let Some((name, number)) = common_name.rsplit_once(':') else { return (common_name, None) };
    let bytes = number.as_bytes();
    let looks_like_one = match bytes.len() {
        11 => bytes.iter().all(u8::is_ascii_digit),
        14 => bytes.iter().all(u8::is_ascii_alphanumeric) && bytes[12..].iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if looks_like_one { (name, number.parse().ok()) } else { (common_name, None) }
}
