//! `[webhooks]` of the configuration.

use std::time::Duration;

use ipnet::IpNet;
use lingxi_domain::reach::Reach;
use lingxi_runtime::config::check::{require, within};
use lingxi_runtime::config::{Error, section};
use serde::{Deserialize, Serialize};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// Waits between attempts.
const MOST_RETRIES: usize = 20;
/// The longest wait, in seconds: a week.
const LONGEST_WAIT: f64 = 604_800.0;

/// `[webhooks]`: where bots' webhooks may be, and how often they are tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Networks that are not of the public internet and allowed all the same.
    pub allow_private: String,
    /// Ports that are allowed; empty for any.
    pub ports: String,
    /// Milliseconds of an attempt.
    pub timeout_ms: u64,
    /// Seconds between attempts.
    pub retry_seconds: String,
    /// Failed attempts after which a conversation goes on.
    pub hold_attempts: i64,
    /// Attempts at a time.
    pub concurrency: usize,
    /// Attempts of one bot at a time.
    pub per_bot: usize,
    /// Days that deliveries are kept which were given up.
    pub keep_days: i64,
}

impl Webhooks {
    /// The defaults alone.
    ///
    /// # Errors
    /// Never in a released build: a test loads the same text.
    pub fn defaults() -> Result<Self, Error> {
        section(DEFAULTS, "webhooks")
    }

    /// Refuses the first value that is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        self.reach()?;
        self.waits()?;
        within("webhooks.timeout_ms", self.timeout_ms, 1, 120_000)?;
        within("webhooks.hold_attempts", self.hold_attempts, 0, 100)?;
        within("webhooks.concurrency", self.concurrency, 1, 10_000)?;
        within("webhooks.per_bot", self.per_bot, 1, 1_000)?;
        within("webhooks.keep_days", self.keep_days, 1, 3_650)
    }

    /// Where webhooks may be.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn reach(&self) -> Result<Reach, Error> {
        let networks: Option<Vec<IpNet>> = match self.allow_private.trim() {
            "all" => Some(vec![IpNet::default(), ipnet::Ipv6Net::default().into()]),
            list => parts(list).map(|part| part.parse().ok()).collect(),
        };
        let key = "webhooks.allow_private";
        let advice = "expected networks separated by commas, as in 10.0.0.0/8,fd00::/8, or all";
        require(networks.is_some(), key, &self.allow_private, advice)?;
        let ports: Option<Vec<u16>> = parts(&self.ports)
            .map(|part| part.parse().ok().filter(|port| *port > 0))
            .collect();
        let advice = "expected ports separated by commas, as in 443,8443";
        require(ports.is_some(), "webhooks.ports", &self.ports, advice)?;
        let (networks, ports) = (networks.unwrap_or_default(), ports.unwrap_or_default());
        Ok(Reach::new(networks, ports))
    }

    /// How long to wait after each failed attempt.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn waits(&self) -> Result<Vec<Duration>, Error> {
        let waits = parts(&self.retry_seconds).map(|part| {
            let seconds = part.parse::<f64>().ok()?;
            let fits = (0.0..=LONGEST_WAIT).contains(&seconds);
            fits.then(|| Duration::from_secs_f64(seconds))
        });
        let waits: Option<Vec<Duration>> = waits.collect();
        let waits = waits.filter(|waits| waits.len() <= MOST_RETRIES);
        let advice = format!(
            "expected at most {MOST_RETRIES} numbers of seconds separated by commas, as in 5,30,120"
        );
        let key = "webhooks.retry_seconds";
        require(waits.is_some(), key, &self.retry_seconds, &advice)?;
        Ok(waits.unwrap_or_default())
    }
}

/// What stands between commas.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_load_and_reach_no_private_address() {
        let webhooks = Webhooks::defaults().unwrap();
        webhooks.check().unwrap();
        assert_eq!(webhooks.waits().unwrap().len(), 8);
        assert_eq!(webhooks.reach().unwrap(), Reach::default());
    }

    #[test]
    fn lists_are_read_or_refused() {
        let with = |change: fn(&mut Webhooks)| {
            let mut webhooks = Webhooks::defaults().unwrap();
            change(&mut webhooks);
            webhooks
        };
        let loopback = [127, 0, 0, 1].into();
        for allowed in ["all", "127.0.0.0/8, ::1/128"] {
            let mut webhooks = with(|_| {});
            webhooks.allow_private = allowed.to_owned();
            assert!(webhooks.reach().unwrap().admits(loopback), "{allowed}");
            let v6 = webhooks.reach().unwrap();
            assert!(v6.admits("::1".parse().unwrap()), "{allowed}");
        }
        let some = with(|webhooks| webhooks.retry_seconds = "0.05, 2".to_owned());
        let waits = [Duration::from_millis(50), Duration::from_secs(2)];
        assert_eq!(some.waits().unwrap(), waits);
        for wrong in [
            with(|webhooks| webhooks.allow_private = "10.0.0.0/33".to_owned()),
            with(|webhooks| webhooks.ports = "443,0".to_owned()),
            with(|webhooks| webhooks.retry_seconds = "5,soon".to_owned()),
            with(|webhooks| webhooks.retry_seconds = "-1".to_owned()),
            with(|webhooks| webhooks.retry_seconds = "1,".repeat(21)),
            with(|webhooks| webhooks.per_bot = 0),
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
