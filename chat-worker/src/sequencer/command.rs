//! What the sequencer's task is told.

use lingxi_store::Lease;
use tokio::sync::oneshot;

pub(super) enum Command {
    Assign(Lease),
    Revoke(u16, i64),
    HandBack(Vec<u16>, oneshot::Sender<()>),
    Finish(oneshot::Sender<()>),
}
