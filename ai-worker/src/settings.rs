//! `[ai]` of the configuration.

use lingxi_runtime::config::check::{http_url, require, within};
use lingxi_runtime::config::{Error, Secret, section};
use serde::{Deserialize, Serialize};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// `[ai]`: the assistant's limits and where its models are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ai {
    /// The most model calls in one answer.
    pub max_steps: u32,
    /// Answers one process works on at a time.
    pub concurrency: usize,
    /// Answers one user may have under way at a time.
    pub runs_at_once: u32,
    /// Days that finished answers are kept.
    pub run_retention_days: u32,
    /// Seconds after which an answer is ended.
    pub deadline_seconds: u64,
    /// Replaces the built-in instructions to the model.
    pub system_prompt: Option<String>,
    /// Look for an Ollama at `ollama_url` when no provider is configured.
    pub detect_ollama: bool,
    /// Where that Ollama would be.
    pub ollama_url: String,
    /// OpenAI-compatible services, in the order of preference.
    #[serde(default)]
    pub providers: Vec<Provider>,
}

impl Ai {
    /// The defaults alone: no provider is configured.
    ///
    /// # Errors
    /// Never in a released build: a test loads the same text.
    pub fn defaults() -> Result<Self, Error> {
        section(DEFAULTS, "ai")
    }

    /// Refuses the first value that is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        within("ai.max_steps", self.max_steps, 1, 100)?;
        within("ai.concurrency", self.concurrency, 1, 100_000)?;
        within("ai.runs_at_once", self.runs_at_once, 1, 100_000)?;
        within("ai.run_retention_days", self.run_retention_days, 1, 3_650)?;
        within("ai.deadline_seconds", self.deadline_seconds, 1, 86_400)?;
        http_url("ai.ollama_url", &self.ollama_url)?;
        for (n, provider) in self.providers.iter().enumerate() {
            let earlier = self.providers.iter().take(n);
            let unique = !provider.name.is_empty()
                && earlier.clone().all(|other| other.name != provider.name);
            require(
                unique,
                &format!("ai.providers.{n}.name"),
                &provider.name,
                "expected a name that no other provider has",
            )?;
            provider.check(&format!("ai.providers.{n}"))?;
        }
        Ok(())
    }
}

/// One OpenAI-compatible service, `[[ai.providers]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// A name of its own, for logs and metrics.
    pub name: String,
    /// The URL that `/chat/completions` is appended to.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`; local servers need none.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// The model to ask for.
    pub model: String,
    /// Milliseconds until a connection must stand.
    #[serde(default = "default_connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds from the request to the first token.
    #[serde(default = "default_first_token_ms")]
    pub first_token_ms: u64,
    /// Milliseconds between two tokens.
    #[serde(default = "default_idle_ms")]
    pub idle_ms: u64,
    /// Milliseconds for one whole answer of the model.
    #[serde(default = "default_total_ms")]
    pub total_ms: u64,
}

impl Provider {
    /// A provider with the default timeouts.
    pub fn new(
        name: impl Into<String>,
        base_url: impl Into<String>,
        model: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            connect_ms: default_connect_ms(),
            first_token_ms: default_first_token_ms(),
            idle_ms: default_idle_ms(),
            total_ms: default_total_ms(),
        }
    }
}

impl Provider {
    fn check(&self, key: &str) -> Result<(), Error> {
        http_url(&format!("{key}.base_url"), &self.base_url)?;
        let key_fits = self.api_key.as_ref().is_none_or(|secret| {
            let mut bytes = secret.expose().bytes();
            bytes.all(|byte| byte.is_ascii_graphic() || byte == b' ')
        });
        require(
            key_fits,
            &format!("{key}.api_key"),
            "",
            "expected printable ASCII characters, as it goes into a header",
        )?;
        require(
            !self.model.is_empty(),
            &format!("{key}.model"),
            "",
            "expected the name of a model",
        )?;
        for (name, value) in [
            ("connect_ms", self.connect_ms),
            ("first_token_ms", self.first_token_ms),
            ("idle_ms", self.idle_ms),
            ("total_ms", self.total_ms),
        ] {
            within(&format!("{key}.{name}"), value, 1, 86_400_000)?;
        }
        Ok(())
    }
}

fn default_connect_ms() -> u64 {
    5_000
}

fn default_first_token_ms() -> u64 {
    30_000
}

fn default_idle_ms() -> u64 {
    20_000
}

fn default_total_ms() -> u64 {
    180_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_load_and_the_sample_of_timeouts_is_true() {
        let ai = Ai::defaults().unwrap();
        ai.check().unwrap();
        assert!(ai.providers.is_empty());
        let provider = Provider::new("a", "http://b", "c");
        for (key, value) in [
            ("connect_ms", provider.connect_ms),
            ("first_token_ms", provider.first_token_ms),
            ("idle_ms", provider.idle_ms),
            ("total_ms", provider.total_ms),
        ] {
            assert!(
                DEFAULTS.contains(&format!("# {key} = {value} ")),
                "{key} = {value}"
            );
        }
    }
}
