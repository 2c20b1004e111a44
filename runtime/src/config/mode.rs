//! Whether the configuration asks for one process or for a cluster, and what each then needs.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{Config, Error, Secret};

/// How the processes of an installation meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything in one process, on SQLite.
    Embedded,
    /// Any number of processes, on MySQL or MariaDB, NATS and Redis.
    Cluster,
}

/// The shortest secret that is not to be guessed.
const SECRET_BYTES: usize = 32;
/// Stands in the secrets of an example file until somebody sets them.
const PLACEHOLDER: &str = "change-me";

impl Config {
    /// Which mode the configuration asks for.
    ///
    /// # Errors
    /// [`Error::Cluster`] when it asks for a cluster without all that one needs.
    pub fn mode(&self) -> Result<Mode, Error> {
        let mysql = self.database.host.is_some()
            || self
                .database_url
                .as_deref()
                .is_some_and(|url| url.starts_with("mysql:"));
        let asked = match (mysql, &self.nats_url, &self.redis_url) {
            (false, None, None) => return Ok(Mode::Embedded),
            (true, ..) if self.database.host.is_some() => "database.host",
            (true, ..) => "database_url",
            (_, Some(_), _) => "nats_url",
            _ => "redis_url",
        };
        let require = |there: bool, missing, advice| {
            if there {
                return Ok(());
            }
            Err(Error::Cluster {
                asked,
                missing,
                advice,
            })
        };
        require(
            mysql,
            "database_url",
            "set it to mysql://user:password@host:port/name, or set database.host and its fellows",
        )?;
        require(
            self.nats_url.is_some(),
            "nats_url",
            "set it to nats://host:4222, a server with JetStream",
        )?;
        require(
            self.redis_url.is_some(),
            "redis_url",
            "set it to redis://host:6379",
        )?;
        require(
            strong(self.jwt_secret.as_ref()),
            "jwt_secret",
            "set it to 32 random bytes or more, the same in every process, as from `openssl rand -base64 48`",
        )?;
        require(
            strong(self.cluster_token.as_ref()),
            "cluster_token",
            "set it to 32 random bytes or more, the same in every process, as from `openssl rand -base64 48`",
        )?;
        let password = self.database.password.as_ref();
        require(
            password.is_none_or(|password| !password.expose().contains(PLACEHOLDER)),
            "database.password",
            "the placeholder of the example file still stands there",
        )?;
        Ok(Mode::Cluster)
    }

    /// Like [`Config::mode`], for a process that is one role of a cluster.
    ///
    /// # Errors
    /// Also [`Error::NotACluster`].
    pub fn require_cluster(&self, role: &'static str) -> Result<(), Error> {
        match self.mode()? {
            Mode::Cluster => Ok(()),
            Mode::Embedded => Err(Error::NotACluster { role }),
        }
    }

    /// The proxies whose `X-Forwarded-For` is believed.
    ///
    /// # Errors
    /// The part that is neither an address nor a network.
    pub fn trusted_proxies(&self) -> Result<Vec<IpNet>, String> {
        let parts = self.trusted_proxies.split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(|part| {
                let address = part.parse::<IpAddr>().map(IpNet::from);
                address
                    .or_else(|_| part.parse())
                    .map_err(|_| part.to_owned())
            })
            .collect()
    }

    /// The `host:port` that other processes are told for gRPC, given where `grpc_listen` is really bound. Bound for all
    /// interfaces, it is `reachable`: the address by which this machine is seen, loopback when there is none.
    #[must_use]
    pub fn grpc_advertise(&self, bound: SocketAddr, reachable: Option<IpAddr>) -> String {
        if let Some(configured) = &self.grpc_advertise {
            return configured.clone();
        }
        if !bound.ip().is_unspecified() {
            return bound.to_string();
        }
        let ip = reachable.unwrap_or(match bound {
            SocketAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            SocketAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
        });
        SocketAddr::new(ip, bound.port()).to_string()
    }
}

fn strong(secret: Option<&Secret>) -> bool {
    secret.is_some_and(|secret| {
        secret.expose().len() >= SECRET_BYTES && !secret.expose().contains(PLACEHOLDER)
    })
}
