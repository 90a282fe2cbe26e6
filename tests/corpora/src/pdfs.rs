//! PDFs of pyHanko and qpdf: opened, validated, prepared for a signature; pyHanko's verdict on its own.

use std::collections::BTreeMap;
use std::process::Command;

use rubrica_core::Timestamp;
use rubrica_core::pades::{self, Options};
use rubrica_core::pdf::ModificationLevel;
use rubrica_core::validation::{Context, Indication, Report, SignatureReport, ValidationError, validate_pdf};
use rubrica_core::x509::{Certificate, TrustAnchors};

use crate::Outcome;
use crate::expected::Expected;
use crate::sources::{File, Sources};
use crate::tally::Tally;

const JUDGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pyhanko_verdicts.py");
const SIGNER: &[u8] = include_bytes!("../../../core/testdata/pki/bruno.pem");

pub(crate) fn run(sources: &Sources, tally: &mut Tally) -> Outcome<()> {
    let expected = Expected::parse(include_str!("../expected/pdfs.txt"));
    let pyhanko = sources.files("pyhanko", &["pdf"], 120)?;
    let qpdf = sources.files("qpdf", &["pdf"], 600)?;
    let theirs = pyhanko_verdicts(&pyhanko)?;
    let subject = Subject::new()?;
    for file in &pyhanko {
        let bytes = file.read()?;
        let name = short(&file.name);
        tally.case(&format!("pyhanko: {name}"), || {
            subject.survives(&bytes)?;
            let ours = verdict(&validate_pdf(&bytes, &subject.context));
            let theirs = theirs.get(&file.name).ok_or("pyHanko said nothing")?;
            expected.check(name, &ours, theirs)
        });
    }
    for file in &qpdf {
        let bytes = file.read()?;
        tally.case(&format!("qpdf: {}", file.name), || subject.survives(&bytes));
    }
    for stale in expected.stale(|case| pyhanko.iter().any(|file| short(&file.name) == case)) {
        tally.case(stale, || Err("explained, but there is no such file".to_owned()));
    }
    Ok(())
}

/// The name without the folders that all files of pyHanko share.
fn short(name: &str) -> &str {
    name.split_once("/data/pdf/").map_or(name, |(_, short)| short)
}

/// What every file goes through, whatever it holds.
struct Subject {
    context: Context,
    signer: Certificate,
    options: Options,
}

impl Subject {
    fn new() -> Outcome<Self> {
        let at: Timestamp = "2026-11-23T12:00:00Z".parse()?;
        Ok(Self {
            // No anchor: the files come from many authorities, and trust is not the question here.
            context: Context::new(TrustAnchors::new(Vec::new()), at),
            signer: Certificate::from_pem_or_der(SIGNER)?,
            options: Options::new(at),
        })
    }

    /// Validated and prepared: each gives a result or an error with a code and words.
    fn survives(&self, bytes: &[u8]) -> Result<(), String> {
        if let Err(error) = validate_pdf(bytes, &self.context)
            && (error.to_string().is_empty() || error.code().as_str().is_empty())
        {
            return Err(format!("an error without words: {error:?}"));
        }
        match pades::prepare(bytes, &self.signer, &[], &self.options) {
            Ok(plan) if plan.appended().is_empty() => Err("prepared, but nothing was appended".to_owned()),
            Err(error) if error.to_string().is_empty() => Err(format!("an error without words: {error:?}")),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// One word: what remains when trust is left aside.
fn verdict(outcome: &Result<Report, ValidationError>) -> String {
    match outcome {
        Ok(report) => {
            // A change that is not recognised leaves a signature inconclusive; pyHanko refuses it.
            let has_changed = |signature: &SignatureReport| {
                signature.pdf.and_then(|pdf| pdf.modification_level) == Some(ModificationLevel::Other)
            };
            let failed = report
                .signatures
                .iter()
                .any(|signature| signature.indication == Indication::Failed || has_changed(signature));
            if failed { "refused" } else { "intact" }.to_owned()
        }
        Err(ValidationError::NotSigned) => "unsigned".to_owned(),
        Err(_) => "unreadable".to_owned(),
    }
}

/// Asks pyHanko about all files at once: starting it takes longer than most answers.
fn pyhanko_verdicts(files: &[File]) -> Outcome<BTreeMap<String, String>> {
    let python =
        std::env::var("RUBRICA_PYTHON").map_err(|_| "RUBRICA_PYTHON must name a Python with pyHanko")?;
    let output = Command::new(python).arg(JUDGE).args(files.iter().map(|file| &file.path)).output()?;
    if !output.status.success() {
        return Err(format!("pyHanko: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let verdicts: Vec<String> = serde_json::from_slice(&output.stdout)?;
    Ok(files.iter().map(|file| file.name.clone()).zip(verdicts).collect())
}
