//! `rubrica certificate`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use rubrica_core::wire::CertificateView;
use rubrica_core::x509::Certificate;
use serde::Serialize;

use super::output::Output;
use crate::failure::Failure;
use crate::trust;

/// What to do with certificates.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show the certificates of a PEM, DER or PKCS#7 file.
    Show {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs the action.
pub(super) fn run(action: &Action, output: Output) -> Result<ExitCode, Failure> {
    let Action::Show { file } = action;
    let views: Vec<_> = trust::read_certificates(std::slice::from_ref(file))?.iter().map(Shown::of).collect();
    output.result(&views, || views.iter().map(describe).collect::<Vec<_>>().join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// A certificate as it is shown here: addresses and key besides what every view has.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    view: CertificateView,
    /// Kind and size, or why it is not supported.
    key: String,
    /// Where its issuer publishes what says whether it was revoked.
    crl_urls: Vec<String>,
    ocsp_urls: Vec<String>,
    /// Where the certificate of its issuer is.
    issuer_urls: Vec<String>,
}

impl Shown {
    fn of(certificate: &Certificate) -> Self {
        let urls = certificate.urls();
        Self {
            view: certificate.view(),
            key: certificate.public_key().map_or_else(|error| error.to_string(), |key| key.describe()),
            crl_urls: urls.crl,
            ocsp_urls: urls.ocsp,
            issuer_urls: urls.ca_issuers,
        }
    }
}

fn describe(shown: &Shown) -> String {
    let view = &shown.view;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name:<12} {value}").expect("writing to a String cannot fail");
    };
    line("holder", &view.holder.name);
    if let Some(identifier) = &view.holder.identifier_masked {
        line("CPF/CNPJ", identifier);
    }
    line("type", view.icp_type.as_deref().unwrap_or("not ICP-Brasil"));
    line("issuer", &view.issuer);
    line("serial", &view.serial);
    line("valid from", &view.not_before.to_string());
    line("valid until", &view.not_after.to_string());
    line("key", &shown.key);
    shown.crl_urls.iter().for_each(|url| line("CRL", url));
    shown.ocsp_urls.iter().for_each(|url| line("OCSP", url));
    shown.issuer_urls.iter().for_each(|url| line("issuer at", url));
    line("sha256", &view.sha256);
    text
}
