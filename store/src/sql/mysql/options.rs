//! Where a MySQL or MariaDB server is, and how it is used.

use std::fmt;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use crate::error::{Error, Result};

/// A database on a MySQL or MariaDB server. The fields are taken as they are: nothing in them needs escaping.
#[derive(Clone, PartialEq, Eq)]
pub struct MySqlOptions {
    /// A name or an address.
    pub host: String,
    /// 3306 by default.
    pub port: u16,
    /// The user.
    pub username: String,
    /// May hold any characters; empty for none.
    pub password: String,
    /// The database's name.
    pub dbname: String,
    /// Whether the connection is encrypted: `disabled`, `preferred` (the default), `required`, `verify_ca` or
    /// `verify_identity`.
    pub ssl_mode: String,
    /// A file with the certificate authorities that may sign for the server, for the two `verify` modes.
    pub ssl_ca: Option<String>,
    /// Connections kept open while they are not used.
    pub pool_size: u32,
    /// Connections at most, not counting that of a [`crate::Committer`].
    pub pool_max: u32,
    /// The age at which a connection is replaced.
    pub recycle: Duration,
    /// The longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// The longest wait for a new connection.
    pub connect_timeout: Duration,
    /// The longest wait for the answer to a statement; then its connection is dropped.
    pub statement_timeout: Duration,
}

impl Default for MySqlOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 3306,
            username: "root".into(),
            password: String::new(),
            dbname: "lingxi".into(),
            ssl_mode: "preferred".into(),
            ssl_ca: None,
            pool_size: 10,
            pool_max: 30,
            recycle: Duration::from_secs(3600),
            acquire_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for MySqlOptions {
    /// Everything but the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.password.is_empty() { "" } else { "***" };
        f.debug_struct("MySqlOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("username", &self.username)
            .field("password", &secret)
            .field("dbname", &self.dbname)
            .field("ssl_mode", &self.ssl_mode)
            .field("ssl_ca", &self.ssl_ca)
            .field("pool_size", &self.pool_size)
            .field("pool_max", &self.pool_max)
            .field("recycle", &self.recycle)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish()
    }
}

const FORM: &str = "write mysql://user:password@host:port/name, with %40 for @, %23 for #, %25 for %, %2F for /, %3A for :, \
     or give host, port, username, password and dbname one by one";

impl MySqlOptions {
    /// Reads `mysql://user:password@host:port/name`, whose parts are percent-encoded, with `?ssl-mode=` and `&ssl-ca=` if
    /// wanted.
    ///
    /// # Errors
    /// [`Error::Setup`] says what is wrong with it and never shows the password.
    pub fn from_url(text: &str) -> Result<Self> {
        let wrong = |what: &str| Error::Setup(format!("the database's URL {what}: {FORM}"));
        let url = url::Url::parse(text).map_err(|e| wrong(&format!("cannot be read ({e})")))?;
        if url.scheme() != "mysql" {
            return Err(wrong("does not begin with mysql://"));
        }
        if url.fragment().is_some() {
            return Err(wrong("holds a # that is not part of it"));
        }
        let decoded =
            |part: &str| decode(part).ok_or_else(|| wrong("is not percent-encoded UTF-8"));
        let default = Self::default();
        let host = url.host_str().unwrap_or_default();
        let dbname = decoded(url.path().strip_prefix('/').unwrap_or_default())?;
        if host.is_empty() {
            return Err(wrong("names no host"));
        }
        if dbname.is_empty() || dbname.contains('/') {
            return Err(wrong("does not end with the name of one database"));
        }
        let mut options = Self {
            host: host.trim_matches(['[', ']']).into(),
            port: url.port().unwrap_or(default.port),
            username: decoded(url.username())?,
            password: decoded(url.password().unwrap_or_default())?,
            dbname,
            ..default
        };
        if options.username.is_empty() {
            return Err(wrong("names no user"));
        }
        for (key, value) in url.query_pairs() {
            match key.as_ref() {
                "ssl-mode" => options.ssl_mode = value.into_owned(),
                "ssl-ca" => options.ssl_ca = Some(value.into_owned()),
                other => {
                    return Err(wrong(&format!(
                        "has an option {other:?}; there are ssl-mode and ssl-ca"
                    )));
                }
            }
        }
        options.ssl()?;
        Ok(options)
    }

    fn ssl(&self) -> Result<MySqlSslMode> {
        let mode = self.ssl_mode.to_ascii_lowercase().replace('-', "_");
        mode.parse().map_err(|_| {
            Error::Setup(format!(
                "the database's ssl-mode is {:?}: use disabled, preferred, required, verify_ca or verify_identity",
                self.ssl_mode
            ))
        })
    }

    /// For messages: the database and its server.
    pub(super) fn place(&self) -> String {
        format!("{} at {}:{}", self.dbname, self.host, self.port)
    }

    pub(super) fn driver(&self, with_database: bool) -> Result<MySqlConnectOptions> {
        let mut driver = MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .username(&self.username)
            .ssl_mode(self.ssl()?)
            .statement_cache_capacity(512)
            // What the driver would set with statements of its own is part of our one.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .set_names(false);
        if !self.password.is_empty() {
            driver = driver.password(&self.password);
        }
        if with_database {
            driver = driver.database(&self.dbname);
        }
        if let Some(file) = &self.ssl_ca {
            driver = driver.ssl_ca(file);
        }
        Ok(driver)
    }
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let o = MySqlOptions::from_url(
            "mysql://li%20xi:p%40%23%25%3A%2F%E7%81%B5@db.example:3307/chat?ssl-mode=VERIFY-CA&ssl-ca=/etc/ca.pem",
        )
        .unwrap();
        assert_eq!(
            (
                o.host.as_str(),
                o.port,
                o.username.as_str(),
                o.password.as_str(),
                o.dbname.as_str()
            ),
            ("db.example", 3307, "li xi", "p@#%:/灵", "chat")
        );
        assert_eq!(o.ssl_ca.as_deref(), Some("/etc/ca.pem"));
        assert_eq!((o.pool_size, o.pool_max), (10, 30));
        let o = MySqlOptions::from_url("mysql://root@[::1]/x").unwrap();
        assert_eq!(
            (o.host.as_str(), o.port, o.password.as_str()),
            ("::1", 3306, "")
        );
    }

    #[test]
    fn a_wrong_url_says_what_to_do_and_keeps_the_secret() {
        for (url, what) in [
            ("postgres://u:geheim@h/x", "mysql://"),
            ("mysql://u:geheim#1@h/x", "URL"),
            ("mysql://u:geheim@h", "name of one database"),
            ("mysql://u:geheim@h/a/b", "name of one database"),
            ("mysql://:geheim@h/x", "no user"),
            ("mysql://u:geheim%zz@h/x", "percent-encoded"),
            ("mysql://u:geheim@h/x?charset=latin1", "ssl-mode"),
            ("mysql://u:geheim@h/x?ssl-mode=maybe", "verify_identity"),
            ("u:geheim", "URL"),
        ] {
            let error = MySqlOptions::from_url(url).unwrap_err();
            let text = error.to_string();
            assert!(
                matches!(error, Error::Setup(_)) && text.contains(what),
                "{url}: {text}"
            );
            assert!(!text.contains("geheim"), "{text}");
        }
    }

    #[test]
    fn the_password_is_never_shown() {
        let options = MySqlOptions {
            password: "geheim".into(),
            ..MySqlOptions::default()
        };
        assert!(
            !format!("{options:?} {:?}", crate::Location::MySql(options.clone()))
                .contains("geheim")
        );
    }
}
