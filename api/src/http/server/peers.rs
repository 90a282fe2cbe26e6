//! How many connections each address holds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections by the network they come from.
#[derive(Debug)]
pub(super) struct Peers {
    most: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    peers: Arc<Peers>,
    network: IpAddr,
}

impl Peers {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// A place for one more connection; `None` when the network has all of its places.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let network = network(address);
        let mut held = self.held();
        let count = held.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(held);
        Some(Place { peers: Arc::clone(self), network })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.peers.held();
        if let Some(count) = held.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.network);
            }
        }
    }
}

/// What one customer of a provider usually gets: an address of IPv4, a /64 of IPv6.
pub(in crate::http) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_network_and_given_back() {
        let peers = Peers::new(2);
        let admit = |address: &str| peers.admit(address.parse().unwrap());
        let first = admit("192.0.2.1").unwrap();
        let _second = admit("::ffff:192.0.2.1").unwrap();
        assert!(admit("192.0.2.1").is_none());
        assert!(admit("192.0.2.2").is_some());
        drop(first);
        assert!(admit("192.0.2.1").is_some());

        let _places = [admit("2001:db8::1").unwrap(), admit("2001:db8::ffff:2").unwrap()];
        assert!(admit("2001:db8::3").is_none());
        assert!(admit("2001:db8:0:1::1").is_some());
        drop(_places);
        assert_eq!(peers.held().len(), 1);
    }
}
