//! Ranges and shapes of the keys that no component owns.

use lingxi_runtime::config::check::{address, require, within};
use lingxi_runtime::config::{Error, Secret};
use tracing_subscriber::EnvFilter;

use super::Config;

/// The shortest secret that is not to be guessed.
const SECRET_BYTES: usize = 32;
/// What stands in examples until somebody puts a secret in its place, however it is spelled.
const PLACEHOLDERS: [&str; 3] = ["change-me", "change_me", "changeme"];

impl Config {
    pub(super) fn check_process(&self) -> Result<(), Error> {
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
        secret("jwt_secret", self.jwt_secret.as_ref())?;
        secret("cluster_token", self.cluster_token.as_ref())?;
        within("jwt_ttl_hours", self.jwt_ttl_hours, 1, 87_600)?;
        within("bcrypt_cost", self.bcrypt_cost, 4, 31)?;
        within("partitions", self.partitions, 1, 64)?;
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
        require(
            EnvFilter::try_new(&self.log).is_ok(),
            "log",
            &self.log,
            "expected a level (error, warn, info, debug, trace) or directives such as info,lingxi_gateway=debug",
        )
    }
}

/// Refuses a secret that can be guessed, in every mode: whoever guesses it forges what it signs.
fn secret(key: &str, secret: Option<&Secret>) -> Result<(), Error> {
    let Some(secret) = secret.map(Secret::expose) else {
        return Ok(());
    };
    let advice =
        "expected 32 random bytes or more, as from `openssl rand -base64 48`, or no such key";
    let accepted = match is_placeholder(secret) {
        true => format!("the placeholder of an example still stands there; {advice}"),
        false => advice.to_owned(),
    };
    let strong = secret.trim().len() >= SECRET_BYTES && !is_placeholder(secret);
    require(strong, key, "", &accepted)
}

/// Returns true if a secret is what an example has in its place.
pub(super) fn is_placeholder(secret: &str) -> bool {
    let secret = secret.to_lowercase();
    PLACEHOLDERS.iter().any(|word| secret.contains(word))
}
