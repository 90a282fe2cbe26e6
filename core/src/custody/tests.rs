use super::*;

const LIMIT_MS: u64 = 100;
const ALL_OFFERS: [CustodyOffer; 4] =
    [CustodyOffer::HsmGenerate, CustodyOffer::HsmImport, CustodyOffer::Lacuna, CustodyOffer::Local];
const BASES: [Basis; 4] = [Basis::Company, Basis::Employees, Basis::Accredited, Basis::PrivateCa];
const HOLDERS: [Holder; 3] = [Holder::OwnCompany, Holder::Person, Holder::OtherCompany];

/// How a source behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Yes,
    No,
    Unknown,
    /// Its answer, yes or no, comes too late.
    Slow(Reply),
}

const BEHAVIOURS: [Source; 5] =
    [Source::Yes, Source::No, Source::Unknown, Source::Slow(Reply::Yes), Source::Slow(Reply::No)];

impl Source {
    fn asked(self, source: Custody) -> Asked {
        let (reply, duration_ms) = match self {
            Self::Yes => (Reply::Yes, LIMIT_MS),
            Self::No => (Reply::No, 0),
            Self::Unknown => (Reply::Unknown(CustodyDoubt::Failed), 1),
            Self::Slow(reply) => (reply, LIMIT_MS + 1),
        };
        Asked { source, reply, duration_ms }
    }

    fn outcome(self) -> CustodyOutcome {
        match self {
            Self::Yes => CustodyOutcome::Yes,
            Self::No => CustodyOutcome::No,
            Self::Unknown | Self::Slow(_) => CustodyOutcome::Unknown,
        }
    }
}

fn rules() -> Rules {
    Rules {
        basis: Basis::Accredited,
        offers: ALL_OFFERS.to_vec(),
        preselected: None,
        hsm_limit_ms: Some(LIMIT_MS),
        lacuna_limit_ms: Some(LIMIT_MS),
    }
}

fn wanted(holder: Holder) -> Wanted {
    Wanted { holder, open: vec![Custody::Local, Custody::Hsm, Custody::Lacuna] }
}

/// Performs the check as the API does.
fn check(rules: &Rules, wanted: &Wanted, hsm: Source, lacuna: Source) -> (Decision, Vec<Custody>) {
    let mut asked = Vec::new();
    while let Some(source) = next_source(rules, wanted, &asked) {
        let behaviour = if source == Custody::Hsm { hsm } else { lacuna };
        asked.push(behaviour.asked(source));
    }
    (decide(rules, wanted, &asked), asked.iter().map(|one| one.source).collect())
}

#[test]
fn every_pair_of_answers_leads_where_the_table_says() {
    use Source::{No, Slow, Unknown, Yes};
    let (hsm, lacuna) = (Some(Custody::Hsm), Some(Custody::Lacuna));
    let late = Slow(Reply::Yes);
    for (from_hsm, from_lacuna, custody, certain, asked) in [
        (Yes, Yes, hsm, true, 1),
        (Yes, No, hsm, true, 1),
        (Yes, Unknown, hsm, true, 1),
        (Yes, late, hsm, true, 1),
        (No, Yes, lacuna, true, 2),
        (No, No, None, true, 2),
        (No, Unknown, None, false, 2),
        (No, late, None, false, 2),
        (Unknown, Yes, lacuna, true, 2),
        (Unknown, No, None, false, 2),
        (Unknown, Unknown, None, false, 2),
        (Unknown, late, None, false, 2),
        (late, Yes, lacuna, true, 2),
        (late, No, None, false, 2),
        (late, Unknown, None, false, 2),
        (late, late, None, false, 2),
    ] {
        let (decision, order) = check(&rules(), &wanted(Holder::Person), from_hsm, from_lacuna);
        let case = format!("{from_hsm:?} {from_lacuna:?}");
        assert_eq!((decision.custody, decision.certain), (custody, certain), "{case}");
        assert_eq!(order, SOURCES[..asked], "{case}");
        let offers: &[CustodyOffer] = match (custody, certain) {
            (Some(_), _) => &[],
            (None, true) => &ALL_OFFERS,
            (None, false) => &[CustodyOffer::Local],
        };
        assert_eq!(decision.offers, offers, "{case}");
    }
}

#[test]
fn who_may_keep_whose_key_is_what_the_rules_of_icp_brasil_say() {
    use Authority::{IcpBrasil, NotKnownYet, Private};
    use Holder::{OtherCompany, OwnCompany, Person};
    for (basis, holder, authority, permitted) in [
        (Basis::Company, OwnCompany, IcpBrasil, true),
        (Basis::Company, Person, IcpBrasil, false),
        (Basis::Company, OtherCompany, IcpBrasil, false),
        (Basis::Company, Person, Private, false),
        (Basis::Employees, OwnCompany, IcpBrasil, true),
        (Basis::Employees, Person, IcpBrasil, true),
        (Basis::Employees, OtherCompany, IcpBrasil, false),
        (Basis::Accredited, OwnCompany, IcpBrasil, true),
        (Basis::Accredited, Person, IcpBrasil, true),
        (Basis::Accredited, OtherCompany, IcpBrasil, true),
        (Basis::PrivateCa, OwnCompany, IcpBrasil, true),
        (Basis::PrivateCa, Person, IcpBrasil, false),
        (Basis::PrivateCa, Person, Private, true),
        (Basis::PrivateCa, Person, NotKnownYet, true),
        (Basis::PrivateCa, OtherCompany, IcpBrasil, false),
        (Basis::PrivateCa, OtherCompany, Private, true),
    ] {
        assert_eq!(basis.permits(holder, authority), permitted, "{basis:?} {holder:?} {authority:?}");
    }
}

/// Every set of the list, in its order.
fn sets<T: Copy>(list: &[T]) -> Vec<Vec<T>> {
    (0..1_usize << list.len())
        .map(|set| {
            list.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, one)| *one).collect()
        })
        .collect()
}

#[test]
fn every_combination_of_answers_and_rules_holds_to_the_principles() {
    let mut seen = 0_u32;
    let limits = [None, Some(LIMIT_MS)];
    let preferences: Vec<_> = [None].into_iter().chain(ALL_OFFERS.map(Some)).collect();
    for open in sets(&[Custody::Local, Custody::Hsm, Custody::Lacuna]) {
        for (hsm_limit_ms, lacuna_limit_ms) in limits.into_iter().flat_map(|one| limits.map(|two| (one, two)))
        {
            for (hsm, lacuna) in BEHAVIOURS.into_iter().flat_map(|one| BEHAVIOURS.map(|two| (one, two))) {
                for basis in BASES {
                    for holder in HOLDERS {
                        for offers in sets(&ALL_OFFERS) {
                            for preselected in &preferences {
                                let offers = offers.clone();
                                let preselected = *preselected;
                                let rules =
                                    Rules { basis, offers, preselected, hsm_limit_ms, lacuna_limit_ms };
                                holds(&rules, &Wanted { holder, open: open.clone() }, hsm, lacuna);
                                seen += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 8 * 4 * 25 * 4 * 3 * 16 * 5);
}

/// The principles, written from the outside: what was asked, what was found, what is offered.
fn holds(rules: &Rules, wanted: &Wanted, hsm: Source, lacuna: Source) {
    let (decision, order) = check(rules, wanted, hsm, lacuna);
    let outcome = |source| {
        let behaviour = if source == Custody::Hsm { hsm } else { lacuna };
        behaviour.outcome()
    };
    let case = || format!("{rules:?} {wanted:?} {hsm:?} {lacuna:?}: {decision:?}");

    // Asked is what is on and open, in order, up to the first yes, and all of it is told.
    let mut due: Vec<_> = SOURCES.to_vec();
    due.retain(|source| wanted.open.contains(source) && rules.limit_ms(*source).is_some());
    if let Some(first) = due.iter().position(|source| outcome(*source) == CustodyOutcome::Yes) {
        due.truncate(first + 1);
    }
    assert_eq!(order, due, "{}", case());
    let told: Vec<_> = decision.sources.iter().map(|source| (source.source, source.outcome)).collect();
    assert_eq!(told, due.iter().map(|source| (*source, outcome(*source))).collect::<Vec<_>>(), "{}", case());
    for source in &decision.sources {
        assert_eq!(source.doubt.is_some(), source.outcome == CustodyOutcome::Unknown, "{}", case());
    }

    // A key counts only when its source said so in time.
    let yes = due.iter().copied().find(|source| outcome(*source) == CustodyOutcome::Yes);
    assert_eq!(decision.custody, yes, "{}", case());

    // Unknown is not no.
    let doubt = due.iter().any(|source| outcome(*source) == CustodyOutcome::Unknown);
    assert_eq!(decision.certain, yes.is_some() || !doubt, "{}", case());
    for offer in ALL_OFFERS {
        let asks_to_enrol = offer != CustodyOffer::Local;
        let in_our_module = offer.custody() == Custody::Hsm;
        let expected = rules.offers.contains(&offer)
            && yes.is_none()
            && wanted.open.contains(&offer.custody())
            && !(asks_to_enrol && doubt)
            && (!in_our_module || rules.basis.permits(wanted.holder, Authority::NotKnownYet));
        assert_eq!(decision.offers.contains(&offer), expected, "{offer:?} {}", case());
    }

    // What is shown as chosen can be chosen, and an option stands for an offer.
    let preselected = rules.preselected.filter(|offer| decision.offers.contains(offer));
    assert_eq!(decision.preselected, preselected, "{}", case());
    let options = decision.options();
    assert!(decision.offers.iter().all(|offer| options.contains(&offer.custody())), "{}", case());
    assert!(options.iter().all(|custody| wanted.open.contains(custody)), "{}", case());
}

#[test]
fn two_ways_into_one_custody_are_one_option() {
    let (decision, _) = check(&rules(), &wanted(Holder::Person), Source::No, Source::No);
    assert_eq!(decision.options(), [Custody::Hsm, Custody::Lacuna, Custody::Local]);
}
