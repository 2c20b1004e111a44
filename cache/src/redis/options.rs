//! Where Redis is, from its URL.

use fred::types::config::{Config, ServerConfig};

use crate::{Error, Result};

const EXPECTED: &str = "expected redis://[user:password@]host[:port][/database] (rediss:// for TLS), \
    redis-sentinel://host[:port]?sentinelServiceName=name[&node=host:port], or \
    redis-cluster://host:port[?node=host:port]";

/// How a cache on Redis is reached.
#[derive(Clone)]
pub struct Options {
    pub(super) config: Config,
    pub(super) namespace: String,
}

impl Options {
    /// Reads a URL: `redis://` for one server, `redis-sentinel://` for one behind sentinels, `redis-cluster://` for a
    /// cluster, each with `rediss` for TLS. Every key begins with `namespace`, which keeps installations apart.
    ///
    /// # Errors
    /// [`Error::Misconfigured`], in one line that holds no password.
    pub fn parse(url: &str, namespace: &str) -> Result<Self> {
        let malformed =
            |why: &str| Error::Misconfigured(format!("not a Redis URL ({why}): {EXPECTED}"));
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        let kind = ["rediss", "redis", "valkeys", "valkey"]
            .iter()
            .find_map(|tls_or_not| scheme.strip_prefix(tls_or_not));
        if !matches!(kind, Some("" | "-sentinel" | "-cluster")) {
            return Err(malformed("its scheme is another"));
        }
        let mut config = Config::from_url(url).map_err(|error| malformed(error.details()))?;
        if let ServerConfig::Sentinel { service_name, .. } = &config.server
            && service_name.is_empty()
        {
            return Err(malformed("sentinelServiceName is empty"));
        }
        if namespace.is_empty() || namespace.contains(['{', '}']) {
            let why = "the namespace of the cache must not be empty, and holds no { or }";
            return Err(Error::Misconfigured(why.to_owned()));
        }
        // The first attempt is answered at once; what follows an outage is decided by whoever connects.
        config.fail_fast = true;
        Ok(Self {
            config,
            namespace: namespace.to_owned(),
        })
    }

    /// The servers by `host:port`, for messages.
    pub(super) fn servers(&self) -> String {
        let hosts = self.config.server.hosts();
        let hosts: Vec<String> = hosts
            .iter()
            .map(|s| format!("{}:{}", s.host, s.port))
            .collect();
        hosts.join(", ")
    }
}

/// Without the password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("servers", &self.servers())
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_url_is_understood() {
        for (url, servers) in [
            ("redis://h", "h:6379"),
            ("redis://u:p%40w@h:7000/3", "h:7000"),
            ("rediss://h:7000", "h:7000"),
            ("redis-sentinel://h?sentinelServiceName=main", "h:26379"),
            ("redis-cluster://h:1?node=i:2", "i:2, h:1"),
        ] {
            let options = Options::parse(url, "lingxi").unwrap();
            assert_eq!(options.servers(), servers, "{url}");
        }
        let options = Options::parse("redis://u:p%40w@h:7000/3", "lingxi").unwrap();
        assert_eq!(options.config.password.as_deref(), Some("p@w"));
        assert!(!format!("{options:?}").contains("p@w"));
    }

    #[test]
    fn what_is_malformed_is_told_in_one_line_without_the_password() {
        for url in [
            "",
            "localhost:6379",
            "http://u:secret@h",
            "redis:/h",
            "redis://",
            "redis://u:secret@h:port",
            "redis://u:secret@h/one",
            "redis://u:secret@h/1/2",
            "redis-sentinel://u:secret@h",
            "redis-sentinel://u:secret@h?sentinelServiceName=",
            "redis-cluster://u:secret@h:1?node=i",
            "redisx://h",
        ] {
            let Err(Error::Misconfigured(line)) = Options::parse(url, "lingxi") else {
                panic!("{url} was taken");
            };
            assert!(
                line.contains("expected redis://")
                    && !line.contains('\n')
                    && !line.contains("secret"),
                "{url}: {line}"
            );
        }
        assert!(Options::parse("redis://h", "a{b").is_err());
    }
}
