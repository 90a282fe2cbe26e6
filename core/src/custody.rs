//! The sequential check: where a person's key lives, and what may be offered to somebody who has none.
//!
//! Sources are asked one after the other: our hardware security module, then the services behind Lacuna. Whoever performs
//! the check asks [`next_source`] whom to ask, does so, and repeats with one more answer; in the end [`decide`] says what
//! follows. Time comes in as durations.
//!
//! *Unknown* is never *no*: as long as one source could not tell, nobody is asked to enrol, for the key may be there.

use serde::{Deserialize, Serialize};

use crate::wire::{Custody, CustodyDoubt, CustodyOffer, CustodyOutcome, CustodySource};

/// The custodies that are asked, in their order. A device is not asked here: only the page sees it.
pub const SOURCES: [Custody; 2] = [Custody::Hsm, Custody::Lacuna];

/// On which ground a tenant keeps keys in its hardware security module (DOC-ICP-04 §6.1.1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// Its own company's keys.
    Company,
    /// Also keys of its employees, with their consent, reachable from the internal network only.
    Employees,
    /// Anybody's: it is an accredited trust service provider.
    Accredited,
    /// Anybody's, of a private authority: ICP-Brasil does not apply.
    PrivateCa,
}

/// Whose key it is, as seen by the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The tenant's own company.
    OwnCompany,
    /// A person.
    Person,
    /// Another company.
    OtherCompany,
}

/// Under which authorities a certificate was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Authority {
    /// Those of ICP-Brasil, whose rules apply then.
    IcpBrasil,
    /// Others.
    Private,
    /// There is no certificate yet.
    NotKnownYet,
}

impl Basis {
    /// Whether the tenant may keep a key of this holder. Its own company's it always may.
    #[must_use]
    pub const fn permits(self, holder: Holder, authority: Authority) -> bool {
        match (self, holder) {
            (Self::Accredited, _) | (_, Holder::OwnCompany) | (Self::Employees, Holder::Person) => true,
            (Self::PrivateCa, Holder::Person | Holder::OtherCompany) => {
                !matches!(authority, Authority::IcpBrasil)
            }
            (Self::Company, Holder::Person | Holder::OtherCompany)
            | (Self::Employees, Holder::OtherCompany) => false,
        }
    }
}

/// What a tenant's check does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// On which ground keys are kept.
    pub basis: Basis,
    /// What may be offered, in the order of the screen.
    pub offers: Vec<CustodyOffer>,
    /// The offer that is shown as chosen.
    pub preselected: Option<CustodyOffer>,
    /// Longest time for our hardware security module, in milliseconds; `None`: it is not asked.
    pub hsm_limit_ms: Option<u64>,
    /// Longest time for the services behind Lacuna, in milliseconds; `None`: they are not asked.
    pub lacuna_limit_ms: Option<u64>,
}

impl Rules {
    /// The longest time for a source, in milliseconds; `None` when it is not asked.
    #[must_use]
    pub const fn limit_ms(&self, source: Custody) -> Option<u64> {
        match source {
            Custody::Hsm => self.hsm_limit_ms,
            Custody::Lacuna => self.lacuna_limit_ms,
            Custody::Local => None,
        }
    }
}

/// Who is looked for, and what stands open to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose key it would be.
    pub holder: Holder,
    /// The custodies that this instance has and that the order, when there is one, opens to them.
    pub open: Vec<Custody>,
}

/// What came of asking a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// A usable key is there.
    Yes,
    /// There is none.
    No,
    /// It could not tell.
    Unknown(CustodyDoubt),
}

/// A source that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Which one.
    pub source: Custody,
    /// What came of it.
    pub reply: Reply,
    /// Time it took, in milliseconds.
    pub duration_ms: u64,
}

/// What follows from the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Where to sign; `None`: the person is asked.
    pub custody: Option<Custody>,
    /// What the person may choose from; empty when a key was found.
    pub offers: Vec<CustodyOffer>,
    /// The offer to show as chosen; always one of `offers`.
    pub preselected: Option<CustodyOffer>,
    /// False when no key was found and a source could not tell.
    pub certain: bool,
    /// Every source that was asked, in order.
    pub sources: Vec<CustodySource>,
}

impl Decision {
    /// The custodies that the offers lead to, each once, in their order.
    #[must_use]
    pub fn options(&self) -> Vec<Custody> {
        let mut options = Vec::new();
        for custody in self.offers.iter().map(|offer| offer.custody()) {
            if !options.contains(&custody) {
                options.push(custody);
            }
        }
        options
    }
}

/// The source to ask next; `None` when a key was found or nobody is left to ask.
#[must_use]
pub fn next_source(rules: &Rules, wanted: &Wanted, asked: &[Asked]) -> Option<Custody> {
    if found(rules, asked).is_some() {
        return None;
    }
    SOURCES.into_iter().find(|source| {
        rules.limit_ms(*source).is_some()
            && wanted.open.contains(source)
            && !asked.iter().any(|one| one.source == *source)
    })
}

/// What follows when [`next_source`] has nobody left.
#[must_use]
pub fn decide(rules: &Rules, wanted: &Wanted, asked: &[Asked]) -> Decision {
    let custody = found(rules, asked);
    let sources: Vec<_> = asked.iter().map(|one| view(rules, one)).collect();
    let certain = custody.is_some() || sources.iter().all(|source| source.outcome != CustodyOutcome::Unknown);
    let may_be_offered = |offer: CustodyOffer| {
        let permitted = match offer.custody() {
            // Signing with what is there already asks nobody to enrol.
            Custody::Local => true,
            Custody::Hsm => certain && rules.basis.permits(wanted.holder, Authority::NotKnownYet),
            Custody::Lacuna => certain,
        };
        permitted && custody.is_none() && wanted.open.contains(&offer.custody())
    };
    let offers: Vec<_> = rules.offers.iter().copied().filter(|offer| may_be_offered(*offer)).collect();
    let preselected = rules.preselected.filter(|offer| offers.contains(offer));
    Decision { custody, offers, preselected, certain, sources }
}

/// The first source with a key.
fn found(rules: &Rules, asked: &[Asked]) -> Option<Custody> {
    asked.iter().find(|one| effective(rules, one) == Reply::Yes).map(|one| one.source)
}

/// What comes after its time is not used, whatever it says: the check has gone on without it.
fn effective(rules: &Rules, asked: &Asked) -> Reply {
    match rules.limit_ms(asked.source) {
        Some(limit_ms) if asked.duration_ms > limit_ms => Reply::Unknown(CustodyDoubt::Slow),
        _ => asked.reply,
    }
}

fn view(rules: &Rules, asked: &Asked) -> CustodySource {
    let (outcome, doubt) = match effective(rules, asked) {
        Reply::Yes => (CustodyOutcome::Yes, None),
        Reply::No => (CustodyOutcome::No, None),
        Reply::Unknown(doubt) => (CustodyOutcome::Unknown, Some(doubt)),
    };
    CustodySource { source: asked.source, outcome, doubt, duration_ms: asked.duration_ms }
}

#[cfg(test)]
mod tests;
