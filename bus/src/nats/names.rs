//! What things are called on the server.

use crate::{Lane, Subject};

/// Names of one installation.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    stream_prefix: String,
}

/// The streams of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamName {
    /// The chat log.
    Chat,
    /// The work queues of the AI workers.
    Ai,
    /// Tasks of other services.
    Agent,
}

impl Names {
    pub(super) fn new(namespace: &str) -> Self {
        let with = |separator: &str| match namespace {
            "" => String::new(),
            name => format!("{name}{separator}"),
        };
        Self {
            prefix: with("."),
            stream_prefix: with("_"),
        }
    }

    pub(super) fn live(&self, subject: &Subject) -> String {
        format!("{}{subject}", self.prefix)
    }

    pub(super) fn log(&self, partition: u16) -> String {
        format!("{}chat.in.{partition}", self.prefix)
    }

    pub(super) fn lane(&self, lane: Lane) -> String {
        format!("{}{lane}", self.prefix)
    }

    pub(super) fn stream(&self, stream: StreamName) -> String {
        let name = match stream {
            StreamName::Chat => "CHAT",
            StreamName::Ai => "AI",
            StreamName::Agent => "AGENT",
        };
        format!("{}{name}", self.stream_prefix)
    }

    /// What a stream keeps.
    pub(super) fn kept(&self, stream: StreamName) -> Vec<String> {
        let subjects: &[&str] = match stream {
            StreamName::Chat => &["chat.in.*"],
            StreamName::Ai => &["ai.run.*"],
            StreamName::Agent => &["agent.tasks", "agent.results", "agent.dead"],
        };
        let named = |subject: &&str| format!("{}{subject}", self.prefix);
        subjects.iter().map(named).collect()
    }
}
