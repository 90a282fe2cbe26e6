//! The known attacks on signed PDFs, each carried out on a really signed file.
//!
//! | family | where |
//! |---|---|
//! | universal signature forgery, ByteRange, Contents | [`forgery`], and the tables in the module above |
//! | incremental saving | [`saving`] |
//! | signature wrapping | [`wrapping`] |
//! | shadow attacks: hide, replace, hide and replace | [`shadow`] |
//! | evil annotation, sneaky signature (on certified files) | [`certified`] |
//! | duplicate and nested references, object-id confusion | [`references`] |
//! | CMS inside a PDF: several signers, content of its own | [`cms`] |
//! | loops and bombs | [`bombs`] |
//!
//! Sources: Mladenov et al., "1 Trillion Dollar Refund" (CCS 2019); Mainka et al., "Shadow Attacks" (NDSS
//! 2021); Rohlmann et al., "Breaking the Specification: PDF Certification" (S&P 2021).

mod bombs;
mod certified;
mod cms;
mod forgery;
mod references;
mod saving;
mod shadow;
mod wrapping;

use super::*;

/// How an attack has to end.
#[derive(Debug, Clone, Copy)]
enum Caught {
    /// The first signature is not passed, and this check is a reason.
    By(Check),
    /// The first signature failed, and this check is a reason.
    Failed(Check),
    /// The file is not read, or nothing in it passes.
    Anyhow,
}

struct Attack {
    name: &'static str,
    file: Vec<u8>,
    caught: Caught,
}

fn attack(name: &'static str, file: Vec<u8>, caught: Caught) -> Attack {
    Attack { name, file, caught }
}

fn run(attacks: Vec<Attack>) {
    for Attack { name, file, caught } in attacks {
        match caught {
            Caught::By(check) => check_caught(&file, check, name),
            Caught::Failed(check) => {
                check_caught(&file, check, name);
                let report = validate(&file);
                assert_eq!(report.signatures[0].indication, Indication::Failed, "{name}: {report}");
            }
            Caught::Anyhow => assert!(is_caught(&file), "{name}: {}", validate(&file)),
        }
    }
}
