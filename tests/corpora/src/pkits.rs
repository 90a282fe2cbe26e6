//! NIST PKITS: 246 paths with their verdicts, of which each tries one rule of RFC 5280.
//!
//! The cases, with the initial policy settings of the test plan, are those of pyhanko-certvalidator.

use rubrica_core::Timestamp;
use rubrica_core::revocation::{Crl, Evidence, Status, status};
use rubrica_core::x509::{Certificate, PathOptions, TrustAnchors, build_path_with};
use serde_json::Value;

use crate::Outcome;
use crate::expected::Expected;
use crate::sources::Sources;
use crate::tally::Tally;

const FOLDER: &str = "certvalidator/pyhanko_certvalidator-0.33.0/tests/fixtures/nist_pkits";
const CASES: usize = 246;
/// All certificates and lists of the suite are current then.
const AT: &str = "2022-05-01T00:00:00Z";

pub(crate) fn run(sources: &Sources, tally: &mut Tally) -> Outcome<()> {
    let expected = Expected::parse(include_str!("../expected/pkits.txt"));
    let cases = std::fs::read(sources.path(&format!("{FOLDER}/pkits.json")))?;
    let cases: Vec<Value> = serde_json::from_slice(&cases)?;
    if cases.len() != CASES {
        return Err(format!("{} cases of PKITS, {CASES} were expected", cases.len()).into());
    }
    for case in &cases {
        let name = name(case);
        let theirs = if case.get("error").is_some() { "invalid" } else { "valid" };
        tally.case(&name, || {
            let ours = judge(sources, case).map_err(|error| error.to_string())?;
            let (verdict, why) = match &ours {
                Ok(()) => ("valid", ""),
                Err(why) => ("invalid", why.as_str()),
            };
            expected.check(&name, verdict, theirs).map_err(|difference| format!("{difference} {why}"))
        });
    }
    for stale in expected.stale(|case| cases.iter().any(|known| name(known) == case)) {
        tally.case(stale, || Err("explained, but there is no such case".to_owned()));
    }
    Ok(())
}

fn name(case: &Value) -> String {
    format!("{} {}", case["id"].as_str().unwrap_or("?"), case["name"].as_str().unwrap_or("?"))
}

/// The outer error is one of the corpus, the inner one our reason to refuse the path.
fn judge(sources: &Sources, case: &Value) -> Outcome<Result<(), String>> {
    let certificate = |name: &str| -> Outcome<Result<Certificate, String>> {
        let bytes = std::fs::read(sources.path(&format!("{FOLDER}/certs/{name}")))?;
        Ok(Certificate::from_pem_or_der(&bytes).map_err(|error| error.to_string()))
    };
    let root = certificate("TrustAnchorRootCertificate.crt")??;
    let leaf = match certificate(case["cert"].as_str().ok_or("a case without certificate")?)? {
        Ok(leaf) => leaf,
        Err(why) => return Ok(Err(why)),
    };
    let mut evidence = Evidence::default();
    for name in texts(&case["other_certs"]) {
        evidence.certificates.extend(certificate(name)?.ok());
    }
    for name in texts(&case["crls"]).chain(["TrustAnchorRootCRL.crl"]) {
        let bytes = std::fs::read(sources.path(&format!("{FOLDER}/crls/{name}")))?;
        evidence.crls.extend(Crl::from_der(&bytes).ok());
    }
    let at: Timestamp = AT.parse()?;
    let anchors = TrustAnchors::new(vec![root]);
    let options = options(&case["params"])?;
    let needs_revocation = case["revocation"].as_bool().unwrap_or(true);
    Ok(validate(&leaf, &evidence, &anchors, at, &options, needs_revocation))
}

fn validate(
    leaf: &Certificate,
    evidence: &Evidence,
    anchors: &TrustAnchors,
    at: Timestamp,
    options: &PathOptions,
    needs_revocation: bool,
) -> Result<(), String> {
    if !leaf.is_valid_at(at) {
        return Err("the certificate is not valid at that time".to_owned());
    }
    let path = build_path_with(leaf, &evidence.certificates, anchors, at, options)
        .map_err(|error| error.to_string())?;
    for index in 0..path.len() - 1 {
        match status(&path, index, evidence, anchors, at, None) {
            Status::Good(_) => {}
            Status::Revoked { reason, .. } => return Err(format!("revoked: {}", reason.as_str())),
            Status::Unknown(_) if !needs_revocation => {}
            Status::Unknown(why) => return Err(why.to_string()),
        }
    }
    Ok(())
}

fn options(parameters: &Value) -> Outcome<PathOptions> {
    let flag = |name: &str| parameters[name].as_bool().unwrap_or(false);
    let policies = texts(&parameters["user_initial_policy_set"])
        .map(str::parse)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| "a policy that is no identifier")?;
    Ok(PathOptions {
        initial_policies: (!policies.is_empty()).then_some(policies),
        require_explicit_policy: flag("initial_explicit_policy"),
        inhibit_policy_mapping: flag("initial_policy_mapping_inhibit"),
        inhibit_any_policy: flag("initial_any_policy_inhibit"),
        ..PathOptions::default()
    })
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
