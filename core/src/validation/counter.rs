//! Counter-signatures: signatures over the value of another one (RFC 5652 §11.4).

use super::cms::{Content, Role, Setting, Subject, signature_report};
use super::{Check, Indication, SignatureReport, SubIndication};
use crate::cms::{SignedData, SignerInfo};
use crate::tlv::{single, tag};
use crate::{ErrorCode, oid};

/// Counter-signatures of one signature that are looked at, the nested ones included.
const MAX_COUNTER_SIGNATURES: usize = 20;
/// A counter-signature may be countersigned.
const MAX_DEPTH: u8 = 3;

/// Validates the counter-signatures of a signer and adds their reports. One that is wrong leaves the whole
/// inconclusive: somebody put a false statement into the file.
pub(super) fn check(report: &mut SignatureReport, subject: Subject<'_>, setting: &Setting<'_>) {
    let check = Check::CounterSignatures;
    let values = subject
        .signer
        .unsigned_attributes()
        .iter()
        .filter(|attribute| attribute.is(oid::COUNTER_SIGNATURE))
        .flat_map(|attribute| attribute.values())
        .collect::<Vec<_>>();
    if values.is_empty() {
        return;
    }
    if values.len() > MAX_COUNTER_SIGNATURES || setting.depth >= MAX_DEPTH {
        let evidence = format!(
            "{}: at most {MAX_COUNTER_SIGNATURES} counter-signatures, {MAX_DEPTH} deep",
            ErrorCode::LimitExceeded.as_str()
        );
        return report.indeterminate(check, SubIndication::Generic, evidence);
    }
    let deeper = Setting { depth: setting.depth + 1, ..*setting };
    for value in values {
        let counter = single(value, tag::SEQUENCE, "a SignerInfo").and_then(SignerInfo::parse);
        match counter {
            Ok(counter) => {
                let nested = countersigned(subject.signed, &counter, &subject.signer.value, &deeper);
                let who = nested.signer.as_ref().map_or("?", |signer| signer.serial.as_str());
                let evidence = format!("by the certificate with serial number {who}");
                match nested.indication {
                    Indication::Passed => report.passed(check, evidence),
                    Indication::Indeterminate => report.warning(check, evidence),
                    Indication::Failed => {
                        report.indeterminate(check, SubIndication::SigConstraintsFailure, evidence);
                    }
                }
                report.counter_signatures.push(nested);
            }
            Err(error) => {
                let evidence = format!("{} was expected", error.0);
                report.indeterminate(check, SubIndication::SigConstraintsFailure, evidence);
            }
        }
    }
}

fn countersigned(
    signed: &SignedData,
    counter: &SignerInfo,
    value: &[u8],
    setting: &Setting<'_>,
) -> SignatureReport {
    let content = Content::Bytes(value);
    signature_report(Subject { signed, signer: counter, content, role: Role::Counter, file: None }, setting)
}
