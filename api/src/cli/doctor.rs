//! `rubrica doctor`: what an instance needs, checked one by one.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use rubrica_core::ErrorCode;
use serde::Serialize;

use super::Instance;
use super::output::Output;
use crate::adapters::environment;
use crate::adapters::pkcs11::provision::{Place, Provisioner};
use crate::adapters::pkcs11::{self, Pkcs11Keys, Settings, find_module};
use crate::config::{Config, LogLevel};
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::ports::{KeyAlgorithm, SigningKeyError, SigningKeys};
use crate::relay::LogSigner;
use crate::serving;
use crate::trust::Trust;

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    instance: Instance,
    /// Make the key that health checks sign with, when the token has none.
    #[arg(long)]
    fix: bool,
}

/// One thing checked.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Checks everything, also after a first problem. Exit code 1 when something is wrong.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let mut config = arguments.instance.load()?;
    // What goes wrong is told once, by the finding.
    config.log.level = LogLevel::Error;
    if arguments.fix {
        // A key is made in this process.
        environment::ensure(&config.token.environment)?;
    }
    let findings = [
        finding("configuration", Ok("valid".to_owned())),
        finding("pkcs11_module", check_module(&config)),
        finding("token", check_token(&config, arguments.fix)),
        finding("data_folder", check_data_folder(&config.data.folder)),
        finding("receipts", check_receipts(&config.data.folder)),
        finding("trust", check_trust(&config)),
        finding("port", check_port(&config)),
    ];
    output.result(&findings, || findings.iter().map(describe).collect());
    Ok(ExitCode::from(u8::from(findings.iter().any(|finding| !finding.ok))))
}

fn finding(check: &'static str, result: Result<String, Failure>) -> Finding {
    match result {
        Ok(detail) => Finding { check, ok: true, detail, code: None, remedy: None },
        Err(failure) => Finding {
            check,
            ok: false,
            detail: failure.what().to_owned(),
            code: Some(failure.code()),
            remedy: Some(failure.remedy().to_owned()),
        },
    }
}

fn describe(finding: &Finding) -> String {
    let mark = if finding.ok { "ok    " } else { "FAILED" };
    let remedy = finding.remedy.as_ref().map(|remedy| format!(". {remedy}")).unwrap_or_default();
    format!("{mark}  {:<14} {}{remedy}\n", finding.check.replace('_', " "), finding.detail)
}

fn check_module(config: &Config) -> Result<String, Failure> {
    find_module(&config.token.module).map(|path| path.display().to_string())
}

/// Logs in once and makes a real signature: nothing less says that a token works.
fn check_token(config: &Config, fix: bool) -> Result<String, Failure> {
    if !config.token.is_configured() {
        return Ok("none configured: there is no custody `hsm`".to_owned());
    }
    let settings = Settings::from_config(config)?.with_one_agent();
    let checked = check_canary(settings.clone())?;
    match checked {
        Err(SigningKeyError::KeyUnusable(_)) if fix => {
            Provisioner::open(&Place::of(&settings))?
                .generate(KeyAlgorithm::Ec, &settings.agent.canary_label)?;
            check_canary(settings)?.map_err(|error| pkcs11::failure(&error))?;
            Ok("made a key for health checks and signed with it".to_owned())
        }
        Err(error @ SigningKeyError::KeyUnusable(_)) => Err(Failure::new(
            ErrorCode::KeyNotFound,
            error.to_string(),
            "Run `rubrica doctor --fix` to make the key that health checks sign with",
        )),
        Err(error) => Err(pkcs11::failure(&error)),
        Ok(()) => Ok("logged in, signed and verified".to_owned()),
    }
}

fn check_canary(settings: Settings) -> Result<Result<(), SigningKeyError>, Failure> {
    let keys = Pkcs11Keys::open(settings)?;
    let checked = serving::runtime().block_on(keys.check());
    Ok(checked)
}

fn check_data_folder(folder: &Path) -> Result<String, Failure> {
    let is_new =
        !folder.exists() || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    let place = if is_new {
        folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
    } else {
        DataFolder::open(folder)?;
        folder
    };
    tempfile::tempfile_in(place).map_err(|error| crate::data_folder::unwritable(folder, &error))?;
    let what = if is_new { "will be made at the first start" } else { "complete and writable" };
    Ok(format!("{} {what}", folder.display()))
}

/// The public key of the log, to be kept elsewhere.
fn check_receipts(folder: &Path) -> Result<String, Failure> {
    let Ok(folder) = DataFolder::open(folder) else {
        return Ok("the key of the log is made at the first start".to_owned());
    };
    let signer = LogSigner::from_seed(&*folder.key("log-key")?);
    Ok(format!("the log is signed with {}", signer.public()))
}

fn check_trust(config: &Config) -> Result<String, Failure> {
    let trust = Trust::load(&config.trust)?;
    if trust.is_empty() {
        return Err(Failure::new(
            ErrorCode::ConfigInvalid,
            "no root is trusted, so no certificate would be accepted",
            "Set trust.icp_brasil = true or trust.anchors",
        ));
    }
    Ok(format!("{} trusted roots", trust.anchor_count()))
}

fn check_port(config: &Config) -> Result<String, Failure> {
    let address = config.server.listen;
    match TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(error) => Err(Failure::new(
            ErrorCode::PortInUse,
            format!("cannot listen on {address}: {error}"),
            "Stop the other program, unless it is this instance, or set server.listen",
        )),
    }
}
