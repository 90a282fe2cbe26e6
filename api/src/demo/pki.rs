//! The demo PKI: root → authority → authority → holders, in the shape of ICP-Brasil (DOC-ICP-04 §7.1.2).

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64ct::{Base64, Encoding};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519;
use der::asn1::{Ia5StringRef, OctetString, PrintableStringRef};
use der::{Any, Decode};
use rubrica_core::Timestamp;
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};
use x509_cert::ext::pkix::{KeyUsage, KeyUsages};
use x509_cert::name::Name;

use super::authorities::{StoredAuthority, TIME_STAMP_POLICY, TIME_STAMPS};
use super::certificate::{self, Content, Issuer};
use super::people::{Generation, Person, Profile, RESPONSIBLE};

/// The host of everything that is published. The name can never belong to anybody (RFC 6761): who wants to read there
/// names the running demo as its mirror.
pub(super) const REPOSITORY_HOST: &str = "pki-test.rubrica.invalid";
const REPOSITORY: &str = "http://pki-test.rubrica.invalid";

const fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

/// A certificate authority.
struct Authority {
    name: Name,
    /// Part of its URLs.
    short_name: &'static str,
    key: KeyPair,
    key_id: Vec<u8>,
    certificate: Vec<u8>,
}

/// The authorities of the demo.
pub(super) struct Pki {
    root: Authority,
    first: Authority,
    second: Authority,
    time_stamps: Authority,
    now: Timestamp,
}

/// How long a holder's certificate lasts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Life {
    /// Three years from yesterday.
    Current,
    /// Ended a month ago.
    Ended,
}

impl Pki {
    /// Makes the authorities. RSA-4096 for the root takes a second or two.
    pub(super) fn create(now: Timestamp) -> der::Result<Self> {
        // Keys that do not depend on each other.
        let (root_key, first_key, second_key, stamp_key) = std::thread::scope(|scope| {
            let root = scope.spawn(|| generate(KeySize::Rsa4096));
            let second = scope.spawn(|| generate(KeySize::Rsa2048));
            let stamp = scope.spawn(|| generate(KeySize::Rsa2048));
            let first = generate(KeySize::Rsa2048);
            let joined = "generating a key does not panic";
            (root.join().expect(joined), first, second.join().expect(joined), stamp.join().expect(joined))
        });
        let organisation = [(rfc4519::C, "BR"), (rfc4519::O, "ICP-Brasil TEST")];
        let unit = [(rfc4519::OU, "Rubrica Demo - TEST")];
        let named = |cn| certificate::name(&[&organisation[..], &unit, &[(rfc4519::CN, cn)]].concat());

        let root_name = named("Autoridade Certificadora Raiz TEST v1")?;
        let root_spki = certificate::spki_of(&root_key)?;
        let root_id = certificate::key_id(&root_spki);
        let root_issuer = Issuer { name: &root_name, key: &root_key, key_id: &root_id };
        let root_content = authority_content(root_name.clone(), now, 10, None, "raiz")?;
        let certificate = certificate::write(root_content, root_spki, &root_issuer)?;
        let root =
            Authority { name: root_name, short_name: "raiz", key: root_key, key_id: root_id, certificate };

        let first = root.issue_authority(first_key, named("AC Demo TEST v1")?, "ac-demo", Some(1), now, 8)?;
        let second = first.issue_authority(
            second_key,
            named("AC Demo Multipla TEST v1")?,
            HOLDERS,
            Some(0),
            now,
            6,
        )?;
        let time_stamps =
            second.issue_time_stamps(stamp_key, named("Autoridade de Carimbo do Tempo TEST v1")?, now)?;
        Ok(Self { root, first, second, time_stamps, now })
    }

    /// The authorities as they are stored for the running demo.
    pub(super) fn stored(&self) -> Vec<StoredAuthority> {
        let all = [&self.root, &self.first, &self.second, &self.time_stamps];
        all.map(|authority| {
            let key: Pkcs8V1Der<'static> =
                authority.key.as_der().expect("a fresh RSA key can be written as PKCS#8");
            StoredAuthority {
                name: authority.short_name.to_owned(),
                certificate: Base64::encode_string(&authority.certificate),
                key: Base64::encode_string(key.as_ref()),
            }
        })
        .into()
    }

    pub(super) fn root(&self) -> &[u8] {
        &self.root.certificate
    }

    /// The authorities between root and holders, the lower first.
    pub(super) fn intermediates(&self) -> [&[u8]; 2] {
        [&self.second.certificate, &self.first.certificate]
    }

    /// Issues a holder's certificate.
    pub(super) fn issue(
        &self,
        person: &Person,
        spki: SubjectPublicKeyInfoOwned,
        life: Life,
    ) -> der::Result<Vec<u8>> {
        let (not_before, not_after) = match life {
            Life::Current => (before(self.now, days(1)), self.now.plus(days(3 * 365))),
            Life::Ended => (before(self.now, days(400)), before(self.now, days(30))),
        };
        let content = Content {
            subject: subject(person)?,
            not_before,
            not_after,
            extensions: holder_extensions(person)?,
        };
        certificate::write(content, spki, &self.second.as_issuer())
    }
}

/// Issues a certificate of three years from what is stored of the authority of the holders.
pub(super) fn issue_by(
    issuer: &StoredAuthority,
    person: &Person,
    spki: SubjectPublicKeyInfoOwned,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let der = Base64::decode_vec(&issuer.certificate).ok()?;
    let tbs = x509_cert::Certificate::from_der(&der).ok()?.tbs_certificate;
    let key = KeyPair::from_pkcs8(&Base64::decode_vec(&issuer.key).ok()?).ok()?;
    let key_id = certificate::key_id(&tbs.subject_public_key_info);
    let content = Content {
        subject: subject(person).ok()?,
        not_before: before(now, days(1)),
        not_after: now.plus(days(3 * 365)),
        extensions: holder_extensions(person).ok()?,
    };
    certificate::write(content, spki, &Issuer { name: &tbs.subject, key: &key, key_id: &key_id }).ok()
}

/// Short name of the authority that issues for holders.
pub(super) const HOLDERS: &str = "ac-multipla";

fn holder_extensions(person: &Person) -> der::Result<Vec<x509_cert::ext::Extension>> {
    let usage = match seal_or_person(person) {
        // A seal does not declare will: no nonRepudiation.
        Kind::Seal => KeyUsages::DigitalSignature.into(),
        Kind::Signature => {
            KeyUsages::DigitalSignature | KeyUsages::NonRepudiation | KeyUsages::KeyEncipherment
        }
    };
    let policy = match (seal_or_person(person), person.generation) {
        (Kind::Seal, _) => "2.16.76.1.2.201.999",
        (Kind::Signature, Generation::Old) => "2.16.76.1.2.3.999",
        (Kind::Signature, Generation::New) => "2.16.76.1.2.3.998",
    };
    Ok(vec![
        certificate::key_usage(KeyUsage(usage))?,
        certificate::extended_key_usage()?,
        certificate::policy(policy, &format!("{REPOSITORY}/dpc/{HOLDERS}.pdf"))?,
        crl_extension(HOLDERS)?,
        information_extension(HOLDERS)?,
        certificate::subject_alt_name(alt_names(person)?)?,
    ])
}

enum Kind {
    Signature,
    Seal,
}

/// New certificates of companies are seals (Resolução CG ICP-Brasil 211/2024).
fn seal_or_person(person: &Person) -> Kind {
    match (person.profile, person.generation) {
        (Profile::Company, Generation::New) => Kind::Seal,
        _ => Kind::Signature,
    }
}

impl Authority {
    fn issue_authority(
        &self,
        key: KeyPair,
        name: Name,
        short_name: &'static str,
        path_length: Option<u8>,
        now: Timestamp,
        years: u64,
    ) -> der::Result<Self> {
        let spki = certificate::spki_of(&key)?;
        let key_id = certificate::key_id(&spki);
        let mut content = authority_content(name.clone(), now, years, path_length, self.short_name)?;
        content.extensions.push(self.information_extension()?);
        let certificate = certificate::write(content, spki, &self.as_issuer())?;
        Ok(Self { name, short_name, key, key_id, certificate })
    }

    fn issue_time_stamps(&self, key: KeyPair, name: Name, now: Timestamp) -> der::Result<Self> {
        let spki = certificate::spki_of(&key)?;
        let key_id = certificate::key_id(&spki);
        let content = Content {
            subject: name.clone(),
            not_before: before(now, days(1)),
            not_after: now.plus(days(5 * 365)),
            extensions: vec![
                certificate::key_usage(KeyUsage(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation))?,
                certificate::time_stamping()?,
                certificate::policy(TIME_STAMP_POLICY, &format!("{REPOSITORY}/dpc/act.pdf"))?,
                self.crl_extension()?,
                self.information_extension()?,
            ],
        };
        let certificate = certificate::write(content, spki, &self.as_issuer())?;
        Ok(Self { name, short_name: TIME_STAMPS, key, key_id, certificate })
    }

    fn as_issuer(&self) -> Issuer<'_> {
        Issuer { name: &self.name, key: &self.key, key_id: &self.key_id }
    }

    /// At least two places (DOC-ICP-04 §7.1.2.2).
    fn crl_extension(&self) -> der::Result<x509_cert::ext::Extension> {
        crl_extension(self.short_name)
    }

    fn information_extension(&self) -> der::Result<x509_cert::ext::Extension> {
        information_extension(self.short_name)
    }
}

fn information_extension(issuer: &str) -> der::Result<x509_cert::ext::Extension> {
    certificate::authority_information(&format!("{REPOSITORY}/aia/{issuer}.p7b"))
}

fn crl_extension(issuer: &str) -> der::Result<x509_cert::ext::Extension> {
    let urls = ["lcr", "lcr2"].map(|folder| format!("{REPOSITORY}/{folder}/{issuer}.crl"));
    certificate::crl_distribution_points(&urls)
}

fn authority_content(
    subject: Name,
    now: Timestamp,
    years: u64,
    path_length: Option<u8>,
    crl_of: &str,
) -> der::Result<Content> {
    Ok(Content {
        subject,
        // Older than the holders that ended.
        not_before: before(now, days(2 * 365)),
        not_after: now.plus(days(years * 365)),
        extensions: vec![
            certificate::basic_constraints(path_length)?,
            certificate::key_usage(KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?,
            certificate::policy("2.16.76.1.1.0", &format!("{REPOSITORY}/dpc/raiz.pdf"))?,
            crl_extension(crl_of)?,
        ],
    })
}

fn subject(person: &Person) -> der::Result<Name> {
    let common_name = format!("{}:{}", person.name, person.identifier);
    let head = [(rfc4519::C, "BR"), (rfc4519::O, "ICP-Brasil TEST")];
    match person.generation {
        Generation::New => certificate::name(
            &[&head[..], &[(rfc4519::SERIAL_NUMBER, person.identifier), (rfc4519::CN, &common_name)]]
                .concat(),
        ),
        Generation::Old => {
            let kind = if person.profile == Profile::Person { "RFB e-CPF A3" } else { "RFB e-CNPJ A3" };
            let units = [
                (rfc4519::OU, "AC Demo Multipla TEST v1"),
                (rfc4519::OU, "Secretaria da Receita Federal do Brasil - RFB TEST"),
                (rfc4519::OU, kind),
                (rfc4519::OU, "(EM BRANCO)"),
                (rfc4519::OU, "AR Demo TEST"),
            ];
            certificate::name(&[&head[..], &units, &[(rfc4519::CN, &common_name)]].concat())
        }
    }
}

/// The otherNames of DOC-ICP-04 §7.1.2.3. Old ones as PrintableString, new ones as OCTET STRING: both occur.
fn alt_names(person: &Person) -> der::Result<Vec<GeneralName>> {
    let old = person.generation == Generation::Old;
    let other = |oid: &str, text: &str| -> der::Result<GeneralName> {
        let value: Any = if old {
            PrintableStringRef::new(text)?.into()
        } else {
            Any::encode_from(&OctetString::new(text.as_bytes())?)?
        };
        let type_id = ObjectIdentifier::new(oid).map_err(|_| der::ErrorKind::OidMalformed)?;
        Ok(GeneralName::OtherName(OtherName { type_id, value }))
    };
    let mut names = match (person.profile, person.generation) {
        (Profile::Person, Generation::Old) => vec![
            other("2.16.76.1.3.1", &personal_data(person.identifier))?,
            // Voter's title, zone and section: not available.
            other("2.16.76.1.3.5", &"0".repeat(19))?,
            // CEI: not available.
            other("2.16.76.1.3.6", &"0".repeat(12))?,
        ],
        (Profile::Person, Generation::New) => {
            vec![other("2.16.76.1.3.1", &personal_data(person.identifier))?]
        }
        (Profile::Company, Generation::Old) => vec![
            other("2.16.76.1.3.4", &personal_data(RESPONSIBLE.1))?,
            other("2.16.76.1.3.2", RESPONSIBLE.0)?,
            other("2.16.76.1.3.3", person.identifier)?,
            other("2.16.76.1.3.7", &"0".repeat(12))?,
        ],
        (Profile::Company, Generation::New) => vec![other("2.16.76.1.3.3", person.identifier)?],
    };
    let address = format!("{}@demo-test.invalid", person.id);
    names.push(GeneralName::Rfc822Name(Ia5StringRef::new(&address)?.into()));
    Ok(names)
}

/// Birth date, CPF, NIS, RG: only the CPF matters here; what is not available is zeros, and no issuer follows.
fn personal_data(cpf: &str) -> String {
    format!("01011980{cpf}{}{}", "0".repeat(11), "0".repeat(15))
}

fn generate(size: KeySize) -> KeyPair {
    KeyPair::generate(size).expect("the random generator works")
}

fn before(now: Timestamp, duration: Duration) -> Timestamp {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_unix_ms(now.unix_ms().saturating_sub(ms)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use rubrica_core::icp_brasil::Identifier;
    use rubrica_core::x509::{Certificate, TrustAnchors, build_path};

    use super::*;
    use crate::demo::people::PEOPLE;

    #[test]
    fn every_holder_is_read_back_as_who_they_are() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let pki = Pki::create(now).unwrap();
        let anchors = TrustAnchors::new(vec![Certificate::from_der(pki.root()).unwrap()]);
        let intermediates = pki.intermediates().map(|der| Certificate::from_der(der).unwrap());
        let spki = certificate::spki_of(&generate(KeySize::Rsa2048)).unwrap();
        for person in &PEOPLE {
            let der = pki.issue(person, spki.clone(), Life::Current).unwrap();
            let certificate = Certificate::from_der(&der).unwrap();
            certificate.check_signer(now).unwrap();
            assert_eq!(build_path(&certificate, &intermediates, &anchors, now).unwrap().len(), 4);
            let identity = certificate.identity();
            assert!(!identity.contradictory);
            assert_eq!(identity.name, person.name);
            assert_eq!(identity.identifier, Some(person.identifier.parse::<Identifier>().unwrap()));
            assert!(identity.icp_type.is_some());
        }
        let ended = pki.issue(&PEOPLE[1], spki, Life::Ended).unwrap();
        let refused = Certificate::from_der(&ended).unwrap().check_signer(now).unwrap_err();
        assert_eq!(refused.code(), rubrica_core::ErrorCode::CertificateExpired);
    }
}
