//! Fills a new demo folder: token, keys, PKI, rows.
//!
//! This runs in a process of its own: SoftHSM reads its configuration once, and while the folder is being filled it
//! lies under another name.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64ct::{Base64, Encoding};
use rubrica_core::x509::Certificate;
use rubrica_core::{ErrorCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::DemoFiles;
use super::certificate::spki_of;
use super::files::CANARY_LABEL;
use super::jwk::RsaJwk;
use super::people::{IN_THE_CLOUD, Keeps, PEOPLE, Person, STRANGER, find};
use super::pki::{Life, Pki};
use crate::adapters::clock::SystemClock;
use crate::adapters::pkcs11::provision::Provisioner;
use crate::data_folder::{unwritable, write_private};
use crate::failure::Failure;
use crate::ids::KeyId;
use crate::lookup::LookupKey;
use crate::ports::{Clock, KeyAlgorithm};
use crate::secret::Secret;
use crate::store::keys::{KeyRow, KeyState};
use crate::store::{self, Store};
use crate::{hex, random, serving};

/// Name of the command that the child process runs.
pub(crate) const COMMAND: &str = "fill-demo-folder";

/// One certificate with its key on the computer that the simulator plays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SimulatorIdentity {
    /// DER in standard base64.
    certificate: String,
    private_key: RsaJwk,
    /// DER in standard base64, issuer first.
    chain: Vec<String>,
}

/// Fills `draft` by a child process with the environment that SoftHSM needs.
pub(crate) fn fill(draft: &Path) -> Result<(), Failure> {
    let files = DemoFiles::new(draft);
    files.create()?;
    let internal = |what: String| Failure::new(ErrorCode::Internal, what, "Try again, or report it");
    let program =
        std::env::current_exe().map_err(|error| internal(format!("cannot find this program: {error}")))?;
    let output = Command::new(program)
        .arg(COMMAND)
        .arg(draft)
        .env("SOFTHSM2_CONF", files.softhsm_conf())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| internal(format!("cannot start this program: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    match serde_json::from_slice::<Told>(&output.stdout) {
        Ok(told) => Err(Failure::new(told.code, told.what, told.remedy)),
        Err(_) => Err(internal(format!("filling the demo folder ended with {}", output.status))),
    }
}

/// How the child tells its parent what went wrong, on standard output.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    code: ErrorCode,
    what: String,
    remedy: String,
}

impl From<&Failure> for Told {
    fn from(failure: &Failure) -> Self {
        Self { code: failure.code(), what: failure.what().to_owned(), remedy: failure.remedy().to_owned() }
    }
}

/// The child's work.
pub(crate) fn fill_here(draft: &Path) -> Result<(), Failure> {
    let files = DemoFiles::new(draft);
    let now = SystemClock.now();
    // Software keys and token keys are made at the same time.
    let (token, pki) = thread::scope(|scope| {
        let software = scope.spawn(|| Pki::create(now));
        let token = make_token_keys(&files);
        (token, software.join().expect("making the PKI does not panic"))
    });
    let (token, pki) = (token?, pki.map_err(|error| encoding(&error))?);
    write_pem(&files.root_pem(), &[pki.root()]).map_err(|error| unwritable(draft, &error))?;
    write_pem(&files.intermediates_pem(), &pki.intermediates()).map_err(|error| unwritable(draft, &error))?;
    let (on_computers, in_the_cloud) = identities(&pki).map_err(|error| encoding(&error))?;
    for (file, identities) in [(files.simulator(), on_computers), (files.cloud(), in_the_cloud)] {
        let json = serde_json::to_vec(&identities).expect("identities have only strings");
        write_private(&file, &json).map_err(|error| unwritable(draft, &error))?;
    }
    let json = serde_json::to_vec(&pki.stored()).expect("authorities have only strings");
    write_private(&files.authorities(), &json).map_err(|error| unwritable(draft, &error))?;

    let lookup = LookupKey::from_secret(&Secret::from_file(&draft.join("secrets/lookup-key"))?)?;
    let mut rows = Vec::new();
    for (person, key) in token {
        let certificate =
            pki.issue(person, key.public_key.spki, Life::Current).map_err(|error| encoding(&error))?;
        rows.push(key_row(person, certificate, key.reference, &lookup, now)?);
    }
    let store = Store::open_sqlite(&draft.join("rubrica.sqlite"))?;
    let insert =
        store.write(move |connection| rows.iter().try_for_each(|row| store::keys::insert(connection, row)));
    serving::runtime()
        .block_on(insert)
        .map_err(|error| Failure::new(ErrorCode::Internal, error.to_string(), "Try again, or report it"))
}

type TokenKey = (&'static Person, crate::adapters::pkcs11::provision::GeneratedKey);

fn make_token_keys(files: &DemoFiles) -> Result<Vec<TokenKey>, Failure> {
    let settings = files.token_settings()?;
    // Nobody needs the security officer of a demo token again.
    let officer = Secret::new(hex::encode(random::bytes::<12>()));
    Provisioner::create_token(&settings, &officer)?;
    let provisioner = Provisioner::open(&settings)?;
    provisioner.generate(KeyAlgorithm::Ec, CANARY_LABEL)?;
    let mut keys = Vec::new();
    for person in &PEOPLE {
        if let Keeps::Hsm(algorithm) = person.keeps {
            keys.push((person, provisioner.generate(algorithm, &format!("demo-{}", person.id))?));
        }
    }
    Ok(keys)
}

fn key_row(
    person: &Person,
    certificate: Vec<u8>,
    reference: crate::ports::KeyReference,
    lookup: &LookupKey,
    now: Timestamp,
) -> Result<KeyRow, Failure> {
    let parsed = Certificate::from_der(&certificate)
        .map_err(|error| Failure::new(error.code(), error.to_string(), "Report it"))?;
    let identifier = person.identifier.parse().expect("a test checks the numbers of the people");
    Ok(KeyRow {
        id: KeyId::generate(),
        tenant: super::files::PORTAL.to_owned(),
        signer_hash: lookup.hash(&identifier),
        reference,
        certificate,
        state: KeyState::Active,
        not_after: parsed.not_after(),
        created_at: now,
        changed_at: None,
        changed_code: None,
    })
}

/// Everybody's local certificate, with two that must not be usable: one that ended and one of somebody else; and those in the cloud.
fn identities(pki: &Pki) -> der::Result<(Vec<SimulatorIdentity>, Vec<SimulatorIdentity>)> {
    let bruno = find("bruno").expect("Bruno is one of the people");
    let local =
        PEOPLE.iter().filter(|person| person.keeps == Keeps::Local).map(|person| (person, Life::Current));
    let wanted: Vec<_> = local
        .chain([(bruno, Life::Ended), (&STRANGER, Life::Current), (&IN_THE_CLOUD, Life::Current)])
        .collect();
    let keys: Vec<_> = thread::scope(|scope| {
        let making: Vec<_> =
            wanted.iter().map(|_| scope.spawn(|| KeyPair::generate(KeySize::Rsa2048))).collect();
        making.into_iter().map(|key| key.join().expect("generating a key does not panic")).collect()
    });
    let (mut on_computers, mut in_the_cloud) = (Vec::new(), Vec::new());
    for ((person, life), key) in wanted.into_iter().zip(keys) {
        let key = key.expect("the random generator works");
        let certificate = pki.issue(person, spki_of(&key)?, life)?;
        let place = if person.keeps == Keeps::Cloud { &mut in_the_cloud } else { &mut on_computers };
        place.push(SimulatorIdentity {
            certificate: Base64::encode_string(&certificate),
            private_key: RsaJwk::of(&key)?,
            chain: pki.intermediates().iter().map(|der| Base64::encode_string(der)).collect(),
        });
    }
    Ok((on_computers, in_the_cloud))
}

fn write_pem(path: &Path, certificates: &[&[u8]]) -> std::io::Result<()> {
    let mut text = String::new();
    for der in certificates {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let base64 = Base64::encode_string(der);
        for line in base64.as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    fs::write(path, text)
}

fn encoding(error: &der::Error) -> Failure {
    Failure::new(ErrorCode::Internal, format!("a demo certificate cannot be written: {error}"), "Report it")
}
