//! The options of `sign`, and what they say together.

use std::path::PathBuf;

use base64ct::{Base64, Encoding};
use clap::{Args, ValueEnum};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{
    PdfAppearance, PdfCertification, PdfOptions, PdfPlacement, PdfSubFilter, SignatureFormat, SignatureLevel,
    SignaturePolicy,
};

use super::super::Instance;
use super::super::output::read_file;
use super::super::password;
use super::signer::Wanted;
use crate::engine::target::Target;
use crate::failure::Failure;

/// Options of `sign`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Files to sign; with --co-sign and --counter-sign, CMS files.
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Signed file; for several files, or when it exists as one, a folder.
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: PathBuf,
    /// Sign with this PKCS#12 file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "config", "data"], required_unless_present = "key")]
    pub(super) p12: Option<PathBuf>,
    /// First line is the password of the PKCS#12 file; else RUBRICA_P12_PASSWORD or a prompt.
    #[arg(long, value_name = "FILE", requires = "p12")]
    pub(super) password_file: Option<PathBuf>,
    /// First line is the password of encrypted PDFs; else RUBRICA_PDF_PASSWORD.
    #[arg(long, value_name = "FILE")]
    pub(super) pdf_password_file: Option<PathBuf>,
    /// Sign with this key of an instance; see `rubrica keys list`.
    #[arg(long, value_name = "ID")]
    pub(super) key: Option<String>,
    #[command(flatten)]
    pub(super) instance: Instance,
    /// A PDF with the signature inside, or a CMS beside or around any file.
    #[arg(long, value_enum, default_value_t = Format::Pades)]
    format: Format,
    /// Baseline level; the lowest that the policy allows when absent.
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// Signature policy that is named in the signature.
    #[arg(long, value_enum, default_value_t = Policy::None)]
    policy: Policy,
    /// Time-stamping authority, instead of the configured one.
    #[arg(long, value_name = "URL")]
    pub(super) tsa: Option<String>,
    /// Trust the roots in these files for what a level above b needs, instead of those of ICP-Brasil.
    #[arg(long, value_name = "PEM", num_args = 1.., conflicts_with = "key")]
    pub(super) trust: Vec<PathBuf>,
    /// With --format cades: the signature beside the file. This is the default.
    #[arg(long, conflicts_with_all = ["enveloping", "co_sign", "counter_sign"])]
    detached: bool,
    /// With --format cades: the file inside the signature.
    #[arg(long, conflicts_with_all = ["co_sign", "counter_sign"])]
    pub(super) enveloping: bool,
    /// With --format cades: one more signature beside those of the CMS file.
    #[arg(long, conflicts_with = "counter_sign")]
    pub(super) co_sign: bool,
    /// With --format cades: a signature over the one at this position of the CMS file, from 0.
    #[arg(long, value_name = "POSITION", num_args = 0..=1, default_missing_value = "0")]
    pub(super) counter_sign: Option<usize>,
    /// The signed file of a detached CMS, for --co-sign and --counter-sign.
    #[arg(long, value_name = "FILE")]
    pub(super) content: Option<PathBuf>,
    /// Sign this empty field of the PDF.
    #[arg(long, value_name = "NAME", conflicts_with = "new_field")]
    field: Option<String>,
    /// Name of the new field.
    #[arg(long, value_name = "NAME")]
    new_field: Option<String>,
    /// Show the signature: PAGE:LEFT,BOTTOM,WIDTH,HEIGHT in points, or `field` for the place of --field.
    #[arg(long, value_name = "SPEC")]
    visible: Option<String>,
    /// A line of text of the visible signature, instead of the usual ones; may be repeated.
    #[arg(long, value_name = "LINE", requires = "visible")]
    visible_text: Vec<String>,
    /// A PNG or JPEG file for the visible signature.
    #[arg(long, value_name = "FILE", requires = "visible")]
    visible_image: Option<PathBuf>,
    /// Certify the PDF: what may be done afterwards.
    #[arg(long, value_enum, value_name = "P")]
    certify: Option<Certify>,
    /// Names under which the signature is stored in the PDF.
    #[arg(long, value_enum)]
    sub_filter: Option<SubFilter>,
    /// Why it is signed; not with a policy.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Where it is signed.
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
}

/// Kind of artefact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    Pades,
    Cades,
}

/// Baseline level.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Level {
    B,
    T,
    Lt,
    Lta,
}

/// Signature policy.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Policy {
    None,
    AdRb,
    AdRt,
    AdRv,
    AdRc,
    AdRa,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Certify {
    /// Nothing but validation data and document time stamps.
    #[value(name = "1")]
    NoChanges,
    /// Filling in forms and signing.
    #[value(name = "2")]
    FormFilling,
    /// Also annotations.
    #[value(name = "3")]
    Annotations,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SubFilter {
    Etsi,
    Pbad,
}

impl From<Format> for SignatureFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Pades => Self::Pades,
            Format::Cades => Self::Cades,
        }
    }
}

impl From<Level> for SignatureLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::B => Self::B,
            Level::T => Self::T,
            Level::Lt => Self::Lt,
            Level::Lta => Self::Lta,
        }
    }
}

impl From<Policy> for SignaturePolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::None => Self::None,
            Policy::AdRb => Self::AdRb,
            Policy::AdRt => Self::AdRt,
            Policy::AdRv => Self::AdRv,
            Policy::AdRc => Self::AdRc,
            Policy::AdRa => Self::AdRa,
        }
    }
}

impl Arguments {
    /// What is to be made. Nothing is read yet but the picture and the password of the PDFs.
    pub(super) fn wanted(&self) -> Result<Wanted, Failure> {
        let format = SignatureFormat::from(self.format);
        self.check(format)?;
        let (level, policy) = (self.level.map(SignatureLevel::from), self.policy.into());
        let target = Target::new(format, level, policy)
            .map_err(|error| Failure::of(error.code(), error.to_string()))?;
        if self.counter_sign.is_some() && target.needs_time_stamp() {
            return Err(Failure::of(ErrorCode::Usage, "a counter-signature has level b"));
        }
        let pdf_password = password::of_pdfs(self.pdf_password_file.as_deref())?;
        Ok(Wanted { target, pdf: self.pdf_options()?, pdf_password })
    }

    fn check(&self, format: SignatureFormat) -> Result<(), Failure> {
        let cms_only = self.detached || self.enveloping || self.co_sign || self.counter_sign.is_some();
        let pdf_only = self.field.is_some()
            || self.new_field.is_some()
            || self.visible.is_some()
            || self.certify.is_some()
            || self.sub_filter.is_some()
            || self.reason.is_some()
            || self.location.is_some();
        let usage = |what: &str| Err(Failure::of(ErrorCode::Usage, what));
        match format {
            SignatureFormat::Pades if cms_only => {
                usage("--detached, --enveloping, --co-sign and --counter-sign go with --format cades")
            }
            SignatureFormat::Cades if pdf_only => usage(
                "--field, --new-field, --visible, --certify, --sub-filter, --reason and --location go with PDFs",
            ),
            _ if self.content.is_some() && !(self.co_sign || self.counter_sign.is_some()) => {
                usage("--content goes with --co-sign and --counter-sign")
            }
            _ if self.content.is_some() && self.files.len() > 1 => usage("--content belongs to one file"),
            _ if self.key.is_some() && (cms_only && !self.detached) => {
                usage("a key of an instance signs PDFs and detached CMS")
            }
            _ if self.key.is_some() && self.tsa.is_some() => {
                usage("an instance has its own time-stamping authority: set tsa.url")
            }
            SignatureFormat::Pades | SignatureFormat::Cades => Ok(()),
        }
    }

    fn pdf_options(&self) -> Result<PdfOptions, Failure> {
        Ok(PdfOptions {
            field: self.field.clone(),
            new_field: self.new_field.clone(),
            certification: self.certify.map(|certify| match certify {
                Certify::NoChanges => PdfCertification::NoChanges,
                Certify::FormFilling => PdfCertification::FormFilling,
                Certify::Annotations => PdfCertification::Annotations,
            }),
            sub_filter: self.sub_filter.map(|sub_filter| match sub_filter {
                SubFilter::Etsi => PdfSubFilter::Etsi,
                SubFilter::Pbad => PdfSubFilter::Pbad,
            }),
            reason: self.reason.clone(),
            location: self.location.clone(),
            appearance: self.visible.as_deref().map(|spec| self.appearance(spec)).transpose()?,
        })
    }

    fn appearance(&self, spec: &str) -> Result<PdfAppearance, Failure> {
        let placement = if spec == "field" { None } else { Some(placement(spec)?) };
        let image = self.visible_image.as_deref().map(read_file).transpose()?;
        Ok(PdfAppearance {
            placement,
            lines: (!self.visible_text.is_empty()).then(|| self.visible_text.clone()),
            image: image.map(|bytes| Base64::encode_string(&bytes)),
        })
    }
}

/// Reads `PAGE:LEFT,BOTTOM,WIDTH,HEIGHT`.
fn placement(spec: &str) -> Result<PdfPlacement, Failure> {
    let read = || {
        let (page, rectangle) = spec.split_once(':')?;
        let numbers: Vec<f64> =
            rectangle.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
        let [left, bottom, width, height] = numbers.try_into().ok()?;
        Some(PdfPlacement { page: page.trim().parse().ok()?, left, bottom, width, height })
    };
    read().ok_or_else(|| {
        Failure::new(
            ErrorCode::Usage,
            format!("--visible: `{spec}` is not PAGE:LEFT,BOTTOM,WIDTH,HEIGHT"),
            "Give points from the lower left corner, such as 1:36,36,220,60",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_a_page_is_read_strictly() {
        let place = placement("2:36, 40.5,220,60").unwrap();
        assert_eq!(
            (place.page, place.left, place.bottom, place.width, place.height),
            (2, 36.0, 40.5, 220.0, 60.0)
        );
        for bad in ["", "1", "1:", "1:1,2,3", "1:1,2,3,4,5", "-1:1,2,3,4", "x:1,2,3,4", "1:a,2,3,4"] {
            assert_eq!(placement(bad).unwrap_err().code(), ErrorCode::Usage, "{bad}");
        }
    }
}
