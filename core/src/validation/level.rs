//! Which baseline level a signature reached (ETSI EN 319 122-1 §6, EN 319 142-1 §6).

use super::certificate::Trust;
use super::cms::{Setting, signer_inquiry};
use super::stamps::Stamps;
use super::{BaselineLevel, Check, Integrity, RevocationMode, SignatureReport, revocation};

/// The level, judged by what was proved and by what the file itself carries; `None` when not even a basic signature
/// is there.
pub(super) fn of(
    report: &SignatureReport,
    trust: Option<&Trust>,
    stamps: &Stamps,
    setting: &Setting<'_>,
) -> Option<BaselineLevel> {
    let basic = [Check::Format, Check::SignedAttributes, Check::SigningCertificateReference];
    if report.integrity != Integrity::Intact || !basic.into_iter().all(|check| report.has_passed(check)) {
        return None;
    }
    if report.proven_time.is_none() {
        return Some(BaselineLevel::B);
    }
    let path = trust.map(|trust| &trust.path[..]).unwrap_or_default();
    let context = setting.context;
    let is_long_term = context.revocation == RevocationMode::Required
        && !path.is_empty()
        && revocation::is_complete(path, &signer_inquiry(stamps, context), &stamps.embedded)
        && stamps.are_complete(setting);
    Some(match (is_long_term, stamps.protect_evidence()) {
        (false, _) => BaselineLevel::T,
        (true, false) => BaselineLevel::Lt,
        (true, true) => BaselineLevel::Lta,
    })
}
