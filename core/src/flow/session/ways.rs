//! The ways to a key, for somebody who has none here.

use crate::ErrorCode;
use crate::flow::Out;
use crate::flow::client::Platform;
use crate::flow::event::Resolved;
use crate::wire::{Custody, CustodyOffer, CustodySource};

use super::{Confirming, Consenting, Key, Moved, Resume, Run, Session, connect, fail};

/// A way to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A new key, made in the bank's module.
    Enrol,
    /// The key at this cloud service.
    Service(String),
    /// The certificate on this device.
    Device,
}

/// What the custody answer opens on this device.
#[derive(Debug, Clone)]
pub(crate) struct Ways {
    pub(in crate::flow) list: Vec<Way>,
    /// Always one of the list.
    pub(in crate::flow) preselected: Option<Way>,
    pub(in crate::flow) sources: Vec<CustodySource>,
    /// False when nothing was found and a source could not tell.
    pub(in crate::flow) certain: bool,
    /// A device was offered, and this one can never be it.
    needs_other_device: bool,
}

/// See [`Session::Offering`].
#[derive(Debug, Clone)]
pub(crate) struct Offering {
    pub(in crate::flow) run: Box<Run>,
}

impl Ways {
    pub(super) fn of(resolved: &Resolved, platform: Platform) -> Self {
        let mut list: Vec<Way> = match resolved.custody {
            Some(Custody::Lacuna) => resolved.services.iter().cloned().map(Way::Service).collect(),
            Some(Custody::Hsm | Custody::Local) | None => Vec::new(),
        };
        list.extend(resolved.offers.iter().filter_map(|offer| way(*offer)));
        let needs_other_device = platform == Platform::Mobile && list.contains(&Way::Device);
        if needs_other_device {
            list.retain(|way| *way != Way::Device);
        }
        let preselected = resolved.preselected.and_then(way).filter(|way| list.contains(way));
        let (sources, certain) = (resolved.sources.clone(), resolved.certain);
        Self { list, preselected, sources, certain, needs_other_device }
    }

    pub(super) fn has(&self, way: &Way) -> bool {
        self.list.contains(way)
    }

    /// Whether the person has something to decide.
    pub(super) fn is_choice(&self) -> bool {
        !self.certain || self.list.len() > 1
    }
}

/// A file with a key in it is not brought in from this page, and a service that nobody named cannot be asked.
const fn way(offer: CustodyOffer) -> Option<Way> {
    match offer {
        CustodyOffer::HsmGenerate => Some(Way::Enrol),
        CustodyOffer::Local => Some(Way::Device),
        CustodyOffer::HsmImport | CustodyOffer::Lacuna => None,
    }
}

impl Offering {
    /// Goes the only way there is by itself, and the one that the person went before and asked to remember.
    pub(super) fn lead_on(self, out: &mut Out<'_>) -> Moved {
        let Self { run } = self;
        if run.job.remembered.is_some() && run.ways.has(&Way::Device) {
            return connect(run);
        }
        match run.ways.list.as_slice() {
            _ if !run.ways.certain => (Session::Offering(Self { run }), None),
            [] if run.ways.needs_other_device => connect(run),
            [] => (fail(ErrorCode::KeyNotFound, Resume::Start(run.job), out), None),
            [Way::Device] => connect(run),
            [Way::Service(service)] => {
                let key = Key::Cloud(service.clone());
                (Session::Confirming(Confirming::new(run, key, false)), None)
            }
            _ => (Session::Offering(Self { run }), None),
        }
    }

    /// Goes a way of the list.
    pub(super) fn take(self, way: Way, out: &mut Out<'_>) -> Moved {
        match way {
            Way::Device => connect(self.run),
            Way::Enrol => (Session::Consenting(Consenting::start(self.run, out)), None),
            Way::Service(service) => {
                (Session::Confirming(Confirming::new(self.run, Key::Cloud(service), false)), None)
            }
        }
    }
}
