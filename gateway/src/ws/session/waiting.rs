//! What waits in a session.

use std::sync::Arc;

use axum::body::Bytes;
use lingxi_bus::Replier;
use lingxi_domain::Seq;
use lingxi_proto::bus::PushFrame;

/// A frame that waits for the socket.
pub(crate) struct Outgoing {
    pub(crate) json: Bytes,
    /// The conversation and place, if it is an entry.
    pub(super) entry: Option<(Arc<str>, Seq)>,
    /// Answered when the frame was written.
    pub(crate) written: Option<Replier>,
}

/// A live entry that waits for a sync.
pub(super) struct Held {
    pub(super) frame: PushFrame,
    pub(super) written: Option<Replier>,
}
