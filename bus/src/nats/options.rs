//! Where the server is, and what is declared on it.

use std::path::PathBuf;

use async_nats::ServerAddr;

use super::monitoring;
use crate::{Error, Result};

/// How the bus is reached, and how large its streams may grow.
#[derive(Clone)]
pub struct Options {
    /// Servers of one cluster, separated by commas: `nats://host:4222`, `tls://host`, with `user:password@` or `token@`.
    pub url: String,
    /// Root certificates (PEM) to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The servers' monitoring ports, separated by commas: `http://host:8222`. Only there do they tell how often they
    /// sync to the disk. Empty: that is not stated.
    pub monitoring_url: String,
    /// The name that the server shows for this connection.
    pub name: String,
    /// Keeps installations on one server apart: subjects begin with `<namespace>.`, streams with `<namespace>_`.
    /// Empty: the plain names.
    pub namespace: String,
    /// How many partitions the chat log has.
    pub partitions: u16,
    /// On how many servers each stream is kept: 1, 3 or 5.
    pub replicas: u32,
    /// How many bytes the chat log may hold; beyond, appends are refused.
    pub max_log_bytes: u64,
    /// How many messages the chat log may hold; beyond, appends are refused.
    pub max_log_messages: u64,
    /// How many messages may wait in this process for one slow listener; beyond, they are dropped and counted as lost.
    pub max_waiting: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".to_owned(),
            ca_file: None,
            monitoring_url: String::new(),
            name: "lingxi".to_owned(),
            namespace: String::new(),
            partitions: 64,
            replicas: 1,
            max_log_bytes: 1 << 30,
            max_log_messages: 4_000_000,
            max_waiting: 16_384,
        }
    }
}

/// What a URL says about who connects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// Nobody in particular.
    None,
    Token(String),
    User(String, String),
}

impl Options {
    /// Whether the options make sense, without connecting.
    ///
    /// # Errors
    /// [`Error::Setup`] says which one does not.
    pub fn check(&self) -> Result<()> {
        self.servers()?;
        monitoring::urls(&self.monitoring_url)?;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !self.namespace.chars().all(word) || self.namespace.len() > 64 {
            return Err(Error::Setup(format!(
                "namespace: {:?} is no name for subjects and streams; use up to 64 letters, digits, '_' and '-'",
                self.namespace
            )));
        }
        if ![1, 3, 5].contains(&self.replicas) {
            return Err(Error::Setup(format!(
                "nats.replicas: {} copies of a stream are not possible; use 1, 3 or 5",
                self.replicas
            )));
        }
        if self.max_log_bytes == 0 || self.max_log_messages == 0 {
            let why = "nats.max_log_bytes: the message log needs room; use a positive number";
            return Err(Error::Setup(why.to_owned()));
        }
        Ok(())
    }

    /// The servers, and who connects: the client library does not read the login from the URL by itself.
    pub(super) fn servers(&self) -> Result<(Vec<ServerAddr>, Login)> {
        let mut servers = Vec::new();
        let mut login = Login::None;
        for url in self.url.split(',').map(str::trim).filter(|u| !u.is_empty()) {
            let server = url.parse::<ServerAddr>().map_err(|_| {
                let shown = url.rsplit('@').next().unwrap_or_default();
                Error::Setup(format!(
                    "nats_url: {shown:?} is no NATS address; write nats://host:4222 or tls://host:4222"
                ))
            })?;
            if server.is_websocket() {
                let why = "nats_url: WebSocket is not supported; write nats://host:4222 or tls://host:4222";
                return Err(Error::Setup(why.to_owned()));
            }
            if server.has_user_pass() && login == Login::None {
                let user = decoded(server.username().unwrap_or_default());
                login = match server.password() {
                    Some(password) => Login::User(user, decoded(password)),
                    None => Login::Token(user),
                };
            }
            servers.push(server);
        }
        if servers.is_empty() {
            return Err(Error::Setup(
                "nats_url: no server is named; write nats://host:4222".to_owned(),
            ));
        }
        Ok((servers, login))
    }
}

/// Passwords in a URL are percent-encoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [a, b, after @ ..] if *first == b'%' => {
                let digits = [*a, *b];
                let byte = std::str::from_utf8(&digits)
                    .ok()
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                byte.map(|byte| (byte, after))
            }
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(url: &str) -> Options {
        Options {
            url: url.to_owned(),
            ..Options::default()
        }
    }

    #[test]
    fn logins_come_from_the_url() {
        let (servers, login) = with("nats://u:p%40%2fw@a:1, tls://b:2").servers().unwrap();
        assert_eq!(login, Login::User("u".into(), "p@/w".into()));
        let hosts: Vec<_> = servers.iter().map(|s| (s.host(), s.port())).collect();
        assert_eq!(hosts, [("a", 1), ("b", 2)]);
        assert!(servers[1].tls_required());
        let (_, login) = with("nats://secret@a").servers().unwrap();
        assert_eq!(login, Login::Token("secret".into()));
    }

    #[test]
    fn nonsense_is_refused_without_showing_passwords() {
        let Err(Error::Setup(why)) = with("http://u:hunter2@a").check() else {
            panic!("taken");
        };
        assert!(
            why.contains("nats_url") && !why.contains("hunter2"),
            "{why}"
        );
        assert!(with(" ,").check().is_err());
        for namespace in ["a.b", "a b", "a>"] {
            let options = Options {
                namespace: namespace.to_owned(),
                ..Options::default()
            };
            assert!(options.check().is_err(), "{namespace}");
        }
        let options = Options {
            replicas: 2,
            ..Options::default()
        };
        assert!(options.check().is_err());
        assert_eq!(Options::default().check(), Ok(()));
    }
}
