//! What kind of signature it is, as far as it was proved, and whether the certificate is one of ICP-Brasil.

use super::report::Record;
use super::{Check, Finding, SignatureNature, SignatureReport};
use crate::icp_brasil::IcpType;
use crate::x509::Certificate;

/// SHA-256 of the roots of ICP-Brasil for people and companies: v5 and v12, which the policies of 2025 trust, and
/// v1 and v2, which matter for old signatures with a time stamp. v10 and v11 are for servers.
const ROOTS: [&str; 4] = [
    "caa53fc6091c6951887c976e378f6ef89aa6377c55d97b6475422b71ed7e9b17",
    "d8478e37ce19c690cf657381e68fe600e4e1a042536830f06847e03e554c4b01",
    "cbd8ed38d4a2d677d453d70dd8890af4f6374cba6299943f1ab3a6936c6fd795",
    "fb47d92a9909fd4fa9bec02737543e1f3514ced747407a8d9cfa397b0915067c",
];
/// Holder, two authorities, root (DOC-ICP-04).
const MAX_PATH: usize = 4;

/// Whether a validated path ends at a root of ICP-Brasil, which is told by its fingerprint.
pub(super) fn is_under_icp_brasil(path: &[Certificate]) -> bool {
    path.last().is_some_and(|root| path.len() > 1 && is_icp_brasil_root(&root.sha256().to_hex()))
}

fn is_icp_brasil_root(sha256: &str) -> bool {
    ROOTS.contains(&sha256)
}

/// Type of the first certificate of a path.
pub(super) fn icp_type(path: &[Certificate]) -> Option<IcpType> {
    path.first().and_then(|leaf| leaf.identity().icp_type)
}

/// The words that may be used. Without a validated path and a verified value nothing is said.
pub(super) fn of(report: &SignatureReport, path: &[Certificate]) -> SignatureNature {
    let proved = [Check::CertificatePath, Check::SignatureValue, Check::SigningCertificateReference];
    if !proved.into_iter().all(|check| report.has_passed(check)) {
        return SignatureNature::Electronic;
    }
    match icp_type(path) {
        _ if !is_under_icp_brasil(path) => SignatureNature::Advanced,
        Some(icp_type) if icp_type.is_seal() => SignatureNature::IcpBrasilSeal,
        Some(IcpType::A1 | IcpType::A2 | IcpType::A3 | IcpType::A4) => SignatureNature::IcpBrasil,
        Some(_) | None => SignatureNature::Advanced,
    }
}

/// The acceptance list of ICP-Brasil for a signer. Departures are remarks: whether they matter is for the declared
/// policy and for the reader.
pub(super) fn check_icp_brasil(findings: &mut Vec<Finding>, path: &[Certificate]) {
    let check = Check::IcpBrasilCertificate;
    let Some(leaf) = path.first() else { return };
    let Some(icp_type) = icp_type(path) else {
        return findings.not_checked(check, "the certificate names no policy of ICP-Brasil");
    };
    let name = icp_type.as_str();
    if !matches!(
        icp_type,
        IcpType::A1 | IcpType::A2 | IcpType::A3 | IcpType::A4 | IcpType::SeS | IcpType::SeH
    ) {
        return findings.warning(check, format!("type {name} is not for signing documents"));
    }
    if !is_under_icp_brasil(path) {
        return findings.warning(check, format!("type {name} under a root that is not ICP-Brasil's"));
    }
    if path.len() > MAX_PATH {
        return findings.warning(check, format!("{} certificates in the path", path.len()));
    }
    if !leaf.extensions().key_usage.is_some_and(|usage| usage.digital_signature) {
        return findings.warning(check, format!("type {name} without keyUsage digitalSignature"));
    }
    if leaf.identity().contradictory {
        return findings.warning(check, format!("type {name} that names two different holders"));
    }
    findings.passed(check, format!("type {name}"));
}

#[cfg(test)]
mod tests;
