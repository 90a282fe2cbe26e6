//! Seed values: what the author of a form demands of a signature in a field (ISO 32000-2 §12.7.5.5, table
//! 237). A demand that is marked as required is fulfilled or the field is refused; a wish is left a wish.

use super::{Options, PadesError};
use crate::pdf::{Dictionary, Document, Object, text_string};
use crate::x509::Certificate;

/// Capabilities of a signing program: 3 stands for PDF 2.0.
const CAPABILITY: f32 = 3.0;

/// Bits of `/Ff` (ISO 32000-2, table 237).
mod required {
    pub(super) const FILTER: i64 = 1;
    pub(super) const SUB_FILTER: i64 = 1 << 1;
    pub(super) const CAPABILITY: i64 = 1 << 2;
    pub(super) const REASONS: i64 = 1 << 3;
    pub(super) const LEGAL_ATTESTATION: i64 = 1 << 4;
    pub(super) const REVOCATION: i64 = 1 << 5;
    pub(super) const DIGEST_METHOD: i64 = 1 << 6;
    pub(super) const LOCK_DOCUMENT: i64 = 1 << 7;
    pub(super) const APPEARANCE: i64 = 1 << 8;
    pub(super) const KNOWN: i64 = (1 << 9) - 1;
}

/// Bits of `/Ff` in the constraints on the certificate (ISO 32000-2, table 238).
mod certificate {
    pub(super) const SUBJECT: i64 = 1;
    pub(super) const ISSUER: i64 = 1 << 1;
    pub(super) const POLICY: i64 = 1 << 2;
    /// The address is for a person who has no certificate yet.
    pub(super) const ADDRESS: i64 = 1 << 6;
}

/// Compares the demands with what is going to be signed.
///
/// # Errors
/// `signature_field_unusable`, with the first demand that is not fulfilled.
pub(super) fn check_seed_values(
    document: &Document<'_>,
    seed: &Dictionary,
    lock: Option<&Dictionary>,
    signer: &Certificate,
    chain: &[Certificate],
    options: &Options,
) -> Result<(), PadesError> {
    let flags = integer(document, seed, b"Ff")?.unwrap_or(0);
    let seed = Seed { document, seed, flags };
    if flags & !required::KNOWN != 0 {
        return refused("it demands something unknown");
    }
    seed.check_names(options)?;
    seed.check_signature_type(lock, options)?;
    seed.check_digest_method(signer)?;
    seed.check_reason(options)?;
    if let Some(stamp) = document.dictionary(seed.seed, b"TimeStamp")?
        && integer(document, &stamp, b"Ff")?.is_some_and(|flags| flags & 1 == 1)
        && options.time_stamp_reserve == 0
    {
        return refused("it demands a time stamp");
    }
    match document.dictionary(seed.seed, b"Cert")? {
        Some(constraints) => check_certificate(document, &constraints, signer, chain),
        None => Ok(()),
    }
}

fn refused<T>(why: &str) -> Result<T, PadesError> {
    Err(PadesError::FieldUnusable(why.to_owned()))
}

fn integer(document: &Document<'_>, dictionary: &Dictionary, key: &[u8]) -> Result<Option<i64>, PadesError> {
    Ok(document.value(dictionary, key)?.as_ref().and_then(Object::as_integer))
}

/// The elements of an array; `None` when it is absent.
fn list(
    document: &Document<'_>,
    dictionary: &Dictionary,
    key: &[u8],
) -> Result<Option<Vec<Object>>, PadesError> {
    match document.value(dictionary, key)? {
        None => Ok(None),
        Some(Object::Array(items)) => {
            Ok(Some(items.iter().map(|item| document.resolve(item)).collect::<Result<_, _>>()?))
        }
        Some(_) => refused("its seed values cannot be read"),
    }
}

struct Seed<'d, 'a> {
    document: &'d Document<'a>,
    seed: &'d Dictionary,
    flags: i64,
}

impl Seed<'_, '_> {
    /// The value of a demand; `None` when it is absent or only a wish.
    fn demanded(&self, flag: i64, key: &[u8]) -> Result<Option<Object>, PadesError> {
        if self.flags & flag == 0 { Ok(None) } else { Ok(self.document.value(self.seed, key)?) }
    }

    fn demanded_list(&self, flag: i64, key: &[u8]) -> Result<Option<Vec<Object>>, PadesError> {
        if self.flags & flag == 0 { Ok(None) } else { list(self.document, self.seed, key) }
    }

    fn check_names(&self, options: &Options) -> Result<(), PadesError> {
        if let Some(filter) = self.demanded(required::FILTER, b"Filter")?
            && filter.as_name() != Some(options.sub_filter.filter())
        {
            return refused("it demands another Filter");
        }
        if let Some(names) = self.demanded_list(required::SUB_FILTER, b"SubFilter")?
            && !names.iter().any(|name| name.as_name() == Some(options.sub_filter.name()))
        {
            return refused("it demands another SubFilter");
        }
        let capability = self.demanded(required::CAPABILITY, b"V")?;
        let is_known = |value: &Object| {
            let mut text = Vec::new();
            value.write(&mut text);
            let number = core::str::from_utf8(&text).ok().and_then(|text| text.parse::<f32>().ok());
            number.is_some_and(|number| (0.0..=CAPABILITY).contains(&number))
        };
        if capability.is_some_and(|capability| !is_known(&capability)) {
            return refused("it demands a newer signing program");
        }
        if self.demanded(required::APPEARANCE, b"AppearanceFilter")?.is_some() {
            return refused("it demands an appearance of another program");
        }
        if self.demanded(required::REVOCATION, b"AddRevInfo")? == Some(Object::Boolean(true)) {
            return refused("it demands revocation data of the form that PAdES forbids");
        }
        Ok(())
    }

    /// Approval or certification (`/MDP`), and what may be changed afterwards.
    fn check_signature_type(&self, lock: Option<&Dictionary>, options: &Options) -> Result<(), PadesError> {
        let certification = options.certify.map(super::Certification::permission);
        if let Some(kind) = self.document.dictionary(self.seed, b"MDP")?
            && let Some(permission) = integer(self.document, &kind, b"P")?
            && certification.unwrap_or(0) != permission
        {
            return refused("it demands another type of signature: approval or certification");
        }
        if certification.is_some() && self.flags & required::LEGAL_ATTESTATION != 0 {
            return refused("it demands a legal attestation");
        }
        let locked = self.demanded(required::LOCK_DOCUMENT, b"LockDocument")?;
        let permission = match lock {
            Some(lock) => integer(self.document, lock, b"P")?.or(certification),
            None => certification,
        };
        match locked.as_ref().and_then(Object::as_name) {
            Some(b"true") if permission != Some(1) => refused("it demands to lock the document"),
            Some(b"false") if permission == Some(1) => refused("it demands not to lock the document"),
            _ => Ok(()),
        }
    }

    fn check_digest_method(&self, signer: &Certificate) -> Result<(), PadesError> {
        let Some(methods) = self.demanded_list(required::DIGEST_METHOD, b"DigestMethod")? else {
            return Ok(());
        };
        let ours = super::prepare::digest_algorithm(signer)?.as_str();
        let is_ours = |method: &Object| {
            let name = method.as_string().or(method.as_name()).map(text_string).unwrap_or_default();
            name.replace('-', "").eq_ignore_ascii_case(ours)
        };
        if methods.iter().any(is_ours) { Ok(()) } else { refused("it demands another digest") }
    }

    /// An empty list, or a full stop alone, forbids to give a reason.
    fn check_reason(&self, options: &Options) -> Result<(), PadesError> {
        if self.flags & required::REASONS == 0 {
            return Ok(());
        }
        let reasons: Vec<String> = list(self.document, self.seed, b"Reasons")?
            .unwrap_or_default()
            .iter()
            .filter_map(|reason| reason.as_string().map(text_string))
            .collect();
        let forbids = reasons.is_empty() || reasons == ["."];
        match &options.reason {
            None if forbids => Ok(()),
            Some(reason) if !forbids && reasons.contains(reason) => Ok(()),
            _ if forbids => refused("it forbids to give a reason"),
            _ => refused("it demands one of its own reasons"),
        }
    }
}

/// Constraints on the certificate: only those marked as required bind.
fn check_certificate(
    document: &Document<'_>,
    constraints: &Dictionary,
    signer: &Certificate,
    chain: &[Certificate],
) -> Result<(), PadesError> {
    let flags = integer(document, constraints, b"Ff")?.unwrap_or(0);
    let known = certificate::SUBJECT | certificate::ISSUER | certificate::POLICY | certificate::ADDRESS;
    if flags & !known != 0 {
        return refused("it demands something of the certificate that is not checked here");
    }
    let one_of = |key: &[u8], matches: &dyn Fn(&[u8]) -> bool| -> Result<bool, PadesError> {
        let items = list(document, constraints, key)?.unwrap_or_default();
        Ok(items.iter().any(|item| item.as_string().is_some_and(matches)))
    };
    if flags & certificate::SUBJECT != 0 && !one_of(b"Subject", &|der| der == signer.der())? {
        return refused("it demands another certificate");
    }
    let issued_by = |der: &[u8]| {
        let in_chain = chain.iter().any(|issuer| issuer.der() == der);
        in_chain || Certificate::from_der(der).is_ok_and(|issuer| issuer.subject() == signer.issuer())
    };
    if flags & certificate::ISSUER != 0 && !one_of(b"Issuer", &issued_by)? {
        return refused("it demands another issuer");
    }
    let has_policy = |oid: &[u8]| {
        let wanted = text_string(oid);
        let policies = &signer.extensions().policies;
        policies.iter().any(|policy| crate::oid::to_text(signer.part(policy)) == wanted)
    };
    if flags & certificate::POLICY != 0 && !one_of(b"OID", &has_policy)? {
        return refused("it demands another certificate policy");
    }
    Ok(())
}
