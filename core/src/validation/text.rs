//! The report for people: plain English text.

use core::fmt::{self, Formatter};

use super::{Finding, Indication, Outcome, Report, SignatureReport};
use crate::wire::SignatureFormat;

impl Report {
    /// The report as text for a terminal: one block per signature, one line per finding.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let count = self.signatures.len();
        writeln!(out, "{}", verdict(self.overall()))?;
        writeln!(out, "{count} signature{} checked for {}", if count == 1 { "" } else { "s" }, self.at)?;
        for (index, signature) in self.signatures.iter().enumerate() {
            writeln!(out)?;
            write_signature(out, index + 1, signature)?;
        }
        Ok(())
    }
}

fn write_signature(out: &mut Formatter<'_>, number: usize, signature: &SignatureReport) -> fmt::Result {
    let format = match signature.format {
        SignatureFormat::Pades => "PAdES",
        SignatureFormat::Cades => "CAdES",
    };
    write!(out, "Signature {number} ({format}")?;
    if let Some(field) = &signature.field {
        write!(out, ", field {field}")?;
    }
    write!(out, "): {}", verdict(signature.indication))?;
    if let Some(reason) = signature.sub_indication {
        write!(out, " [{}]", reason.as_str())?;
    }
    writeln!(out)?;
    if let Some(signer) = &signature.signer {
        write!(out, "  signer       {}", signer.holder.name)?;
        if let Some(identifier) = &signer.holder.identifier_masked {
            write!(out, " ({identifier})")?;
        }
        writeln!(out, "\n  certificate  serial {} of {}", signer.serial, signer.issuer)?;
    }
    if let Some(time) = signature.claimed_time {
        writeln!(out, "  signed at    {time}, as the signer claims")?;
    }
    if signature.covers_whole_file == Some(false) {
        writeln!(out, "  attention    the file goes on behind the part that was signed")?;
    }
    signature.findings.iter().try_for_each(|finding| write_finding(out, finding))
}

fn write_finding(out: &mut Formatter<'_>, finding: &Finding) -> fmt::Result {
    let mark = match finding.outcome {
        Outcome::Passed => "ok",
        Outcome::Failed => "FAILED",
        Outcome::Indeterminate => "unclear",
        Outcome::Warning => "warning",
        Outcome::NotChecked => "not checked",
    };
    writeln!(out, "  {mark:<12} {}: {}", finding.check.as_str().replace('_', " "), finding.evidence)
}

const fn verdict(indication: Indication) -> &'static str {
    match indication {
        Indication::Passed => "VALID (revocation not checked)",
        Indication::Indeterminate => "NOT CONCLUSIVE",
        Indication::Failed => "INVALID",
    }
}
