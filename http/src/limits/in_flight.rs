//! Requests that one user, or one network, has in flight.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::UserId;
use parking_lot::Mutex;

use crate::network::Network;

/// How many requests may be in flight at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Of one user.
    pub user: u32,
    /// Of one network (IPv4 address, IPv6 /64) without a valid token.
    pub network: u32,
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    User(UserId),
    Network(Network),
}

/// The requests in flight of everybody. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Flights {
    most: InFlight,
    counts: Arc<Mutex<HashMap<Key, u32>>>,
}

/// A request in flight, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    flights: Flights,
    key: Key,
}

impl Flights {
    pub(crate) fn new(most: InFlight) -> Self {
        Self {
            most,
            counts: Arc::default(),
        }
    }

    /// A place for one more request; `None` when as many are in flight as may be.
    pub(crate) fn begin(&self, key: Key) -> Option<Place> {
        let most = match key {
            Key::User(_) => self.most.user,
            Key::Network(_) => self.most.network,
        };
        let mut counts = self.counts.lock();
        let count = counts.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            flights: self.clone(),
            key,
        })
    }
}

impl Place {
    /// Whose request it is, where that is a user.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self.key {
            Key::User(user) => Some(user),
            Key::Network(_) => None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.flights.counts.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_places_of_their_own_and_gets_them_back() {
        let flights = Flights::new(InFlight {
            user: 2,
            network: 1,
        });
        let (alice, bob) = (Key::User(1), Key::User(2));
        let network = Key::Network(Network::of("192.0.2.1".parse().unwrap()));
        let first = flights.begin(alice).unwrap();
        let _second = flights.begin(alice).unwrap();
        assert!(flights.begin(alice).is_none());
        let _other = flights.begin(bob).unwrap();
        let stranger = flights.begin(network).unwrap();
        assert!(flights.begin(network).is_none());
        drop((first, stranger));
        assert!(flights.begin(alice).is_some());
        assert!(flights.begin(network).is_some());
        assert_eq!(flights.counts.lock().len(), 2, "who is gone is forgotten");
    }
}
