//! A request as the simulator recorded it, for tests to look at.

use std::time::Instant;

use serde_json::Value;

use super::ledger;

/// A request to `/v1/chat/completions`.
#[derive(Debug, Clone)]
pub struct Request {
    /// When its body was read.
    pub at: Instant,
    /// The `Authorization` header, empty when there was none.
    pub authorization: String,
    /// The body.
    pub body: Value,
}

impl Request {
    /// The messages.
    #[must_use]
    pub fn messages(&self) -> &[Value] {
        self.body["messages"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The model asked for.
    #[must_use]
    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }

    /// Whether a stream was asked for.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.body["stream"] == true
    }

    /// All system text.
    #[must_use]
    pub fn system(&self) -> String {
        let texts = self
            .messages()
            .iter()
            .filter(|message| message["role"] == "system")
            .map(ledger::content);
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The last user message.
    #[must_use]
    pub fn last_user(&self) -> String {
        self.messages()
            .iter()
            .rfind(|message| message["role"] == "user")
            .map(ledger::content)
            .unwrap_or_default()
    }

    /// Contents of the tool results at the end, oldest first; empty when the request ends in something else.
    #[must_use]
    pub fn tool_results(&self) -> Vec<String> {
        let results = self
            .messages()
            .iter()
            .rev()
            .take_while(|message| message["role"] == "tool");
        let mut results: Vec<String> = results.map(ledger::content).collect();
        results.reverse();
        results
    }

    /// Names of the tools offered to the model.
    #[must_use]
    pub fn tool_names(&self) -> Vec<&str> {
        let tools = self.body["tools"].as_array().map_or(&[][..], Vec::as_slice);
        tools
            .iter()
            .filter_map(|tool| tool["function"]["name"].as_str())
            .collect()
    }
}
