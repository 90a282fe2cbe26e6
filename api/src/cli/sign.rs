//! `rubrica sign`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rubrica_core::ErrorCode;
use rubrica_core::validation::Context;
use rubrica_core::wire::SignatureFormat;
use rubrica_core::x509::TrustAnchors;
use serde::Serialize;

use super::output::{Output, read_file, write_file};
use super::{Instance, password, pkcs12};
use crate::adapters::clock::SystemClock;
use crate::adapters::environment;
use crate::app::{App, Role};
use crate::data_folder::DataFolder;
use crate::engine::artefact::{artefact_name, seal};
use crate::engine::once::{self, Request};
use crate::engine::plan::{Draft, Plan};
use crate::failure::Failure;
use crate::ids::KeyId;
use crate::objects::sha256;
use crate::ports::Clock;
use crate::store::{self, keys::KeyRow};
use crate::{hex, serving, telemetry};

/// Options of `sign`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files to sign.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Signed file; for several files, or when it exists as one, a folder.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Sign with this PKCS#12 file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "config", "data"], required_unless_present = "key")]
    p12: Option<PathBuf>,
    /// First line is the password of the PKCS#12 file; else RUBRICA_P12_PASSWORD or a prompt.
    #[arg(long, value_name = "FILE", requires = "p12")]
    password_file: Option<PathBuf>,
    /// Sign with this key of an instance; see `rubrica keys list`.
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    #[command(flatten)]
    instance: Instance,
    /// A PDF with the signature inside, or a detached CMS beside any file.
    #[arg(long, value_enum, default_value_t = Format::Pades)]
    format: Format,
    /// Baseline level.
    #[arg(long, value_enum, default_value_t = Level::B)]
    level: Level,
    /// Signature policy that is named in the signature.
    #[arg(long, value_enum, default_value_t = Policy::None)]
    policy: Policy,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Pades,
    Cades,
}

/// The only level so far: what has one value needs no further handling.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    B,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Policy {
    None,
}

/// One signed file.
#[derive(Debug, Serialize)]
struct Signed {
    file: PathBuf,
    output: PathBuf,
    size_bytes: u64,
    sha256: String,
}

/// Signs every file, or stops at the first that cannot be signed; what was written before stays.
pub(super) fn run(arguments: Arguments, output: Output) -> Result<ExitCode, Failure> {
    // One value each so far: naming another is refused while the arguments are read.
    let (Level::B, Policy::None) = (arguments.level, arguments.policy);
    let format = match arguments.format {
        Format::Pades => SignatureFormat::Pades,
        Format::Cades => SignatureFormat::Cades,
    };
    let targets = targets(&arguments, format)?;
    let signer = Signer::open(&arguments)?;
    if arguments.files.len() > 1 && !arguments.output.is_dir() {
        std::fs::create_dir_all(&arguments.output).map_err(|error| {
            Failure::of(
                ErrorCode::FileUnwritable,
                format!("cannot make the folder {}: {error}", arguments.output.display()),
            )
        })?;
    }
    let mut signed = Vec::new();
    for (file, target) in arguments.files.iter().zip(targets) {
        let document = read_file(file)?;
        let mut parts = Vec::new();
        if format == SignatureFormat::Pades {
            parts.push(document.clone());
        }
        parts.push(signer.sign(file, document, format).map_err(|failure| failure.about(file.display()))?);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        write_file(&target, &parts)?;
        let size_bytes = parts.iter().map(|part| part.len() as u64).sum();
        let digest = hex::encode(sha256(&parts.concat()));
        signed.push(Signed { file: file.clone(), output: target, size_bytes, sha256: digest });
    }
    output.result(&signed, || {
        signed.iter().map(|one| format!("{} -> {}\n", one.file.display(), one.output.display())).collect()
    });
    Ok(ExitCode::SUCCESS)
}

/// Where each signed file goes. Decided before anything is signed.
fn targets(arguments: &Arguments, format: SignatureFormat) -> Result<Vec<PathBuf>, Failure> {
    let into_folder = arguments.files.len() > 1 || arguments.output.is_dir();
    let mut targets = Vec::new();
    for file in &arguments.files {
        let target = if into_folder {
            arguments.output.join(artefact_name(format, &file_name(file)?))
        } else {
            arguments.output.clone()
        };
        let same = |a: &Path, b: &Path| a == b || std::fs::canonicalize(a).ok() == Some(canonical(b));
        if arguments.files.iter().any(|input| same(input, &target)) || targets.contains(&target) {
            return Err(Failure::new(
                ErrorCode::Usage,
                format!("{} would be written over", target.display()),
                "Choose another output",
            ));
        }
        targets.push(target);
    }
    Ok(targets)
}

fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn file_name(file: &Path) -> Result<String, Failure> {
    file.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .ok_or_else(|| Failure::of(ErrorCode::FileUnreadable, format!("{} is not a file", file.display())))
}

/// Who signs.
enum Signer {
    File(Box<pkcs12::Identity>),
    Instance { app: Arc<App>, key: Box<KeyRow>, runtime: tokio::runtime::Runtime },
}

impl Signer {
    fn open(arguments: &Arguments) -> Result<Self, Failure> {
        if let Some(p12) = &arguments.p12 {
            let password = password::read(p12, arguments.password_file.as_deref())?;
            let identity = pkcs12::open(p12, &password)?;
            identity
                .certificate
                .check_signer(SystemClock.now())
                .map_err(|error| Failure::of(error.code(), error.to_string()).about(p12.display()))?;
            return Ok(Self::File(Box::new(identity)));
        }
        let text = arguments.key.as_deref().unwrap_or_default();
        let no_such_key = || Failure::of(ErrorCode::KeyNotFound, format!("there is no key `{text}`"));
        let id: KeyId = text.parse().map_err(|_| no_such_key())?;
        let config = arguments.instance.load()?;
        environment::ensure(&config.token.environment)?;
        let mut log = config.log.clone();
        // What goes wrong is told once, by the failure.
        log.level = crate::config::LogLevel::Error;
        telemetry::start(&log);
        let folder = DataFolder::open(&config.data.folder)?;
        let app = serving::open(config, &folder, Role::Beside)?;
        let runtime = serving::runtime();
        let key = app
            .store
            .read(|connection| store::keys::load(connection, &id))
            .map_err(|error| Failure::of(ErrorCode::DataFolderUnknown, error.to_string()))?
            .ok_or_else(no_such_key)?;
        Ok(Self::Instance { app, key: Box::new(key), runtime })
    }

    /// Gives what follows the document (PAdES) or stands beside it (CAdES).
    fn sign(&self, file: &Path, document: Vec<u8>, format: SignatureFormat) -> Result<Vec<u8>, Failure> {
        match self {
            Self::File(identity) => sign_with_file(identity, document, format),
            Self::Instance { app, key, runtime } => {
                let request = Request {
                    client: "command-line",
                    key: (**key).clone(),
                    name: file_name(file)?,
                    document,
                    format,
                };
                runtime.block_on(once::sign(app, request)).map(|signed| signed.tail)
            }
        }
    }
}

/// The signer chose the key: their certificate is the anchor, so that the check of the result is about the result.
fn sign_with_file(
    identity: &pkcs12::Identity,
    document: Vec<u8>,
    format: SignatureFormat,
) -> Result<Vec<u8>, Failure> {
    let now = SystemClock.now();
    let plan = Plan::prepare(Draft {
        format,
        document: &document,
        document_sha256: &sha256(&document),
        signer: &identity.certificate,
        chain: &identity.chain,
        signing_time: now,
    })
    .map_err(|failure| Failure::of(failure.code(), failure.to_string()))?;
    let value = identity
        .key
        .sign(plan.signed_attributes())
        .map_err(|error| crate::adapters::pkcs11::failure(&error))?;
    let anchors = TrustAnchors::new(vec![identity.certificate.clone()]);
    let context = Context::new(anchors, now).without_revocation();
    seal(&plan, document, &value, &context)
        .map(|sealed| sealed.tail)
        .map_err(|failure| Failure::of(failure.code(), failure.to_string()))
}
