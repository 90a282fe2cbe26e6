//! `rubrica certificate`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rubrica_core::Timestamp;
use rubrica_core::wire::CertificateView;
use rubrica_core::x509::{Certificate, TrustAnchors, build_path};
use serde::Serialize;

use super::Instance;
use super::output::Output;
use crate::adapters::clock::SystemClock;
use crate::failure::Failure;
use crate::ports::Clock;
use crate::trust::{self, Trust};

/// Longest way up that is shown without a trusted root; with one, core has its own limit.
const MOST_ABOVE: usize = 8;

/// What to do with certificates.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show the certificates of a PEM, DER or PKCS#7 file, each with those above it.
    Show(ShowArguments),
}

/// Options of `certificate show`.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Trust the roots in these files instead of those of ICP-Brasil.
    #[arg(long, value_name = "PEM", num_args = 1..)]
    trust: Vec<PathBuf>,
    #[command(flatten)]
    instance: Instance,
}

/// Runs the action.
pub(super) fn run(action: &Action, output: Output) -> Result<ExitCode, Failure> {
    let Action::Show(arguments) = action;
    let certificates = trust::read_certificates(std::slice::from_ref(&arguments.file))?;
    let known = Known::open(arguments, &certificates)?;
    let views: Vec<_> = certificates.iter().map(|certificate| Shown::of(certificate, &known)).collect();
    output.result(&views, || views.iter().map(describe).collect::<Vec<_>>().join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// What certificates are led up with.
struct Known {
    anchors: TrustAnchors,
    /// Those of the file and of the instance.
    intermediates: Vec<Certificate>,
    now: Timestamp,
}

impl Known {
    fn open(arguments: &ShowArguments, file: &[Certificate]) -> Result<Self, Failure> {
        let trust = Trust::load(&arguments.instance.load()?.trust)?;
        let anchors = if arguments.trust.is_empty() {
            trust.anchors()
        } else {
            TrustAnchors::new(trust::read_certificates(&arguments.trust)?)
        };
        let intermediates = [file, &trust.intermediates()].concat();
        Ok(Self { anchors, intermediates, now: SystemClock.now() })
    }

    /// The way up, without the certificate itself: to a trusted root, or as far as it is known, and why not further.
    ///
    /// Of an expired certificate, the one of its last moment.
    fn above(&self, certificate: &Certificate) -> (Vec<Certificate>, Option<String>) {
        let at = self.now.min(certificate.not_after());
        match build_path(certificate, &self.intermediates, &self.anchors, at) {
            Ok(path) => (path[1..].to_vec(), None),
            Err(error) => (self.steps(certificate, at), Some(error.to_string())),
        }
    }

    fn steps(&self, certificate: &Certificate, at: Timestamp) -> Vec<Certificate> {
        let mut path = vec![certificate.clone()];
        while path.len() <= MOST_ABOVE {
            let below = &path[path.len() - 1];
            let others: Vec<_> =
                self.intermediates.iter().filter(|one| !path.contains(one)).cloned().collect();
            // With everything else as an anchor, a path is one step long.
            match build_path(below, &[], &TrustAnchors::new(others), at) {
                Ok(step) if step.len() == 2 => path.extend(step.into_iter().skip(1)),
                Ok(_) | Err(_) => break,
            }
        }
        path.split_off(1)
    }
}

/// A certificate as it is shown here: with its addresses and the way to its root besides what every view has.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    view: CertificateView,
    /// Why the key is not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_problem: Option<String>,
    /// Where its issuer publishes what says whether it was revoked.
    crl_urls: Vec<String>,
    ocsp_urls: Vec<String>,
    /// Where the certificate of its issuer is.
    issuer_urls: Vec<String>,
    /// The certificates above this one, its issuer first.
    chain: Vec<CertificateView>,
    /// Whether the chain ends in a trusted root, or the certificate is one.
    trusted: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_problem: Option<String>,
}

impl Shown {
    fn of(certificate: &Certificate, known: &Known) -> Self {
        let urls = certificate.urls();
        let (above, path_problem) = known.above(certificate);
        Self {
            view: certificate.view(),
            key_problem: certificate.public_key().err().map(|error| error.to_string()),
            crl_urls: urls.crl,
            ocsp_urls: urls.ocsp,
            issuer_urls: urls.ca_issuers,
            chain: above.iter().map(Certificate::view).collect(),
            trusted: path_problem.is_none(),
            path_problem,
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
    if let Some(kind) = &view.holder_kind {
        line("kind", kind);
    }
    line("type", view.icp_type.as_deref().unwrap_or("not ICP-Brasil"));
    line("policy", view.policy.as_deref().unwrap_or("none"));
    line("issuer", &view.issuer);
    line("serial", &view.serial);
    line("valid from", &view.not_before.to_string());
    line("valid until", &view.not_after.to_string());
    let key = view.key.as_deref().or(shown.key_problem.as_deref()).unwrap_or_default();
    line("key", key);
    shown.crl_urls.iter().for_each(|url| line("CRL", url));
    shown.ocsp_urls.iter().for_each(|url| line("OCSP", url));
    shown.issuer_urls.iter().for_each(|url| line("issuer at", url));
    line("sha256", &view.sha256);
    for above in &shown.chain {
        line("chain", &format!("{} (sha256 {})", above.holder.name, above.sha256));
    }
    let trusted = shown.path_problem.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"));
    line("trusted", &trusted);
    text
}
