//! The ACKs of private messages: sent when the recipient's gateway has answered, or has not in time.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lingxi_bus::{PendingReply, SharedBus};
use lingxi_domain::frame::server::{self, AckStatus};
use lingxi_domain::{Seq, UserId};
use lingxi_proto::bus::{Push, PushFrame};
use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::{mpsc, oneshot};

use super::publish::publish;

/// Private messages whose recipient's gateway has not answered yet.
const PENDING: usize = 16_384;

/// A committed private message whose delivery is not known yet.
pub(super) struct Ack {
    pub(super) sender: UserId,
    pub(super) msg_id: String,
    pub(super) id: i64,
    pub(super) seq: Seq,
}

enum Work {
    Await(PendingReply, Ack),
    Flush(oneshot::Sender<()>),
}

/// The way to the task that waits for recipients' gateways, many at a time.
pub(super) struct Acks(mpsc::Sender<Work>);

impl Acks {
    /// The task ends when the handle is gone and every ACK was sent.
    pub(super) fn start(bus: SharedBus, shutdown: &Shutdown) -> Self {
        let (work, received) = mpsc::channel(PENDING);
        shutdown.spawn("chat acks", answer(bus, received));
        Self(work)
    }

    /// Sends the ACK when the reply is there.
    pub(super) async fn when(&self, reply: PendingReply, ack: Ack) {
        let _ = self.0.send(Work::Await(reply, ack)).await;
    }

    /// Tells `done` when everything before is sent.
    pub(super) async fn flush(&self, done: oneshot::Sender<()>) {
        let _ = self.0.send(Work::Flush(done)).await;
    }
}

async fn answer(bus: SharedBus, mut work: mpsc::Receiver<Work>) {
    let mut pending = FuturesUnordered::new();
    let mut flushes: Vec<oneshot::Sender<()>> = Vec::new();
    loop {
        tokio::select! {
            received = work.recv(), if pending.len() < PENDING => match received {
                Some(Work::Await(reply, ack)) => pending.push(async move { (reply.wait().await, ack) }),
                Some(Work::Flush(done)) => flushes.push(done),
                None => break,
            },
            Some((reply, ack)) = pending.next(), if !pending.is_empty() => {
                let status = if reply.is_ok() { AckStatus::Delivered } else { AckStatus::Stored };
                let frame = server::committed(&ack.msg_id, status, ack.id, ack.seq);
                publish(&bus, ack.sender, Push::of(vec![PushFrame::plain(frame)])).await;
            }
        }
        if pending.is_empty() {
            for done in flushes.drain(..) {
                let _ = done.send(());
            }
        }
    }
}
