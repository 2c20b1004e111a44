//! Ranges and shapes that the types alone do not say.

use std::fmt::Display;

use tracing_subscriber::EnvFilter;
use url::Url;

use super::{Config, Error, Provider, masked};

impl Config {
    /// Refuses the first value that is out of range, naming what is accepted.
    pub(super) fn check(&self) -> Result<(), Error> {
        address("listen", &self.listen)?;
        address("internal_listen", &self.internal_listen)?;
        address("grpc_listen", &self.grpc_listen)?;
        if let Some(advertised) = &self.grpc_advertise {
            address("grpc_advertise", advertised)?;
        }
        if let Some(url) = &self.database_url {
            let accepted = "expected sqlite:PATH or mysql://user:password@host:port/name";
            let fits = ["sqlite:", "mysql:"].iter().any(|scheme| {
                url.strip_prefix(scheme)
                    .is_some_and(|rest| !rest.trim_start_matches('/').is_empty())
            });
            require(fits, "database_url", url, accepted)?;
        }
        for (key, secret) in [
            ("jwt_secret", &self.jwt_secret),
            ("cluster_token", &self.cluster_token),
        ] {
            let filled = secret
                .as_ref()
                .is_none_or(|secret| !secret.expose().trim().is_empty());
            require(
                filled,
                key,
                "",
                "expected a secret of 32 bytes or more, or no such key",
            )?;
        }
        within("jwt_ttl_hours", self.jwt_ttl_hours, 1, 87_600)?;
        within("bcrypt_cost", self.bcrypt_cost, 4, 31)?;
        within(
            "heartbeat.interval_ms",
            self.heartbeat.interval_ms,
            100,
            3_600_000,
        )?;
        within("partitions", self.partitions, 1, 64)?;
        let replicas = [1, 3, 5].contains(&self.nats.replicas);
        require(
            replicas,
            "nats.replicas",
            &self.nats.replicas.to_string(),
            "expected 1, 3 or 5",
        )?;
        within(
            "nats.max_log_bytes",
            self.nats.max_log_bytes,
            1 << 20,
            1 << 50,
        )?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        require(
            self.namespace.len() <= 32 && self.namespace.chars().all(plain),
            "namespace",
            &self.namespace,
            "expected at most 32 ASCII letters, digits, - or _",
        )?;
        if let Err(refused) = self.trusted_proxies() {
            require(
                false,
                "trusted_proxies",
                &refused,
                "expected addresses or networks separated by commas, as in 127.0.0.1,10.0.0.0/8",
            )?;
        }
        within("database.pool_max", self.database.pool_max, 1, 10_000)?;
        within(
            "database.pool_size",
            self.database.pool_size,
            1,
            self.database.pool_max,
        )?;
        within(
            "database.recycle_seconds",
            self.database.recycle_seconds,
            1,
            604_800,
        )?;
        within(
            "rate.messages_per_second",
            self.rate.messages_per_second,
            1,
            1_000_000,
        )?;
        within("rate.message_burst", self.rate.message_burst, 1, 1_000_000)?;
        within(
            "rate.logins_per_minute",
            self.rate.logins_per_minute,
            1,
            1_000_000,
        )?;
        within(
            "rate.registers_per_minute",
            self.rate.registers_per_minute,
            1,
            1_000_000,
        )?;
        let filter = EnvFilter::try_new(&self.log).is_ok();
        require(
            filter,
            "log",
            &self.log,
            "expected a level (error, warn, info, debug, trace) or directives such as info,lingxi_gateway=debug",
        )?;
        within("ai.max_steps", self.ai.max_steps, 1, 100)?;
        within("ai.concurrency", self.ai.concurrency, 1, 100_000)?;
        within("ai.deadline_seconds", self.ai.deadline_seconds, 1, 86_400)?;
        http_url("ai.ollama_url", &self.ai.ollama_url)?;
        for (n, provider) in self.ai.providers.iter().enumerate() {
            self.check_provider(&format!("ai.providers.{n}"), n, provider)?;
        }
        Ok(())
    }

    fn check_provider(&self, key: &str, n: usize, provider: &Provider) -> Result<(), Error> {
        let earlier = self.ai.providers.iter().take(n);
        let unique =
            !provider.name.is_empty() && earlier.clone().all(|other| other.name != provider.name);
        require(
            unique,
            &format!("{key}.name"),
            &provider.name,
            "expected a name that no other provider has",
        )?;
        http_url(&format!("{key}.base_url"), &provider.base_url)?;
        require(
            !provider.model.is_empty(),
            &format!("{key}.model"),
            "",
            "expected the name of a model",
        )?;
        let day = 86_400_000;
        within(&format!("{key}.connect_ms"), provider.connect_ms, 1, day)?;
        within(
            &format!("{key}.first_token_ms"),
            provider.first_token_ms,
            1,
            day,
        )?;
        within(&format!("{key}.idle_ms"), provider.idle_ms, 1, day)?;
        within(&format!("{key}.total_ms"), provider.total_ms, 1, day)
    }
}

fn require(fits: bool, key: &str, value: &str, accepted: &str) -> Result<(), Error> {
    if fits {
        return Ok(());
    }
    Err(Error::Value {
        key: key.to_owned(),
        value: masked::value(key, &format!("{value:?}")),
        accepted: accepted.to_owned(),
    })
}

fn within<T: PartialOrd + Display>(key: &str, value: T, least: T, most: T) -> Result<(), Error> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(Error::Value {
        key: key.to_owned(),
        value: value.to_string(),
        accepted: format!("expected {least} to {most}"),
    })
}

fn address(key: &str, value: &str) -> Result<(), Error> {
    let fits = value
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    require(
        fits,
        key,
        value,
        "expected host:port, as in 127.0.0.1:8080 or 0.0.0.0:8080",
    )
}

fn http_url(key: &str, value: &str) -> Result<(), Error> {
    let fits = Url::parse(value)
        .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    require(
        fits,
        key,
        value,
        "expected a URL that begins with http:// or https://",
    )
}
