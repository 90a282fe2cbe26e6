//! Certificates of the device: what the client tells of them, and whether the session can use them.

use core::time::Duration;

use crate::Timestamp;
use crate::icp_brasil::{IcpType, Identifier};
use crate::wire::SignerView;

/// One entry of the client's list as it was read. It holds a CPF or CNPJ, so it lives only until
/// [`ListedCertificate::read`].
#[derive(Clone)]
pub struct ClientEntry<'a> {
    /// Base64 SHA-256 of the DER.
    pub thumbprint: &'a str,
    /// Common name of the holder, often with the number behind a colon.
    pub subject_name: &'a str,
    /// Common name of the issuer.
    pub issuer_name: &'a str,
    /// CPF of the holder, or of the responsible person when there is a CNPJ.
    pub cpf: Option<&'a str>,
    /// CNPJ of a company.
    pub cnpj: Option<&'a str>,
    /// `A1`, `A3`, …, or `Unknown`.
    pub certificate_type: Option<&'a str>,
    /// Policy identifiers, dotted. Older clients give none.
    pub policies: &'a [String],
    /// Bit mask of the client.
    pub key_usage: u32,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
}

impl core::fmt::Debug for ClientEntry<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientEntry").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// One entry of the client's list, without personal data beyond what a screen may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCertificate {
    /// Base64 SHA-256 of the DER.
    pub thumbprint: String,
    /// Holder: common name and masked CPF or CNPJ.
    pub holder: SignerView,
    /// Common name of the issuer.
    pub issuer: String,
    /// Person, company or seal.
    pub kind: HolderKind,
    /// `A1`, `A3`, `SE-S`, …
    pub icp_type: Option<String>,
    /// Whether it names a policy or a holder of ICP-Brasil. The chain is not checked here.
    pub is_icp_brasil: bool,
    /// Bit mask of the client: 128 is digitalSignature, 0 a certificate without the extension.
    pub key_usage: u32,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
}

impl ListedCertificate {
    /// Keeps what a screen may show. CPF and CNPJ are masked here and not kept.
    #[must_use]
    pub fn read(entry: &ClientEntry<'_>) -> Self {
        let (name, number_in_name) = split_common_name(entry.subject_name);
        let identifier = [entry.cnpj, entry.cpf, number_in_name]
            .into_iter()
            .flatten()
            .find_map(|number| number.parse::<Identifier>().ok());
        let by_policy = entry
            .policies
            .iter()
            .filter_map(|dotted| dotted.split('.').map(|arc| arc.parse().ok()).collect::<Option<Vec<u32>>>())
            .find_map(|arcs| IcpType::from_policy_arcs(&arcs));
        let by_client = entry.certificate_type.filter(|kind| !kind.eq_ignore_ascii_case("unknown"));
        let icp_type = by_policy.map(IcpType::as_str).or(by_client).map(ToOwned::to_owned);
        let identifier_masked = identifier.as_ref().map(Identifier::masked);
        Self {
            thumbprint: entry.thumbprint.to_owned(),
            kind: HolderKind::of(icp_type.as_deref(), identifier_masked.as_deref()),
            is_icp_brasil: icp_type.is_some() || entry.cpf.is_some() || entry.cnpj.is_some(),
            holder: SignerView { name: name.to_owned(), identifier_masked },
            issuer: entry.issuer_name.to_owned(),
            icp_type,
            key_usage: entry.key_usage,
            not_before: entry.not_before,
            not_after: entry.not_after,
        }
    }
}

/// Splits `NAME:12345678909`. The number goes even when its check digits are wrong: it may still be somebody's.
fn split_common_name(common_name: &str) -> (&str, Option<&str>) {
    match common_name.rsplit_once(':') {
        Some((name, number))
            if matches!(number.len(), 11 | 14) && number.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            (name, Some(number))
        }
        _ => (common_name, None),
    }
}

/// Whose certificate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderKind {
    /// A natural person.
    Person,
    /// A company, by its responsible person (e-CNPJ).
    Company,
    /// An electronic seal: origin and integrity, not an expression of will (Resolução 211, art. 4).
    Seal,
}

impl HolderKind {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
            Self::Seal => "seal",
        }
    }
}

impl HolderKind {
    /// The kind by ICP-Brasil type and masked identifier: a CNPJ contains a slash, a CPF does not.
    #[must_use]
    pub fn of(icp_type: Option<&str>, identifier_masked: Option<&str>) -> Self {
        match icp_type {
            Some(kind) if kind.starts_with("SE-") => Self::Seal,
            _ if identifier_masked.is_some_and(|masked| masked.contains('/')) => Self::Company,
            _ => Self::Person,
        }
    }
}

/// Why a certificate cannot be used in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// Past its end.
    Expired,
    /// Before its start.
    NotYetValid,
    /// CPF or CNPJ of somebody else.
    WrongPerson,
    /// Key usage without digitalSignature.
    WrongUsage,
}

impl Unusable {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongPerson => "wrong_person",
            Self::WrongUsage => "wrong_usage",
        }
    }
}

/// A certificate with the judgement of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(super) listed: ListedCertificate,
    pub(super) unusable: Option<Unusable>,
    pub(super) expires_soon: bool,
}

const DIGITAL_SIGNATURE: u32 = 128;
const EXPIRES_SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl ClientCertificate {
    /// Judges one certificate. The masks are compared, since the browser never learns the CPF of the session; two
    /// people with the same mask are told apart by the service, which sees the certificate.
    #[must_use]
    pub(crate) fn judge(listed: ListedCertificate, signer: Option<&SignerView>, now: Timestamp) -> Self {
        let wanted = signer.and_then(|signer| signer.identifier_masked.as_deref());
        let found = listed.holder.identifier_masked.as_deref();
        let unusable = if now > listed.not_after {
            Some(Unusable::Expired)
        } else if now < listed.not_before {
            Some(Unusable::NotYetValid)
        } else if wanted.is_some_and(|wanted| found.is_some_and(|found| found != wanted)) {
            Some(Unusable::WrongPerson)
        } else if listed.key_usage != 0 && listed.key_usage & DIGITAL_SIGNATURE == 0 {
            Some(Unusable::WrongUsage)
        } else {
            None
        };
        let expires_soon = unusable.is_none() && now.plus(EXPIRES_SOON) > listed.not_after;
        Self { listed, unusable, expires_soon }
    }

    /// Judges a list and puts it in the order of a screen: usable first, by name, the later end first.
    pub(super) fn judge_all(
        listed: Vec<ListedCertificate>,
        signer: Option<&SignerView>,
        now: Timestamp,
    ) -> Vec<Self> {
        let mut judged: Vec<Self> = Vec::with_capacity(listed.len());
        for entry in listed {
            let entry = Self::judge(entry, signer, now);
            // People have a handful of certificates; a sort would be larger than the rest of this module.
            let place = judged.iter().position(|other| entry.comes_before(other)).unwrap_or(judged.len());
            judged.insert(place, entry);
        }
        judged
    }

    fn comes_before(&self, other: &Self) -> bool {
        self.unusable
            .is_some()
            .cmp(&other.unusable.is_some())
            .then_with(|| self.listed.holder.name.cmp(&other.listed.holder.name))
            .then_with(|| other.listed.not_after.cmp(&self.listed.not_after))
            .is_lt()
    }

    /// Thumbprint as the client gave it.
    #[must_use]
    pub(crate) fn thumbprint(&self) -> &str {
        &self.listed.thumbprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(subject_name: &str) -> ClientEntry<'_> {
        ClientEntry {
            thumbprint: "T",
            subject_name,
            issuer_name: "AC TEST",
            cpf: None,
            cnpj: None,
            certificate_type: None,
            policies: &[],
            key_usage: 224,
            not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
            not_after: "2027-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_number_never_survives_unmasked() {
        let person = ListedCertificate::read(&ClientEntry {
            cpf: Some("52998224725"),
            ..entry("ANA TEST:52998224725")
        });
        assert_eq!(person.holder.name, "ANA TEST");
        assert_eq!(person.holder.identifier_masked.as_deref(), Some("***.982.247-**"));
        let broken = ListedCertificate::read(&entry("ANA TEST:11111111112"));
        assert_eq!((broken.holder.name.as_str(), broken.holder.identifier_masked), ("ANA TEST", None));
        assert!(!format!("{:?}", entry("ANA TEST:52998224725")).contains("529"));
    }

    #[test]
    fn person_company_and_seal_are_told_apart() {
        let company =
            ClientEntry { cpf: Some("52998224725"), cnpj: Some("11222333000181"), ..entry("PADARIA TEST") };
        assert_eq!(ListedCertificate::read(&company).kind, HolderKind::Company);
        assert_eq!(
            ListedCertificate::read(&company).holder.identifier_masked.as_deref(),
            Some("**.222.333/****-**")
        );
        let policies = ["2.16.76.1.2.201.7".to_owned()];
        let seal = ListedCertificate::read(&ClientEntry { policies: &policies, ..company });
        assert_eq!((seal.kind, seal.icp_type.as_deref()), (HolderKind::Seal, Some("SE-S")));
        let foreign =
            ListedCertificate::read(&ClientEntry { certificate_type: Some("Unknown"), ..entry("EVE TEST") });
        assert!(!foreign.is_icp_brasil);
        assert_eq!((foreign.kind, foreign.icp_type), (HolderKind::Person, None));
    }

    #[test]
    fn a_policy_with_an_arc_that_overflows_is_no_policy() {
        for dotted in ["2.16.76.1.2.4294967297.7", "2.16.76.52998224725", "2.16.76.1.2.3.1.", "x"] {
            let policies = [dotted.to_owned()];
            let listed = ListedCertificate::read(&ClientEntry { policies: &policies, ..entry("EVE TEST") });
            assert_eq!(listed.icp_type, None, "{dotted}");
        }
    }
}
