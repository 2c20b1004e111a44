//! Where a server is.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::ClientConfig;
use url::Url;

use super::tls;

/// A server, and whom to trust there.
#[derive(Clone, Debug)]
pub(in super::super) struct Server {
    /// As it was given, for what people are told.
    pub(in super::super) named: String,
    /// With `http` or `https`, and a slash at its end.
    base: Url,
    pub(super) tls: Arc<ClientConfig>,
}

impl Server {
    /// A server by its address as a browser shows it, which may have a path. `ca` is a file of certificates to trust in
    /// place of the system's.
    ///
    /// # Errors
    /// Says what an address looks like, or what is wrong with the file.
    pub(in super::super) fn new(url: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let base = base(url)?;
        let tls = tls::config(base.scheme() == "https", ca)?;
        Ok(Self {
            named: url.to_owned(),
            base,
            tls,
        })
    }

    /// An address below `/api/v1/`.
    pub(super) fn at(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}api/v1/{path}", self.base.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The WebSocket's address.
    pub(super) fn socket(&self) -> String {
        // `http` becomes `ws`, and `https` `wss`.
        self.at("ws", &[]).as_str().replacen("http", "ws", 1)
    }

    /// Whether `url` names the same server.
    pub(in super::super) fn is(&self, url: &str) -> bool {
        base(url).is_ok_and(|base| base == self.base)
    }
}

fn base(url: &str) -> anyhow::Result<Url> {
    let wrong = || format!("--url {url}: expected http://host:port or https://host");
    let mut base = Url::parse(url).with_context(wrong)?;
    let scheme = match base.scheme() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => bail!(wrong()),
    };
    // Between special schemes and by text: the parser knows best what the default port is.
    let rest = &base.as_str()[base.scheme().len()..];
    base = Url::parse(&format!("{scheme}{rest}")).with_context(wrong)?;
    if base.host_str().is_none_or(str::is_empty) || !base.username().is_empty() {
        bail!(wrong());
    }
    let path = format!("{}/", base.path().trim_end_matches('/'));
    base.set_path(&path);
    base.set_fragment(None);
    base.set_query(None);
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_in_any_usual_way() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/api/v1/ws"),
            ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/api/v1/ws"),
            ("http://[::1]:8080//", "ws://[::1]:8080/api/v1/ws"),
            ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080/api/v1/ws"),
            ("https://chat.example", "wss://chat.example/api/v1/ws"),
            (
                "HTTPS://chat.example:8443/im/",
                "wss://chat.example:8443/im/api/v1/ws",
            ),
            (
                "https://chat.example/#/home?x=1",
                "wss://chat.example/api/v1/ws",
            ),
            ("wss://chat.example", "wss://chat.example/api/v1/ws"),
        ] {
            let server = Server::new(url, None).unwrap();
            assert_eq!(server.socket(), expected, "{url}");
        }
        for bad in [
            "127.0.0.1:8080",
            "localhost:8080",
            "ftp://x",
            "http://",
            "",
            "httpx://h",
            "http://alice:secret@h",
        ] {
            let error = Server::new(bad, None).unwrap_err().to_string();
            assert!(error.contains("expected http://host:port"), "{bad}");
        }
    }

    #[test]
    fn paths_and_queries_are_below_the_servers() {
        let server = Server::new("http://h/im", None).unwrap();
        let url = server.at("user/search", &[("keyword", "a&b 灵")]);
        assert_eq!(
            url.as_str(),
            "http://h/im/api/v1/user/search?keyword=a%26b+%E7%81%B5"
        );
        assert!(server.is("HTTP://h:80/im/") && !server.is("https://h/im"));
    }
}
