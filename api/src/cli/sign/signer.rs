//! Who signs: the key of a PKCS#12 file, or a key of an instance.

use std::path::Path;
use std::sync::Arc;

use rubrica_core::ErrorCode;
use rubrica_core::validation::Context;
use rubrica_core::wire::PdfOptions;
use rubrica_core::x509::{Certificate, TrustAnchors};

use super::super::{password, pkcs12};
use super::{Arguments, file_name};
use crate::adapters::clock::SystemClock;
use crate::app::{App, Role};
use crate::data_folder::DataFolder;
use crate::engine::artefact::{Sealed, seal};
use crate::engine::once::{self, Request};
use crate::engine::plan::{Draft, Plan, Shape};
use crate::engine::raise::{self, Means};
use crate::engine::target::Target;
use crate::failure::Failure;
use crate::fetch::{Fetcher, TimeStamps};
use crate::ids::KeyId;
use crate::input::Input;
use crate::ports::Clock;
use crate::secret::Secret;
use crate::store::signatures::ArtefactRow;
use crate::store::{self, keys::KeyRow};
use crate::trust::{self, Trust};
use crate::{serving, telemetry};

/// What is to be made.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) target: Target,
    pub(super) pdf: PdfOptions,
    /// Of encrypted PDFs.
    pub(super) pdf_password: Option<Secret>,
}

/// Who signs.
pub(super) enum Signer {
    File { identity: Box<pkcs12::Identity>, authorities: Option<Box<Authorities>> },
    Instance { app: Arc<App>, key: Box<KeyRow>, runtime: tokio::runtime::Runtime },
}

/// What a level above b needs.
pub(super) struct Authorities {
    anchors: TrustAnchors,
    intermediates: Vec<Certificate>,
    fetcher: Option<Fetcher>,
    time_stamps: Option<TimeStamps>,
}

impl Authorities {
    fn open(arguments: &Arguments, identity: &pkcs12::Identity) -> Result<Self, Failure> {
        let mut config = arguments.instance.load()?;
        if let Some(url) = &arguments.tsa {
            config.tsa.url.clone_from(url);
        }
        let trust = Trust::load(&config.trust)?;
        let anchors = if arguments.trust.is_empty() {
            trust.anchors()
        } else {
            TrustAnchors::new(trust::read_certificates(&arguments.trust)?)
        };
        let mut intermediates = trust.intermediates();
        intermediates.extend(identity.chain.iter().cloned());
        let fetcher = if config.fetch.enabled {
            Some(Fetcher::new(&config.fetch, None, Arc::new(SystemClock))?)
        } else {
            None
        };
        let time_stamps = TimeStamps::open(&config.tsa)?;
        if time_stamps.is_none() {
            return Err(Failure::new(
                ErrorCode::TimeStampUnavailable,
                "the level needs a time stamp, and no time-stamping authority is named",
                "Name one with --tsa or tsa.url",
            ));
        }
        Ok(Self { anchors, intermediates, fetcher, time_stamps })
    }
}

impl Signer {
    pub(super) fn open(arguments: &Arguments, wanted: &Wanted) -> Result<Self, Failure> {
        if let Some(p12) = &arguments.p12 {
            let password = password::of_p12(p12, arguments.password_file.as_deref())?;
            let identity = pkcs12::open(p12, &password)?;
            identity
                .certificate
                .check_signer(SystemClock.now())
                .map_err(|error| Failure::of(error.code(), error.to_string()).about(p12.display()))?;
            let authorities = if wanted.target.needs_time_stamp() {
                Some(Box::new(Authorities::open(arguments, &identity)?))
            } else {
                None
            };
            return Ok(Self::File { identity: Box::new(identity), authorities });
        }
        let text = arguments.key.as_deref().unwrap_or_default();
        let no_such_key = || Failure::of(ErrorCode::KeyNotFound, format!("there is no key `{text}`"));
        let id: KeyId = text.parse().map_err(|_| no_such_key())?;
        let mut config = arguments.instance.load()?;
        // What goes wrong is told once, by the failure.
        config.log.level = crate::config::LogLevel::Error;
        telemetry::start(&config.log);
        let folder = DataFolder::open(&config.data.folder)?;
        let app = serving::open(config, &folder, Role::Beside)?;
        let runtime = serving::runtime();
        let key = runtime
            .block_on(app.store.read(move |connection| store::keys::load(connection, &id)))
            .map_err(|error| Failure::of(ErrorCode::DataFolderUnknown, error.to_string()))?
            .ok_or_else(no_such_key)?;
        Ok(Self::Instance { app, key: Box::new(key), runtime })
    }

    /// Signs; for PAdES the document becomes the signed file.
    pub(super) fn sign(
        &self,
        file: &Path,
        document: &mut Input,
        shape: &Shape,
        wanted: &Wanted,
    ) -> Result<Sealed, Failure> {
        match self {
            Self::File { identity, authorities } => {
                sign_with_file(identity, authorities.as_deref(), document, shape, wanted)
            }
            Self::Instance { app, key, runtime } => {
                let disk = |error: std::io::Error| Failure::of(ErrorCode::FileUnreadable, error.to_string());
                let request = Request {
                    key: (**key).clone(),
                    name: file_name(file)?,
                    document: document.read_all().map_err(disk)?.into_owned(),
                    password: wanted.pdf_password.clone(),
                    target: wanted.target,
                    pdf: Some(wanted.pdf.clone()),
                };
                let signed = runtime.block_on(once::sign(app, request))?;
                if wanted.target.format == rubrica_core::wire::SignatureFormat::Pades {
                    document.append(&signed.tail).map_err(disk)?;
                }
                let ArtefactRow { size_bytes, sha256, .. } = signed.artefact;
                Ok(Sealed { tail: signed.tail, size_bytes, sha256 })
            }
        }
    }
}

/// At level b the signer's certificate is the anchor: they chose the key, and the check is about the result.
fn sign_with_file(
    identity: &pkcs12::Identity,
    authorities: Option<&Authorities>,
    document: &mut Input,
    shape: &Shape,
    wanted: &Wanted,
) -> Result<Sealed, Failure> {
    let now = SystemClock.now();
    let plan = Plan::prepare(Draft {
        target: wanted.target,
        document: document.file(),
        document_sha256: None,
        signer: &identity.certificate,
        chain: &identity.chain,
        signing_time: now,
        pdf: &wanted.pdf,
        shape,
    })
    .map_err(|failure| Failure::of(failure.code(), failure.to_string()))?;
    let value = identity
        .key
        .sign(plan.signed_attributes().expect("our own code made the plan"))
        .map_err(|error| Failure::of(ErrorCode::KeyUnsupported, error.to_string()))?;
    let sealed = match authorities {
        None => {
            let anchors = TrustAnchors::new(vec![identity.certificate.clone()]);
            let context = Context::new(anchors, now).without_revocation();
            seal(&plan, shape, document, &value, &context)
        }
        Some(authorities) => {
            let means = Means {
                anchors: authorities.anchors.clone(),
                intermediates: authorities.intermediates.clone(),
                fetcher: authorities.fetcher.as_ref(),
                time_stamps: authorities.time_stamps.as_ref(),
                clock: &SystemClock,
            };
            raise::seal(&means, &plan, shape, document, &value, wanted.target)
        }
    };
    sealed.map_err(|failure| Failure::of(failure.code(), failure.to_string()))
}
