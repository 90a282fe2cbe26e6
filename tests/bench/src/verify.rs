//! Validation of a signed PDF, beside pyHanko.

use std::fs;
use std::time::Duration;

use rubrica_core::validation::{Context, Indication, Language, validate_pdf};
use rubrica_core::x509::TrustAnchors;

use crate::pdf::{Signer, cpu_time, make_key};
use crate::table::{Bar, Row, Table};
use crate::{Outcome, peer, samples};

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    make_key(folder.path())?;
    let signer = Signer::open(folder.path())?;
    let signed = signer.sign(&samples::pdf(100_000))?;
    let path = folder.path().join("signed.pdf");
    fs::write(&path, &signed)?;

    let anchors = TrustAnchors::new(vec![signer.certificate.clone()]);
    let context = Context::new(anchors, signer.now).without_revocation();
    let start = cpu_time();
    let mut validated = 0_u32;
    while cpu_time() - start < Duration::from_secs(2) {
        let report = validate_pdf(signed.as_slice(), &context)?;
        if report.overall() != Indication::Passed {
            return Err(format!("the sample does not pass: {}", report.to_text(Language::En)).into());
        }
        validated += 1;
    }
    table.push(Row {
        what: "validation of PAdES-B 100 KB".to_owned(),
        unit: "documents per CPU-second",
        ours: f64::from(validated) / (cpu_time() - start).as_secs_f64(),
        peer: "pyHanko",
        theirs: peer::pyhanko_validates(&folder.path().join("certificate.pem"), &path)?,
        bar: Bar::AtLeast(20.0),
    });
    Ok(())
}
