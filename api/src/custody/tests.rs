use std::sync::atomic::{AtomicUsize, Ordering};

use rubrica_core::custody::{Basis, Holder};
use rubrica_core::wire::CustodyOutcome;

use super::*;
use crate::lookup::SignerHash;
use crate::ports::{CustodySourceError, PortFuture};

const LIMIT_MS: u64 = 40;

/// What the source of a test does when it is asked.
#[derive(Debug, Clone, Copy)]
enum Does {
    Holds(&'static str),
    HoldsNothing,
    Doubts,
    Fails,
    Hangs,
}

#[derive(Debug)]
struct Service {
    name: &'static str,
    does: Does,
    asked: AtomicUsize,
}

impl Service {
    fn new(name: &'static str, does: Does) -> Arc<Self> {
        Arc::new(Self { name, does, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl CustodySource for Service {
    fn custody(&self) -> Custody {
        Custody::Lacuna
    }

    fn name(&self) -> &str {
        self.name
    }

    fn serves(&self, tenant: &str) -> bool {
        tenant == "bank"
    }

    fn needs_identifier(&self) -> bool {
        true
    }

    fn look<'a>(&'a self, _: &'a CustodyQuestion) -> PortFuture<'a, Result<Found, CustodySourceError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let services = |holding: &[&str], in_doubt| {
            Ok(Found::Services { holding: holding.iter().map(|name| (*name).to_owned()).collect(), in_doubt })
        };
        Box::pin(async move {
            match self.does {
                Does::Holds(service) => services(&[service], false),
                Does::HoldsNothing => services(&[], false),
                Does::Doubts => services(&[], true),
                Does::Fails => Err(CustodySourceError("500 TEST".to_owned())),
                Does::Hangs => std::future::pending().await,
            }
        })
    }
}

fn question(tenant: &str, signer: u8) -> CustodyQuestion {
    CustodyQuestion { tenant: tenant.to_owned(), signer: SignerHash([signer; 32]), identifier: None }
}

fn of(services: &[&Arc<Service>]) -> CustodyCheck {
    CustodyCheck::new(services.iter().map(|one| Arc::clone(one) as Arc<dyn CustodySource>).collect())
}

async fn ask(check: &CustodyCheck, remember: Duration, question: &CustodyQuestion) -> Checked {
    let rules = Rules {
        basis: Basis::Company,
        offers: Vec::new(),
        preselected: None,
        hsm_limit_ms: Some(LIMIT_MS),
        lacuna_limit_ms: Some(LIMIT_MS),
    };
    let wanted = Wanted { holder: Holder::Person, open: check.custodies(&question.tenant) };
    check.check(&rules, remember, &wanted, question).await
}

async fn outcome(services: &[&Arc<Service>]) -> (CustodyOutcome, Option<CustodyDoubt>, Vec<String>) {
    let checked = ask(&of(services), Duration::ZERO, &question("bank", 1)).await;
    let source = checked.decision.sources.into_iter().next().unwrap();
    (source.outcome, source.doubt, checked.services)
}

#[tokio::test]
async fn several_services_are_one_source_and_no_needs_all_of_them() {
    let new = Service::new;
    let none = Vec::new();
    let yes = |service: &str| (CustodyOutcome::Yes, None, vec![service.to_owned()]);
    let unknown = |doubt| (CustodyOutcome::Unknown, Some(doubt), Vec::new());
    let (holds, empty) = (new("a", Does::Holds("vidaas")), new("b", Does::HoldsNothing));
    let (fails, hangs, doubts) = (new("c", Does::Fails), new("d", Does::Hangs), new("e", Does::Doubts));
    assert_eq!(outcome(&[&empty]).await, (CustodyOutcome::No, None, none));
    assert_eq!(outcome(&[&empty, &holds]).await, yes("vidaas"));
    assert_eq!(outcome(&[&fails, &hangs, &holds]).await, yes("vidaas"));
    assert_eq!(outcome(&[&empty, &fails]).await, unknown(CustodyDoubt::Failed));
    assert_eq!(outcome(&[&empty, &doubts]).await, unknown(CustodyDoubt::Failed));
    assert_eq!(outcome(&[&hangs, &empty]).await, unknown(CustodyDoubt::Slow));
}

#[tokio::test]
async fn services_that_hang_cost_one_limit_and_not_several() {
    let hanging = [Service::new("a", Does::Hangs), Service::new("b", Does::Hangs)];
    let checked = ask(&of(&[&hanging[0], &hanging[1]]), Duration::ZERO, &question("bank", 1)).await;
    assert_eq!(checked.decision.sources[0].duration_ms, LIMIT_MS);
    assert!(!checked.decision.certain);
}

#[tokio::test]
async fn a_source_that_keeps_failing_is_left_alone_and_others_are_not() {
    let (fails, holds) = (Service::new("a", Does::Fails), Service::new("b", Does::HoldsNothing));
    let check = of(&[&fails, &holds]);
    for _ in 0..8 {
        ask(&check, Duration::ZERO, &question("bank", 1)).await;
    }
    assert_eq!((fails.asked(), holds.asked()), (5, 8));
    let checked = ask(&check, Duration::ZERO, &question("bank", 1)).await;
    assert_eq!(checked.decision.sources[0].doubt, Some(CustodyDoubt::Resting));
}

#[tokio::test]
async fn what_a_source_knew_is_remembered_for_this_signer_and_what_it_did_not_is_not() {
    let (holds, fails) = (Service::new("a", Does::Holds("vidaas")), Service::new("b", Does::Fails));
    let remember = Duration::from_mins(1);
    let check = of(&[&holds]);
    for _ in 0..3 {
        let checked = ask(&check, remember, &question("bank", 1)).await;
        assert_eq!(checked.services, ["vidaas"]);
    }
    assert_eq!(holds.asked(), 1);
    ask(&check, remember, &question("bank", 2)).await;
    assert_eq!(holds.asked(), 2, "another signer");
    check.forget("bank", &question("bank", 1).signer);
    ask(&check, remember, &question("bank", 2)).await;
    ask(&check, remember, &question("bank", 1)).await;
    assert_eq!(holds.asked(), 3, "only the one that was forgotten");

    let check = of(&[&fails]);
    for _ in 0..3 {
        ask(&check, remember, &question("bank", 1)).await;
    }
    assert_eq!(fails.asked(), 3);
}

#[tokio::test]
async fn an_answer_from_before_a_change_is_not_remembered_after_it() {
    let remembered = Remembered::default();
    let (about, longest) = (question("bank", 1), Duration::from_mins(1));
    let since = remembered.generation();
    remembered.forget(&about.tenant, &about.signer);
    remembered.keep("a", &about, &Found::Nothing, since);
    assert!(remembered.find("a", &about, longest).is_none());
    remembered.keep("a", &about, &Found::Nothing, remembered.generation());
    assert!(remembered.find("a", &about, longest).is_some());
    assert!(remembered.find("a", &about, Duration::ZERO).is_none());
}

#[tokio::test]
async fn a_tenant_without_services_asks_none() {
    let service = Service::new("a", Does::Holds("vidaas"));
    let check = of(&[&service]);
    let checked = ask(&check, Duration::ZERO, &question("other", 1)).await;
    assert_eq!((checked.decision.sources.len(), service.asked()), (0, 0));
    assert!(check.needs_identifier("bank") && !check.needs_identifier("other"));
}
