//! The names of live subjects and work queues.

use std::fmt;

use lingxi_domain::UserId;

/// A live subject. Its text form is the name on a messaging server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Everything for one user's sockets: `Push` payloads.
    User(UserId),
    /// What clients confirmed in the conversations of a partition: `CursorMoves` payloads, to its owner.
    Cursors(u16),
    /// To every chat worker: partitions were given up. Empty payloads.
    Leases,
    /// To whoever delivers to webhooks: something was said where bots are. `WebhookHint` payloads.
    Webhooks,
    /// To the worker of a run: somebody wants to follow it, or does no longer. `RunRequest` payloads.
    RunAttach(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user.{id}"),
            Self::Cursors(partition) => write!(f, "chat.cursors.{partition}"),
            Self::Leases => f.write_str("chat.leases"),
            Self::Webhooks => f.write_str("webhooks"),
            Self::RunAttach(run) => write!(f, "ai.attach.{run}"),
        }
    }
}

/// A work queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Runs that somebody waits for.
    Interactive,
    /// Runs that may wait.
    Batch,
}

impl Lane {
    /// Every lane, the most urgent first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Batch];

    /// As the store names it, and the last part of its subject.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Batch => "batch",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ai.run.{}", self.as_str())
    }
}
