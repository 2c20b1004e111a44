//! Places for connections: how many there may be, in all and of one network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use lingxi_runtime::budget::Budget;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::activity::{Activity, Timeouts};
use crate::Options;
use crate::network::Network;

/// Descriptors that are kept back for files, databases, the bus, providers and the internal port.
const KEPT_BACK: usize = 256;
/// What counts as no limit of descriptors.
const UNLIMITED: usize = 1 << 20;
/// Idle connections that are closed at once when there is no place: looking for them is not free.
const CLOSED_AT_ONCE: usize = 16;

/// The connections of one server. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    most_per_network: usize,
    trusted: Arc<[IpNet]>,
    budget: Budget,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Arc<Activity>>,
    networks: HashMap<Network, usize>,
}

/// A connection's place, until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    network: Option<Network>,
    table: Arc<Mutex<Table>>,
    pub(super) activity: Arc<Activity>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The server has as many connections as it may.
    Server,
    /// The network has.
    Network,
}

impl Places {
    pub(super) fn new(options: &Options, budget: Budget) -> Self {
        let most = match options.max_connections {
            0 => beside_the_rest(descriptors()),
            most => most,
        };
        let most_per_network = match options.max_connections_per_network {
            0 => (most / 4).max(1),
            most => most,
        };
        Self {
            most,
            most_per_network,
            trusted: options.trusted_proxies.clone().into(),
            budget,
            table: Arc::default(),
        }
    }

    /// Connections that there may be.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// A place for a connection from `peer`. Where there is none, the connections that have been idle longest are told to
    /// end, and this one takes the place of one of them.
    pub(super) fn take(&self, peer: IpAddr) -> Result<Place, Full> {
        let peer = peer.to_canonical();
        let trusted = self.trusted.iter().any(|net| net.contains(&peer));
        let network = (!trusted).then(|| Network::of(peer));
        let mut table = self.table.lock();
        let of_network = network.and_then(|network| table.networks.get(&network));
        if of_network.is_some_and(|&count| count >= self.most_per_network) {
            return Err(Full::Network);
        }
        // Those that were told to end may still be there for a moment: descriptors were kept back for that.
        if table.open.len() >= self.most
            && (table.open.len() >= self.most + CLOSED_AT_ONCE || !table.close_idle())
        {
            return Err(Full::Server);
        }
        table.next += 1;
        let id = table.next;
        let activity = Arc::new(Activity::new(self.budget.clone()));
        table.open.insert(id, activity.clone());
        if let Some(network) = network {
            *table.networks.entry(network).or_default() += 1;
        }
        Ok(Place {
            id,
            network,
            table: self.table.clone(),
            activity,
        })
    }

    /// Ends the connections that are over one of their deadlines.
    pub(super) fn check(&self, timeouts: Timeouts) -> usize {
        let now = Instant::now();
        let open: Vec<_> = self.table.lock().open.values().cloned().collect();
        for activity in &open {
            activity.check(now, timeouts);
        }
        open.len()
    }
}

impl Places {
    /// Connections that are not WebSockets.
    pub(super) fn working(&self) -> usize {
        let table = self.table.lock();
        table
            .open
            .values()
            .filter(|open| !open.is_upgraded())
            .count()
    }
}

impl Table {
    /// Returns true if there was an idle connection to close.
    fn close_idle(&self) -> bool {
        let now = Instant::now();
        let idle = self.open.values();
        let mut idle: Vec<_> = idle
            .filter_map(|activity| Some((activity.idle_since(now)?, activity)))
            .collect();
        if idle.len() > CLOSED_AT_ONCE {
            idle.select_nth_unstable_by_key(CLOSED_AT_ONCE, |(since, _)| *since);
            idle.truncate(CLOSED_AT_ONCE);
        }
        for (_, activity) in &idle {
            activity.finish();
        }
        !idle.is_empty()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        table.open.remove(&self.id);
        let Some(network) = self.network else { return };
        if let Some(count) = table.networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                table.networks.remove(&network);
            }
        }
    }
}

/// File descriptors that this process may have open.
fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = limit.current.map(usize::try_from);
    most.and_then(Result::ok)
        .unwrap_or(UNLIMITED)
        .min(UNLIMITED)
}

fn beside_the_rest(descriptors: usize) -> usize {
    descriptors - KEPT_BACK.min(descriptors / 2)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn places(most: usize, per_network: usize) -> Places {
        let options = Options {
            max_connections: most,
            max_connections_per_network: per_network,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Options::default()
        };
        Places::new(&options, Budget::new(1 << 20))
    }

    fn from(places: &Places, address: &str) -> Result<Place, Full> {
        places.take(address.parse().unwrap())
    }

    #[tokio::test]
    async fn a_network_has_its_share_and_a_proxy_has_no_bound_of_its_own() {
        let places = places(100, 2);
        let first = from(&places, "2001:db8::1").unwrap();
        let _second = from(&places, "2001:db8::2").unwrap();
        assert_eq!(from(&places, "2001:db8::3").unwrap_err(), Full::Network);
        let _other = from(&places, "2001:db8:0:1::1").unwrap();
        drop(first);
        assert!(from(&places, "2001:db8::3").is_ok());
        let proxied: Vec<_> = (0..50).map(|_| from(&places, "10.0.0.1")).collect();
        assert!(proxied.iter().all(Result::is_ok));
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_makes_room_and_the_busy_do_not() {
        let places = places(3, 3);
        let busy = from(&places, "192.0.2.1").unwrap();
        busy.activity.begin();
        let old = from(&places, "192.0.2.2").unwrap();
        let socket = from(&places, "192.0.2.3").unwrap();
        socket.activity.upgraded();
        assert_eq!(from(&places, "192.0.2.4").unwrap_err(), Full::Server);
        tokio::time::advance(Duration::from_secs(2)).await;
        let new = from(&places, "192.0.2.4").unwrap();
        old.activity.end.notified().await;
        drop(old);
        assert_eq!(from(&places, "192.0.2.5").unwrap_err(), Full::Server);
        drop((busy, socket, new));
        assert!(places.table.lock().networks.is_empty());
    }

    #[test]
    fn descriptors_are_kept_back() {
        assert_eq!(beside_the_rest(1024), 768);
        assert_eq!(beside_the_rest(256), 128);
        assert!(descriptors() >= 64);
    }
}
