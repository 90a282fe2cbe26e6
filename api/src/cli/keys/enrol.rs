//! `rubrica keys generate|csr|certify|import`: an operator brings the key of a company, such as a seal, into the token.
//!
//! Keys of people come in by `/v1/enrolments`, in a session of theirs and under their consent.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rubrica_core::ErrorCode;
use rubrica_core::icp_brasil::{Cnpj, Identifier};
use rubrica_core::wire::Enrolment;
use rubrica_core::x509::Certificate;

use super::super::output::{Output, read_file};
use super::super::{Instance, password};
use crate::app::{App, Role};
use crate::config::LogLevel;
use crate::data_folder::DataFolder;
use crate::enrolment::{self, EnrolmentError, Holder, Opened};
use crate::failure::Failure;
use crate::ids::EnrolmentId;
use crate::ports::KeyAlgorithm;
use crate::secret::SecretBytes;
use crate::store::enrolments::EnrolmentRow;
use crate::store::{self, StoreError};
use crate::{serving, telemetry, trust};

/// Kind of key.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    /// RSA-2048.
    Rsa,
    /// P-256.
    Ec,
}

/// Options of `keys generate`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Generate {
    /// Tenant that keeps the key.
    #[arg(long, value_name = "NAME")]
    tenant: String,
    /// CNPJ of the company, without punctuation.
    #[arg(long, value_name = "CNPJ")]
    company: String,
    /// Name of the company, for the request.
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Kind of key.
    #[arg(long, value_enum, default_value = "rsa")]
    algorithm: Algorithm,
    #[command(flatten)]
    instance: Instance,
}

/// An enrolment of an instance.
#[derive(Debug, Args)]
pub(in crate::cli) struct Enrolled {
    /// Identifier of the enrolment, as `keys generate` shows it.
    #[arg(value_name = "ENROLMENT")]
    id: String,
    #[command(flatten)]
    instance: Instance,
}

/// Options of `keys certify`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Certify {
    /// Identifier of the enrolment, as `keys generate` shows it.
    #[arg(value_name = "ENROLMENT")]
    id: String,
    /// The certificate: PEM, DER or PKCS#7. Further certificates in the file are ignored.
    #[arg(value_name = "FILE")]
    certificate: PathBuf,
    #[command(flatten)]
    instance: Instance,
}

/// Options of `keys import`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The PKCS#12 file, protected with AES. Its password comes from RUBRICA_P12_PASSWORD, --password-file or the prompt.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Tenant that keeps the key.
    #[arg(long, value_name = "NAME")]
    tenant: String,
    #[command(flatten)]
    instance: Instance,
}

impl Generate {
    pub(super) fn run(&self, output: Output) -> Result<ExitCode, Failure> {
        let company: Cnpj = self.company.parse().map_err(|_| {
            Failure::of(ErrorCode::CnpjInvalid, "--company is a CNPJ of 14 characters without punctuation")
        })?;
        let app = open(&self.instance)?;
        let holder = holder(&app, &self.tenant, &Identifier::Cnpj(company), self.name.clone());
        let algorithm = match self.algorithm {
            Algorithm::Rsa => KeyAlgorithm::Rsa,
            Algorithm::Ec => KeyAlgorithm::Ec,
        };
        let row = serving::runtime().block_on(async {
            enrolment::permit_company(&app, &holder)?;
            enrolment::generate(&app, holder, algorithm, |_, _| Ok(())).await
        });
        show(&row.map_err(|error| failure(&error))?, None, output);
        Ok(ExitCode::SUCCESS)
    }
}

impl Enrolled {
    pub(super) fn print_csr(&self, output: Output) -> Result<ExitCode, Failure> {
        let store = super::open(&self.instance)?;
        let id = parse(&self.id)?;
        let found = serving::runtime()
            .block_on(store.read(move |connection| store::enrolments::load(connection, &id)))
            .map_err(|error| super::failure(&error))?;
        let enrolment = enrolment::view(&found.ok_or_else(|| unknown(&self.id))?, None);
        let csr = enrolment.csr.clone().ok_or_else(|| {
            Failure::of(ErrorCode::EnrolmentStateConflict, "this enrolment has no request for a certificate")
        })?;
        output.result(&enrolment, || csr);
        Ok(ExitCode::SUCCESS)
    }
}

impl Certify {
    pub(super) fn run(&self, output: Output) -> Result<ExitCode, Failure> {
        let certificates = trust::read_certificates(std::slice::from_ref(&self.certificate))?;
        let id = parse(&self.id)?;
        let app = open(&self.instance)?;
        let done: Result<_, EnrolmentError> = serving::runtime().block_on(async {
            let found = app.store.read(move |connection| store::enrolments::load(connection, &id)).await?;
            let Some(row) = found else { return Ok(None) };
            if row.consent_id.is_some() {
                // Who agreed goes on in a session of theirs.
                return Ok(None);
            }
            enrolment::certify(&app, row, &certificates).await.map(Some)
        });
        let row = done.map_err(|error| failure(&error))?.ok_or_else(|| unknown(&self.id))?;
        let certificate = row
            .public_key
            .as_deref()
            .and_then(|key| certificates.iter().find(|one| one.public_key_der() == key));
        show(&row, certificate, output);
        Ok(ExitCode::SUCCESS)
    }
}

impl Import {
    pub(super) fn run(&self, output: Output) -> Result<ExitCode, Failure> {
        let password = password::of_p12(&self.file, self.password_file.as_deref())?;
        let file = SecretBytes::new(read_file(&self.file)?);
        let runtime = serving::runtime();
        let about = |error: EnrolmentError| failure(&error).about(self.file.display());
        let opened = runtime.block_on(Opened::from_file(file, password)).map_err(about)?;
        let certificate = opened.certificate().clone();
        let identity = certificate.identity();
        let company = identity.identifier.filter(|identifier| matches!(identifier, Identifier::Cnpj(_)));
        let company = company.ok_or_else(|| {
            Failure::new(
                ErrorCode::ConsentRequired,
                "the certificate is not a company's",
                "A person brings their own key, in a session and under their consent: POST /v1/enrolments",
            )
        })?;
        let app = open(&self.instance)?;
        let holder = holder(&app, &self.tenant, &company, certificate.subject_common_name());
        let row = runtime.block_on(enrolment::import(&app, holder, opened, |_, _| Ok(())));
        show(&row.map_err(about)?, Some(&certificate), output);
        Ok(ExitCode::SUCCESS)
    }
}

fn holder(app: &App, tenant: &str, company: &Identifier, name: String) -> Holder {
    Holder {
        tenant: tenant.to_owned(),
        signer_hash: app.lookup.hash(company),
        name,
        session_id: None,
        consent_id: None,
    }
}

fn open(instance: &Instance) -> Result<Arc<App>, Failure> {
    let mut config = instance.load()?;
    // What goes wrong is told once, by the failure.
    config.log.level = LogLevel::Error;
    telemetry::start(&config.log);
    let folder = DataFolder::open(&config.data.folder)?;
    serving::open(config, &folder, Role::Beside)
}

fn parse(id: &str) -> Result<EnrolmentId, Failure> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: &str) -> Failure {
    Failure::new(
        ErrorCode::NotFound,
        format!("there is no enrolment `{id}` of an operator"),
        "See the answer of `rubrica keys generate`",
    )
}

fn failure(error: &EnrolmentError) -> Failure {
    match error {
        EnrolmentError::Store(error @ StoreError::ConsentWithdrawn) => super::failure(error),
        EnrolmentError::Refused { .. } | EnrolmentError::Token(_) | EnrolmentError::Store(_) => {
            Failure::of(error.code(), error.to_string())
        }
    }
}

fn show(row: &EnrolmentRow, certificate: Option<&Certificate>, output: Output) {
    let enrolment = enrolment::view(row, certificate);
    output.result(&enrolment, || text(&enrolment));
}

fn text(enrolment: &Enrolment) -> String {
    let mut lines = vec![format!("{:<12}  {}", "enrolment", enrolment.id)];
    if let Some(key) = &enrolment.key_id {
        lines.push(format!("{:<12}  {key}", "key"));
    }
    if let Some(certificate) = &enrolment.certificate {
        lines.push(format!("{:<12}  {}", "holder", certificate.holder.name));
        lines.push(format!("{:<12}  {}", "valid until", certificate.not_after));
    } else {
        lines.push(format!("{:<12}  {}", "until", enrolment.expires_at));
        lines.push(format!("\nThe request for its certificate: rubrica keys csr {}", enrolment.id));
    }
    lines.join("\n") + "\n"
}
