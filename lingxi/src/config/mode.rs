//! Whether the configuration asks for one process or for a cluster, and what each then needs.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::Config;
use super::check::is_placeholder;

/// How the processes of an installation meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everything in one process, on SQLite.
    Embedded,
    /// Any number of processes, on MySQL or MariaDB, NATS and Redis.
    Cluster,
}

/// Why a configuration fits neither mode, or not the role that was asked for. In one line, without secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Some keys ask for a cluster, but it lacks something.
    #[error("{asked} asks for a cluster, which needs {missing}: {advice}")]
    Cluster {
        /// The key that asks for it.
        asked: &'static str,
        /// The key that is missing or of no use.
        missing: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A role of a cluster was started without one.
    #[error(
        "`lingxi {role}` is one part of a cluster: set database_url (or [database]), nats_url and redis_url, \
         or run `lingxi` alone for everything in one process"
    )]
    NotACluster {
        /// The role.
        role: &'static str,
    },
}

impl Config {
    /// Which mode the configuration asks for.
    ///
    /// # Errors
    /// [`Error::Cluster`] when it asks for a cluster without all that one needs.
    pub(crate) fn mode(&self) -> Result<Mode, Error> {
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
            self.jwt_secret.is_some(),
            "jwt_secret",
            "set it to 32 random bytes or more, the same in every process, as from `openssl rand -base64 48`",
        )?;
        require(
            self.cluster_token.is_some(),
            "cluster_token",
            "set it to 32 random bytes or more, the same in every process, as from `openssl rand -base64 48`",
        )?;
        let password = self.database.password.as_ref();
        require(
            password.is_none_or(|password| !is_placeholder(password.expose())),
            "database.password",
            "the placeholder of the example file still stands there",
        )?;
        for (key, url) in [
            ("database_url", &self.database_url),
            ("nats_url", &self.nats_url),
            ("redis_url", &self.redis_url),
        ] {
            let placeholder = url.as_deref().is_some_and(is_placeholder);
            require(
                !placeholder,
                key,
                "the placeholder of the example file still stands in it",
            )?;
        }
        Ok(Mode::Cluster)
    }

    /// Like [`Config::mode`], for a process that is one role of a cluster.
    ///
    /// # Errors
    /// Also [`Error::NotACluster`].
    pub(crate) fn require_cluster(&self, role: &'static str) -> Result<(), Error> {
        match self.mode()? {
            Mode::Cluster => Ok(()),
            Mode::Embedded => Err(Error::NotACluster { role }),
        }
    }

    /// The proxies whose `X-Forwarded-For` is believed.
    ///
    /// # Errors
    /// The part that is neither an address nor a network.
    pub(crate) fn trusted_proxies(&self) -> Result<Vec<IpNet>, String> {
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
    pub(crate) fn grpc_advertise(&self, bound: SocketAddr, reachable: Option<IpAddr>) -> String {
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
