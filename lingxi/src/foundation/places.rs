//! Where the store, the bus and the cache of a configuration are.

use std::time::Duration;

use anyhow::Context as _;
use lingxi_bus::nats;
use lingxi_cache::redis;
use lingxi_store::{Location, MySqlOptions};

use crate::config::{Config, Mode, login};

/// Where the store of this configuration is.
pub(crate) fn location(config: &Config) -> anyhow::Result<Location> {
    if config.mode()? == Mode::Embedded {
        return Ok(Location::Sqlite(config.sqlite_path()));
    }
    let parts = &config.database;
    let mut options = match (&parts.host, &config.database_url) {
        (None, Some(url)) => MySqlOptions::from_url(url).context("database_url")?,
        (host, _) => MySqlOptions {
            host: host.clone().unwrap_or_default(),
            port: parts.port.unwrap_or(3306),
            username: parts
                .username
                .clone()
                .unwrap_or_else(|| "lingxi".to_owned()),
            password: parts
                .password
                .as_ref()
                .map_or_else(String::new, |p| p.expose().to_owned()),
            dbname: parts.dbname.clone().unwrap_or_else(|| "lingxi".to_owned()),
            ..MySqlOptions::default()
        },
    };
    options.pool_size = parts.pool_size;
    options.pool_max = parts.pool_max;
    options.recycle = Duration::from_secs(parts.recycle_seconds);
    Ok(Location::MySql(options))
}

/// How the bus of this configuration is reached.
pub(crate) fn nats_options(config: &Config, name: &str, partitions: u16) -> nats::Options {
    nats::Options {
        url: login::encoded(config.nats_url.as_deref().unwrap_or_default()),
        name: name.to_owned(),
        namespace: config.namespace.clone(),
        partitions,
        replicas: config.nats.replicas,
        max_log_bytes: config.nats.max_log_bytes,
        ca_file: config.nats.ca_file.clone(),
        monitoring_url: config.nats.monitoring_url.clone().unwrap_or_default(),
        ..nats::Options::default()
    }
}

/// How the cache of this configuration is reached.
pub(crate) fn redis_options(config: &Config) -> Result<redis::Options, lingxi_cache::Error> {
    let url = config.redis_url.as_deref().unwrap_or_default();
    let namespace = match config.namespace.as_str() {
        "" => "lingxi",
        given => given,
    };
    redis::Options::parse(&login::encoded_one(url), namespace)
}
