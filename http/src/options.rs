//! How an HTTP edge behaves.

use std::time::Duration;

use ipnet::IpNet;

use crate::InFlight;

/// How an HTTP edge behaves. The defaults are those of the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// What metrics call the port.
    pub name: &'static str,
    /// A request's headers arrive within this, from its first byte on, and the first byte of a connection's first
    /// request within this of the connection.
    pub header_timeout: Duration,
    /// A body arrives within this, from its first read on.
    pub body_timeout: Duration,
    /// A connection without a request is closed after this.
    pub idle_timeout: Duration,
    /// Connections at once; 0 for what the limit of descriptors allows.
    pub max_connections: usize,
    /// Connections at once of one network (IPv4 address, IPv6 /64) that is no trusted proxy; 0 for a quarter of
    /// `max_connections`.
    pub max_connections_per_network: usize,
    /// Load balancers whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins besides the server's own whose pages may read answers: `https://chat.example`.
    pub origins: Vec<String>,
    /// Names besides loopback's that requests may be for while the listener is bound to loopback.
    pub hosts: Vec<String>,
    /// Requests in flight; `None` for no limit.
    pub in_flight: Option<InFlight>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "public",
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            max_connections: 0,
            max_connections_per_network: 0,
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
            hosts: Vec::new(),
            in_flight: Some(InFlight {
                user: 8,
                network: 128,
            }),
        }
    }
}
