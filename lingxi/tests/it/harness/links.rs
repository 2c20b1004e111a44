//! The connections between one process and the servers it works with, each through a proxy of its own.

use lingxi_testing::Kind;

use super::backends::Backends;
use super::proxy::Proxy;

/// One process's ways to the database, the bus and the cache.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) mariadb: Proxy,
    pub(crate) nats: Proxy,
    pub(crate) redis: Proxy,
}

impl Links {
    /// Proxies before `backends`, which must be servers of this test's own.
    pub(crate) async fn start(backends: &Backends) -> Self {
        let [mariadb, nats, redis] = &backends.servers[..] else {
            panic!("proxies need servers of the test's own");
        };
        Self {
            mariadb: Proxy::start(mariadb.address()).await,
            nats: Proxy::start(nats.address()).await,
            redis: Proxy::start(redis.address()).await,
        }
    }

    /// The way to one server.
    pub(crate) fn to(&self, kind: Kind) -> &Proxy {
        match kind {
            Kind::MariaDb => &self.mariadb,
            Kind::Nats => &self.nats,
            Kind::Redis => &self.redis,
        }
    }

    /// What the process is told instead of the servers' own addresses.
    pub(crate) fn env(&self) -> [(String, String); 3] {
        [
            (
                "LINGXI__DATABASE_URL",
                format!("mysql://root@{}/lingxi", self.mariadb.address()),
            ),
            (
                "LINGXI__NATS_URL",
                format!("nats://{}", self.nats.address()),
            ),
            (
                "LINGXI__REDIS_URL",
                format!("redis://{}", self.redis.address()),
            ),
        ]
        .map(|(key, value)| (key.to_owned(), value))
    }
}
