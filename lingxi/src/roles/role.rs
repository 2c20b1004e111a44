//! What a process can be.

/// A part of the system that can be a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Clients' sockets and requests.
    Gateway,
    /// Commits messages and fans them out.
    ChatWorker,
    /// Answers questions.
    AiWorker,
    /// The operators' API.
    AdminApi,
}

impl Role {
    /// In the order in which they start: who works before who asks.
    pub(crate) const ALL: &[Self] = &[
        Self::ChatWorker,
        Self::AiWorker,
        Self::Gateway,
        Self::AdminApi,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::ChatWorker => "chat-worker",
            Self::AiWorker => "ai-worker",
            Self::AdminApi => "admin-api",
        }
    }

    pub(super) const fn service(self) -> &'static str {
        match self {
            Self::Gateway => "lingxi-gateway",
            Self::ChatWorker => "lingxi-chat-worker",
            Self::AiWorker => "lingxi-ai-worker",
            Self::AdminApi => "lingxi-admin-api",
        }
    }
}
