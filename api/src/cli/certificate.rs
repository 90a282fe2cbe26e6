//! `rubrica certificate`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use rubrica_core::wire::CertificateView;

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
    let views: Vec<_> = trust::read_certificates(std::slice::from_ref(file))?
        .iter()
        .map(|certificate| certificate.view())
        .collect();
    output.result(&views, || views.iter().map(describe).collect::<Vec<_>>().join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn describe(view: &CertificateView) -> String {
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
    line("sha256", &view.sha256);
    text
}
