//! Gathers what proves later that no certificate of a path was revoked.

use rubrica_core::Timestamp;
use rubrica_core::revocation::{Evidence, Status, Wanted, missing, status};
use rubrica_core::x509::{Certificate, TrustAnchors, build_path};

use super::Means;
use crate::engine::artefact::SigningFailure;
use crate::fetch::Effort;

/// Rounds of fetching: issuers first, then what they say.
const MOST_ROUNDS: usize = 6;

/// Paths of certificates and the evidence about them.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) evidence: Evidence,
    /// One path per certificate asked for, root last.
    pub(super) paths: Vec<Vec<Certificate>>,
}

/// Builds a path for each certificate and gathers revocation data about all of it.
///
/// Data from `since` on are conclusive: a certificate may be revoked between older ones and the signature. Where an
/// authority has published nothing since, the latest there are will do.
///
/// # Errors
/// `certificate_revoked`; `certificate_untrusted` when no path leads to a trusted root; `revocation_unknown`, which may
/// pass, when nobody answers.
pub(super) fn gather(
    means: &Means<'_>,
    leaves: &[Certificate],
    candidates: &[Certificate],
    since: Option<Timestamp>,
) -> Result<Gathered, SigningFailure> {
    let mut evidence = Evidence { certificates: candidates.to_vec(), ..Evidence::default() };
    evidence.merge(Evidence { certificates: means.intermediates.clone(), ..Evidence::default() });
    let mut failures = Vec::new();
    let mut settled = false;
    for round in 0..MOST_ROUNDS {
        let now = means.clock.now();
        let not_before = if settled { None } else { since };
        let mut wanted = Vec::new();
        let mut paths = Vec::new();
        for leaf in leaves {
            match build_path(leaf, &evidence.certificates, &means.anchors, now) {
                Ok(path) => {
                    refuse_revoked(&path, &evidence, &means.anchors, now)?;
                    add(&mut wanted, missing(&path, &evidence, &means.anchors, now, not_before));
                    paths.push(path);
                }
                Err(error) if settled => return Err(error.into()),
                Err(_) => add(&mut wanted, issuers_of(leaf, &evidence.certificates)),
            }
        }
        if wanted.is_empty() {
            return Ok(Gathered { evidence: used(evidence, &paths), paths });
        }
        let Some(fetcher) = means.fetcher.filter(|_| !settled) else { break };
        let effort = match since {
            Some(since) if round > 0 => Effort::Since(since),
            _ => Effort::Usual,
        };
        let before = evidence.clone();
        let fetched = fetcher.fetch(&wanted, effort);
        failures.extend(fetched.failures);
        evidence.merge(fetched.evidence);
        // The latest there is was asked for, and it brought nothing: what is at hand decides.
        settled = round > 0 && evidence == before;
    }
    let why = failures.first().map_or_else(String::new, |one| format!("; {}: {}", one.url, one.reason));
    Err(SigningFailure::RevocationUnknown(why))
}

fn add(wanted: &mut Vec<Wanted>, more: Vec<Wanted>) {
    for one in more {
        if !wanted.contains(&one) {
            wanted.push(one);
        }
    }
}

/// A path that does not reach a root yet: every certificate at hand may be one of it.
fn issuers_of(leaf: &Certificate, known: &[Certificate]) -> Vec<Wanted> {
    let all = std::iter::once(leaf).chain(known);
    all.filter_map(|certificate| {
        let urls = certificate.urls().ca_issuers;
        (!urls.is_empty()).then(|| Wanted::Issuer { of: certificate.clone(), urls })
    })
    .collect()
}

fn refuse_revoked(
    path: &[Certificate],
    evidence: &Evidence,
    anchors: &TrustAnchors,
    at: Timestamp,
) -> Result<(), SigningFailure> {
    for index in 0..path.len().saturating_sub(1) {
        if let Status::Revoked { at: since, .. } = status(path, index, evidence, anchors, at, None) {
            return Err(SigningFailure::Revoked { serial: path[index].serial_hex(), since });
        }
    }
    Ok(())
}

/// Of the certificates only those of the paths; all revocation data, for they were asked for.
fn used(mut evidence: Evidence, paths: &[Vec<Certificate>]) -> Evidence {
    evidence.certificates.clear();
    let certificates = paths.iter().flatten().cloned().collect();
    evidence.merge(Evidence { certificates, ..Evidence::default() });
    evidence
}
