//! `[http]` of the configuration.

use std::time::Duration;

use ipnet::IpNet;
use lingxi_runtime::config::Error;
use lingxi_runtime::config::check::{require, within};
use serde::{Deserialize, Serialize};

use crate::Options;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// `[http]`: what every port that speaks HTTP to strangers allows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Seconds in which a request's header must have come.
    pub header_seconds: u64,
    /// Seconds in which its body must have come.
    pub body_seconds: u64,
    /// Seconds after which a connection that asks nothing is closed.
    pub idle_seconds: u64,
    /// Connections served at a time; 0: from the limit of descriptors.
    pub max_connections: usize,
    /// Of them, from one IPv4 address or one IPv6 /64; 0: a quarter of them.
    pub max_connections_per_network: usize,
    /// Origins of web pages that may use the API besides Lingxi's own, separated by commas.
    pub origins: String,
    /// Names that `Host` may be besides loopback's own, where the port is bound to loopback; separated by commas.
    pub hosts: String,
}

impl Http {
    /// Refuses the first value that is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        within("http.header_seconds", self.header_seconds, 1, 3_600)?;
        within("http.body_seconds", self.body_seconds, 1, 3_600)?;
        within("http.idle_seconds", self.idle_seconds, 1, 86_400)?;
        within("http.max_connections", self.max_connections, 0, 10_000_000)?;
        within(
            "http.max_connections_per_network",
            self.max_connections_per_network,
            0,
            10_000_000,
        )?;
        for origin in self.origins() {
            require(
                is_origin(origin),
                "http.origins",
                origin,
                "expected scheme://host[:port] as a browser sends it, as in https://chat.example",
            )?;
        }
        for host in self.hosts() {
            let plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
            require(
                host.chars().all(plain),
                "http.hosts",
                host,
                "expected names or addresses separated by commas, as in chat.lan,192.168.1.7",
            )?;
        }
        Ok(())
    }

    /// The options of a port that strangers reach, behind these proxies; `limited` says whether requests in flight are
    /// bounded.
    #[must_use]
    pub fn options(&self, trusted_proxies: Vec<IpNet>, limited: bool) -> Options {
        let default = Options::default();
        Options {
            header_timeout: Duration::from_secs(self.header_seconds),
            body_timeout: Duration::from_secs(self.body_seconds),
            idle_timeout: Duration::from_secs(self.idle_seconds),
            max_connections: self.max_connections,
            max_connections_per_network: self.max_connections_per_network,
            trusted_proxies,
            origins: self.origins().map(str::to_owned).collect(),
            hosts: self.hosts().map(str::to_owned).collect(),
            in_flight: default.in_flight.filter(|_| limited),
            ..default
        }
    }

    /// The origins one by one.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        listed(&self.origins)
    }

    /// The hosts one by one.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        listed(&self.hosts)
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// What `Origin` can be: with `*`, every page could use the API in its reader's name.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
    ["http", "https"].contains(&scheme) && !host.is_empty() && host.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use lingxi_runtime::config::section;

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_options() {
        let http: Http = section(DEFAULTS, "http").unwrap();
        http.check().unwrap();
        let (set, default) = (http.options(Vec::new(), true), Options::default());
        assert_eq!(format!("{set:?}"), format!("{default:?}"));
        assert!(http.options(Vec::new(), false).in_flight.is_none());
    }
}
