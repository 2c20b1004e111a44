//! The reasons for which the server closes a connection.

/// Why a connection is closed by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// Its token is bad, expired or no longer works.
    Unauthorized,
    /// A newer connection took its place.
    Superseded,
    /// It does not read what it is sent.
    TooSlow,
    /// The node is going away.
    Draining,
    /// Something of ours failed; the client repeats on its next connection.
    TryAgain,
    /// It was silent for two intervals.
    Silent,
    /// It sent a frame that is too large to be read.
    TooLarge,
}

impl Close {
    /// The close code and reason that the client sees.
    pub(crate) fn code(self) -> (u16, &'static str) {
        match self {
            Self::Unauthorized => (4001, "unauthorized: log in again"),
            Self::Superseded => (4002, "kicked: a newer connection took over"),
            Self::TooSlow => (4008, "too slow: reconnect and resume"),
            Self::Draining => (1012, "restarting: reconnect"),
            Self::TryAgain => (1011, "try again: reconnect and repeat"),
            Self::Silent => (1001, "silent for too long"),
            Self::TooLarge => (1009, "too large: a frame holds at most 64 KiB"),
        }
    }
}
