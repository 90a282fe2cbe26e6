//! Findings: one per check, and the verdict that follows from them.

use serde::{Deserialize, Serialize};

use super::{Check, SubIndication};

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// How it ended.
    pub outcome: Outcome,
    /// For outcomes that decide: the reason in the words of the standard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_indication: Option<SubIndication>,
    /// What was seen, in technical English: digests, algorithms, serial numbers, times. No CPF or CNPJ. The
    /// sentences for people follow from `check` and `outcome`, in every language.
    pub evidence: String,
}

/// Verdict on a signature. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Indication {
    /// TOTAL-PASSED.
    Passed,
    /// INDETERMINATE: the facts at hand allow no verdict.
    Indeterminate,
    /// TOTAL-FAILED.
    Failed,
}

impl Indication {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Passed, Self::Indeterminate, Self::Failed];
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold, and the signature fails with it.
    Failed,
    /// It cannot be decided, or holds only under conditions that are not proved.
    Indeterminate,
    /// Worth knowing; it does not change the verdict.
    Warning,
    /// It was not made.
    NotChecked,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Passed, Self::Failed, Self::Indeterminate, Self::Warning, Self::NotChecked];
}

/// A list of findings that grows.
pub(crate) trait Record {
    fn record(
        &mut self,
        check: Check,
        outcome: Outcome,
        sub_indication: Option<SubIndication>,
        evidence: String,
    );

    fn passed(&mut self, check: Check, evidence: impl Into<String>) {
        self.record(check, Outcome::Passed, None, evidence.into());
    }

    fn failed(&mut self, check: Check, why: SubIndication, evidence: impl Into<String>) {
        self.record(check, Outcome::Failed, Some(why), evidence.into());
    }

    fn indeterminate(&mut self, check: Check, why: SubIndication, evidence: impl Into<String>) {
        self.record(check, Outcome::Indeterminate, Some(why), evidence.into());
    }

    fn warning(&mut self, check: Check, evidence: impl Into<String>) {
        self.record(check, Outcome::Warning, None, evidence.into());
    }

    fn not_checked(&mut self, check: Check, evidence: impl Into<String>) {
        self.record(check, Outcome::NotChecked, None, evidence.into());
    }
}

impl Record for Vec<Finding> {
    fn record(
        &mut self,
        check: Check,
        outcome: Outcome,
        sub_indication: Option<SubIndication>,
        evidence: String,
    ) {
        self.push(Finding { check, outcome, sub_indication, evidence });
    }
}

/// The verdict: one finding that failed makes it failed, else one that is inconclusive makes it indeterminate,
/// else it passed. Nothing checked is nothing passed.
pub(super) fn conclusion(findings: &[Finding]) -> (Indication, Option<SubIndication>) {
    let first = |outcome| findings.iter().find(|finding| finding.outcome == outcome);
    if let Some(decisive) = first(Outcome::Failed) {
        return (Indication::Failed, decisive.sub_indication);
    }
    if let Some(decisive) = first(Outcome::Indeterminate) {
        return (Indication::Indeterminate, decisive.sub_indication);
    }
    match first(Outcome::Passed) {
        Some(_) => (Indication::Passed, None),
        None => (Indication::Indeterminate, Some(SubIndication::Generic)),
    }
}

/// Whether this check was made and passed, and did not come out otherwise a second time.
pub(super) fn has_passed(findings: &[Finding], check: Check) -> bool {
    let of_check = |outcome| findings.iter().any(|one| one.check == check && one.outcome == outcome);
    of_check(Outcome::Passed) && !of_check(Outcome::Failed) && !of_check(Outcome::Indeterminate)
}
